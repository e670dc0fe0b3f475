"""A trial on this machine: how fast posts are fanned out in memory.

Nothing is read or kept; the stopwatch is handed in.
"""

import statistics
from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from lichen.timeline.limits import FANOUT_PAGE_PEOPLE
from lichen.timeline.model import NONE, Numbers
from lichen.timeline.rings import Rings


class Trial(NamedTuple):
    """What was measured: one post to everybody, and pages of 10,000 of it."""

    people: int
    post_ms: float
    page_p99_ms: float

    @property
    def writes_per_s(self) -> float:
        """Return writes into timelines in a second."""
        return self.people / self.post_ms * 1_000


def tried(people: int, *, slots: int, posts: int, now_s: Callable[[], float]) -> Trial:
    """Fan posts out to so many active followers; return medians."""
    rings, everybody = Rings(slots=slots, people_max=people), np.arange(people, dtype=np.uint32)
    rings.activate(everybody)
    whole, pages = [], []
    for post in range(1, posts + 1):
        times = [now_s()]
        for at in range(0, people, FANOUT_PAGE_PEOPLE):
            rings.fan_out_page(post, everybody[at : at + FANOUT_PAGE_PEOPLE], _nobody_loses)
            times.append(now_s())
        whole.append(times[-1] - times[0])
        pages += np.diff(times).tolist()
    return Trial(people, statistics.median(whole) * 1_000,
                 float(np.quantile(pages, 0.99)) * 1_000)


def _nobody_loses(post: int, people: Numbers) -> Numbers:
    return NONE
