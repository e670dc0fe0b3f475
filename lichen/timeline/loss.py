"""What is lost on purpose: few of many posts, for whoever follows more than anybody can read.

    loss_factor(person) = min(reasonable_limit / follows, 1)            (Lossy Timelines, 2025)

The published system draws a random number for each write. Here a hash of (post, person) decides, so
that fanning out, merging at read, replaying and rebuilding all decide alike: a timeline is the same
however it came about. At or below the limit nothing is ever lost, and nothing is hashed.

The hash is the finaliser of MurmurHash3 (32 bits), a bijection: over all posts, a person's hashes
are as even as can be, and so are a post's over all people.
"""

from collections.abc import Callable
from typing import Final, NamedTuple

import numpy as np

from lichen.kit.clock import Clock
from lichen.timeline.limits import WEIGHTS_AGE_S_MAX
from lichen.timeline.model import NONE, Mask, Numbers

_SPREAD: Final = np.uint32(0x9E37_79B1)  # 2³² divided by the golden ratio, as a prime
_KEEP_ALL: Final = 1 << 32


def loss_factor(follows: int, limit: int) -> float:
    """Return the share of posts that somebody who follows so many gets."""
    return min(limit / follows, 1.0) if follows else 1.0


def thresholds_of(follows: Numbers, limit: int) -> Numbers:
    """Return below which hash posts are kept, for people above the limit."""
    factors = limit / follows.astype(np.float64)
    return np.minimum(factors * _KEEP_ALL, _KEEP_ALL - 1).astype(np.uint32)


def mixed(numbers: Numbers) -> Numbers:
    """Return numbers well stirred (MurmurHash3's fmix32); a bijection."""
    stirred = numbers ^ (numbers >> np.uint32(16))
    stirred *= np.uint32(0x85EB_CA6B)
    stirred ^= stirred >> np.uint32(13)
    stirred *= np.uint32(0xC2B2_AE35)
    stirred ^= stirred >> np.uint32(16)
    return stirred


def kept_posts(posts: Numbers, person: int, threshold: int) -> Mask:
    """Say which posts a person keeps."""
    own = mixed(np.array([person], np.uint32))
    return np.asarray(mixed(posts * _SPREAD + own) < np.uint32(threshold))


def kept_people(post: int, people: Numbers, thresholds: Numbers) -> Mask:
    """Say which people keep a post."""
    own = np.array([post], np.uint32) * _SPREAD
    return np.asarray(mixed(mixed(people) + own) < thresholds)


class Weights(NamedTuple):
    """Who is heavy: people with what they follow, and sources too followed to be fanned out.

    `people` and `sources` are sorted; people at or below the limit may be left out.
    """

    people: Numbers = NONE
    follows: Numbers = NONE
    sources: Numbers = NONE


Weigh = Callable[[], Weights]


class Heavy:
    """The table of the heavy, weighed anew when it is older than 30 s."""

    def __init__(self, weigh: Weigh, *, clock: Clock, limit: int) -> None:
        self._weigh, self._clock, self._limit = weigh, clock, limit
        self._weighed_us: int | None = None
        self.take(Weights())

    def take(self, weights: Weights) -> None:
        """Use these weights until the next weighing."""
        above = weights.follows > self._limit
        self.people, self.follows = weights.people[above], weights.follows[above]
        self.sources = weights.sources
        self.thresholds = thresholds_of(self.follows, self._limit)

    @property
    def is_old(self) -> bool:
        """Say whether it is time to weigh."""
        age_us_max = WEIGHTS_AGE_S_MAX * 1_000_000
        return self._weighed_us is None or self._clock() - self._weighed_us >= age_us_max

    def refresh(self) -> tuple[Numbers, Numbers]:
        """Weigh; return people whose threshold is another, and sources to be fanned out again."""
        people, thresholds, sources = self.people, self.thresholds, self.sources
        self._weighed_us = self._clock()
        self.take(self._weigh())
        either = np.union1d(people, self.people)
        before = _looked_up(either, people, thresholds)
        changed = either[before != _looked_up(either, self.people, self.thresholds)]
        return changed, np.setdiff1d(sources, self.sources, assume_unique=True)

    def follows_of(self, person: int) -> int | None:
        """Return how many a heavy person follows, None for the others."""
        at = self._place(person)
        return None if at is None else int(self.follows[at])

    def threshold_of(self, person: int) -> int | None:
        """Return a heavy person's threshold, None for whom nothing is lost."""
        at = self._place(person)
        return None if at is None else int(self.thresholds[at])

    def lost_of(self, post: int, people: Numbers) -> Numbers:
        """Return who of sorted people loses a post; only the heavy are looked at closely."""
        # np.uint32, or searchsorted would convert the whole table (200 times slower).
        first = self.people.searchsorted(people[0])
        last = self.people.searchsorted(people[-1], "right")
        if first == last:
            return NONE
        heavy = self.people[first:last]
        lost = ~kept_people(post, heavy, self.thresholds[first:last])
        return np.asarray(heavy[lost])

    def _place(self, person: int) -> int | None:
        at = int(self.people.searchsorted(np.uint32(person)))
        return at if at < len(self.people) and self.people[at] == person else None


def _looked_up(numbers: Numbers, people: Numbers, thresholds: Numbers) -> Numbers:
    """Return each number's threshold; 0 for who is not among the people."""
    found = np.zeros(len(numbers), np.uint32)
    at = numbers.searchsorted(people)
    found[at] = thresholds + np.uint32(1)  # a threshold of 0 is not the same as none
    return found
