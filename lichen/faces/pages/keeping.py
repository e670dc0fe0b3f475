"""Administration: the site's settings by groups, its emoji, its flags; and the legal page."""

from litestar import Response, get, post
from litestar.params import FromPath, FromQuery

from lichen.accounts import Emoji, EmojiDraft, Site, SiteLists, Viewer, check_admin
from lichen.faces.pages.answers import page, see_other
from lichen.faces.pages.keeping_fields import (
    GROUPS,
    Group,
    as_typed,
    group_named,
    settings_typed,
    shown,
)
from lichen.faces.pages.parts import GivenParts, Parts
from lichen.faces.pages.visit import GivenVisit, Number, PageRequest, Typed, Visit, typed
from lichen.forum import LANGUAGES
from lichen.kit import NotFound, Refused
from lichen.kit.flags import MEANINGS, Flag
from lichen.rules import Screen, check_pattern
from lichen.store import Unit

_KEPT = "It is kept, and holds from now on."
_BLANK = EmojiDraft(shortcode="", image_url="", alt_text="", category="")


@get("/admin")
async def admin_page(parts: GivenParts, visit: GivenVisit) -> Response[bytes]:
    """Show what an administrator can do, group by group."""
    check_admin(visit.required())
    frame = await parts.frame(visit)
    return await page(parts, visit, frame, "admin.html", values={"groups": GROUPS})


@get("/admin/emoji")
async def emoji_page(
    parts: GivenParts, visit: GivenVisit, done: FromQuery[str] = ""
) -> Response[bytes]:
    """Show the site's emoji, and the form for one more."""
    return await _emoji_page(parts, visit, _BLANK, done=_KEPT if done else "")


@post("/admin/emoji", status_code=200)
async def create_emoji(
    request: PageRequest, parts: GivenParts, visit: GivenVisit
) -> Response[bytes]:
    """Add an emoji, or say why not."""
    viewer = _keeper(visit)
    draft = _emoji_draft(await typed(request))
    try:
        await parts.store.write(lambda unit: parts.accounts.create_emoji(unit, viewer, draft))
    except Refused as refused:
        return await _emoji_page(parts, visit, draft, refused=refused)
    return see_other(visit, f"{parts.addresses.admin}/emoji?done=1")


@post("/admin/emoji/{emoji_id:int}", status_code=200)
async def edit_emoji(
    request: PageRequest, parts: GivenParts, visit: GivenVisit, emoji_id: Number
) -> Response[bytes]:
    """Change an emoji, or take it away."""
    viewer = _keeper(visit)
    fields = await typed(request)
    draft = _emoji_draft(fields)

    def command(unit: Unit) -> None:
        if fields.flag("delete"):
            parts.accounts.delete_emoji(unit, viewer, emoji_id)
        else:
            parts.accounts.edit_emoji(unit, viewer, emoji_id, draft)

    try:
        await parts.store.write(command)
    except NotFound:
        raise
    except Refused as refused:
        return await _emoji_page(parts, visit, _BLANK, refused=refused)
    return see_other(visit, f"{parts.addresses.admin}/emoji?done=1")


@get("/admin/flags")
async def flags_page(parts: GivenParts, visit: GivenVisit) -> Response[bytes]:
    """Show the parts of the house that can be switched off while it runs."""
    _keeper(visit)
    known, frame = await parts.framed(visit, parts.accounts.flags)
    flags = [(flag, MEANINGS[flag], known.get(flag, True)) for flag in Flag]
    return await page(parts, visit, frame, "admin_flags.html", values={
        "groups": GROUPS, "flags": flags,
    })


@post("/admin/flags", status_code=200)
async def set_flag(request: PageRequest, parts: GivenParts, visit: GivenVisit) -> Response[bytes]:
    """Switch a part of the house on or off."""
    viewer = _keeper(visit)
    fields = await typed(request)
    name, on = fields.text("flag"), fields.flag("on")
    await parts.store.write(lambda unit: parts.accounts.set_flag(unit, viewer, name, on=on))
    return see_other(visit, f"{parts.addresses.admin}/flags")


@get("/admin/{key:str}")
async def group_page(
    parts: GivenParts, visit: GivenVisit, key: FromPath[str], done: FromQuery[str] = ""
) -> Response[bytes]:
    """Show one group of settings."""
    _keeper(visit)
    group = _group(key)
    site, lists = await parts.store.read(lambda unit: _site(parts, unit))
    held = shown(group, site.settings, lists)
    return await _group_page(parts, visit, group, held, done=_KEPT if done else "")


@post("/admin/{key:str}", status_code=200)
async def keep_group(
    request: PageRequest, parts: GivenParts, visit: GivenVisit, key: FromPath[str]
) -> Response[bytes]:
    """Keep one group of settings, try its filter on a text, or say why not."""
    viewer = _keeper(visit)
    group = _group(key)
    fields = await typed(request)
    back = as_typed(group, fields)
    if fields.flag("try"):
        return await _tried(parts, visit, group, back, fields)

    def command(unit: Unit) -> None:
        site, lists = _site(parts, unit)
        settings, listed = settings_typed(group, fields, site.settings, lists)
        parts.accounts.edit_site(unit, viewer, settings, None if listed == lists else listed)

    try:
        await parts.store.write(command)
    except Refused as refused:
        return await _group_page(parts, visit, group, back, refused=refused)
    return see_other(visit, f"{parts.addresses.admin}/{group.key}?done=1")


@get("/legal")
async def legal_page(parts: GivenParts, visit: GivenVisit) -> Response[bytes]:
    """Show the legal text of this site."""
    text = parts.accounts.current_site.settings.legal_information
    if not text:
        raise NotFound("couldnt_find_page", "This site has written no legal text.")
    frame = await parts.frame(visit)
    return await page(parts, visit, frame, "legal.html", values={"text": text})


def _keeper(visit: Visit) -> Viewer:
    viewer = visit.required()
    check_admin(viewer)
    return viewer


def _group(key: str) -> Group:
    group = group_named(key)
    if group is None:
        raise NotFound("couldnt_find_page", "There is no such group of settings.")
    return group


def _site(parts: Parts, unit: Unit) -> tuple[Site, SiteLists]:
    return parts.accounts.site(unit), parts.accounts.current_lists


async def _tried(
    parts: Parts, visit: Visit, group: Group, back: dict[str, object], fields: Typed
) -> Response[bytes]:
    """Show what the filter as typed would find in a text; nothing is kept."""
    pattern, text = fields.raw("slur_filter_regex").strip(), fields.raw("sample")
    try:
        hits = Screen(check_pattern(pattern)).hits(text) if pattern else []
    except Refused as refused:
        return await _group_page(parts, visit, group, back, refused=refused, sample=text)
    found = "It would refuse this text for: " + ", ".join(hits) if hits else (
        "It would let this text through."
    )
    return await _group_page(parts, visit, group, back, tried=found, sample=text)


async def _group_page(
    parts: Parts, visit: Visit, group: Group, held: dict[str, object], *, done: str = "",
    refused: Refused | None = None, tried: str = "", sample: str = "",
) -> Response[bytes]:
    frame = await parts.frame(visit)
    return await page(parts, visit, frame, "admin_group.html", values={
        "groups": GROUPS, "group": group, "held": held, "done": done, "tried": tried,
        "sample": sample, "error": refused.text if refused else "",
        "languages": [(language.id, language.name) for language in LANGUAGES if language.id],
    }, status=refused.status if refused else 200)


async def _emoji_page(
    parts: Parts, visit: Visit, draft: EmojiDraft, *, done: str = "",
    refused: Refused | None = None,
) -> Response[bytes]:
    _keeper(visit)

    def find(unit: Unit) -> list[Emoji]:
        return parts.accounts.emojis(unit)

    emojis, frame = await parts.framed(visit, find)
    return await page(parts, visit, frame, "admin_emoji.html", values={
        "groups": GROUPS, "emojis": emojis, "draft": draft, "done": done,
        "error": refused.text if refused else "",
    }, status=refused.status if refused else 200)


def _emoji_draft(fields: Typed) -> EmojiDraft:
    return EmojiDraft(
        shortcode=fields.text("shortcode"), image_url=fields.text("image_url"),
        alt_text=fields.text("alt_text"), category=fields.text("category"),
        keywords=tuple(fields.text("keywords").replace(",", " ").split()),
    )


HANDLERS = [
    admin_page, emoji_page, create_emoji, edit_emoji, flags_page, set_flag, group_page, keep_group,
    legal_page,
]
