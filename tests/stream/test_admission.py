"""Limits by address and by key, further routes, metrics and the page."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
import pytest

from lichen.stream.serving.http import Request, Response
from tests.conftest import FakeClock
from tests.stream.raw import raw
from tests.stream.serving import events, serving, until

pytestmark = pytest.mark.anyio

V2 = "/xrpc/network.bsky.jetstream.subscribeEvents"


async def test_an_address_has_so_many_subscribers_at_once(tmp_path: Path) -> None:
    async with serving(tmp_path, subscribers_per_address_max=2) as served:
        async with raw(served, "/subscribe"), raw(served, V2), raw(served, "/subscribe") as third:
            assert third.status == 429
            assert "retry-after: 30\r\n" in third.head
            async with raw(served, V2) as fourth:
                assert fourth.status == 429
                assert '"error":"RateLimitExceeded"' in await fourth.body()
            elsewhere = {"X-Forwarded-For": "6.6.6.6, 192.0.2.7"}
            async with raw(served, "/subscribe", elsewhere) as other:
                assert other.status == 101, "a proxy of ours speaks for others"
        await until(lambda: not served.subscribers)
        async with raw(served, "/subscribe") as later:
            assert later.status == 101


async def test_an_address_connects_so_often_in_a_minute(tmp_path: Path) -> None:
    clock = FakeClock()
    async with serving(tmp_path, clock=clock, connects_per_minute_max=3) as served:
        statuses = []
        for _ in range(4):
            async with raw(served, "/subscribe") as client:
                statuses.append(client.status)
                head = client.head
        clock.advance(seconds=21)
        async with raw(served, "/subscribe") as client:
            statuses.append(client.status)

    assert statuses == [101, 101, 101, 429, 101]
    assert "retry-after: 20\r\n" in head


async def test_what_others_forward_is_not_believed(tmp_path: Path) -> None:
    async with serving(tmp_path, trusted_proxies="", subscribers_per_address_max=1) as served:
        async with raw(served, "/subscribe"):
            async with raw(served, "/subscribe", {"X-Forwarded-For": "192.0.2.7"}) as second:
                assert second.status == 429


async def test_a_key_is_counted_by_itself(tmp_path: Path) -> None:
    async with serving(tmp_path, subscribers_per_address_max=1, keys=("moss",),
                       subscribers_per_key_max=2) as served:
        bearer = {"Authorization": "bearer moss"}
        async with raw(served, "/subscribe"), raw(served, "/subscribe", bearer), \
                raw(served, "/subscribe?key=moss") as second, \
                raw(served, "/subscribe?key=moss") as third, \
                raw(served, "/subscribe?key=bark") as unknown:
            assert [one.status for one in (second, third, unknown)] == [101, 429, 401]


async def test_further_routes_answer_whole_or_in_parts(tmp_path: Path) -> None:
    seen: list[Request] = []

    async def echo(request: Request) -> Response:
        seen.append(request)
        return Response(201, (("x-said", "yes"),), request.body)

    async def parts(request: Request) -> Response:
        async def many() -> AsyncIterator[bytes]:
            for number in range(300):
                yield b"%07d" % number * 1_000

        length = 2_100_000 if request.has("sized") else None
        return Response(200, (), many(), length=length)

    async def broken(request: Request) -> Response:
        raise RuntimeError("a fault of ours")

    routes = {"POST /echo": echo, "GET /parts": parts, "GET /broken": broken}
    async with serving(tmp_path, routes=routes) as served:
        async with aiohttp.ClientSession(served.http) as client:
            for _ in range(3):
                async with client.post("/echo?a=1&b=%C3%A4+x&a=2", data=b"moss" * 50_000) as answer:
                    assert (answer.status, await answer.read()) == (201, b"moss" * 50_000)
            for query in ("", "?sized"):
                async with client.get(f"/parts{query}") as answer:
                    assert len(await answer.read()) == 2_100_000
            async with client.head("/parts?sized") as answer:
                assert answer.headers["content-length"] == "2100000"
            async with client.get("/broken") as answer:
                assert answer.status == 500
                assert "fault" not in await answer.text()
            async with client.post("/echo", data=b"x" * 1_100_000) as answer:
                assert answer.status == 413
        assert served.server.counts.connections <= 3, "connections are used again"
    assert seen[0].query == (("a", "1"), ("b", "ä x"), ("a", "2"))
    assert seen[0].all_of("a") == ["1", "2"]


async def test_requests_in_one_go_are_answered_in_order(tmp_path: Path) -> None:
    async with serving(tmp_path) as served, raw(served) as client:
        line = b"GET %b HTTP/1.1\r\nHost: x\r\n%b\r\n"
        client.writer.write(line % (b"/xrpc/_health", b"") + line % (b"/nowhere", b"")
                            + line % (b"http://x/xrpc/_health", b"Connection: close\r\n"))
        answer = await asyncio.wait_for(client.reader.read(), 5)

    assert [part[:3] for part in answer.split(b"HTTP/1.1 ")[1:]] == [b"200", b"404", b"200"]


async def test_the_dictionary_is_given_by_its_id(tmp_path: Path) -> None:
    address = "/xrpc/network.bsky.jetstream.getZstdDictionary"
    async with serving(tmp_path) as served, aiohttp.ClientSession(served.http) as client:
        found = []
        for query in ("", "?id=40001", "?id=7", "?id=x"):
            async with client.get(address + query) as answer:
                found.append((answer.status, (await answer.read())[4:8]))

    assert found[:2] == [(200, (40_001).to_bytes(4, "little"))] * 2
    assert [status for status, _ in found[2:]] == [400, 400]


async def test_sources_are_kept_apart(tmp_path: Path) -> None:
    async with serving(tmp_path, others=["atproto"]) as served:
        other = served.server.hubs["atproto"].store
        await other.append(events(3, seed=2, has_sync=False), position=0)
        await served.append(events(1, seed=1, has_sync=False))
        async with raw(served, "/subscribe?cursor=1&source=atproto") as client:
            dids = [(await client.json())["did"] for _ in range(3)]
        async with raw(served, "/subscribe?cursor=1") as client:
            own = (await client.json())["did"]

    assert dids == [one.did for one in events(3, seed=2, has_sync=False)]
    assert own == events(1, seed=1, has_sync=False)[0].did


async def test_metrics_and_page_say_who_reads_what(tmp_path: Path) -> None:
    async with serving(tmp_path) as served, aiohttp.ClientSession(served.http) as client:
        await served.append(events(20, has_sync=False))
        async with raw(served, "/subscribe?cursor=1&compress=true"), raw(served, V2) as live:
            await until(lambda: all(one.pace.value == "live" for one in served.subscribers)
                        and len(served.subscribers) == 2)
            await served.append(events(1, has_sync=False))
            await live.message()
            async with client.get("/metrics") as answer:
                metrics = (await answer.text()).splitlines()
            async with client.get("/", headers={"Accept": "application/json"}) as answer:
                overview = await answer.json()
            async with client.get("/") as answer:
                page = await answer.text()

    assert 'jetstream_subscribe_subscribers{compression="dictionary"} 1.0' in metrics
    assert "jetstream_subscribe_events_sent_total 22.0" in metrics
    assert 'jetstream_subscribe_cursor_requests_total{mode="seq"} 1.0' in metrics
    source = overview["sources"][0]
    assert (source["floor"], source["tip"], source["events"]) == (1, 21, 21)
    assert [(one["kind"], one["pace"], one["lag_max"]) for one in source["readers"]] == [
        ("v1 zstd", "live", 0), ("v2", "live", 0)]
    assert "v1 zstd" in page and "127.0.0.1" not in page + str(overview)
    async with serving(tmp_path / "other", shows_metrics=False) as served:
        async with aiohttp.ClientSession(served.http) as client, client.get("/metrics") as answer:
            assert answer.status == 404
