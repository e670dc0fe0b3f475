"""The rulebook: the compiled rules of the communities written to last.

Compiling a rule costs a millisecond, asking it five microseconds; so a community's rules (the
site's and its own) are compiled once, as one bundle, and kept until a rule changes. A memory reader
of the log: it hears of every change, whichever process made it.
"""

import threading
from collections import OrderedDict
from collections.abc import Sequence
from typing import NamedTuple

from lichen.automod import tables
from lichen.automod.facts import FIELDS, Need, needs_of
from lichen.automod.limits import BUNDLES_MAX
from lichen.automod.model import Rule
from lichen.events import Event, automod, collection_of, decode_events
from lichen.log import Batch
from lichen.rules import Bundle, RuleRefused, compile_program
from lichen.store import Unit

_RULE = collection_of(automod.Rule)


class RulesInForce(NamedTuple):
    """The rules that something in one community is held against, compiled together."""

    rules: tuple[Rule, ...]
    bundle: Bundle

    @property
    def needs(self) -> frozenset[Need]:
        """What must be asked for before all their facts are known."""
        return needs_of(self.bundle.fields)


class Rulebook:
    """Keeps compiled rules by community; a memory reader."""

    name = "automod"
    serves_pages = True

    def __init__(self, *, position: int) -> None:
        self._lock = threading.Lock()
        self._by_community: OrderedDict[int, RulesInForce] = OrderedDict()
        self._changes = 0  # a load compares before and after
        self._position = position

    def rules_for(self, unit: Unit, community_id: int) -> RulesInForce:
        """Return the rules in force in a community; one round trip where not in memory."""
        with self._lock:
            found = self._by_community.get(community_id)
            changes = self._changes
            if found is not None:
                self._by_community.move_to_end(community_id)
                return found
        rows = unit.fetch(tables.RULES_FOR, owner_id=community_id)
        loaded = in_force([tables.rule_from(row) for row in rows])
        with self._lock:
            if changes == self._changes:
                self._by_community[community_id] = loaded
                if len(self._by_community) > BUNDLES_MAX:
                    self._by_community.popitem(last=False)
        return loaded

    def position(self) -> int:
        """Return the sequence of the last event applied; nothing is kept over a restart."""
        return self._position

    async def apply(self, batch: Batch) -> None:
        """Apply a batch of the log; twice changes nothing."""
        self.follow(decode_events(batch.lines()))
        self._position = batch.next_seq - 1

    def follow(self, events: Sequence[Event]) -> None:
        """Forget what is compiled as soon as any rule changed."""
        if any(event.collection == _RULE for event in events):
            with self._lock:
                self._changes += 1
                self._by_community.clear()


def in_force(rules: Sequence[Rule]) -> RulesInForce:
    """Return the rules compiled together; one that an older release accepted may drop out."""
    kept, programs = [], []
    for rule in rules:
        try:
            program = compile_program(rule.program, FIELDS)
        except RuleRefused:
            continue  # a fact that is gone: the rule's page says so
        kept.append(rule)
        programs.append(program)
    return RulesInForce(tuple(kept), Bundle(programs))
