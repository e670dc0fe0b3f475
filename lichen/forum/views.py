"""Views: what one viewer sees of posts, comments and communities, read in one flush.

For posts the flush holds three statements: the posts with the viewer's marks, their communities
with how the viewer stands to them, and the actors of both; for comments a fourth, their posts. All
find their ids by a select over the same list, so nothing waits for anything. What else must be
known (the viewer's standing, the counts of active people) rides along when it is not in memory.
"""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

import msgspec

from lichen.accounts import Accounts, Actor, Viewer, actors_among
from lichen.forum import comment_rows, community_rows, post_rows
from lichen.forum.activity import Activity
from lichen.forum.model import (
    Comment,
    CommentView,
    CommunityView,
    Post,
    PostView,
    Subscribed,
)
from lichen.forum.permissions import is_gone
from lichen.forum.standing import Standing, Standings
from lichen.store import Query, Row, Unit

ACTORS_OF_POSTS = actors_among(post_rows.ACTOR_IDS_OF_POSTS)
ACTORS_OF_COMMENTS = actors_among(comment_rows.ACTOR_IDS_OF_COMMENTS)


class Flush(NamedTuple):
    """The answers to some queries and the standing of whoever asked."""

    rows: list[list[Row]]
    standing: Standing


class PostScene(NamedTuple):
    """Posts as read: rows with marks, views, communities and actors, by id."""

    rows: dict[int, Row]
    views: dict[int, PostView]
    communities: dict[int, CommunityView]
    actors: dict[int, Actor]


class CommentScene(NamedTuple):
    """Comments as read: rows with marks, views, communities and actors, by id."""

    rows: dict[int, Row]
    views: dict[int, CommentView]
    communities: dict[int, CommunityView]
    actors: dict[int, Actor]


class Views:
    """Reads and assembles views."""

    def __init__(self, accounts: Accounts, standings: Standings, activity: Activity) -> None:
        self._accounts = accounts
        self._standings = standings
        self._activity = activity

    def fetch(self, unit: Unit, viewer: Viewer | None, *queries: Query) -> Flush:
        """Return the answers to the queries, and the viewer's standing; one round trip."""
        loading = self._standings.begin(viewer)
        activity = self._activity.queries(unit.clock_us)
        answers = unit.fetch_all(*queries, *loading.queries, *activity)
        own, rest = answers[:len(queries)], answers[len(queries):]
        standing = loading.end(rest[:len(loading.queries)])
        if activity:
            self._activity.keep(rest[len(loading.queries):])
        return Flush(own, standing)

    def posts(self, answers: Sequence[list[Row]], standing: Standing) -> PostScene:
        """Return the posts in the answers to `post_queries`."""
        posts, communities, actors = answers
        people = self._accounts.actors_from(actors)
        around = self._communities(communities, people, standing)
        rows = {row.id: row for row in posts}
        views = {
            row.id: post_view(row, people[row.creator_id], around[row.community_id], standing)
            for row in posts
        }
        return PostScene(rows, views, around, people)

    def comments(self, answers: Sequence[list[Row]], standing: Standing) -> CommentScene:
        """Return the comments in the answers to `comment_queries`, with their whole texts."""
        comments, posts, communities, actors = answers
        people = self._accounts.actors_from(actors)
        around = self._communities(communities, people, standing)
        below = {row.id: post_rows.post_from(row) for row in posts}
        rows = {row.id: row for row in comments}
        views = {
            row.id: comment_view(
                row, people[row.creator_id], below[row.post_id], around[row.community_id], standing
            )
            for row in comments
        }
        return CommentScene(rows, views, around, people)

    def thread(
        self, answers: Sequence[list[Row]], below: PostView, community: CommunityView,
        standing: Standing,
    ) -> dict[int, CommentView]:
        """Return the comments in the answers to `thread_queries`: all of one post, which is known.

        For a long thread this is half the work of `comments`.
        """
        comments, actors = answers
        people = self._accounts.actors_from(actors)
        return {
            row.id: comment_view(row, people[row.creator_id], below.post, community, standing)
            for row in comments
        }

    def thread_queries(
        self, unit: Unit, viewer: Viewer | None, ids: Sequence[int], creator_ids: Iterable[int]
    ) -> tuple[Query, ...]:
        """Return the queries for views of comments whose post and authors are known."""
        return (
            (comment_rows.COMMENTS, _asked(unit, viewer, ids)),
            self._accounts.actors_query(unit, creator_ids),
        )

    def communities(
        self, answers: Sequence[list[Row]], standing: Standing
    ) -> dict[int, CommunityView]:
        """Return the communities in the answers to `community_queries`, by id."""
        communities, actors = answers
        return self._communities(communities, self._accounts.actors_from(actors), standing)

    def community_queries(
        self, unit: Unit, viewer: Viewer | None, ids: Iterable[int]
    ) -> tuple[Query, ...]:
        """Return the queries for views of communities."""
        wanted = list(ids)
        return (
            (community_rows.COMMUNITIES, _asked(unit, viewer, wanted)),
            self._accounts.actors_query(unit, wanted),
        )

    def _communities(
        self, rows: list[Row], actors: dict[int, Actor], standing: Standing
    ) -> dict[int, CommunityView]:
        return {
            row.id: CommunityView(
                community=community_rows.community_from(
                    row, actors[row.id], self._activity.of(row.id)
                ),
                subscribed=_subscribed(row.pending),
                blocked=row.id in standing.blocked_communities,
                banned=row.is_banned,
                moderates=row.is_moderator,
            )
            for row in rows
        }


def post_queries(unit: Unit, viewer: Viewer | None, ids: Sequence[int]) -> tuple[Query, ...]:
    """Return the queries for views of posts."""
    asked = _asked(unit, viewer, ids)
    return (
        (post_rows.POSTS, asked),
        (community_rows.COMMUNITIES_OF_POSTS, asked),
        (ACTORS_OF_POSTS, asked),
    )


def comment_queries(unit: Unit, viewer: Viewer | None, ids: Sequence[int]) -> tuple[Query, ...]:
    """Return the queries for views of comments."""
    asked = _asked(unit, viewer, ids)
    return (
        (comment_rows.COMMENTS, asked),
        (comment_rows.POSTS_OF_COMMENTS, asked),
        (community_rows.COMMUNITIES_OF_COMMENTS, asked),
        (ACTORS_OF_COMMENTS, asked),
    )


def post_view(
    row: Row, creator: Actor, community: CommunityView, standing: Standing
) -> PostView:
    """Return the view of a post in a row of POSTS."""
    return PostView(
        post=post_rows.post_from(row),
        creator=creator,
        community=community.community,
        creator_banned_from_community=row.creator_banned,
        creator_is_moderator=row.creator_moderates,
        subscribed=community.subscribed,
        saved=row.is_saved,
        read=row.comments_read is not None,
        hidden=row.is_hidden,
        creator_blocked=row.creator_id in standing.blocked_people,
        banned_from_community=community.banned,
        my_vote=row.my_vote,
        unread_comments=max(0, row.comments - (row.comments_read or 0)),
    )


def comment_view(
    row: Row, creator: Actor, post: Post, community: CommunityView, standing: Standing
) -> CommentView:
    """Return the view of a comment in a row of COMMENTS."""
    return CommentView(
        comment=comment_rows.comment_from(row),
        creator=creator,
        post=post,
        community=community.community,
        creator_banned_from_community=row.creator_banned,
        creator_is_moderator=row.creator_moderates,
        subscribed=community.subscribed,
        saved=row.is_saved,
        creator_blocked=row.creator_id in standing.blocked_people,
        banned_from_community=community.banned,
        my_vote=row.my_vote,
    )


def shown(view: CommentView, viewer: Viewer | None, *, moderates: bool) -> CommentView | None:
    """Return the view as the viewer may see it: what was taken away has lost its text.

    What is held is not there, or, where it has been answered, looks like what was removed.
    """
    comment = view.comment
    if not is_gone(comment) or moderates:
        return view
    if viewer is not None and (viewer.admin or viewer.id == comment.creator_id):
        return view
    if comment.held and not comment.children:
        return None
    blank = msgspec.structs.replace(comment, content="", removed=comment.removed or comment.held)
    return msgspec.structs.replace(view, comment=blank)


def replaced_post(view: PostView, post: Post, **marks: object) -> PostView:
    """Return the view of a post that has changed."""
    return msgspec.structs.replace(view, post=post, **marks)


def replaced_comment(view: CommentView, comment: Comment, **marks: object) -> CommentView:
    """Return the view of a comment that has changed."""
    return msgspec.structs.replace(view, comment=comment, **marks)


def _asked(unit: Unit, viewer: Viewer | None, ids: Sequence[int]) -> dict[str, object]:
    return {"ids": ids, "viewer_id": viewer.id if viewer else 0, "now_us": unit.clock_us}


def _subscribed(pending: bool | None) -> Subscribed:
    if pending is None:
        return Subscribed.NOT_SUBSCRIBED
    return Subscribed.PENDING if pending else Subscribed.SUBSCRIBED
