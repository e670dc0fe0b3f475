"""Stopping and starting: SIGTERM loses nothing, a second server is told who is first."""

import asyncio
import socket
from pathlib import Path

import pytest

from tests.faults.audit import Rows
from tests.faults.ordeal import Ordeal
from tests.faults.serving import END_S_MAX, Place, Serving, free_port, place_of, until

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


async def test_a_worker_that_is_told_to_stop_is_followed_by_another(tmp_path: Path) -> None:
    """Whoever means the worker's pid gets a fresh worker, not a server without one."""
    with place_of("sqlite", tmp_path) as place:
        serving = Serving(place)
        try:
            await serving.ready()
            worker = serving.worker_pid
            assert worker is not None

            serving.kill_worker()
            await serving.worker_ended(worker)

            await until(lambda: serving.worker_pid, within_s=END_S_MAX, what=lambda: "a worker")
            await serving.ready()
            assert await serving.stop() == 0
        finally:
            serving.end()
