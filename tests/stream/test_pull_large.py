"""A history of whole blocks: chunks as large as they are sent, many languages, hostile events."""

import asyncio
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from lichen.stream import (
    EVERYTHING,
    Arrival,
    ArrivalRefused,
    Filter,
    Form,
    Kind,
    Operation,
    Options,
    Store,
    Wire,
    portions,
    pull,
)
from lichen.stream.limits import APPEND_BYTES_MAX, VERIFIED_MAX
from tests.conftest import FakeClock
from tests.stream.histories import COLLECTIONS, FORMS, TwoDictionaries, other, post
from tests.stream.oracle import Model
from tests.stream.reading import read_all

pytestmark = pytest.mark.slow

EVENTS = 9_000  # more than a block
FILTERS = {
    "everything": EVERYTHING,
    "one of many actors": Filter(dids=frozenset({"did:plc:a77"})),
    "half of the actors": Filter(dids=frozenset(f"did:plc:a{one}" for one in range(50))),
    "a language of too many": Filter(langs=frozenset({"x299", "x3"})),
    "a collection": Filter(collections=frozenset({COLLECTIONS[3]})),
    "a prefix": Filter(prefixes=("app.bsky.feed.",)),
    "small": Filter(message_bytes_max=330),
    "roots": Filter(roots_only=True),
    "mentions": Filter(mentions=frozenset({"did:plc:m3"})),
    "commits of some": Filter(kinds=frozenset({Kind.COMMIT}), dids=frozenset({"did:plc:a5"})),
    "nothing": Filter(dids=frozenset({"did:plc:nobody"})),
}


def history() -> list[Arrival]:
    made = []
    for number in range(EVENTS):
        did = f"did:plc:a{number % 100}"
        if number % 50 == 7:
            made.append(other(Kind(1 + number % 3), did))
            continue
        made.append(post(
            "x" * (number * 7 % 210), did=did, collection=COLLECTIONS[number % 4],
            operation=Operation(1 + number % 3), is_root=number % 3 == 0,
            langs=[f"x{number % 301}"], mentions=[f"did:plc:m{number % 5}"] * (number % 9 == 0)))
    made[4_000] = post("y" * 150_000)
    return made


@pytest.fixture(scope="module")
def whole() -> Iterator[tuple[Store, Model]]:
    clock = FakeClock()
    with tempfile.TemporaryDirectory() as folder:
        store = Store.open(Path(folder), clock=clock, dictionaries=TwoDictionaries(),
                           options=Options(segment_bytes_max=1))
        model = Model()

        async def write() -> None:
            for part in portions(history()):
                model.append(part, position=0, now_us=clock())
                await store.append(part, position=0)

        asyncio.run(write())
        yield store, model
        asyncio.run(store.close())


@pytest.mark.parametrize("wanted", FILTERS)
@pytest.mark.parametrize("form", [FORMS[0], FORMS[1], FORMS[5]])
def test_a_long_history_is_read_as_the_model_says(
    whole: tuple[Store, Model], form: Form, wanted: str
) -> None:
    store, model = whole
    expected = [event.message(form.wire)
                for event in model.expected(0, FILTERS[wanted], form.wire)]

    assert read_all(store, 0, FILTERS[wanted], form).messages == expected


def test_a_chunk_is_filled_as_far_as_it_goes(whole: tuple[Store, Model]) -> None:
    store, _ = whole

    sizes = []
    seq = 1
    while seq < 4_000:
        pulled = pull(store, seq, EVERYTHING, Form(), bytes_max=10_000)
        sizes.append(len(pulled.data))
        seq = pulled.next_seq

    assert min(sizes[:-1]) > 10_000 - 500
    assert max(sizes) <= 10_000


def test_one_pull_opens_so_many_messages_and_no_more(
    whole: tuple[Store, Model], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A filter whose rows all had to be looked at read a whole block again for every chunk."""
    store, _ = whole
    opened: list[bytes] = []
    read = Store.find

    def counted(self: Store, seq: int) -> object:
        found = read(self, seq)
        if found is not None:
            monkeypatch.setattr(type(found.block), "plain_of", counting)
        return found

    original = type(store.find(1).block).plain_of  # type: ignore[union-attr]

    def counting(block: object, row: int) -> memoryview:
        opened.append(b"")
        return original(block, row)  # type: ignore[arg-type]

    monkeypatch.setattr(Store, "find", counted)
    pulled = pull(store, 1, FILTERS["half of the actors"], Form(), bytes_max=1 << 20)

    assert 0 < len(opened) <= VERIFIED_MAX
    assert pulled.events == len(opened)


@pytest.mark.parametrize("arrival", [
    post("x")._replace(did="did:plc:a\"b"),
    post("x")._replace(body=b'{"a":1}\n{}'),
    post("x")._replace(body=b'{"a":\r1}'),
    post("x")._replace(body=b"{}"),
    post("x")._replace(body=b'{"a":1'),
    post("x")._replace(time_us=1 << 62),
    post("x")._replace(time_us=-1),
    post("x")._replace(seq=-1),
    post("x", mentions=[f"did:plc:{number}" for number in range(200_000)]),
])
def test_what_would_break_readers_is_refused(tmp_path: Path, arrival: Arrival) -> None:
    """A time after the year 9999, a line break or too many names were stored, and stopped readers."""
    async def refused() -> None:
        store = Store.open(tmp_path, clock=FakeClock(), dictionaries=TwoDictionaries())
        with pytest.raises(ArrivalRefused):
            await store.append([arrival], position=1)
        assert (store.next_seq, store.position) == (1, 0)
        await store.close()

    asyncio.run(refused())


def test_times_that_leap_within_an_append_are_refused_and_parted(tmp_path: Path) -> None:
    """Only the last time was compared with the first: one between them overflowed its column."""
    hour_us = 3_600 * 1_000_000
    leaping = [post("x", time_us=time_us) for time_us in (hour_us, 5 * hour_us, hour_us + 1)]

    async def refused() -> None:
        store = Store.open(tmp_path, clock=FakeClock(), dictionaries=TwoDictionaries())
        with pytest.raises(ArrivalRefused):
            await store.append(leaping, position=1)
        await store.close()

    asyncio.run(refused())


def test_appends_of_long_names_fit_a_block(tmp_path: Path) -> None:
    """Heads were not counted: an append was durable, and then too large for its block."""
    did = "did:web:" + "x" * 1_990
    many = [post("", did=did) for _ in range(4_000)]

    async def append() -> None:
        store = Store.open(tmp_path, clock=FakeClock(), dictionaries=TwoDictionaries())
        with pytest.raises(ArrivalRefused):
            await store.append(many, position=1)
        for part in portions(many):
            assert sum(len(one.body) + len(one.did) for one in part) < APPEND_BYTES_MAX
            await store.append(part, position=1)
        assert len(read_all(store, 0, EVERYTHING, Form(Wire.V1)).messages) == 4_000
        await store.close()

    asyncio.run(append())
