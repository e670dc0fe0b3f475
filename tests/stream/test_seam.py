"""One sequence for everybody: replay meets live without a gap, and what arrives is what the model says."""

import asyncio
import hashlib
import random
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import urlencode

import msgspec
import pytest

from lichen.stream import Arrival, Filter, Form, Kind, Operation, Wire
from tests.sampling import PLAYS_ALL, sample
from tests.stream.raw import CLOSE, PING, Raw, raw
from tests.stream.serving import (
    COLLECTIONS,
    DICTIONARY_ID,
    Served,
    TrainedDictionaries,
    did_of,
    events,
    serving,
    until,
)

pytestmark = [
    pytest.mark.anyio,
    pytest.mark.parametrize("anyio_backend", [
        pytest.param(("asyncio", {"use_uvloop": True}), id="uvloop"),
        pytest.param(("asyncio", {"use_uvloop": False}), id="asyncio")]),
]

SEAM_EVENTS = 1_000_000 if PLAYS_ALL else 20_000
SEAM_WITHIN_S = 600 if PLAYS_ALL else 30
V2 = "/xrpc/network.bsky.jetstream.subscribeEvents"


class Reader(NamedTuple):
    """A subscriber of a story: what it asks for, and what the model makes of it."""

    path: str
    wanted: Filter
    form: Form
    from_seq: int


def wants(arrival: Arrival, wanted: Filter, wire: Wire) -> bool:
    """The model: whether an event reaches a subscriber, said without an index."""
    if arrival.kind == Kind.SYNC and wire == Wire.V1:
        return False
    if wanted.kinds and arrival.kind not in wanted.kinds:
        return False
    if wanted.dids and arrival.did not in wanted.dids:
        return False
    named = [*wanted.collections, *wanted.prefixes]
    if arrival.kind == Kind.COMMIT and named and not (
        arrival.collection in wanted.collections
        or any(arrival.collection.startswith(prefix) for prefix in wanted.prefixes)
    ):
        return False
    is_root_post = arrival.is_root and arrival.operation != Operation.DELETE
    return ((not wanted.roots_only or is_root_post)
            and (not wanted.mentions or bool(wanted.mentions & set(arrival.mentions)))
            and (not wanted.langs or bool(wanted.langs & set(arrival.langs))))


def a_reader(chance: random.Random, from_seq: int) -> Reader:
    """Return a subscriber that asks for something; each parameter on one in four."""
    wire = chance.choice([Wire.V1, Wire.V2])
    is_v1 = wire == Wire.V1

    def maybe(values: list[str]) -> list[str]:
        return chance.sample(values, chance.randint(1, 2)) if chance.random() < 0.25 else []

    collections = maybe([*COLLECTIONS, "app.bsky.*", "app.bsky.feed.*", "lichen.forum.*"])
    dids = maybe([did_of(number) for number in range(40)])
    if dids and chance.random() < 0.3:
        dids += [did_of(number) for number in range(1_000, 1_150)]  # too many for the index
    mentions, langs = maybe([did_of(number) for number in range(20)]), maybe(["en", "de", "pt"])
    kinds = [] if is_v1 or collections else maybe(["commit", "identity", "account", "sync"])
    roots, is_packed = chance.random() < 0.15, chance.random() < 0.3
    names = (("wantedCollections", "wantedDids", "wantedMentions", "wantedLangs", "rootPostsOnly")
             if is_v1 else ("collections", "dids", "mentions", "langs", "rootPosts"))
    query: list[tuple[str, Any]] = [(names[0], one) for one in collections]
    query += [(names[1], one) for one in dids] + [(names[2], one) for one in mentions]
    query += [(names[3], one) for one in langs] + [("kinds", one) for one in kinds]
    query += [(names[4], "true")] if roots else []
    query += [("cursor", from_seq)]
    query += [("compress", "true") if is_v1 else ("zstdDictionary", DICTIONARY_ID)] if is_packed else []
    wanted = Filter(
        kinds=frozenset(Kind[one.upper()] for one in kinds),
        collections=frozenset(one for one in collections if not one.endswith("*")),
        prefixes=tuple(one[:-1] for one in collections if one.endswith("*")), dids=frozenset(dids),
        roots_only=roots, mentions=frozenset(mentions), langs=frozenset(langs))
    path = "/subscribe" if is_v1 else V2
    return Reader(f"{path}?{urlencode(query)}", wanted, Form(wire, DICTIONARY_ID if is_packed else 0),
                  from_seq)


async def seqs_until_close(client: Raw, form: Form) -> list[int]:
    """Return the sequences of everything that comes, until the server says goodbye."""
    found = []
    decompress = TrainedDictionaries().decompressor(DICTIONARY_ID).decompress
    while True:
        opcode, payload = await client.frame()
        if opcode == CLOSE:
            assert payload[:2] == (1001).to_bytes(2, "big")
            return found
        if opcode == PING:
            continue
        event = msgspec.json.decode(decompress(payload) if form.dictionary else payload)
        found.append(event["cursor"] if form.wire == Wire.V1 else event["payload"]["seq"])


async def read_all(served: Served, reader: Reader, connected: Callable[[], None]) -> list[int]:
    async with raw(served, reader.path) as client:
        assert client.status == 101, (reader.path, await client.body())
        connected()
        return await seqs_until_close(client, reader.form)


@pytest.mark.slow
@pytest.mark.sampled
@pytest.mark.parametrize("seed", sample(range(60), every=20))
async def test_everybody_gets_what_the_model_says(tmp_path: Path, seed: int) -> None:
    """Readers of random filters come at random times, at random cursors, while events are added."""
    chance = random.Random(seed)
    history = events(600, seed=seed)
    readers: list[tuple[Reader, asyncio.Task[list[int]]]] = []
    count = 0

    async with asyncio.timeout(60), serving(tmp_path) as served:
        def joined() -> None:
            nonlocal count
            count += 1

        def come() -> Coroutine[Any, Any, list[int]]:
            reader = a_reader(chance, chance.randint(1, served.store.next_seq))
            readers.append((reader, None))  # type: ignore[arg-type]
            return read_all(served, reader, joined)

        at = 0
        while at < len(history):
            step = chance.choice([1, 3, 20, 120])
            await served.append(history[at:at + step])
            at += step
            for _ in range(chance.choice([0, 0, 1, 2])):
                task = asyncio.create_task(come())
                readers[-1] = (readers[-1][0], task)
            if chance.random() < 0.5:
                await asyncio.sleep(0)
        await until(lambda: count == len(readers))
        await until(lambda: all(one.seq_reached == served.store.next_seq
                                for one in served.subscribers))
    found = [await task for _, task in readers]

    assert readers
    for (reader, _), seqs in zip(readers, found, strict=True):
        assert seqs == [seq for seq, one in enumerate(history, 1)
                        if seq >= reader.from_seq and wants(one, reader.wanted, reader.form.wire)
                        ], reader.path[:300]


@pytest.mark.slow
@pytest.mark.sampled
async def test_one_that_replays_and_one_that_is_live_get_the_same_bytes(tmp_path: Path) -> None:
    """Jetstream's issues 27, 31 and 42 of its first version: lost and reordered at the cut-over."""
    chunk = events(100, has_sync=False)

    async with serving(tmp_path, ping_s=1e6) as served:  # a ping would be two bytes more
        async def append_all() -> None:
            for _ in range(SEAM_EVENTS // len(chunk)):
                await served.store.append(chunk, position=0)

        async def bytes_of(client: Raw) -> tuple[int, str]:
            """Return how many bytes came, and their digest: a million events are 580 MB."""
            size, digest = 0, hashlib.sha256()
            while served.store.next_seq <= SEAM_EVENTS or size < served.store.sizes().plain_bytes:
                part = await asyncio.wait_for(client.reader.read(1 << 20), 30)
                assert part, "the server went on to the end"
                size += len(part)
                digest.update(part)
            return size, digest.hexdigest()

        async with raw(served, "/subscribe") as live:
            appending = asyncio.create_task(append_all())
            reading = asyncio.create_task(bytes_of(live))
            await until(lambda: served.store.next_seq > SEAM_EVENTS // 3, within_s=SEAM_WITHIN_S)
            async with raw(served, "/subscribe?cursor=0") as replaying:
                replayed = await bytes_of(replaying)
            await appending
            lived = await reading
        reads = served.server.counts.hot_reads, served.server.counts.cold_reads

    assert min(reads) > 0, "both ways were walked"
    assert lived[0] > SEAM_EVENTS * 100
    assert replayed == lived


async def test_a_filter_is_replaced_at_the_cursor(tmp_path: Path) -> None:
    """Nothing is lost or doubled by an update, whether it comes live or in the middle of a replay."""
    history = events(3_000, has_sync=False)

    async with serving(tmp_path) as served:
        await served.append(history)
        async with raw(served, "/subscribe?cursor=0") as client:
            seqs = [(await client.json())["cursor"] for _ in range(20)]
            # Other filters, which want everything too.
            for update in ({"maxMessageSizeBytes": 1 << 30}, {"wantedCollections": ["app.*", "lichen.*"]}):
                before = served.server.counts.options_updates
                client.send(1, msgspec.json.encode({"type": "options_update", "payload": update}))
                await until(lambda before=before: served.server.counts.options_updates > before)
            while seqs[-1] < len(history):
                seqs.append((await client.json())["cursor"])
            assert seqs == list(range(1, len(history) + 1))

            update = {"wantedDids": [did_of(3)]}
            client.send(1, msgspec.json.encode({"type": "options_update", "payload": update}))
            await until(lambda: served.server.counts.options_updates == 3)
            await served.append(history)
            expected = [seq for seq, one in enumerate(history * 2, 1)
                        if seq > len(history) and one.did == did_of(3)]

            assert [(await client.json())["cursor"] for _ in expected] == expected


@pytest.mark.parametrize("wire", ["/subscribe", V2])
async def test_an_erased_event_leaves_cursors_before_on_and_after_it_working(
    tmp_path: Path, wire: str
) -> None:
    async with serving(tmp_path) as served:
        await served.append(events(9, has_sync=False))
        await served.store.erase([1, 5, 9])
        found = {}
        for cursor in (1, 4, 5, 6):
            async with raw(served, f"{wire}?cursor={cursor}") as client:
                event = await client.json()
                found[cursor] = event.get("cursor") or event["payload"]["seq"]
        async with raw(served, f"{wire}?cursor=9") as client:
            await until(lambda: any(one.seq_reached == 10 for one in served.subscribers))
            await served.append(events(1, has_sync=False))
            event = await client.json()
            found[9] = event.get("cursor") or event["payload"]["seq"]

    assert found == {1: 2, 4: 4, 5: 6, 6: 6, 9: 10}
