"""The queue as a page: what waits on me, with a button and a key for each thing I can do."""

from litestar import Response, get, post
from litestar.params import FromQuery

from lichen.accounts import Viewer
from lichen.faces.pages import proposing
from lichen.faces.pages.answers import page, see_other
from lichen.faces.pages.parts import GivenParts, Parts
from lichen.faces.pages.visit import GivenVisit, Number, PageRequest, Typed, typed
from lichen.faces.pages.wording import choices
from lichen.kit import NotFound, Refused
from lichen.moderation import (
    BanOrder,
    ItemKind,
    ItemState,
    PlaceCount,
    QueuePage,
    QueueQuery,
    Waiting,
    Why,
)
from lichen.store import Unit

WAITING_PER_PAGE = 20
BAN_DAYS_MAX = 3_650  # of a ban typed on the page; nothing typed is no end
_KINDS = (("", "All"), ("report", "Reports"), ("appeal", "Appeals"),
          ("application", "Applications"), ("held", "Held"), ("proposal", "Proposals"))
_DEEDS = (
    "approve", "remove", "lock", "ban", "escalate", "uphold", "deny", "accept", "decline",
    "hand_back",
)


@get("/moderation")
async def queue(
    parts: GivenParts, visit: GivenVisit, kind: FromQuery[str] = "",
    escalated: FromQuery[bool] = False, *, community: FromQuery[int] = 0,
    after: FromQuery[str] = "",
) -> Response[bytes]:
    """Show what waits on me, the longest-waiting first."""
    viewer = visit.required()
    if kind and kind not in list(ItemKind):
        raise Refused("invalid_choice", f"A kind is one of {', '.join(ItemKind)}.")
    asked = QueueQuery(
        kind=ItemKind(kind) if kind else None, after=after or None, limit=WAITING_PER_PAGE,
        state=ItemState.ESCALATED if escalated else ItemState.OPEN,
        community_id=community or None,
    )

    def find(unit: Unit) -> tuple[QueuePage, list[PlaceCount]]:
        return (parts.moderation.queue(unit, viewer, asked),
                parts.moderation.places(unit, viewer, asked.state))

    (found, places), frame = await parts.framed(visit, find)
    path = parts.addresses.moderation
    fixed = {"community": str(community or ""), "escalated": "1" if escalated else ""}
    other = choices([("" if escalated else "1", "")], "", path, kind=kind,
                    community=fixed["community"], escalated="{}")
    here = choices([("", "")], "", path, kind=kind, **fixed, after="{}")[0].href
    return await page(parts, visit, frame, "queue.html", values={
        "waiting": found.items, "now_us": parts.now_us(), "escalated": escalated, "kind": kind,
        "tabs": choices(_KINDS, kind, path, kind="{}", **fixed), "other": other[0].href,
        "places": places, "community": community,
        "question": parts.accounts.current_site.settings.application_question,
        "onward": f"{here}after={found.next}" if found.next else None,
    })


@post("/moderation/{item_id:int}", status_code=200)
async def decide(
    request: PageRequest, parts: GivenParts, visit: GivenVisit, item_id: Number
) -> Response[bytes]:
    """Do what a moderator decided about something that waits."""
    viewer = visit.required()
    fields = await typed(request)
    deed = fields.one_of("deed", _DEEDS)

    def act(unit: Unit) -> None:
        if deed == "approve":
            return parts.moderation.dismiss(unit, viewer, item_id)
        if deed == "escalate":
            return parts.moderation.escalate(
                unit, viewer, item_id, reason=fields.text("reason")
            )
        item = parts.moderation.waiting(unit, viewer, item_id)
        return _act(parts, unit, viewer, item, fields)

    await parts.store.write(act)
    return see_other(visit, visit.came_from or parts.addresses.moderation)


def _act(parts: Parts, unit: Unit, viewer: Viewer, item: Waiting, fields: Typed) -> None:
    """Act on what an item is about, for the reason that was typed."""
    why, deed = Why(fields.text("reason") or None), fields.text("deed")
    moderation = parts.moderation
    if deed in ("uphold", "deny") and item.appeal is not None:
        moderation.decide_appeal(
            unit, viewer, item.appeal.id, upheld=deed == "uphold", answer=why.reason or ""
        )
    elif deed in ("accept", "decline", "hand_back", "remove") and item.proposal is not None:
        proposing.decide(
            parts, unit, viewer, item.proposal.id, deed=deed, reason=why.reason or ""
        )
    elif deed == "remove" and item.comment is not None:
        moderation.remove_comment(unit, viewer, item.comment.comment.id, removed=True, why=why)
    elif deed == "remove" and item.post is not None:
        moderation.remove_post(unit, viewer, item.post.post.id, removed=True, why=why)
    elif deed == "lock" and item.post is not None:
        moderation.lock_post(unit, viewer, item.post.post.id, locked=True, why=why)
    elif deed == "ban" and item.person is not None and item.item.community_id is not None:
        moderation.ban(unit, viewer, BanOrder(
            item.person.id, banned=True, community_id=item.item.community_id,
            expires_us=fields.days_ahead(unit.clock_us, days_max=BAN_DAYS_MAX),
        ), why=why)
    else:
        raise NotFound("couldnt_find_object", "That cannot be done with what waits here.")


HANDLERS = [queue, decide]
