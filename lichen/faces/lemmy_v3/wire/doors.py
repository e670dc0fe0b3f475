"""Applications, captchas, letters, second factors and bans as the Lemmy API has them."""

from lichen.faces.lemmy_v3.wire.base import (
    PAGE_LENGTH_DEFAULT,
    AddressList,
    Answer,
    Ask,
    Id,
    PageLength,
    PageNumber,
    Prose,
    Seconds,
    Time,
    Word,
)
from lichen.faces.lemmy_v3.wire.people import Person, PersonView
from lichen.faces.lemmy_v3.wire.users import LocalUser


class RegistrationApplication(Answer, frozen=True, kw_only=True):
    """What somebody answered who wants to join, and what was decided."""

    id: int
    local_user_id: int
    answer: str
    admin_id: int | None = None
    deny_reason: str | None = None
    published: Time


class RegistrationApplicationView(Answer, frozen=True, kw_only=True):
    """An application with who made it and who decided it."""

    registration_application: RegistrationApplication
    creator_local_user: LocalUser
    creator: Person
    admin: Person | None = None


class RegistrationApplicationResponse(Answer, frozen=True, kw_only=True):
    """One application."""

    registration_application: RegistrationApplicationView


class ListRegistrationApplications(Ask, frozen=True, kw_only=True):
    """Ask for a page of applications."""

    unread_only: bool = False
    page: PageNumber = 1
    limit: PageLength = PAGE_LENGTH_DEFAULT


class ListRegistrationApplicationsResponse(Answer, frozen=True, kw_only=True):
    """A page of applications."""

    registration_applications: list[RegistrationApplicationView]


class GetUnreadRegistrationApplicationCountResponse(Answer, frozen=True, kw_only=True):
    """How many applications wait."""

    registration_applications: int


class GetRegistrationApplication(Ask, frozen=True, kw_only=True):
    """Ask for the application of a person."""

    person_id: Id


class ApproveRegistrationApplication(Ask, frozen=True, kw_only=True):
    """Let an applicant in, or not."""

    id: Id
    approve: bool
    deny_reason: Prose | None = None


class CaptchaResponse(Answer, frozen=True, kw_only=True):
    """A captcha to see and to hear, in base64, and its name."""

    png: str
    wav: str
    uuid: str


class GetCaptchaResponse(Answer, frozen=True, kw_only=True):
    """A captcha, or none where this site asks none."""

    ok: CaptchaResponse | None = None


class VerifyEmail(Ask, frozen=True, kw_only=True):
    """Follow the link that was sent to an address."""

    token: Word


class PasswordReset(Ask, frozen=True, kw_only=True):
    """Ask for a link to a new password."""

    email: Word


class PasswordChangeAfterReset(Ask, frozen=True, kw_only=True):
    """Choose a new password by a link."""

    token: Word
    password: Word
    password_verify: Word


class GenerateTotpSecretResponse(Answer, frozen=True, kw_only=True):
    """The address that an authenticator reads."""

    totp_secret_url: str


class UpdateTotp(Ask, frozen=True, kw_only=True):
    """Switch the second factor on or off with a code of it."""

    totp_token: Word
    enabled: bool


class UpdateTotpResponse(Answer, frozen=True, kw_only=True):
    """Whether the second factor is on now."""

    enabled: bool


class DeleteAccount(Ask, frozen=True, kw_only=True):
    """End one's account, with what one wrote or without."""

    password: Word
    delete_content: bool


class AddAdmin(Ask, frozen=True, kw_only=True):
    """Make somebody an administrator, or no longer."""

    person_id: Id
    added: bool


class AddAdminResponse(Answer, frozen=True, kw_only=True):
    """The administrators now."""

    admins: list[PersonView]


class BanPerson(Ask, frozen=True, kw_only=True):
    """Ban somebody from the site, or let them in again; `expires` is in seconds since 1970."""

    person_id: Id
    ban: bool
    remove_data: bool = False
    reason: Prose | None = None
    expires: Seconds | None = None


class BanPersonResponse(Answer, frozen=True, kw_only=True):
    """The person, and whether they are banned now."""

    person_view: PersonView
    banned: bool


class BannedPersonsResponse(Answer, frozen=True, kw_only=True):
    """Everybody who is banned from the site."""

    banned: list[PersonView]


class ImportSettings(Ask, frozen=True, kw_only=True):
    """What Lemmy's export holds; the package sends it without a type."""

    display_name: Prose | None = None
    bio: Prose | None = None
    avatar: Prose | None = None
    banner: Prose | None = None
    matrix_id: Word | None = None
    bot_account: bool | None = None
    settings: "ImportedSettings | None" = None
    followed_communities: AddressList = ()
    saved_posts: AddressList = ()
    saved_comments: AddressList = ()
    blocked_communities: AddressList = ()
    blocked_users: AddressList = ()
    blocked_instances: AddressList = ()


class ImportedSettings(Ask, frozen=True, kw_only=True):
    """The choices inside of an export; names as in Lemmy's local_user."""

    show_nsfw: bool | None = None
    blur_nsfw: bool | None = None
    auto_expand: bool | None = None
    theme: Word | None = None
    default_sort_type: Word | None = None
    default_listing_type: Word | None = None
    interface_language: Word | None = None
    show_avatars: bool | None = None
    send_notifications_to_email: bool | None = None
    show_scores: bool | None = None
    show_bot_accounts: bool | None = None
    show_read_posts: bool | None = None
    open_links_in_new_tab: bool | None = None
    infinite_scroll_enabled: bool | None = None
    post_listing_mode: Word | None = None
    enable_keyboard_navigation: bool | None = None
    enable_animated_images: bool | None = None
    collapse_bot_comments: bool | None = None


class ImportReport(Answer, frozen=True, kw_only=True):
    """An import is done; `skipped` are the addresses of things that are not known here."""

    success: bool
    skipped: list[str]
