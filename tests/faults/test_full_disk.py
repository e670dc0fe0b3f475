"""A full or failing disk: writes are refused in words, reads go on, and nothing is lost by it."""

import random
from pathlib import Path

import aiohttp
import pytest

from tests.faults.disks import Disk, FailingDisk, small_disk
from tests.faults.ordeal import Ordeal
from tests.faults.serving import Serving, place_of, until
from tests.faults.townspeople import Fate, Townsperson

pytestmark = [pytest.mark.anyio, pytest.mark.slow]

ROOM_AGAIN_S_MAX = 10.0
READS = ("/", "/health", "/api/v3/post/list?sort=Hot", "/api/v3/comment/list",
         "/api/v3/search?q=post00002", "/api/v3/site", "/api/v3/community/list")


async def test_a_full_disk_refuses_writes_serves_reads_and_loses_nothing(tmp_path: Path) -> None:
    with small_disk(tmp_path / "disk") as disk, place_of("sqlite", tmp_path / "disk") as place:
        await _out_of_room(Ordeal(place, seed=7), disk)


async def test_a_failing_disk_does_the_same(tmp_path: Path) -> None:
    with place_of("sqlite", tmp_path) as place:
        await _out_of_room(Ordeal(place, seed=8), FailingDisk())


async def _out_of_room(ordeal: Ordeal, disk: Disk) -> None:
    async with ordeal.life() as serving:
        await serving.ready()
        await ordeal.write_until(serving, lambda: ordeal.notebook.reach(40))

        disk.fill(serving)
        await _write_until(ordeal, serving, Fate.REFUSED)
        statuses = await _statuses(serving)
        disk.free(serving)
        await _write_until(ordeal, serving, Fate.KEPT)

        assert set(statuses.values()) == {200}, statuses
        await ordeal.audit()
        assert await serving.stop() == 0
    await ordeal.recover()


async def test_a_log_without_room_delays_events_and_loses_none(tmp_path: Path) -> None:
    """The rows are on another disk: writes are kept there, and reach the log once it has room."""
    with small_disk(tmp_path / "disk") as disk, place_of("postgresql", tmp_path / "disk") as place:
        ordeal = Ordeal(place, seed=9)
        async with ordeal.life() as serving:
            await serving.ready()
            await ordeal.write_until(serving, lambda: ordeal.notebook.reach(20))

            disk.fill(serving)
            await ordeal.write_until(serving, lambda: ordeal.notebook.reach(40))
            statuses = await _statuses(serving)
            disk.free(serving)

            assert set(statuses.values()) == {200}, statuses
            await ordeal.audit()
        await ordeal.recover()


async def test_a_house_that_was_killed_on_a_full_disk_starts_and_reads_there(
    tmp_path: Path
) -> None:
    with small_disk(tmp_path / "disk") as disk, place_of("sqlite", tmp_path / "disk") as place:
        ordeal = Ordeal(place, seed=10)
        async with ordeal.life() as serving:
            await serving.ready()
            await ordeal.write_until(serving, lambda: ordeal.notebook.reach(20))
            disk.fill(serving)
            await _write_until(ordeal, serving, Fate.REFUSED)
            serving.kill_both()

        async with ordeal.life() as serving:
            async def reads() -> bool:
                return set((await _statuses(serving)).values()) == {200}

            await until(reads, within_s=ROOM_AGAIN_S_MAX * 3, what=serving.said)
            disk.free(serving)
            await _write_until(ordeal, serving, Fate.KEPT)
            await ordeal.audit()


async def _write_until(ordeal: Ordeal, serving: Serving, fate: Fate) -> None:
    """Write, one after the other, until a write has a fate."""
    async with aiohttp.ClientSession() as session:
        person = Townsperson(session, serving.place.url, ordeal.notebook, random.Random(1))
        await person.arrive(min(ordeal.notebook.tokens))

        async def has_fate() -> bool:
            await person.post()
            return ordeal.notebook.written[-1].fate is fate

        await until(has_fate, within_s=ROOM_AGAIN_S_MAX * 3, what=lambda: f"a write {fate.value}")


async def _statuses(serving: Serving) -> dict[str, int]:
    """Return how reads are answered."""
    found = {}
    async with aiohttp.ClientSession() as session:
        for path in READS:
            try:
                async with session.get(f"{serving.place.url}{path}") as answer:
                    found[path] = answer.status
            except aiohttp.ClientError:
                found[path] = 0
    return found
