r"""Hot rings: the newest posts of everybody who is active, in one array.

    person ─▶ row_of ─▶ row      newest   floor   at   stale │ slots
                        0         9123     870     2     -   │ 9100 │ 9123 │ 8790 │ 9001 │ …
                        1            0       0     0     x   │      │      │      │      │ …
                                                          at ──────────────▲ written next

Fanning out is a scatter: for a page of 10,000 people the post's ordinal goes to `row * slots + at`,
and `at` moves on. The oldest is overwritten, which is all the trimming there is. A post whose
ordinal is not above `newest` is there already (through its community, by a filling, or before a
crash) and is passed over: writing twice is writing once. So a ring's ordinals grow, and posts must
be fanned out in their order.

A ring holds every post above its `floor` that was fanned out to its person; once it is full, above
its oldest. A `stale` ring (just activated, just followed somebody) is filled anew when it is read.
What is no longer followed or was deleted stays until overwritten; readers pass over it.

Memory is committed by the system as rows are used. Sorted people (as the graph gives them) write
1.2 to 2.6 times faster than unsorted ones; rows are given out in the order of activation, so
activate sorted people.
"""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from lichen.timeline.errors import TimelineRefused
from lichen.timeline.limits import ACTORS_MAX, FANOUT_PAGE_PEOPLE
from lichen.timeline.model import NOBODY, NONE, Numbers, is_among

Lost = Callable[[int, Numbers], Numbers]


class Held(NamedTuple):
    """What a ring holds: ordinals, newest first, complete above `floor`."""

    posts: Numbers
    floor: int


class Rings:
    """The rings of all active people."""

    def __init__(self, *, slots: int, people_max: int) -> None:
        self.slots, self.people_max = slots, people_max
        self.posts = np.zeros(people_max * slots, np.uint32)
        self.newest = np.zeros(people_max, np.uint32)
        self.floor = np.zeros(people_max, np.uint32)
        self.at = np.zeros(people_max, np.uint8)
        self.stale = np.zeros(people_max, np.bool_)
        self.person = np.full(people_max, NOBODY, np.uint32)
        self.used = 0
        self._free: list[int] = []
        self._row_of = np.full(1_024, -1, np.int32)

    @property
    def active(self) -> int:
        """Return how many people have a ring."""
        return self.used - len(self._free)

    def row(self, person: int) -> int | None:
        """Return a person's row, None for who is not active."""
        if person >= len(self._row_of):
            return None
        row = int(self._row_of[person])
        return None if row < 0 else row

    def rows(self, people: Numbers) -> NDArray[np.intp]:
        """Return the rows of sorted people, without those who are not active."""
        if len(people) and people[-1] >= len(self._row_of):
            people = people[: people.searchsorted(np.uint32(len(self._row_of)))]
        rows = self._row_of.take(people).astype(np.intp)  # once, or each use converts it again
        is_active = rows >= 0
        return rows if is_active.all() else rows[is_active]

    def activate(self, people: Numbers) -> None:
        """Give people rings, to be filled when they are read; who has one keeps it."""
        people = np.unique(people)
        if not len(people):
            return
        self._make_room(int(people[-1]))
        people = people[self._row_of[people] < 0]
        if self.active + len(people) > self.people_max:
            raise TimelineRefused(
                f"There are rings for {self.people_max} people, {self.active} have one, and "
                f"{len(people)} more came: deactivate some, or raise active_people_max.")
        reused = [self._free.pop() for _ in range(min(len(self._free), len(people)))]
        fresh = len(people) - len(reused)
        rows = np.concatenate([np.array(sorted(reused), np.int32),
                               np.arange(self.used, self.used + fresh, dtype=np.int32)])
        self.used += fresh
        self._row_of[people] = rows
        self.person[rows] = people
        self.stale[rows] = True
        # The system gives memory when it is written to; the first post should not wait for that.
        self.posts[(self.used - fresh) * self.slots : self.used * self.slots] = 0
        self.newest[rows], self.floor[rows], self.at[rows] = 0, 0, 0

    def deactivate(self, people: Numbers) -> None:
        """Take people's rings; their rows are given to others."""
        rows = self.rows(np.unique(people))
        self._row_of[self.person[rows]] = -1
        self.posts.reshape(-1, self.slots)[rows] = 0
        self.person[rows] = NOBODY
        self._free += rows.tolist()

    def fan_out(self, post: int, people: Numbers, lost_of: Lost) -> int:
        """Write a post to sorted people, page by page; return to how many it was written."""
        return sum(self.fan_out_page(post, people[at : at + FANOUT_PAGE_PEOPLE], lost_of)
                   for at in range(0, len(people), FANOUT_PAGE_PEOPLE))

    def fan_out_page(self, post: int, people: Numbers, lost_of: Lost) -> int:
        """Write a post to one page of sorted people; some 0.2 ms for 10,000."""
        if not len(people):
            return 0
        lost = lost_of(post, people)
        if len(lost):
            people = people[~is_among(people, lost)]
        rows = self.rows(people)
        is_new = self.newest.take(rows) < post
        if not is_new.all():
            rows = rows[is_new]
        at = self.at.take(rows)
        self.newest[rows] = post
        places = rows * self.slots
        places += at
        self.posts[places] = post
        at += np.uint8(1)
        at &= np.uint8(self.slots - 1)
        self.at[rows] = at
        return len(rows)

    def mark_stale(self, people: Numbers) -> None:
        """Have the rings of sorted people filled anew when they are read."""
        self.stale[self.rows(people)] = True

    def fill(self, row: int, posts: Numbers, *, floor: int, newest: int) -> None:
        """Replace a ring by its posts, newest first: all there are from `floor` to `newest`."""
        assert len(posts) <= self.slots
        start = row * self.slots
        ring = self.posts[start : start + self.slots]
        ring[: len(posts)] = posts[::-1]
        ring[len(posts) :] = 0
        self.at[row] = len(posts) & (self.slots - 1)
        self.newest[row], self.floor[row], self.stale[row] = newest, floor, False

    def held(self, row: int) -> Held:
        """Return what a ring holds."""
        start, at = row * self.slots, int(self.at[row])
        ring = self.posts[start : start + self.slots]
        newest_first = np.concatenate([ring[:at][::-1], ring[at:][::-1]])
        floor = int(self.floor[row])
        if newest_first[-1]:
            return Held(newest_first, max(floor, int(newest_first[-1]) - 1))
        return Held(newest_first[newest_first > 0], floor)

    def restore(self) -> None:
        """Find rows and free rows from the column of people, after columns were read back."""
        people = self.person[: self.used]
        is_taken = people != NOBODY
        self._row_of.fill(-1)
        if is_taken.any():
            self._make_room(int(people[is_taken].max()))
        rows = np.flatnonzero(is_taken)
        self._row_of[people[rows]] = rows
        self._free = np.flatnonzero(~is_taken).tolist()

    def people(self) -> Numbers:
        """Return everybody who is active, sorted."""
        people = self.person[: self.used]
        return np.sort(people[people != NOBODY]) if self.used else NONE

    def _make_room(self, person: int) -> None:
        if person < len(self._row_of):
            return
        wider = np.full(min(ACTORS_MAX, max(2 * len(self._row_of), person + 1)), -1, np.int32)
        wider[: len(self._row_of)] = self._row_of
        self._row_of = wider
