"""Following a relay into a store: everything once, in order, whatever breaks."""

import asyncio
import itertools
import os
import signal
import sys
from pathlib import Path

import pytest

from bench.firehose import Relay, Write, every_kind, frames, message
from lichen.kit import Refused
from lichen.kit.crash_points import VARIABLE
from lichen.stream import Appended, StreamUnavailable
from lichen.stream.model import Operation
from lichen.stream.upstream import address_of
from lichen.stream.upstream.limits import BATCH_BYTES_MAX
from tests.stream.relay import FakeRelay, expected, house_in, named, told

pytestmark = pytest.mark.anyio


def some(count: int, *, seed: int = 1) -> list:
    return list(itertools.islice(frames(seed), count))


async def test_every_kind_of_message_reaches_the_store_in_order(tmp_path: Path) -> None:
    relay = Relay(1)
    sent = [
        relay.commit(relay.did(), relay.tid(), every_kind(relay)),
        relay.identity("did:plc:moss", "moss.example"),
        relay.identity("did:web:moss.example%3A8536"),
        relay.account("did:plc:moss", "takendown"),
        relay.account("did:plc:moss"),
        relay.sync("did:plc:moss", relay.tid()),
        relay.commit(relay.did(), relay.tid(), []),
        relay.commit(relay.did(), relay.tid(),
                     [Write(Operation.DELETE, "app.bsky.feed.like", "3kabcabcabc22")]),
    ]

    async with FakeRelay(sent).serving() as served, house_in(tmp_path) as house:
        async with house.following(served) as upstream:
            await house.until_position(sent[-1].seq)
        events = told(house.store)

    assert [named(event) for event in events] == expected(sent)
    assert events[-6]["identity"] == {"did": "did:plc:moss", "handle": "moss.example", "seq": 2,
                                      "time": "2026-08-06T07:06:40.002Z"}
    assert events[-4]["account"]["status"] == "takendown"
    assert events[-3]["account"]["active"] is True
    assert events[-2]["sync"]["blocks"]["$bytes"]
    assert upstream.counts["taken"] == len(sent)


@pytest.mark.slow
async def test_a_thousand_frames_come_out_as_they_went_in(tmp_path: Path) -> None:
    sent = some(1_000)

    async with FakeRelay(sent).serving() as served, house_in(tmp_path) as house:
        async with house.following(served):
            await house.until_position(sent[-1].seq)

        assert [named(event) for event in told(house.store)] == expected(sent)


async def test_what_is_sent_while_connected_arrives_without_asking_again(tmp_path: Path) -> None:
    first, *later = some(20)

    async with FakeRelay([first]).serving() as served, house_in(tmp_path) as house:
        async with house.following(served):
            await house.until_position(first.seq)
            for one in later:
                await served.add(one)
            await house.until_position(later[-1].seq)

        assert served.cursors == [0]
        assert [named(event) for event in told(house.store)] == expected([first, *later])


async def test_a_connection_cut_anywhere_loses_and_repeats_nothing(tmp_path: Path) -> None:
    sent = some(120)
    relay = FakeRelay(sent)
    relay.drop_after = [0, 1, 7, 0, 30, 2]

    async with relay.serving() as served, house_in(tmp_path) as house:
        async with house.following(served) as upstream:
            await house.until_position(sent[-1].seq)

        assert [named(event) for event in told(house.store)] == expected(sent)
        assert upstream.counts["lost"] == 6
        assert served.cursors[0] == 0 and served.cursors == sorted(served.cursors)


async def test_a_relay_that_repeats_itself_is_stored_once(tmp_path: Path) -> None:
    """Some relays start a little before the cursor, or send a frame twice."""
    sent = some(10)

    async with FakeRelay([*sent, *sent[3:], *sent]).serving() as served, \
            house_in(tmp_path) as house:
        async with house.following(served):
            await house.until_position(sent[-1].seq)
            relay = Relay(2, first_seq=sent[-1].seq + 1)
            last = relay.identity("did:plc:moss")
            await served.add(last)
            await house.until_position(last.seq)

        assert [named(event) for event in told(house.store)] == expected([*sent, last])


async def test_a_new_start_goes_on_where_the_store_ends(tmp_path: Path) -> None:
    sent = some(60)

    async with FakeRelay(sent[:40]).serving() as served:
        async with house_in(tmp_path) as house, house.following(served):
            await house.until_position(sent[39].seq)
        await served.add(*sent[40:])
        async with house_in(tmp_path) as house:
            async with house.following(served, first_cursor=None):
                await house.until_position(sent[-1].seq)

            assert [named(event) for event in told(house.store)] == expected(sent)
        assert served.cursors == [0, sent[39].seq]


async def test_an_empty_store_begins_at_the_tip_unless_told_otherwise(tmp_path: Path) -> None:
    sent = some(20)

    async with FakeRelay(sent[:10]).serving() as served, house_in(tmp_path) as house:
        async with house.following(served, first_cursor=None):
            await served.until_followed()
            await served.add(*sent[10:])
            await house.until_position(sent[-1].seq)

        assert served.cursors == [None]
        assert [named(event) for event in told(house.store)] == expected(sent[10:])


async def test_a_relay_that_is_quiet_for_an_hour_is_left_in_peace(
        tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Jetstream 1 ended itself after 15 s without events, so idle servers restarted for ever.

    The loop's clock is moved by hand, in steps shorter than any bound on an answer.
    """
    (one,) = some(1)
    loop = asyncio.get_running_loop()
    begin, passed_s = loop.time, 0

    async with FakeRelay().serving() as served, house_in(tmp_path) as house:
        async with house.following(served) as upstream:
            await served.until_followed()
            monkeypatch.setattr(loop, "time", lambda: begin() + passed_s)
            for passed_s in range(0, 3_600, 15):
                # Two rounds: what either side asked at this moment has been answered.
                for _ in range(2):
                    await (await served.sockets[0].ping())
            await served.add(one)
            await house.until_position(one.seq)

        assert len(served.cursors) == 1
        assert upstream.counts["lost"] == 0


async def test_a_relay_that_answers_no_ping_is_lost_and_tried_again(
        tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (one,) = some(1)
    loop = asyncio.get_running_loop()
    begin, passed_s = loop.time, 0

    async with FakeRelay([one]).serving() as served, house_in(tmp_path) as house:
        async with house.following(served) as upstream:
            await house.until_position(one.seq)
            (dead,) = served.sockets
            # It neither reads nor answers any more, and says nothing: a peer that lost its power.
            dead.transport.pause_reading()
            monkeypatch.setattr(loop, "time", lambda: begin() + passed_s)
            async with asyncio.timeout(100_000):
                while not upstream.counts["lost"]:
                    passed_s += 1
                    await asyncio.sleep(0)

        assert upstream.counts["lost"] == 1


async def test_a_relay_with_a_shorter_memory_is_followed_and_the_gap_counted(
        tmp_path: Path) -> None:
    sent = some(30)

    async with FakeRelay(sent[:5]).serving() as served, house_in(tmp_path) as house:
        async with house.following(served):
            await house.until_position(sent[4].seq)
        served.floor_seq = sent[19].seq
        await served.add(*sent[5:])
        async with house.following(served) as upstream:
            await house.until_position(sent[-1].seq)

        assert upstream.counts["info_OutdatedCursor"] == 1
        assert [named(event) for event in told(house.store)] == expected(sent[:5] + sent[20:])


async def test_messages_that_nobody_knew_move_the_cursor_and_no_more(tmp_path: Path) -> None:
    relay = Relay(1)
    known = relay.identity("did:plc:moss")

    async with FakeRelay([known]).serving() as served, house_in(tmp_path) as house:
        await served.add_bytes(5, message("#weather", {"seq": 5, "sky": "grey"}))
        async with house.following(served) as upstream:
            await house.until_position(5)

        assert upstream.counts["unknown_kind"] == 1
        assert [named(event) for event in told(house.store)] == expected([known])


async def test_pauses_between_tries_grow_with_chance_and_end_with_success(tmp_path: Path) -> None:
    sent = some(4)
    relay = FakeRelay(sent)
    relay.drop_after = [0, 0, 0, 0, 2, 0]

    async with relay.serving() as served, house_in(tmp_path) as house:
        async with house.following(served):
            await house.until_position(sent[-1].seq)

        growing, after_success = house.pauses[:4], house.pauses[4]
        assert all(0.5 * 2**n * 0.5 <= one <= 0.5 * 2**n for n, one in enumerate(growing))
        assert after_success <= 0.5


async def test_a_disk_that_fails_for_a_while_loses_nothing(tmp_path: Path,
                                                           monkeypatch: pytest.MonkeyPatch) -> None:
    """The relay is not to blame: it is asked again for what could not be stored."""
    sent = some(50)
    troubles = [StreamUnavailable("The disk is full.") for _ in range(3)]

    async with FakeRelay(sent).serving() as served, house_in(tmp_path) as house:
        append = house.store.append

        async def failing(arrivals: list, *, position: int) -> Appended:
            if troubles:
                raise troubles.pop()
            return await append(arrivals, position=position)

        monkeypatch.setattr(house.store, "append", failing)
        async with house.following(served) as upstream:
            await house.until_position(sent[-1].seq)

        assert upstream.counts["waits"] == 3 and upstream.counts["lost"] == 0
        assert [named(event) for event in told(house.store)] == expected(sent)


@pytest.mark.slow
async def test_a_store_that_is_slow_makes_the_relay_wait_not_our_memory(
        tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    relay = Relay(1)
    large = relay.identity("did:plc:moss", "m" * 60_000)
    sent = [large._replace(seq=seq) for seq in range(1, 1_500)]
    may_go_on, blocked = asyncio.Event(), asyncio.Event()

    async with FakeRelay(sent).serving() as served, house_in(tmp_path) as house:
        append = house.store.append

        async def slow(arrivals: list, *, position: int) -> Appended:
            blocked.set()
            await may_go_on.wait()
            return await append(arrivals, position=position)

        monkeypatch.setattr(house.store, "append", slow)
        async with house.following(served):
            await blocked.wait()
            steady, last = 0, 0
            while steady < 1_000:  # turns of the loop in which the relay could send nothing more
                steady, last = (steady + 1, last) if served.sent == last else (0, served.sent)
                await asyncio.sleep(0)

            # A batch in work, a batch that waits, and what sockets hold.
            assert last * 60_000 < 2 * BATCH_BYTES_MAX + (16 << 20)
            may_go_on.set()


@pytest.mark.parametrize("address", ["https://relay.example", "wss://", "relay.example",
                                     "wss://relay.example/?cursor=1", "wss://relay.example/#x"])
def test_what_is_no_address_of_a_relay_is_refused(address: str) -> None:
    with pytest.raises(Refused, match="wss://relay.example"):
        address_of(address)


def test_a_bare_host_gets_the_path_of_the_protocol() -> None:
    path = "/xrpc/com.atproto.sync.subscribeRepos"

    assert address_of("wss://relay.example") == f"wss://relay.example{path}"
    assert address_of("ws://127.0.0.1:2583/") == f"ws://127.0.0.1:2583{path}"
    assert address_of("wss://relay.example/other") == "wss://relay.example/other"


async def test_a_stream_needs_an_upstream_and_not_too_many(tmp_path: Path) -> None:
    async with house_in(tmp_path) as house:
        for addresses in ([], ["wss://relay.example"] * 9):
            with pytest.raises(Refused, match="1 to 8"):
                house.upstream(addresses=addresses)


KILLED = """
import asyncio, sys
from pathlib import Path
from lichen.stream.upstream import connection
from lichen.stream.upstream.limits import BATCH_BYTES_MAX
from tests.stream.relay import house_in
connection.BATCH_FRAMES_MAX = 20  # so that there are many appends to die in
async def main():
    async with house_in(Path(sys.argv[1])) as house:
        await house.upstream(addresses=[sys.argv[2]]).run()
asyncio.run(main())
"""


@pytest.mark.slow
async def test_a_kill_at_any_moment_of_an_append_loses_and_repeats_nothing(tmp_path: Path) -> None:
    """The cursor is in the same append as the events: one is never without the other."""
    sent = some(400)
    deaths = ("stream.before_write:3", "stream.after_write:4", "stream.after_sync:2")

    async with FakeRelay(sent).serving() as served:
        for place in deaths:
            process = await asyncio.create_subprocess_exec(
                sys.executable, "-c", KILLED, str(tmp_path), served.address,
                cwd=Path(__file__).parents[2], env=os.environ | {VARIABLE: place})
            assert await process.wait() == -signal.SIGKILL
        async with house_in(tmp_path) as house:
            kept = house.store.next_seq
            async with house.following(served):
                await house.until_position(sent[-1].seq)
            events = told(house.store)

    assert 0 < kept < len(sent)
    assert [named(event) for event in events] == expected(sent)
    assert served.cursors == sorted(set(served.cursors))
