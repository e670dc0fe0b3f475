"""The calls about comments."""

from lichen.accounts import Viewer
from lichen.faces.lemmy_v3 import views, wire
from lichen.faces.lemmy_v3.asking import Caller, Parts
from lichen.faces.lemmy_v3.posts import listing_of
from lichen.forum import CommentQuery, CommentView
from lichen.store import Unit


async def create_comment(
    parts: Parts, caller: Caller, asked: wire.CreateComment
) -> wire.CommentResponse:
    """Write a comment."""
    return _changed(await parts.forum.publish_comment(
        caller.person(), asked.post_id, content=asked.content, parent_id=asked.parent_id,
        language_id=asked.language_id,
    ))


async def edit_comment(
    parts: Parts, caller: Caller, asked: wire.EditComment
) -> wire.CommentResponse:
    """Change the caller's own comment."""
    return _changed(await parts.forum.revise_comment(
        caller.person(), asked.comment_id, content=asked.content, language_id=asked.language_id
    ))


async def delete_comment(
    parts: Parts, caller: Caller, asked: wire.DeleteComment
) -> wire.CommentResponse:
    """Delete the caller's own comment, or bring it back."""
    viewer = caller.person()

    def command(unit: Unit) -> CommentView:
        return parts.forum.delete_comment(unit, viewer, asked.comment_id, deleted=asked.deleted)

    return _changed(await parts.store.write(command))


async def like_comment(
    parts: Parts, caller: Caller, asked: wire.CreateCommentLike
) -> wire.CommentResponse:
    """Vote on a comment."""
    return _changed(
        await parts.forum.judge_comment(caller.person(), asked.comment_id, value=asked.score)
    )


async def save_comment(
    parts: Parts, caller: Caller, asked: wire.SaveComment
) -> wire.CommentResponse:
    """Keep a comment for later, or no longer."""
    viewer = caller.person()

    def command(unit: Unit) -> CommentView:
        return parts.forum.save_comment(unit, viewer, asked.comment_id, save=asked.save)

    return _changed(await parts.store.write(command))


async def get_comment(parts: Parts, caller: Caller, asked: wire.GetComment) -> wire.CommentResponse:
    """Return a comment."""

    def query(unit: Unit) -> CommentView:
        return parts.forum.comment_view(unit, caller.viewer, asked.id)

    return _changed(await parts.store.read(query))


async def list_comments(
    parts: Parts, caller: Caller, asked: wire.GetComments
) -> wire.GetCommentsResponse:
    """Return a page of comments, or with `max_depth` a tree."""

    def query(unit: Unit) -> list[CommentView]:
        community_id = asked.community_id
        if community_id is None and asked.community_name:
            view = parts.forum.community(unit, caller.viewer, name=asked.community_name)
            community_id = view.community.id
        wanted = _query(parts, caller.viewer, asked, community_id=community_id)
        return parts.forum.comment_list(unit, caller.viewer, wanted)

    found = await parts.store.read(query)
    return wire.GetCommentsResponse(comments=views.comment_views(found))


def _query(
    parts: Parts, viewer: Viewer | None, asked: wire.GetComments, *, community_id: int | None
) -> CommentQuery:
    is_placed = any(
        place is not None for place in (community_id, asked.post_id, asked.parent_id)
    )
    return CommentQuery(
        listing=asked.type_ or listing_of(parts, viewer, is_placed=is_placed),
        sort=asked.sort, post_id=asked.post_id, parent_id=asked.parent_id,
        community_id=community_id, depth_max=asked.max_depth, page=asked.page,
        limit=asked.limit, saved_only=asked.saved_only,
        liked_only=asked.liked_only, disliked_only=asked.disliked_only,
    )


def _changed(view: CommentView) -> wire.CommentResponse:
    return wire.CommentResponse(comment_view=views.comment_view(view), recipient_ids=())
