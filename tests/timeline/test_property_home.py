"""Any history gives the home that the definition gives: rings, lists, scans and checkpoints agree.

A history is drawn from a seed, so that it is long enough to overwrite rings and to forget posts.
"""

import random
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lichen.timeline import NOBODY, Batch, Options, Post, Timelines, Weights
from tests.timeline.conftest import Book, PlainFollows, numbers, still, walked

PEOPLE, SOURCES = 5, 9
ACTIONS = {"write": 9, "follow": 4, "unfollow": 3, "delete": 3, "restore": 2, "visit": 2,
           "leave": 2, "weigh": 2, "checkpoint": 1, "reopen": 1, "rebuild": 1, "fan_out": 8,
           "block": 2}


class History:
    """Follows, posts, deletions, visits, checkpoints and reopenings, in any order."""

    def __init__(self, seed: int, folder: Path, *, heavy: bool = False) -> None:
        self.chance = random.Random(seed)
        choice = self.chance.choice
        self.options = Options(slots=choice([2, 4]), active_people_max=4,
                               posts_kept=choice([16, 64, 256]),
                               reasonable_follows=2 if heavy else choice([2, 4, 100]),
                               fanout_followers_max=choice([1, 3, 100]))
        self.folder = folder
        self.follows = PlainFollows({self._pair() for _ in range(choice([0, 10, 25]))})
        self.book = Book(self.options, self.follows)
        self.batches: list[tuple[Batch, int]] = []
        self.saved_at = self.last = 0
        self.timelines = self._opened()
        self.weigh()
        self.timelines.activate(range(3))

    def step(self) -> None:
        name, = self.chance.choices(list(ACTIONS), list(ACTIONS.values()))
        getattr(self, name)()

    def look(self) -> None:
        """Whatever waits, nothing shows that is not home's; all of it, once nothing waits."""
        for person in range(PEOPLE):
            home, found = self.book.home(person), walked(self.timelines, person, 4)
            if self.timelines.waiting:
                assert set(found) <= set(home)
                assert found == sorted(set(found), reverse=True)
            else:
                assert found == home

    def write(self) -> None:
        posts = []
        for _ in range(self.chance.randint(1, 12)):
            self.last += self.chance.choice([1, 1, 1, 2, 5])
            community = self.chance.choice([NOBODY, 6, 7, 8, self.chance.randrange(SOURCES)])
            posts.append(Post(self.last, self.chance.randrange(SOURCES), community))
        self.book.posts |= {post.ordinal: post for post in posts}
        self._apply(Batch(posts=tuple(posts)))

    def fan_out(self) -> None:
        if self.chance.random() < 0.3:
            self.timelines.step()
        else:
            self.timelines.drain()

    def follow(self) -> None:
        pairs = tuple(self._pair() for _ in range(self.chance.randint(1, 3)))
        self.follows.pairs |= set(pairs)
        self._apply(Batch(follows=pairs))

    def unfollow(self) -> None:
        self.follows.pairs -= {self._pair() for _ in range(4)}

    def delete(self) -> None:
        post = self.chance.randint(max(0, self.last - 12), self.last)
        self.book.gone.add(post)
        self._apply(Batch(gone=(post,)))

    def restore(self) -> None:
        for post in sorted(self.book.gone)[-2:]:
            self.book.gone.discard(post)
            self._apply(Batch(restored=(post,)))

    def visit(self) -> None:
        if self.timelines.active < 4:
            self.timelines.activate([self.chance.randrange(PEOPLE)])

    def leave(self) -> None:
        self.timelines.deactivate([self.chance.randrange(PEOPLE) for _ in range(2)])

    def weigh(self) -> None:
        self.book.weigh()
        self.timelines.refresh()

    def checkpoint(self) -> None:
        self.timelines.checkpoint()
        self.saved_at = len(self.batches)

    def reopen(self) -> None:
        """What follows the checkpoint is applied again, and a little of what does not."""
        self.timelines = self._opened()
        assert not self.timelines.damage
        assert self.timelines.position == self.saved_at
        for batch, position in self.batches[max(0, self.saved_at - 3):]:
            self.timelines.apply(batch, position)
        self.timelines.refresh()

    def rebuild(self) -> None:
        self.timelines.rebuild(self.batches)

    def block(self) -> None:
        self.timelines.drain()
        person, without = self.chance.randrange(PEOPLE), {self.chance.randrange(SOURCES)}
        limit = self.chance.randint(1, 5)

        found = walked(self.timelines, person, limit, numbers(without))

        assert found == self.book.home(person, frozenset(without))

    def _pair(self) -> tuple[int, int]:
        return self.chance.randrange(PEOPLE), self.chance.randrange(SOURCES)

    def _opened(self) -> Timelines:
        return Timelines.open(self.folder, follows=self.follows, clock=still,
                              weigh=lambda: self.book.weights, options=self.options)

    def _apply(self, batch: Batch) -> None:
        self.batches.append((batch, len(self.batches) + 1))
        self.timelines.apply(*self.batches[-1])


@pytest.mark.slow
@settings(max_examples=30, deadline=None)
@given(seed=st.integers(0, 2**32 - 1))
def test_any_history_gives_the_home_of_the_definition(seed: int) -> None:
    with TemporaryDirectory() as folder:
        history = History(seed, Path(folder))
        for _ in range(60):
            history.step()
            history.look()


@pytest.mark.slow
@settings(max_examples=15, deadline=None)
@given(seed=st.integers(0, 2**32 - 1))
def test_any_history_gives_that_home_also_when_scans_end_early(seed: int) -> None:
    with TemporaryDirectory() as folder, pytest.MonkeyPatch.context() as patch:
        for module in ("posts", "reading"):
            patch.setattr(f"lichen.timeline.{module}.SCAN_POSTS_MAX", 8)
        history = History(seed, Path(folder), heavy=True)
        for _ in range(60):
            history.step()
            history.look()


@pytest.mark.slow
@settings(max_examples=20, deadline=None)
@given(seed=st.integers(0, 2**32 - 1))
def test_long_lists_are_walked_to_their_end_from_any_cursor(seed: int) -> None:
    chance = random.Random(seed)
    follows = PlainFollows({(0, source) for source in chance.sample(range(1, 40), 12)})
    options = Options(slots=4, active_people_max=4, posts_kept=512)
    timelines = Timelines(follows=follows, weigh=Weights, clock=still, options=options)
    book = Book(options, follows)
    posts = [Post(ordinal, min(39, int(chance.expovariate(0.2)) + 1),
                  chance.choice([NOBODY, 30, 31])) for ordinal in range(1, 900)]
    book.posts = {post.ordinal: post for post in posts}

    timelines.apply(Batch(posts=tuple(posts)), 1)

    home = book.home(0)
    for cursor in chance.sample(range(1, 900), 20):
        below = [post for post in home if post < cursor]
        assert list(timelines.page(0, cursor, 50).posts) == below[:50]
