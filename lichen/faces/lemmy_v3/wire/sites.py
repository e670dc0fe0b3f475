"""The site itself as the Lemmy API shows it, and questions about everything at once."""

from typing import Literal

from lichen.faces.lemmy_v3.wire.base import (
    PAGE_LENGTH_DEFAULT,
    Answer,
    Ask,
    Id,
    PageLength,
    PageNumber,
    Prose,
    Time,
    Word,
)
from lichen.faces.lemmy_v3.wire.comments import CommentView
from lichen.faces.lemmy_v3.wire.communities import CommunityView
from lichen.faces.lemmy_v3.wire.people import PersonView
from lichen.faces.lemmy_v3.wire.posts import PostView
from lichen.faces.lemmy_v3.wire.servers import InstanceWithFederationState, Site
from lichen.faces.lemmy_v3.wire.users import MyUserInfo, PostListingMode
from lichen.forum import Listing, Sort

RegistrationMode = Literal["Closed", "RequireApplication", "Open"]
SearchType = Literal["All", "Comments", "Posts", "Communities", "Users", "Url"]


class LocalSite(Answer, frozen=True, kw_only=True):
    """What the administrators have chosen."""

    id: int
    site_id: int
    site_setup: bool
    enable_downvotes: bool
    enable_nsfw: bool
    community_creation_admin_only: bool
    require_email_verification: bool
    application_question: str | None = None
    private_instance: bool
    default_theme: str
    default_post_listing_type: Listing
    legal_information: str | None = None
    hide_modlog_mod_names: bool
    application_email_admins: bool
    slur_filter_regex: str | None = None
    actor_name_max_length: int
    federation_enabled: bool
    captcha_enabled: bool
    captcha_difficulty: str
    published: Time
    updated: Time | None = None
    registration_mode: RegistrationMode
    reports_email_admins: bool
    federation_signed_fetch: bool
    default_post_listing_mode: PostListingMode
    default_sort_type: Sort


class LocalSiteRateLimit(Answer, frozen=True, kw_only=True):
    """How many of what are taken from one address in how many seconds."""

    local_site_id: int
    message: int
    message_per_second: int
    post: int
    post_per_second: int
    register: int
    register_per_second: int
    image: int
    image_per_second: int
    comment: int
    comment_per_second: int
    search: int
    search_per_second: int
    published: Time
    updated: Time | None = None
    import_user_settings: int
    import_user_settings_per_second: int


class SiteAggregates(Answer, frozen=True, kw_only=True):
    """The tallies of the site."""

    site_id: int
    users: int
    posts: int
    comments: int
    communities: int
    users_active_day: int
    users_active_week: int
    users_active_month: int
    users_active_half_year: int


class SiteView(Answer, frozen=True, kw_only=True):
    """The site with its settings, limits and tallies."""

    site: Site
    local_site: LocalSite
    local_site_rate_limit: LocalSiteRateLimit
    counts: SiteAggregates


class Language(Answer, frozen=True, kw_only=True):
    """A language that things can be tagged with."""

    id: int
    code: str
    name: str


class Tagline(Answer, frozen=True, kw_only=True):
    """A line shown at the top of the site."""

    id: int
    local_site_id: int
    content: str
    published: Time
    updated: Time | None = None


class LocalSiteUrlBlocklist(Answer, frozen=True, kw_only=True):
    """An address that may not be posted."""

    id: int
    url: str
    published: Time
    updated: Time | None = None


class CustomEmoji(Answer, frozen=True, kw_only=True):
    """A picture that people use by its shortcode."""

    id: int
    local_site_id: int
    shortcode: str
    image_url: str
    alt_text: str
    category: str
    published: Time
    updated: Time | None = None


class CustomEmojiKeyword(Answer, frozen=True, kw_only=True):
    """A word by which an emoji is found."""

    custom_emoji_id: int
    keyword: str


class CustomEmojiView(Answer, frozen=True, kw_only=True):
    """An emoji with its keywords."""

    custom_emoji: CustomEmoji
    keywords: list[CustomEmojiKeyword]


class CustomEmojiResponse(Answer, frozen=True, kw_only=True):
    """One emoji as it is now."""

    custom_emoji: CustomEmojiView


class Search(Ask, frozen=True, kw_only=True):
    """Look for words, or with type `Url` for the posts of an address."""

    q: Prose
    community_id: Id | None = None
    community_name: Word | None = None
    creator_id: Id | None = None
    type_: SearchType = "All"
    sort: Sort = Sort.TOP_ALL
    listing_type: Listing = Listing.ALL
    page: PageNumber = 1
    limit: PageLength = PAGE_LENGTH_DEFAULT
    post_title_only: bool = False


class ResolveObject(Ask, frozen=True, kw_only=True):
    """Ask what is at an address, `!community@domain` or `@person@domain`."""

    q: Prose


class GetSiteResponse(Answer, frozen=True, kw_only=True):
    """All a client needs to start."""

    site_view: SiteView
    admins: list[PersonView]
    version: str
    my_user: MyUserInfo | None = None
    all_languages: tuple[Language, ...]
    discussion_languages: tuple[int, ...]
    taglines: list[Tagline]
    custom_emojis: list[CustomEmojiView]
    blocked_urls: list[LocalSiteUrlBlocklist]


class SearchResponse(Answer, frozen=True, kw_only=True):
    """What was found, by kind."""

    type_: SearchType
    comments: list[CommentView]
    posts: list[PostView]
    communities: list[CommunityView]
    users: list[PersonView]


class ResolveObjectResponse(Answer, frozen=True, kw_only=True):
    """The one thing at an address."""

    comment: CommentView | None = None
    post: PostView | None = None
    community: CommunityView | None = None
    person: PersonView | None = None


class FederatedInstances(Answer, frozen=True, kw_only=True):
    """The servers this one knows, and those it allows or blocks."""

    linked: list[InstanceWithFederationState]
    allowed: list[InstanceWithFederationState]
    blocked: list[InstanceWithFederationState]


class GetFederatedInstancesResponse(Answer, frozen=True, kw_only=True):
    """Other servers; without `federated_instances` while federation is off."""

    federated_instances: FederatedInstances | None = None
