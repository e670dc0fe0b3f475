"""The overlay: what changed since the base, by actor, in memory.

For each actor that changed: whom they follow now and did not, whom they no longer follow, and the
same the other way round. A follow that the base has already leaves nothing here, so that applying a
change twice changes nothing, and an overlay never grows by repetition.
"""

from collections.abc import Callable, Iterator, Sequence
from typing import Final, Literal

import numpy as np
from pyroaring import BitMap

from lichen.graph.base import Base, Direction, Rows
from lichen.graph.changes import Batch, ChangeKind, Changes
from lichen.graph.names import NOBODY, Letters, name_of_letters
from lichen.graph.sets import Numbers, numbers_in

APPLIED_AT_ONCE: Final = 1_000  # changes between two turns of the others: some 3 ms


class Difference:
    """How one row differs from the base."""

    __slots__ = ("added", "removed")

    def __init__(self) -> None:
        self.added, self.removed = BitMap(), BitMap()

    @property
    def is_nothing(self) -> bool:
        """Say whether the row is as in the base."""
        return not self.added and not self.removed

    def copied(self) -> "Difference":
        """Return a copy, for a thread of its own."""
        copy = Difference()
        copy.added, copy.removed = self.added.copy(), self.removed.copy()
        return copy


class Overlay:
    """The changes since a base, and the actors that came with them."""

    def __init__(self, base: Base) -> None:
        self._base = base
        self.names: list[str] = []
        self._numbers: dict[str, int] = {}
        self.differences: tuple[dict[int, Difference], ...] = ({}, {})
        self.blocks: dict[int, BitMap] = {}
        self.blocked_by: dict[int, BitMap] = {}
        for actor, target in base.blocks.tolist():
            self.blocks.setdefault(actor, BitMap()).add(target)
            self.blocked_by.setdefault(target, BitMap()).add(actor)
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
        return self._with_new(self._base.names.numbers_of(names), names.__getitem__)

    def numbers_of_letters(self, letters: Letters) -> Numbers:
        """Return the numbers of many did:plc by their letters, NOBODY for those unknown."""
        return self._with_new(self._base.names.numbers_of_letters(letters),
                              lambda at: name_of_letters(letters[at]))

    def _with_new(self, numbers: Numbers, name_at: Callable[[int], str]) -> Numbers:
        """Fill in the numbers that names got after the base."""
        if self._numbers:
            for at in np.flatnonzero(numbers == NOBODY).tolist():
                numbers[at] = self._numbers.get(name_at(at), NOBODY)
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

    def applied(self, batch: Batch) -> Iterator[None]:
        """Apply a batch part by part; what is there already changes nothing."""
        known = self.actors - batch.first_number
        assert known >= 0, "names are given without a gap"
        self.add_names(batch.names[known:])
        for at in range(0, len(batch.changes), APPLIED_AT_ONCE):
            self.apply(batch.changes[at : at + APPLIED_AT_ONCE])
            yield

    def apply_whole(self, batch: Batch) -> None:
        """Apply a batch at once, where nobody else waits."""
        for _ in self.applied(batch):
            pass

    def apply(self, changes: Changes) -> None:
        """Apply changes in their order; twice is once."""
        self.changes += len(changes)
        in_base = self._base.rows[Direction.FOLLOWING].holds_many(
            changes["actor"], changes["target"])
        for (actor, target, kind), is_old in zip(changes.tolist(), in_base.tolist(), strict=True):
            if kind == ChangeKind.FOLLOW:
                self._follow(actor, target, in_base=is_old)
            elif kind == ChangeKind.UNFOLLOW:
                self._unfollow(actor, target, in_base=is_old)
            elif kind == ChangeKind.BLOCK:
                self.blocks.setdefault(actor, BitMap()).add(target)
                self.blocked_by.setdefault(target, BitMap()).add(actor)
            elif target in self.blocks.get(actor, ()):
                self.blocks[actor].discard(target)
                self.blocked_by[target].discard(actor)

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

    def _follow(self, actor: int, target: int, *, in_base: bool) -> None:
        difference = self.differences[Direction.FOLLOWING].get(actor)
        if in_base:
            if difference is not None and target in difference.removed:
                self._forget(actor, target, "removed")
                self.follows += 1
        elif actor != target and (difference is None or target not in difference.added):
            self._keep(actor, target, "added")
            self.follows += 1

    def _unfollow(self, actor: int, target: int, *, in_base: bool) -> None:
        difference = self.differences[Direction.FOLLOWING].get(actor)
        if not in_base:
            if difference is not None and target in difference.added:
                self._forget(actor, target, "added")
                self.follows -= 1
        elif difference is None or target not in difference.removed:
            self._keep(actor, target, "removed")
            self.follows -= 1

    def _keep(self, actor: int, target: int, part: Literal["added", "removed"]) -> None:
        """Note in both directions how a row differs."""
        for differences, one, other in ((self.differences[Direction.FOLLOWING], actor, target),
                                        (self.differences[Direction.FOLLOWERS], target, actor)):
            difference = differences.get(one)
            if difference is None:
                difference = differences[one] = Difference()
            (difference.added if part == "added" else difference.removed).add(other)

    def _forget(self, actor: int, target: int, part: Literal["added", "removed"]) -> None:
        """Note in both directions that a row is as in the base again."""
        for differences, one, other in ((self.differences[Direction.FOLLOWING], actor, target),
                                        (self.differences[Direction.FOLLOWERS], target, actor)):
            difference = differences[one]
            (difference.added if part == "added" else difference.removed).remove(other)
            if difference.is_nothing:
                del differences[one]
