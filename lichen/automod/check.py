"""The check: every new or edited post and comment is held against the rules before it is public.

    written ─► rules of its community (compiled) ─► facts ─► which rules are true
            ─► hits with their Reasons, rows and events ─► the strongest action
                 report            published, and waits in the rule's list
                 hold              private until a moderator approves
                 remove, ban       private, and carried out in the same command

A `ContentCheck` of the forum. The strongest action wins; every rule that was true keeps its hit.
Whoever moderates there is never removed or banned by a rule, but reported. Rules act in the name of
whoever switched them on: where that person may not do it (any more), the thing is held instead.
"""

from collections.abc import Sequence
from functools import partial
from typing import NamedTuple

import msgspec

from lichen.automod import limits, tables
from lichen.automod.facts import FACTS, Around, Item, Value, facts_of
from lichen.automod.model import Action, Hit, Mode, Rule, shortened
from lichen.automod.ports import Deed, Enforcement, PictureHashes, Trust
from lichen.automod.rulebook import Rulebook, RulesInForce
from lichen.automod.surroundings import Surroundings, item_of
from lichen.events import at_uri, automod, collection_of, event_of, forum
from lichen.forum import SubjectKind, Verdict, Written
from lichen.kit import Reason, Refused, Term, TidGenerator, isoformat
from lichen.store import Unit

_DAY_US = 24 * 3_600 * 1_000_000
_SUBJECTS = {SubjectKind.POST: collection_of(forum.Post),
             SubjectKind.COMMENT: collection_of(forum.Comment)}
_ALL_WORDS = "text"  # the fact that holds everything that was written
_ORDER = tuple(Action)  # the mildest first


class _Judged(NamedTuple):
    """One thing, the rules that were true of it, each with its Reason, and the strongest action."""

    written: Written
    hits: list[tuple[Rule, Reason]]
    action: Action | None


class RuleCheck:
    """Judges by the rules in force; made before the forum, given its enforcement after it."""

    def __init__(
        self, rulebook: Rulebook, *, tids: TidGenerator, trust: Trust | None = None,
        pictures: PictureHashes | None = None,
    ) -> None:
        self.rulebook = rulebook
        self.surroundings = Surroundings(trust=trust, pictures=pictures)
        self._tids = tids
        self._enforcement: Enforcement | None = None
        self._judged = 0

    def enforce_with(self, enforcement: Enforcement) -> None:
        """Carry out what rules say through this from now on; said once, by the house."""
        assert self._enforcement is None, "one enforcement for one house"
        self._enforcement = enforcement

    def judge(self, unit: Unit, written: Sequence[Written]) -> list[Verdict]:
        """Return a verdict for each; round trips by need and community, not by thing."""
        items = [item_of(one) for one in written]
        books = {item.community_id: self.rulebook.rules_for(unit, item.community_id)
                 for item in items}
        needs = frozenset[object]().union(*(book.needs for book in books.values()))
        around = self.surroundings.of(unit, items, needs)  # type: ignore[arg-type]
        self._leave_traces(unit, items)
        return [
            self._verdict(unit, _judged(one, item, near, books[item.community_id]))
            for one, item, near in zip(written, items, around, strict=True)
        ]

    def _leave_traces(self, unit: Unit, items: Sequence[Item]) -> None:
        """Remember the words of the things, and now and then forget old ones."""
        unit.stage(tables.WRITE_TRACE, *(
            {"kind": int(not item.is_post), "subject_id": item.id, "creator_id": item.author.id,
             "text_key": item.text_key, "published_us": item.at_us}
            for item in items
        ))
        before, self._judged = self._judged, self._judged + len(items)
        if before // limits.TRACES_DROPPED_EVERY != self._judged // limits.TRACES_DROPPED_EVERY:
            unit.stage(tables.DROP_TRACES, {
                "before_us": unit.clock_us - limits.DUPLICATE_AGE_US_MAX})

    def _verdict(self, unit: Unit, judged: _Judged) -> Verdict:
        if not judged.hits:
            return Verdict()
        hits = self._hits(unit, judged)
        if judged.action is None:
            self._keep(unit, judged.written, hits)
            return Verdict()
        return Verdict(
            hold=judged.action is not Action.REPORT,
            reasons=tuple(
                told_of(rule, reason) for rule, reason in judged.hits
                if rule.mode is Mode.ON and rule.action is not Action.REPORT
            ),
            then=partial(self._carry_out, judged=judged, hits=hits),
        )

    def _hits(self, unit: Unit, judged: _Judged) -> list[Hit]:
        numbers = unit.take_numbers("automod_hit", len(judged.hits))
        subject = judged.written.subject
        return [
            Hit(
                id=number, rule_id=rule.id, rule_name=rule.name, rule_version=rule.version,
                owner_id=rule.owner_id, community_id=judged.written.community.id,
                kind=int(judged.written.kind), subject_id=subject.id,
                subject=at_uri(judged.written.author.did, _SUBJECTS[judged.written.kind],
                               subject.tid),
                creator_id=subject.creator_id, mode=rule.mode, done=None,
                waiting=rule.mode is Mode.ON, reason=reason, created_us=unit.clock_us,
            )
            for number, (rule, reason) in zip(numbers, judged.hits, strict=True)
        ]

    def _carry_out(self, unit: Unit, *, judged: _Judged, hits: list[Hit]) -> None:
        """Do what each rule in force says, as far as it may; note what was done."""
        assert judged.action is not None, "there is something to do"
        done = []
        for hit, (rule, reason) in zip(hits, judged.hits, strict=True):
            if rule.mode is not Mode.ON:
                done.append(hit)
                continue
            deed = Deed(rule=rule, written=judged.written, reason=reason)
            carried = self._enforce(unit, deed, exempt=judged.written.moderates)
            settled = carried in (Action.REMOVE, Action.BAN)
            done.append(msgspec.structs.replace(hit, done=carried, waiting=not settled))
        self._keep(unit, judged.written, done)

    def _enforce(self, unit: Unit, deed: Deed, *, exempt: bool) -> Action:
        """Carry out one deed, and return what was done in the end."""
        action, enforcement = deed.rule.action, self._enforcement
        if exempt and action in (Action.REMOVE, Action.BAN):
            action = Action.REPORT
        try:
            if action in (Action.REMOVE, Action.BAN) and enforcement is not None:
                enforcement.remove(unit, deed)
                if action is Action.BAN:
                    expires_us = unit.clock_us + deed.rule.ban_days * _DAY_US
                    enforcement.ban(unit, deed, expires_us=expires_us)
                return action
            if action is Action.REPORT and enforcement is not None:
                enforcement.report(unit, deed)
        except Refused:
            return Action.HOLD
        return Action.REPORT if action is Action.REPORT else Action.HOLD

    def _keep(self, unit: Unit, written: Written, hits: Sequence[Hit]) -> None:
        """Stage the hits and tell of them."""
        for hit in hits:
            tid = self._tids.next()
            unit.stage(tables.WRITE_HIT, tables.row_of_hit(hit, tid=tid))
            unit.emit(event_of(
                record_of(hit), id=self._tids.next(), did=written.community.actor.did,
                operation="create", rkey=tid, row=written.subject.id,
            ))


def record_of(hit: Hit) -> automod.Hit:
    """Return what is told of a hit."""
    return automod.Hit(
        rule=hit.rule_id, version=hit.rule_version, mode=hit.mode.value, subject=hit.subject,
        waiting=hit.waiting, reason=hit.reason, created_at=isoformat(hit.created_us),
        done=hit.done.value if hit.done else None,
    )


def _judged(written: Written, item: Item, around: Around, book: RulesInForce) -> _Judged:
    """Return which rules are true of a thing, and the strongest of their actions."""
    facts = facts_of(item, around, book.bundle.fields)
    places = book.bundle.matching(facts)
    hits = [(book.rules[place], reason_of(book, place, facts)) for place in places]
    actions = [
        Action.REPORT if written.moderates and rule.action in (Action.REMOVE, Action.BAN)
        else rule.action
        for rule, _reason in hits if rule.mode is Mode.ON
    ]
    return _Judged(written, hits, max(actions, key=_ORDER.index, default=None))


def reason_of(book: RulesInForce, place: int, facts: dict[str, Value]) -> Reason:
    """Return why a rule of the book is true of the facts."""
    rule, program = book.rules[place], book.bundle.programs[place]
    reason = program.explain(facts, rule=rule.name)
    return shortened(msgspec.structs.replace(
        reason, decided_by=f"rule {rule.id}, version {rule.version}",
        change="the community's moderators" if rule.owner_id else "the administrators",
    ))


def told_of(rule: Rule, reason: Reason) -> Reason:
    """Return a reason as the author of what was hit may read it.

    It names the rule and what is true of the author and its words. The program stays with the
    moderators (it may name other people and the words it looks for), and so does what others wrote.
    What the author wrote is not said again.
    """
    known = ((FACTS[term.name], term) for term in reason.terms
             if term.name in FACTS and term.name != _ALL_WORDS)
    return Reason(
        rule=rule.name,
        terms=tuple(
            Term(fact.label, "not told", "it counts what others wrote") if fact.of_others
            else Term(fact.label, _rounded(term.value), term.note)
            for fact, term in known
        ),
        decided_by="a rule of the community" if rule.owner_id else "a rule of the site",
        change="Its moderators can change the rule." if rule.owner_id
        else "The administrators can change the rule.",
    )


def _rounded(value: float | str | bool) -> float | str | bool:
    return round(value, 2) if isinstance(value, float) else value
