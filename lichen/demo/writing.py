"""Writing: spans of a plan become rows and events, with every count known beforehand.

Posts, comments and votes are made of the forum's own types, statements and ledger, so that rows and
log say what they would say had people written it. The ledger's events are taken from the unit and
returned as lines: they go into the log directly, not through the outbox.
"""

from collections.abc import Sequence

import msgspec
import numpy as np

from lichen.accounts import Actor
from lichen.demo.plan import Numbers, Plan
from lichen.events import encode_event
from lichen.forum import (
    Comment,
    CommentId,
    Community,
    Post,
    PostId,
    SubjectKind,
    comment_rows,
    post_rows,
    vote_rows,
)
from lichen.forum.ledger import Ledger, Place, uri_of_comment, uri_of_post
from lichen.forum.posts import stage_communities
from lichen.kit import TidGenerator, encode_tid
from lichen.notifications.model import Kind
from lichen.search import Document
from lichen.search import Kind as Found
from lichen.store import Unit
from lichen.web import Addresses

CLOCK_ID = 7  # of the demo's TIDs; they lie in the past, where no house made any
NECRO_US_MAX = 2 * 86_400 * 1_000_000  # later comments do not make a post active
UNREAD_SHARE = 50  # one notification in so many is unread


class Writing:
    """Writes a plan for given people and communities."""

    def __init__(
        self, plan: Plan, people: Sequence[Actor], communities: list[Community], *,
        addresses: Addresses, tids: TidGenerator,
    ) -> None:
        self._plan = plan
        self._people = people
        self._communities = communities
        self._addresses = addresses
        self._tids = tids
        self._posts: list[Post] = []
        self._comments: list[Comment] = []
        self._count()

    def posts(
        self, unit: Unit, span: range, titles: Sequence[str], texts: Sequence[str]
    ) -> list[bytes]:
        """Write a span of posts with their authors' votes; return the events' lines."""
        ledger = Ledger(unit, self._tids)
        written = [self._post(at, *words) for at, *words in zip(span, titles, texts, strict=True)]
        self._posts += written
        votes = []
        for post in written:
            author = self._author(post)
            community = self._community(post)
            ledger.post(post, author_did=author.did, community=community, operation="create")
            votes.append(self._vote(ledger, author, post, 1))
        unit.stage(post_rows.INSERT_POST, *(
            post_rows.row_of_post(post, url_key=None) for post in written
        ))
        unit.stage(vote_rows.WRITE_VOTE, *votes)
        return _lines(unit)

    def comments(self, unit: Unit, span: range, texts: Sequence[str]) -> list[bytes]:
        """Write a span of comments with their authors' votes; return the events' lines."""
        ledger = Ledger(unit, self._tids)
        votes, rows = [], []
        for at, text in zip(span, texts, strict=True):
            comment = self._comment(at, text)
            self._comments.append(comment)
            post, parent = self._above(at)
            author = self._author(comment)
            ledger.comment(
                comment, Place(post, self._community(post)), author_did=author.did,
                post_uri=uri_of_post(post, self._author(post).did),
                parent_uri=uri_of_comment(parent, self._author(parent).did) if parent else None,
                operation="create",
            )
            votes.append(self._vote(ledger, author, comment, 1))
            rows.append(comment_rows.row_of_comment(comment, community_id=post.community_id))
        unit.stage(comment_rows.INSERT_COMMENT, *rows)
        unit.stage(vote_rows.WRITE_VOTE, *votes)
        return _lines(unit)

    def votes(self, unit: Unit, span: range) -> list[bytes]:
        """Write a span of votes on other people's words; return the events' lines."""
        plan, ledger = self._plan, Ledger(unit, self._tids)
        part = slice(span.start, span.stop)
        rows = [
            self._vote(ledger, self._people[person], self._subject(subject), value)
            for person, subject, value in zip(
                plan.vote_person[part].tolist(), plan.vote_subject[part].tolist(),
                plan.vote_value[part].tolist(), strict=True,
            )
        ]
        unit.stage(vote_rows.WRITE_VOTE, *rows)
        return _lines(unit)

    def tallies(self, unit: Unit, span: range) -> list[bytes]:
        """Return the lines of the final tallies of a span of subjects; no row changes."""
        ledger = Ledger(unit, self._tids)
        for at in span:
            subject = self._subject(at)
            author = self._author(subject)
            if isinstance(subject, Post):
                ledger.tally_post(subject, author_did=author.did,
                                  community=self._community(subject))
            else:
                post = self._posts[int(subject.post_id) - 1]
                place = Place(post, self._community(post))
                ledger.tally_comment(subject, place, author_did=author.did)
        ledger.close()
        return _lines(unit)

    def totals(self, unit: Unit, span: range) -> list[bytes]:
        """Write what is counted over everything; return the lines of the communities' tallies."""
        ledger = Ledger(unit, self._tids)
        stage_communities(unit, self._communities)
        for community in self._communities:
            ledger.tally_community(community)
        for at, person in enumerate(self._people):
            ledger.words(person.id, posts=int(self._words[0][at]), comments=int(self._words[1][at]))
        ledger.close()
        unit.take_numbers("post", len(self._posts))
        unit.take_numbers("comment", len(self._comments))
        unit.take_numbers("notification", len(self._comments))
        return _lines(unit)

    def presences(self) -> list[tuple[int, int, int]]:
        """Return who was last active where: (person, community, time), each pair once."""
        plan = self._plan
        community = np.concatenate([plan.post_community, plan.post_community[plan.comment_post]])
        person = np.concatenate([plan.post_creator, plan.comment_creator])
        times = np.concatenate([plan.post_us, plan.comment_us])
        keys, where = np.unique(community * plan.size.people + person, return_inverse=True)
        latest = np.zeros(len(keys), dtype=np.int64)
        np.maximum.at(latest, where, times)
        return [
            (self._people[key % plan.size.people].id,
             self._communities[key // plan.size.people].id, time)
            for key, time in zip(keys.tolist(), latest.tolist(), strict=True)
        ]

    def stage_presences(self, unit: Unit, found: Sequence[tuple[int, int, int]]) -> None:
        """Write who was last active where."""
        ledger = Ledger(unit, self._tids)
        for person_id, community_id, at_us in found:
            ledger.act(person_id, community_id, at_us=at_us)
        ledger.close()

    def post_documents(self, span: range) -> list[Document]:
        """Return what search keeps of a span of posts."""
        return [
            Document(
                kind=Found.POST, row=post.id, title=post.name, body=post.body or "",
                creator_id=post.creator_id, community_id=post.community_id, local=True,
                nsfw=False, published_us=post.published_us,
            )
            for post in self._posts[span.start:span.stop]
        ]

    def comment_documents(self, span: range) -> list[Document]:
        """Return what search keeps of a span of comments."""
        return [
            Document(
                kind=Found.COMMENT, row=comment.id, title="", body=comment.content,
                creator_id=comment.creator_id,
                community_id=self._posts[comment.post_id - 1].community_id, local=True,
                nsfw=False, published_us=comment.published_us,
            )
            for comment in self._comments[span.start:span.stop]
        ]

    def notifications(self, span: range) -> list[dict[str, object]]:
        """Return the rows of who was answered in a span of comments."""
        rows = []
        for at in span:
            post, parent = self._above(at)
            comment = self._comments[at]
            recipient = (parent or post).creator_id
            if recipient != comment.creator_id:
                rows.append({
                    "id": at + 1, "recipient_id": recipient, "kind": Kind.REPLY.value,
                    "comment_id": comment.id, "read": at % UNREAD_SHARE != 0,
                    "published_us": comment.published_us, "held_until_us": None, "asks": None,
                })
        return rows

    def _count(self) -> None:
        """Sum up the whole plan: votes by subject, comments by post, answers by comment."""
        plan, size = self._plan, self._plan.size
        subjects = size.posts + size.comments
        up = plan.vote_value > 0
        self._up = 1 + np.bincount(plan.vote_subject[up], minlength=subjects)
        self._down = np.bincount(plan.vote_subject[~up], minlength=subjects)
        self._replies = np.bincount(plan.comment_post, minlength=size.posts)
        self._newest = plan.post_us.copy()
        np.maximum.at(self._newest, plan.comment_post, plan.comment_us)
        self._active = self._last_active()
        self._children, self._paths = _trees(plan.comment_parent)
        people = size.people
        self._words = (np.bincount(plan.post_creator, minlength=people),
                       np.bincount(plan.comment_creator, minlength=people))
        posts = np.bincount(plan.post_community, minlength=size.communities)
        comments = np.bincount(plan.post_community[plan.comment_post], minlength=size.communities)
        members = np.bincount([at for _, at in plan.followings()], minlength=size.communities)
        for at, community in enumerate(self._communities):
            subscribers = 1 + int(members[at])
            self._communities[at] = msgspec.structs.replace(
                community, posts=int(posts[at]), comments=int(comments[at]),
                subscribers=subscribers, subscribers_local=subscribers,
            )

    def _last_active(self) -> Numbers:
        """Return when each post was last active: by others, within two days of its writing."""
        plan = self._plan
        counts = (
            (plan.comment_creator != plan.post_creator[plan.comment_post])
            & (plan.comment_us - plan.post_us[plan.comment_post] <= NECRO_US_MAX)
        )
        active = plan.post_us.copy()
        np.maximum.at(active, plan.comment_post[counts], plan.comment_us[counts])
        return active

    def _post(self, at: int, title: str, text: str) -> Post:
        plan = self._plan
        published_us = int(plan.post_us[at])
        return Post(
            id=PostId(at + 1), tid=encode_tid(published_us, CLOCK_ID),
            ap_id=self._addresses.absolute(self._addresses.post(at + 1)), local=True,
            community_id=self._communities[int(plan.post_community[at])].id,
            creator_id=self._people[int(plan.post_creator[at])].id,
            name=title, url=None, body=text or None, alt_text=None, link=None, nsfw=False,
            language_id=0, published_us=published_us, updated_us=None, deleted=False,
            removed=False, locked=False, featured_community=False, featured_local=False,
            up=int(self._up[at]), down=int(self._down[at]), comments=int(self._replies[at]),
            newest_comment_us=int(self._newest[at]), active_us=int(self._active[at]),
        )

    def _comment(self, at: int, text: str) -> Comment:
        plan = self._plan
        subject = plan.size.posts + at
        published_us = int(plan.comment_us[at])
        return Comment(
            id=CommentId(at + 1), tid=encode_tid(published_us, CLOCK_ID),
            ap_id=self._addresses.absolute(self._addresses.comment(at + 1)), local=True,
            post_id=PostId(int(plan.comment_post[at]) + 1),
            creator_id=self._people[int(plan.comment_creator[at])].id,
            path=self._paths[at], content=text, language_id=0, published_us=published_us,
            updated_us=None, deleted=False, removed=False, distinguished=False,
            up=int(self._up[subject]), down=int(self._down[subject]),
            children=self._children[at],
        )

    def _vote(
        self, ledger: Ledger, voter: Actor, subject: Post | Comment, value: int
    ) -> dict[str, object]:
        """Tell of a vote; return its row."""
        author = self._author(subject)
        if isinstance(subject, Post):
            kind, uri = SubjectKind.POST, uri_of_post(subject, author.did)
        else:
            kind, uri = SubjectKind.COMMENT, uri_of_comment(subject, author.did)
        tid = ledger.vote(value, voter_did=voter.did, subject_uri=uri, tid=None, row=subject.id)
        return {
            "person_id": voter.id, "kind": int(kind), "subject_id": subject.id, "value": value,
            "tid": tid, "published_us": subject.published_us,
        }

    def _above(self, at: int) -> tuple[Post, Comment | None]:
        parent = int(self._plan.comment_parent[at])
        post = self._posts[int(self._plan.comment_post[at])]
        return post, self._comments[parent] if parent >= 0 else None

    def _subject(self, at: int) -> Post | Comment:
        posts = self._plan.size.posts
        return self._posts[at] if at < posts else self._comments[at - posts]

    def _author(self, words: Post | Comment) -> Actor:
        return self._people[words.creator_id - self._people[0].id]

    def _community(self, post: Post) -> Community:
        return self._communities[int(self._plan.post_community[post.id - 1])]


def _trees(parents: Numbers) -> tuple[list[int], list[str]]:
    """Return how many comments hang below each, and each one's path."""
    above = parents.tolist()
    children = [0] * len(above)
    paths = [""] * len(above)
    for at, parent in enumerate(above):
        paths[at] = f"{paths[parent]}.{at + 1}" if parent >= 0 else f"0.{at + 1}"
    for at in range(len(above) - 1, -1, -1):
        if above[at] >= 0:
            children[above[at]] += children[at] + 1
    return children, paths


def _lines(unit: Unit) -> list[bytes]:
    """Take the unit's events, as lines for the log; none of them goes into the outbox."""
    lines = [encode_event(event) for event in unit.events]
    unit.events.clear()
    return lines
