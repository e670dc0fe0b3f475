"""Server-Sent Events: the same streams for browsers and curl, resumed by the last id."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
import msgspec
import pytest

from tests.conftest import FakeClock
from tests.stream.serving import did_of, events, serving, until

pytestmark = pytest.mark.anyio

ACCEPT = {"Accept": "text/event-stream"}
V2 = "/xrpc/network.bsky.jetstream.subscribeEvents"


async def fields(answer: aiohttp.ClientResponse) -> AsyncIterator[tuple[str, str]]:
    """Yield the id and the data of what arrives, an empty text where one is missing."""
    while True:
        block = await asyncio.wait_for(answer.content.readuntil(b"\n\n"), 5)
        parts = dict(line.split(": ", 1) for line in block.decode().splitlines()
                     if line and not line.startswith(":"))
        yield parts.get("id", ""), parts.get("data", "")


@pytest.mark.parametrize("path", ["/subscribe", V2])
async def test_events_come_in_lines_with_their_sequence(tmp_path: Path, path: str) -> None:
    history = events(30, has_sync=False)
    async with serving(tmp_path) as served, aiohttp.ClientSession(served.http) as client:
        await served.append(history[:20])
        async with client.get(path, params={"cursor": "1"}, headers=ACCEPT) as answer:
            assert answer.status == 200
            assert answer.headers["content-type"] == "text/event-stream"
            assert answer.headers["access-control-allow-origin"] == "*"
            arriving = fields(answer)
            found = [await anext(arriving) for _ in range(20)]
            await served.append(history[20:])
            found += [await anext(arriving) for _ in range(10)]
        await until(lambda: not served.subscribers)

    assert [id for id, _ in found] == [str(number) for number in range(1, 31)]
    for (id, said), event in zip(found, history, strict=True):
        payload = msgspec.json.decode(said)
        payload = payload.get("payload", payload)
        assert (payload["did"], payload.get("cursor", payload.get("seq"))) == (event.did, int(id))


async def test_whoever_comes_back_goes_on_behind_the_last_id(tmp_path: Path) -> None:
    async with serving(tmp_path) as served, aiohttp.ClientSession(served.http) as client:
        await served.append(events(10, has_sync=False))
        headers = ACCEPT | {"Last-Event-ID": "7"}
        async with client.get("/subscribe", params={"cursor": "1"}, headers=headers) as answer:
            assert (await anext(fields(answer)))[0] == "8"
        for last in ("x", "-1", "9" * 30):
            async with client.get("/subscribe", headers=ACCEPT | {"Last-Event-ID": last}) as answer:
                assert answer.status == 400
        async with client.get("/subscribe?compress=true", headers=ACCEPT) as answer:
            assert answer.status == 400
        async with client.get("/subscribe?wantedDids=x", headers=ACCEPT) as answer:
            assert answer.status == 400


async def test_a_quiet_stream_moves_the_id_along(tmp_path: Path) -> None:
    """A comment each 15 seconds, or as asked, keeps proxies patient; its id saves a long replay."""
    clock = FakeClock()
    async with serving(tmp_path, clock=clock) as served, aiohttp.ClientSession(served.http) as client:
        asked = {"wantedDids": did_of(10_000), "wantedCollections": "app.bsky.feed.none"}
        async with client.get("/subscribe", params=asked, headers=ACCEPT) as answer:
            await served.append(events(10, has_sync=False))
            await until(lambda: served.subscribers[0].seq_reached == 11)
            clock.advance(seconds=16)

            assert await anext(fields(answer)) == ("10", "")
