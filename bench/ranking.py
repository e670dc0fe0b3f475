"""How long it takes to know which 20 posts a list shows, out of 100,000.

    python -m bench.ranking [posts]

The floor is the same list without `Best`: every post ranked by the same formula in numpy float64,
and all sorted, in the same run. Times are of one question in one thread; best and median.
"""

import shutil
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
from pyroaring import BitMap

from bench.results import record
from lichen.forum.activity import Active, Activity
from lichen.forum.columns import ACTORS, POSTS, ActorFlag, ColumnFile, PostFlag
from lichen.forum.model import Listing, PostQuery, Sort
from lichen.forum.ranks import Ranks
from lichen.forum.standing import Standing, nobody

POSTS_COUNT = 100_000
COMMUNITIES = 1_000
PEOPLE = 10_000
ROUNDS = 300
NOW_US = 1_700_000_000_000_000
SECOND_US = 1_000_000
YEAR_US = 365 * 86_400 * SECOND_US


def filled(folder: Path, count: int, chance: np.random.Generator) -> tuple[ColumnFile, ColumnFile]:
    """Return made-up columns: few communities have most posts, few posts most votes."""
    posts = ColumnFile.create(folder / "posts.columns", POSTS)
    actors = ColumnFile.create(folder / "actors.columns", ACTORS)
    ids = range(1, COMMUNITIES + PEOPLE + 1)
    local = int(ActorFlag.EXISTS | ActorFlag.LOCAL)
    actors.write_rows(ids, {"instance": [1] * len(ids), "flags": [local] * len(ids)})
    published = np.sort(NOW_US - (chance.random(count) ** 1.5 * YEAR_US).astype(np.int64))
    up = np.minimum(chance.pareto(1.1, count) * 3 + 1, 20_000).astype(int)
    active = np.minimum(NOW_US, published + (chance.random(count) * 2e5 * SECOND_US).astype(int))
    posts.write_rows(range(1, count + 1), {
        "published_us": published, "newest_comment_us": active, "active_us": active, "up": up,
        "down": (up * chance.random(count) * 0.2).astype(int), "comments": (up / 3).astype(int),
        "community": np.minimum(chance.zipf(1.3, count), COMMUNITIES),
        "creator": chance.integers(COMMUNITIES + 1, len(ids) + 1, count),
        "language": [37] * count, "flags": [int(PostFlag.EXISTS)] * count,
    })
    return posts, actors


def reader_of(count: int, chance: np.random.Generator) -> Standing:
    """Return the sets of somebody who has been here for a while."""
    standing = nobody()
    standing.person_id = COMMUNITIES + 1
    standing.subscribed = BitMap(np.unique(np.minimum(chance.zipf(1.5, 60), COMMUNITIES)).tolist())
    standing.blocked_people = BitMap(range(2_000, 2_020))
    standing.blocked_communities = BitMap([3, 40])
    standing.hidden = BitMap(range(1, count, 1_000))
    standing.read = BitMap(range(count - 1_000, count, 2))
    return standing


def times_ms(ask: Callable[[int], object], *, rounds: int = ROUNDS) -> tuple[float, float]:
    """Return the best and the median of some runs, in milliseconds; `ask` is given the round."""
    ask(0)
    taken = []
    for turn in range(1, rounds + 1):
        start = time.perf_counter()
        ask(turn)
        taken.append((time.perf_counter() - start) * 1e3)
    taken.sort()
    return taken[0], taken[len(taken) // 2]


def floor(posts: ColumnFile) -> list[int]:
    """Return the first 20 by Hot: everything ranked, everything sorted."""
    view = posts.view()
    score = view.whole("up") - view.whole("down")
    age = (NOW_US - view.whole("published_us")) / 3.6e9
    ranks = np.log10(np.maximum(2, score + 2)) / (np.maximum(age, 0) + 2) ** 1.8
    ranks[(view.whole("flags") & 1) == 0] = -np.inf
    best: list[int] = np.lexsort((-np.arange(view.rows), -ranks))[:20].tolist()
    return best


def cases(
    ranks: Ranks, posts: ColumnFile, reader: Standing, chance: np.random.Generator
) -> Iterator[tuple[str, Callable[[int], object]]]:
    """Yield what is measured, by name."""
    later = iter(range(NOW_US, NOW_US + YEAR_US, SECOND_US))
    now_us = NOW_US
    rows = int(np.count_nonzero(posts.view().whole("flags")))

    def page(*, standing: Standing = reader, at_us: int | None = None, **asked: object) -> object:
        query = PostQuery(**{"listing": Listing.ALL, "sort": Sort.HOT, "limit": 20, **asked})
        return ranks.page(query, now_us=at_us or now_us, viewer_standing=standing)

    def voted(_: int) -> object:
        posts.write(int(chance.integers(1, rows)), {"up": int(chance.integers(1, 500))})
        return page()

    stranger = nobody()
    yield "stranger, all by Hot, the same second", lambda _: page(standing=stranger)
    yield "stranger, all by Hot, each its second", lambda _: page(
        standing=stranger, at_us=next(later))
    yield "stranger, all by TopWeek", lambda _: page(standing=stranger, sort=Sort.TOP_WEEK)
    yield "stranger, all by New", lambda _: page(standing=stranger, sort=Sort.NEW)
    yield "after each vote, all by Hot", voted
    yield "reader, local by Hot, unread only", lambda _: page(
        listing=Listing.LOCAL, show_read=False)
    yield "reader, subscribed by Active", lambda _: page(
        listing=Listing.SUBSCRIBED, sort=Sort.ACTIVE)
    yield "reader, the largest community by Hot", lambda _: page(community_id=1)
    yield "reader, a small community by Hot", lambda _: page(community_id=500)
    yield "reader, one person by New", lambda _: page(creator_id=5_000, sort=Sort.NEW)
    yield "reader, page 20 by Hot", lambda _: page(page=20)


def main() -> None:
    """Measure every case and the floor, print the table and keep it."""
    count = int(sys.argv[1]) if len(sys.argv) > 1 else POSTS_COUNT
    chance = np.random.default_rng(20)
    folder = Path(tempfile.mkdtemp())
    try:
        posts, actors = filled(folder, count, chance)
        activity = Activity()
        activity.by_community().update({id_: Active(month=id_) for id_ in range(1, COMMUNITIES)})
        ranks = Ranks(posts, actors, activity)
        found, _ = ranks.page(PostQuery(listing=Listing.ALL, sort=Sort.HOT, limit=20),
                              now_us=NOW_US, viewer_standing=nobody())
        assert found == floor(posts), "the floor answers something else"
        base, _ = times_ms(lambda _: floor(posts), rounds=10)
        figures: dict[str, object] = {"posts": count, "floor_ms": round(base, 2)}
        print(f"{'list of 20':40} {'best ms':>8} {'median':>8} {'ratio':>6}   {count:,} posts")
        print(f"{'the floor: rank all, sort all':40} {base:8.3f}")
        for name, ask in cases(ranks, posts, reader_of(count, chance), chance):
            best, median = times_ms(ask)
            figures[name] = {"best_ms": round(best, 3), "median_ms": round(median, 3),
                             "ratio": round(base / best, 1)}
            print(f"{name:40} {best:8.3f} {median:8.3f} {base / best:6.1f}")
        record("ranking", figures)
    finally:
        shutil.rmtree(folder)


if __name__ == "__main__":
    main()
