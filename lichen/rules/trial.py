"""Trying a program on the past: how much would this rule have caught?

A trial walks the columns in chunks and yields after each, so that a page can show progress and stop
when it has seen enough, and an event loop can breathe between two chunks.
"""

from collections.abc import Iterator, Mapping

import msgspec
import numpy as np

from lichen.rules import limits
from lichen.rules.arithmetic import Array
from lichen.rules.errors import RuleRefused
from lichen.rules.program import Program
from lichen.rules.tree import FieldType


class Trial(msgspec.Struct, frozen=True):
    """How far a trial has come: rows seen of all, matches among them, the first matching rows."""

    seen: int
    rows: int
    matches: int
    sample: tuple[int, ...]


def try_on(program: Program, columns: Mapping[str, Array], *, chunk: int = limits.CHUNK_ROWS,
           scalars: Mapping[str, object] | None = None) -> Iterator[Trial]:
    """Yield a Trial after each `chunk` rows; the last one has seen them all.

    A row matches when the program is true of it. Raises RuleRefused, before the first row, for a
    program whose value is not a condition.
    """
    if program.type is not FieldType.BOOLEAN:
        raise RuleRefused("a condition to try", program.type.value)
    assert chunk > 0
    return _trials(program, columns, chunk=chunk, scalars=scalars or {})


def _trials(program: Program, columns: Mapping[str, Array], *, chunk: int,
            scalars: Mapping[str, object]) -> Iterator[Trial]:
    rows = len(next(iter(columns.values())))
    matches = 0
    sample: list[int] = []
    for start in range(0, max(rows, 1), chunk):
        part = {name: column[start : start + chunk] for name, column in columns.items()}
        found = np.flatnonzero(program.columns(part, **scalars))
        matches += len(found)
        sample += (found[: limits.SAMPLE_MAX - len(sample)] + start).tolist()
        yield Trial(min(start + chunk, rows), rows, matches, tuple(sample))
