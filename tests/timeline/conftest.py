"""What the tests of the timelines share: a graph of plain sets, and a house's home by the book."""

from dataclasses import dataclass, field

import numpy as np
import pytest

from lichen.timeline import NOBODY, Batch, Numbers, Options, Post, Timelines, Weights
from lichen.timeline.loss import kept_posts, thresholds_of


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


def numbers(of: object) -> Numbers:
    return np.array(sorted(of), np.uint32)  # type: ignore[call-overload]


@dataclass
class PlainFollows:
    """A graph that keeps pairs in a set."""

    pairs: set[tuple[int, int]] = field(default_factory=set)

    def following(self, person: int) -> Numbers:
        return numbers(source for one, source in self.pairs if one == person)

    def followers(self, source: int) -> Numbers:
        return numbers(one for one, other in self.pairs if other == source)

    def weights(self, options: Options) -> Weights:
        people = sorted({one for one, _ in self.pairs})
        heavy = [(one, count) for one in people
                 if (count := len(self.following(one))) > options.reasonable_follows]
        large = [one for one in sorted({other for _, other in self.pairs})
                 if len(self.followers(one)) > options.fanout_followers_max]
        return Weights(numbers(one for one, _ in heavy),
                       np.array([count for _, count in heavy], np.uint32), numbers(large))


@dataclass
class Book:
    """Home as it is defined: every post looked at, nothing clever."""

    options: Options
    follows: PlainFollows
    posts: dict[int, Post] = field(default_factory=dict)
    gone: set[int] = field(default_factory=set)
    weights: Weights = field(default_factory=Weights)

    def weigh(self) -> None:
        self.weights = self.follows.weights(self.options)

    def home(self, person: int, without: frozenset[int] = frozenset()) -> list[int]:
        following = set(self.follows.following(person).tolist())
        floor = max(self.posts, default=0) - self.options.posts_kept
        found = []
        for post in sorted(self.posts.values(), reverse=True):
            sources = {post.author, post.community} - {NOBODY}
            if (post.ordinal > floor and post.ordinal not in self.gone and sources & following
                    and not sources & without
                    and (self._keeps(person, post.ordinal)
                         or sources & following & set(self.weights.sources.tolist()))):
                found.append(post.ordinal)
        return found

    def _keeps(self, person: int, post: int) -> bool:
        at = np.flatnonzero(self.weights.people == person)
        if not len(at):
            return True
        threshold = int(thresholds_of(self.weights.follows[at], self.options.reasonable_follows)[0])
        return bool(kept_posts(numbers([post]), person, threshold)[0])


def walked(timelines: Timelines, person: int, limit: int, without: Numbers | None = None,
           ) -> list[int]:
    """Return a whole home, page by page."""
    found: list[int] = []
    cursor: int | None = None
    for _ in range(10_000):
        page = timelines.page(person, cursor, limit,
                              without=numbers([]) if without is None else without)
        found += page.posts
        assert len(page.posts) <= limit
        cursor = page.cursor
        if cursor is None:
            return found
    raise AssertionError("a walk that does not end")


def still() -> int:
    return 0


def batch_of(*posts: Post, follows: tuple[tuple[int, int], ...] = (), gone: tuple[int, ...] = (),
             restored: tuple[int, ...] = ()) -> Batch:
    return Batch(posts, gone, restored, follows)
