"""What a unit of work promises, on both engines."""

import asyncio

import pytest
import sqlalchemy as sa

from lichen.events import Event
from lichen.kit import Refused, Tid
from lichen.store import Statement, Store, Unit, any_of, metadata, upsert

pytestmark = pytest.mark.anyio

fruit = sa.Table(
    "test_fruit", metadata,
    sa.Column("id", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("ripe", sa.Boolean, nullable=False),
)
INSERT = Statement(sa.insert(fruit))
ALL = Statement(sa.select(fruit).order_by(fruit.c.id))
SOME = Statement(sa.select(fruit).where(any_of(fruit.c.id, "ids")).order_by(fruit.c.id))
NAMED = Statement(sa.select(fruit.c.id).where(any_of(fruit.c.name, "names")).order_by(fruit.c.id))
LOCKED = Statement(sa.select(fruit).where(fruit.c.id == sa.bindparam("id")).with_for_update())
PUT = upsert(fruit, keys=["id"], update=["name"])
APPLE = {"id": 1, "name": "apple", "ripe": True}
PEAR = {"id": 2, "name": "pear", "ripe": False}


def event(number: int) -> Event:
    return Event(id=Tid(f"{number:013d}"), did="d", collection="c", operation="create", rkey="k")


async def test_rows_come_back_as_they_went_in(store: Store) -> None:
    await store.write(lambda unit: unit.stage(INSERT, APPLE, PEAR))

    rows = await store.read(lambda unit: unit.fetch(ALL))

    assert [tuple(row) for row in rows] == [(1, "apple", True), (2, "pear", False)]
    assert rows[0].ripe is True


async def test_a_list_is_bound_as_one_parameter(store: Store) -> None:
    await store.write(lambda unit: unit.stage(INSERT, APPLE, PEAR))

    both = await store.read(
        lambda unit: unit.fetch_all((SOME, {"ids": [2, 7]}), (NAMED, {"names": ["apple", 'x"']}))
    )
    none = await store.read(lambda unit: unit.fetch(SOME, ids=[]))

    assert [[row.id for row in rows] for rows in both] == [[2], [1]]
    assert none == []


async def test_a_refused_command_leaves_nothing(store: Store) -> None:
    def refuse(unit: Unit) -> None:
        unit.fetch(ALL)
        unit.stage(INSERT, APPLE)
        unit.emit(event(1))
        unit.fetch(ALL)
        raise Refused("no")

    with pytest.raises(Refused):
        await store.write(refuse)

    assert await store.read(lambda unit: unit.fetch(ALL)) == []


async def test_one_refusal_does_not_undo_the_others_of_its_group(store: Store) -> None:
    def insert(number: int) -> None:
        def command(unit: Unit) -> None:
            unit.stage(INSERT, {"id": number, "name": "x", "ripe": False})
            if number % 3 == 0:
                raise Refused("no")

        return store.write(command)

    work = [insert(number) for number in range(30)]
    answers = await asyncio.gather(*work, return_exceptions=True)

    rows = await store.read(lambda unit: unit.fetch(ALL))
    assert [row.id for row in rows] == [number for number in range(30) if number % 3]
    assert sum(isinstance(answer, Refused) for answer in answers) == 10


async def test_an_upsert_changes_only_the_named_columns(store: Store) -> None:
    await store.write(lambda unit: unit.stage(PUT, APPLE))

    await store.write(lambda unit: unit.stage(PUT, {"id": 1, "name": "plum", "ripe": False}))

    (row,) = await store.read(lambda unit: unit.fetch(ALL))
    assert (row.name, row.ripe) == ("plum", True)


async def test_a_command_costs_two_round_trips(store: Store) -> None:
    counted: list[int] = []

    def command(unit: Unit) -> None:
        unit.fetch_all((LOCKED, {"id": 1}), (ALL, {}))
        unit.stage(INSERT, APPLE, PEAR)
        unit.emit(event(1), event(2))
        (rows,) = unit.finish((ALL, {}))
        assert len(rows) == 2
        counted.append(unit.round_trips)

    await store.write(command)

    assert counted == [2]


async def test_numbers_are_never_given_twice_by_commands_at_once(store: Store) -> None:
    def take(unit: Unit) -> list[int]:
        return unit.take_numbers("fruit", 7)

    taken = await asyncio.gather(*(store.write(take) for _ in range(50)))

    flat = [number for numbers in taken for number in numbers]
    assert len(flat) == len(set(flat)) == 350
    assert min(flat) == 1


async def test_numbers_of_a_refused_command_are_not_given_to_rows_twice(store: Store) -> None:
    def refuse(unit: Unit) -> None:
        unit.take_numbers("fruit", 100)
        raise Refused("no")

    def insert(unit: Unit) -> None:
        numbers = unit.take_numbers("fruit", 100)
        unit.stage(INSERT, *({"id": number, "name": "x", "ripe": False} for number in numbers))

    for _ in range(3):
        with pytest.raises(Refused):
            await store.write(refuse)
        await store.write(insert)

    assert len(await store.read(lambda unit: unit.fetch(ALL))) == 300


async def test_the_same_key_twice_is_refused_not_broken(store: Store) -> None:
    await store.write(lambda unit: unit.stage(INSERT, APPLE))

    with pytest.raises(Refused) as caught:
        await store.write(lambda unit: unit.stage(INSERT, APPLE))

    assert caught.value.status == 409
