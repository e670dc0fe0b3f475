"""Restored from a backup: what was accepted is applied, and a peer that was behind gets it all."""

from pathlib import Path

import pytest

from tests.faults.neighbours import Neighbours, Side
from tests.faults.serving import Place, place_of
from tests.faults.test_crash_points import command

pytestmark = [pytest.mark.anyio, pytest.mark.slow]


async def test_a_restored_server_goes_on_with_what_it_had_accepted(tmp_path: Path) -> None:
    await go_on(tmp_path, twice=False)


async def go_on(folder: Path, *, twice: bool) -> None:
    """Restore a server that had accepted more than it had applied; `twice`, with a peer behind."""
    with place_of("sqlite", folder / "a") as a, place_of("sqlite", folder / "b") as b:
        neighbours = Neighbours(a, b, seed=7)
        async with neighbours.living():
            await neighbours.write_once()
            await neighbours.agree()
            # Accepted and not applied: A dies with it in its inbox alone.
            await neighbours.a.end()
            neighbours.a.begin(LICHEN_CRASH_AT="ingest.decided")
            worker = await neighbours.a.serving.ready_or_dead()
            assert worker is not None
            answer = await neighbours.answer_as("bob")
            await neighbours.a.serving.worker_ended(worker)
            await neighbours.a.end()
            await neighbours.b.end()
            await _moved(neighbours.a, folder / "first")

            await neighbours.a.start()
            await neighbours.shows(neighbours.a, answer)

            if twice:  # B is away and misses this; A's backup is made meanwhile
                await neighbours.write_as_ada()
                await _moved(neighbours.a, folder / "second")
                await neighbours.a.start()
            await neighbours.b.start()
            await neighbours.agree()


async def _moved(side: Side, folder: Path) -> None:
    """Back a server up, running or not, and go on in another folder with what was restored."""
    backup, old = folder.with_name(f"{folder.name}.backup"), side.place
    said = await command(old, "backup", str(backup), "--data", str(old.data))
    assert said[0] == 0, said
    await side.end()
    side.place = Place(folder, port=old.port)
    side.place.folder.mkdir()  # noqa: ASYNC240
    said = await command(side.place, "restore", str(backup), "--data", str(side.place.data))
    assert said[0] == 0, said
