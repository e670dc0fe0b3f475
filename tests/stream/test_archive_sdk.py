"""The `atproto` SDK, unmodified, reads the archive of a real store."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import msgspec
import pytest
from atproto_jetstream import AsyncJetstreamClient, JetstreamClient

from lichen.kit import isoformat
from lichen.stream import Arrival, Dictionaries, Kind, Store, portions
from lichen.stream.archive.routes import ArchiveRoutes
from lichen.stream.archive.shelf import Archive
from tests.conftest import FakeClock
from tests.stream.archive_events import DIDS, LIKE, POST, mixed
from tests.stream.served_routes import served

pytestmark = [pytest.mark.anyio, pytest.mark.slow]
COUNTS = (5_000, 40, 900, 25)  # the last block is still growing


class Served:
    """A store with its archive, what went into it, and where it is served."""

    def __init__(self, store: Store, archive: Archive, address: str) -> None:
        self.store, self.archive, self.address = store, archive, address
        self.model: dict[int, tuple[Arrival, str]] = {}

    async def fill(self, clock: FakeClock, count: int) -> None:
        clock.advance(hours=2)  # which seals the block before
        for portion in portions(mixed(count)):
            appended = await self.store.append(portion, position=1)
            block = self.store.find(appended.first_seq).block
            for seq, arrival in enumerate(portion, appended.first_seq):
                time_us = block.base_time_us + int(block.columns.time[block.row_at(seq)])
                self.model[seq] = (arrival, isoformat(time_us))

    def seqs(self, last: int) -> list[int]:
        return [seq for seq in self.model if seq <= last]


@pytest.fixture
async def house(tmp_path: Path, clock: FakeClock) -> AsyncIterator[Served]:
    store = Store.open(tmp_path / "stream", clock=clock, dictionaries=Dictionaries(tmp_path / "d"))
    archive = Archive(store, tmp_path / "archive")
    await archive.start()
    running = asyncio.create_task(archive.run())
    async with served(ArchiveRoutes({"": archive}).routes()) as address:
        house = Served(store, archive, address)
        for count in COUNTS:
            await house.fill(clock, count)
        async with asyncio.timeout(30):
            yield house
    running.cancel()
    await store.close()


SEALED = sum(COUNTS[:-1])


def client(house: Served, **params: object) -> JetstreamClient:
    return JetstreamClient(base_uri=f"{house.address}/xrpc", api_key="any", params=params or None)


def told(house: Served, seq: int) -> dict:
    """What the model says of an event, in the words that the SDK's models have."""
    arrival, time = house.model[seq]
    body = msgspec.json.decode(arrival.body)
    said = {"seq": seq, "did": arrival.did, "time": time}
    if arrival.kind is Kind.COMMIT:
        record = body.pop("record", None)
        return {**said, "cid": None, **body, "text": record and record["text"]}
    if arrival.kind is Kind.SYNC:
        body["blocks"] = b"\x00\x01\x02"
    return {**said, arrival.kind.word: body}


def heard(message: object) -> dict:
    """What the SDK's model says, with the same words."""
    said = {name: getattr(message, name) for name in ("seq", "did", "time")}
    for word in ("identity", "account", "sync"):
        if (body := getattr(message, word, None)) is not None:
            return {**said, word: body.model_dump(exclude={"py_type"}, exclude_none=True)}
    names = ("cid", "rev", "operation", "collection", "rkey")
    record = message.record
    return {**said, **{name: getattr(message, name) for name in names},
            "text": record["text"] if record is not None else None}


async def test_a_snapshot_is_exactly_what_was_sealed(house):
    messages = await asyncio.to_thread(lambda: list(client(house).snapshot()))

    assert [one.seq for one in messages] == house.seqs(SEALED)
    assert [heard(one) for one in messages] == [told(house, seq) for seq in house.seqs(SEALED)]


@pytest.mark.parametrize("params, wanted", [
    ({"kinds": ["commit"], "collections": [POST]}, lambda one: one.collection == POST),
    ({"collections": [LIKE]}, lambda one: one.collection in ("", LIKE)),
    ({"collections": ["app.bsky.feed.*"]}, lambda one: True),
    ({"dids": DIDS[3:5]}, lambda one: one.did in DIDS[3:5]),
    ({"kinds": ["sync", "account"]}, lambda one: one.kind in (Kind.SYNC, Kind.ACCOUNT)),
    ({"dids": ["did:plc:nobody"]}, lambda one: False),
])
async def test_a_snapshot_with_a_filter_is_what_the_filter_wants(house, params, wanted):
    messages = await asyncio.to_thread(lambda: list(client(house, **params).snapshot(100, 5_900)))

    assert [one.seq for one in messages] == [
        seq for seq, (arrival, _) in house.model.items() if 100 < seq <= 5_900 and wanted(arrival)]


async def test_the_asynchronous_client_reads_the_same(house):
    reader = AsyncJetstreamClient(base_uri=f"{house.address}/xrpc", api_key="any")

    messages = [one async for one in reader.snapshot()]

    assert [heard(one) for one in messages] == [told(house, seq) for seq in house.seqs(SEALED)]


async def a_moment() -> None:
    await asyncio.sleep(0.002)


async def test_an_erased_event_is_in_no_snapshot(house):
    await asyncio.to_thread(lambda: list(client(house).snapshot()))

    await house.store.erase([17, 4_500, 5_003])
    while len(house.archive.shelved) > 1:  # until it was told; the third block lost nothing
        await a_moment()
    messages = await asyncio.to_thread(lambda: list(client(house).snapshot()))

    # The erasure sealed nothing new: what was growing is above these sequences.
    assert [one.seq for one in messages] == [
        seq for seq in house.seqs(SEALED) if seq not in (17, 4_500, 5_003)]
