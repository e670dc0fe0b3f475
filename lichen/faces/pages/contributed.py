"""What plugins contribute: their pages inside our frame, and the list of plugins."""

from typing import Literal
from urllib.parse import parse_qsl

from litestar import Response, get, post
from litestar.params import FromPath
from markupsafe import Markup

from lichen.accounts import Viewer
from lichen.faces.pages.answers import page, see_other
from lichen.faces.pages.parts import GivenParts, Parts
from lichen.faces.pages.visit import FIELDS_MAX, GivenVisit, PageRequest, Visit, typed
from lichen.kit import Forbidden, Refused
from lichen.plugins import PageAsked, Person
from lichen.web import check_text

Method = Literal["GET", "POST"]


@get("/x/{plugin:str}")
async def plugin_front(
    request: PageRequest, parts: GivenParts, visit: GivenVisit, plugin: FromPath[str]
) -> Response[bytes]:
    """Show a plugin's first page."""
    return await _contributed(parts, visit, plugin, _asked(parts, visit, "", _query(request)))


@get("/x/{plugin:str}/{rest:path}")
async def plugin_page(
    request: PageRequest, parts: GivenParts, visit: GivenVisit, plugin: FromPath[str],
    *, rest: FromPath[str],
) -> Response[bytes]:
    """Show another page of a plugin."""
    return await _contributed(parts, visit, plugin, _asked(parts, visit, rest, _query(request)))


@post("/x/{plugin:str}", status_code=200)
async def plugin_form(
    request: PageRequest, parts: GivenParts, visit: GivenVisit, plugin: FromPath[str]
) -> Response[bytes]:
    """Hand a form to a plugin."""
    fields = await _form(request)
    return await _contributed(parts, visit, plugin, _asked(parts, visit, "", fields, "POST"))


@post("/x/{plugin:str}/{rest:path}", status_code=200)
async def plugin_page_form(
    request: PageRequest, parts: GivenParts, visit: GivenVisit, plugin: FromPath[str],
    *, rest: FromPath[str],
) -> Response[bytes]:
    """Hand a form of another page to a plugin."""
    fields = await _form(request)
    return await _contributed(parts, visit, plugin, _asked(parts, visit, rest, fields, "POST"))


@get("/admin/plugins")
async def plugins_page(parts: GivenParts, visit: GivenVisit) -> Response[bytes]:
    """Show administrators which plugins there are, what they do and how they are."""
    _administrator(visit)
    frame = await parts.frame(visit)
    return await page(parts, visit, frame, "plugins.html", values={
        "plugins": parts.plugins.standings(),
    })


@post("/admin/plugins", status_code=200)
async def switch_plugin(
    request: PageRequest, parts: GivenParts, visit: GivenVisit
) -> Response[bytes]:
    """Switch a plugin on or off, or its use of the network."""
    viewer = _administrator(visit)
    fields = await typed(request)
    wanted = {
        name: fields.flag(name) if fields.text(name) else None for name in ("on", "network")
    }
    await parts.plugins.switch(_person(viewer), fields.text("name"), **wanted)
    return see_other(visit, parts.addresses.plugins)


async def _contributed(
    parts: Parts, visit: Visit, plugin: str, asked: PageAsked
) -> Response[bytes]:
    shown = await parts.plugins.show(plugin, asked)
    if shown.go_to is not None:
        return see_other(visit, shown.go_to)
    frame = await parts.frame(visit)
    return await page(parts, visit, frame, "contributed.html", values={
        "title": shown.title,
        "plugin": plugin,
        "content": Markup(shown.html),  # cleaned by the room
    }, status=shown.status)


def _asked(
    parts: Parts, visit: Visit, path: str, fields: dict[str, str], method: Method = "GET"
) -> PageAsked:
    return PageAsked(
        path=check_text(path, "The address").strip("/"), method=method, fields=fields,
        person=None if visit.viewer is None else _person(visit.viewer), now_us=parts.now_us(),
    )


def _query(request: PageRequest) -> dict[str, str]:
    try:
        return dict(parse_qsl(request.url.query, max_num_fields=FIELDS_MAX, errors="strict"))
    except ValueError:
        raise Refused("invalid_query", f"At most {FIELDS_MAX} fields, in UTF-8.") from None


async def _form(request: PageRequest) -> dict[str, str]:
    fields = await typed(request)
    return {name: fields.raw(name) for name in fields.names()}


def _person(viewer: Viewer) -> Person:
    actor = viewer.actor
    return Person(id=actor.id, name=actor.name, did=actor.did, admin=actor.admin, bot=actor.bot,
                  published_us=actor.published_us)


def _administrator(visit: Visit) -> Viewer:
    viewer = visit.required()
    if not viewer.admin:
        raise Forbidden("not_an_admin", "Only administrators may do this.")
    return viewer


HANDLERS = [
    plugin_front, plugin_page, plugin_form, plugin_page_form, plugins_page, switch_plugin,
]
