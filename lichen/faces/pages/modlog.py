"""The moderation log as a page, for everybody; and a community's figures."""

import msgspec
from litestar import Response, get, post
from litestar.params import FromPath, FromQuery

from lichen.faces.pages.answers import page, page_headers, see_other
from lichen.faces.pages.parts import GivenParts, Parts
from lichen.faces.pages.visit import GivenVisit, Number, PageRequest, Visit, typed
from lichen.faces.pages.wording import ACTION_WORDS
from lichen.forum import CommunityView
from lichen.kit import Refused
from lichen.moderation import LOGGED, ActionQuery, Entry, Kind, Statistics
from lichen.store import Unit

LINES_PER_PAGE = 30


@get("/modlog")
async def modlog(
    parts: GivenParts, visit: GivenVisit, kind: FromQuery[str] = "",
    page_number: FromQuery[int] = 1,
) -> Response[bytes]:
    """Show what moderators did, the newest first."""
    return await _log(parts, visit, name=None, kind=kind, page_number=page_number)


@get("/c/{name:str}/modlog")
async def modlog_of_community(
    parts: GivenParts, visit: GivenVisit, name: FromPath[str], kind: FromQuery[str] = "",
    *, page_number: FromQuery[int] = 1,
) -> Response[bytes]:
    """Show what moderators did in one community, and how they do."""
    return await _log(parts, visit, name=name, kind=kind, page_number=page_number)


@get("/c/{name:str}/statistics.json")
async def statistics(
    parts: GivenParts, visit: GivenVisit, name: FromPath[str]
) -> Response[bytes]:
    """Return how a community is moderated, as JSON."""

    def find(unit: Unit) -> Statistics:
        place = parts.forum.community(unit, visit.viewer, name=name)
        return parts.moderation.statistics(unit, place.community.id)

    body = msgspec.json.encode(await parts.store.read(find))
    return Response(body, media_type="application/json", headers=page_headers(parts))


@post("/modlog/{action_id:int}/undo", status_code=200)
async def undo(
    request: PageRequest, parts: GivenParts, visit: GivenVisit, action_id: Number
) -> Response[bytes]:
    """Make the opposite of what a line says."""
    viewer = visit.required()
    reason = (await typed(request)).text("reason") or None
    await parts.store.write(
        lambda unit: parts.moderation.undo(unit, viewer, action_id, reason=reason)
    )
    return see_other(visit, visit.came_from or parts.addresses.modlog)


async def _log(
    parts: Parts, visit: Visit, *, name: str | None, kind: str, page_number: int
) -> Response[bytes]:
    if kind and kind not in LOGGED:
        raise Refused("invalid_choice", "That is no kind of act.")

    def find(unit: Unit) -> tuple[CommunityView | None, list[Entry], Statistics | None]:
        place = None if name is None else parts.forum.community(unit, visit.viewer, name=name)
        place_id = None if place is None else place.community.id
        (entries,) = parts.moderation.entries(unit, visit.viewer, ActionQuery(
            kinds=(Kind(kind),) if kind else LOGGED, community_id=place_id,
            page=page_number, limit=LINES_PER_PAGE,
        ))
        figures = None if place_id is None else parts.moderation.statistics(unit, place_id)
        return place, entries, figures

    (place, entries, figures), frame = await parts.framed(visit, find)
    is_last = len(entries) < LINES_PER_PAGE
    return await page(parts, visit, frame, "modlog.html", values={
        "place": place, "entries": entries, "figures": figures, "now_us": parts.now_us(),
        "kind": kind,
        "kinds": [("", "Everything"), *((one.value, ACTION_WORDS[one]) for one in LOGGED)],
        "words": ACTION_WORDS,
        "onward": None if is_last else f"{visit.path}?kind={kind}&page_number={page_number + 1}",
    })


HANDLERS = [modlog, modlog_of_community, statistics, undo]
