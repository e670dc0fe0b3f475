"""Stopping and starting: SIGTERM loses nothing, a second server is told who is first."""

import asyncio
import socket
from pathlib import Path
from typing import NoReturn

import pytest

from lichen.house import House
from lichen.kit import Broken
from lichen.kit.config import Config
from tests.faults.audit import Rows
from tests.faults.ordeal import Ordeal
from tests.faults.serving import END_S_MAX, Place, Serving, free_port, place_of
from tests.store.test_unit import event

pytestmark = [pytest.mark.anyio, pytest.mark.slow]


def outbox(place: Place) -> int:
    rows = Rows(place)
    try:
        return int(rows.ask("SELECT count(*) AS n FROM outbox")[0].n)
    finally:
        rows.close()


async def test_sigterm_under_load_loses_nothing_and_leaves_the_outbox_empty(
    tmp_path: Path, engine: str
) -> None:
    with place_of(engine, tmp_path) as place:
        ordeal = Ordeal(place, seed=6)
        async with ordeal.life() as serving:
            await serving.ready()
            codes: list[int] = []

            async def stop() -> None:
                await ordeal.notebook.reach(30)
                codes.append(await serving.stop())

            await ordeal.write_until(serving, stop)

            assert (codes, outbox(place)) == ([0], 0)
            assert "Traceback" not in serving.said(), serving.said()
        await ordeal.recover()


async def test_the_worker_dies_with_its_parent_and_frees_the_port(tmp_path: Path) -> None:
    with place_of("sqlite", tmp_path) as place:
        serving = Serving(place)
        try:
            await serving.ready()
            worker = serving.worker_pid
            assert worker is not None

            serving.kill_parent()
            await serving.worker_ended(worker)

            await serving.gone()
        finally:
            serving.end()


async def test_a_second_server_on_the_folder_ends_and_names_the_first(tmp_path: Path) -> None:
    with place_of("sqlite", tmp_path) as place:
        first = Serving(place)
        try:
            await first.ready()

            second = Serving(Place(tmp_path, port=free_port()))
            code = await asyncio.to_thread(second.parent.wait, END_S_MAX)

            assert code == 1
            assert f"by process {first.pid} already" in second.said()
            assert "Traceback" not in second.said()
            await first.ready()
        finally:
            first.end()


async def test_a_busy_metrics_port_is_a_warning(tmp_path: Path) -> None:
    with place_of("sqlite", tmp_path) as place, socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        serving = Serving(place, options=["--metrics-port", str(taken.getsockname()[1])])
        try:
            await serving.ready()

            said = serving.said()
            assert "metrics_port_busy" in said and "warning" in said
            assert await serving.stop() == 0
        finally:
            serving.end()


@pytest.mark.parametrize("begun", [
    b"GET / HTTP/1.1\r\nHo",
    b"POST /api/v3/user/login HTTP/1.1\r\nhost: a\r\ncontent-length: 1000\r\n\r\n{",
])
async def test_a_client_that_dawdles_does_not_hold_up_a_stop(tmp_path: Path, begun: bytes) -> None:
    """The server waited for the rest of the request until it was killed, outbox and all."""
    with place_of("sqlite", tmp_path) as place:
        serving = Serving(place)
        try:
            await serving.ready()
            _reader, writer = await asyncio.open_connection("127.0.0.1", place.port)
            writer.write(begun)
            await writer.drain()

            code = await serving.stop()

            writer.close()
            assert code == 0
            assert '"closed"' in serving.said(), serving.said()
        finally:
            serving.end()


async def test_a_house_with_a_broken_part_says_so(tmp_path: Path) -> None:
    """The relay failed for good and nobody noticed: writes were taken, and never seen."""
    words = {"server.data": tmp_path, "server.metrics_port": 0, "server.stream_port": 0}
    house = await House.open(Config.load(words=words))

    async def fail(_payloads: object) -> NoReturn:
        raise Broken("The scribe has stopped.")

    house.relay._append = fail  # type: ignore[assignment]
    await house.store.write(lambda unit: unit.emit(event(1)))

    await asyncio.wait_for(house.broken.wait(), END_S_MAX)

    house.relay._append = house.log.append
    await house.close()
