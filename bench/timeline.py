"""The timelines: fanning out in memory, reading meanwhile, and somebody who follows 400,000.

    python -m bench.timeline             2 M followers
    python -m bench.timeline --whole     20 M followers as well: 16 slots, 2 GB of memory

The floor is numpy's bare scatter of as many numbers in the same run. What was published (Lossy
Timelines, 2025) is a fleet's, with network, replication and disks; these are of one process in
memory, so that the two compare in kind only. Times of reads are from when a page was asked for, at
moments drawn beforehand, until it was there: the wait for what the loop does just then is in them.
"""

import argparse
import asyncio
import gc
import json
import random
import statistics
import time
from collections.abc import Callable
from functools import partial

import numpy as np
import uvloop

from bench.results import record
from lichen.kit.clock import system_clock
from lichen.timeline import Batch, Numbers, Options, Post, Timelines, Weights
from lichen.timeline.limits import FANOUT_PAGE_PEOPLE
from lichen.timeline.loss import Heavy
from lichen.timeline.model import NONE
from lichen.timeline.rings import Rings

ROUNDS = 9
READ_PAUSE_S = 0.002
READ_SECONDS = 6.0
TURNS = 12
ORDINARY, ORDINARY_FOLLOWS, HEAVY_FOLLOWS = 10_000, 200, 400_000
POSTS = 400_000
SEED = 20_261_125
PUBLISHED = {"writes_per_s": 1_000_000, "large_fanout_s": 10, "page_mean_us": 600}


def main() -> None:
    """Run the bench."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--whole", action="store_true")
    whole = parser.parse_args().whole
    figures: dict[str, object] = fanned_out(2_000_000, 32)
    if whole:
        figures |= fanned_out(20_000_000, 16)
    figures |= read_meanwhile()
    figures |= beside_a_heavy_one()
    for name, value in figures.items():
        print(f"{name:44} {value}")
    print(f"published, a whole fleet, replicated: {json.dumps(PUBLISHED)}")
    record("timeline", figures)


def fanned_out(followers: int, slots: int) -> dict[str, object]:
    """Fan posts out to most of the active people; return times, the rate and the floor."""
    people = np.arange(followers * 5 // 4, dtype=np.uint32)  # every fifth does not follow
    rings = Rings(slots=slots, people_max=len(people))
    rings.activate(people)
    chosen = np.sort(np.random.default_rng(SEED).permutation(people)[:followers])
    heavy = Weights(chosen[::1_000], np.full(len(chosen[::1_000]), 8_000, np.uint32))
    heavy_table = Heavy(lambda: heavy, clock=system_clock, limit=2_000)
    heavy_table.refresh()
    name = f"fanout_{followers // 1_000_000}m"
    whole, pages = [], []
    for post in range(1, ROUNDS + 1):
        started = time.perf_counter()
        for at in range(0, followers, FANOUT_PAGE_PEOPLE):
            page_started = time.perf_counter()
            rings.fan_out_page(post, chosen[at : at + FANOUT_PAGE_PEOPLE], heavy_table.lost_of)
            pages.append(time.perf_counter() - page_started)
        whole.append(time.perf_counter() - started)
    places = chosen.astype(np.int64) * slots
    floor = [_timed(partial(_scatter, rings.posts, places, post)) for post in range(5)]
    median_s = statistics.median(whole)
    return {f"{name}_s": round(median_s, 4), f"{name}_worst_s": round(max(whole), 4),
            f"{name}_writes_per_s": round(followers / median_s),
            f"{name}_page_p50_ms": round(statistics.median(pages) * 1e3, 3),
            f"{name}_page_p99_ms": round(_p99(pages) * 1e3, 3),
            f"{name}_to_bare_scatter": round(median_s / statistics.median(floor), 2)}


def _scatter(posts: Numbers, places: np.ndarray, post: int) -> None:
    posts[places] = post


class Plain:
    """A graph of arrays by number, made in memory."""

    def __init__(self, following: dict[int, Numbers], followers: dict[int, Numbers]) -> None:
        self._following, self._followers = following, followers

    def following(self, person: int) -> Numbers:
        """Return whom a person follows."""
        return self._following.get(person, NONE)

    def followers(self, source: int) -> Numbers:
        """Return who follows a source."""
        return self._followers.get(source, NONE)


def plain_of(people: dict[int, Numbers]) -> Plain:
    """Return a graph of whom people follow, both directions."""
    numbers = np.concatenate([np.full(len(row), one, np.uint32) for one, row in people.items()])
    sources = np.concatenate(list(people.values()))
    order = np.lexsort((numbers, sources))
    found, starts = np.unique(sources[order], return_index=True)
    rows = np.split(numbers[order], starts[1:])
    return Plain(people, dict(zip(found.tolist(), rows, strict=True)))


def ordinary_people(chance: np.random.Generator, first: int, sources: int) -> dict[int, Numbers]:
    """Return ordinary people, numbered behind the sources, with whom they follow."""
    return {one: np.unique(chance.integers(0, sources, ORDINARY_FOLLOWS).astype(np.uint32))
            for one in range(first, first + ORDINARY)}


def filled(plain: Plain, sources: int, weights: Weights, *, people_max: int) -> Timelines:
    """Return timelines with a history of posts, rings active for the ordinary."""
    timelines = Timelines(follows=plain, weigh=lambda: weights, clock=system_clock,
                          options=Options(posts_kept=1 << 20, active_people_max=people_max))
    chance = random.Random(SEED)
    posts = [Post(number, chance.randrange(sources)) for number in range(1, POSTS + 1)]
    for at in range(0, POSTS, 10_000):
        timelines.apply(Batch(posts=tuple(posts[at : at + 10_000])), at + 10_000)
    return timelines


def read_meanwhile() -> dict[str, object]:
    """Read pages of 50 while a post goes to 2 M, again and again; on the loop and in a thread."""
    chance, sources, crowd = np.random.default_rng(SEED), 20_000, 2_000_000
    people = ordinary_people(chance, sources, sources)
    plain = plain_of(people)
    everybody = np.arange(sources, sources + crowd, dtype=np.uint32)
    plain._followers[sources - 1] = everybody
    timelines = filled(plain, sources - 1, Weights(), people_max=crowd)
    timelines.activate(everybody.tolist())
    figures: dict[str, object] = {}
    idle = Reads(timelines, list(people))
    uvloop.run(idle.run(None))
    figures["home_50_idle_p99_ms"] = round(_p99(idle.taken) * 1e3, 3)
    for name, in_thread in (("loop", False), ("thread", True)):
        state = {"post": timelines._posts.last, "written": 0}

        async def fan_out(state: dict[str, int] = state, in_thread: bool = in_thread) -> None:
            state["post"] += 1
            timelines.apply(Batch(posts=(Post(state["post"], sources - 1),)), state["post"])
            if in_thread:
                await asyncio.to_thread(timelines.drain)
            else:
                await timelines.fan_out()
            state["written"] += crowd

        reads = Reads(timelines, list(people))
        started = time.perf_counter()
        uvloop.run(reads.run(fan_out))
        seconds = time.perf_counter() - started
        figures |= {f"home_50_fanout_{name}_p50_ms": round(statistics.median(reads.taken) * 1e3, 3),
                    f"home_50_fanout_{name}_p99_ms": round(_p99(reads.taken) * 1e3, 3),
                    f"home_50_fanout_{name}_writes_per_s": round(state["written"] / seconds)}
    return figures


def beside_a_heavy_one() -> dict[str, object]:
    """Read ordinary homes while posts come, without and with somebody who follows 400,000.

    The two take turns of a second, so that whatever else the machine does hits both.
    """
    shards = [Shard(is_heavy=False), Shard(is_heavy=True)]
    for _ in range(TURNS):
        for shard in shards:
            shard.turn()
    alone, beside = (statistics.median(shard.p99s) for shard in shards)
    return {"ordinary_p99_alone_ms": round(alone * 1e3, 3),
            "ordinary_p99_beside_heavy_ms": round(beside * 1e3, 3),
            "ordinary_p99_ratio": round(beside / alone, 3),
            "heavy_own_page_p50_ms": round(statistics.median(shards[1].own) * 1e3, 3),
            "heavy_own_page_worst_ms": round(max(shards[1].own) * 1e3, 3)}


class Shard:
    """Ten thousand ordinary people who read, and perhaps a heavy one who reads before each turn."""

    def __init__(self, *, is_heavy: bool) -> None:
        people = ordinary_people(np.random.default_rng(SEED), HEAVY_FOLLOWS, HEAVY_FOLLOWS)
        ordinary, weights = list(people), Weights()
        self._heavy = HEAVY_FOLLOWS + ORDINARY if is_heavy else None
        if self._heavy is not None:
            people[self._heavy] = np.arange(HEAVY_FOLLOWS, dtype=np.uint32)
            weights = Weights(np.array([self._heavy], np.uint32),
                              np.array([HEAVY_FOLLOWS], np.uint32))
        self._timelines = filled(plain_of(people), HEAVY_FOLLOWS, weights, people_max=ORDINARY + 1)
        self._timelines.activate(people)
        gc.freeze()  # the made-up graph is millions of objects, which a mapped one is not
        self._reads, self._draws = Reads(self._timelines, ordinary), random.Random(SEED)
        self._post, self.p99s, self.own = POSTS, list[float](), list[float]()

    def turn(self) -> None:
        """Write and read for a second."""
        if self._heavy is not None:
            self.own.append(_timed(partial(self._timelines.page, self._heavy)))
        self._reads.taken.clear()
        uvloop.run(self._reads.run(self._write, seconds=1.0))
        self.p99s.append(_p99(self._reads.taken))

    async def _write(self) -> None:
        for _ in range(20):
            self._post += 1
            post = Post(self._post, self._draws.randrange(HEAVY_FOLLOWS))
            self._timelines.apply(Batch(posts=(post,)), self._post)
        await self._timelines.fan_out()
        await asyncio.sleep(0.005)


class Reads:
    """Pages asked for at moments drawn beforehand, read on the loop; `taken` in seconds."""

    def __init__(self, timelines: Timelines, people: list[int]) -> None:
        self._timelines, self._people, self.taken = timelines, people, list[float]()
        self._draws = random.Random(SEED)
        for person in people:
            timelines.page(person)

    async def run(self, beside: Callable[[], object] | None, *,
                  seconds: float = READ_SECONDS) -> None:
        """Read for some seconds while `beside` is awaited again and again."""
        loop = asyncio.get_running_loop()
        stop = loop.time() + seconds
        self._ask(loop, loop.time(), stop)
        while loop.time() < stop:
            await (asyncio.sleep(0.05) if beside is None else beside())  # type: ignore[misc]

    def _ask(self, loop: asyncio.AbstractEventLoop, asked: float, stop: float) -> None:
        """Plan one reading; it plans the next, so that a late one delays none."""
        asked += self._draws.expovariate(1 / READ_PAUSE_S)
        if asked < stop:
            loop.call_at(asked, self._read, loop, asked, stop)

    def _read(self, loop: asyncio.AbstractEventLoop, asked: float, stop: float) -> None:
        self._ask(loop, asked, stop)
        page = self._timelines.page(self._draws.choice(self._people), limit=50)
        self.taken.append(loop.time() - asked)
        assert len(page.posts) == 50


def _timed(work: Callable[[], object]) -> float:
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


def _p99(taken: list[float]) -> float:
    return sorted(taken)[int(len(taken) * 0.99)]


if __name__ == "__main__":
    main()
