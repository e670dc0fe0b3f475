"""The base: who follows whom at one position of the log, immutable, mapped from files.

    base-00000000000000001234/
    ├── head.json             position, counts, and the checksum of every file
    ├── following.starts      where each actor's row begins (u32, u64 beyond 2³² follows)
    ├── following.rows        whom they follow: sorted numbers (u32), one row after the other
    ├── followers.starts, followers.rows       the same the other way
    ├── heavy.{direction}.{numbers,ends,bitmaps}      rows of 4,096 and more as Roaring bitmaps
    ├── blocks                who blocks whom, as pairs (u32)
    └── names.…               names.py

Opening maps files and reads nothing else: a millisecond, no private memory, shared by all processes
(compressed sparse rows; measured against bitmaps for everybody: 8.6 bytes a follow, not 40).
"""

from bisect import bisect_left
from collections import OrderedDict
from enum import IntEnum
from pathlib import Path
from typing import Final, cast

import msgspec
import numpy as np
from numpy.typing import NDArray
from pyroaring import BitMap

from lichen.graph.mapped import mapped
from lichen.graph.names import Names
from lichen.graph.sets import Numbers, bitmap_of

VERSION: Final = 1
READER: Final = 1
HEAD: Final = "head.json"
HEAVY_MEMBERS_MIN: Final = 4_096  # a shorter row becomes a bitmap in under 0.1 ms anyway
BITMAPS_BYTES_MAX: Final = 256 << 20  # of deserialised heavy rows, all of them together


class Direction(IntEnum):
    """Which way a row goes."""

    FOLLOWING = 0
    FOLLOWERS = 1

    @property
    def word(self) -> str:
        """Return the word that files are named with."""
        return self.name.lower()


class Head(msgspec.Struct, frozen=True):
    """What a base says of itself."""

    position: int
    actors: int
    follows: int
    version: int = VERSION
    reader: int = READER
    checksums: dict[str, str] = {}


class Rows:
    """The rows of one direction."""

    def __init__(self, folder: Path, direction: Direction, *, is_wide: bool) -> None:
        self._starts = mapped(folder / f"{direction.word}.starts", "Q" if is_wide else "I")
        self._members = mapped(folder / f"{direction.word}.rows", "I")
        self._array = np.frombuffer(self._members, np.uint32)
        self._heavy = HeavyRows(folder, direction)

    def row(self, number: int) -> Numbers:
        """Return an actor's row, sorted; no copy. Nothing for who came after the base."""
        if number >= len(self._starts) - 1:
            return self._array[:0]
        return self._array[self._starts[number] : self._starts[number + 1]]

    def count(self, number: int) -> int:
        """Return the length of an actor's row."""
        if number >= len(self._starts) - 1:
            return 0
        return int(self._starts[number + 1] - self._starts[number])

    def holds(self, number: int, member: int) -> bool:
        """Say whether a row has a member; about 1 µs."""
        if number >= len(self._starts) - 1:
            return False
        end = self._starts[number + 1]
        at = bisect_left(self._members, member, self._starts[number], end)
        return at < end and self._members[at] == member

    def pairs(self) -> NDArray[np.uint64]:
        """Return all pairs of this direction, as `number << 32 | member`, sorted."""
        starts = self._starts_array().astype(np.int64)
        numbers = np.arange(len(starts) - 1, dtype=np.uint64) << np.uint64(32)
        pairs: NDArray[np.uint64] = np.repeat(numbers, np.diff(starts))
        pairs |= self._array
        return pairs

    def bitmap(self, number: int) -> BitMap:
        """Return an actor's row as a bitmap, which must not be changed."""
        heavy = self._heavy.bitmap(number)
        return bitmap_of(self.row(number)) if heavy is None else heavy

    def holds_many(self, numbers: Numbers, members: Numbers) -> NDArray[np.bool_]:
        """Say of many pairs whether the first's row has the second: halving, all at once."""
        if not len(self._array):
            return np.zeros(len(numbers), np.bool_)
        starts = self._starts_array()
        known = numbers < len(starts) - 1
        own = np.where(known, numbers, 0)
        low, high = starts[own].astype(np.int64), starts[own + 1].astype(np.int64)
        end = high.copy()
        while (open_ := low < high).any():
            middle = (low + high) >> 1
            is_less = open_ & (self._array[np.minimum(middle, len(self._array) - 1)] < members)
            low = np.where(is_less, middle + 1, low)
            high = np.where(open_ & ~is_less, middle, high)
        found = low < end
        answers: NDArray[np.bool_] = known & found
        answers &= self._array[np.where(found, low, 0)] == members
        return answers

    def _starts_array(self) -> NDArray[np.unsignedinteger]:
        return np.frombuffer(self._starts, np.uint64 if self._starts.format == "Q" else np.uint32)


class HeavyRows:
    """The rows that are kept as bitmaps too; the last ones asked for stay in memory."""

    def __init__(self, folder: Path, direction: Direction) -> None:
        stem = f"heavy.{direction.word}"
        self._numbers = mapped(folder / f"{stem}.numbers", "I")
        self._ends = mapped(folder / f"{stem}.ends", "Q")
        self._content = mapped(folder / f"{stem}.bitmaps")
        self._recent: OrderedDict[int, BitMap] = OrderedDict()
        self._bytes = 0

    def bitmap(self, number: int) -> BitMap | None:
        """Return the bitmap of a heavy row, None for the others."""
        known = self._recent.get(number)
        if known is not None:
            self._recent.move_to_end(number)
            return known
        at = bisect_left(self._numbers, number)
        if at == len(self._numbers) or self._numbers[at] != number:
            return None
        content = self._part(at)
        # Any buffer will do, though the types ask for bytes: nothing is copied but once.
        bitmap = BitMap.deserialize(cast(bytes, content))
        self._recent[number] = bitmap
        self._bytes += len(content)
        while self._bytes > BITMAPS_BYTES_MAX and len(self._recent) > 1:
            old, _ = self._recent.popitem(last=False)
            self._bytes -= len(self._part(bisect_left(self._numbers, old)))
        return bitmap

    def _part(self, at: int) -> memoryview:
        return self._content[self._ends[at - 1] if at else 0 : self._ends[at]]


class Base:
    """A base, open to read."""

    def __init__(self, folder: Path, head: Head) -> None:
        is_wide = head.follows >= 1 << 32
        self.folder, self.head = folder, head
        self.names = Names(folder)
        self.rows = tuple(Rows(folder, direction, is_wide=is_wide) for direction in Direction)
        self.blocks = np.frombuffer(mapped(folder / "blocks", "I"), np.uint32).reshape(-1, 2)

    @classmethod
    def open(cls, folder: Path) -> "Base":
        """Map a base; raises OSError, msgspec.DecodeError."""
        return cls(folder, msgspec.json.decode((folder / HEAD).read_bytes(), type=Head))
