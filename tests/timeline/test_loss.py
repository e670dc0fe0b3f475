"""Loss is exactly the stated factor, the same however a timeline came about, and none below."""

import numpy as np
import pytest

from lichen.timeline import Batch, Options, Post, Timelines, Weights, loss_factor
from lichen.timeline.loss import Heavy, kept_people, kept_posts, thresholds_of
from lichen.timeline.rings import Rings
from tests.timeline.conftest import PlainFollows, batch_of, numbers, still, walked

POSTS = np.arange(1, 200_001, dtype=np.uint32)


@pytest.mark.parametrize("follows", [2_001, 4_000, 20_000, 400_000])
@pytest.mark.parametrize("person", [0, 7, 1_000_003])
def test_over_many_posts_the_share_kept_is_the_factor(follows: int, person: int) -> None:
    factor = loss_factor(follows, 2_000)
    threshold = int(thresholds_of(np.array([follows], np.uint32), 2_000)[0])

    kept = int(kept_posts(POSTS, person, threshold).sum())

    # Five standard deviations of a fair draw: one run in 1.7 million would fall outside by chance.
    spread = 5 * (len(POSTS) * factor * (1 - factor)) ** 0.5
    assert abs(kept - len(POSTS) * factor) <= spread + 1


def test_people_do_not_lose_the_same_posts() -> None:
    """Two people's losses are independent: together they keep the product of their factors."""
    one, other = (kept_posts(POSTS, person, 1 << 31) for person in (5, 6))

    both = int((one & other).sum())

    assert abs(both - len(POSTS) / 4) <= 5 * (len(POSTS) * 3 / 16) ** 0.5


def test_neighbouring_posts_are_lost_without_a_pattern() -> None:
    kept = kept_posts(POSTS, 5, 1 << 31)

    changes = int((kept[1:] != kept[:-1]).sum())

    assert abs(changes - len(POSTS) / 2) <= 5 * (len(POSTS) / 4) ** 0.5


def test_a_post_reaches_the_same_people_by_fan_out_and_by_merge() -> None:
    people = np.arange(1_000, dtype=np.uint32)
    thresholds = thresholds_of(people + np.uint32(2_001), 2_000)

    by_fan_out = kept_people(77, people, thresholds)
    by_merge = [bool(kept_posts(numbers([77]), person, int(threshold))[0])
                for person, threshold in zip(people.tolist(), thresholds, strict=True)]

    assert by_fan_out.tolist() == by_merge


@pytest.mark.parametrize("follows", [0, 1, 1_999, 2_000])
def test_at_or_below_the_limit_nothing_is_lost(follows: int) -> None:
    table = Heavy(lambda: Weights(numbers([3]), np.array([follows], np.uint32)), clock=still,
                  limit=2_000)

    table.refresh()

    assert loss_factor(follows, 2_000) == 1.0
    assert table.threshold_of(3) is None
    assert not len(table.lost_of(9, numbers(range(10))))


def test_what_is_lost_is_not_even_written() -> None:
    """Loss is there to spare writes: a page counts fewer of them."""
    people = np.arange(10_000, dtype=np.uint32)
    heavy = Heavy(lambda: Weights(people[::2], np.full(5_000, 20_000, np.uint32)), clock=still,
                  limit=2_000)
    heavy.refresh()
    rings = Rings(slots=16, people_max=10_000)
    rings.activate(people)

    written = rings.fan_out(1, people, heavy.lost_of)

    assert 5_350 < written < 5_650


def test_a_post_saved_by_a_large_source_is_lost_when_that_is_unfollowed() -> None:
    """A ring filled while the large source was followed went on to show what the loss drops."""
    follows = PlainFollows({(0, source) for source in range(1, 41)} | {(50, 40), (51, 40)})
    options = Options(slots=32, active_people_max=4, reasonable_follows=4, fanout_followers_max=2)
    timelines = Timelines(follows=follows, weigh=lambda: follows.weights(options), clock=still,
                          options=options)
    timelines.activate([0])
    timelines.apply(batch_of(*(Post(number, 1, 40) for number in range(1, 30))), 1)
    assert walked(timelines, 0, 10) == list(range(29, 0, -1))

    follows.pairs.discard((0, 40))

    threshold = int(thresholds_of(np.array([40], np.uint32), 4)[0])
    kept = kept_posts(np.arange(29, 0, -1, dtype=np.uint32), 0, threshold)
    assert walked(timelines, 0, 10) == np.arange(29, 0, -1)[kept].tolist()
    assert len(walked(timelines, 0, 10)) < 29


def test_the_table_of_the_heavy_is_weighed_every_thirty_seconds() -> None:
    now_us, weighed = [0], []

    def weigh() -> Weights:
        weighed.append(now_us[0])
        return Weights()

    timelines = Timelines(follows=PlainFollows(), weigh=weigh, clock=lambda: now_us[0],
                          options=Options(active_people_max=4))
    for position, second in enumerate((0, 10, 29, 31, 60, 62), 1):
        now_us[0] = second * 1_000_000
        timelines.apply(Batch(), position)

    assert weighed == [0, 31_000_000, 62_000_000]


def test_a_page_and_explain_say_what_is_lost_and_why() -> None:
    follows = PlainFollows({(0, source) for source in range(1, 9)} | {(9, 1)})
    options = Options(active_people_max=4, reasonable_follows=4)
    timelines = Timelines(follows=follows, weigh=lambda: follows.weights(options), clock=still,
                          options=options)
    timelines.apply(batch_of(Post(1, 1)), 1)

    reason = timelines.page(0).reason

    assert reason is not None
    assert reason == timelines.explain(0)
    assert reason.rule == "timeline.loss"
    assert [(term.name, term.value) for term in reason.terms] == [
        ("limit", 4), ("follows", 8), ("factor", 0.5)]
    assert timelines.page(9).reason is None
    assert timelines.explain(9).rule == "timeline.complete"


def test_posts_beyond_memory_are_said_to_be_missing() -> None:
    follows = PlainFollows({(0, 1), (5, 2)})
    timelines = Timelines(follows=follows, weigh=Weights, clock=still,
                          options=Options(active_people_max=4, posts_kept=16))
    timelines.apply(batch_of(*(Post(number, 1) for number in range(1, 30)), Post(30, 2)), 1)

    reason = timelines.page(0, None, 50).reason

    assert reason is not None
    assert reason.rule == "timeline.beyond_memory"
    assert timelines.page(5).reason is None
