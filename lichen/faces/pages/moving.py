"""Moving: the accounts elsewhere that are mine, the names I claim, and going away for good."""

from typing import NamedTuple

from litestar import Response, get, post
from litestar.params import FromQuery

from lichen.accounts import Actor, Link, Move, links_from, moves_from
from lichen.faces.pages.answers import page, see_other
from lichen.faces.pages.parts import GivenParts, Parts
from lichen.faces.pages.visit import GivenVisit, PageRequest, Visit, typed
from lichen.kit import Refused, Unavailable
from lichen.store import Unit

_DONE = {
    "linked": "Linked: you can come in with it now.",
    "removed": "Removed: it opens this account no longer.",
    "alias": "Your profile's document says so now.",
    "moved": "You have moved. Other servers are told now.",
    "back": "You are back.",
    "bring": "Its last posts are being fetched; your profile shows them under that name.",
}


class Ties(NamedTuple):
    """What a profile says of a person elsewhere: where it went, what it proved, where it was."""

    move: Move | None
    proved: list[Actor]
    came_from: list[Actor]

    def earlier(self, show: str | None) -> Actor | None:
        """Return the account elsewhere whose posts are asked for, None where it is no tie."""
        asked = (show or "").removeprefix("earlier-")
        return next((one for one in (*self.proved, *self.came_from) if str(one.id) == asked), None)


@get("/settings/elsewhere")
async def links_page(
    parts: GivenParts, visit: GivenVisit, done: FromQuery[str] = ""
) -> Response[bytes]:
    """List the accounts elsewhere that are mine."""
    return await show_links(parts, visit, done=done)


@post("/settings/elsewhere/remove", status_code=200)
async def remove_link(
    request: PageRequest, parts: GivenParts, visit: GivenVisit
) -> Response[bytes]:
    """Let an account elsewhere open mine no longer."""
    viewer = visit.required()
    actor_id = (await typed(request)).number("link")
    try:
        await parts.store.write(lambda unit: parts.accounts.unlink(unit, viewer, actor_id))
    except Refused as refused:
        return await show_links(parts, visit, trouble=refused)
    return _done(parts, visit, "removed")


@post("/settings/elsewhere/bring", status_code=200)
async def bring_earlier(
    request: PageRequest, parts: GivenParts, visit: GivenVisit
) -> Response[bytes]:
    """Have what I wrote elsewhere, in public, fetched from there; it stays that server's."""
    viewer = visit.required()
    actor_id = (await typed(request)).number("link")
    links = await parts.store.read(lambda unit: parts.accounts.links(unit, viewer))
    for link in links:
        if link.actor.id == actor_id:
            parts.federation.resolver.communities.earlier(link.actor)
    return _done(parts, visit, "bring")


@post("/settings/elsewhere/alias", status_code=200)
async def change_alias(
    request: PageRequest, parts: GivenParts, visit: GivenVisit
) -> Response[bytes]:
    """Say that I am known as somebody elsewhere too, or no longer."""
    viewer = visit.required()
    fields = await typed(request)
    gone = fields.text("drop")
    try:
        if gone:
            await parts.store.write(lambda unit: parts.accounts.drop_alias(unit, viewer, gone))
        else:
            other = await parts.federation.proving.person(fields.text("address"))
            await parts.store.write(lambda unit: parts.accounts.add_alias(unit, viewer, other))
    except (Refused, Unavailable) as trouble:
        return await show_links(parts, visit, trouble=trouble)
    return _done(parts, visit, "alias")


@post("/settings/elsewhere/move", status_code=200)
async def move(request: PageRequest, parts: GivenParts, visit: GivenVisit) -> Response[bytes]:
    """Move to an account elsewhere that says to be me, or come back."""
    viewer = visit.required()
    fields = await typed(request)
    is_back = fields.flag("back")
    try:
        if is_back:
            await parts.store.write(lambda unit: parts.accounts.move_back(unit, viewer))
        else:
            await parts.accounts.check_present(viewer, fields.raw("password"))
            target = await parts.federation.proving.person(fields.text("address"))
            await parts.federation.moves.out(viewer, target)
    except (Refused, Unavailable) as trouble:
        return await show_links(parts, visit, trouble=trouble)
    return _done(parts, visit, "back" if is_back else "moved")


async def show_links(
    parts: Parts, visit: Visit, *, done: str = "", trouble: Refused | Unavailable | None = None,
) -> Response[bytes]:
    """Answer with the accounts elsewhere that are the viewer's."""
    viewer = visit.required()

    def find(unit: Unit) -> tuple[list[Link], tuple[str, ...], Move | None]:
        links = parts.accounts.links(unit, viewer)
        names = parts.accounts.aliases(unit, [viewer.id]).get(viewer.id, ())
        return links, names, parts.accounts.moves_among(unit, [viewer.id]).get(viewer.id)

    (links, names, moved), frame = await parts.framed(visit, find)
    linked = {link.actor.ap_id for link in links}
    status = 200
    if trouble is not None:
        status = trouble.status if isinstance(trouble, Refused) else 503
    return await page(parts, visit, frame, "elsewhere.html", values={
        "links": links, "names": [one for one in names if one not in linked], "moved": moved,
        "now_us": parts.now_us(), "error": trouble.text if trouble else "",
        "done": _DONE.get(done, ""),
    }, status=status)


def ties_of(parts: Parts, unit: Unit, person_id: int) -> Ties:
    """Return what a profile says of a person elsewhere; two round trips."""
    moves, links = unit.fetch_all(
        parts.accounts.moves_query([person_id]), parts.accounts.links_query(unit, person_id)
    )
    came_from = parts.accounts.came_from(unit, person_id)
    proved = [one.actor for one in links_from(links)]
    known = {one.id for one in proved}
    return Ties(moves_from(moves).get(person_id), proved,
                [one for one in came_from if one.id not in known])


def _done(parts: Parts, visit: Visit, what: str) -> Response[bytes]:
    return see_other(visit, f"{parts.addresses.settings_elsewhere}?done={what}")


HANDLERS = [links_page, remove_link, bring_earlier, change_alias, move]
