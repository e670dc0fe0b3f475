"""Appeals: what a person says against an action, decided by somebody else than who acted."""

import msgspec

from lichen.accounts import Actor, Viewer
from lichen.events import event_of
from lichen.events import moderation as records
from lichen.forum import check_moderator
from lichen.kit import Conflict, NotFound, Refused, isoformat
from lichen.moderation import action_rows, report_rows
from lichen.moderation.cases import Appeal, AppealState, ItemKind, QueueItem
from lichen.moderation.limits import ANSWER_LENGTH_MAX, APPEAL_LENGTH_MAX
from lichen.moderation.model import APPEALABLE, Action, check_judge
from lichen.moderation.undoing import Undoing
from lichen.store import Unit


class Appeals(Undoing):
    """Commands and queries about appeals."""

    def appeal(self, unit: Unit, person: Actor, action_id: int, text: str) -> Appeal:
        """Appeal once against what was decided about a person; two round trips."""
        text = _checked(text, "An appeal", APPEAL_LENGTH_MAX)
        if not text:
            raise Refused("invalid_body_field", "Say why it should be decided otherwise.")
        # Locked, so that of two who appeal at once the second sees the first.
        _lock, found, appeals = unit.fetch_all(
            (action_rows.LOCK, {"id": action_id}), (action_rows.FIND, {"id": action_id}),
            (report_rows.APPEALS_OF, {"ids": [action_id]}),
        )
        action = action_rows.action_from(found[0]) if found else None
        if action is None or action.person_id != person.id or action.moderator_id == person.id:
            raise NotFound("couldnt_find_object", "Nothing of the kind was decided about you.")
        if action.kind not in APPEALABLE or not action.done or action.undone_by is not None:
            raise Conflict("couldnt_appeal", "There is nothing to appeal against any more.")
        if appeals:
            raise Conflict("already_appealed", "You have appealed against that already.")
        (number,) = unit.take_numbers("appeal")
        appeal = Appeal(
            id=number, tid=self._tids.next(), action_id=action.id, person_id=person.id,
            community_id=action.community_id, text=text, state=AppealState.OPEN, answer=None,
            judge_id=None, published_us=unit.clock_us, updated_us=None,
        )
        unit.stage(report_rows.INSERT_APPEAL, msgspec.structs.asdict(appeal) | {"state": "open"})
        self._tell_appeal(unit, appeal, person, is_new=True)
        self.wait(unit, QueueItem(
            kind=ItemKind.APPEAL, subject_kind="appeal", subject_id=appeal.id,
            community_id=appeal.community_id, person_id=person.id, since_us=unit.clock_us,
            evidence=text[:200],
        ))
        return appeal

    def decide_appeal(
        self, unit: Unit, viewer: Viewer, appeal_id: int, *, upheld: bool, answer: str = ""
    ) -> Appeal:
        """Uphold an appeal, which undoes what it is against, or deny it.

        Not by who acted where another moderator or administrator is there; never by who appeals.
        """
        answer = _checked(answer, "An answer", ANSWER_LENGTH_MAX)
        rows = unit.fetch(report_rows.FIND_APPEAL, id=appeal_id)
        if not rows:
            raise NotFound("couldnt_find_object", "There is no such appeal.")
        appeal = report_rows.appeal_from(rows[0])
        action = action_rows.action_from(
            unit.fetch(action_rows.FIND, id=appeal.action_id)[0]
        )
        self._check_judge(unit, viewer, appeal, action)
        if appeal.state is not AppealState.OPEN:
            raise Conflict("already_decided", "Somebody else has decided about it.")
        state = AppealState.UPHELD if upheld else AppealState.DENIED
        decided = msgspec.structs.replace(
            appeal, state=state, answer=answer or None, judge_id=viewer.id,
            updated_us=unit.clock_us,
        )
        unit.stage(report_rows.DECIDE_APPEAL, {
            "row_id": appeal.id, "new_state": state.value, "new_answer": decided.answer,
            "judge_id": viewer.id, "now_us": unit.clock_us,
        })
        person = self._accounts.actors(unit, [appeal.person_id])[appeal.person_id]
        self._tell_appeal(unit, decided, person, is_new=False)
        self.settle(unit, ItemKind.APPEAL, "appeal", appeal.id)
        if upheld and action.undone_by is None:
            self.undo(unit, viewer, action.id, reason=decided.answer)
        return decided

    def appeals_against(self, unit: Unit, action_ids: list[int]) -> dict[int, Appeal]:
        """Return the appeals there are, by action; one round trip."""
        rows = unit.fetch(report_rows.APPEALS_OF, ids=action_ids)
        return {row.action_id: report_rows.appeal_from(row) for row in rows}

    def _check_judge(
        self, unit: Unit, viewer: Viewer, appeal: Appeal, action: Action
    ) -> None:
        others = {admin.id for admin in self._accounts.admins(unit)}
        if appeal.community_id is None:
            if not viewer.admin:
                raise NotFound("couldnt_find_object", "There is no such appeal.")
        else:
            (view,) = self._forum.community_views(unit, viewer, [appeal.community_id])
            check_moderator(viewer, view)
            others |= {one.id for one in self._forum.moderators(unit, appeal.community_id)}
        check_judge(viewer.id, action, appellant_id=appeal.person_id, others=others)

    def _tell_appeal(
        self, unit: Unit, appeal: Appeal, person: Actor, *, is_new: bool
    ) -> None:
        record = records.Appeal(
            action=appeal.action_id, text=appeal.text, state=appeal.state.value,
            created_at=isoformat(appeal.published_us), answer=appeal.answer,
        )
        unit.emit(event_of(
            record, id=self._tids.next(), did=person.did,
            operation="create" if is_new else "update", rkey=appeal.tid, row=appeal.id,
        ))


def _checked(text: str, what: str, length_max: int) -> str:
    cut = text.strip()
    if len(cut) > length_max:
        raise Refused(
            "invalid_body_field",
            f"{what} has at most {length_max} characters; this one has {len(cut)}.",
        )
    return cut
