"""A plugin calls nobody unless it says that it does and an administrator lets it."""

import asyncio
import dataclasses
import subprocess
import sys
from collections.abc import AsyncIterator

import msgspec
import pytest

from lichen.kit import Forbidden, Refused
from lichen.kit.config import Plugins as Settings
from lichen.plugins import Writing, walls
from lichen.plugins.installed import Installed, installed
from lichen.plugins.room import build
from lichen.plugins.walls import Wall
from tests.house.sources import ROOT
from tests.plugins.conftest import ADMIN, MIRA
from tests.plugins.planting import plant

pytestmark = pytest.mark.anyio


@pytest.fixture
def engine() -> str:
    return "sqlite"


@pytest.fixture
async def listening() -> AsyncIterator[int]:
    """Yield a port where somebody answers."""
    server = await asyncio.start_server(lambda _, writer: writer.close(), "127.0.0.1", 0)
    async with server:
        yield server.sockets[0].getsockname()[1]


@pytest.fixture
def plant_calling(ground, store):
    """Return what builds the room with the plugin that calls, started."""

    async def planted(*, asks: bool, network: str = ""):
        config = msgspec.structs.replace(
            ground.config, plugins=Settings(on="calling", network=network))
        room = await build(
            dataclasses.replace(ground, config=config), store, site_did="did:web:lichen.example",
            log_first_seq=1, log_last_seq=0, found={
                "calling": Installed("calling", "1.0", "tests.plugins.wild.calling", asks)},
        )
        await room.plugins.start()
        return room.plugins

    return planted


async def call(plugins, port: int, how: str) -> list[str]:
    """Let the plugin call, and return what it says that it did."""
    writing = Writing(kind="post", title=str(port), body=how)
    ruling = await plugins.hooks.before_create(MIRA, writing)
    return [one.rule for one in ruling.holds]


@pytest.mark.slow
async def test_a_plugin_that_calls_somebody_fails_and_is_reported(plant_calling, listening) -> None:
    """By Python, by a program that it starts, and by the C library past Python."""
    plugins = await plant_calling(asks=False)

    said = [await call(plugins, listening, how) for how in ("python", "child", "c")]

    (standing,) = plugins.standings()
    await plugins.close()
    assert [[], [], []] == said
    assert 3 == standing.failures
    assert "PermissionError" == standing.last_failure
    assert standing.wall == walls.wall_here().value


@pytest.mark.slow
async def test_a_plugin_calls_once_it_asks_and_an_administrator_lets_it(
    plant_calling, listening
) -> None:
    plugins = await plant_calling(asks=True)
    before = await call(plugins, listening, "python")

    with pytest.raises(Forbidden):
        await plugins.switch(MIRA, "calling", network=True)
    allowed = await plugins.switch(ADMIN, "calling", network=True)
    during = await call(plugins, listening, "python")
    kept = await plugins.switch(ADMIN, "calling", network=False)
    after = await call(plugins, listening, "python")

    await plugins.close()
    assert ([], ["called python"], []) == (before, during, after)
    assert (True, True, Wall.NONE.value) == (allowed.on, allowed.may_network, allowed.wall)
    assert (True, False) == (kept.on, kept.may_network)


@pytest.mark.slow
async def test_the_setting_lets_only_plugins_call_that_ask(plant_calling, listening) -> None:
    asking = await plant_calling(asks=True, network="calling")
    silent = await plant_calling(asks=False, network="calling")

    said = [await call(plugins, listening, "python") for plugins in (asking, silent)]

    with pytest.raises(Refused, match="plugin_asks_no_network"):
        await silent.switch(ADMIN, "calling", network=True)
    for plugins in (asking, silent):
        await plugins.close()
    assert [["called python"], []] == said


def test_a_package_asks_for_the_network_for_its_own_plugin_alone(tmp_path, monkeypatch) -> None:
    plant(tmp_path, "weather", "weather", asks_network=True)
    plant(tmp_path, "moss", "moss")
    with (tmp_path / "weather-1.0.dist-info" / "entry_points.txt").open("a") as file:
        file.write("moss = moss\n")  # in the group of those that use the network
    monkeypatch.syspath_prepend(tmp_path)

    found = installed()

    assert (True, False) == (found["weather"].asks_network, found["moss"].asks_network)


@pytest.mark.parametrize(("closed", "wall"), [
    ("_filter", "NAMESPACE"), ("_enter_namespace", "FILTER"),
    ("_filter = walls._enter_namespace", "PYTHON"),
])
def test_each_wall_alone_stops_a_call_of_python(closed: str, wall: str) -> None:
    """Machines differ in what they allow; what is left is said, and holds."""
    code = f"""if 1:
        from lichen.plugins import walls
        import socket
        walls.{closed} = lambda _: False
        print(walls.raise_wall().name)
        try:
            socket.create_connection(("127.0.0.1", 9), 1)
        except ConnectionRefusedError:
            print("reached")
        except OSError:
            print("stopped")
    """
    told = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT,
                          timeout=60)

    assert [wall, "stopped"] == told.stdout.split(), told.stderr
