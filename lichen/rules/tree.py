"""The tree of a program: what the parser makes and both evaluators walk.

Every node has a type that is known before it runs, its parts in the order they are written, and the
text it was written as (for `explain`).

    log10(max(2, score + 2))      Arithmetic log10
                                  └── Arithmetic maximum
                                      ├── Literal 2
                                      └── Arithmetic add
                                          ├── Field score
                                          └── Literal 2
"""

import enum
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, Final


class FieldType(enum.StrEnum):
    """The type of a field, and of every sub-expression; the value is how messages say it."""

    NUMBER = "a number"
    TEXT = "a text"
    BOOLEAN = "true or false"
    SET_OF_NUMBERS = "a set of numbers"
    SET_OF_TEXT = "a set of texts"


MEMBER_TYPES: Final[Mapping[FieldType, FieldType]] = MappingProxyType({
    FieldType.SET_OF_NUMBERS: FieldType.NUMBER,
    FieldType.SET_OF_TEXT: FieldType.TEXT,
})

Constant = float | str | bool | frozenset[float] | frozenset[str]


@dataclass(frozen=True)
class Node:
    """A sub-expression."""

    type: FieldType
    text: str
    parts: tuple["Node", ...] = ()


@dataclass(frozen=True, kw_only=True)
class Literal(Node):
    """A value that is written in the program."""

    value: Constant


@dataclass(frozen=True, kw_only=True)
class Field(Node):
    """A named value that comes with every row or fact."""

    name: str


@dataclass(frozen=True, kw_only=True)
class Arithmetic(Node):
    """A number made of numbers by the kernel of this name."""

    kernel: str


@dataclass(frozen=True, kw_only=True)
class Comparison(Node):
    """A chain `a < b <= c`: one operator between each two neighbours, each part taken once."""

    operators: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class Logic(Node):
    """`and`, `or` over two or more conditions, `not` over one."""

    word: str


@dataclass(frozen=True, kw_only=True)
class Choice(Node):
    """`then if condition else otherwise`; the parts are condition, then, otherwise."""


@dataclass(frozen=True, kw_only=True)
class Membership(Node):
    """`item in container`; the container is a set, or a text that the item may be a piece of."""


@dataclass(frozen=True, kw_only=True)
class Containing(Node):
    """`contains(text, words)`: one of the phrases, in the normal form, is in the text.

    `words` are the phrases as they were written.
    """

    phrases: tuple[str, ...]
    words: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class Matching(Node):
    """`matches(text, pattern)`: RE2 finds the pattern somewhere in the text."""

    source: str
    pattern: Any = field(compare=False, repr=False)


@dataclass(frozen=True, kw_only=True)
class Overlap(Node):
    """`overlaps(texts, texts)`: the two sets have a member in common."""


def walk(node: Node) -> Iterator[Node]:
    """Yield the node and everything below it, parents first, in the order of the source."""
    yield node
    for part in node.parts:
        yield from walk(part)


def fields_of(node: Node) -> tuple[str, ...]:
    """Return the names of the fields the node reads, each once, in the order of the tree."""
    return tuple(dict.fromkeys(each.name for each in walk(node) if isinstance(each, Field)))
