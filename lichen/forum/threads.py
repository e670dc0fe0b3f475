"""Threads and lists of comments: skeleton first, then the contents of what is shown."""

from collections.abc import Sequence

import msgspec
from pyroaring import BitMap

from lichen.accounts import Viewer
from lichen.forum import comment_rows
from lichen.forum.comments import Comments
from lichen.forum.drafts import check_page
from lichen.forum.ledger import uri_of_post
from lichen.forum.limits import (
    COMMENT_DEPTH_MAX,
    FLAT_CANDIDATES_MAX,
    NEW_COMMENTS_MAX,
    PAGE_MAX,
    SKELETON_MAX,
    TREE_COMMENTS_MAX,
)
from lichen.forum.model import (
    CommentQuery,
    CommentSort,
    CommentView,
    Listing,
    PostView,
    SubjectKind,
)
from lichen.forum.permissions import can_see_post, is_gone, no_such_post
from lichen.forum.ranking import comment_rank
from lichen.forum.reactions import reactions_from, reactions_query
from lichen.forum.standing import Standing
from lichen.forum.tree import Bone, Rank, ranked, tree_of
from lichen.forum.views import post_queries, shown
from lichen.kit import Refused, Unauthenticated
from lichen.store import Query, Unit


class Threads(Comments):
    """Queries about many comments at once."""

    def post_thread(
        self, unit: Unit, viewer: Viewer | None, post_id: int, query: CommentQuery
    ) -> tuple[PostView, list[CommentView]]:
        """Return a post with its comments, as `comment_list` orders them; two round trips."""
        found = self._post_thread(unit, viewer, msgspec.structs.replace(query, post_id=post_id))
        if found is None:
            raise no_such_post()
        return found

    def _post_thread(
        self, unit: Unit, viewer: Viewer | None, query: CommentQuery
    ) -> tuple[PostView, list[CommentView]] | None:
        """Return a post with its comments, None where it is not there for the viewer."""
        _check_query(query, viewer)
        assert query.post_id is not None
        post_id = query.post_id
        flush = self._views.fetch(
            unit, viewer, *post_queries(unit, viewer, [post_id]),
            (comment_rows.SKELETON_OF_POST, {"post_id": post_id, "limit": SKELETON_MAX}),
            reactions_query(viewer, SubjectKind.POST, [post_id]),
        )
        *posts, skeleton, on_post = flush.rows
        scene = self._views.posts(posts, flush.standing)
        view = scene.views.get(post_id)
        if view is None:
            return None
        community = scene.communities[view.post.community_id]
        if not can_see_post(viewer, view.post, community):
            return None
        view = msgspec.structs.replace(view, reactions=reactions_from(on_post).get(post_id, ()))
        without = self._unwanted(viewer, skeleton, flush.standing)
        ids = _chosen(skeleton, query, without, now_us=unit.clock_us)
        if not ids:
            return view, []
        chosen = set(ids)
        creator_ids = {bone.creator_id for bone in skeleton if bone.id in chosen}
        *answers, reactions = unit.fetch_all(
            *self._views.thread_queries(unit, viewer, ids, creator_ids),
            reactions_query(viewer, SubjectKind.COMMENT, ids),
        )
        found = self._views.thread(answers, view, community, flush.standing)
        for one, some in reactions_from(reactions).items():
            found[one] = msgspec.structs.replace(found[one], reactions=some)
        seen_by = (shown(found[one], viewer, moderates=community.moderates)
                   for one in ids if one in found)
        return view, [each for each in seen_by if each is not None]

    def comments_since(
        self, unit: Unit, viewer: Viewer | None, post_id: int, *, after_id: int = 0,
        after_us: int = 0,
    ) -> list[CommentView]:
        """Return the comments of a post after one and after a time, the oldest first.

        Those that are gone or of people the viewer blocks are left out. Two round trips.
        """
        rows = unit.fetch(
            comment_rows.NEWER_OF_POST, post_id=post_id, after_id=after_id, after_us=after_us,
            limit=NEW_COMMENTS_MAX,
        )
        if not rows:
            return []
        found = self.comment_views(unit, viewer, [row.id for row in rows])
        return [
            view for view in found if not (is_gone(view.comment) or view.creator_blocked)
        ]

    def uri_of(self, view: PostView) -> str:
        """Return a post's address as records name it."""
        return uri_of_post(view.post, view.creator.did)

    def comment_list(
        self, unit: Unit, viewer: Viewer | None, query: CommentQuery
    ) -> list[CommentView]:
        """Return comments; two round trips.

        Of a post (or below a parent) with `depth_max` it is a tree of at most TREE_COMMENTS_MAX
        comments, depth first; of a post without, a page of all its comments by rank. Without a post
        it is a page of the newest FLAT_CANDIDATES_MAX that fit, by rank.
        """
        if query.post_id is not None and query.parent_id is None:
            found = self._post_thread(unit, viewer, query)
            return found[1] if found else []
        _check_query(query, viewer)
        flush = self._views.fetch(unit, viewer, _skeleton_query(query, viewer))
        without = self._unwanted(viewer, flush.rows[0], flush.standing)
        ids = _chosen(flush.rows[0], query, without, now_us=unit.clock_us)
        return self.comment_views(unit, viewer, ids) if ids else []

    def _unwanted(
        self, viewer: Viewer | None, skeleton: Sequence[Bone], standing: Standing
    ) -> BitMap:
        """Return the people whose comments the viewer does not want to see."""
        if viewer is None or viewer.settings.show_bot_accounts:
            return standing.blocked_people
        programs = self.ranks.programs_among({bone.creator_id for bone in skeleton} - {viewer.id})
        return standing.blocked_people | programs


def _check_query(query: CommentQuery, viewer: Viewer | None) -> None:
    check_page(query.page, query.limit)
    if query.depth_max is not None and not 1 <= query.depth_max <= COMMENT_DEPTH_MAX:
        raise Refused("invalid_depth", f"A tree is 1 to {COMMENT_DEPTH_MAX} levels deep.")
    if viewer is None and (query.saved_only or query.liked_only or query.disliked_only):
        raise Unauthenticated()


def _skeleton_query(query: CommentQuery, viewer: Viewer | None) -> Query:
    """Return the one query for what the list draws from."""
    asked: dict[str, int] = {
        "limit": _candidates(query), "viewer_id": viewer.id if viewer else 0,
    }
    if query.parent_id is not None:
        return comment_rows.SKELETON_OF_PARENT, {
            "parent_id": query.parent_id, "limit": SKELETON_MAX
        }
    if query.saved_only:
        return comment_rows.NEWEST_SAVED, asked
    if query.liked_only or query.disliked_only:
        return comment_rows.NEWEST_VOTED, {**asked, "value": 1 if query.liked_only else -1}
    if query.creator_id is not None:
        return comment_rows.NEWEST_OF_CREATOR, {**asked, "creator_id": query.creator_id}
    if query.community_id is not None:
        return comment_rows.NEWEST_OF_COMMUNITY, {**asked, "community_id": query.community_id}
    if query.listing is Listing.SUBSCRIBED:
        return comment_rows.NEWEST_OF_SUBSCRIPTIONS, asked
    if query.listing is Listing.LOCAL:
        return comment_rows.NEWEST_LOCAL, asked
    return comment_rows.NEWEST, asked


def _candidates(query: CommentQuery) -> int:
    """Return how many of the newest comments the page needs to know."""
    if query.sort is not CommentSort.NEW:
        return FLAT_CANDIDATES_MAX
    # The newest come first already; twice as many, because some may be of blocked people.
    return min(FLAT_CANDIDATES_MAX, 2 * query.page * query.limit + PAGE_MAX)


def _chosen(
    skeleton: Sequence[Bone], query: CommentQuery, without: BitMap, *, now_us: int
) -> list[int]:
    """Return the ids of the comments to show, in their order."""
    rank = comment_rank(query.sort, now_us)
    if query.depth_max is not None and (query.post_id or query.parent_id):
        return tree_of(
            skeleton, rank, limit=TREE_COMMENTS_MAX, depth_max=query.depth_max,
            parent_id=query.parent_id, without=without,
        )
    return _page(skeleton, rank, query, without)


def _page(
    skeleton: Sequence[Bone], rank: Rank, query: CommentQuery, without: BitMap
) -> list[int]:
    mark = f".{query.parent_id}." if query.parent_id is not None else ""
    within = [
        bone for bone in skeleton
        if bone.creator_id not in without and mark in f"{bone.path}."
    ]
    offset = check_page(query.page, query.limit)
    return [bone.id for bone in ranked(within, rank)[offset:offset + query.limit]]
