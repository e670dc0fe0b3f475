"""Sets of actor numbers: a mapped row for everybody, a Roaring bitmap where rows are large.

Both are sorted. Small meets large by testing the small one's members in the large one's bitmap;
large meets large container by container (Chambi, Lemire et al., "Better bitmap performance with
Roaring bitmaps", 2016).
"""

import struct
from collections.abc import Iterable
from typing import Final

import numpy as np
from numpy.typing import NDArray
from pyroaring import BitMap

Numbers = NDArray[np.uint32]

_COOKIE: Final = 12_346  # Roaring format specification: no run containers
_ARRAY_MAX: Final = 4_096  # so many members of one container at most stand as an array


def bitmap_of(row: Numbers) -> BitMap:
    """Return the bitmap of sorted numbers: 25 µs for 1,000, where the constructor takes 75.

    A short row is written down in the portable format, whose containers are plain arrays then, and
    read from there.
    """
    if not 0 < len(row) <= _ARRAY_MAX:
        return BitMap(row)
    high = row >> np.uint32(16)
    starts = np.concatenate((_ZERO, np.flatnonzero(high[1:] != high[:-1]) + 1))
    count = len(starts)
    descriptions = np.empty((count, 2), "<u2")
    descriptions[:, 0] = high[starts]
    descriptions[:, 1] = np.diff(starts, append=len(row)) - 1
    offsets = (8 + 8 * count + 2 * starts).astype("<u4")
    return BitMap.deserialize(b"".join((
        struct.pack("<II", _COOKIE, count), descriptions.tobytes(), offsets.tobytes(),
        (row & np.uint32(0xFFFF)).astype("<u2").tobytes())))


_ZERO: Final = np.zeros(1, np.intp)


def numbers_in(bitmap: BitMap) -> Numbers:
    """Return the members of a bitmap, sorted."""
    return np.array(bitmap.to_array(), np.uint32)


def intersection_of(sets: Iterable[BitMap]) -> BitMap:
    """Return what is in all sets, smallest first; nothing of no sets."""
    ordered = sorted(sets, key=len)
    if not ordered:
        return BitMap()
    common = ordered[0]
    for one in ordered[1:]:
        if not common:
            break
        common = common & one
    return common


def union_of(sets: Iterable[BitMap]) -> BitMap:
    """Return what is in any of the sets."""
    every = list(sets)
    return BitMap.union(*every) if every else BitMap()
