"""The room on a store, with plugins out of `wild/`, and the forum that asks them."""

import random
from collections.abc import AsyncIterator, Awaitable, Callable

import pytest
import structlog

from lichen.kit.config import Config, Identity
from lichen.kit.config import Plugins as Settings
from lichen.kit.ground import Ground, ground_of
from lichen.plugins import Person, Writing
from lichen.plugins.installed import Installed
from lichen.plugins.room import Room, build
from lichen.store import Store

MIRA = Person(id=7, name="mira", did="did:web:lichen.example:u:mira")
ADMIN = Person(id=1, name="ada", did="did:web:lichen.example:u:ada", admin=True)

Planting = Callable[..., Awaitable[Room]]


def found(**values: str) -> dict[str, Installed]:
    """Return plugins as they would be found, by name and by what stands in `wild/`."""
    return {name: Installed(name, "1.0", f"tests.plugins.wild.{value}")
            for name, value in values.items()}


def text(body: str, **fields: object) -> Writing:
    return Writing(kind="comment", post_id=3, body=body, **fields)


@pytest.fixture(autouse=True)
def patience(monkeypatch) -> Callable[[int], None]:
    """Give plugins time, on however busy a machine; `patience(ms)` gives them less."""

    def give(ms: int) -> None:
        monkeypatch.setattr("lichen.plugins.judges.BEFORE_MS_MAX", ms)

    give(20_000)
    return give


@pytest.fixture
def ground(clock) -> Ground:
    config = Config(identity=Identity(public_url="https://lichen.example"))
    return ground_of(config, clock=clock, randomness=random.Random(7))


@pytest.fixture
async def planted(ground: Ground, store: Store) -> AsyncIterator[Planting]:
    """Return what starts plugins: `await planted(judging="judging")`; all that are named are on."""
    rooms: list[Room] = []

    async def plant(on: str | None = None, **values: str) -> Room:
        import dataclasses

        import msgspec

        names = ",".join(values) if on is None else on
        config = msgspec.structs.replace(ground.config, plugins=Settings(on=names))
        room = await build(
            dataclasses.replace(ground, config=config), store, site_did="did:web:lichen.example",
            log_first_seq=1, log_last_seq=0, found=found(**values),
        )
        rooms.append(room)
        await room.plugins.start()
        return room

    yield plant
    for room in rooms:
        await room.plugins.close()


@pytest.fixture(autouse=True)
def heard():
    """Let every level be heard: a house that another test started may have set its own."""
    structlog.reset_defaults()
