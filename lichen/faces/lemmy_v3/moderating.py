"""The calls by which moderators and administrators act on posts, comments and communities."""

from lichen.faces.lemmy_v3 import views, wire
from lichen.faces.lemmy_v3.asking import Caller, Parts
from lichen.forum import CommentView, CommunityRuling, CommunityView, PostView
from lichen.moderation import Why
from lichen.store import Unit


async def remove_post(parts: Parts, caller: Caller, asked: wire.RemovePost) -> wire.PostResponse:
    """Remove a post as a moderator, or bring it back."""
    viewer = caller.person()

    def command(unit: Unit) -> PostView:
        return parts.moderation.remove_post(
            unit, viewer, asked.post_id, removed=asked.removed, why=Why(asked.reason)
        )

    return _post(await parts.store.write(command))


async def lock_post(parts: Parts, caller: Caller, asked: wire.LockPost) -> wire.PostResponse:
    """Close a post for new comments, or open it."""
    viewer = caller.person()

    def command(unit: Unit) -> PostView:
        return parts.moderation.lock_post(unit, viewer, asked.post_id, locked=asked.locked)

    return _post(await parts.store.write(command))


async def feature_post(
    parts: Parts, caller: Caller, asked: wire.FeaturePost
) -> wire.PostResponse:
    """Pin a post to the top of its community or of the site, or unpin it."""
    viewer = caller.person()

    def command(unit: Unit) -> PostView:
        return parts.moderation.feature_post(
            unit, viewer, asked.post_id, featured=asked.featured,
            local=asked.feature_type == "Local",
        )

    return _post(await parts.store.write(command))


async def remove_comment(
    parts: Parts, caller: Caller, asked: wire.RemoveComment
) -> wire.CommentResponse:
    """Remove a comment as a moderator, or bring it back."""
    viewer = caller.person()

    def command(unit: Unit) -> CommentView:
        return parts.moderation.remove_comment(
            unit, viewer, asked.comment_id, removed=asked.removed, why=Why(asked.reason)
        )

    return _comment(await parts.store.write(command))


async def distinguish_comment(
    parts: Parts, caller: Caller, asked: wire.DistinguishComment
) -> wire.CommentResponse:
    """Mark the caller's own comment as a moderator's word, or no longer."""
    viewer = caller.person()

    def command(unit: Unit) -> CommentView:
        return parts.moderation.distinguish_comment(
            unit, viewer, asked.comment_id, distinguished=asked.distinguished
        )

    return _comment(await parts.store.write(command))


async def remove_community(
    parts: Parts, caller: Caller, asked: wire.RemoveCommunity
) -> wire.CommunityResponse:
    """Remove a community as an administrator, or bring it back."""
    viewer = caller.person()

    def command(unit: Unit) -> CommunityView:
        return parts.moderation.remove_community(
            unit, viewer, asked.community_id, removed=asked.removed, why=Why(asked.reason)
        )

    return _community(await parts.store.write(command))


async def delete_community(
    parts: Parts, caller: Caller, asked: wire.DeleteCommunity
) -> wire.CommunityResponse:
    """Close a community as its first moderator, or open it again."""
    viewer = caller.person()

    def command(unit: Unit) -> CommunityView:
        ruling = CommunityRuling(deleted=asked.deleted)
        return parts.forum.rule_community(unit, viewer, asked.community_id, ruling)[1]

    return _community(await parts.store.write(command))


async def hide_community(
    parts: Parts, caller: Caller, asked: wire.HideCommunity
) -> wire.SuccessResponse:
    """Keep a community out of lists as an administrator, or let it in again."""
    viewer = caller.person()

    def command(unit: Unit) -> None:
        parts.moderation.hide_community(
            unit, viewer, asked.community_id, hidden=asked.hidden, why=Why(asked.reason)
        )

    await parts.store.write(command)
    return wire.SuccessResponse(success=True)


async def purge_post(parts: Parts, caller: Caller, asked: wire.PurgePost) -> wire.SuccessResponse:
    """Take a post with its comments out of the rows."""
    viewer = caller.person()

    def command(unit: Unit) -> None:
        parts.moderation.purge_post(unit, viewer, asked.post_id, reason=asked.reason)

    await parts.store.write(command)
    return wire.SuccessResponse(success=True)


async def purge_comment(
    parts: Parts, caller: Caller, asked: wire.PurgeComment
) -> wire.SuccessResponse:
    """Take a comment with its answers out of the rows."""
    viewer = caller.person()

    def command(unit: Unit) -> None:
        parts.moderation.purge_comment(unit, viewer, asked.comment_id, reason=asked.reason)

    await parts.store.write(command)
    return wire.SuccessResponse(success=True)


async def purge_community(
    parts: Parts, caller: Caller, asked: wire.PurgeCommunity
) -> wire.SuccessResponse:
    """Take a community with all that is in it out of the rows."""
    viewer = caller.person()

    def command(unit: Unit) -> bool:
        return parts.moderation.purge_community(
            unit, viewer, asked.community_id, reason=asked.reason
        )

    while await parts.store.write(command):
        pass  # each unit purges a bounded number, so that others may write in between
    return wire.SuccessResponse(success=True)


async def purge_person(
    parts: Parts, caller: Caller, asked: wire.PurgePerson
) -> wire.SuccessResponse:
    """Take all words of a person out of the rows, and ban it for good."""
    viewer = caller.person()

    def command(unit: Unit) -> bool:
        return parts.moderation.purge_person(unit, viewer, asked.person_id, reason=asked.reason)

    while await parts.store.write(command):
        pass  # each unit purges a bounded number, so that others may write in between
    return wire.SuccessResponse(success=True)


def _post(view: PostView) -> wire.PostResponse:
    return wire.PostResponse(post_view=views.post_view(view))


def _comment(view: CommentView) -> wire.CommentResponse:
    return wire.CommentResponse(comment_view=views.comment_view(view), recipient_ids=())


def _community(view: CommunityView) -> wire.CommunityResponse:
    return wire.CommunityResponse(
        community_view=views.community_view(view), discussion_languages=view.community.languages
    )
