"""Menus: a rule as rows of "fact, comparison, value", and the program that says the same.

    all of   author_age_days  <          2              author_age_days < 2 and
             text             contains   casino, poker  contains(text, {'casino', 'poker'})

`program_of` goes there for every menu, `menu_of` back for every program that a menu could have
written; others can only be edited as text. Pure.
"""

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Final

import msgspec

from lichen.automod.facts import FACTS, FIELDS
from lichen.automod.limits import ROWS_MAX
from lichen.kit import Refused
from lichen.rules import FieldType, RuleRefused, compile_program
from lichen.rules.tree import (
    Comparison,
    Containing,
    Field,
    Literal,
    Logic,
    Matching,
    Membership,
    Node,
    Overlap,
)


class MenuRow(msgspec.Struct, frozen=True):
    """One row; several words or names in `value` are parted by commas."""

    fact: str
    comparison: str
    value: str = ""


class Menu(msgspec.Struct, frozen=True):
    """All rows must hold, or with `any_row` one of them."""

    rows: tuple[MenuRow, ...]
    any_row: bool = False


_NUMBERS: Final = ("<", "<=", ">", ">=", "==", "!=")
COMPARISONS: Final[Mapping[FieldType, tuple[str, ...]]] = MappingProxyType({
    FieldType.NUMBER: _NUMBERS,
    FieldType.BOOLEAN: ("is true", "is not true"),
    FieldType.TEXT: ("contains", "does not contain", "matches", "does not match", "is one of",
                     "is none of"),
    FieldType.SET_OF_TEXT: ("has one of", "has none of"),
})
_NOT: Final = frozenset(
    ("is not true", "does not contain", "does not match", "is none of", "has none of"))
_OPPOSITE: Final = MappingProxyType({
    "is true": "is not true", "contains": "does not contain", "matches": "does not match",
    "is one of": "is none of", "has one of": "has none of",
})


def program_of(menu: Menu) -> str:
    """Return the program that says what the menu says; raises Refused for a row that is wrong."""
    if not 1 <= len(menu.rows) <= ROWS_MAX:
        raise Refused("invalid_rule_rows", f"A rule has 1 to {ROWS_MAX} rows.")
    return (" or " if menu.any_row else " and ").join(map(_condition, menu.rows))


def menu_of(program: str) -> Menu | None:
    """Return the menu that says what the program says, None where no menu does."""
    try:
        tree = compile_program(program, FIELDS).tree
    except RuleRefused:
        return None
    joined = isinstance(tree, Logic) and tree.word in ("and", "or")
    rows = [_row_of(part) for part in (tree.parts if joined else (tree,))]
    if len(rows) > ROWS_MAX or any(row is None for row in rows):
        return None
    return Menu(tuple(row for row in rows if row is not None),
                any_row=isinstance(tree, Logic) and tree.word == "or")


def _condition(row: MenuRow) -> str:
    fact = FACTS.get(row.fact)
    if fact is None or row.comparison not in COMPARISONS[fact.type]:
        raise Refused("invalid_rule_row", "Choose a fact and a comparison that fits it.")
    negated = "not " if row.comparison in _NOT else ""
    if fact.type is FieldType.NUMBER:
        return f"{fact.name} {row.comparison} {_number(row.value)}"
    if fact.type is FieldType.BOOLEAN:
        return f"{negated}{fact.name}"
    if row.comparison in ("matches", "does not match"):
        return f"{negated}matches({fact.name}, {row.value!r})"
    if row.comparison in ("contains", "does not contain"):
        return f"{negated}contains({fact.name}, {_set(row.value)})"
    if row.comparison in ("is one of", "is none of"):
        return f"{fact.name} {negated}in {_set(row.value)}"
    return f"{negated}overlaps({fact.name}, {_set(row.value.lower())})"


def _number(value: str) -> str:
    try:
        number = float(value.strip())
    except ValueError:
        raise Refused("invalid_rule_value", f"Expected a number, got {value[:40]!r}.") from None
    if not abs(number) < 2**53:
        raise Refused("invalid_rule_value", "Expected a number below 2**53.")
    return str(int(number)) if number.is_integer() else repr(number)


def _set(value: str) -> str:
    words = sorted({word.strip() for word in value.replace("\n", ",").split(",")} - {""})
    if not words:
        raise Refused("invalid_rule_value", "Expected words, parted by commas; got none.")
    return "{" + ", ".join(map(repr, words)) + "}"


def _row_of(node: Node) -> MenuRow | None:
    if isinstance(node, Logic) and node.word == "not":
        row = _row_of(node.parts[0])
        opposite = _OPPOSITE.get(row.comparison) if row else None
        return MenuRow(row.fact, opposite, row.value) if row and opposite else None
    match node:
        case Field(type=FieldType.BOOLEAN, name=name):
            return MenuRow(name, "is true")
        case Comparison(operators=(operator,), parts=(Field(name=name), Literal(value=value))):
            is_number = isinstance(value, int | float) and not isinstance(value, bool)
            return MenuRow(name, operator, _shown(value)) if is_number else None
        case Containing(words=words, parts=(Field(name=name),)):
            return _of_words(name, "contains", words)
        case Matching(source=source, parts=(Field(name=name),)):
            return MenuRow(name, "matches", source)
        case Membership(parts=(Field(type=FieldType.TEXT, name=name), Literal(value=members))):
            return _of_words(name, "is one of", _texts(members))
        case Overlap(parts=(Field(name=name), Literal(value=members))):
            return _of_words(name, "has one of", _texts(members))
    return None


def _of_words(name: str, comparison: str, words: Sequence[str] | None) -> MenuRow | None:
    """Return a row of several words, None where one could not be told from two."""
    if not words or any("," in word or "\n" in word or word != word.strip() for word in words):
        return None
    if comparison == "has one of" and any(word != word.lower() for word in words):
        return None
    return MenuRow(name, comparison, ", ".join(words))


def _texts(members: object) -> list[str] | None:
    if not isinstance(members, frozenset):
        return None
    return sorted(str(member) for member in members)


def _shown(value: object) -> str:
    assert isinstance(value, int | float), "a number"
    return str(int(value)) if float(value).is_integer() else repr(float(value))
