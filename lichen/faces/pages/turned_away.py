"""Turned away: what somebody who is banned from the site reads at the door, and one appeal.

Nobody is logged in here. A ticket (`accounts.door`) says who it is and travels in the form, so that
neither the address of the page nor a cookie carries it.
"""

from litestar import Response, post

from lichen.faces.pages.answers import page
from lichen.faces.pages.parts import Frame, GivenParts, Parts
from lichen.faces.pages.visit import GivenVisit, PageRequest, Visit, typed
from lichen.kit import Refused
from lichen.moderation import SiteBan
from lichen.store import Unit


@post("/login/appeal", status_code=200)
async def appeal(request: PageRequest, parts: GivenParts, visit: GivenVisit) -> Response[bytes]:
    """Appeal against a ban from the site, with the ticket from the door."""
    fields = await typed(request)
    ticket, text = fields.text("ticket"), fields.raw("text")

    def command(unit: Unit) -> None:
        person = parts.accounts.appellant(unit, ticket)
        parts.moderation.appeal_site_ban(unit, person, text)

    try:
        await parts.store.write(command)
    except Refused as refused:
        if refused.code == "invalid_ticket":
            return await _answer(parts, visit, await parts.frame(visit), None, values={
                "ticket": "", "typed": text}, refused=refused)
        return await turned_away(parts, visit, ticket, typed_text=text, refused=refused)
    return await turned_away(parts, visit, ticket)


async def turned_away(
    parts: Parts, visit: Visit, ticket: str, *, typed_text: str = "",
    refused: Refused | None = None,
) -> Response[bytes]:
    """Answer with what was decided about whose ticket it is."""

    def find(unit: Unit) -> SiteBan:
        return parts.moderation.site_ban(unit, parts.accounts.appellant(unit, ticket))

    ban, frame = await parts.framed(visit, find)
    values: dict[str, object] = {"ticket": ticket, "typed": typed_text}
    return await _answer(parts, visit, frame, ban, values=values, refused=refused)


async def _answer(
    parts: Parts, visit: Visit, frame: Frame, ban: SiteBan | None, *, values: dict[str, object],
    refused: Refused | None,
) -> Response[bytes]:
    answer = await page(parts, visit, frame, "banned.html", values={
        **values, "ban": ban, "now_us": parts.now_us(), "error": refused.text if refused else "",
    }, status=refused.status if refused else 403)
    answer.headers["cache-control"] = "no-store"  # the ticket stays on no disk
    return answer


HANDLERS = [appeal]
