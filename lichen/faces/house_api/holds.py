"""The calls about what waits for a moderator, for whoever wrote it, with their messages."""

from typing import Any

from lichen.faces.lemmy_v3.asking import Caller, Parts
from lichen.faces.lemmy_v3.calls import Call
from lichen.faces.lemmy_v3.wire import Answer, Ask, Nothing
from lichen.faces.lemmy_v3.wire.base import Id, Time, time_of
from lichen.forum import SubjectKind
from lichen.kit import Reason, Refused
from lichen.moderation import HeldView


class Why(Ask, frozen=True, kw_only=True):
    """Ask why a post or a comment (one of the two) waits."""

    post_id: Id | None = None
    comment_id: Id | None = None


class ShownHold(Answer, frozen=True, kw_only=True):
    """A post or comment that waits: since when, why, and who decides."""

    since: Time
    reasons: list[Reason]
    decided_by: str
    post_id: Id | None = None
    comment_id: Id | None = None
    community_id: Id | None = None


class HoldAnswer(Answer, frozen=True, kw_only=True):
    """One thing that waits."""

    held: ShownHold


class Holds(Answer, frozen=True, kw_only=True):
    """What of the caller waits, the newest first."""

    held: list[ShownHold]


async def get_why(parts: Parts, caller: Caller, asked: Why) -> HoldAnswer:
    """Return why a post or comment waits, to its author and who moderates there."""
    viewer = caller.person()
    if (asked.post_id is None) == (asked.comment_id is None):
        raise Refused("invalid_field", "Name a post_id or a comment_id, one of the two.")
    kind = SubjectKind.COMMENT if asked.post_id is None else SubjectKind.POST
    number = asked.comment_id if asked.post_id is None else asked.post_id
    found = await parts.store.read(
        lambda unit: parts.moderation.why_held(unit, viewer, kind, number or 0))
    return HoldAnswer(held=_shown(found))


async def list_held(parts: Parts, caller: Caller, asked: Nothing) -> Holds:
    """Return what of the caller waits for a moderator."""
    viewer = caller.person()
    found = await parts.store.read(lambda unit: parts.moderation.held_of(unit, viewer))
    return Holds(held=[_shown(one) for one in found])


def _shown(one: HeldView) -> ShownHold:
    by_admins = one.escalated or one.community is None
    return ShownHold(
        since=time_of(one.since_us), reasons=list(one.reasons),
        decided_by="administrators" if by_admins else "moderators",
        post_id=one.subject_id if one.subject_kind == "post" else None,
        comment_id=one.subject_id if one.subject_kind == "comment" else None,
        community_id=one.community.community.id if one.community else None,
    )


CALLS: tuple[Call[Any, Any], ...] = (
    Call("GET", "/why", Why, HoldAnswer, get_why),
    Call("GET", "/held", Nothing, Holds, list_held),
)
