"""What both wires accept and refuse, before the upgrade and after it: every status and close code."""

from pathlib import Path
from typing import Any

import aiohttp
import msgspec
import pytest

from lichen.stream import Options
from tests.conftest import FakeClock
from tests.stream.raw import BINARY, TEXT, raw
from tests.stream.serving import Served, did_of, events, serving, until

pytestmark = pytest.mark.anyio

V2 = "/xrpc/network.bsky.jetstream.subscribeEvents"
DEFLATE = {"Sec-WebSocket-Extensions": "permessage-deflate; client_max_window_bits"}
MANY_DIDS = "&".join(f"wantedDids={did_of(number)}" for number in range(10_001))
MANY_COLLECTIONS = "&".join(f"wantedCollections=app.bsky.c{number}" for number in range(101))

REFUSED_BY_V1 = [
    ("wantedCollections=app.bsky.fo*", "app.bsky.fo*"),
    ("wantedCollections=app", "'app'"),
    ("wantedCollections=", "''"),
    (MANY_COLLECTIONS, "at most 100"),
    ("&".join(["wantedCollections=app.bsky.x"] * 10_001), "10000"),
    ("wantedDids=plc:abc", "plc:abc"),
    ("wantedDids=did:PLC:abc", "did:PLC:abc"),
    ("wantedDids=did:plc:abc:", "did:plc:abc:"),
    (MANY_DIDS, "at most 10000"),
    ("cursor=abc", "'abc'"),
    ("cursor=-1", "not negative"),
    ("cursor=1.5", "'1.5'"),
    ("cursor=99999999999999999999", "99999"),
    ("cursor=%D9%A1", "cursor"),
    ("wantedMentions=alice", "wantedMentions"),
    ("wantedLangs=english!", "wantedLangs"),
    ("rootPostsOnly=yes", "rootPostsOnly"),
    ("heartbeat=0.5", "heartbeat"),
    ("heartbeat=3601", "3600"),
    ("source=elsewhere", "source"),
]
REFUSED_BY_V2 = [
    ("kinds=likes", "InvalidRequest", "unknown kind 'likes'"),
    ("kinds=commit&kinds=commit&kinds=commit&kinds=commit&kinds=commit", "InvalidRequest", "4"),
    ("kinds=identity&collections=app.bsky.feed.like", "InvalidRequest", "can never apply"),
    ("collections=not_an_nsid.*", "InvalidRequest", "not_an_nsid.*"),
    ("collections=app.bsky.fo*", "InvalidRequest", "app.bsky.fo*"),
    ("&".join(["collections=app.bsky.feed.like"] * 101), "InvalidRequest", "at most 100"),
    ("&".join(["dids=did:plc:abc"] * 10_001), "InvalidRequest", "10000"),
    ("dids=abc", "InvalidRequest", "'abc'"),
    ("wantedDids=did:plc:x", "InvalidRequest", "use dids"),
    ("wantedCollections=app.bsky.feed.like", "InvalidRequest", "use collections"),
    ("requireHello=true", "InvalidRequest", "server-push only"),
    ("compress=true", "InvalidRequest", "zstdDictionary"),
    ("rootPostsOnly=true", "InvalidRequest", "rootPosts"),
    ("zstdDictionary=banana", "InvalidRequest", "positive integer"),
    ("zstdDictionary=0", "InvalidRequest", "positive integer"),
    ("zstdDictionary=", "InvalidRequest", "positive integer"),
    ("zstdDictionary=12345", "UnknownZstdDictionary", "current dictionary id is 40001"),
    ("cursor=x", "InvalidRequest", "cursor"),
    ("mentions=bob", "InvalidRequest", "mentions"),
    ("langs=123", "InvalidRequest", "langs"),
    ("rootPosts=1", "InvalidRequest", "rootPosts"),
    ("heartbeat=-5", "InvalidRequest", "heartbeat"),
    ("source=elsewhere", "InvalidRequest", "source"),
]
ACCEPTED = [
    "/subscribe",
    "/subscribe?wantedCollections=app.bsky.*&wantedCollections=x.*",  # a prefix is not checked
    "/subscribe?" + "&".join(["wantedCollections=app.bsky.feed.like"] * 500),  # after dedupe, one
    "/subscribe?" + "&".join([f"wantedDids={did_of(1)}"] * 12_000),
    "/subscribe?maxMessageSizeBytes=banana",
    "/subscribe?maxMessageSizeBytes=-5",
    "/subscribe?maxMessageSizeBytes=99999999999999999999999",
    "/subscribe?requireHello=TRUE&unknown=parameter",
    "/subscribe?cursor=",
    "/subscribe?cursor=0",
    "/subscribe?cursor=999999999",
    "/subscribe?cursor=9223372036854775807",
    "/subscribe?cursor=1000000000000000",
    "/subscribe?wantedDids=did:web:stone.example%253A8536:u:moss&heartbeat=0",
    V2,
    f"{V2}?kinds=commit&kinds=sync&collections=app.bsky.*&dids=did:plc:abc&cursor=1",
    f"{V2}?kinds=&kinds=commit".replace("kinds=&", ""),
    f"{V2}?cursor=999999999&unknown=parameter",
]


@pytest.fixture
async def served(tmp_path: Path) -> Any:
    async with serving(tmp_path) as served:
        await served.append(events(50))
        yield served


async def ask(served: Served, path: str, headers: dict[str, str] | None = None) -> tuple[int, str]:
    """Ask for an upgrade, and return status and whole answer."""
    async with raw(served, path, headers) as client:
        return client.status, client.head + await client.body()


async def test_the_second_wire_refuses_a_cursor_that_has_missed_something(tmp_path: Path) -> None:
    """Who has the last event before the floor, as a replay of the archive leaves it, has all."""
    async with serving(tmp_path, options=Options(segment_bytes_max=1, block_age_us_max=0)) as served:
        await served.store.skip_to(99)
        for number in range(3):
            await served.append(events(5, seed=number))
        floor = await served.store.retain(age_us_max=10**15, bytes_max=1, now_us=0)

        status, answer = await ask(served, f"{V2}?cursor={floor - 2}")
        assert floor > 99 and status == 400 and "CursorTooOld" in answer
        assert f"lowest sequence kept is {floor}" in answer
        for cursor in (floor - 1, floor):
            assert (await ask(served, f"{V2}?cursor={cursor}"))[0] == 101
        assert (await ask(served, "/subscribe?cursor=1"))[0] == 101


async def test_a_stream_that_begins_late_has_forgotten_nothing(tmp_path: Path) -> None:
    """A house's first public event may have any sequence; asking from 1 was once refused for it."""
    async with serving(tmp_path) as served:
        await served.store.skip_to(99)
        await served.append(events(5))

        assert (await ask(served, f"{V2}?cursor=1"))[0] == 101


async def test_the_first_wire_refuses_by_plain_text_before_the_upgrade(served: Served) -> None:
    for query, said in REFUSED_BY_V1:
        status, answer = await ask(served, f"/subscribe?{query}")

        assert status == 400, query[:80]
        assert "content-type: text/plain" in answer and said in answer, (query[:80], answer)
    assert served.subscribers == []


async def test_the_second_wire_refuses_by_the_envelope_of_xrpc(served: Served) -> None:
    for query, name, said in REFUSED_BY_V2:
        status, answer = await ask(served, f"{V2}?{query}")
        envelope = msgspec.json.decode(answer.partition("\r\n\r\n")[2])

        assert (status, envelope["error"]) == (400, name), query[:80]
        assert said in envelope["message"], (query[:80], envelope)
        assert "content-type: application/json\r\n" in answer


async def test_what_clients_send_is_accepted(served: Served) -> None:
    for path in ACCEPTED:
        status, _ = await ask(served, path)

        assert status == 101, path[:80]
    assert (await ask(served, "/subscribe?" + MANY_DIDS.replace(":", "%3A").rpartition("&")[0]))[0] == 101


@pytest.mark.parametrize(("headers", "status"), [
    ({"Upgrade": ""}, 426),
    ({"Connection": "keep-alive"}, 426),
    ({"Sec-WebSocket-Version": "8"}, 426),
    ({"Sec-WebSocket-Key": ""}, 400),
    ({"Sec-WebSocket-Key": "c2hvcnQ="}, 400),
    ({"Upgrade": "WebSocket", "Connection": "upgrade"}, 101),
])
async def test_a_handshake_that_is_none_is_refused(
    served: Served, headers: dict[str, str], status: int
) -> None:
    found, answer = await ask(served, "/subscribe", headers)

    assert found == status
    assert status != 426 or "sec-websocket-version: 13\r\n" in answer


async def test_deflate_is_declined_and_refused_only_beside_compression(served: Served) -> None:
    offered = await ask(served, "/subscribe", DEFLATE)
    both = await ask(served, "/subscribe?compress=true", DEFLATE)
    header = await ask(served, "/subscribe", DEFLATE | {"Socket-Encoding": "zstd"})
    second = await ask(served, V2, DEFLATE)
    alone = await ask(served, "/subscribe?compress=true")

    assert [one[0] for one in (offered, both, header, second, alone)] == [101, 400, 400, 101, 101]
    assert "extensions" not in offered[1] + second[1]
    assert "permessage-deflate" in both[1]
    assert "lichen-zstd-dictionary: 40001\r\n" in alone[1]


@pytest.mark.parametrize(("offer", "echo"), [
    ("xrpc.v1.json", True), ("", False), ("XRPC.V1.JSON", False),
    ("xrpc.v9.msgpack", False), ("xrpc.v9.msgpack, xrpc.v1.json", True),
])
async def test_the_subprotocol_is_echoed_letter_by_letter(
    served: Served, offer: str, echo: bool
) -> None:
    status, head = await ask(served, V2, {"Sec-WebSocket-Protocol": offer})

    assert status == 101
    assert ("sec-websocket-protocol: xrpc.v1.json\r\n" in head) == echo


@pytest.mark.parametrize(("message", "code", "why"), [
    ("{", 1007, "bad_envelope_json"),
    ('{"type":1}', 1007, "bad_envelope_json"),
    ("[]", 1007, "bad_envelope_json"),
    ('{"type":"options_update"}', 1007, "bad_payload_json"),
    ('{"type":"options_update","payload":{"wantedDids":"x"}}', 1007, "bad_payload_json"),
    ('{"type":"options_update","payload":{"maxMessageSizeBytes":"1"}}', 1007, "bad_payload_json"),
    ('{"type":"options_update","payload":{"wantedDids":["x"]}}', 1008, "invalid_options"),
    ('{"type":"options_update","payload":{"wantedCollections":["app.bsky.fo*"]}}', 1008,
     "invalid_options"),
    (msgspec.json.encode({"type": "options_update", "payload": {
        "wantedDids": [did_of(number) for number in range(10_001)]}}).decode(), 1008,
     "invalid_options"),
    ("x" * 10_000_001, 1009, "oversize"),
])
async def test_a_message_that_is_wrong_closes_the_first_wire(
    served: Served, message: str, code: int, why: str
) -> None:
    async with raw(served, "/subscribe") as client:
        client.send(TEXT, message.encode())

        closed = await client.closed()

    assert closed[0] == code
    assert len(closed[1].encode()) <= 123
    assert served.server.counts.option_errors == {why: 1}
    await until(lambda: not served.subscribers)


async def test_messages_that_mean_nothing_change_nothing(served: Served) -> None:
    async with raw(served, "/subscribe?requireHello=true") as client:
        client.send(BINARY, b"\x00binary")
        client.send(TEXT, b'{"type":"hello","payload":{}}')
        client.send(TEXT, b'{"type":"options_update","payload":null}')
        await until(lambda: served.server.counts.options_updates == 1)
        await served.append(events(1, has_sync=False))

        assert (await client.json())["cursor"] == 51


@pytest.mark.parametrize("opcode", [TEXT, BINARY])
async def test_the_second_wire_is_server_push_only(served: Served, opcode: int) -> None:
    async with raw(served, V2) as client:
        client.send(opcode, b"{}")

        assert (await client.closed())[0] == 1008


@pytest.mark.parametrize(("cursor", "name"), [
    ("1000000000000001", "OutdatedCursor"), ("999999999", "FutureCursor"),
])
async def test_a_cursor_that_was_moved_is_told_in_the_first_frame(
    served: Served, cursor: str, name: str
) -> None:
    async with raw(served, f"{V2}?cursor={cursor}") as client:
        first = (await client.json())["payload"]
        await served.append(events(1, has_sync=False))
        second = (await client.json())["payload"]

    assert (first["$type"].rpartition("#")[2], first["name"]) == ("info", name)
    assert second["seq"] == (1 if name == "OutdatedCursor" else 51)


async def test_a_time_is_a_cursor_too(tmp_path: Path) -> None:
    clock = FakeClock()
    async with serving(tmp_path, clock=clock) as served:
        for one in events(3, has_sync=False):
            clock.advance(seconds=10)
            await served.append([one])
        middle_us = clock.now_us - 10_000_000

        async with raw(served, f"/subscribe?cursor={middle_us}") as client:
            found = [(await client.json())["cursor"] for _ in range(2)]
        async with raw(served, f"/subscribe?cursor={middle_us + 1}") as client:
            found.append((await client.json())["cursor"])

    assert found == [2, 3, 3]


async def test_every_address_says_what_it_is(served: Served) -> None:
    async with aiohttp.ClientSession(served.http) as client:
        answers = {}
        for method, path in [("GET", "/nowhere"), ("POST", "/subscribe"), ("GET", "/subscribe"),
                             ("GET", "/xrpc/a.b.c"), ("GET", "/xrpc/_health"), ("OPTIONS", "/"),
                             ("HEAD", "/"), ("GET", "/metrics"), ("GET", V2)]:
            async with client.request(method, path) as answer:
                answers[(method, path)] = answer.status
                assert answer.headers["access-control-allow-origin"] == "*"

    assert list(answers.values()) == [404, 405, 426, 404, 200, 204, 200, 200, 426]
