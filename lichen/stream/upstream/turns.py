"""Turns: which upstream is tried next, and after which pause."""

from enum import Enum, auto
from random import Random
from typing import Final

from lichen.stream.upstream.limits import RETRY_S_MAX, RETRY_S_MIN, SAME_TRIES_MAX

DOUBLINGS_MAX: Final = 16  # of the pause; RETRY_S_MAX comes long before


class Outcome(Enum):
    """How a connection to an upstream went."""

    FRUITFUL = auto()  # frames came, then it was lost
    FRUITLESS = auto()  # it opened, and was lost before a frame came
    UNREACHED = auto()  # it did not open
    OURS = auto()  # the relay was well, we were not: a full disk, no memory for the child


class Turns:
    """Goes round the upstreams.

    One that had sent frames is tried again first, because connections break every day and only its
    own cursor fits without a gap or an overlap. One that cannot be reached, or sends nothing twice
    in a row, loses its turn. Nothing goes back to an earlier one by itself: whichever works, stays.
    """

    def __init__(self, count: int, *, first: int, chance: Random) -> None:
        self.current = first
        self._count = count
        self._chance = chance
        self._here = self._failures = 0

    def pass_on(self, outcome: Outcome) -> float:
        """Choose who is next; return the seconds to wait before."""
        if outcome is Outcome.FRUITFUL:
            self._here = self._failures = 0
        elif outcome is not Outcome.OURS:
            self._here += 1
        if outcome is Outcome.UNREACHED or self._here >= SAME_TRIES_MAX:
            self.current = (self.current + 1) % self._count
            self._here = 0
        pause_s: float = min(RETRY_S_MAX, RETRY_S_MIN * 2 ** min(self._failures, DOUBLINGS_MAX))
        self._failures += outcome is not Outcome.FRUITFUL
        # Half to whole: many readers that lost one relay do not come back in step.
        return pause_s * self._chance.uniform(0.5, 1)
