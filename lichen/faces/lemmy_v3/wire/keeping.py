"""What administrators keep about the site: its settings, lists and emoji; and who voted how."""

from typing import Annotated

from msgspec import Meta

from lichen.faces.lemmy_v3.wire.base import (
    PAGE_LENGTH_DEFAULT,
    Answer,
    Ask,
    Id,
    Ids,
    PageLength,
    PageNumber,
    Prose,
    Word,
)
from lichen.faces.lemmy_v3.wire.people import Person
from lichen.faces.lemmy_v3.wire.sites import RegistrationMode, SiteView, Tagline
from lichen.faces.lemmy_v3.wire.users import PostListingMode
from lichen.forum import Listing, Sort

LIST_LENGTH_MAX = 10_000  # above every list of the rooms, so that theirs speak first

Rate = Annotated[int, Meta(ge=1, le=2**31 - 1)]
NameLength = Annotated[int, Meta(ge=0, le=2**31 - 1)]
Lines = Annotated[tuple[Prose, ...], Meta(max_length=LIST_LENGTH_MAX)]


class _SiteFields(Ask, frozen=True, kw_only=True):
    """What creating and editing a site have in common; what is unset stays as it is."""

    sidebar: Prose | None = None
    description: Prose | None = None
    icon: Prose | None = None
    banner: Prose | None = None
    enable_downvotes: bool | None = None
    enable_nsfw: bool | None = None
    community_creation_admin_only: bool | None = None
    require_email_verification: bool | None = None
    application_question: Prose | None = None
    private_instance: bool | None = None
    default_theme: Word | None = None
    default_post_listing_type: Listing | None = None
    default_sort_type: Sort | None = None
    legal_information: Prose | None = None
    application_email_admins: bool | None = None
    hide_modlog_mod_names: bool | None = None
    discussion_languages: Ids | None = None
    slur_filter_regex: Prose | None = None
    actor_name_max_length: NameLength | None = None
    rate_limit_message: Rate | None = None
    rate_limit_message_per_second: Rate | None = None
    rate_limit_post: Rate | None = None
    rate_limit_post_per_second: Rate | None = None
    rate_limit_register: Rate | None = None
    rate_limit_register_per_second: Rate | None = None
    rate_limit_image: Rate | None = None
    rate_limit_image_per_second: Rate | None = None
    rate_limit_comment: Rate | None = None
    rate_limit_comment_per_second: Rate | None = None
    rate_limit_search: Rate | None = None
    rate_limit_search_per_second: Rate | None = None
    federation_enabled: bool | None = None
    federation_debug: bool | None = None
    captcha_enabled: bool | None = None
    captcha_difficulty: Word | None = None
    allowed_instances: Lines | None = None
    blocked_instances: Lines | None = None
    taglines: Lines | None = None
    registration_mode: RegistrationMode | None = None
    content_warning: Prose | None = None
    default_post_listing_mode: PostListingMode | None = None


class CreateSite(_SiteFields, frozen=True, kw_only=True):
    """Set the site up, once."""

    name: Prose


class EditSite(_SiteFields, frozen=True, kw_only=True):
    """Change what the administrators decide; "" empties a text."""

    name: Prose | None = None
    blocked_urls: Lines | None = None
    reports_email_admins: bool | None = None


class SiteResponse(Answer, frozen=True, kw_only=True):
    """The site as it is now."""

    site_view: SiteView
    taglines: list[Tagline]


class CreateCustomEmoji(Ask, frozen=True, kw_only=True):
    """Let people use a picture by its shortcode."""

    category: Word
    shortcode: Word
    image_url: Prose
    alt_text: Prose
    keywords: Lines


class EditCustomEmoji(Ask, frozen=True, kw_only=True):
    """Change everything of an emoji but its shortcode."""

    id: Id
    category: Word
    image_url: Prose
    alt_text: Prose
    keywords: Lines


class DeleteCustomEmoji(Ask, frozen=True, kw_only=True):
    """Take an emoji away."""

    id: Id


class ListPostLikes(Ask, frozen=True, kw_only=True):
    """Ask who voted on a post; for moderators."""

    post_id: Id
    page: PageNumber = 1
    limit: PageLength = PAGE_LENGTH_DEFAULT


class ListCommentLikes(Ask, frozen=True, kw_only=True):
    """Ask who voted on a comment; for moderators."""

    comment_id: Id
    page: PageNumber = 1
    limit: PageLength = PAGE_LENGTH_DEFAULT


class VoteView(Answer, frozen=True, kw_only=True):
    """Who voted, and how."""

    creator: Person
    creator_banned_from_community: bool
    score: int


class ListPostLikesResponse(Answer, frozen=True, kw_only=True):
    """The votes on a post."""

    post_likes: list[VoteView]


class ListCommentLikesResponse(Answer, frozen=True, kw_only=True):
    """The votes on a comment."""

    comment_likes: list[VoteView]
