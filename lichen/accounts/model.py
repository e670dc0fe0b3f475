"""The nouns of accounts: actors, accounts, settings, sessions; and what may be said of names.

Pure: nothing here reads a clock, a file or a row.
"""

import base64
import hashlib
import re
from enum import StrEnum
from typing import Literal, NewType
from urllib.parse import urlsplit

import msgspec

from lichen.accounts.limits import (
    BIO_LENGTH_MAX,
    DISPLAY_NAME_LENGTH_MAX,
    EMAIL_LENGTH_MAX,
    LANGUAGES_MAX,
    NAME_LENGTH_MAX,
    NAME_LENGTH_MIN,
    NAME_LENGTH_SETTABLE_MAX,
    PASSWORD_LENGTH_MAX,
    PASSWORD_LENGTH_MIN,
    SITE_DESCRIPTION_LENGTH_MAX,
    SITE_NAME_LENGTH_MAX,
    SITE_TEXT_LENGTH_MAX,
    TEXT_CHOICE_LENGTH_MAX,
    URL_LENGTH_MAX,
)
from lichen.accounts.rates import RateLimits
from lichen.accounts.standing import Permission
from lichen.kit import Reason, Refused

ActorId = NewType("ActorId", int)
SessionId = NewType("SessionId", str)

PostListingMode = Literal["List", "Card", "SmallCard"]  # values of the Lemmy API

OUR_INSTANCE_ID = 1  # every other instance has a higher id

# Lemmy 0.19: Latin letters, digits and underscore; or all Arabic; or all Cyrillic; 3 or more.
_NAME = re.compile(
    r"[A-Za-z0-9_]{3,}"
    r"|[\u0621-\u063A\u0640-\u0652\u0660-\u0669_0-9]{3,}"
    r"|[\u0400-\u04FF_0-9]{3,}"
)
# HTML Living Standard, "Valid e-mail address", with at least one dot in the domain.
_EMAIL = re.compile(r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]+@[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)+")
# Matrix specification, "User Identifiers": @localpart:domain.
_MATRIX_ID = re.compile(r"@[A-Za-z0-9._=/+-]+:[A-Za-z0-9.-]+\.[A-Za-z]{2,}(:[0-9]{1,5})?")
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")  # control characters and line ends
_DID_HASH_LENGTH = 26  # characters of base32, so 130 bits


class ActorKind(StrEnum):
    """What an actor is; the values are ActivityPub's type names."""

    PERSON = "Person"
    COMMUNITY = "Group"
    SITE = "Application"


class Actor(msgspec.Struct, frozen=True):
    """A person, a community or a site, local or remote.

    `id` is ours and never reused; `ap_id` is what the actor was born with; `did` names it in
    events. `banned` is a ban from this site, `ban_expires_us` its end (None: no end).
    """

    id: ActorId
    kind: ActorKind
    name: str
    display_name: str | None
    instance_id: int
    domain: str
    local: bool
    ap_id: str
    did: str
    summary: str | None
    avatar: str | None
    banner: str | None
    matrix_user_id: str | None
    inbox: str
    published_us: int
    updated_us: int | None
    deleted: bool
    banned: bool
    ban_expires_us: int | None
    bot: bool
    admin: bool

    @property
    def shown_name(self) -> str:
        """The name people see: the display name where there is one."""
        return self.display_name or self.name


class Settings(msgspec.Struct, frozen=True, omit_defaults=True):
    """What a person has chosen; stored as one JSON column, so a new choice needs no migration.

    `languages` holds language ids, empty meaning all. Enum values are those of the Lemmy API.
    """

    email: str | None = None
    show_nsfw: bool = False
    blur_nsfw: bool = True
    auto_expand: bool = False
    theme: str = "browser"
    default_sort_type: str = "Active"
    default_listing_type: str = "Local"
    post_listing_mode: PostListingMode = "List"
    interface_language: str = "browser"
    languages: tuple[int, ...] = ()
    show_avatars: bool = True
    send_notifications_to_email: bool = False
    show_scores: bool = True
    show_upvotes: bool = True
    show_downvotes: bool = True
    show_upvote_percentage: bool = False
    show_bot_accounts: bool = True
    show_read_posts: bool = True
    open_links_in_new_tab: bool = False
    infinite_scroll_enabled: bool = False
    enable_keyboard_navigation: bool = True
    enable_animated_images: bool = True
    collapse_bot_comments: bool = False
    serif: bool = False
    density: str = "card"
    show_unread: bool = False


class Account(msgspec.Struct, frozen=True):
    """A local person's account as its owner's commands need it; `actor` is the person."""

    id: int
    actor: Actor
    settings: Settings
    accepted: bool
    email_verified: bool


class Viewer(msgspec.Struct, frozen=True):
    """Who is asking: a logged-in local person with its account.

    `vouched`: it came by an invitation; `once_banned`: it was ever banned from the site;
    `moved`: it is somewhere else now and writes nothing here.
    Kept in memory per session (see accounts/reader.py) and always current within this process.
    """

    actor: Actor
    account_id: int
    settings: Settings
    session_id: SessionId
    accepted: bool
    email_verified: bool
    permissions: frozenset[Permission] = frozenset()
    totp_enabled: bool = False
    vouched: bool = False
    once_banned: bool = False
    moved: bool = False

    @property
    def id(self) -> ActorId:
        """The actor id of the viewer."""
        return self.actor.id

    @property
    def admin(self) -> bool:
        """Whether the viewer administers this site."""
        return self.actor.admin


class Login(msgspec.Struct, frozen=True):
    """The answer to a login or a registration; `token` is None where one waits (`holds`: why)."""

    token: str | None
    registration_created: bool = False
    verify_email_sent: bool = False
    holds: tuple[Reason, ...] = ()


class Instance(msgspec.Struct, frozen=True):
    """Another server, or ours (id 1), by its authority."""

    id: int
    domain: str
    software: str | None
    version: str | None
    published_us: int
    updated_us: int | None


class Keys(msgspec.Struct, frozen=True):
    """An actor's RSA keys as PEM; we hold the private one of local actors alone."""

    public: str
    private: str | None


class ActorDraft(msgspec.Struct, frozen=True, kw_only=True):
    """An actor to be created; what is None is given by us.

    A local actor has no `domain`; a remote one needs `domain`, `ap_id` and `inbox`. `id`, `ap_id`
    and `keys` may be given for local ones too, when a whole server is taken over.
    """

    kind: ActorKind
    name: str
    domain: str | None = None
    ap_id: str | None = None
    inbox: str | None = None
    display_name: str | None = None
    summary: str | None = None
    avatar: str | None = None
    banner: str | None = None
    matrix_user_id: str | None = None
    bot: bool = False
    admin: bool = False
    published_us: int | None = None
    id: int | None = None
    keys: Keys | None = None


class AccountDraft(msgspec.Struct, frozen=True, kw_only=True):
    """A local person to be created with its account; `password_hash` may be bcrypt."""

    actor: ActorDraft
    password_hash: str
    settings: Settings = Settings()
    accepted: bool = True
    email_verified: bool = False
    answer: str | None = None
    id: int | None = None


class ProfileDraft(msgspec.Struct, frozen=True, kw_only=True):
    """What a person changes about itself: None leaves a field as it is, "" empties it."""

    display_name: str | None = None
    bio: str | None = None
    avatar: str | None = None
    banner: str | None = None
    matrix_user_id: str | None = None
    bot: bool | None = None


class SiteSettings(RateLimits, frozen=True, omit_defaults=True):
    """What the administrators decide about the site; stored as one JSON column.

    The fields are those of Lemmy's local_site. `languages` holds language ids, empty meaning all.
    `set_up` is true from the first administrator on and not theirs to change.
    """

    name: str = "Lichen"
    description: str | None = None
    sidebar: str | None = None
    icon: str | None = None
    banner: str | None = None
    content_warning: str | None = None
    legal_information: str | None = None
    set_up: bool = False
    registration_mode: Literal["Open", "RequireApplication", "Closed"] = "Open"
    application_question: str | None = None
    application_email_admins: bool = False
    reports_email_admins: bool = False
    require_email_verification: bool = False
    invite_only: bool = False
    captcha_enabled: bool = False
    captcha_difficulty: str = "medium"
    enable_downvotes: bool = True
    enable_nsfw: bool = True
    community_creation_admin_only: bool = False
    private_instance: bool = False
    hide_modlog_mod_names: bool = True
    federation_enabled: bool = True
    federation_signed_fetch: bool = False
    slur_filter_regex: str | None = None
    actor_name_max_length: int = NAME_LENGTH_MAX
    default_theme: str = "browser"
    default_post_listing_type: str = "Local"
    default_post_listing_mode: PostListingMode = "List"
    default_sort_type: str = "Active"
    languages: tuple[int, ...] = ()


class Site(msgspec.Struct, frozen=True):
    """This site: its actor and what is decided about it."""

    actor: Actor
    settings: SiteSettings
    published_us: int
    updated_us: int | None


def site_did(authority: str) -> str:
    """Return the DID of a site of ours."""
    # did:web, "Method-specific identifier": a port's colon is percent-encoded.
    return "did:web:" + authority.replace(":", "%3A")


def remote_did(authority: str, ap_id: str) -> str:
    """Return the DID under which we speak of a remote actor; `authority` is ours."""
    digest = hashlib.sha256(ap_id.encode()).digest()
    name = base64.b32encode(digest).decode().lower()[:_DID_HASH_LENGTH]
    return f"{site_did(authority)}:r:{name}"


def check_name(name: str, *, length_max: int = NAME_LENGTH_MAX) -> str:
    """Return the name, or refuse it by Lemmy's rule."""
    if len(name) > length_max or not _NAME.fullmatch(name):
        raise Refused(
            "invalid_name",
            f"A name has {NAME_LENGTH_MIN} to {length_max} letters, digits or underscores, all of "
            f"one script; this one has {len(name)} characters.",
        )
    return name


def check_password(password: str) -> str:
    """Return the password, or refuse its length."""
    if not PASSWORD_LENGTH_MIN <= len(password) <= PASSWORD_LENGTH_MAX:
        raise Refused(
            "invalid_password",
            f"A password has {PASSWORD_LENGTH_MIN} to {PASSWORD_LENGTH_MAX} characters; "
            f"this one has {len(password)}.",
        )
    return password


def check_email(email: str | None) -> str | None:
    """Return the e-mail address in lower case, None for none, or refuse it."""
    if not email:
        return None
    if len(email) > EMAIL_LENGTH_MAX or not _EMAIL.fullmatch(email):
        raise Refused("invalid_email", "An e-mail address looks like name@example.org.")
    return email.lower()


def check_profile(draft: ProfileDraft) -> ProfileDraft:
    """Return the draft, or refuse the first field that is wrong."""
    shown = draft.display_name
    if shown and (len(shown) > DISPLAY_NAME_LENGTH_MAX or shown != shown.strip()
                  or shown.startswith("@") or _CONTROL.search(shown)):
        raise Refused(
            "invalid_display_name",
            f"A display name has 1 to {DISPLAY_NAME_LENGTH_MAX} characters in one line, does not "
            "start with @, and neither starts nor ends with a space.",
        )
    if draft.bio and len(draft.bio) > BIO_LENGTH_MAX:
        raise _too_long("bio_length_overflow", "A bio", BIO_LENGTH_MAX, len(draft.bio))
    if draft.matrix_user_id and not _MATRIX_ID.fullmatch(draft.matrix_user_id):
        raise Refused("invalid_matrix_id", "A Matrix id looks like @name:example.org.")
    check_picture(draft.avatar)
    check_picture(draft.banner)
    return draft


def check_settings(settings: Settings) -> Settings:
    """Return the settings with the e-mail address in lower case, or refuse them."""
    named = (settings.theme, settings.interface_language, settings.density,
             settings.default_sort_type, settings.default_listing_type, settings.post_listing_mode)
    if max(map(len, named)) > TEXT_CHOICE_LENGTH_MAX or len(settings.languages) > LANGUAGES_MAX:
        raise Refused("couldnt_update_user", "A choice is one of those offered.")
    return msgspec.structs.replace(settings, email=check_email(settings.email))


def check_site(site: SiteSettings) -> SiteSettings:
    """Return the site's settings, or refuse the first that is wrong."""
    # It stands in the subject of letters, so it is one line (RFC 5322 §2.2).
    if not site.name.strip() or _CONTROL.search(site.name):
        raise Refused("site_name_required", "A site has a name, in one line.")
    if len(site.name) > SITE_NAME_LENGTH_MAX:
        raise _too_long("site_name_length_overflow", "A site's name", SITE_NAME_LENGTH_MAX,
                        len(site.name))
    described = len(site.description or "")
    if described > SITE_DESCRIPTION_LENGTH_MAX:
        raise _too_long("site_description_length_overflow", "A site's description",
                        SITE_DESCRIPTION_LENGTH_MAX, described)
    for text in (site.sidebar, site.legal_information, site.content_warning,
                 site.application_question):
        if text and len(text) > SITE_TEXT_LENGTH_MAX:
            raise _too_long("invalid_body_field", "This text", SITE_TEXT_LENGTH_MAX, len(text))
    check_picture(site.icon)
    check_picture(site.banner)
    if site.registration_mode == "RequireApplication" and not site.application_question:
        raise Refused("application_question_required", "Say what applicants shall answer.")
    if site.private_instance and site.federation_enabled:
        raise Refused("cant_enable_private_instance_and_federation_together",
                      "A private site does not federate; switch one of the two off.")
    if site.default_post_listing_type not in ("All", "Local"):
        raise Refused("invalid_default_post_listing_type", "Strangers see All or Local.")
    if not NAME_LENGTH_MIN <= site.actor_name_max_length <= NAME_LENGTH_SETTABLE_MAX:
        raise Refused(
            "invalid_name",
            f"Names may be limited to {NAME_LENGTH_MIN} to {NAME_LENGTH_SETTABLE_MAX} characters.",
        )
    return site


def check_picture(url: str | None) -> None:
    """Refuse what is no address a picture can be shown from; None and "" are none."""
    if not url:
        return
    if len(url) > URL_LENGTH_MAX:
        raise _too_long("url_length_overflow", "An address", URL_LENGTH_MAX, len(url))
    try:
        parts = urlsplit(url)
        named = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:  # RFC 3986 §3.2.2: a bracket that is not closed, a port that is no number
        named = False
    if not named or not url.isprintable() or any(sign in url for sign in ' <>"'):
        raise Refused("invalid_url", "A picture's address starts with https:// and a host.")


def _too_long(code: str, what: str, length_max: int, length: int) -> Refused:
    return Refused(code, f"{what} has at most {length_max} characters; this one has {length}.")
