"""Followers: each reader at its own pace, failures stay with whoever failed."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import pytest

from lichen.kit import Unavailable
from lichen.log import Batch, Followers, Log
from lichen.log.limits import BACKOFF_MS_MAX, RESTARTS_MAX
from tests.log.conftest import MakeLog
from tests.log.test_contract import lines

pytestmark = pytest.mark.anyio


class Collector:
    """A reader that keeps what it is given; it can be told to fail or to wait."""

    def __init__(self, name: str = "collector", *, position: int = 0,
                 serves_pages: bool = True) -> None:
        self.name = name
        self.serves_pages = serves_pages
        self.start = position
        self.seqs: list[int] = []
        self.errors: list[Exception] = []
        self.may_go_on = asyncio.Event()
        self.may_go_on.set()

    def position(self) -> int:
        return self.start

    async def apply(self, batch: Batch) -> None:
        await self.may_go_on.wait()
        if self.errors:
            raise self.errors.pop()
        self.seqs += batch.seqs.tolist()


class Pauses:
    """Takes the place of sleeping: keeps how long it would have been."""

    def __init__(self) -> None:
        self.seconds: list[float] = []

    async def __call__(self, seconds: float) -> None:
        self.seconds.append(seconds)
        await asyncio.sleep(0)


@asynccontextmanager
async def running(followers: Followers) -> AsyncIterator[None]:
    task = asyncio.create_task(followers.run())
    async with asyncio.timeout(10):
        await asyncio.sleep(0)
        yield
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


async def until(followers: Followers, is_true: Callable[[], bool]) -> None:
    async with asyncio.timeout(10):
        while not is_true():  # noqa: ASYNC110 (a reader's inner state rings no bell)
            await asyncio.sleep(0)


async def test_a_reader_gets_everything_after_its_checkpoint_in_order(log: Log) -> None:
    await log.append(lines(1, 5_000))
    reader = Collector(position=10)
    followers = Followers(log, [reader])

    async with running(followers):
        await log.append(lines(5_001, 5_010))
        assert await followers.wait_applied(5_010, timeout_ms=5_000)

    assert reader.seqs == list(range(11, 5_011))
    assert followers.positions() == {"collector": 5_010}


async def test_a_slow_reader_delays_only_itself(log: Log) -> None:
    slow, quick = Collector("slow", serves_pages=False), Collector("quick")
    slow.may_go_on.clear()
    followers = Followers(log, [slow, quick])

    async with running(followers):
        await log.append(lines(1, 10))
        assert await followers.wait_applied(10, timeout_ms=5_000)

    assert followers.positions() == {"slow": 0, "quick": 10}
    assert followers.low_water() == 0


async def test_waiting_for_a_slow_page_reader_ends_with_false(log: Log) -> None:
    slow = Collector()
    slow.may_go_on.clear()
    followers = Followers(log, [slow])

    async with running(followers):
        await log.append(lines(1, 1))
        assert not await followers.wait_applied(1, timeout_ms=1)
        slow.may_go_on.set()
        assert await followers.wait_applied(1, timeout_ms=5_000)


async def test_without_readers_everything_is_applied(log: Log) -> None:
    await log.append(lines(1, 3))
    followers = Followers(log, [])

    assert await followers.wait_applied(3, timeout_ms=1)
    assert followers.low_water() == 3


async def test_a_failing_reader_is_tried_again_from_where_it_was(log: Log) -> None:
    await log.append(lines(1, 10))
    reader, other, pauses = Collector(), Collector("other"), Pauses()
    reader.errors = [ValueError(), ValueError()]
    followers = Followers(log, [reader, other], pause=pauses)

    async with running(followers):
        await until(followers, lambda: followers.positions()["collector"] == 10)

    assert reader.seqs == other.seqs == list(range(1, 11))
    state = followers.states()[0]
    assert (state.condition, state.failures, state.error) == ("following", 2, "")
    assert pauses.seconds == [0.1, 0.2]


async def test_a_reader_that_keeps_failing_is_left_stopped_and_nobody_waits_for_it(
    log: Log,
) -> None:
    await log.append(lines(1, 10))
    reader, other = Collector(), Collector("other")
    reader.errors = [KeyError("secret") for _ in range(99)]
    followers = Followers(log, [reader, other], pause=Pauses())

    async with running(followers):
        await until(followers, lambda: followers.states()[0].condition == "stopped")
        assert not await followers.wait_applied(10, timeout_ms=600_000)
        await until(followers, lambda: followers.positions()["other"] == 10)

    state = followers.states()[0]
    assert (state.failures, state.error, state.position) == (RESTARTS_MAX + 1, "KeyError", 0)


async def test_a_reader_whose_world_is_down_is_tried_for_ever(log: Log) -> None:
    await log.append(lines(1, 10))
    reader, pauses = Collector(), Pauses()
    reader.errors = [Unavailable("database away") for _ in range(40)]
    followers = Followers(log, [reader], pause=pauses)

    async with running(followers):
        await until(followers, lambda: followers.positions()["collector"] == 10)

    assert len(pauses.seconds) == 40
    assert max(pauses.seconds) == BACKOFF_MS_MAX / 1_000


async def test_a_reader_ahead_of_the_log_is_stopped_not_left_waiting(log: Log) -> None:
    """After a restore without its jump, a reader would wait for sequences that come again."""
    followers = Followers(log, [Collector(position=7)], pause=Pauses())

    async with running(followers):
        await until(followers, lambda: followers.states()[0].condition == "stopped")


async def test_readers_pass_erased_records_and_jumps(log: Log) -> None:
    await log.append(lines(1, 10))
    await log.erase([9, 10])
    await log.skip_to(500)
    reader = Collector()
    followers = Followers(log, [reader])

    async with running(followers):
        assert await followers.wait_applied(499, timeout_ms=5_000)

    assert reader.seqs == list(range(1, 9))


async def test_followers_end_with_the_log(make_log: MakeLog) -> None:
    log = await make_log()
    await log.append(lines(1, 10))
    reader = Collector()

    async with asyncio.timeout(10), asyncio.TaskGroup() as tasks:
        tasks.create_task(Followers(log, [reader]).run())
        await asyncio.sleep(0)
        await log.close()

    assert reader.seqs == list(range(1, 11))


async def test_positions_may_be_asked_on_any_thread(log: Log) -> None:
    followers = Followers(log, [Collector()])

    async with running(followers):
        await log.append(lines(1, 100))
        await followers.wait_applied(100, timeout_ms=5_000)
        assert await asyncio.to_thread(followers.positions) == {"collector": 100}
        assert (await asyncio.to_thread(followers.states))[0].condition == "following"
