"""Looking numbers up in a set: one at a time, or a whole column.

A member is first rounded as the item is: in float32, 0.1 is in {0.1}. Whole items compare exactly
up to 63 bits, and for them members that are not whole drop out.
"""

from collections.abc import Callable
from typing import Any

import numpy as np

from lichen.rules.arithmetic import Array

_TABLE_SPAN_MAX = 1 << 20  # one byte for each number from the smallest to the largest: 1 MiB
_COMPARED_MAX = 16  # members; above this a binary search beats one comparison for each

# Writes into the second column whether each item of the first is in the set.
Lookup = Callable[[Array, Array], object]


def is_member(item: Any, members: frozenset[Any]) -> bool:
    """Say whether one number or text is in the set; O(members) for floats, else O(1)."""
    if isinstance(item, np.floating):
        return any(type(item)(member) == item for member in members)
    return (item if isinstance(item, str) else int(item)) in members


def lookup_of(members: frozenset[Any], dtype: np.dtype[Any]) -> Lookup:
    """Return how to look columns of this dtype up in the set; O(1) an item for dense whole numbers.

    Made once for each call of a program, used for each of its chunks.
    """
    if dtype.kind in "OU":
        return _by_hash(members)
    ordered = _ordered(members, dtype)
    if len(ordered) == 0:
        return lambda _items, out: out.fill(False)
    if dtype.kind != "f" and _is_dense(int(ordered[0]), int(ordered[-1])):
        return _by_table(ordered)
    if len(ordered) <= _COMPARED_MAX:
        return lambda items, out: np.copyto(out, np.isin(items, ordered))
    return _by_search(ordered)


def _ordered(members: frozenset[float], dtype: np.dtype[Any]) -> Array:
    if dtype.kind == "f":
        return np.unique(np.array(list(members), dtype=dtype))
    whole = (int(member) for member in members if float(member).is_integer())
    return np.unique(np.array([each for each in whole if abs(each) < 2**63], dtype=np.int64))


def _is_dense(low: int, high: int) -> bool:
    # The table steps one beyond its ends, which must be int64 too.
    return high - low < _TABLE_SPAN_MAX and low > -(2**63) and high < 2**63 - 1


def _by_hash(members: frozenset[Any]) -> Lookup:
    def look(items: Array, out: Array) -> None:
        out[:] = [item in members for item in items.tolist()]

    return look


def _by_table(ordered: Array) -> Lookup:
    # One place more at either end answers for everything that lies outside.
    low, high = int(ordered[0]) - 1, int(ordered[-1]) + 1
    table = np.zeros(high - low + 1, np.bool_)
    table[ordered - low] = True

    def look(items: Array, out: Array) -> None:
        np.take(table, np.clip(items.astype(np.int64, copy=False), low, high) - low, out=out,
                mode="clip")

    return look


def _by_search(ordered: Array) -> Lookup:
    def look(items: Array, out: Array) -> None:
        places = np.searchsorted(ordered, items)
        np.minimum(places, len(ordered) - 1, out=places)
        np.equal(ordered[places], items, out=out)

    return look
