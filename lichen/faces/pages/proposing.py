"""Proposals as pages: a community's list, one with its history, the form to make one, the answer.

Everything is a link or a form. What a viewer may do with a proposal is said by the room; a page
only shows the buttons.
"""

import msgspec
from litestar import Response, get, post
from litestar.params import FromPath, FromQuery

from lichen.accounts import Viewer
from lichen.faces.pages.answers import page, see_other
from lichen.faces.pages.parts import GivenParts, Parts
from lichen.faces.pages.visit import GivenVisit, Number, PageRequest, Typed, Visit, typed
from lichen.faces.pages.wording import choices
from lichen.forum import CommunityView
from lichen.kit import Refused
from lichen.moderation import (
    ROLE_WORDS,
    STATE_WORDS,
    SUPPORTS_TO_QUEUE,
    ProposalDraft,
    ProposalListing,
    ProposalOrder,
    ProposalQuery,
    ProposalState,
    ProposalView,
)
from lichen.store import Unit

PROPOSALS_PER_PAGE = 20
_LISTINGS = (
    (ProposalListing.OPEN, "Open"), (ProposalListing.ANSWERED, "Answered"),
    (ProposalListing.ENDED, "Withdrawn"),
)
_ORDERS = ((ProposalOrder.SUPPORTS, "Most supported"), (ProposalOrder.NEW, "New"))
_DEEDS = ("accept", "decline", "pass_up", "hand_back", "remove")
_ANSWERS = {
    "accept": ProposalState.ACCEPTED, "decline": ProposalState.DECLINED,
    "remove": ProposalState.REMOVED,
}
_EMPTY = {
    ProposalListing.OPEN: "What members propose will be here, for others to support.",
    ProposalListing.ANSWERED: "What moderators accept or decline will be here, with the reason.",
    ProposalListing.ENDED: "What was taken back will be here.",
}


class TypedProposal(msgspec.Struct, frozen=True):
    """A proposal as it was typed, before anybody judged it."""

    title: str = ""
    text: str = ""


@get("/c/{name:str}/proposals")
async def proposals_page(
    parts: GivenParts, visit: GivenVisit, name: FromPath[str],
    show: FromQuery[ProposalListing] = ProposalListing.OPEN, *,
    sort: FromQuery[ProposalOrder] = ProposalOrder.SUPPORTS, page_number: FromQuery[int] = 1,
) -> Response[bytes]:
    """List what members of a community propose."""

    def find(unit: Unit) -> tuple[CommunityView, list[ProposalView]]:
        place = parts.forum.community(unit, visit.viewer, name=name)
        return place, parts.moderation.proposals(unit, visit.viewer, ProposalQuery(
            place.community.id, listing=show, order=sort, page=page_number,
            limit=PROPOSALS_PER_PAGE,
        ))

    (place, found), frame = await parts.framed(visit, find)
    here = f"{visit.path}?show={show.value}&sort={sort.value}"
    return await page(parts, visit, frame, "proposals.html", values={
        "place": place, "proposals": found, "now_us": parts.now_us(), "words": STATE_WORDS,
        "tabs": choices(_LISTINGS, show, visit.path, sort=sort.value, show="{}"),
        "sorts": choices(_ORDERS, sort, visit.path, show=show.value, sort="{}"),
        "sort_word": dict(_ORDERS)[sort], "empty": _EMPTY[show],
        "onward": _onward(here, found, page_number),
    })


@get("/admin/proposals")
async def passed_up_page(
    parts: GivenParts, visit: GivenVisit, page_number: FromQuery[int] = 1
) -> Response[bytes]:
    """List what moderators passed up to the administrators, the oldest first."""
    viewer = visit.required()
    found, frame = await parts.framed(
        visit, lambda unit: parts.moderation.passed_up_proposals(
            unit, viewer, page=page_number, limit=PROPOSALS_PER_PAGE)
    )
    return await page(parts, visit, frame, "proposals.html", values={
        "place": None, "proposals": found, "now_us": parts.now_us(), "words": STATE_WORDS,
        "tabs": [], "sorts": [], "sort_word": "",
        "empty": "What moderators pass up to you will be here.",
        "onward": _onward(f"{visit.path}?", found, page_number),
    })


@get("/c/{name:str}/proposals/new")
async def new_proposal(
    parts: GivenParts, visit: GivenVisit, name: FromPath[str]
) -> Response[bytes]:
    """Offer the form for a proposal."""
    return await _form(parts, visit, name, TypedProposal())


@post("/c/{name:str}/proposals/new", status_code=200)
async def make_proposal(
    request: PageRequest, parts: GivenParts, visit: GivenVisit, name: FromPath[str]
) -> Response[bytes]:
    """Propose something to a community, or show how it will look, or say why not."""
    viewer = visit.required()
    fields = await typed(request)
    filled = TypedProposal(fields.text("title"), fields.raw("body").rstrip())
    if fields.flag("preview"):
        return await _form(parts, visit, name, filled, preview=filled.text)

    def command(unit: Unit) -> int:
        place = parts.forum.community(unit, viewer, name=name)
        draft = ProposalDraft(filled.title, filled.text)
        return parts.moderation.propose(unit, viewer, place.community.id, draft).id

    try:
        number = await parts.store.write(command)
    except Refused as refused:
        return await _form(parts, visit, name, filled, refused=refused)
    return see_other(visit, parts.addresses.proposal(number))


@get("/proposal/{proposal_id:int}")
async def proposal_page(
    parts: GivenParts, visit: GivenVisit, proposal_id: Number
) -> Response[bytes]:
    """Show a proposal: its text, who stands behind it, what became of it and why."""
    return await _shown(parts, visit, proposal_id)


@post("/proposal/{proposal_id:int}/support", status_code=200)
async def support(
    request: PageRequest, parts: GivenParts, visit: GivenVisit, proposal_id: Number
) -> Response[bytes]:
    """Stand behind a proposal, or no longer."""
    viewer = visit.required()
    on = (await typed(request)).flag("value")
    await parts.store.write(
        lambda unit: parts.moderation.support_proposal(unit, viewer, proposal_id, on=on)
    )
    return see_other(visit, visit.came_from or parts.addresses.proposal(proposal_id))


@post("/proposal/{proposal_id:int}/withdraw", status_code=200)
async def withdraw(
    parts: GivenParts, visit: GivenVisit, proposal_id: Number
) -> Response[bytes]:
    """Take my proposal back."""
    viewer = visit.required()
    await parts.store.write(
        lambda unit: parts.moderation.withdraw_proposal(unit, viewer, proposal_id)
    )
    return see_other(visit, parts.addresses.proposal(proposal_id))


@post("/proposal/{proposal_id:int}/answer", status_code=200)
async def answer(
    request: PageRequest, parts: GivenParts, visit: GivenVisit, proposal_id: Number
) -> Response[bytes]:
    """Answer a proposal, pass it up or hand it back; or say why not, and keep the reason."""
    viewer = visit.required()
    fields = await typed(request)
    deed, reason = fields.one_of("deed", _DEEDS), fields.raw("reason")
    try:
        await parts.store.write(
            lambda unit: decide(parts, unit, viewer, proposal_id, deed=deed, reason=reason)
        )
    except Refused as refused:
        return await _shown(parts, visit, proposal_id, fields=fields, refused=refused)
    return see_other(visit, parts.addresses.proposal(proposal_id))


def decide(
    parts: Parts, unit: Unit, viewer: Viewer, proposal_id: int, *, deed: str, reason: str
) -> None:
    """Do with a proposal what the pressed button says."""
    if deed == "pass_up":
        parts.moderation.pass_up_proposal(unit, viewer, proposal_id, reason=reason)
    elif deed == "hand_back":
        parts.moderation.hand_back_proposal(unit, viewer, proposal_id, reason=reason)
    else:
        parts.moderation.answer_proposal(
            unit, viewer, proposal_id, _ANSWERS[deed], reason=reason
        )


async def _shown(
    parts: Parts, visit: Visit, proposal_id: int, *, fields: Typed | None = None,
    refused: Refused | None = None,
) -> Response[bytes]:
    view, frame = await parts.framed(
        visit, lambda unit: parts.moderation.proposal(unit, visit.viewer, proposal_id)
    )
    return await page(parts, visit, frame, "proposal.html", values={
        "view": view, "now_us": parts.now_us(), "words": STATE_WORDS, "roles": ROLE_WORDS,
        "reason": parts.moderation.why_proposal(view), "enough": SUPPORTS_TO_QUEUE,
        "typed_reason": fields.raw("reason") if fields else "",
        "error": refused.text if refused else "",
    }, status=refused.status if refused else 200)


async def _form(
    parts: Parts, visit: Visit, name: str, filled: TypedProposal, *, preview: str = "",
    refused: Refused | None = None,
) -> Response[bytes]:
    viewer = visit.required()
    place, frame = await parts.framed(
        visit, lambda unit: parts.forum.community(unit, viewer, name=name)
    )
    return await page(parts, visit, frame, "write_proposal.html", values={
        "place": place, "typed": filled, "enough": SUPPORTS_TO_QUEUE,
        "preview": parts.drawing.markdown(preview) if preview else "",
        "error": refused.text if refused else "",
    }, status=refused.status if refused else 200)


def _onward(here: str, found: list[ProposalView], page_number: int) -> str | None:
    """Return the address of the next page, None where this one is the last."""
    if len(found) < PROPOSALS_PER_PAGE:
        return None
    return f"{here}{'' if here.endswith('?') else '&'}page_number={page_number + 1}"


HANDLERS = [
    proposals_page, passed_up_page, new_proposal, make_proposal, proposal_page, support, withdraw,
    answer,
]
