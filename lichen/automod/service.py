"""What moderation rules promise: they are written, tried, switched, and their hits are looked at.

Only the moderators of a community (and the administrators) see or change its rules; only
administrators those of the site. Every command takes the open unit of work.
"""

from collections.abc import Iterable

import msgspec

from lichen.accounts import Accounts, Viewer, check_admin, site_did
from lichen.automod import limits, tables
from lichen.automod.check import RuleCheck, record_of
from lichen.automod.facts import FIELDS
from lichen.automod.model import SITE, Action, Hit, Mode, Rule, RuleDraft, checked
from lichen.automod.trials import Trials
from lichen.events import automod, collection_of, deletion_of, event_of
from lichen.forum import Forum, SubjectKind, check_moderator
from lichen.kit import NotFound, Refused, TidGenerator, isoformat
from lichen.rules import FieldType, RuleRefused, compile_program
from lichen.store import Unit
from lichen.web import Addresses


class RuleCount(msgspec.Struct, frozen=True):
    """How often a rule was true of something, and when last."""

    hits: int = 0
    last_us: int | None = None


class Automod:
    """Rules and their hits; `check` judges by them, `trials` tries them on the past."""

    def __init__(
        self, *, accounts: Accounts, forum: Forum, check: RuleCheck, trials: Trials,
        tids: TidGenerator, addresses: Addresses,
    ) -> None:
        self.check = check
        self.trials = trials
        self._accounts = accounts
        self._forum = forum
        self._tids = tids
        self._addresses = addresses

    def rules(self, unit: Unit, viewer: Viewer, owner_id: int) -> list[Rule]:
        """Return the rules of a community, or of the site; two round trips."""
        self._owner_did(unit, viewer, owner_id)
        return [tables.rule_from(row) for row in unit.fetch(tables.RULES_OF, owner_id=owner_id)]

    def rule_counts(self, unit: Unit, viewer: Viewer, owner_id: int) -> dict[int, RuleCount]:
        """Return how often each rule of an owner was true; two round trips."""
        self._owner_did(unit, viewer, owner_id)
        rows = unit.fetch(tables.COUNT_HITS, owner_id=owner_id)
        return {row.rule_id: RuleCount(row.count, row.last_us) for row in rows}

    def rule(self, unit: Unit, viewer: Viewer, rule_id: int) -> Rule:
        """Return a rule; two round trips."""
        found = self._found(unit, rule_id)
        self._owner_did(unit, viewer, found.owner_id)
        return found

    def create_rule(
        self, unit: Unit, viewer: Viewer, owner_id: int, draft: RuleDraft
    ) -> Rule:
        """Write a rule, switched off unless the draft says otherwise; three round trips."""
        did = self._owner_did(unit, viewer, owner_id)
        draft = checked(draft)
        if unit.fetch(tables.NUMBER_OF_RULES, owner_id=owner_id)[0].count \
                >= limits.RULES_PER_OWNER_MAX:
            raise Refused("too_many_rules",
                          f"There are at most {limits.RULES_PER_OWNER_MAX} rules; delete one.")
        (number,) = unit.take_numbers("automod_rule")
        written = Rule(
            id=number, tid=self._tids.next(), owner_id=owner_id,
            name=(draft.name or "A rule").strip(), program=checked_program(draft.program or ""),
            action=draft.action or Action.REPORT, ban_days=draft.ban_days or 1,
            severity=draft.severity or 1, mode=draft.mode or Mode.OFF, note=draft.note or "",
            created_by=viewer.id, switched_by=viewer.id, created_us=unit.clock_us,
            updated_us=unit.clock_us, version=1,
        )
        self._write(unit, written, did=did, is_new=True)
        return written

    def edit_rule(self, unit: Unit, viewer: Viewer, rule_id: int, draft: RuleDraft) -> Rule:
        """Change a rule; a new program or action is a new version; three round trips."""
        before = self._found(unit, rule_id)
        did = self._owner_did(unit, viewer, before.owner_id)
        wishes = {name: wish for name, wish in msgspec.structs.asdict(checked(draft)).items()
                  if wish is not None}
        if "program" in wishes:
            wishes["program"] = checked_program(wishes["program"])
        after = msgspec.structs.replace(before, **wishes, updated_us=unit.clock_us)
        acts_anew = (before.program, before.action, before.ban_days, before.mode) != (
            after.program, after.action, after.ban_days, after.mode)
        changes_what = (before.program, before.action) != (after.program, after.action)
        after = msgspec.structs.replace(
            after, version=before.version + changes_what,
            # It acts in the name of whoever said last what it does.
            switched_by=viewer.id if acts_anew else before.switched_by,
        )
        self._write(unit, after, did=did, is_new=False)
        return after

    def delete_rule(self, unit: Unit, viewer: Viewer, rule_id: int) -> Rule:
        """Delete a rule with its hits, and return what it was; three round trips."""
        found = self._found(unit, rule_id)
        did = self._owner_did(unit, viewer, found.owner_id)
        unit.stage(tables.DROP_HITS_OF_RULE, {"rule_id": rule_id})
        unit.stage(tables.DROP_RULE, {"id": rule_id})
        unit.emit(deletion_of(collection_of(automod.Rule), id=self._tids.next(), did=did,
                              rkey=found.tid, row=found.id))
        return found

    def hits(
        self, unit: Unit, viewer: Viewer, *, owner_id: int = SITE, rule_id: int | None = None,
        waiting_only: bool = False, page: int = 1, limit: int = 20,
    ) -> list[Hit]:
        """Return a page of hits of a rule, or of an owner's rules, the newest first."""
        if not 1 <= limit <= limits.HITS_PAGE_MAX or page < 1:
            raise Refused("invalid_limit", f"A page has 1 to {limits.HITS_PAGE_MAX} hits.")
        shape = {"limit": limit, "offset": (page - 1) * limit}
        if rule_id is not None:
            self.rule(unit, viewer, rule_id)
            rows = unit.fetch(tables.HITS_OF_RULE, rule_id=rule_id, **shape)
        else:
            self._owner_did(unit, viewer, owner_id)
            rows = unit.fetch(tables.HITS_OF_OWNER, owner_id=owner_id, all=not waiting_only,
                              **shape)
        return [tables.hit_from(row) for row in rows]

    def hits_on(self, unit: Unit, viewer: Viewer, kind: int, subject_id: int) -> list[Hit]:
        """Return the hits on one thing, for whoever moderates where it is; two round trips."""
        rows = unit.fetch(tables.HITS_ON, kind=kind, subject_id=subject_id)
        found = [tables.hit_from(row) for row in rows]
        if found:
            check_moderator(viewer, self._forum.community(unit, viewer, id=found[0].community_id))
        return found

    def settle_hit(self, unit: Unit, viewer: Viewer, hit_id: int) -> Hit:
        """Note that a moderator has looked at a hit; twice is once. Three round trips."""
        rows = unit.fetch(tables.HIT, id=hit_id)
        if not rows:
            raise NotFound("couldnt_find_hit", "There is no such hit.")
        found = tables.hit_from(rows[0])
        view = self._forum.community(unit, viewer, id=found.community_id)
        check_moderator(viewer, view)
        if not found.waiting:
            return found
        settled = msgspec.structs.replace(found, waiting=False)
        unit.stage(tables.WRITE_HIT, tables.row_of_hit(settled, tid=rows[0].tid))
        unit.emit(event_of(record_of(settled), id=self._tids.next(), rkey=rows[0].tid,
                           did=view.community.actor.did, operation="update",
                           row=settled.subject_id))
        return settled

    def forget_person(self, unit: Unit, person_id: int) -> None:
        """Drop every hit on a person's words, which quote them, and every trace of them."""
        for statement in tables.DROP_OF_CREATOR:
            unit.stage(statement, {"creator_id": person_id})

    def forget_words(self, unit: Unit, kind: SubjectKind, ids: Iterable[int]) -> None:
        """Drop every hit on these posts or comments, which quote them, and every trace of them."""
        for statement in tables.DROP_OF_SUBJECTS:
            unit.stage(statement, {"kind": int(kind), "ids": list(ids)})

    def begin_trial(
        self, unit: Unit, viewer: Viewer, owner_id: int, program: str, *, days: int
    ) -> int:
        """Return the number of a trial of a program on the last days; call `trials.start` next."""
        self._owner_did(unit, viewer, owner_id)
        return self.trials.prepare(
            owner_id, checked_program(program), days=days, started_by=viewer.id,
            now_us=unit.clock_us,
        )

    def check_trial(self, unit: Unit, viewer: Viewer, trial_id: int) -> None:
        """Refuse whoever may not see a trial; one round trip."""
        self._owner_did(unit, viewer, self.trials.of(trial_id).owner_id)

    def _found(self, unit: Unit, rule_id: int) -> Rule:
        _lock, rows = unit.fetch_all(
            (tables.LOCK_RULE, {"id": rule_id}), (tables.RULE, {"id": rule_id}))
        if not rows:
            raise NotFound("couldnt_find_rule", "There is no such rule.")
        return tables.rule_from(rows[0])

    def _owner_did(self, unit: Unit, viewer: Viewer, owner_id: int) -> str:
        """Return the DID of a rule's owner, or refuse whoever may not see its rules."""
        if owner_id == SITE:
            check_admin(viewer)
            return site_did(self._addresses.authority)
        view = self._forum.community(unit, viewer, id=owner_id)
        check_moderator(viewer, view)
        return view.community.actor.did

    def _write(self, unit: Unit, rule: Rule, *, did: str, is_new: bool) -> None:
        unit.stage(tables.WRITE_RULE, tables.row_of_rule(rule))
        record = automod.Rule(
            name=rule.name, program=rule.program, action=rule.action.value, mode=rule.mode.value,
            severity=rule.severity, version=rule.version, created_at=isoformat(rule.created_us),
            updated_at=isoformat(rule.updated_us), note=rule.note or None,
            ban_days=rule.ban_days if rule.action is Action.BAN else None,
        )
        unit.emit(event_of(record, id=self._tids.next(), did=did, rkey=rule.tid, row=rule.id,
                           operation="create" if is_new else "update"))


def checked_program(source: str) -> str:
    """Return a program that is a condition over the facts, or refuse it with the place."""
    program = compile_program(source, FIELDS)
    if program.type is not FieldType.BOOLEAN:
        raise RuleRefused("a condition, true or false", program.type.value)
    return source.strip()


