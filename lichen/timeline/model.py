"""The values that timelines are made from and that they give back. Nothing here acts."""

from dataclasses import dataclass
from typing import Final, NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from lichen.kit.reasons import Reason
from lichen.timeline.errors import TimelineRefused
from lichen.timeline.limits import (
    ACTIVE_PEOPLE_MAX,
    ACTORS_MAX,
    FANOUT_FOLLOWERS_MAX,
    POSTS_KEPT,
    REASONABLE_FOLLOWS,
    RING_SLOTS_MAX,
)

Numbers = NDArray[np.uint32]
Mask = NDArray[np.bool_]

NOBODY: Final = 0xFFFF_FFFF  # no actor has this number
NONE: Final[Numbers] = np.empty(0, np.uint32)


class Post(NamedTuple):
    """A post: its ordinal (from 1, growing, holes allowed) and who it comes from.

    `community` is NOBODY for a post that was written to none.
    """

    ordinal: int
    author: int
    community: int = NOBODY


class Batch(NamedTuple):
    """What happened up to a position of the log; `follows` are pairs of person and source."""

    posts: tuple[Post, ...] = ()
    gone: tuple[int, ...] = ()
    restored: tuple[int, ...] = ()
    follows: tuple[tuple[int, int], ...] = ()


class Follows(Protocol):
    """Who follows whom, as the graph knows it: sorted numbers, not to be changed."""

    def following(self, person: int) -> Numbers:
        """Return whom a person follows, people and communities alike."""

    def followers(self, source: int) -> Numbers:
        """Return who follows a source."""


@dataclass(frozen=True, slots=True)
class Options:
    """How large timelines are and when they lose.

    `slots` of a ring and `posts_kept` are powers of two.
    """

    slots: int = 32
    active_people_max: int = 1 << 21
    posts_kept: int = POSTS_KEPT
    reasonable_follows: int = REASONABLE_FOLLOWS
    fanout_followers_max: int = FANOUT_FOLLOWERS_MAX

    def __post_init__(self) -> None:
        for name, value, largest in (
                ("slots", self.slots, RING_SLOTS_MAX), ("posts_kept", self.posts_kept, 1 << 30)):
            if not 2 <= value <= largest or value & (value - 1):
                raise TimelineRefused(
                    f"{name} is a power of two from 2 to {largest}; {value} came.")
        if not 1 <= self.active_people_max <= ACTIVE_PEOPLE_MAX:
            raise TimelineRefused(f"active_people_max is 1 to {ACTIVE_PEOPLE_MAX}; "
                                  f"{self.active_people_max} came.")
        if self.reasonable_follows < 1 or self.fanout_followers_max < 0:
            raise TimelineRefused(
                "reasonable_follows is 1 or more and fanout_followers_max 0 or more; "
                f"{self.reasonable_follows} and {self.fanout_followers_max} came.")


class Page(NamedTuple):
    """A page of home, newest first.

    `cursor` leads to older posts, None at the end; it stays good while posts come and go. `reason`
    says why the page is incomplete, None when it is not.
    """

    posts: tuple[int, ...]
    cursor: int | None
    reason: Reason | None


def check_actor(number: int) -> None:
    """Raise TimelineRefused for a number that no actor may have."""
    if not 0 <= number < ACTORS_MAX:
        raise TimelineRefused(f"Actors are numbered from 0 to {ACTORS_MAX - 1}; {number} came.")


def is_among(numbers: Numbers, members: Numbers) -> Mask:
    """Say of each number whether it is a member; `members` sorted, O(n log m)."""
    if not len(members):
        return np.zeros(len(numbers), np.bool_)
    at = members.searchsorted(numbers)
    np.minimum(at, len(members) - 1, out=at)
    return np.asarray(members[at] == numbers)
