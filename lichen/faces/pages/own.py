"""My settings: the look, the profile, the password, the logins; one page, four forms."""

import msgspec
from litestar import Response, get, post
from litestar.params import FromQuery

from lichen.accounts import Actor, Away, ProfileDraft, Session, Settings, Viewer
from lichen.faces.pages.answers import page, see_other
from lichen.faces.pages.parts import GivenParts, Parts
from lichen.faces.pages.pictures import chosen, typed_with_files
from lichen.faces.pages.visit import DENSITIES, GivenVisit, PageRequest, Typed, Visit, typed
from lichen.faces.pages.wording import LISTING_WORDS, SORT_WORDS
from lichen.forum import LANGUAGES
from lichen.kit import Refused, from_isoformat
from lichen.store import Unit
from lichen.web import session_cookie

_THEMES = ("browser", "light", "dark")
_DONE = {
    "look": "It looks as you wish from now on.",
    "profile": "Your profile is kept.",
    "away": "You are away. Whoever asks for you waits; you will find it all in your inbox.",
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


@post("/settings/profile", status_code=200, request_max_body_size=None)
async def save_profile(
    request: PageRequest, parts: GivenParts, visit: GivenVisit
) -> Response[bytes]:
    """Keep what others see of me."""
    viewer = visit.required()
    fields = await typed_with_files(request, parts, visit)
    draft = ProfileDraft(
        display_name=fields.text("display_name"), bio=fields.raw("bio").strip(),
        avatar=fields.text("avatar"), banner=fields.text("banner"), bot=fields.flag("bot"),
    )
    try:
        draft = msgspec.structs.replace(
            draft, avatar=await chosen(parts, viewer, fields, "avatar"),
            banner=await chosen(parts, viewer, fields, "banner"),
        )
        await parts.store.write(lambda unit: parts.accounts.save_profile(unit, viewer, draft))
    except Refused as refused:
        return await show_settings(parts, visit, refused=refused, draft=draft)
    return _done(parts, visit, "profile")


@post("/settings/away", status_code=200)
async def go_away(request: PageRequest, parts: GivenParts, visit: GivenVisit) -> Response[bytes]:
    """Say that I am away until a day, or that I am back."""
    viewer = visit.required()
    fields = await typed(request)

    def command(unit: Unit) -> None:
        if fields.flag("back"):
            parts.accounts.come_back(unit, viewer)
        else:
            until_us = _morning_of(fields.text("until"))
            parts.accounts.go_away(unit, viewer, fields.text("note"), until_us=until_us)

    try:
        await parts.store.write(command)
    except Refused as refused:
        return await show_settings(parts, visit, refused=refused)
    if fields.flag("back"):
        return see_other(visit, parts.addresses.inbox)
    return _done(parts, visit, "away")


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

    def find(unit: Unit) -> tuple[list[Session], Away | None]:
        away = parts.accounts.away_among(unit, [viewer.id]).get(viewer.id)
        return parts.accounts.logins(unit, viewer), away

    (logins, away), frame = await parts.framed(visit, find)
    return await page(parts, visit, frame, "settings.html", values={
        "logins": logins,
        "away": away,
        "now_us": parts.now_us(),
        "typed": draft or _profile(viewer.actor),
        "sort_words": [(key.value, word) for key, word in SORT_WORDS.items()],
        "languages": [(language.id, language.name) for language in LANGUAGES],
        "error": refused.text if refused else "",
        "done": done,
    }, status=refused.status if refused else 200)


def _profile(actor: Actor) -> ProfileDraft:
    return ProfileDraft(
        display_name=actor.display_name or "", bio=actor.summary or "", avatar=actor.avatar or "",
        banner=actor.banner or "",
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
        show_bot_accounts=fields.flag("show_bots"),
        show_unread=fields.flag("show_unread"),
        languages=fields.numbers("languages"),
    )


def _morning_of(day: str) -> int:
    """Return when a day begins (UTC), or refuse what is no day."""
    try:
        return from_isoformat(f"{day}T00:00:00.000000Z")
    except ValueError:
        raise Refused("invalid_field", "A day is written as 2026-11-24.") from None


def _done(parts: Parts, visit: Visit, what: str) -> Response[bytes]:
    return see_other(visit, f"{parts.addresses.settings}?done={what}")


HANDLERS = [settings_page, save_look, save_profile, go_away, change_password, revoke]
