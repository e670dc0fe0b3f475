"""A program: one source, checked once, asked in three ways.

    columns   a value for each row of columns          ranking, filters, trials on the past
    value     the value for one set of facts           a rule at the door
    explain   the value and what it was made of        "why is this here?"
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Final

import numpy as np

from lichen.kit import Reason, Term
from lichen.rules import limits
from lichen.rules.arithmetic import Array, quiet
from lichen.rules.columns import Plan
from lichen.rules.interpreter import Floating, evaluate, fact, floating_of
from lichen.rules.parser import parse
from lichen.rules.tree import (
    MEMBER_TYPES,
    Arithmetic,
    Choice,
    Field,
    FieldType,
    Literal,
    Logic,
    Node,
    fields_of,
    walk,
)

Value = float | str | bool

# What the first term of a chain is called, and the others by the operation before them.
_SUM = ("added", {"add": "added", "subtract": "subtracted"})
_PRODUCT = ("factor", {"multiply": "factor", "divide": "divided by"})
_CHAINS: Final[Mapping[str, tuple[str, Mapping[str, str]]]] = MappingProxyType({
    "add": _SUM, "subtract": _SUM, "multiply": _PRODUCT, "divide": _PRODUCT,
    "minimum": ("", {"minimum": ""}), "maximum": ("", {"maximum": ""}),
})


def compile_program(source: str, fields: Mapping[str, FieldType]) -> "Program":
    """Return the program for the source over the named fields; raises RuleRefused."""
    return Program(source, parse(source, fields))


class Program:
    """A checked program; made by `compile_program`, immutable, and safe in several threads.

    `fields` are the names it reads, conditions before branches, `kinds` their types; `type` is the
    type of its value, `tree` what both evaluators walk.
    """

    def __init__(self, source: str, tree: Node) -> None:
        self.source = source
        self.fields = fields_of(tree)
        self.type = tree.type
        self.tree = tree
        self.kinds = {node.name: node.type for node in walk(tree) if isinstance(node, Field)}
        self._plans: dict[frozenset[str], Plan] = {}

    def columns(self, columns: Mapping[str, Array], **scalars: object) -> Array:
        """Return the value for each row of the columns, all of one length.

        A field is a column (numbers of any kind, booleans, texts or sets as objects) or a single
        value in `scalars`. Numbers come back as float32 if every column of floats that the
        program reads is float32, else as float64; conditions as bool; texts as objects.
        Raises KeyError for a missing field, TypeError for a value of another type.
        """
        lengths = {len(column) for column in columns.values()}
        if len(lengths) != 1:
            raise ValueError(f"expected columns of one length, got {sorted(lengths)}")
        names = frozenset(self.fields).intersection(columns)
        plan = self._plans.get(names)
        if plan is None:
            if len(self._plans) >= limits.PLANS_MAX:
                self._plans.clear()
            plan = self._plans[names] = Plan(self.tree, names)
        return plan.run(columns, scalars, rows=lengths.pop())

    def value(self, facts: Mapping[str, Any]) -> Value:
        """Return the value for one set of facts; raises KeyError and TypeError as `columns`.

        Numbers are float64, unless the facts are numpy's float32.
        """
        ready, floating = self._ready(facts)
        with quiet():
            return self._shown(self.tree, ready, floating)

    def explain(self, facts: Mapping[str, Any], *, rule: str = "") -> Reason:
        """Return the value with the terms it was made of, as `value` would; `rule` is its name.

        First the parts of the outermost operation (addends by weight, the others as written),
        then the fields. A choice shows its condition and the branch that was taken.
        """
        ready, floating = self._ready(facts)
        with quiet():
            terms = [Term(part.text, self._shown(part, ready, floating), note)
                     for part, note in _parts(self.tree, ready, floating)]
            if isinstance(self.tree, Arithmetic) and self.tree.kernel in ("add", "subtract"):
                terms.sort(key=lambda term: -abs(float(term.value)))
            named = {term.name for term in terms}
            terms += [self._term(name, ready[name]) for name in self.fields if name not in named]
            value = self._shown(self.tree, ready, floating)
        return Reason(rule=rule or self.source, terms=tuple(terms), value=value)

    def _ready(self, facts: Mapping[str, Any]) -> tuple[dict[str, Any], Floating]:
        floating = floating_of(facts[name] for name, kind in self.kinds.items()
                               if kind is FieldType.NUMBER)
        return {name: fact(facts[name], kind, floating)
                for name, kind in self.kinds.items()}, floating

    def _shown(self, node: Node, ready: Mapping[str, Any], floating: Floating) -> Value:
        value = evaluate(node, ready, floating)
        if node.type is FieldType.NUMBER:
            return float(floating(value))
        return value if isinstance(value, str) else bool(value)

    def _term(self, name: str, value: Any) -> Term:
        if self.kinds[name] in MEMBER_TYPES:
            return Term(name, float(len(value)), "members")
        return Term(name, value.item() if isinstance(value, np.generic) else value)


def _parts(tree: Node, ready: Mapping[str, Any], floating: Floating) -> list[tuple[Node, str]]:
    """Return the parts of the outermost operation that are worth showing, each with a note."""
    if isinstance(tree, Choice):
        condition, then, otherwise = tree.parts
        chosen = then if evaluate(condition, ready, floating) else otherwise
        parts = [(condition, "condition"), (chosen, "chosen")]
    elif isinstance(tree, Logic):
        parts = [(part, "condition") for part in tree.parts]
    elif isinstance(tree, Arithmetic):
        parts = _flattened(tree)
    else:
        parts = [(part, "") for part in tree.parts]
    return [(part, note) for part, note in parts
            if not isinstance(part, Literal) and part.type not in MEMBER_TYPES]


def _flattened(tree: Arithmetic) -> list[tuple[Node, str]]:
    """Return the terms of a chain such as `a + b - c`, in the order of the source."""
    first_note, notes = _CHAINS.get(tree.kernel, ("", {}))
    terms: list[tuple[Node, str]] = []
    node: Node = tree
    while isinstance(node, Arithmetic) and node.kernel in notes:
        terms.append((node.parts[1], notes[node.kernel]))
        node = node.parts[0]
    if terms:
        return [(node, first_note), *reversed(terms)]
    return [(part, "") for part in tree.parts]
