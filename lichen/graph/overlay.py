"""The overlay: what changed since the base, by actor, in memory.

For each actor that changed: whom they follow now and did not, whom they no longer follow, and the
same the other way round. A follow that the base has already leaves nothing here, so that applying a
change twice changes nothing, and an overlay never grows by repetition.
"""

from collections.abc import Sequence

import numpy as np
from pyroaring import BitMap

from lichen.graph.base import Base, Direction, Rows
from lichen.graph.changes import ChangeKind, Changes
from lichen.graph.sets import Numbers, numbers_in


class Difference:
    """How one row differs from the base."""

    __slots__ = ("added", "removed")

    def __init__(self) -> None:
        self.added, self.removed = BitMap(), BitMap()

    @property
    def is_nothing(self) -> bool:
        """Say whether the row is as in the base."""
        return not self.added and not self.removed


class Overlay:
    """The changes since a base, and the actors that came with them."""

    def __init__(self, base: Base) -> None:
        self._base = base
        self.names: list[str] = []
        self._numbers: dict[str, int] = {}
        self.differences: tuple[dict[int, Difference], ...] = ({}, {})
        self.blocks: dict[int, BitMap] = {}
        for actor, target in base.blocks.tolist():
            self.blocks.setdefault(actor, BitMap()).add(target)
        self.follows = base.head.follows
        self.changes = 0

    @property
    def actors(self) -> int:
        """Return how many actors there are."""
        return self._base.head.actors + len(self.names)

    def base_rows(self, direction: Direction) -> Rows:
        """Return the rows of a direction as they are in the base."""
        return self._base.rows[direction]

    def number_of(self, name: str) -> int | None:
        """Return the number of a name, None when it is unknown."""
        known = self._numbers.get(name)
        return self._base.names.number_of(name) if known is None else known

    def numbers_of(self, names: Sequence[str]) -> Numbers:
        """Return the numbers of many names, NOBODY for those that are unknown."""
        numbers = self._base.names.numbers_of(names)
        if self._numbers:
            own = [(at, self._numbers[name]) for at, name in enumerate(names)
                   if name in self._numbers]
            for at, number in own:
                numbers[at] = number
        return numbers

    def name_of(self, number: int) -> str:
        """Return the name of a number."""
        own = number - self._base.head.actors
        return self._base.names.name_of(number) if own < 0 else self.names[own]

    def names_of(self, numbers: Numbers) -> list[str]:
        """Return the names of many numbers."""
        own = numbers >= self._base.head.actors
        if not own.any():
            return self._base.names.names_of(numbers)
        names = np.empty(len(numbers), object)
        names[~own] = self._base.names.names_of(numbers[~own])
        names[own] = [self.names[at] for at in (numbers[own] - self._base.head.actors).tolist()]
        return list(names)

    def add_names(self, names: Sequence[str]) -> None:
        """Give the next numbers to names that are new."""
        for name in names:
            self._numbers[name] = self.actors
            self.names.append(name)

    def apply(self, changes: Changes) -> None:
        """Apply changes in their order; twice is once."""
        self.changes += len(changes)
        for actor, target, kind in changes.tolist():
            if kind <= ChangeKind.UNFOLLOW:
                self._follow(actor, target, follows=kind == ChangeKind.FOLLOW)
            elif kind == ChangeKind.BLOCK:
                self.blocks.setdefault(actor, BitMap()).add(target)
            elif actor in self.blocks:
                self.blocks[actor].discard(target)

    def copied_differences(self) -> dict[int, Difference]:
        """Return how the rows of whom people follow differ, for a thread of its own."""
        copies = {}
        for number, difference in self.differences[Direction.FOLLOWING].items():
            copies[number] = copy = Difference()
            copy.added, copy.removed = difference.added.copy(), difference.removed.copy()
        return copies

    def does_follow(self, actor: int, target: int) -> bool:
        """Say whether one actor follows another."""
        difference = self.differences[Direction.FOLLOWING].get(actor)
        if difference is not None:
            if target in difference.added:
                return True
            if target in difference.removed:
                return False
        return self._base.rows[Direction.FOLLOWING].holds(actor, target)

    def bitmap(self, number: int, direction: Direction) -> BitMap:
        """Return a row as a bitmap, which must not be changed."""
        base = self._base.rows[direction].bitmap(number)
        difference = self.differences[direction].get(number)
        return base if difference is None else (base - difference.removed) | difference.added

    def row(self, number: int, direction: Direction) -> Numbers:
        """Return a row, sorted; a view of the base where nothing changed."""
        if number not in self.differences[direction]:
            return self._base.rows[direction].row(number)
        return numbers_in(self.bitmap(number, direction))

    def count(self, number: int, direction: Direction) -> int:
        """Return the length of a row."""
        difference = self.differences[direction].get(number)
        base = self._base.rows[direction].count(number)
        if difference is None:
            return base
        return base + len(difference.added) - len(difference.removed)

    def _follow(self, actor: int, target: int, *, follows: bool) -> None:
        if actor == target or self.does_follow(actor, target) == follows:
            return
        in_base = self._base.rows[Direction.FOLLOWING].holds(actor, target)
        for direction, one, other in ((Direction.FOLLOWING, actor, target),
                                      (Direction.FOLLOWERS, target, actor)):
            differences = self.differences[direction]
            difference = differences.setdefault(one, Difference())
            if follows:
                (difference.removed.discard if in_base else difference.added.add)(other)
            else:
                (difference.removed.add if in_base else difference.added.discard)(other)
            if difference.is_nothing:
                del differences[one]
        self.follows += 1 if follows else -1
