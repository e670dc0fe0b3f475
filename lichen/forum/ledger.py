"""The ledger of one command: its events and its counts, written at the end.

Every change of a post, comment or community is told to the ledger by its new state. `close` stages
who was present and how much they wrote, and emits the events, once each: of an object that changed
several times in a batch only the last tally goes out.
"""

from collections.abc import Sequence
from typing import NamedTuple

from lichen.events import (
    Operation,
    Outside,
    Record,
    at_uri,
    collection_of,
    deletion_of,
    event_of,
    forum,
)
from lichen.forum import community_rows as rows
from lichen.forum.languages import codes_of
from lichen.forum.model import Comment, Community, Post
from lichen.forum.outside import place_outside, traces_outside, words_outside
from lichen.kit import Reason, TidGenerator, isoformat
from lichen.store import Unit

COMMUNITY = collection_of(forum.Community)
POST = collection_of(forum.Post)
COMMENT = collection_of(forum.Comment)
TALLY = collection_of(forum.Tally)
VOTE = collection_of(forum.Vote)
HELD = collection_of(forum.Held)


def uri_of_post(post: Post, author_did: str) -> str:
    """Return a post's address as records name it."""
    return at_uri(author_did, POST, post.tid)


def uri_of_comment(comment: Comment, author_did: str) -> str:
    """Return a comment's address as records name it."""
    return at_uri(author_did, COMMENT, comment.tid)


class Place(NamedTuple):
    """Where a comment stands; it decides what outsiders hear of it."""

    post: Post
    community: Community


class _Tallied(NamedTuple):
    """The tally that is to go out, and whose it is."""

    record: forum.Tally
    did: str
    rkey: str
    row: int
    outside: Outside


class Ledger:
    """Collects what one command did; `close` writes it."""

    def __init__(self, unit: Unit, tids: TidGenerator) -> None:
        self._unit = unit
        self._tids = tids
        self._tallies: dict[str, _Tallied] = {}
        self._present: dict[tuple[int, int], int] = {}
        self._words: dict[int, list[int]] = {}

    def say(
        self, record: Record, *, did: str, operation: Operation, rkey: str, row: int,
        outside: Outside = "shown",
    ) -> None:
        """Emit the event that carries a record; `outside` matters for public ones alone."""
        self._unit.emit(event_of(
            record, id=self._tids.next(), did=did, operation=operation, rkey=rkey, row=row,
            outside=outside,
        ))

    def retract(
        self, collection: str, *, did: str, rkey: str, row: int, outside: Outside = "shown"
    ) -> None:
        """Emit the event that says a record is gone; `outside` matters for public ones alone."""
        self._unit.emit(deletion_of(
            collection, id=self._tids.next(), did=did, rkey=rkey, row=row, outside=outside
        ))

    def post(
        self, post: Post, *, author_did: str, community: Community, operation: Operation,
        before: Post | None = None,
    ) -> None:
        """Say what a post is now; one that is deleted or removed is a deletion.

        `before` is what it was, so that an edit can be told from a lock or a pin.
        """
        if operation == "delete":
            self.retract(POST, did=author_did, rkey=post.tid, row=post.id,
                         outside=traces_outside(community, post))
            return
        record = forum.Post(
            name=post.name, community=community.actor.did, created_at=isoformat(post.published_us),
            url=post.url, body=post.body, alt_text=post.alt_text,
            langs=codes_of((post.language_id,)), nsfw=post.nsfw, locked=post.locked,
            featured_community=post.featured_community, featured_local=post.featured_local,
            updated_at=_time(post.updated_us), edited=_is_edited(before, post),
        )
        self.say(record, did=author_did, operation=operation, rkey=post.tid, row=post.id,
                 outside=words_outside(community, post))

    def comment(
        self, comment: Comment, place: Place, *, author_did: str, post_uri: str,
        parent_uri: str | None, operation: Operation, before: Comment | None = None,
    ) -> None:
        """Say what a comment is now, and was; one that is deleted or removed is a deletion."""
        around, post = place.community, place.post
        if operation == "delete":
            self.retract(COMMENT, did=author_did, rkey=comment.tid, row=comment.id,
                         outside=traces_outside(around, post, comment))
            return
        record = forum.Comment(
            post=post_uri, parent=parent_uri, content=comment.content,
            created_at=isoformat(comment.published_us), langs=codes_of((comment.language_id,)),
            distinguished=comment.distinguished, updated_at=_time(comment.updated_us),
            edited=_is_edited(before, comment),
        )
        self.say(record, did=author_did, operation=operation, rkey=comment.tid, row=comment.id,
                 outside=words_outside(around, post, comment))

    def held(
        self, subject: Post | Comment, *, author_did: str, holds: Sequence[Reason] = ()
    ) -> None:
        """Say whether a post or comment waits for a moderator now; nobody outside hears it."""
        if not subject.held:
            self.retract(HELD, did=author_did, rkey=subject.tid, row=subject.id)
            return
        uri = (uri_of_post(subject, author_did) if isinstance(subject, Post)
               else uri_of_comment(subject, author_did))
        record = forum.Held(
            subject=uri, created_at=isoformat(self._unit.clock_us),
            rules=tuple(reason.rule for reason in holds),
        )
        self.say(record, did=author_did, operation="create", rkey=subject.tid, row=subject.id)

    def community(
        self, community: Community, *, operation: Operation, before: Community | None = None
    ) -> None:
        """Say what a community is now, and was; one that is deleted or removed is a deletion."""
        actor, outside = community.actor, place_outside(before, community)
        if operation == "delete":
            self.retract(COMMUNITY, did=actor.did, rkey=community.tid, row=community.id,
                         outside=outside)
            return
        record = forum.Community(
            name=actor.name, created_at=isoformat(actor.published_us), title=actor.display_name,
            description=actor.summary, icon=actor.avatar, banner=actor.banner,
            nsfw=community.nsfw, hidden=community.hidden,
            posting_restricted_to_mods=community.posting_restricted_to_mods,
            local_only=community.local_only, langs=codes_of(community.languages),
            updated_at=_time(actor.updated_us),
        )
        self.say(record, did=actor.did, operation=operation, rkey=community.tid, row=community.id,
                 outside=outside)

    def tally_post(self, post: Post, *, author_did: str, community: Community) -> None:
        """Count a post's votes and comments as they are now."""
        uri = uri_of_post(post, author_did)
        self._tallies[uri] = _Tallied(
            forum.Tally(
                subject=uri, up=post.up, down=post.down, comments=post.comments,
                newest_comment_at=isoformat(post.newest_comment_us),
                active_at=isoformat(post.active_us),
            ),
            author_did, post.tid, post.id, words_outside(community, post),
        )

    def tally_comment(self, comment: Comment, place: Place, *, author_did: str) -> None:
        """Count a comment's votes as they are now."""
        uri = uri_of_comment(comment, author_did)
        record = forum.Tally(subject=uri, up=comment.up, down=comment.down)
        outside = words_outside(place.community, place.post, comment)
        self._tallies[uri] = _Tallied(record, author_did, comment.tid, comment.id, outside)

    def tally_community(self, community: Community) -> None:
        """Count a community's posts, comments and subscribers as they are now."""
        uri = at_uri(community.actor.did, COMMUNITY, community.tid)
        self._tallies[uri] = _Tallied(
            forum.Tally(
                subject=uri, posts=community.posts, comments=community.comments,
                subscribers=community.subscribers, subscribers_local=community.subscribers_local,
            ),
            community.actor.did, community.tid, community.id, words_outside(community),
        )

    def vote(
        self, value: int, *, voter_did: str, subject_uri: str, tid: str | None, row: int
    ) -> str:
        """Say what a person thinks of a subject now; return the vote's record key.

        `tid` is the key of the vote there was before, None where there was none.
        """
        if value == 0:
            assert tid is not None, "a vote that never was cannot be taken back"
            self.retract(VOTE, did=voter_did, rkey=tid, row=row)
            return tid
        rkey = tid or self._tids.next()
        record = forum.Vote(
            subject=subject_uri, value=1 if value > 0 else -1,
            created_at=isoformat(self._unit.clock_us),
        )
        operation: Operation = "update" if tid else "create"
        self.say(record, did=voter_did, operation=operation, rkey=rkey, row=row)
        return rkey

    def act(self, person_id: int, community_id: int, *, at_us: int) -> None:
        """Note that a person wrote or voted in a community."""
        pair = (community_id, person_id)
        self._present[pair] = max(at_us, self._present.get(pair, 0))
        words = self._words.setdefault(person_id, [0, 0, 0])
        words[2] = max(words[2], at_us)

    def words(self, person_id: int, *, posts: int = 0, comments: int = 0) -> None:
        """Count the posts and comments of a person that came, or went where negative."""
        words = self._words.setdefault(person_id, [0, 0, 0])
        words[0] += posts
        words[1] += comments

    def close(self) -> None:
        """Stage who was there and wrote how much, and emit the tallies.

        Rows go in the order of their keys, so that no two commands wait for each other in a circle.
        """
        present = [
            {"community_id": community_id, "person_id": person_id, "active_us": at_us}
            for (community_id, person_id), at_us in sorted(self._present.items())
        ]
        words = [
            {"person_id": person_id, "posts": posts, "comments": comments, "active_us": at_us}
            for person_id, (posts, comments, at_us) in sorted(self._words.items())
        ]
        self._unit.stage(rows.FIRST_PRESENCE, *present)
        self._unit.stage(rows.LATER_PRESENCE, *present)
        self._unit.stage(rows.FIRST_WORDS, *(
            {**row, "posts": 0, "comments": 0} for row in words
        ))
        self._unit.stage(rows.MORE_WORDS, *words)
        for record, did, rkey, row, outside in self._tallies.values():
            self.say(record, did=did, operation="update", rkey=rkey, row=row, outside=outside)


def _is_edited(before: Post | Comment | None, after: Post | Comment) -> bool:
    """Say whether its author has changed it: an edit has a time of its own."""
    return before is not None and before.updated_us != after.updated_us


def _time(time_us: int | None) -> str | None:
    return None if time_us is None else isoformat(time_us)
