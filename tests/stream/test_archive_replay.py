"""The `atproto` SDK's replay: from the archive over to the live stream, on the stream's server."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from atproto_jetstream import AsyncJetstreamClient, JetstreamClient

from lichen.stream import Kind, Store, portions
from lichen.stream.archive.routes import ArchiveRoutes
from lichen.stream.archive.shelf import Archive
from lichen.stream.serving.server import StreamServer
from lichen.stream.serving.settings import ServerSettings
from tests.conftest import FakeClock
from tests.stream.archive_events import POST, mixed
from tests.stream.serving import TrainedDictionaries

pytestmark = [pytest.mark.anyio, pytest.mark.slow]
SEALED = 5_040
BOUND_S = 20


class Live:
    """A store whose events come while it is read, and its server."""

    def __init__(self, store: Store, server: StreamServer, clock: FakeClock) -> None:
        self.store, self.server, self.clock = store, server, clock
        self.arrivals = []

    @property
    def base_uri(self) -> str:
        return f"ws://127.0.0.1:{self.server.port}/xrpc"

    async def append(self, count: int) -> None:
        # No #sync: on the live wire the SDK 0.0.73 ends with a ModelError over its {"$bytes": …}.
        arrivals = [one for one in mixed(2 * count) if one.kind is not Kind.SYNC][:count]
        self.arrivals += arrivals
        for portion in portions(arrivals):
            await self.store.append(portion, position=1)


@pytest.fixture
async def live(tmp_path: Path, clock: FakeClock) -> AsyncIterator[Live]:
    store = Store.open(tmp_path / "stream", clock=clock, dictionaries=TrainedDictionaries())
    archive = Archive(store, tmp_path / "archive")
    await archive.start()
    server = StreamServer({"": store}, settings=ServerSettings(port=0), clock=clock,
                          routes=ArchiveRoutes({"": archive}).routes())
    await server.start()
    async with asyncio.timeout(BOUND_S):
        yield Live(store, server, clock)
    await server.close()
    await store.close()


@pytest.mark.parametrize("compress", [False, True])
async def test_a_replay_gives_every_event_once_while_others_come(live, compress):
    await live.append(5_000)
    live.clock.advance(hours=2)
    await live.append(40)
    live.clock.advance(hours=2)
    await live.append(300)
    client = AsyncJetstreamClient(base_uri=live.base_uri, api_key="any", compress=compress)

    seqs, bodies = [], []
    async for message in client.replay():
        seqs.append(message.seq)
        bodies.append(getattr(message, "rkey", None))
        if len(seqs) in (100, 5_000, 5_200):
            live.clock.advance(minutes=40)  # blocks are sealed while it reads
            await live.append(100)
        if message.seq == 5_640:
            break

    assert seqs == list(range(1, 5_641))
    assert len(live.store.blocks()) > 3
    assert client.compressed is compress


async def test_a_replay_with_a_filter_has_no_seam(live):
    await live.append(400)
    live.clock.advance(hours=2)
    await live.append(400)

    wanted = [seq for seq, one in enumerate(live.arrivals, 1) if one.collection == POST]
    last = wanted[-1]

    def replayed() -> list[int]:
        client = JetstreamClient({"collections": [POST], "kinds": ["commit"]},
                                 base_uri=live.base_uri, api_key="any", compress=False)
        seqs = []
        for message in client.replay():
            seqs.append(message.seq)
            if message.seq == last:
                return seqs

    assert len(live.store.blocks()) == 2
    assert await asyncio.to_thread(replayed) == wanted


async def test_a_replay_of_a_house_where_nothing_is_sealed_starts_live(live):
    await live.append(30)
    client = AsyncJetstreamClient(base_uri=live.base_uri, api_key="any", compress=False)

    seqs = []
    async for message in client.replay():
        seqs.append(message.seq)
        if message.seq == 30:
            break

    assert seqs == list(range(1, 31))


async def test_segments_are_served_in_parts_by_the_streams_own_server(live):
    import httpx

    await live.append(500)
    live.clock.advance(hours=2)
    await live.append(1)
    url = f"http{live.base_uri[2:]}/network.bsky.jetstream.getSegment?name=seg_0000000001.jss"
    async with httpx.AsyncClient() as client:
        whole = await client.get(url)
        head = await client.head(url)
        part = await client.get(url, headers={"Range": "bytes=5-9", "If-Range": whole.headers["etag"]})
        beyond = await client.get(url, headers={"Range": "bytes=9999999-"})
        same = await client.get(url, headers={"If-None-Match": whole.headers["etag"]})
        missing = await client.get(url.replace("0001.jss", "0002.jss"))

    assert head.headers["content-length"] == str(len(whole.content))
    assert (part.status_code, part.content) == (206, whole.content[5:10])
    assert (beyond.status_code, same.status_code, same.content) == (416, 304, b"")
    assert (missing.status_code, missing.json()["error"]) == (404, "SegmentNotFound")
