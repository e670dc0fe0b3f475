"""The part that the others of moderation stand on: the log, notices, and who may see what."""

from collections.abc import Callable
from typing import Protocol

from lichen.accounts import Accounts, Actor, Viewer, site_did
from lichen.events import event_of
from lichen.events import moderation as records
from lichen.forum import Forum
from lichen.kit import Forbidden, TidGenerator, isoformat
from lichen.moderation import action_rows, queue_rows, report_rows
from lichen.moderation.cases import ItemKind, ItemState, QueueItem
from lichen.moderation.model import TOLD, Act, Action, ReportedMessage
from lichen.store import Unit
from lichen.web import Addresses


class ReportedMessages(Protocol):
    """What moderation asks of the room of private messages, which the house hands in."""

    def reported(self, unit: Unit, ids: list[int]) -> dict[int, ReportedMessage]:
        """Return messages by id, with what their recipients may report."""


class Pictures(Protocol):
    """What moderation asks of whoever keeps pictures, which the house hands in."""

    def purge(self, unit: Unit, addresses: list[str]) -> None:
        """Take the pictures at these addresses from the disk."""


class Part:
    """What every part of moderation works with."""

    def __init__(
        self, *, forum: Forum, accounts: Accounts, addresses: Addresses, tids: TidGenerator,
        messages: ReportedMessages | None = None, pictures: Pictures | None = None,
        erase: Callable[[Unit, int], object] | None = None,
    ) -> None:
        self._forum = forum
        self._accounts = accounts
        self._addresses = addresses
        self._tids = tids
        self._messages = messages
        self._pictures = pictures
        self._erase = erase

    def wait(self, unit: Unit, item: QueueItem) -> None:
        """Put something into the queue; what is there already grows in severity."""
        (number,) = unit.take_numbers("moderation_item")
        unit.stage(queue_rows.WAIT, queue_rows.row_of_item(item, id=number))

    def settle(
        self, unit: Unit, kind: ItemKind, subject_kind: str, subject_id: int, *,
        state: ItemState = ItemState.CLOSED,
    ) -> None:
        """Take something out of the queue, or hand it up; what is not there stays away."""
        unit.stage(queue_rows.SETTLE, {
            "of_kind": kind.value, "of_subject_kind": subject_kind, "of_subject_id": subject_id,
            "new_state": state.value,
        })

    def _log(
        self, unit: Unit, moderator: Viewer, act: Act, *, undoes: Action | None = None
    ) -> Action:
        """Write an act into the log, tell of it, and tell the person whom it concerns."""
        action = self._write(unit, moderator, act, undoes=undoes)
        record = records.Action(
            kind=act.kind.value, done=act.done, created_at=isoformat(unit.clock_us),
            subject=act.subject, community=act.community.did if act.community else None,
            reason=act.reason, expires_at=_time(act.expires_us),
            undoes=undoes.tid if undoes else None,
        )
        unit.emit(event_of(
            record, id=self._tids.next(), did=site_did(self._addresses.authority),
            operation="create", rkey=action.tid, row=action.id, outside=act.outside,
        ))
        self._tell(unit, moderator, act, action)
        return action

    def _write(
        self, unit: Unit, moderator: Viewer, act: Act, *, undoes: Action | None = None
    ) -> Action:
        """Write an act into the log, and close what it undoes."""
        (number,) = unit.take_numbers("moderation_action")
        action = action_rows.action_of(
            act, id=number, tid=self._tids.next(), moderator_id=moderator.id, now_us=unit.clock_us
        )
        unit.stage(action_rows.INSERT, action_rows.row_of_action(action))
        unit.stage(action_rows.CLOSE, {
            "of_kind": act.kind.value, "of_subject": act.key, "now_done": act.done,
            "new_id": number,
        })
        if undoes is not None:
            # Where the opposite of an act is the act with other terms, CLOSE does not find it.
            unit.stage(action_rows.MARK_UNDONE, {"row_id": undoes.id, "new_id": number})
        return action

    def _tell(self, unit: Unit, moderator: Viewer, act: Act, action: Action) -> None:
        """Tell a local person what was decided about it by somebody else."""
        person = act.person
        if act.kind not in TOLD or person is None or not person.local or person.id == moderator.id:
            return
        notice = records.Notice(
            action=action.id, kind=act.kind.value, done=act.done, reason=act.reason,
            created_at=isoformat(unit.clock_us), expires_at=_time(act.expires_us),
        )
        unit.emit(event_of(
            notice, id=self._tids.next(), did=person.did, operation="create",
            rkey=self._tids.next(), row=person.id,
        ))

    def _close_reports(
        self, unit: Unit, moderator: Viewer, *, kind: str, subject_id: int
    ) -> None:
        """Resolve every report of something that was removed, and take it out of the queue."""
        # Lemmy 0.19, PostReport::resolve_all_for_object.
        unit.stage(report_rows.RESOLVE_ALL, {
            "of_kind": kind, "of_subject_id": subject_id, "judge_id": moderator.id,
            "now_us": unit.clock_us,
        })
        self.settle(unit, ItemKind.REPORT, kind, subject_id)
        self.settle(unit, ItemKind.HELD, kind, subject_id)

    def _moderated(self, unit: Unit, viewer: Viewer) -> list[int] | None:
        """Return the communities that a viewer moderates, None for an administrator: all."""
        if viewer.admin:
            return None
        return list(self._forum.standings.of(unit, viewer).moderates)

    def _judged(self, unit: Unit, viewer: Viewer) -> list[int] | None:
        """Return what `_moderated` does, or refuse whoever moderates nothing."""
        found = self._moderated(unit, viewer)
        if viewer.actor.banned or found == []:
            # Lemmy 0.19, check_community_mod_of_any_or_admin_action.
            raise Forbidden("not_a_mod_or_admin", "Only moderators and administrators may do this.")
        return found

    def _community_actor(self, unit: Unit, community_id: int) -> Actor | None:
        return self._accounts.actors(unit, [community_id]).get(community_id)


def _time(time_us: int | None) -> str | None:
    return None if time_us is None else isoformat(time_us)
