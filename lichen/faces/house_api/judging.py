"""The calls about what waits on moderators, and about what was decided, with their messages.

Removing, locking and banning are calls of the Lemmy face; what waits ends with them.
"""

from enum import StrEnum
from typing import Any

from lichen import moderation
from lichen.faces.lemmy_v3.asking import Caller, Parts
from lichen.faces.lemmy_v3.calls import Call
from lichen.faces.lemmy_v3.wire import Answer, Ask, SuccessResponse
from lichen.faces.lemmy_v3.wire.base import (
    Id,
    PageLength,
    PageNumber,
    Prose,
    Time,
    Word,
    maybe_time_of,
    time_of,
)
from lichen.kit import Reason
from lichen.moderation import AppealState, Entry, ItemKind, ItemState, Kind, QueueQuery, Waiting
from lichen.store import Unit

WAITING_DEFAULT = 20  # on a page of the queue, and of what was decided


class Deed(StrEnum):
    """What ends the waiting without an act: leave it as it is, or hand it up."""

    APPROVE = "approve"
    ESCALATE = "escalate"


class GetQueue(Ask, frozen=True, kw_only=True):
    """Ask for what waits, the longest-waiting first; `after` is the `next` of the page before."""

    kind: ItemKind | None = None
    community_id: Id | None = None
    escalated: bool = False
    after: Word | None = None
    limit: PageLength = WAITING_DEFAULT


class DecideItem(Ask, frozen=True, kw_only=True):
    """Say what becomes of something that waits."""

    item_id: Id
    deed: Deed


class GetDecided(Ask, frozen=True, kw_only=True):
    """Ask for what was decided about the caller."""

    page: PageNumber = 1
    limit: PageLength = WAITING_DEFAULT


class WriteAppeal(Ask, frozen=True, kw_only=True):
    """Appeal once against something that was decided about the caller."""

    action_id: Id
    text: Prose


class DecideAppeal(Ask, frozen=True, kw_only=True):
    """Uphold an appeal, which undoes what it is against, or deny it."""

    appeal_id: Id
    upheld: bool
    answer: Prose = ""


class ShownAppeal(Answer, frozen=True, kw_only=True):
    """An appeal, how it stands, and the answer."""

    id: Id
    action_id: Id
    text: str
    state: AppealState
    published: Time
    answer: str | None = None


class ShownHistory(Answer, frozen=True, kw_only=True):
    """What is known here of the person whom something is about."""

    since: Time
    strikes: int
    notes: int
    removals: int
    reports_made: int
    reports_upheld: int


class ShownItem(Answer, frozen=True, kw_only=True):
    """Something that waits; of an application `id` is that of the application."""

    id: Id
    kind: ItemKind
    since: Time
    severity: int
    evidence: str
    reasons: list[Reason]
    community_id: Id | None = None
    person_id: Id | None = None
    post_id: Id | None = None
    comment_id: Id | None = None
    message_id: Id | None = None
    appeal: ShownAppeal | None = None
    history: ShownHistory | None = None


class QueueAnswer(Answer, frozen=True, kw_only=True):
    """A page of what waits; `next` is left out at the end."""

    items: list[ShownItem]
    next: str | None = None


class ShownDecision(Answer, frozen=True, kw_only=True):
    """A line of the log about the caller, with its appeal; `done` is false for the opposite."""

    action_id: Id
    kind: Kind
    done: bool
    undone: bool
    published: Time
    reason: str | None = None
    expires: Time | None = None
    community_id: Id | None = None
    post_id: Id | None = None
    comment_id: Id | None = None
    appeal: ShownAppeal | None = None


class Decided(Answer, frozen=True, kw_only=True):
    """What was decided about the caller, the newest first."""

    decided: list[ShownDecision]


class AppealAnswer(Answer, frozen=True, kw_only=True):
    """One appeal."""

    appeal: ShownAppeal


async def get_queue(parts: Parts, caller: Caller, asked: GetQueue) -> QueueAnswer:
    """Return a page of what waits on the caller."""
    viewer = caller.person()
    query = QueueQuery(
        kind=asked.kind, community_id=asked.community_id or None, after=asked.after,
        state=ItemState.ESCALATED if asked.escalated else ItemState.OPEN, limit=asked.limit,
    )
    found = await parts.store.read(lambda unit: parts.moderation.queue(unit, viewer, query))
    return QueueAnswer(items=[_shown(one) for one in found.items], next=found.next)


async def decide_item(parts: Parts, caller: Caller, asked: DecideItem) -> SuccessResponse:
    """Leave what waits as it is, or hand it up to the administrators."""
    viewer = caller.person()

    def command(unit: Unit) -> None:
        if asked.deed is Deed.APPROVE:
            parts.moderation.dismiss(unit, viewer, asked.item_id)
        else:
            parts.moderation.escalate(unit, viewer, asked.item_id)

    await parts.store.write(command)
    return SuccessResponse(success=True)


async def get_decided(parts: Parts, caller: Caller, asked: GetDecided) -> Decided:
    """Return what was decided about the caller, with what it said against it."""
    viewer = caller.person()

    def query(unit: Unit) -> list[ShownDecision]:
        entries = parts.moderation.actions_about(
            unit, viewer, page=asked.page, limit=asked.limit)
        appeals = parts.moderation.appeals_against(unit, [one.action.id for one in entries])
        return [_shown_decision(one, appeals.get(one.action.id)) for one in entries]

    return Decided(decided=await parts.store.read(query))


async def write_appeal(parts: Parts, caller: Caller, asked: WriteAppeal) -> AppealAnswer:
    """Appeal against what was decided about the caller."""
    viewer = caller.person()
    made = await parts.store.write(lambda unit: parts.moderation.appeal(
        unit, viewer.actor, asked.action_id, asked.text))
    return AppealAnswer(appeal=shown_appeal(made))


async def decide_appeal(parts: Parts, caller: Caller, asked: DecideAppeal) -> AppealAnswer:
    """Decide an appeal."""
    viewer = caller.person()
    decided = await parts.store.write(lambda unit: parts.moderation.decide_appeal(
        unit, viewer, asked.appeal_id, upheld=asked.upheld, answer=asked.answer))
    return AppealAnswer(appeal=shown_appeal(decided))


def shown_appeal(one: moderation.Appeal) -> ShownAppeal:
    """Return an appeal as it is sent."""
    return ShownAppeal(
        id=one.id, action_id=one.action_id, text=one.text, state=one.state,
        published=time_of(one.published_us), answer=one.answer,
    )


def _shown(one: Waiting) -> ShownItem:
    item, history = one.item, one.history
    return ShownItem(
        id=one.id, kind=item.kind, since=time_of(item.since_us), severity=item.severity,
        evidence=item.evidence, reasons=list(item.reasons), community_id=item.community_id,
        person_id=item.person_id, post_id=one.post.post.id if one.post else None,
        comment_id=one.comment.comment.id if one.comment else None,
        message_id=one.message.id if one.message else None,
        appeal=shown_appeal(one.appeal) if one.appeal else None,
        history=ShownHistory(
            since=time_of(history.since_us), strikes=history.strikes, notes=history.notes,
            removals=history.removals, reports_made=history.reports_made,
            reports_upheld=history.reports_upheld,
        ) if history else None,
    )


def _shown_decision(entry: Entry, appeal: moderation.Appeal | None) -> ShownDecision:
    action = entry.action
    return ShownDecision(
        action_id=action.id, kind=action.kind, done=action.done,
        undone=action.undone_by is not None, published=time_of(action.published_us),
        reason=action.reason, expires=maybe_time_of(action.expires_us),
        community_id=action.community_id, post_id=action.post_id, comment_id=action.comment_id,
        appeal=shown_appeal(appeal) if appeal else None,
    )


CALLS: tuple[Call[Any, Any], ...] = (
    Call("GET", "/queue", GetQueue, QueueAnswer, get_queue),
    Call("POST", "/queue/decide", DecideItem, SuccessResponse, decide_item),
    Call("GET", "/decided", GetDecided, Decided, get_decided),
    Call("POST", "/appeal", WriteAppeal, AppealAnswer, write_appeal),
    Call("POST", "/appeal/decide", DecideAppeal, AppealAnswer, decide_appeal),
)
