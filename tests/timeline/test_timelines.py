"""What the engine promises: at once, once, in order, within limits."""

import asyncio
from collections.abc import Callable

import numpy as np
import pytest

from lichen.kit import Refused
from lichen.timeline import Batch, Options, Post, TimelineRefused, Timelines, Weights
from lichen.timeline.limits import ACTORS_MAX, ORDINAL_MAX, PAGE_POSTS_MAX
from lichen.timeline.model import NONE
from lichen.timeline.rings import Rings
from tests.timeline.conftest import PlainFollows, batch_of, numbers, still

OPTIONS = Options(slots=4, active_people_max=8)


def timelines_of(pairs: set[tuple[int, int]], options: Options = OPTIONS,
                 ) -> tuple[Timelines, PlainFollows]:
    follows = PlainFollows(pairs)
    made = Timelines(follows=follows, weigh=lambda: follows.weights(options), clock=still,
                     options=options)
    return made, follows


def test_a_batch_applied_twice_counts_once() -> None:
    timelines, _ = timelines_of({(0, 1), (0, 2)})
    timelines.activate([0])
    timelines.page(0)
    batch = batch_of(Post(1, 1, 2), Post(2, 2, 1))

    for position in (1, 1, 2):
        timelines.apply(batch, position)
        timelines.drain()

    assert timelines.page(0).posts == (2, 1)
    assert timelines._rings.held(0).posts.tolist() == [2, 1]


def test_unfollowing_and_following_take_effect_at_once() -> None:
    timelines, follows = timelines_of({(0, 1), (0, 2)})
    timelines.activate([0])
    timelines.apply(batch_of(Post(1, 1), Post(2, 2), Post(3, 3)), 1)
    timelines.drain()
    assert timelines.page(0).posts == (2, 1)

    follows.pairs.discard((0, 1))
    assert timelines.page(0).posts == (2,)

    follows.pairs.add((0, 3))
    timelines.apply(batch_of(follows=((0, 3),)), 2)
    assert timelines.page(0).posts == (3, 2)


def test_a_large_source_is_not_fanned_out_and_nothing_of_it_is_lost() -> None:
    options = Options(slots=4, active_people_max=8, fanout_followers_max=2, reasonable_follows=1)
    timelines, _ = timelines_of({(person, 9) for person in range(4)} | {(0, 1)}, options)
    timelines.activate(range(4))
    timelines.apply(batch_of(*(Post(number, 9) for number in range(1, 40))), 1)

    assert timelines.waiting == 0
    assert timelines.page(3).posts == tuple(range(39, 0, -1))
    assert timelines.page(0, None, 40).posts == tuple(range(39, 0, -1))


def test_a_page_is_read_while_a_post_is_fanned_out() -> None:
    """The loop turns after a few pages of followers, and a reader does not wait for the last."""
    timelines, _ = timelines_of(set(), Options(slots=4, active_people_max=160_000))
    everybody = np.arange(160_000, dtype=np.uint32)
    timelines._follows.followers = lambda source: everybody  # type: ignore[method-assign]
    timelines._follows.following = lambda person: numbers([160_001])  # type: ignore[method-assign]
    timelines.activate(range(160_000))
    waited: list[int] = []

    async def read() -> None:
        while timelines.waiting:
            timelines.page(159_999)
            waited.append(timelines.waiting)
            await asyncio.sleep(0)

    async def run() -> None:
        timelines.apply(batch_of(Post(1, 160_001)), 1)
        await asyncio.gather(timelines.fan_out(), read())

    asyncio.run(run())

    assert len(waited) >= 3
    assert timelines.page(159_999).posts == (1,)


def test_cursors_stay_good_while_posts_come_and_go() -> None:
    timelines, _ = timelines_of({(0, 1)})
    timelines.activate([0])
    timelines.apply(batch_of(*(Post(number, 1) for number in range(1, 11))), 1)
    timelines.drain()
    first = timelines.page(0, None, 3)

    timelines.apply(batch_of(Post(11, 1), Post(12, 1), gone=(8, 6)), 2)
    timelines.drain()

    assert first.posts == (10, 9, 8)
    assert timelines.page(0, first.cursor, 3).posts == (7, 5, 4)


def test_actors_of_high_numbers_are_kept_like_others() -> None:
    """The columns by source once grew to different lengths."""
    timelines, _ = timelines_of({(0, 5_000), (90_000, 70_000)})
    timelines.activate([0, 90_000])
    timelines.apply(batch_of(Post(1, 5_000), Post(2, 70_000), Post(3, 5_000)), 1)
    timelines.drain()

    assert timelines.page(0).posts == (3, 1)
    assert timelines.page(90_000).posts == (2,)
    assert timelines.page(1 << 25).posts == ()


def test_whoever_posts_without_end_does_not_make_a_page_endless() -> None:
    """Posts that are all gone are passed over a few thousand a page; the cursor goes on."""
    timelines, _ = timelines_of({(0, 1)})
    timelines.apply(batch_of(*(Post(number, 1) for number in range(1, 9_001)),
                             gone=tuple(range(2, 9_001))), 1)

    page = timelines.page(0)
    turns = 1
    while page.cursor is not None:
        page, turns = timelines.page(0, page.cursor), turns + 1

    assert page.posts == (1,)
    assert 2 <= turns <= 4


@pytest.mark.parametrize("batch", [
    batch_of(Post(2, 1), Post(1, 1)), batch_of(Post(3, 1), Post(3, 1)),
    batch_of(Post(ORDINAL_MAX + 1, 1)), batch_of(Post(1, ACTORS_MAX)),
    batch_of(Post(1, 1, ACTORS_MAX)),
])
def test_posts_that_cannot_be_kept_are_refused_whole(batch: Batch) -> None:
    timelines, _ = timelines_of({(0, 1)})

    with pytest.raises(TimelineRefused):
        timelines.apply(batch, 1)

    assert timelines.position == 0
    assert timelines.page(0).posts == ()


@pytest.mark.parametrize("ask", [
    lambda one: one.page(-1), lambda one: one.page(1 << 40), lambda one: one.explain(ACTORS_MAX),
    lambda one: one.activate([3, -1]), lambda one: one.activate([1 << 33]),
    lambda one: one.deactivate([-5]), lambda one: one.apply(batch_of(Post(1, -1)), 1),
    lambda one: one.apply(batch_of(Post(1, 1), follows=((-3, 1),)), 1)])
def test_people_who_cannot_be_are_refused_and_nothing_is_changed(
        ask: Callable[[Timelines], object]) -> None:
    timelines, _ = timelines_of({(0, 1)})

    with pytest.raises(TimelineRefused, match="numbered"):
        ask(timelines)

    assert (timelines.position, timelines.active, timelines.page(0).posts) == (0, 0, ())


@pytest.mark.parametrize("limit", ["PENDING_FANOUTS_MAX", "PENDING_FOLLOWERS_MAX"])
def test_what_waits_is_bounded_and_worked_off_in_order(
        monkeypatch: pytest.MonkeyPatch, limit: str) -> None:
    monkeypatch.setattr(f"lichen.timeline.engine.{limit}", 3)
    timelines, _ = timelines_of({(0, 1), (2, 1)})
    timelines.activate([0, 2])
    timelines.page(0)
    waiting = []

    for number in range(1, 9):
        timelines.apply(batch_of(Post(number, 1)), number)
        waiting.append(timelines.waiting)
    timelines.drain()

    assert max(waiting) <= 3
    assert timelines.page(0).posts == (8, 7, 6, 5, 4, 3, 2, 1)


@pytest.mark.parametrize(("cursor", "limit"), [
    (None, 0), (None, PAGE_POSTS_MAX + 1), (-1, 5), (ORDINAL_MAX + 2, 5)])
def test_pages_have_bounds_and_say_which(cursor: int | None, limit: int) -> None:
    timelines, _ = timelines_of(set())

    with pytest.raises(Refused, match="came"):
        timelines.page(0, cursor, limit)


@pytest.mark.parametrize("words", [
    {"slots": 3}, {"slots": 256}, {"posts_kept": 1_000}, {"active_people_max": 0},
    {"reasonable_follows": 0}, {"fanout_followers_max": -1}])
def test_options_out_of_bounds_are_refused(words: dict[str, int]) -> None:
    with pytest.raises(TimelineRefused, match="came"):
        Options(**words)


def test_rings_are_given_to_others_and_never_to_more_than_there_are() -> None:
    rings = Rings(slots=4, people_max=3)
    rings.activate(numbers([5, 6, 7]))
    rings.fan_out(1, numbers([5, 6, 7]), lambda post, people: NONE)

    with pytest.raises(TimelineRefused, match="3 people"):
        rings.activate(numbers([8]))
    rings.deactivate(numbers([6]))
    rings.activate(numbers([8]))

    row = rings.row(8)
    assert row is not None
    assert rings.row(6) is None
    assert rings.held(row).posts.tolist() == []
    assert rings.fan_out(2, numbers([5, 6, 7, 8, 2_000_000]), lambda post, people: NONE) == 3


def test_timelines_without_a_folder_refuse_a_checkpoint() -> None:
    timelines = Timelines(follows=PlainFollows(), weigh=Weights, clock=still, options=OPTIONS)

    with pytest.raises(TimelineRefused, match="folder"):
        timelines.checkpoint()
