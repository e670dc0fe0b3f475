"""A bundle: many conditions asked of one set of facts at once.

Two hundred rules look at every comment that is written. Asked one by one each would prepare the
facts, fold the text and search its own patterns. A bundle prepares the facts once, folds each text
once, and searches the patterns of all programs in one pass (texts.py); then every program is
walked by the plain evaluator, which stops at the first condition that fails.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from lichen.rules.arithmetic import quiet
from lichen.rules.errors import RuleRefused
from lichen.rules.interpreter import GLANCE, evaluate, fact, floating_of
from lichen.rules.program import Program
from lichen.rules.texts import Glance, Sieve
from lichen.rules.tree import FieldType, Matching, walk


class Bundle:
    """Conditions over the same fields; immutable, and safe in several threads.

    Raises RuleRefused for a program whose value is not a condition.
    """

    def __init__(self, programs: Sequence[Program]) -> None:
        for program in programs:
            if program.type is not FieldType.BOOLEAN:
                raise RuleRefused("a condition", program.type.value)
        self.programs = tuple(programs)
        self._kinds = {name: kind for program in programs for name, kind in program.kinds.items()}
        self._sieve = Sieve([node.source for program in programs for node in walk(program.tree)
                             if isinstance(node, Matching)])

    @property
    def fields(self) -> frozenset[str]:
        """The names of all fields that the programs read."""
        return frozenset(self._kinds)

    def matching(self, facts: Mapping[str, Any]) -> list[int]:
        """Return the places of the programs that are true of the facts, ascending.

        Equal to asking each for its value. Raises KeyError and TypeError as `Program.value`.
        """
        floating = floating_of(facts[name] for name, kind in self._kinds.items()
                               if kind is FieldType.NUMBER)
        ready: dict[str, Any] = {
            name: fact(facts[name], kind, floating) for name, kind in self._kinds.items()
        }
        ready[GLANCE] = Glance(self._sieve)
        with quiet():
            return [place for place, program in enumerate(self.programs)
                    if evaluate(program.tree, ready, floating)]
