"""Between rules and moderators: what rules say is done, and what is held waits in the queue.

A rule acts in the name of whoever switched it on, with what that person may do now: somebody who no
longer moderates can remove nothing through a rule. Each act is a line of the moderation log with
the rule's name as its reason, so that it can be appealed and undone as any other.
"""

from collections.abc import Sequence

from lichen.accounts import Accounts, SessionId, Settings, Viewer
from lichen.automod import SITE, Deed
from lichen.forum import ContentCheck, SubjectKind, Verdict, Written
from lichen.kit import Forbidden, Reason
from lichen.moderation import BanOrder, ItemKind, Moderation, QueueItem, Why
from lichen.plugins import InHouse, hookimpl
from lichen.store import Unit


class ModerationEnforcement:
    """Carries out reports, removals and bans; an `Enforcement` of the room automod."""

    def __init__(self, *, accounts: Accounts, moderation: Moderation) -> None:
        self._accounts = accounts
        self._moderation = moderation

    def report(self, unit: Unit, deed: Deed) -> None:
        """Put the thing into the queue of its moderators; nobody reported it but the rule."""
        item = _item_of(unit, deed.written, ItemKind.REPORT, evidence=_said(deed))
        self._moderation.wait(unit, item)

    def remove(self, unit: Unit, deed: Deed) -> None:
        """Take the thing away; four round trips at most."""
        viewer, why = self._in_whose_name(unit, deed), Why(_said(deed))
        subject_id = deed.written.subject.id
        if deed.written.kind is SubjectKind.POST:
            self._moderation.remove_post(unit, viewer, subject_id, removed=True, why=why)
        else:
            self._moderation.remove_comment(unit, viewer, subject_id, removed=True, why=why)

    def ban(self, unit: Unit, deed: Deed, *, expires_us: int) -> None:
        """Ban the author until a time; six round trips at most."""
        viewer = self._in_whose_name(unit, deed)
        owner = deed.rule.owner_id
        self._moderation.ban(unit, viewer, BanOrder(
            deed.written.author.id, banned=True, expires_us=expires_us,
            community_id=None if owner == SITE else owner,
        ), why=Why(_said(deed)))

    def _in_whose_name(self, unit: Unit, deed: Deed) -> Viewer:
        person_id = deed.rule.switched_by
        actor = self._accounts.actors(unit, [person_id]).get(person_id)
        if actor is None or actor.deleted or actor.banned:
            raise Forbidden("not_a_moderator", "Whoever switched this rule on is gone.")
        return Viewer(actor=actor, account_id=0, settings=Settings(), session_id=SessionId(""),
                      accepted=True, email_verified=True)


class RulesPlugin(InHouse):
    """The moderation rules as the first plugin; what is held, by them or by others, is queued.

    Made before the forum, which asks it; given the moderation room, which stands on the forum,
    after it.
    """

    def __init__(self, check: ContentCheck) -> None:
        super().__init__("rules", "Holds what is written against the moderation rules of the site "
                                  "and of its community.")
        self._check = check
        self._moderation: Moderation | None = None

    def queue_with(self, moderation: Moderation) -> None:
        """Say where things wait."""
        self._moderation = moderation

    @hookimpl
    def judge_written(self, unit: Unit, written: Sequence[Written]) -> list[Verdict]:
        """Return the rules' verdicts; what they or the hooks hold will wait. Raises Refused."""
        verdicts = self._check.judge(unit, written)
        return [
            self._watched(one, verdict) if verdict.hold or one.holds else verdict
            for one, verdict in zip(written, verdicts, strict=True)
        ]

    def _watched(self, written: Written, verdict: Verdict) -> Verdict:
        def then(unit: Unit) -> None:
            if verdict.then is not None:
                verdict.then(unit)
            if self._moderation is not None:
                reasons = (*written.holds, *verdict.reasons)
                self._moderation.wait(unit, _item_of(
                    unit, written, ItemKind.HELD, reasons=reasons,
                    evidence=", ".join(reason.rule for reason in reasons),
                ))

        return Verdict(hold=True, then=then)


def _item_of(
    unit: Unit, written: Written, kind: ItemKind, *, evidence: str,
    reasons: tuple[Reason, ...] = (),
) -> QueueItem:
    return QueueItem(
        kind=kind, subject_kind=written.kind.name.lower(), subject_id=written.subject.id,
        community_id=written.community.id, person_id=written.author.id, since_us=unit.clock_us,
        evidence=evidence, reasons=reasons,
    )


def _said(deed: Deed) -> str:
    return f"Rule: {deed.rule.name}"
