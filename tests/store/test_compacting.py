"""After compacting, the files hold nothing of what was deleted; others write meanwhile."""

import asyncio
import random
from pathlib import Path

import pytest

from lichen.store import Store, set_stamp, stamp_of
from lichen.store.tables import stamp

pytestmark = pytest.mark.anyio

MARKER = "quokkaphonix"


def held(folder: Path) -> int:
    return sum(path.read_bytes().count(MARKER.encode()) for path in folder.glob("lichen.sqlite*"))


@pytest.mark.slow
async def test_what_was_deleted_is_in_no_file(store: Store, tmp_path: Path) -> None:
    """secure_delete overwrites deleted rows, not the copies that moving them between pages left."""
    chance = random.Random(1)
    names = [f"{chance.randrange(1 << 40):013}" for _ in range(1_500)]
    for number, name in enumerate(names):
        value = (MARKER if number % 50 == 0 else "plain") + "x" * chance.randrange(10, 900)
        await store.write(lambda unit, name=name, value=value: set_stamp(unit, name, value))
    await store.write(
        lambda unit: unit.stage(stamp.delete().where(stamp.c.value.like(f"{MARKER}%")), {}))

    await store.compact()

    assert held(tmp_path) == 0
    assert await store.read(lambda unit: stamp_of(unit, names[1])) is not None


async def test_writers_and_readers_go_on_around_it(store: Store) -> None:
    async def write(number: int) -> None:
        await store.write(lambda unit: set_stamp(unit, f"n{number}", str(number)))

    await asyncio.gather(*(write(n) for n in range(50)), store.compact(),
                         *(write(n) for n in range(50, 100)), store.compact())

    assert await store.read(lambda unit: stamp_of(unit, "n99")) == "99"
