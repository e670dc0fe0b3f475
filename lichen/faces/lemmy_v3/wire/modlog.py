"""The moderation log as the Lemmy API shows it: fifteen lists, one for each kind of act.

`mod_person_id` and `admin_person_id` are 0 where the reader may not know who decided.
"""

from enum import StrEnum

from lichen.faces.lemmy_v3.wire.base import (
    PAGE_LENGTH_DEFAULT,
    Answer,
    Ask,
    Id,
    PageLength,
    PageNumber,
    Time,
)
from lichen.faces.lemmy_v3.wire.comments import Comment
from lichen.faces.lemmy_v3.wire.communities import Community
from lichen.faces.lemmy_v3.wire.people import Person
from lichen.faces.lemmy_v3.wire.posts import Post


class ModlogActionType(StrEnum):
    """Which acts are asked for."""

    ALL = "All"
    MOD_REMOVE_POST = "ModRemovePost"
    MOD_LOCK_POST = "ModLockPost"
    MOD_FEATURE_POST = "ModFeaturePost"
    MOD_REMOVE_COMMENT = "ModRemoveComment"
    MOD_REMOVE_COMMUNITY = "ModRemoveCommunity"
    MOD_BAN_FROM_COMMUNITY = "ModBanFromCommunity"
    MOD_ADD_COMMUNITY = "ModAddCommunity"
    MOD_TRANSFER_COMMUNITY = "ModTransferCommunity"
    MOD_ADD = "ModAdd"
    MOD_BAN = "ModBan"
    MOD_HIDE_COMMUNITY = "ModHideCommunity"
    ADMIN_PURGE_PERSON = "AdminPurgePerson"
    ADMIN_PURGE_COMMUNITY = "AdminPurgeCommunity"
    ADMIN_PURGE_POST = "AdminPurgePost"
    ADMIN_PURGE_COMMENT = "AdminPurgeComment"


class ModRemovePost(Answer, frozen=True, kw_only=True):
    """A post was removed, or brought back."""

    id: int
    mod_person_id: int
    post_id: int
    reason: str | None = None
    removed: bool
    when_: Time


class ModRemovePostView(Answer, frozen=True, kw_only=True):
    """A post was removed, or brought back, with who and what."""

    mod_remove_post: ModRemovePost
    moderator: Person | None = None
    post: Post
    community: Community


class ModLockPost(Answer, frozen=True, kw_only=True):
    """A post was closed for comments, or opened."""

    id: int
    mod_person_id: int
    post_id: int
    locked: bool
    when_: Time


class ModLockPostView(Answer, frozen=True, kw_only=True):
    """A post was closed for comments, or opened, with who and what."""

    mod_lock_post: ModLockPost
    moderator: Person | None = None
    post: Post
    community: Community


class ModFeaturePost(Answer, frozen=True, kw_only=True):
    """A post was pinned, or unpinned."""

    id: int
    mod_person_id: int
    post_id: int
    featured: bool
    when_: Time
    is_featured_community: bool


class ModFeaturePostView(Answer, frozen=True, kw_only=True):
    """A post was pinned, or unpinned, with who and what."""

    mod_feature_post: ModFeaturePost
    moderator: Person | None = None
    post: Post
    community: Community


class ModRemoveComment(Answer, frozen=True, kw_only=True):
    """A comment was removed, or brought back."""

    id: int
    mod_person_id: int
    comment_id: int
    reason: str | None = None
    removed: bool
    when_: Time


class ModRemoveCommentView(Answer, frozen=True, kw_only=True):
    """A comment was removed, or brought back, with who and what."""

    mod_remove_comment: ModRemoveComment
    moderator: Person | None = None
    comment: Comment
    commenter: Person
    post: Post
    community: Community


class ModRemoveCommunity(Answer, frozen=True, kw_only=True):
    """A community was removed, or brought back."""

    id: int
    mod_person_id: int
    community_id: int
    reason: str | None = None
    removed: bool
    when_: Time


class ModRemoveCommunityView(Answer, frozen=True, kw_only=True):
    """A community was removed, or brought back, with who and what."""

    mod_remove_community: ModRemoveCommunity
    moderator: Person | None = None
    community: Community


class ModBanFromCommunity(Answer, frozen=True, kw_only=True):
    """Somebody was banned from a community, or let in again."""

    id: int
    mod_person_id: int
    other_person_id: int
    community_id: int
    reason: str | None = None
    banned: bool
    expires: Time | None = None
    when_: Time


class ModBanFromCommunityView(Answer, frozen=True, kw_only=True):
    """Somebody was banned from a community, or let in again, with who and what."""

    mod_ban_from_community: ModBanFromCommunity
    moderator: Person | None = None
    community: Community
    banned_person: Person


class ModBan(Answer, frozen=True, kw_only=True):
    """Somebody was banned from the site, or let in again."""

    id: int
    mod_person_id: int
    other_person_id: int
    reason: str | None = None
    banned: bool
    expires: Time | None = None
    when_: Time


class ModBanView(Answer, frozen=True, kw_only=True):
    """Somebody was banned from the site, or let in again, with who and what."""

    mod_ban: ModBan
    moderator: Person | None = None
    banned_person: Person


class ModAddCommunity(Answer, frozen=True, kw_only=True):
    """A moderator was appointed, or dismissed."""

    id: int
    mod_person_id: int
    other_person_id: int
    community_id: int
    removed: bool
    when_: Time


class ModAddCommunityView(Answer, frozen=True, kw_only=True):
    """A moderator was appointed, or dismissed, with who and what."""

    mod_add_community: ModAddCommunity
    moderator: Person | None = None
    community: Community
    modded_person: Person


class ModTransferCommunity(Answer, frozen=True, kw_only=True):
    """A community was handed over."""

    id: int
    mod_person_id: int
    other_person_id: int
    community_id: int
    when_: Time


class ModTransferCommunityView(Answer, frozen=True, kw_only=True):
    """A community was handed over, with who and what."""

    mod_transfer_community: ModTransferCommunity
    moderator: Person | None = None
    community: Community
    modded_person: Person


class ModAdd(Answer, frozen=True, kw_only=True):
    """An administrator was appointed, or dismissed."""

    id: int
    mod_person_id: int
    other_person_id: int
    removed: bool
    when_: Time


class ModAddView(Answer, frozen=True, kw_only=True):
    """An administrator was appointed, or dismissed, with who and what."""

    mod_add: ModAdd
    moderator: Person | None = None
    modded_person: Person


class AdminPurgePerson(Answer, frozen=True, kw_only=True):
    """The words of a person were purged."""

    id: int
    admin_person_id: int
    reason: str | None = None
    when_: Time


class AdminPurgePersonView(Answer, frozen=True, kw_only=True):
    """The words of a person were purged, with who and what."""

    admin_purge_person: AdminPurgePerson
    admin: Person | None = None


class AdminPurgeCommunity(Answer, frozen=True, kw_only=True):
    """A community was purged."""

    id: int
    admin_person_id: int
    reason: str | None = None
    when_: Time


class AdminPurgeCommunityView(Answer, frozen=True, kw_only=True):
    """A community was purged, with who and what."""

    admin_purge_community: AdminPurgeCommunity
    admin: Person | None = None


class AdminPurgePost(Answer, frozen=True, kw_only=True):
    """A post was purged."""

    id: int
    admin_person_id: int
    community_id: int
    reason: str | None = None
    when_: Time


class AdminPurgePostView(Answer, frozen=True, kw_only=True):
    """A post was purged, with who and what."""

    admin_purge_post: AdminPurgePost
    admin: Person | None = None
    community: Community


class AdminPurgeComment(Answer, frozen=True, kw_only=True):
    """A comment was purged."""

    id: int
    admin_person_id: int
    post_id: int
    reason: str | None = None
    when_: Time


class AdminPurgeCommentView(Answer, frozen=True, kw_only=True):
    """A comment was purged, with who and what."""

    admin_purge_comment: AdminPurgeComment
    admin: Person | None = None
    post: Post


class ModHideCommunity(Answer, frozen=True, kw_only=True):
    """A community was hidden, or shown again."""

    id: int
    community_id: int
    mod_person_id: int
    when_: Time
    reason: str | None = None
    hidden: bool


class ModHideCommunityView(Answer, frozen=True, kw_only=True):
    """A community was hidden, or shown again, with who and what."""

    mod_hide_community: ModHideCommunity
    admin: Person | None = None
    community: Community


class GetModlog(Ask, frozen=True, kw_only=True):
    """Ask for a page of the log; every filter may be left out."""

    mod_person_id: Id | None = None
    community_id: Id | None = None
    page: PageNumber = 1
    limit: PageLength = PAGE_LENGTH_DEFAULT
    type_: ModlogActionType = ModlogActionType.ALL
    other_person_id: Id | None = None
    post_id: Id | None = None
    comment_id: Id | None = None


class GetModlogResponse(Answer, frozen=True, kw_only=True):
    """A page of each list."""

    removed_posts: list[ModRemovePostView]
    locked_posts: list[ModLockPostView]
    featured_posts: list[ModFeaturePostView]
    removed_comments: list[ModRemoveCommentView]
    removed_communities: list[ModRemoveCommunityView]
    banned_from_community: list[ModBanFromCommunityView]
    banned: list[ModBanView]
    added_to_community: list[ModAddCommunityView]
    transferred_to_community: list[ModTransferCommunityView]
    added: list[ModAddView]
    admin_purged_persons: list[AdminPurgePersonView]
    admin_purged_communities: list[AdminPurgeCommunityView]
    admin_purged_posts: list[AdminPurgePostView]
    admin_purged_comments: list[AdminPurgeCommentView]
    hidden_communities: list[ModHideCommunityView]
