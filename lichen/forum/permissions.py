"""Who may do what in the forum. Pure; codes of refusal are those of the Lemmy API."""

from lichen.accounts import Viewer
from lichen.forum.model import Comment, CommunityView, Post
from lichen.kit import Forbidden, NotFound, Refused


def check_member(viewer: Viewer, community: CommunityView) -> None:
    """Refuse whoever may not write or vote in the community."""
    if viewer.actor.banned:
        raise Forbidden("site_ban", "You are banned from this site.")
    if viewer.moved:
        raise Forbidden("account_moved", "This account has moved: write where you are now.")
    if community.banned:
        raise Forbidden("banned_from_community", "You are banned from this community.")
    if community.community.removed or community.community.deleted:
        raise Refused("deleted", "This community has been closed.")


def check_poster(viewer: Viewer, community: CommunityView) -> None:
    """Refuse whoever may not post in the community."""
    check_member(viewer, community)
    restricted = community.community.posting_restricted_to_mods
    if restricted and not is_moderator(viewer, community):
        raise Forbidden(
            "only_mods_can_post_in_community", "Only moderators can post in this community."
        )


def check_moderator(viewer: Viewer, community: CommunityView) -> None:
    """Refuse whoever neither moderates the community nor administers the site."""
    if viewer.actor.banned:
        raise Forbidden("site_ban", "You are banned from this site.")
    if not is_moderator(viewer, community):
        raise Forbidden("not_a_moderator", "Only moderators of this community can do this.")


def check_replier(viewer: Viewer, post: Post, community: CommunityView) -> None:
    """Refuse whoever may not write below the post."""
    check_visible(viewer, post, community)
    check_member(viewer, community)
    if is_gone(post):
        raise no_such_post()
    if post.locked and not is_moderator(viewer, community):
        raise Forbidden("locked", "A moderator has closed this post for new comments.")


def check_admin_of_site(viewer: Viewer) -> None:
    """Refuse whoever does not administer the site."""
    if viewer.actor.banned:
        raise Forbidden("site_ban", "You are banned from this site.")
    if not viewer.admin:
        raise Forbidden("not_an_admin", "Only administrators may do this.")


def check_visible(viewer: Viewer | None, post: Post, community: CommunityView) -> None:
    """Refuse a post that is gone for this viewer, as if there was none."""
    if not can_see_post(viewer, post, community):
        raise no_such_post()


def can_see_post(viewer: Viewer | None, post: Post, community: CommunityView) -> bool:
    """Say whether a post is there for a viewer: what is gone stays for who must judge it."""
    around = community.community
    if not (is_gone(post) or around.deleted or around.removed):
        return True
    if viewer is None:
        return False
    return viewer.id == post.creator_id or is_moderator(viewer, community)


def is_moderator(viewer: Viewer | None, community: CommunityView) -> bool:
    """Say whether a viewer moderates the community, which every administrator does."""
    return viewer is not None and (viewer.admin or community.moderates)


def is_gone(subject: Post | Comment) -> bool:
    """Say whether a post or comment was deleted by its author, removed, or waits to be seen."""
    return subject.deleted or subject.removed or subject.held


def no_such_post() -> NotFound:
    """Return the refusal of a post that is not there."""
    return NotFound("couldnt_find_post", "There is no such post, or it has been deleted.")


def no_such_comment() -> NotFound:
    """Return the refusal of a comment that is not there."""
    return NotFound("couldnt_find_comment", "There is no such comment, or it has been deleted.")


def no_such_community() -> NotFound:
    """Return the refusal of a community that is not there."""
    return NotFound("couldnt_find_community", "There is no such community.")
