"""My settings: the look, the profile, the password, the logins; one page, four forms."""

import msgspec
from litestar import Response, get, post
from litestar.params import FromQuery

from lichen.accounts import Actor, ProfileDraft, Session, Settings, Viewer
from lichen.faces.pages.answers import page, see_other
from lichen.faces.pages.parts import GivenParts, Parts
from lichen.faces.pages.visit import DENSITIES, GivenVisit, PageRequest, Typed, Visit, typed
from lichen.faces.pages.wording import LISTING_WORDS, SORT_WORDS
from lichen.forum import LANGUAGES
from lichen.kit import Refused
from lichen.store import Unit
from lichen.web import session_cookie

_THEMES = ("browser", "light", "dark")
_DONE = {
    "look": "It looks as you wish from now on.",
    "profile": "Your profile is kept.",
    "password": "The password is changed; every other login has ended.",
    "email": "Your address is kept; open the link in the letter we sent to it, if one was sent.",
    "revoke": "That login has ended.",
}


@get("/settings")
async def settings_page(
    parts: GivenParts, visit: GivenVisit, done: FromQuery[str] = ""
) -> Response[bytes]:
    """Show what I have chosen."""
    return await show_settings(parts, visit, done=_DONE.get(done, ""))


@post("/settings/look", status_code=200)
async def save_look(request: PageRequest, parts: GivenParts, visit: GivenVisit) -> Response[bytes]:
    """Keep how things look and which posts come first."""
    viewer = visit.required()
    fields = await typed(request)
    try:
        settings = _look(viewer, fields)
        await parts.store.write(lambda unit: parts.accounts.save_settings(unit, viewer, settings))
    except Refused as refused:
        return await show_settings(parts, visit, refused=refused)
    return _done(parts, visit, "look")


@post("/settings/profile", status_code=200)
async def save_profile(
    request: PageRequest, parts: GivenParts, visit: GivenVisit
) -> Response[bytes]:
    """Keep what others see of me."""
    viewer = visit.required()
    fields = await typed(request)
    draft = ProfileDraft(
        display_name=fields.text("display_name"), bio=fields.raw("bio").strip(),
        avatar=fields.text("avatar"),
    )
    try:
        await parts.store.write(lambda unit: parts.accounts.save_profile(unit, viewer, draft))
    except Refused as refused:
        return await show_settings(parts, visit, refused=refused, draft=draft)
    return _done(parts, visit, "profile")


@post("/settings/password", status_code=200)
async def change_password(
    request: PageRequest, parts: GivenParts, visit: GivenVisit
) -> Response[bytes]:
    """Change my password; every other login ends."""
    viewer = visit.required()
    fields = await typed(request)
    try:
        login = await parts.accounts.change_password(viewer, fields.raw("old"), fields.raw("new"))
    except Refused as refused:
        return await show_settings(parts, visit, refused=refused)
    assert login.token is not None
    cookie = session_cookie(login.token, is_secure=parts.addresses.is_secure)
    return see_other(visit, f"{parts.addresses.settings}?done=password", cookies=[cookie])


@post("/settings/revoke", status_code=200)
async def revoke(request: PageRequest, parts: GivenParts, visit: GivenVisit) -> Response[bytes]:
    """End one of my logins."""
    viewer = visit.required()
    session_id = (await typed(request)).text("session")
    await parts.store.write(lambda unit: parts.accounts.revoke(unit, viewer, session_id))
    return _done(parts, visit, "revoke")


async def show_settings(
    parts: Parts, visit: Visit, *, done: str = "", refused: Refused | None = None,
    draft: ProfileDraft | None = None,
) -> Response[bytes]:
    """Answer with the page of settings: what was done, or why it was not."""
    viewer = visit.required()

    def find(unit: Unit) -> list[Session]:
        return parts.accounts.logins(unit, viewer)

    logins, frame = await parts.framed(visit, find)
    return await page(parts, visit, frame, "settings.html", values={
        "logins": logins,
        "now_us": parts.now_us(),
        "typed": draft or _profile(viewer.actor),
        "sort_words": [(key.value, word) for key, word in SORT_WORDS.items()],
        "languages": [(language.id, language.name) for language in LANGUAGES],
        "error": refused.text if refused else "",
        "done": done,
    }, status=refused.status if refused else 200)


def _profile(actor: Actor) -> ProfileDraft:
    return ProfileDraft(
        display_name=actor.display_name or "", bio=actor.summary or "", avatar=actor.avatar or ""
    )


def _look(viewer: Viewer, fields: Typed) -> Settings:
    return msgspec.structs.replace(
        viewer.settings,
        theme=fields.one_of("theme", _THEMES),
        density=fields.one_of("density", DENSITIES),
        serif=fields.flag("serif"),
        default_listing_type=fields.one_of("listing", tuple(key.value for key in LISTING_WORDS)),
        default_sort_type=fields.one_of("sort", tuple(key.value for key in SORT_WORDS)),
        show_nsfw=fields.flag("show_nsfw"),
        blur_nsfw=fields.flag("blur_nsfw"),
        show_read_posts=fields.flag("show_read"),
        languages=fields.numbers("languages"),
    )


def _done(parts: Parts, visit: Visit, what: str) -> Response[bytes]:
    return see_other(visit, f"{parts.addresses.settings}?done={what}")


HANDLERS = [settings_page, save_look, save_profile, change_password, revoke]
