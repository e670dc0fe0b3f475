"""The calls about notes and strikes on people, with their messages.

A remark is of a community, or with `community_id` 0 (or none) of the site.
"""

from typing import Any

from lichen import moderation
from lichen.faces.lemmy_v3.asking import Caller, Parts
from lichen.faces.lemmy_v3.calls import Call
from lichen.faces.lemmy_v3.wire import Answer, Ask, SuccessResponse
from lichen.faces.lemmy_v3.wire.base import Id, Prose, Seconds, Time, maybe_time_of, time_of
from lichen.moderation import RemarkDraft, RemarkKind, Why
from lichen.store import Unit

_SECOND_US = 1_000_000


class GetRemarks(Ask, frozen=True, kw_only=True):
    """Ask for what is kept about a person where the caller moderates."""

    person_id: Id


class WriteRemark(Ask, frozen=True, kw_only=True):
    """Keep a note about a person, or give it a strike; `expires` counts seconds since 1970."""

    person_id: Id
    kind: RemarkKind
    text: Prose
    community_id: Id = 0
    expires: Seconds | None = None


class DeleteRemark(Ask, frozen=True, kw_only=True):
    """Take a note or a strike back; of a strike the person is told, with the reason."""

    remark_id: Id
    reason: Prose | None = None


class ShownRemark(Answer, frozen=True, kw_only=True):
    """A note or a strike; a strike counts until it expires."""

    id: Id
    kind: RemarkKind
    text: str
    person_id: Id
    author_id: Id
    published: Time
    community_id: Id = 0
    expires: Time | None = None


class RemarkAnswer(Answer, frozen=True, kw_only=True):
    """One remark."""

    remark: ShownRemark


class Remarks(Answer, frozen=True, kw_only=True):
    """What is kept about a person, the newest first."""

    remarks: list[ShownRemark]


async def list_remarks(parts: Parts, caller: Caller, asked: GetRemarks) -> Remarks:
    """Return the notes and strikes on a person."""
    viewer = caller.person()
    found = await parts.store.read(
        lambda unit: parts.moderation.remarks(unit, viewer, asked.person_id))
    return Remarks(remarks=[_shown(view.remark) for view in found])


async def write_remark(parts: Parts, caller: Caller, asked: WriteRemark) -> RemarkAnswer:
    """Keep a note or a strike."""
    viewer = caller.person()
    draft = RemarkDraft(
        asked.person_id, asked.text, asked.kind, asked.community_id or None,
        expires_us=None if asked.expires is None else asked.expires * _SECOND_US,
    )

    def command(unit: Unit) -> moderation.Remark:
        return parts.moderation.remark(unit, viewer, draft)

    return RemarkAnswer(remark=_shown(await parts.store.write(command)))


async def delete_remark(parts: Parts, caller: Caller, asked: DeleteRemark) -> SuccessResponse:
    """Take a note or a strike back."""
    viewer = caller.person()
    await parts.store.write(lambda unit: parts.moderation.drop_remark(
        unit, viewer, asked.remark_id, why=Why(asked.reason)))
    return SuccessResponse(success=True)


def _shown(one: moderation.Remark) -> ShownRemark:
    return ShownRemark(
        id=one.id, kind=one.kind, text=one.text, person_id=one.person_id, author_id=one.author_id,
        published=time_of(one.published_us), community_id=one.community_id or 0,
        expires=maybe_time_of(one.expires_us),
    )


CALLS: tuple[Call[Any, Any], ...] = (
    Call("GET", "/remark/list", GetRemarks, Remarks, list_remarks),
    Call("POST", "/remark", WriteRemark, RemarkAnswer, write_remark),
    Call("POST", "/remark/delete", DeleteRemark, SuccessResponse, delete_remark),
)
