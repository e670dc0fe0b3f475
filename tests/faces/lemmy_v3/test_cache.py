"""Answers kept for a moment: one making for many, never older than the moment, no failure."""

import asyncio

import pytest

from lichen.faces.lemmy_v3.cache import ANSWERS_MAX, AnswerCache

pytestmark = pytest.mark.anyio


class Kitchen:
    """Makes answers and counts them; waits for its door where it has one."""

    def __init__(self, door: asyncio.Event | None = None) -> None:
        self.made = 0
        self._door = door

    async def make(self) -> bytes:
        self.made += 1
        number = self.made
        if self._door is not None:
            await self._door.wait()
        return b"%d" % number


async def test_an_answer_is_kept_for_its_moment_and_no_longer(clock) -> None:
    cache, kitchen = AnswerCache(clock, keep_us=1_000_000), Kitchen()

    first = await cache.answer("a", kitchen.make)
    clock.now_us += 999_999
    kept = await cache.answer("a", kitchen.make)
    clock.now_us += 1
    fresh = await cache.answer("a", kitchen.make)

    assert (first, kept, fresh) == (b"1", b"1", b"2")


async def test_many_who_ask_at_once_wait_for_one_making(clock) -> None:
    door = asyncio.Event()
    cache, kitchen = AnswerCache(clock, keep_us=1_000_000), Kitchen(door)

    waiting = [asyncio.create_task(cache.answer("a", kitchen.make)) for _ in range(50)]
    await asyncio.sleep(0)
    door.set()

    assert await asyncio.gather(*waiting) == [b"1"] * 50


async def test_the_first_to_ask_may_hang_up(clock) -> None:
    door = asyncio.Event()
    cache, kitchen = AnswerCache(clock, keep_us=1_000_000), Kitchen(door)
    first = asyncio.create_task(cache.answer("a", kitchen.make))
    second = asyncio.create_task(cache.answer("a", kitchen.make))
    await asyncio.sleep(0)

    first.cancel()
    door.set()

    assert await second == b"1"


async def test_the_moment_begins_before_the_making(clock) -> None:
    """An answer whose rows were read at the start of a slow making is old when it is done."""
    door = asyncio.Event()
    cache, kitchen = AnswerCache(clock, keep_us=1_000_000), Kitchen(door)
    slow = asyncio.create_task(cache.answer("a", kitchen.make))
    await asyncio.sleep(0)

    clock.now_us += 1_000_000
    door.set()
    await slow

    assert await cache.answer("a", kitchen.make) == b"2"


async def test_a_failure_is_told_and_not_kept(clock) -> None:
    cache, kitchen = AnswerCache(clock, keep_us=1_000_000), Kitchen()

    async def fail() -> bytes:
        raise ValueError("no")

    with pytest.raises(ValueError, match="no"):
        await cache.answer("a", fail)

    assert await cache.answer("a", kitchen.make) == b"1"


async def test_there_is_a_most_that_is_kept(clock) -> None:
    cache, kitchen = AnswerCache(clock, keep_us=1_000_000), Kitchen()

    for number in range(ANSWERS_MAX + 1):
        await cache.answer(number, kitchen.make)

    assert len(cache) <= ANSWERS_MAX
