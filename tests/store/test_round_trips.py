"""What a unit counts is what passes the socket: the proxy and the unit agree."""

from pathlib import Path
from urllib.parse import urlsplit

import pytest

from lichen.drill.distance import distant
from lichen.kit import Refused, monotone
from lichen.store import Unit, open_store
from tests.conftest import FakeClock
from tests.store.test_unit import ALL, APPLE, INSERT, LOCKED, PEAR, event

pytestmark = [pytest.mark.anyio, pytest.mark.postgresql]


@pytest.mark.parametrize("engine", ["postgresql"], indirect=True)
async def test_the_counter_agrees_with_the_socket(
    engine: str, database_url: str, tmp_path: Path, clock: FakeClock
) -> None:
    parts = urlsplit(database_url)
    async with distant("127.0.0.1", parts.port or 5432) as distance:
        url = f"postgresql://postgres@127.0.0.1:{distance.port}{parts.path}"
        store = open_store(url, folder=tmp_path, clock=monotone(clock))

        def command(unit: Unit) -> None:
            unit.fetch_all((LOCKED, {"id": 1}), (ALL, {}))
            unit.stage(INSERT, APPLE, PEAR)
            unit.emit(event(1), event(2))

        def refuse(unit: Unit) -> None:
            unit.fetch(ALL)
            raise Refused("no")

        await store.read(lambda unit: unit.fetch(ALL))
        await store.write(lambda unit: unit.fetch(ALL))
        seen = []
        for work in (command, refuse):
            before, counted = distance.round_trips, store.round_trips
            try:
                await store.write(work)
            except Refused:
                counted -= 2  # a refused unit is not counted: its fetch and its ROLLBACK
            seen.append((distance.round_trips - before, store.round_trips - counted))
        before, counted = distance.round_trips, store.round_trips
        await store.read(lambda unit: unit.fetch_all((ALL, {}), (ALL, {}), (ALL, {})))
        seen.append((distance.round_trips - before, store.round_trips - counted))
        await store.close()

    assert seen == [(2, 2), (2, 2), (1, 1)]
