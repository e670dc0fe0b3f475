"""Accounts as the Lemmy API shows and takes them: signing up, logging in, one's own settings."""

from enum import StrEnum

from lichen.faces.lemmy_v3.wire.base import (
    PAGE_LENGTH_DEFAULT,
    Answer,
    Ask,
    Id,
    Ids,
    PageLength,
    PageNumber,
    Prose,
    Time,
    Word,
)
from lichen.faces.lemmy_v3.wire.comments import CommentView
from lichen.faces.lemmy_v3.wire.communities import (
    CommunityBlockView,
    CommunityFollowerView,
    CommunityModeratorView,
)
from lichen.faces.lemmy_v3.wire.people import Person, PersonAggregates, PersonBlockView, PersonView
from lichen.faces.lemmy_v3.wire.posts import PostView
from lichen.faces.lemmy_v3.wire.servers import Instance, Site
from lichen.forum import Listing, Sort


class PostListingMode(StrEnum):
    """How a client draws a list of posts."""

    LIST = "List"
    CARD = "Card"
    SMALL_CARD = "SmallCard"


class InstanceBlockView(Answer, frozen=True, kw_only=True):
    """Who blocks which server."""

    person: Person
    instance: Instance
    site: Site | None = None


class LocalUser(Answer, frozen=True, kw_only=True):
    """An account with what its person has chosen."""

    id: int
    person_id: int
    email: str | None = None
    show_nsfw: bool
    theme: str
    default_sort_type: Sort
    default_listing_type: Listing
    interface_language: str
    show_avatars: bool
    send_notifications_to_email: bool
    show_scores: bool
    show_bot_accounts: bool
    show_read_posts: bool
    email_verified: bool
    accepted_application: bool
    open_links_in_new_tab: bool
    blur_nsfw: bool
    auto_expand: bool
    infinite_scroll_enabled: bool
    admin: bool
    post_listing_mode: PostListingMode
    totp_2fa_enabled: bool
    enable_keyboard_navigation: bool
    enable_animated_images: bool
    collapse_bot_comments: bool


class LocalUserVoteDisplayMode(Answer, frozen=True, kw_only=True):
    """Which tallies of votes a person wants to see."""

    local_user_id: int
    score: bool
    upvotes: bool
    downvotes: bool
    upvote_percentage: bool


class LocalUserView(Answer, frozen=True, kw_only=True):
    """An account with its person."""

    local_user: LocalUser
    local_user_vote_display_mode: LocalUserVoteDisplayMode
    person: Person
    counts: PersonAggregates


class MyUserInfo(Answer, frozen=True, kw_only=True):
    """Everything a client keeps about who is logged in."""

    local_user_view: LocalUserView
    follows: list[CommunityFollowerView]
    moderates: list[CommunityModeratorView]
    community_blocks: list[CommunityBlockView]
    instance_blocks: list[InstanceBlockView]
    person_blocks: list[PersonBlockView]
    discussion_languages: tuple[int, ...]


class LoginToken(Answer, frozen=True, kw_only=True):
    """One login of an account."""

    user_id: int
    published: Time
    ip: str | None = None
    user_agent: str | None = None


class Register(Ask, frozen=True, kw_only=True):
    """Sign up."""

    username: Word
    password: Word
    password_verify: Word
    show_nsfw: bool | None = None
    email: Word | None = None
    captcha_uuid: Word | None = None
    captcha_answer: Word | None = None
    honeypot: Word | None = None
    answer: Prose | None = None


class Login(Ask, frozen=True, kw_only=True):
    """Log in by name or address of mail."""

    username_or_email: Word
    password: Word
    totp_2fa_token: Word | None = None


class ChangePassword(Ask, frozen=True, kw_only=True):
    """Change one's password."""

    new_password: Word
    new_password_verify: Word
    old_password: Word


class GetPersonDetails(Ask, frozen=True, kw_only=True):
    """Ask for a person and a page of what it wrote, or with `saved_only` of what it keeps."""

    person_id: Id | None = None
    username: Word | None = None
    sort: Sort = Sort.NEW
    page: PageNumber = 1
    limit: PageLength = PAGE_LENGTH_DEFAULT
    community_id: Id | None = None
    saved_only: bool = False


class SaveUserSettings(Ask, frozen=True, kw_only=True):
    """Change one's profile and settings; what is left out stays."""

    show_nsfw: bool | None = None
    blur_nsfw: bool | None = None
    auto_expand: bool | None = None
    theme: Word | None = None
    default_sort_type: Sort | None = None
    default_listing_type: Listing | None = None
    interface_language: Word | None = None
    avatar: Prose | None = None
    banner: Prose | None = None
    display_name: Prose | None = None
    email: Word | None = None
    bio: Prose | None = None
    matrix_user_id: Word | None = None
    show_avatars: bool | None = None
    send_notifications_to_email: bool | None = None
    bot_account: bool | None = None
    show_bot_accounts: bool | None = None
    show_read_posts: bool | None = None
    discussion_languages: Ids | None = None
    open_links_in_new_tab: bool | None = None
    infinite_scroll_enabled: bool | None = None
    post_listing_mode: PostListingMode | None = None
    enable_keyboard_navigation: bool | None = None
    enable_animated_images: bool | None = None
    collapse_bot_comments: bool | None = None
    show_scores: bool | None = None
    show_upvotes: bool | None = None
    show_downvotes: bool | None = None
    show_upvote_percentage: bool | None = None


class BlockInstance(Ask, frozen=True, kw_only=True):
    """Block a server, or no longer."""

    instance_id: Id
    block: bool


class GetReportCount(Ask, frozen=True, kw_only=True):
    """Ask how many reports wait."""

    community_id: Id | None = None


class LoginResponse(Answer, frozen=True, kw_only=True):
    """A token, or what to wait for."""

    jwt: str | None = None
    registration_created: bool
    verify_email_sent: bool


class GetPersonDetailsResponse(Answer, frozen=True, kw_only=True):
    """A person and what it wrote."""

    person_view: PersonView
    site: Site | None = None
    comments: list[CommentView]
    posts: list[PostView]
    moderates: list[CommunityModeratorView]


class GetUnreadCountResponse(Answer, frozen=True, kw_only=True):
    """How much waits in one's inbox."""

    replies: int
    mentions: int
    private_messages: int


class BlockInstanceResponse(Answer, frozen=True, kw_only=True):
    """Whether the server is blocked now."""

    blocked: bool


class GetReportCountResponse(Answer, frozen=True, kw_only=True):
    """How many reports wait for the one who asks."""

    community_id: int | None = None
    comment_reports: int
    post_reports: int
    private_message_reports: int | None = None
