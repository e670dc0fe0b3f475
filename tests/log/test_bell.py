"""No ring is lost, whichever thread it comes from."""

import asyncio
import threading

import pytest

from lichen.log.bell import Bell

pytestmark = pytest.mark.anyio


async def test_a_ring_between_looking_and_waiting_is_not_lost() -> None:
    bell = Bell()
    looks = []

    def is_true() -> bool:
        looks.append(1)
        if len(looks) == 1:
            bell.ring()  # It comes true right after it was looked at, before anybody waits.
            return False
        return True

    async with asyncio.timeout(5):
        await bell.wait_until(is_true)


async def test_a_ring_from_another_thread_wakes_everybody() -> None:
    bell = Bell()
    has_rung = threading.Event()
    waiting = [asyncio.create_task(bell.wait_until(has_rung.is_set)) for _ in range(20)]
    await asyncio.sleep(0)

    def ring() -> None:
        has_rung.set()
        bell.ring()

    await asyncio.to_thread(ring)
    async with asyncio.timeout(5):
        await asyncio.gather(*waiting)


async def test_a_ring_after_a_waiting_loop_was_closed_hurts_nobody() -> None:
    bell = Bell()
    left = asyncio.new_event_loop()
    task = left.create_task(bell.wait_until(lambda: False))

    def start_and_leave() -> None:
        left.run_until_complete(asyncio.sleep(0))
        left.close()

    await asyncio.to_thread(start_and_leave)
    bell.ring()

    assert not task.done()
