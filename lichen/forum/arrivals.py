"""What arrives from peers: found by address, changed in batches.

Whoever calls decides who may do what; here it is only done, for a whole batch in one flush and in
its order. A thing that is gone takes changes and votes like any other, and nobody is told: so the
order in which several peers' words come does not matter.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

import msgspec

from lichen.accounts import Actor, actors_among
from lichen.events import forum as records
from lichen.forum import arrival_rows, comment_rows, community_rows, post_rows
from lichen.forum.checks import Written, judged, settle
from lichen.forum.comments import ACTORS_OF_PARENTS
from lichen.forum.communities import edited_community
from lichen.forum.departures import (
    Counted,
    close_counts,
    count_comment,
    count_post,
    stage_counts,
)
from lichen.forum.drafts import check_comment, check_post, fitting_draft, fitting_language, url_key
from lichen.forum.languages import UNDETERMINED
from lichen.forum.ledger import Place, uri_of_comment, uri_of_post
from lichen.forum.limits import BATCH_MAX
from lichen.forum.members import Members
from lichen.forum.model import (
    Comment,
    CommentView,
    Community,
    CommunityDraft,
    Post,
    PostDraft,
    PostView,
)
from lichen.forum.orders import Following
from lichen.forum.permissions import is_gone
from lichen.forum.posts import tell_post
from lichen.forum.tree import depth_of
from lichen.forum.views import CommentScene, comment_queries, post_queries
from lichen.kit import isoformat
from lichen.store import Query, Row, Unit


class PostPlace(NamedTuple):
    """Where a post stands, and in what state it is."""

    id: int
    community_id: int
    creator_id: int
    locked: bool
    is_gone: bool


class CommentPlace(NamedTuple):
    """Where a comment stands, and in what state it is; `is_open` says that it can be answered."""

    id: int
    post_id: int
    community_id: int
    creator_id: int
    depth: int
    locked: bool
    is_open: bool
    is_gone: bool


class CommunityPlace(NamedTuple):
    """What decides who may write in a community."""

    id: int
    local: bool
    is_closed: bool
    restricted: bool
    local_only: bool
    followed: bool


class Places(NamedTuple):
    """Everything that a batch from peers names: things by address, communities by id.

    `seats` and `bans` are pairs of community and person. Whoever applies a batch notes here what it
    has done so far.
    """

    posts: dict[str, PostPlace]
    comments: dict[str, CommentPlace]
    communities: dict[int, CommunityPlace]
    seats: set[tuple[int, int]]
    bans: set[tuple[int, int]]


class PostChange(msgspec.Struct, frozen=True):
    """What becomes of a post: its author's new words, or that it is gone or back."""

    id: int
    draft: PostDraft | None = None
    deleted: bool | None = None
    updated_us: int | None = None


class CommentChange(msgspec.Struct, frozen=True):
    """What becomes of a comment; as of a post."""

    id: int
    content: str | None = None
    language_id: int = UNDETERMINED
    deleted: bool | None = None
    updated_us: int | None = None


class FollowAnswer(NamedTuple):
    """Whether a remote community takes a person who asked to follow it."""

    person_id: int
    community_id: int
    accepted: bool


_COMMUNITY_ACTORS = actors_among(arrival_rows.COMMUNITY_ACTORS_AT)
PLACES_QUERIES = 6  # how many answers `places_from` takes


class Arrivals(Members):
    """Commands and queries for who applies what peers send."""

    def places_queries(
        self, unit: Unit, things: Iterable[str], actors: Iterable[str]
    ) -> tuple[Query, ...]:
        """Return the queries for where things and actors stand, to ride along in one flush.

        The actors of communities come too; see `actors_of_places`.
        """
        asked = {"ap_ids": list(things), "actor_ap_ids": list(actors), "now_us": unit.clock_us}
        return (
            (arrival_rows.POSTS_AT, asked), (arrival_rows.COMMENTS_AT, asked),
            (arrival_rows.COMMUNITIES_AT, asked), (arrival_rows.SEATS_OF, asked),
            (arrival_rows.BANS_OF, asked), (_COMMUNITY_ACTORS, asked),
        )

    def places_from(self, answers: Sequence[list[Row]]) -> tuple[Places, dict[int, Actor]]:
        """Return what the answers to `places_queries` say, and the communities' actors."""
        posts, comments, communities, seats, bans, actors = answers
        return Places(
            posts={
                row.ap_id: PostPlace(
                    row.id, row.community_id, row.creator_id, row.locked,
                    row.deleted or row.removed or row.held,
                ) for row in posts
            },
            comments={
                row.ap_id: CommentPlace(
                    row.id, row.post_id, row.community_id, row.creator_id, depth_of(row.path),
                    row.locked, not row.held, row.deleted or row.removed or row.held,
                ) for row in comments
            },
            communities={
                row.id: CommunityPlace(
                    row.id, row.local, row.removed or row.deleted,
                    row.posting_restricted_to_mods, row.local_only, row.subscribers_local > 0,
                ) for row in communities
            },
            seats={(row.community_id, row.person_id) for row in seats},
            bans={(row.community_id, row.person_id) for row in bans},
        ), self._accounts.actors_from(actors)

    def change_posts(self, unit: Unit, changes: Sequence[PostChange]) -> None:
        """Change a batch of posts in its order; two round trips in all.

        Checks what is written, not who changes: that is decided by who calls.
        """
        assert len(changes) <= BATCH_MAX
        ids = sorted({change.id for change in changes})
        _communities, _posts, *answers = (flush := self._views.fetch(
            unit, None,
            (community_rows.LOCK_COMMUNITIES_OF_POSTS, {"ids": ids}),
            (post_rows.LOCK_POSTS, {"ids": ids}),
            *post_queries(unit, None, ids),
        )).rows
        scene = self._views.posts(answers, flush.standing)
        now = {key: view.post for key, view in scene.views.items()}
        for change in changes:
            if change.id in now:
                view = scene.views[change.id]
                now[change.id] = _changed_post(now[change.id], change, view.community,
                                               unit.clock_us)
        changed = [(view, now[key]) for key, view in sorted(scene.views.items())
                   if now[key] != view.post]
        self._write_posts(unit, changed)

    def change_comments(self, unit: Unit, changes: Sequence[CommentChange]) -> None:
        """Change a batch of comments in its order; two round trips in all; as `change_posts`."""
        assert len(changes) <= BATCH_MAX
        asked = {"ids": sorted({change.id for change in changes})}
        _communities, _posts, _comments, *rows, parents, answered = (flush := self._views.fetch(
            unit, None,
            (community_rows.LOCK_COMMUNITIES_OF_COMMENTS, asked),
            (comment_rows.LOCK_POSTS_OF_COMMENTS, asked),
            (comment_rows.LOCK_COMMENTS, asked),
            *comment_queries(unit, None, asked["ids"]),
            (comment_rows.PARENTS_OF_COMMENTS, asked),
            (ACTORS_OF_PARENTS, {**asked, "now_us": unit.clock_us}),
        )).rows
        scene = self._views.comments(rows, flush.standing)
        people = self._accounts.actors_from(answered)
        uris = {row.id: uri_of_comment(comment_rows.comment_from(row), people[row.creator_id].did)
                for row in parents}
        now = {key: view.comment for key, view in scene.views.items()}
        for change in changes:
            if change.id in now:
                community = scene.views[change.id].community
                now[change.id] = _changed_comment(now[change.id], change, community, unit.clock_us)
        changed = [(view, now[key]) for key, view in sorted(scene.views.items())
                   if now[key] != view.comment]
        self._write_changed_comments(unit, scene, changed, uris)

    def answer_followings(self, unit: Unit, answers: Sequence[FollowAnswer]) -> int:
        """Note which remote communities took their followers, and which did not.

        Nothing is done where nobody asked; returns how often that was. Two round trips, more where
        somebody was rejected.
        """
        pairs = {(one.person_id, one.community_id): one.accepted for one in answers}
        people, ids = sorted({one for one, _ in pairs}), sorted({one for _, one in pairs})
        found, actors = unit.fetch_all(
            (arrival_rows.SUBSCRIPTIONS, {"people": people, "ids": ids}),
            self._accounts.actors_query(unit, [*people, *ids]),
        )
        named = self._accounts.actors_from(actors)
        asked = {(row.person_id, row.community_id): row for row in found}
        rejected = [Following(*pair, follow=False)
                    for pair, accepted in pairs.items() if pair in asked and not accepted]
        if rejected:
            self.follow_communities(unit, rejected)
        ledger = self._ledger(unit)
        for pair, row in asked.items():
            if not row.pending or not pairs.get(pair):
                continue
            unit.stage(community_rows.WRITE_SUBSCRIPTION, {**row._asdict(), "pending": False})
            record = records.Subscription(
                subject=named[row.community_id].did, created_at=isoformat(row.published_us)
            )
            ledger.say(record, did=named[row.person_id].did, operation="update", rkey=row.tid,
                       row=row.community_id)
        ledger.close()
        return len(pairs.keys() - asked.keys())

    def refresh_communities(self, unit: Unit, drafts: Mapping[int, CommunityDraft]) -> None:
        """Take over what remote communities say of themselves now, by id; two round trips."""
        ids = sorted(drafts)
        flush = self._views.fetch(
            unit, None, (community_rows.LOCK_COMMUNITIES, {"ids": ids}),
            *self._views.community_queries(unit, None, ids),
        )
        for key, view in sorted(self._views.communities(flush.rows[1:], flush.standing).items()):
            assert not view.community.actor.local, "a local community is its moderators'"
            community = edited_community(view.community, drafts[key])
            if community != view.community:
                self._changed_community(unit, view, community)

    def close_communities(self, unit: Unit, closed: Mapping[int, bool]) -> None:
        """Note which remote communities their own servers have closed, or opened; by id.

        Twice is once; two round trips.
        """
        ids = sorted(closed)
        flush = self._views.fetch(
            unit, None, (community_rows.LOCK_COMMUNITIES, {"ids": ids}),
            *self._views.community_queries(unit, None, ids),
        )
        for key, view in sorted(self._views.communities(flush.rows[1:], flush.standing).items()):
            assert not view.community.actor.local, "a local community is closed here"
            if view.community.deleted != closed[key]:
                community = msgspec.structs.replace(view.community, deleted=closed[key])
                self._changed_community(unit, view, community)

    def seat_moderators(self, unit: Unit, community_id: int, person_ids: Sequence[int]) -> None:
        """Take over who moderates a remote community, in their order; who is there stays.

        Two round trips.
        """
        asked = {"ids": [community_id], "now_us": unit.clock_us}
        _lock, order, people, *found = (flush := self._views.fetch(
            unit, None,
            (community_rows.LOCK_COMMUNITIES, asked), (community_rows.MODERATORS, asked),
            self._accounts.actors_query(unit, person_ids),
            *self._views.community_queries(unit, None, [community_id]),
        )).rows
        view = self._views.communities(found, flush.standing).get(community_id)
        persons = self._accounts.actors_from(people)
        seated = {row.person_id for row in order}
        fresh = [persons[one] for one in dict.fromkeys(person_ids)
                 if one in persons and one not in seated]
        if view is None or not fresh:
            return
        ledger = self._ledger(unit)
        # A microsecond apart, so that they keep the order in which their own server names them.
        unit.stage(community_rows.WRITE_MODERATOR, *(
            {"community_id": community_id, "person_id": person.id, "published_us": at_us,
             "tid": self._tell_moderator(ledger, view.community, person, at_us)}
            for at_us, person in enumerate(fresh, unit.clock_us)
        ))
        ledger.close()

    def _write_posts(self, unit: Unit, changed: Sequence[tuple[PostView, Post]]) -> None:
        verdicts = judged(self._hooks, unit, [
            Written(post=post, author=view.creator, community=view.community, before=view.post,
                    moderates=view.creator_is_moderator)
            for view, post in changed if _is_rewritten(view.post, post)
        ])
        each = iter(verdicts)
        ledger = self._ledger(unit)
        counted: dict[int, Community] = {}
        for view, post in changed:
            if _is_rewritten(view.post, post):
                post = msgspec.structs.replace(post, held=post.held or next(each).hold)
            post = msgspec.structs.replace(post, unseen=post.unseen and is_gone(post))
            count_post(ledger, counted, view, post)
            unit.stage(post_rows.CHANGE_POST,
                       post_rows.row_of_post(post, url_key=url_key(post.url)))
            tell_post(ledger, view, post)
        close_counts(unit, ledger, counted)
        settle(unit, verdicts)

    def _write_changed_comments(
        self, unit: Unit, scene: CommentScene, changed: Sequence[tuple[CommentView, Comment]],
        uris: Mapping[int, str],
    ) -> None:
        verdicts = judged(self._hooks, unit, [
            Written(post=view.post, comment=comment, author=view.creator, before=view.comment,
                    community=view.community, moderates=view.creator_is_moderator)
            for view, comment in changed if view.comment.content != comment.content
        ])
        each = iter(verdicts)
        ledger = self._ledger(unit)
        counted = Counted({}, {})
        for view, comment in changed:
            if view.comment.content != comment.content:
                comment = msgspec.structs.replace(comment, held=comment.held or next(each).hold)
            author_did = scene.actors[view.post.creator_id].did
            count_comment(ledger, counted, view, comment, author_did=author_did)
            unit.stage(comment_rows.CHANGE_COMMENT, comment_rows.row_of_comment(
                comment, community_id=view.community.id
            ))
            if comment.held != view.comment.held:
                ledger.held(comment, author_did=view.creator.did)
            if not (is_gone(comment) and is_gone(view.comment)):
                ledger.comment(
                    comment, Place(view.post, view.community), author_did=view.creator.did,
                    operation="delete" if is_gone(comment) else "update",
                    post_uri=uri_of_post(view.post, author_did),
                    parent_uri=uris.get(comment.parent_id or 0), before=view.comment,
                )
        stage_counts(unit, ledger, counted)
        settle(unit, verdicts)


def _is_rewritten(before: Post, after: Post) -> bool:
    return (before.name, before.body, before.url) != (after.name, after.body, after.url)


def _changed_post(post: Post, change: PostChange, community: Community, now_us: int) -> Post:
    """Return the post as a change makes it; twice is once."""
    if change.draft is not None:
        whole = check_post(fitting_draft(change.draft, community), community)
        words = msgspec.structs.asdict(whole)
        before = {name: getattr(post, name) for name in words}
        if words != before:
            link = post.link if whole.url == post.url else None
            post = msgspec.structs.replace(
                post, **words, link=link, updated_us=change.updated_us or now_us
            )
    if change.deleted is not None:
        post = msgspec.structs.replace(post, deleted=change.deleted)
    return post


def _changed_comment(
    comment: Comment, change: CommentChange, community: Community, now_us: int
) -> Comment:
    if change.content is not None and change.content != comment.content:
        comment = msgspec.structs.replace(
            comment, content=check_comment(change.content),
            language_id=fitting_language(change.language_id, community),
            updated_us=change.updated_us or now_us,
        )
    if change.deleted is not None:
        comment = msgspec.structs.replace(comment, deleted=change.deleted)
    return comment
