"""For those moderated: what was done to me and why, how to appeal; and how to report."""

from typing import NamedTuple

from litestar import Response, get, post
from litestar.params import FromQuery

from lichen.accounts import Viewer
from lichen.faces.hooked import ask_before_report
from lichen.faces.pages.answers import page, see_other
from lichen.faces.pages.parts import GivenParts, Parts
from lichen.faces.pages.visit import GivenVisit, Number, PageRequest, Visit, typed
from lichen.faces.pages.wording import ACTION_WORDS, NOTICE_WORDS
from lichen.kit import Refused, from_isoformat
from lichen.moderation import APPEALABLE, Appeal, Entry, HeldView, ProposalView
from lichen.notifications import Notice
from lichen.store import Unit

CASES_PER_PAGE = 20


class Case(NamedTuple):
    """What was decided about me, my appeal, and whether I may still appeal."""

    entry: Entry
    appeal: Appeal | None
    can_appeal: bool


class Outcome(NamedTuple):
    """What became of a proposal that I made or support, and when."""

    notice: Notice
    view: ProposalView
    at_us: int


@get("/moderation/mine")
async def mine(
    parts: GivenParts, visit: GivenVisit, page_number: FromQuery[int] = 1
) -> Response[bytes]:
    """Show what was decided about me or my words, and why."""
    return await _mine(parts, visit, page_number=page_number)


@post("/moderation/mine/{action_id:int}/appeal", status_code=200)
async def appeal(
    request: PageRequest, parts: GivenParts, visit: GivenVisit, action_id: Number
) -> Response[bytes]:
    """Appeal against what was decided about me."""
    viewer = visit.required()
    text = (await typed(request)).raw("text")
    try:
        await parts.store.write(
            lambda unit: parts.moderation.appeal(unit, viewer.actor, action_id, text)
        )
    except Refused as refused:
        return await _mine(parts, visit, refused=refused)
    return see_other(visit, parts.addresses.moderated)


@get("/post/{post_id:int}/report")
async def report_post_form(
    parts: GivenParts, visit: GivenVisit, post_id: Number
) -> Response[bytes]:
    """Offer the form that reports a post."""
    return await _form(parts, visit, parts.addresses.post(post_id))


@post("/post/{post_id:int}/report", status_code=200)
async def report_post(
    request: PageRequest, parts: GivenParts, visit: GivenVisit, post_id: Number
) -> Response[bytes]:
    """Report a post to who moderates there, or say why not."""
    viewer = visit.required()
    reason = (await typed(request)).raw("reason")
    path = parts.addresses.post(post_id)
    try:
        await ask_before_report(parts, viewer, "post", post_id, reason)
        await parts.store.write(
            lambda unit: parts.moderation.report_post(unit, viewer, post_id, reason)
        )
    except Refused as refused:
        return await _form(parts, visit, path, typed_text=reason, refused=refused)
    return see_other(visit, path)


@get("/comment/{comment_id:int}/report")
async def report_comment_form(
    parts: GivenParts, visit: GivenVisit, comment_id: Number
) -> Response[bytes]:
    """Offer the form that reports a comment."""
    return await _form(parts, visit, parts.addresses.comment(comment_id))


@post("/comment/{comment_id:int}/report", status_code=200)
async def report_comment(
    request: PageRequest, parts: GivenParts, visit: GivenVisit, comment_id: Number
) -> Response[bytes]:
    """Report a comment to who moderates there, or say why not."""
    viewer = visit.required()
    reason = (await typed(request)).raw("reason")
    path = parts.addresses.comment(comment_id)
    try:
        await ask_before_report(parts, viewer, "comment", comment_id, reason)
        await parts.store.write(
            lambda unit: parts.moderation.report_comment(unit, viewer, comment_id, reason)
        )
    except Refused as refused:
        return await _form(parts, visit, path, typed_text=reason, refused=refused)
    return see_other(visit, path)


async def _mine(
    parts: Parts, visit: Visit, *, page_number: int = 1, refused: Refused | None = None
) -> Response[bytes]:
    viewer = visit.required()

    def find(unit: Unit) -> tuple[list[Case], list[HeldView], list[Outcome], int]:
        entries = parts.moderation.actions_about(
            unit, viewer, page=page_number, limit=CASES_PER_PAGE
        )
        appeals = parts.moderation.appeals_against(unit, [one.action.id for one in entries])
        cases = [_case(one, appeals.get(one.action.id), viewer.id) for one in entries]
        if page_number > 1:
            return cases, [], [], parts.notifications.unread_counts(unit, viewer).notices
        held, outcomes = parts.moderation.held_of(unit, viewer), _outcomes(parts, unit, viewer)
        return cases, held, outcomes, parts.notifications.unread_counts(unit, viewer).notices

    (cases, held, outcomes, unread), frame = await parts.framed(visit, find)
    if unread:  # they are read now
        await parts.store.write(
            lambda unit: parts.notifications.mark_notices_read(unit, viewer)
        )
    is_last = len(cases) < CASES_PER_PAGE
    return await page(parts, visit, frame, "judged.html", values={
        "cases": cases, "held": held, "outcomes": outcomes, "proposal_words": NOTICE_WORDS,
        "now_us": parts.now_us(), "words": ACTION_WORDS,
        "error": refused.text if refused else "",
        "onward": None if is_last else f"{visit.path}?page_number={page_number + 1}",
    }, status=refused.status if refused else 200)


def _outcomes(parts: Parts, unit: Unit, viewer: Viewer) -> list[Outcome]:
    """Return what became of proposals that the viewer made or supports; three round trips."""
    notices = parts.notifications.proposal_notices(unit, viewer, limit=CASES_PER_PAGE)
    ids = sorted({one.proposal_id for one in notices if one.proposal_id is not None})
    views = parts.moderation.proposals_by_id(unit, viewer, ids) if ids else {}
    return [
        Outcome(one, views[one.proposal_id], from_isoformat(one.created_at))
        for one in notices if one.proposal_id in views
    ]


def _case(entry: Entry, appeal: Appeal | None, viewer_id: int) -> Case:
    action = entry.action
    can_appeal = (
        appeal is None and action.done and action.undone_by is None
        and action.kind in APPEALABLE and action.moderator_id != viewer_id
    )
    return Case(entry, appeal, can_appeal)


async def _form(
    parts: Parts, visit: Visit, path: str, *, typed_text: str = "",
    refused: Refused | None = None,
) -> Response[bytes]:
    visit.required()
    frame = await parts.frame(visit)
    return await page(parts, visit, frame, "report.html", values={
        "back": path, "typed": typed_text, "error": refused.text if refused else "",
    }, status=refused.status if refused else 200)


HANDLERS = [
    mine, appeal, report_post_form, report_post, report_comment_form, report_comment,
]
