"""Readers that stop, lie, flood or vanish: they cost themselves, and nobody else."""

import asyncio
import contextlib
from pathlib import Path

import pytest

from lichen.kit import system_clock
from lichen.stream import limits
from lichen.stream.serving.subscriber import Subscriber
from tests.conftest import FakeClock
from tests.stream.raw import BINARY, CLOSE, CONTINUATION, PING, PONG, TEXT, narrow, raw
from tests.stream.serving import did_of, events, serving, until

pytestmark = [
    pytest.mark.anyio,
    pytest.mark.parametrize("anyio_backend", [
        pytest.param(("asyncio", {"use_uvloop": True}), id="uvloop")]),
]
V2 = "/xrpc/network.bsky.jetstream.subscribeEvents"


async def test_a_reader_that_stops_costs_one_chunk(tmp_path: Path) -> None:
    """What waits for it in this process stays below 64 kB and one event, and others go on."""
    async with serving(tmp_path) as served:
        async with raw(served, "/subscribe", window_bytes=8_192) as stopped:
            await until(lambda: len(served.subscribers) == 1)
            narrow(served)
            subscriber: Subscriber = served.subscribers[0]
            stopped.writer.transport.pause_reading()
            largest = 0
            async with raw(served, "/subscribe") as live:
                for seed in range(12):
                    await served.append(events(250, seed=seed, has_sync=False))
                    for _ in range(250):
                        await live.message()
                    largest = max(largest, subscriber.transport.get_write_buffer_size())

            assert not subscriber.is_writable, "it did fill up"
            assert 0 < largest <= limits.CHUNK_BYTES_MAX + 10_000

            stopped.writer.transport.resume_reading()
            seqs = [(await stopped.json())["cursor"] for _ in range(3_000)]
            assert seqs == list(range(1, 3_001)), "it misses nothing when it goes on"


@pytest.mark.parametrize(("path", "code"), [("/subscribe", 1008), (V2, 1008)])
async def test_a_reader_far_behind_that_hardly_moves_is_dropped(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, path: str, code: int
) -> None:
    monkeypatch.setattr(limits, "LAG_EVENTS_MAX", 1_000)
    clock = FakeClock()
    async with serving(tmp_path, clock=clock, ping_s=100_000) as served:
        async with raw(served, path, window_bytes=8_192) as slow:
            await until(lambda: len(served.subscribers) == 1)
            narrow(served)
            slow.writer.transport.pause_reading()
            await served.append(events(3_000, has_sync=False))
            await until(lambda: not served.subscribers[0].is_writable)
            clock.advance(seconds=59)
            await asyncio.sleep(0.1)
            assert len(served.subscribers) == 1, "a minute is waited"
            clock.advance(seconds=62)
            await until(lambda: served.server.counts.adversarial_drops == 1)
            slow.writer.transport.resume_reading()

            last = b""
            while (frame := await slow.frame())[0] != CLOSE:
                last = frame[1]

            assert int.from_bytes(frame[1][:2], "big") == code
            assert (b'"ConsumerTooSlow"' in last) == (path == V2)


async def test_a_flood_of_pings_is_answered_by_the_last_and_stops_nobody(tmp_path: Path) -> None:
    async with serving(tmp_path) as served, raw(served, "/subscribe") as live:
        async with raw(served, "/subscribe", window_bytes=8_192) as flood:
            await until(lambda: len(served.subscribers) == 2)
            narrow(served)
            flood.writer.transport.pause_reading()
            await served.append(events(2_000, has_sync=False))
            for _ in range(2_000):
                await live.message()
            await until(lambda: any(not one.is_writable for one in served.subscribers))
            subscriber = next(one for one in served.subscribers if not one.is_writable)
            for number in range(50_000):
                flood.send(PING, b"%d" % number)
            before = asyncio.get_running_loop().time()
            await served.append(events(1, has_sync=False))
            while (await live.json())["cursor"] <= 2_000:
                pass

            assert asyncio.get_running_loop().time() - before < 5
            assert subscriber.transport.get_write_buffer_size() <= limits.CHUNK_BYTES_MAX + 10_000

            flood.writer.transport.resume_reading()
            while (frame := await flood.frame())[0] != PONG:
                pass
            assert int(frame[1]) < 50_000


@pytest.mark.parametrize(("sent", "code"), [
    ([(TEXT, b"{", True, False)], 1002),  # unmasked
    ([(3, b"x", True, True)], 1002),  # a reserved opcode
    ([(CONTINUATION, b"x", True, True)], 1002),  # of nothing
    ([(TEXT, b"{", False, True), (TEXT, b"}", True, True)], 1002),  # two at once
    ([(PING, b"x" * 126, True, True)], 1002),  # RFC 6455 §5.5: 125 bytes at most
    ([(PING, b"x", False, True)], 1002),  # RFC 6455 §5.5: never in fragments
    ([(TEXT, b"\xff\xfe", True, True)], 1007),
    ([(TEXT, b'{"type":"options', False, True), (PING, b"", True, True),
      (CONTINUATION, b'_update"}', True, True)], 1007),  # whole, and without payload
])
async def test_frames_against_the_rules_close_the_connection(
    tmp_path: Path, sent: list[tuple[int, bytes, bool, bool]], code: int
) -> None:
    async with serving(tmp_path) as served, raw(served, "/subscribe") as client:
        for opcode, payload, fin, masked in sent:
            client.send(opcode, payload, fin=fin, masked=masked)

        assert (await client.closed())[0] == code
        client.send(CLOSE, code.to_bytes(2, "big"))
        assert await client.reader.read() == b"", "and the server closes its side"
        await until(lambda: not served.subscribers)


async def test_a_message_is_judged_by_its_head_before_it_is_read(tmp_path: Path) -> None:
    async with serving(tmp_path) as served:
        async with raw(served, "/subscribe") as client:
            client.send(TEXT, b"", length=1 << 40)

            assert (await client.closed())[0] == 1009
        async with raw(served, "/subscribe") as client:
            for _ in range(11):
                client.send(TEXT if _ == 0 else CONTINUATION, b" " * 1_000_000, fin=False)
            assert (await client.closed())[0] == 1009
        assert served.server.counts.option_errors == {"oversize": 2}


async def test_messages_that_are_never_whole_have_a_bound_together(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with serving(tmp_path) as served, contextlib.AsyncExitStack() as stack:
        monkeypatch.setattr(served.server.ears, "_bytes_max", 3_000_000)
        clients = [await stack.enter_async_context(raw(served, "/subscribe")) for _ in range(4)]
        for client in clients:
            client.send(TEXT, b"x" * 1_000_000, length=9_000_000)
            await client.writer.drain()

        await until(lambda: len(served.subscribers) < 4)
        ends = [asyncio.create_task(client.closed()) for client in clients]
        done, _ = await asyncio.wait(ends, return_when=asyncio.FIRST_COMPLETED)
        assert done.pop().result()[0] == 1013
        for end in ends:
            end.cancel()
    assert served.server.ears.bytes_held == 0


async def test_garbage_is_answered_as_http_once(tmp_path: Path) -> None:
    async with serving(tmp_path) as served:
        for garbage in (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", b"\x00" * 5_000,
                        b"SSH-2.0-x\r\n", b"GET / HTTP/9.9\r\n\r\n", b"G\xc3\x84T / HTTP/1.1\r\n\r\n"):
            async with raw(served) as client:
                client.writer.write(garbage)
                answer = await asyncio.wait_for(client.reader.read(), 5)

                assert answer.startswith(b"HTTP/1.1 400 "), garbage
        await until(lambda: not served.server._connections)


async def test_heads_have_bounds_of_size_of_number_and_of_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "HEAD_S_MAX", 0.2)
    async with serving(tmp_path) as served:
        found = []
        for head in (b"GET /" + b"x" * limits.HEAD_BYTES_MAX + b" HTTP/1.1\r\n\r\n",
                     b"GET / HTTP/1.1\r\n" + b"a: b\r\n" * 200 + b"\r\n",
                     b"POST / HTTP/1.1\r\ncontent-length: 9999999\r\n\r\n" + b"x" * 1_100_000,
                     b"GET / HTTP/1.1\r\nslow: loris"):
            async with raw(served) as client:
                client.writer.write(head)
                answer = await asyncio.wait_for(client.reader.read(), 5)
                found.append(int(answer.split()[1]))
        async with raw(served) as silent:
            assert await asyncio.wait_for(silent.reader.read(), 5) == b""

        assert found == [431, 431, 413, 408]
        assert served.server.ears.bytes_held == 0


async def test_ten_thousand_dids_fit_into_a_request(tmp_path: Path) -> None:
    wanted = "&".join(f"wantedDids={did_of(number).replace(':', '%3A')}" for number in range(10_000))
    async with serving(tmp_path) as served, raw(served, f"/subscribe?{wanted}") as client:
        assert client.status == 101
        await until(lambda: served.subscribers[0].pace.value == "live")
        await served.append(events(20, actors=12_000, has_sync=False))
        expected = [seq for seq, one in enumerate(events(20, actors=12_000, has_sync=False), 1)
                    if one.did in served.subscribers[0].wanted.dids]

        assert len(wanted) > 400_000
        assert 0 < len(expected) < 20
        assert [(await client.json())["cursor"] for _ in expected] == expected


async def test_who_never_answers_a_ping_is_dead(tmp_path: Path) -> None:
    """A peer that vanished without a word is found by its silence; one that answers stays."""
    clock = FakeClock()
    async with serving(tmp_path, clock=clock, ping_s=30) as served:
        async with raw(served, "/subscribe") as dead, raw(served, "/subscribe") as alive:
            await until(lambda: len(served.subscribers) == 2)
            clock.advance(seconds=31)
            assert await alive.frame() == (PING, b"")
            alive.send(PONG, b"")
            await until(lambda: sum(one._heard_at_us == clock() for one in served.subscribers) == 1)
            clock.advance(seconds=31)
            await until(lambda: len(served.subscribers) == 1)
            await served.append(events(1, has_sync=False))

            assert (await alive.json())["cursor"] == 1
            with pytest.raises((ConnectionError, asyncio.IncompleteReadError)):
                await dead.message()


@pytest.mark.slow
async def test_five_thousand_connects_in_a_second_meet_the_limits(tmp_path: Path) -> None:
    """429 with the time to come back, and the server goes on serving whoever is in."""
    async with serving(tmp_path, trusted_proxies="", subscribers_per_address_max=50,
                       connects_per_minute_max=60) as served, raw(served, "/subscribe") as live:
        statuses: dict[bytes, int] = {}
        opened = []

        async def knock() -> None:
            try:
                reader, writer = await asyncio.open_connection("127.0.0.1", served.server.port)
                opened.append(writer)
                writer.write(b"GET /subscribe HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\n"
                             b"Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
                             b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n")
                line = (await asyncio.wait_for(reader.readline(), 30)).split()
                status = line[1] if line else b"closed"
            except (OSError, TimeoutError):
                status = b"closed"
            statuses[status] = statuses.get(status, 0) + 1

        for _ in range(10):
            await asyncio.gather(*(knock() for _ in range(500)))
        await served.append(events(1, has_sync=False))

        assert (await live.json())["cursor"] == 1
        assert statuses[b"101"] <= 50
        assert statuses[b"429"] > 4_000, statuses
        assert served.server.counts.refused_connects > 4_000
        for writer in opened:
            writer.transport.abort()


async def test_a_closed_server_says_goodbye(tmp_path: Path) -> None:
    async with serving(tmp_path, clock=system_clock) as served:
        async with raw(served, "/subscribe") as first, raw(served, V2) as second, \
                raw(served, "/subscribe", {"Upgrade": "", "Accept": "text/event-stream"}) as third:
            closing = asyncio.create_task(served.server.close())
            codes = [await first.closed(), await second.closed()]
            assert await third.reader.read() == b""
            for client in (first, second):
                client.send(CLOSE, (1001).to_bytes(2, "big"))
            await asyncio.wait_for(closing, 4)

    assert [code for code, _ in codes] == [1001, 1001]


async def test_binary_messages_of_any_size_are_passed_over(tmp_path: Path) -> None:
    async with serving(tmp_path) as served, raw(served, "/subscribe") as client:
        client.send(BINARY, b"\0" * 9_000_000)
        client.send(PING, b"still there?")

        assert await client.frame() == (PONG, b"still there?")
        assert served.server.ears.bytes_held == 0
