"""Questions to the graph, in numbers of actors; rows are sorted, answers too.

All of them read the overlay as it is now, take no lock and keep nothing. Whoever is blocked by, or
blocks, the one who asks is left out of suggestions and of what is shown as "followed by".
"""

from collections.abc import Sequence
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray
from pyroaring import BitMap

from lichen.graph.base import Direction
from lichen.graph.overlay import Overlay
from lichen.graph.sets import Numbers, intersection_of, numbers_in, union_of

SUGGESTING_MAX: Final = 500  # of whom one follows, so many are asked whom they follow
SUGGESTED_ROW_MAX: Final = 2_000  # of each of their rows; who follows more is no guide
CANDIDATES_MAX: Final = 1_000  # best ones by count, whose likeness is computed


class Page(NamedTuple):
    """A page of actors; `cursor` is the last number, None at the end."""

    numbers: Numbers
    cursor: int | None


class Counted(NamedTuple):
    """How many there are, and the first of them."""

    total: int
    first: Numbers


class Suggestion(NamedTuple):
    """Somebody to follow, and why: how many of whom one follows do, and how alike they are."""

    number: int
    shared: int
    likeness: float


class Questions:
    """What can be asked of an overlay."""

    def __init__(self, overlay: Overlay) -> None:
        self._overlay = overlay

    def page(self, number: int, direction: Direction, *, after: int | None, limit: int) -> Page:
        """Return a page of a row, after a cursor; a row is never copied whole for it."""
        row = self._overlay.row(number, direction)
        start = 0 if after is None else int(row.searchsorted(np.uint32(after), "right"))
        part = row[start : start + limit]
        return Page(part, int(part[-1]) if start + limit < len(row) else None)

    def mutuals(self, number: int) -> Numbers:
        """Return who follows and is followed by an actor."""
        return numbers_in(self._set(number, Direction.FOLLOWING)
                          & self._set(number, Direction.FOLLOWERS))

    def followers_not_followed(self, number: int) -> Numbers:
        """Return who follows an actor and is not followed back."""
        return numbers_in(self._set(number, Direction.FOLLOWERS)
                          - self._set(number, Direction.FOLLOWING))

    def common(self, numbers: Sequence[int], direction: Direction) -> BitMap:
        """Return who is in the rows of all actors, as a set."""
        return intersection_of(self._set(one, direction) for one in numbers)

    def in_all(self, numbers: Sequence[int], direction: Direction) -> Numbers:
        """Return who is in the rows of all actors."""
        return numbers_in(self.common(numbers, direction))

    def in_any(self, numbers: Sequence[int], direction: Direction) -> Numbers:
        """Return who is in the row of any of the actors."""
        return numbers_in(union_of(self._set(one, direction) for one in numbers))

    def followed_who_follow(self, actor: int, target: int) -> Numbers:
        """Return whom `actor` follows who also follow `target`."""
        return numbers_in(self.followed_set(actor, target))

    def followed_set(self, actor: int, target: int) -> BitMap:
        """Return whom `actor` follows who also follow `target`, as a set."""
        return (self._set(actor, Direction.FOLLOWING) & self._set(target, Direction.FOLLOWERS))

    def followed_by(self, actor: int, target: int, *, first: int) -> Counted:
        """Return how many of whom `actor` follows follow `target`, and the first; blocks honoured.
        """
        found = self.followed_set(actor, target) - self._blocked_with(actor)
        return Counted(len(found), numbers_in(found)[:first])

    def follow_many(self, actors: Numbers, targets: Numbers) -> NDArray[np.bool_]:
        """Say of many pairs whether the first follows the second."""
        overlay = self._overlay
        found = overlay.base_rows(Direction.FOLLOWING).holds_many(actors, targets)
        changed = overlay.differences[Direction.FOLLOWING]
        if changed:
            numbers = np.fromiter(changed, np.uint32, len(changed))
            places = np.flatnonzero(np.isin(actors, numbers))
            for at, actor, target in zip(places.tolist(), actors[places].tolist(),
                                         targets[places].tolist(), strict=True):
                difference = changed[actor]
                if target in difference.added:
                    found[at] = True
                elif target in difference.removed:
                    found[at] = False
        return found

    def suggestions(self, actor: int, *, limit: int) -> list[Suggestion]:
        """Return whom an actor may want to follow: friends of friends, by Jaccard's likeness.

        A candidate's likeness is that of who follows them and whom the actor follows: shared over
        all (Jaccard 1912). Those followed or blocked already are left out. Looks at 500 rows.
        """
        followed = self._overlay.row(actor, Direction.FOLLOWING)
        own = self._set(actor, Direction.FOLLOWING)
        rows = [self._overlay.row(int(friend), Direction.FOLLOWING)
                for friend in followed[:SUGGESTING_MAX]]
        rows = [row for row in rows if len(row) <= SUGGESTED_ROW_MAX]
        if not rows:
            return []
        candidates, counts = np.unique(np.concatenate(rows), return_counts=True)
        unwanted = numbers_in(own | self._blocked_with(actor) | BitMap([actor]))
        is_good = ~np.isin(candidates, unwanted, assume_unique=True)
        candidates, counts = candidates[is_good], counts[is_good]
        best = np.lexsort((candidates, -counts))[:CANDIDATES_MAX]
        found = [
            Suggestion(number, count, count / (
                len(own) + self._overlay.count(number, Direction.FOLLOWERS) - count))
            for number, count in zip(candidates[best].tolist(), counts[best].tolist(), strict=True)]
        return sorted(found, key=lambda one: (-one.likeness, one.number))[:limit]

    def _set(self, number: int, direction: Direction) -> BitMap:
        return self._overlay.bitmap(number, direction)

    def _blocked_with(self, actor: int) -> BitMap:
        """Return whom an actor blocks, and who blocks them."""
        overlay = self._overlay
        return overlay.blocks.get(actor, BitMap()) | overlay.blocked_by.get(actor, BitMap())
