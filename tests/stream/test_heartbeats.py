"""Heartbeats for who asks (Jetstream's issue 18 of its first version), and cursors in them."""

from pathlib import Path
from typing import Any

import pytest

from tests.conftest import FakeClock
from tests.stream.raw import raw
from tests.stream.serving import TrainedDictionaries, did_of, events, serving, until

pytestmark = pytest.mark.anyio

V2 = "/xrpc/network.bsky.jetstream.subscribeEvents"


@pytest.mark.parametrize(("path", "wanted"), [("/subscribe", "wantedDids"), (V2, "dids")])
async def test_a_quiet_subscriber_is_told_how_far_the_stream_is(
    tmp_path: Path, path: str, wanted: str
) -> None:
    clock = FakeClock()
    query = f"{path}?heartbeat=5&{wanted}={did_of(77)}"
    async with serving(tmp_path, clock=clock) as served, raw(served, query) as client:
        await served.append(events(10, has_sync=False))
        await until(lambda: served.subscribers[0].seq_reached == 11)
        clock.advance(seconds=5)
        first: dict[str, Any] = await client.json()
        clock.advance(seconds=6)
        second = await client.json()
        newest_us = served.store.sizes().newest_us

    assert first == second
    if path == V2:
        assert first["payload"]["$type"].endswith("#cursor")
        assert first["payload"]["seq"] == 10
    else:
        assert first == {"kind": "cursor", "cursor": 10, "time_us": newest_us}


async def test_nobody_gets_a_heartbeat_unasked(tmp_path: Path) -> None:
    clock = FakeClock()
    async with serving(tmp_path, clock=clock, ping_s=1e6) as served, raw(served, "/subscribe") as client:
        await until(lambda: served.subscribers[0].pace.value == "live")
        clock.advance(hours=5)
        beats: list[int] = []
        hub = served.server.hubs[""]
        served.subscribers[0].beat = beats.append
        await until(lambda: len(beats) > 1)
        del hub
        await served.append(events(1, has_sync=False))

        assert (await client.json())["cursor"] == 1


async def test_heartbeats_are_compressed_where_events_are(tmp_path: Path) -> None:
    clock = FakeClock()
    query = "/subscribe?heartbeat=5&compress=true"
    async with serving(tmp_path, clock=clock) as served, raw(served, query) as client:
        await until(lambda: served.subscribers[0].pace.value == "live")
        clock.advance(seconds=6)
        message = await client.message()

    decompressor = TrainedDictionaries().decompressor(40_001)
    assert decompressor.decompress(message).startswith(b'{"kind":"cursor","cursor":0,')
