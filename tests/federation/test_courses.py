"""How it went with the peers in the last hour: sampled in memory, bounded, and cheap at rest."""

from collections import Counter
from typing import Any, NamedTuple

import numpy as np
import pytest

from lichen.federation import courses as at
from lichen.federation.courses import Courses
from lichen.federation.sending import LineState, Missing
from lichen.log import Batch

pytestmark = pytest.mark.anyio
START_US = 1_700_000_000_000_000
MINUTE_US = 60_000_000


class Time:
    def __init__(self) -> None:
        self.now_us = START_US

    def __call__(self) -> int:
        return self.now_us


class Records:
    """A log in which record n is of second n."""

    last_seq, first_seq = 0, 1

    def read(self, seq: int, *, limit: int) -> Batch:
        return Batch(seq + 1, np.array([seq]), np.array([START_US + seq * 1_000_000]), b"{}\n")


class Lines:
    """What sending says of the peers, as a test wants it."""

    def __init__(self) -> None:
        self.lines: dict[str, LineState] = {}
        self.counted: list[str] = []

    def be(self, name: str, *, taken: int = 0, missing: int = 0) -> None:
        self.lines[name] = LineState(
            name, behind=missing, waiting=missing, under_way=0, window=2, taken=taken, refused=0,
            coalesced=0, failures=0, retry_at_us=0, error="")

    def states(self) -> list[LineState]:
        return list(self.lines.values())

    def missing(self, authority: str, *, limit: int) -> Missing:
        self.counted.append(authority)
        count = self.lines[authority].waiting
        return Missing(min(count, limit), 1 if count else 0, is_more=count > limit)


class Door:
    """What the door says of what came."""

    def __init__(self) -> None:
        self.received: Counter[str] = Counter()
        self.outcomes: Counter[str] = Counter()
        self.waiting: dict[str, int] = {}
        self.oldest: dict[str, int] = {}

    def waiting_of(self, peer: str) -> int:
        return self.waiting.get(peer, 0)

    def oldest_waiting(self) -> dict[str, int]:
        return self.oldest


class Ingest:
    def position(self) -> int:
        return 0


class Incoming(NamedTuple):
    log: Records
    inbox: Door
    ingest: Ingest


class Outgoing(NamedTuple):
    log: Records
    sending: Lines


class Town:
    def __init__(self) -> None:
        self.time, self.lines, self.door, self.log = Time(), Lines(), Door(), Records()
        incoming: Any = Incoming(self.log, self.door, Ingest())
        outgoing: Any = Outgoing(Records(), self.lines)
        self.courses = Courses(incoming, outgoing, self.time)

    async def pass_minutes(self, count: int = 1) -> None:
        for _ in range(count):
            self.time.now_us += MINUTE_US
            await self.courses.sample()


@pytest.fixture
def town() -> Town:
    return Town()


async def test_rates_and_lags_both_ways_are_of_the_minute_they_were_in(town: Town) -> None:
    town.lines.be("slow.example", taken=60, missing=40)
    town.door.received["slow.example"] = town.door.outcomes["accepted"] = 120
    await town.pass_minutes()
    town.lines.be("slow.example", taken=60, missing=900)
    town.door.waiting["slow.example"], town.log.last_seq = 30, 30
    town.door.oldest["slow.example"] = town.time.now_us
    await town.pass_minutes()

    hour, whole = town.courses.hour_of("slow.example"), town.courses.hour()

    first, second = hour.minutes
    assert (1.0, 2.0, 40) == (first.sent_per_s, first.came_per_s, first.missing)
    assert (0.0, 0.0, 900, 30) == (
        second.sent_per_s, second.came_per_s, second.missing, second.waiting)
    assert MINUTE_US == second.waiting_us and 119_000_000 == second.missing_us
    assert (2.0, 900, 30) == (
        whole.minutes[0].came_per_s, whole.minutes[1].missing, whole.minutes[1].waiting)
    assert {"federation_missing_activities": 900.0, "federation_missing_seconds": 119.0}.items() <= (
        town.courses.figures().items())


async def test_the_rate_now_is_over_half_a_minute_at_least(town: Town) -> None:
    town.lines.be("one.example", taken=60)
    await town.pass_minutes()
    town.lines.be("one.example", taken=90)
    town.time.now_us += MINUTE_US // 6

    soon = town.courses.hour_of("one.example")
    town.time.now_us += MINUTE_US // 2
    later = town.courses.hour_of("one.example")

    assert (70_000_000, 90 / 70) == (soon.over_us, pytest.approx(soon.sent_per_s))
    assert (40_000_000, 30 / 40) == (later.over_us, pytest.approx(later.sent_per_s))


async def test_an_hour_is_kept_and_after_a_start_it_says_since_when(town: Town) -> None:
    unknown = town.courses.hour_of("one.example")
    town.lines.be("one.example", taken=1)
    await town.pass_minutes(90)

    hour = town.courses.hour_of("one.example")

    assert (START_US, [], 0.0) == (unknown.since_us, unknown.minutes, unknown.sent_per_s)
    assert 60 == len(hour.minutes) == len(town.courses.hour().minutes)
    assert START_US + 31 * MINUTE_US == hour.minutes[0].at_us
    assert 0.0 == sum(one.sent_per_s for one in hour.minutes)


async def test_only_who_is_behind_is_counted_and_who_never_did_anything_has_no_course(
    town: Town
) -> None:
    for number in range(50):
        town.lines.be(f"quiet{number}.example")
    town.lines.be("late.example", missing=3)

    await town.pass_minutes(3)

    assert ["late.example"] * 3 == town.lines.counted
    assert [] == town.courses.hour_of("quiet7.example").minutes


async def test_no_more_peers_are_sampled_than_the_limit_and_who_rests_makes_room(
    town: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(at, "PEERS_SAMPLED_MAX", 2)
    for name in ("a.example", "b.example"):
        town.lines.be(name, taken=1)
    await town.pass_minutes()
    town.lines.be("c.example", taken=700)
    await town.pass_minutes(5)
    before = town.courses.hour_of("c.example").minutes
    for taken in range(701, 710):
        town.lines.be("a.example", taken=taken)
        await town.pass_minutes()

    minutes = {one: town.courses.hour_of(f"{one}.example").minutes for one in "abc"}

    assert [] == before == minutes["b"]
    assert minutes["a"] and minutes["c"]
    # What c was sent before is no rate of the minute in which it is seen again.
    assert 0.0 == sum(one.sent_per_s for one in minutes["c"])
