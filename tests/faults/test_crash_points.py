"""Killed at the crash points, once each on SQLite; `make sim` does so ten times on both engines.

Of the log's own points only one is played here with a whole house: at each of them a process with
nothing but a log dies in tests/log/test_crashes.py, and `make sim` plays all. At those of the stream
a process with nothing but its store dies in tests/stream/test_crashes.py.

    START     passed by the first start of an empty place
    LOAD      passed when people write
    STOP      passed by a stop
    MENDING   passed by a start that finds the log's last write torn
    RETAINING passed while old segments are dropped
    COMMANDS  passed by a command beside or instead of the server
    FEDERATION  passed between two servers: tests/faults/test_federation_kills.py
"""

import asyncio
import shutil
import signal
from collections.abc import Collection
from pathlib import Path

import pytest

from lichen.kit.crash_points import CRASH_POINTS, VARIABLE
from tests.faults.neighbours import FEDERATION
from tests.faults.ordeal import Ordeal
from tests.faults.serving import LICHEN, Place, Serving, place_of

pytestmark = [pytest.mark.anyio, pytest.mark.slow]

START = ("migration.before_commit", "migration.after_commit", "columns.before_swap",
         "columns.during_build")
LOAD = ("store.before_commit", "store.after_commit", "relay.before_append", "relay.after_append",
        "relay.after_delete", "log.before_write", "log.after_write", "log.after_sync",
        "log.before_roll", "log.after_roll")
STOP = ("columns.before_checkpoint",)
MENDING = ("log.before_swap", "log.after_swap")
RETAINING = ("log.during_trim",)
LOGS = tuple(point for point in (*LOAD, *MENDING, *RETAINING)
             if point.startswith("log.") and point != "log.after_sync")
COMMANDS = ("backup.before_rename", "restore.before_rows", "restore.before_finish")

STREAM = tuple(point.name for point in CRASH_POINTS if point.name.startswith("stream."))
GRAPH = tuple(point.name for point in CRASH_POINTS if point.name.startswith("graph."))
TIMELINE = tuple(point.name for point in CRASH_POINTS if point.name.startswith("timeline."))


def test_every_crash_point_is_died_at() -> None:
    everywhere = [*START, *LOAD, *STOP, *MENDING, *RETAINING, *COMMANDS, *FEDERATION, *STREAM,
                  *GRAPH, *TIMELINE]

    assert sorted(everywhere) == sorted(point.name for point in CRASH_POINTS)


async def test_nothing_acknowledged_is_lost_at_a_crash_point(tmp_path: Path) -> None:
    with place_of("sqlite", tmp_path, bare=True) as place:
        ordeal = Ordeal(place, seed=3)

        await die_everywhere(ordeal, but=LOGS)
        await ordeal.recover()

        elsewhere = [*LOGS, *COMMANDS, *FEDERATION, *STREAM, *GRAPH, *TIMELINE]
        assert len(ordeal.deaths) == len(CRASH_POINTS) - len(elsewhere) > 10


async def die_everywhere(ordeal: Ordeal, *, but: Collection[str] = ()) -> None:
    """Die once at every crash point of the server, `but` some."""
    for point in START:
        await ordeal.killed_at(point)
    for point in (one for one in LOAD if one not in but):
        await ordeal.killed_at(point, hit=ordeal.chance.randint(1, 6))
    for point in STOP:
        await ordeal.killed_stopping(point, hit=ordeal.chance.randint(1, 2))
    for point in (one for one in MENDING if one not in but):
        ordeal.tear_tail()
        await ordeal.killed_at(point)
    for point in (one for one in RETAINING if one not in but):
        await ordeal.killed_at(point)


async def command(place: Place, *words: str, die_at: str = "") -> tuple[int, str]:
    """Run a command of the place; return its exit code and what it said."""
    environ = place.environ | ({VARIABLE: die_at} if die_at else {})
    process = await asyncio.create_subprocess_exec(
        LICHEN, *words, env=environ, stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT)
    said, _ = await process.communicate()
    assert process.returncode is not None
    return process.returncode, said.decode()


async def test_a_backup_and_a_restore_that_are_killed_leave_nothing_half_done(
    tmp_path: Path,
) -> None:
    await die_in_commands("sqlite", tmp_path, seed=4)


async def die_in_commands(engine: str, folder: Path, *, seed: int) -> None:
    """Back up and restore, killed at every crash point of both, and look at what is there then."""
    with (
        place_of(engine, folder / "a") as place,
        place_of(engine, folder / "b", bare=True) as other,
    ):
        ordeal = Ordeal(place, seed=seed)
        backup = folder / "backup"
        save = ("backup", str(backup), "--data", str(place.data))
        bring = ("restore", str(backup), "--data", str(other.data))
        async with ordeal.life() as serving:
            await serving.ready()
            wanted = ordeal.notebook.answers + 30
            await ordeal.write_until(serving, lambda: ordeal.notebook.reach(wanted))
            killed = await command(place, *save, die_at="backup.before_rename")
            is_there = backup.exists()
            whole = await command(place, *save)
            await ordeal.audit()

        assert (killed[0], is_there, whole[0]) == (-signal.SIGKILL, False, 0), whole[1]
        await _restored(ordeal, other, bring)


async def _restored(ordeal: Ordeal, other: Place, bring: tuple[str, ...]) -> None:
    """Restore, killed at both points before, and look at what is there then."""
    for point in ("restore.before_rows", "restore.before_finish"):
        code, _ = await command(other, *bring, die_at=point)
        refused = Serving(other)
        await asyncio.to_thread(refused.parent.wait, 60)
        assert (code, "did not finish" in refused.said()) == (-signal.SIGKILL, True)
        _emptied(other)
    assert (await command(other, *bring))[0] == 0

    second = Ordeal(other, seed=5)
    second.notebook = ordeal.notebook
    async with second.life() as serving:
        await serving.ready()
        await second.audit()


def _emptied(place: Place) -> None:
    """Empty the folder and the database, as the refusal says."""
    shutil.rmtree(place.data)
    if place.database_url:
        import psycopg

        with psycopg.connect(place.database_url, autocommit=True) as connection:
            connection.execute("DROP SCHEMA public CASCADE")
            connection.execute("CREATE SCHEMA public")
