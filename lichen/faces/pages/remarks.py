"""Notes and strikes on people: kept and read by moderators, on the page of the person."""

from typing import NamedTuple

from litestar import Response, post
from litestar.params import FromPath

from lichen.accounts import Actor, Viewer
from lichen.faces.pages.answers import page, see_other
from lichen.faces.pages.parts import GivenParts, Parts
from lichen.faces.pages.visit import (
    GivenVisit,
    Number,
    PageRequest,
    Typed,
    Visit,
    typed,
)
from lichen.forum import CommunityView
from lichen.kit import Forbidden, NotFound, Refused
from lichen.moderation import RemarkDraft, RemarkKind, RemarkView, Why
from lichen.store import Unit

STRIKE_DAYS_MAX = 3_650  # of a strike typed on the page; nothing typed is a year
_KINDS = tuple(kind.value for kind in RemarkKind)


class Kept(NamedTuple):
    """What the viewer's communities keep about a person, and where the viewer may add to it."""

    remarks: list[RemarkView]
    places: list[CommunityView]


def kept_about(parts: Parts, unit: Unit, viewer: Viewer | None, person_id: int) -> Kept | None:
    """Return what is kept about somebody else; None for whoever moderates nothing."""
    if viewer is None or viewer.actor.banned or viewer.id == person_id:
        return None
    places = parts.moderation.judged_places(unit, viewer)
    if not places and not viewer.admin:
        return None
    return Kept(parts.moderation.remarks(unit, viewer, person_id), places)


@post("/u/{name:str}/remark", status_code=200)
async def remark(
    request: PageRequest, parts: GivenParts, visit: GivenVisit, name: FromPath[str]
) -> Response[bytes]:
    """Keep a note about a person, or give it a strike, which it is told."""
    viewer = visit.required()
    fields = await typed(request)

    def command(unit: Unit) -> None:
        kind = RemarkKind(fields.one_of("kind", _KINDS))
        person = parts.forum.person(unit, viewer, name=name).person
        expires_us = None
        if kind is RemarkKind.STRIKE:
            expires_us = fields.days_ahead(unit.clock_us, days_max=STRIKE_DAYS_MAX)
        parts.moderation.remark(unit, viewer, RemarkDraft(
            person.id, fields.raw("text"), kind, fields.number("community") or None,
            expires_us=expires_us,
        ))

    try:
        await parts.store.write(command)
    except (Forbidden, NotFound):
        raise
    except Refused as refused:
        return await _form(parts, visit, name, fields, refused=refused)
    return see_other(visit, f"{parts.addresses.person(name)}#remarks")


@post("/u/{name:str}/remark/{remark_id:int}/take-back", status_code=200)
async def take_back(
    request: PageRequest, parts: GivenParts, visit: GivenVisit, name: FromPath[str],
    *, remark_id: Number,
) -> Response[bytes]:
    """Take a note or a strike back; of a strike the person is told."""
    viewer = visit.required()
    why = Why((await typed(request)).text("reason") or None)
    await parts.store.write(
        lambda unit: parts.moderation.drop_remark(unit, viewer, remark_id, why=why)
    )
    return see_other(visit, f"{parts.addresses.person(name)}#remarks")


async def _form(
    parts: Parts, visit: Visit, name: str, fields: Typed, *, refused: Refused
) -> Response[bytes]:
    """Answer with the form as it was typed, and why it was not taken."""
    viewer = visit.required()

    def find(unit: Unit) -> tuple[Actor, Kept]:
        person = parts.forum.person(unit, viewer, name=name).person
        return person, Kept([], parts.moderation.judged_places(unit, viewer))

    (person, kept), frame = await parts.framed(visit, find)
    return await page(parts, visit, frame, "remark.html", status=refused.status, values={
        "person": person, "kept": kept, "error": refused.text,
        "typed_kind": fields.text("kind"), "typed_text": fields.raw("text"),
        "typed_place": fields.text("community"), "typed_days": fields.text("days"),
    })


HANDLERS = [remark, take_back]
