"""The calls about posts."""


from lichen.accounts import Viewer
from lichen.faces.lemmy_v3 import views, wire
from lichen.faces.lemmy_v3.asking import Caller, Parts
from lichen.forum import (
    Listing,
    PostDraft,
    PostQuery,
    PostView,
    Sort,
)
from lichen.kit import Refused
from lichen.store import Unit


async def create_post(parts: Parts, caller: Caller, asked: wire.CreatePost) -> wire.PostResponse:
    """Write a post."""
    viewer = caller.person()
    if asked.honeypot:
        raise Refused("honeypot_failed", "That field is for robots; leave it empty.")

    return _changed(
        await parts.forum.publish_post(viewer, asked.community_id, _draft(asked))
    )


async def edit_post(parts: Parts, caller: Caller, asked: wire.EditPost) -> wire.PostResponse:
    """Change the caller's own post."""
    return _changed(
        await parts.forum.revise_post(caller.person(), asked.post_id, _draft(asked))
    )


async def delete_post(parts: Parts, caller: Caller, asked: wire.DeletePost) -> wire.PostResponse:
    """Delete the caller's own post, or bring it back."""
    viewer = caller.person()

    def command(unit: Unit) -> PostView:
        return parts.forum.delete_post(unit, viewer, asked.post_id, deleted=asked.deleted)

    return _changed(await parts.store.write(command))


async def like_post(parts: Parts, caller: Caller, asked: wire.CreatePostLike) -> wire.PostResponse:
    """Vote on a post."""
    return _changed(
        await parts.forum.judge_post(caller.person(), asked.post_id, value=asked.score)
    )


async def save_post(parts: Parts, caller: Caller, asked: wire.SavePost) -> wire.PostResponse:
    """Keep a post for later, or no longer."""
    viewer = caller.person()

    def command(unit: Unit) -> PostView:
        return parts.forum.save_post(unit, viewer, asked.post_id, save=asked.save)

    return _changed(await parts.store.write(command))


async def hide_post(parts: Parts, caller: Caller, asked: wire.HidePost) -> wire.SuccessResponse:
    """Hide posts from the caller's lists, or no longer."""
    viewer = caller.person()

    def command(unit: Unit) -> None:
        parts.forum.hide_posts(unit, viewer, list(asked.post_ids), hide=asked.hide)

    await parts.store.write(command)
    return wire.SuccessResponse(success=True)


async def mark_post_as_read(
    parts: Parts, caller: Caller, asked: wire.MarkPostAsRead
) -> wire.SuccessResponse:
    """Mark posts as read, or as unread."""
    viewer = caller.person()

    def command(unit: Unit) -> None:
        parts.forum.mark_posts_read(unit, viewer, list(asked.post_ids), read=asked.read)

    await parts.store.write(command)
    return wire.SuccessResponse(success=True)


async def get_post(parts: Parts, caller: Caller, asked: wire.GetPost) -> wire.GetPostResponse:
    """Return a post with its community, and mark it as read by the caller, as Lemmy does."""
    if asked.id is None and asked.comment_id is None:
        raise Refused("no_id_given", "Give an id or a comment_id.")
    viewer = caller.viewer

    def query(unit: Unit) -> wire.GetPostResponse:
        post_id = asked.id
        if post_id is None:
            assert asked.comment_id is not None
            post_id = parts.forum.comment_view(unit, viewer, asked.comment_id).post.id
        found = parts.forum.post_around(unit, viewer, post_id)
        return wire.GetPostResponse(
            post_view=views.post_view(found.view),
            community_view=views.community_view(found.community),
            moderators=views.moderator_views(found.view.community, found.moderators),
            cross_posts=views.post_views(found.cross_posts),
        )

    answer = await parts.store.read(query)
    shown = answer.post_view
    if viewer is not None and (shown.unread_comments or not shown.read):
        ids = [shown.post.id]
        await parts.store.write(
            lambda unit: parts.forum.mark_posts_read(unit, viewer, ids, read=True)
        )
    return answer


async def list_posts(
    parts: Parts, caller: Caller, asked: wire.GetPosts
) -> wire.GetPostsResponse | bytes:
    """Return a page of posts; to strangers as bytes that may be a moment old."""
    if caller.viewer is not None:
        return await _list(parts, caller.viewer, asked)

    async def make() -> bytes:
        return parts.encode(await _list(parts, None, asked))

    return await parts.answers.answer(asked, make)


async def get_site_metadata(
    parts: Parts, caller: Caller, asked: wire.GetSiteMetadata
) -> wire.GetSiteMetadataResponse:
    """Return what the page at an address says of itself."""
    caller.person()
    link = await parts.forum.link_of(asked.url)
    return wire.GetSiteMetadataResponse(
        metadata=wire.LinkMetadata(
            title=link.title, description=link.description, image=link.thumbnail,
            embed_video_url=link.embed_video_url, content_type=link.content_type,
        )
    )


async def _list(
    parts: Parts, viewer: Viewer | None, asked: wire.GetPosts
) -> wire.GetPostsResponse:
    def query(unit: Unit) -> wire.GetPostsResponse:
        community_id = asked.community_id
        if community_id is None and asked.community_name:
            view = parts.forum.community(unit, viewer, name=asked.community_name)
            community_id = view.community.id
        wanted = _query(parts, viewer, asked, community_id=community_id)
        found, page = parts.forum.post_list(unit, viewer, wanted)
        return wire.GetPostsResponse(posts=views.post_views(found), next_page=page.next)

    return await parts.store.read(query)


def _query(
    parts: Parts, viewer: Viewer | None, asked: wire.GetPosts, *, community_id: int | None
) -> PostQuery:
    is_placed = community_id is not None
    return PostQuery(
        listing=asked.type_ or listing_of(parts, viewer, is_placed=is_placed),
        sort=asked.sort or sort_of(parts, viewer), community_id=community_id,
        page=asked.page, cursor=asked.page_cursor, limit=asked.limit,
        saved_only=asked.saved_only, liked_only=asked.liked_only,
        disliked_only=asked.disliked_only, show_hidden=asked.show_hidden,
        show_read=asked.show_read, show_nsfw=asked.show_nsfw,
    )


def listing_of(parts: Parts, viewer: Viewer | None, *, is_placed: bool) -> Listing:
    """Return the listing of one who did not say which: in one place, all that is there."""
    if is_placed:
        return Listing.ALL
    if viewer is not None:
        return Listing(viewer.settings.default_listing_type)
    return Listing(parts.accounts.current_site.settings.default_post_listing_type)


def sort_of(parts: Parts, viewer: Viewer | None) -> Sort:
    """Return the order of one who did not say which."""
    if viewer is not None:
        return Sort(viewer.settings.default_sort_type)
    return Sort(parts.accounts.current_site.settings.default_sort_type)


def _draft(asked: wire.CreatePost | wire.EditPost) -> PostDraft:
    return PostDraft(
        name=asked.name, url=asked.url, body=asked.body, alt_text=asked.alt_text,
        nsfw=asked.nsfw, language_id=asked.language_id,
    )


def _changed(view: PostView) -> wire.PostResponse:
    return wire.PostResponse(post_view=views.post_view(view))
