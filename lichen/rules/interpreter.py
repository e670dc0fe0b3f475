"""The plain evaluator: one set of facts, one walk over the tree.

It is what `value` and `explain` use, and the measure that the column evaluator is tested against:
the same steps on single numbers, in the same floating type, without chunks, scratch or hoisting. Of
an if-else it takes one branch only; `and` and `or` stop early. Neither can be seen from outside,
since no sub-expression has an effect or can fail.
"""

import operator as operators
from collections.abc import Callable, Iterable, Mapping
from types import MappingProxyType
from typing import Any

import numpy as np

from lichen.rules.arithmetic import ALWAYS_FINITE, KERNELS, settle
from lichen.rules.sets import is_member
from lichen.rules.texts import is_found, words_of
from lichen.rules.tree import (
    MEMBER_TYPES,
    Arithmetic,
    Choice,
    Comparison,
    Containing,
    Field,
    FieldType,
    Literal,
    Logic,
    Matching,
    Membership,
    Node,
    Overlap,
)

# On single numbers Python's operators do what numpy's functions do, in a tenth of the time.
_OPERATORS: Mapping[str, Callable[[Any, Any], Any]] = MappingProxyType({
    "==": operators.eq, "!=": operators.ne,
    "<": operators.lt, "<=": operators.le, ">": operators.gt, ">=": operators.ge,
})

# Under this name the facts may hold what is known of their texts; no field has a space in it.
GLANCE = "a glance"

# np.float32 or np.float64: the type every calculated number of one evaluation has.
Floating = type[np.float32] | type[np.float64]


def floating_of(values: Iterable[object]) -> Floating:
    """Return float32 if numpy floats are among the values and all are float32, else float64."""
    kinds = {value.dtype for value in values
             if isinstance(value, np.ndarray | np.generic) and value.dtype.kind == "f"}
    return np.float32 if kinds == {np.dtype(np.float32)} else np.float64


def fact(value: Any, kind: FieldType, floating: Floating) -> Any:
    """Return a value from outside in the form the evaluators take; raises TypeError.

    A whole number stays whole (63 bits), so that ids compare exactly.
    """
    if kind is FieldType.NUMBER and isinstance(value, int | np.integer | np.bool_):
        whole = int(value)
        return np.int64(whole) if abs(whole) < 2**63 else settle(floating(whole))
    if kind is FieldType.NUMBER and isinstance(value, float | np.floating):
        return settle(floating(value))
    if kind is FieldType.TEXT and isinstance(value, str):
        return str(value)
    if kind is FieldType.BOOLEAN and isinstance(value, bool | np.bool_):
        return bool(value)
    if kind in MEMBER_TYPES and isinstance(value, set | frozenset):
        return value
    if kind in MEMBER_TYPES and isinstance(value, list | tuple | np.ndarray):
        return frozenset(np.asarray(value).tolist())
    raise TypeError(f"expected {kind}, got {type(value).__name__}")


def evaluate(node: Node, facts: Mapping[str, Any], floating: Floating) -> Any:
    """Return the value of a node for facts that `fact` made; the caller holds `quiet()`."""
    return _EVALUATORS[type(node)](node, facts, floating)


def _literal(node: Literal, _facts: Mapping[str, Any], floating: Floating) -> Any:
    value = node.value
    return floating(value) if isinstance(value, float) else value


def _field(node: Field, facts: Mapping[str, Any], _floating: Floating) -> Any:
    return facts[node.name]


def _comparison(node: Comparison, facts: Mapping[str, Any], floating: Floating) -> bool:
    left = evaluate(node.parts[0], facts, floating)
    for operator, part in zip(node.operators, node.parts[1:], strict=True):
        right = evaluate(part, facts, floating)
        if not _compare(operator, left, right):
            return False
        left = right
    return True


def _logic(node: Logic, facts: Mapping[str, Any], floating: Floating) -> bool:
    if node.word == "not":
        return not evaluate(node.parts[0], facts, floating)
    stops_at = node.word == "or"
    for part in node.parts:
        if bool(evaluate(part, facts, floating)) is stops_at:
            return stops_at
    return not stops_at


def _choice(node: Choice, facts: Mapping[str, Any], floating: Floating) -> Any:
    condition, then, otherwise = node.parts
    chosen = then if evaluate(condition, facts, floating) else otherwise
    value = evaluate(chosen, facts, floating)
    return floating(value) if node.type is FieldType.NUMBER else value


def _membership(node: Membership, facts: Mapping[str, Any], floating: Floating) -> bool:
    item, container = node.parts
    inside = evaluate(container, facts, floating)
    value = evaluate(item, facts, floating)
    return value in inside if isinstance(inside, str) else is_member(value, inside)


def _overlap(node: Overlap, facts: Mapping[str, Any], floating: Floating) -> bool:
    left, right = (evaluate(part, facts, floating) for part in node.parts)
    return not left.isdisjoint(right)


def _containing(node: Containing, facts: Mapping[str, Any], floating: Floating) -> bool:
    text, glance = evaluate(node.parts[0], facts, floating), facts.get(GLANCE)
    words = words_of(text) if glance is None else glance.words(text)
    return any(phrase in words for phrase in node.phrases)


def _matching(node: Matching, facts: Mapping[str, Any], floating: Floating) -> bool:
    text, glance = evaluate(node.parts[0], facts, floating), facts.get(GLANCE)
    if glance is None:
        return is_found(node.pattern, text)
    return bool(glance.is_found(node.source, node.pattern, text))


def _calculate(node: Arithmetic, facts: Mapping[str, Any], floating: Floating) -> Any:
    parts = [evaluate(part, facts, floating) for part in node.parts]
    number = KERNELS[node.kernel](*parts, dtype=floating)
    return number if node.kernel in ALWAYS_FINITE else settle(number)


def _compare(operator: str, left: Any, right: Any) -> bool:
    if isinstance(left, str):
        # numpy would drop a NUL at the end of a text.
        return bool((left == right) is (operator == "=="))
    return bool(_OPERATORS[operator](left, right))


# A look-up by type costs a third of matching one class after another.
_EVALUATORS: Mapping[type[Node], Callable[[Any, Mapping[str, Any], Floating], Any]] = \
    MappingProxyType({
        Literal: _literal, Field: _field, Arithmetic: _calculate, Comparison: _comparison,
        Logic: _logic, Choice: _choice, Membership: _membership, Containing: _containing,
        Matching: _matching, Overlap: _overlap,
    })
