"""Communities that end or move: what is known of it, who continues them, being asked once."""

from collections.abc import Awaitable, Callable

from litestar import Response, get, post
from litestar.params import FromPath

from lichen.faces.pages.answers import page, see_other
from lichen.faces.pages.parts import GivenParts, Parts
from lichen.faces.pages.visit import GivenVisit, Number, PageRequest, Visit, typed
from lichen.federation import Offer, Succession
from lichen.forum import CommunityView
from lichen.kit import Refused, Unavailable
from lichen.store import Unit


@get("/c/{name:str}/succession")
async def succession_page(
    parts: GivenParts, visit: GivenVisit, name: FromPath[str]
) -> Response[bytes]:
    """Show whether a community's server is gone, who continues it, and what may be done."""
    return await _shown(parts, visit, name)


@post("/c/{name:str}/succession", status_code=200)
async def found_successor(
    request: PageRequest, parts: GivenParts, visit: GivenVisit, name: FromPath[str]
) -> Response[bytes]:
    """Found a successor, or say why not."""
    viewer = visit.required()
    fields = await typed(request)

    def command(unit: Unit) -> Offer:
        old = parts.forum.community(unit, viewer, name=name).community
        return parts.federation.successors.found(
            unit, viewer, old.id, name=fields.text("name").removeprefix("!"),
            title=fields.text("title"),
        )

    try:
        offer = await parts.store.write(command)
    except Refused as refused:
        return await _shown(
            parts, visit, name, refused=refused,
            wished=(fields.text("name"), fields.text("title")),
        )
    return see_other(visit, parts.drawing.path_of(offer.successor.community.actor))


@post("/c/{name:str}/gone", status_code=200)
async def declare_gone(
    request: PageRequest, parts: GivenParts, visit: GivenVisit, name: FromPath[str]
) -> Response[bytes]:
    """Declare as an administrator that a community is gone, or take that back."""
    viewer = visit.required()
    gone = (await typed(request)).flag("value")

    def command(unit: Unit) -> CommunityView:
        old = parts.forum.community(unit, viewer, name=name)
        parts.federation.successors.declare(unit, viewer, old.community.id, gone=gone)
        return old

    old = await parts.store.write(command)
    parts.federation.offers.wake()  # what waited for this end is due
    return see_other(visit, f"{parts.drawing.path_of(old.community.actor)}/succession")


@post("/c/{name:str}/claim", status_code=200)
async def claim_community(
    request: PageRequest, parts: GivenParts, visit: GivenVisit, name: FromPath[str]
) -> Response[bytes]:
    """Say that a community here is one elsewhere too, or no longer: so that it may move here."""
    viewer = visit.required()
    fields = await typed(request)
    gone = fields.text("drop")

    async def claim(community_id: int) -> None:
        await parts.federation.offers.claim(
            viewer, community_id, gone or fields.text("address"), claimed=not gone
        )

    return await _decided(parts, visit, name, claim)


@post("/c/{name:str}/move", status_code=200)
async def move_community(
    request: PageRequest, parts: GivenParts, visit: GivenVisit, name: FromPath[str]
) -> Response[bytes]:
    """Move a community here to one elsewhere that says to be it too, or take that back."""
    viewer = visit.required()
    fields = await typed(request)

    async def move(community_id: int) -> None:
        if fields.flag("back"):
            await parts.federation.offers.move_back(viewer, community_id)
        else:
            await parts.federation.offers.move_out(viewer, community_id, fields.text("address"))

    return await _decided(parts, visit, name, move)


@get("/successors")
async def successors_page(parts: GivenParts, visit: GivenVisit) -> Response[bytes]:
    """Ask which successors of communities that are gone the viewer wants to follow."""
    viewer = visit.required()
    offers, frame = await parts.framed(
        visit, lambda unit: parts.federation.successors.questions(unit, viewer)
    )
    return await page(parts, visit, frame, "successors.html", values={"offers": offers})


@post("/successors/{successor_id:int}", status_code=200)
async def answer_successor(
    request: PageRequest, parts: GivenParts, visit: GivenVisit, successor_id: Number
) -> Response[bytes]:
    """Follow a successor, or say no thanks; nobody is asked again."""
    viewer = visit.required()
    accepted = (await typed(request)).flag("value")
    await parts.store.write(lambda unit: parts.federation.successors.answer(
        unit, viewer, successor_id, accepted=accepted
    ))
    return see_other(visit, visit.came_from or parts.addresses.successors)


async def _decided(
    parts: Parts, visit: Visit, name: str, decide: Callable[[int], Awaitable[None]]
) -> Response[bytes]:
    """Decide something about a community, and show where it stands then, or why not."""
    place = await parts.store.read(
        lambda unit: parts.forum.community(unit, visit.viewer, name=name)
    )
    try:
        await decide(place.community.id)
    except (Refused, Unavailable) as trouble:
        return await _shown(parts, visit, name, refused=trouble)
    return see_other(visit, f"{parts.drawing.path_of(place.community.actor)}/succession")


async def _shown(
    parts: Parts, visit: Visit, name: str, *, refused: Refused | Unavailable | None = None,
    wished: tuple[str, str] | None = None,
) -> Response[bytes]:
    viewer = visit.viewer

    def find(unit: Unit) -> tuple[CommunityView, Succession, tuple[str, ...] | None]:
        old = parts.forum.community(unit, viewer, name=name)
        may_move = viewer and viewer.admin and old.moderates and old.community.actor.local
        aliases = parts.federation.offers.aliases(unit, old.community.id) if may_move else None
        return old, parts.federation.successors.succession(unit, viewer, old), aliases

    (old, succession, aliases), frame = await parts.framed(visit, find)
    actor = old.community.actor
    status = 200
    if refused is not None:
        status = refused.status if isinstance(refused, Refused) else 503
    return await page(parts, visit, frame, "succession.html", values={
        "old": actor, "succession": succession, "now_us": parts.now_us(),
        "wished": wished or (actor.name, actor.shown_name),
        "aliases": aliases, "error": refused.text if refused else "",
    }, status=status)


HANDLERS = [
    succession_page, found_successor, declare_gone, claim_community, move_community,
    successors_page, answer_successor,
]
