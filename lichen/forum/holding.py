"""Holding: what waits for a moderator before anybody else may see it.

A check (checks.py) may hold a post or comment. It is then in no list, no search, no tally and no
public event; its author and the moderators see it, marked. Approved it becomes public once, with
all that a fresh one brings; removed it stays away. An edit of something public may be held too: it
goes, and comes back changed.
"""

from collections.abc import Sequence

import msgspec

from lichen.accounts import Viewer
from lichen.forum import holding_rows as rows
from lichen.forum.drafts import check_page
from lichen.forum.limits import PAGE_DEFAULT
from lichen.forum.model import CommentView, PostView, SubjectKind
from lichen.forum.permissions import check_moderator
from lichen.forum.posts import Posts
from lichen.forum.threads import Threads
from lichen.kit import Forbidden
from lichen.store import Unit


class HeldQuery(msgspec.Struct, frozen=True):
    """What the queue of held things is asked for; None means any. The oldest come first."""

    community_id: int | None = None
    kind: SubjectKind | None = None
    creator_id: int | None = None
    page: int = 1
    limit: int = PAGE_DEFAULT


class HeldCount(msgspec.Struct, frozen=True):
    """How much waits in the communities somebody moderates, and since when the oldest does."""

    posts: int
    comments: int
    oldest_us: int | None


class Holding(Posts, Threads):
    """Commands and queries about what is held."""

    def approve_held(
        self, unit: Unit, viewer: Viewer, kind: SubjectKind, subject_id: int
    ) -> PostView | CommentView:
        """Let something held become public, as a moderator, and return it; twice is once.

        Two round trips. What is not held is left as it is.
        """
        if kind is SubjectKind.POST:
            scene = self._locked(unit, viewer, subject_id)
            view = scene.views[subject_id]
            check_moderator(viewer, scene.communities[view.post.community_id])
            if not view.post.held:
                return view
            return self._changed(unit, view, msgspec.structs.replace(view.post, held=False))
        located = self._locked_comment(unit, viewer, subject_id)
        check_moderator(viewer, located.community)
        if not located.view.comment.held:
            return located.view
        public = msgspec.structs.replace(located.view.comment, held=False)
        return self._changed_comment(unit, located, public)

    def held_queue(
        self, unit: Unit, viewer: Viewer, query: HeldQuery
    ) -> list[PostView | CommentView]:
        """Return a page of what waits where the viewer moderates, the oldest first.

        Four round trips at most. Raises Forbidden for a community the viewer does not moderate.
        """
        offset = check_page(query.page, query.limit)
        found = unit.fetch(rows.HELD, **self._asked(unit, viewer, query), limit=query.limit,
                           offset=offset)
        posts = {view.post.id: view for view in self.post_views(
            unit, viewer, [row.id for row in found if row.kind == SubjectKind.POST])}
        comments = {view.comment.id: view for view in self.comment_views(
            unit, viewer, [row.id for row in found if row.kind == SubjectKind.COMMENT])}
        views = (posts.get(row.id) if row.kind == SubjectKind.POST else comments.get(row.id)
                 for row in found)
        return [view for view in views if view is not None]

    def held_count(self, unit: Unit, viewer: Viewer, query: HeldQuery) -> HeldCount:
        """Return how much waits where the viewer moderates; two round trips at most."""
        found = unit.fetch(rows.COUNT_HELD, **self._asked(unit, viewer, query))
        counts = {row.kind: row for row in found}
        oldest = [row.oldest_us for row in found if row.oldest_us is not None]
        return HeldCount(
            posts=counts[SubjectKind.POST].count, comments=counts[SubjectKind.COMMENT].count,
            oldest_us=min(oldest, default=None),
        )

    def _asked(self, unit: Unit, viewer: Viewer, query: HeldQuery) -> dict[str, object]:
        return {
            "communities": self._judged_by(unit, viewer, query.community_id),
            "everywhere": viewer.admin and query.community_id is None,
            "of_kind": -1 if query.kind is None else int(query.kind),
            "of_creator": query.creator_id or 0,
        }

    def _judged_by(
        self, unit: Unit, viewer: Viewer, community_id: int | None
    ) -> Sequence[int]:
        """Return the communities whose queue the viewer may see; refuse one that is not among."""
        if viewer.admin and not viewer.actor.banned:
            return [] if community_id is None else [community_id]
        mine = self.standings.of(unit, viewer).moderates
        if viewer.actor.banned or (community_id is not None and community_id not in mine):
            raise Forbidden("not_a_moderator", "Only moderators of this community can do this.")
        return list(mine) if community_id is None else [community_id]
