"""Moving between releases leaves a way back, and never happens under a serving house."""

import asyncio
from pathlib import Path

import pytest

from lichen.kit import Refused, Tid, system_clock
from lichen.kit.config import Config
from lichen.log import LogLocked
from lichen.restore import restore
from lichen.store.migrating import EMPTY, HEAD, migrate, version_of, versions
from lichen.upgrade import downgrade, move_tables, standing_alone, upgrade, version_before
from tests.wiring.places import core, place

pytestmark = [pytest.mark.anyio, pytest.mark.slow]


def version(config: Config) -> str:
    return version_of(config.database.url.reveal(), folder=config.server.data)


async def test_a_house_of_this_release_needs_nothing(engine: str, tmp_path: Path) -> None:
    with place(engine, tmp_path / "house") as config:
        async with core(config):
            pass

        move = await asyncio.to_thread(upgrade, config, clock=system_clock)

    assert move == (HEAD, HEAD, None)


async def test_an_empty_database_is_brought_to_this_release(engine: str, tmp_path: Path) -> None:
    with place(engine, tmp_path / "house") as config:
        async with core(config):
            pass
        migrate(config.database.url.reveal(), folder=config.server.data, to=EMPTY)

        move = await asyncio.to_thread(upgrade, config, clock=system_clock)

        assert move == (EMPTY, HEAD, None)
        assert version(config) == HEAD


@pytest.mark.parametrize("act", [upgrade, downgrade])
async def test_nothing_is_moved_under_a_serving_house(engine: str, tmp_path: Path, act) -> None:  # type: ignore[no-untyped-def]
    with place(engine, tmp_path / "house") as config:
        async with core(config):
            with pytest.raises(LogLocked):
                await asyncio.to_thread(act, config, clock=system_clock)


async def test_an_empty_folder_holds_no_house_to_move(tmp_path: Path) -> None:
    with place("sqlite", tmp_path / "house") as config, pytest.raises(Refused, match="no house"):
        await asyncio.to_thread(upgrade, config, clock=system_clock)


async def test_the_first_release_has_no_release_before_it(engine: str, tmp_path: Path) -> None:
    """Going back from it would drop every table."""
    with place(engine, tmp_path / "house") as config:
        async with core(config) as serving:
            await serving.note("one")
        if versions()[0] != HEAD:
            migrate(config.database.url.reveal(), folder=config.server.data, to=versions()[0])

        with pytest.raises(Refused, match="no release before"):
            await asyncio.to_thread(downgrade, config, clock=system_clock)
        assert version(config) == versions()[0]


async def test_a_move_leaves_a_point_that_is_the_way_back(engine: str, tmp_path: Path) -> None:
    """Before the first release there is nothing to go back to: all is gone but the point."""
    with (
        place(engine, tmp_path / "house") as config,
        place(engine, tmp_path / "elsewhere") as elsewhere,
    ):
        async with core(config) as serving:
            await serving.note("one")

        with standing_alone(config):
            move = move_tables(config, HEAD, EMPTY, clock=system_clock)

        assert version(config) == EMPTY
        assert move.point is not None
        await asyncio.to_thread(
            restore, elsewhere, move.point, clock=system_clock, epoch=Tid("3222222222222"))
        async with core(elsewhere) as restored:
            assert await restored.noted("one") is not None
            assert [event.rkey for event in restored.events()] == ["one"]


def test_the_version_before_is_the_next_older_known_one() -> None:
    assert version_before("0003", ["0001", "0002", "0003"]) == "0002"
    with pytest.raises(Refused, match="unknown"):
        version_before("0009", ["0001"])
