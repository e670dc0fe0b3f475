"""The child that decodes: it may die of a frame, and nothing else is lost."""

import asyncio
import itertools
import os
import select
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from bench.firehose import Relay, frames, message
from lichen.kit import Unavailable
from lichen.stream.upstream import Decoder, Verdict, decode
from lichen.stream.upstream.decoder import FOLDERS, STAND_INS
from lichen.stream.upstream.limits import BATCH_BYTES_MAX, BATCH_FRAMES_MAX
from tests.stream.relay import FakeRelay, expected, house_in, named, told

pytestmark = pytest.mark.anyio

# A child like ours, which dies of, hangs on or lies about frames that say so.
FRAIL = STAND_INS + """
import os, signal, time
from lichen.stream.upstream import child
from lichen.stream.model import Arrival
from lichen.stream.upstream.frames import Decoded, Verdict
whole = child.decode
def decode(frame):
    if b"DIE" in frame:
        os.kill(os.getpid(), signal.SIGSEGV)
    if b"FAIL" in frame:
        raise SystemError("a fault in native code")
    if b"HANG" in frame:
        time.sleep(1_000)
    if b"ENVIRONMENT" in frame:
        return Decoded(Verdict.UNKNOWN, ",".join(sorted(os.environ)))
    if b"SOMETIMES" in frame and not os.path.exists(frame[9:]):
        open(frame[9:], "x")
        os.kill(os.getpid(), signal.SIGKILL)
    if b"UNSTORABLE" in frame:
        one = whole(frame)
        return one._replace(arrivals=(Arrival("moss", b"{}"), *one.arrivals))
    return whole(frame)
child.decode = decode
child.main()
"""
LYING = STAND_INS + """
import struct, sys
from lichen.stream.upstream import child
child._send(sys.stdout.buffer, [])
for answer in (b"nonsense", child.encode_batch([])):
    sys.stdout.buffer.write(struct.pack("<I", len(answer)) + answer)
    sys.stdout.buffer.flush()
    sys.stdin.buffer.read(4)
"""
DEADLY = message("#commit", {"x": "DIE"})


def good(count: int = 5) -> list[bytes]:
    return [one.frame for one in itertools.islice(frames(1), count)]


async def test_the_child_answers_each_frame_in_order() -> None:
    sent = [*good(), b"garbage", *good(3)]
    decoder = Decoder()

    try:
        assert await decoder.decode(sent) == [decode(one) for one in sent]
        assert await decoder.decode([]) == []
    finally:
        await decoder.close()


async def test_a_full_batch_passes_the_pipes_both_ways() -> None:
    relay = Relay(1)
    large = relay.identity("did:plc:moss", "m" * 15_000).frame
    sent = [large] * BATCH_FRAMES_MAX
    assert BATCH_BYTES_MAX * 0.9 < len(large) * len(sent) < BATCH_BYTES_MAX
    decoder = Decoder()

    try:
        answers = await decoder.decode(sent)
    finally:
        await decoder.close()

    assert len(answers) == BATCH_FRAMES_MAX
    assert {one.verdict for one in answers} == {Verdict.TAKEN}


@pytest.mark.parametrize("word", ["DIE", "FAIL"])
async def test_a_frame_that_kills_is_passed_over_and_its_neighbours_are_not(word: str) -> None:
    """libipld once died of a CAR; frames that came with it must not be lost."""
    sent = good()
    decoder = Decoder(words=("-c", FRAIL, *FOLDERS))

    try:
        answers = await decoder.decode([*sent[:3], word.encode(), *sent[3:]])
    finally:
        await decoder.close()

    assert answers[3].verdict is Verdict.DEADLY
    assert [*answers[:3], *answers[4:]] == [decode(one) for one in sent]
    assert decoder.deaths == 3  # the batch, and the frame alone, twice


async def test_a_frame_is_not_blamed_for_one_death(tmp_path: Path) -> None:
    """The kernel may kill the child for want of memory, whatever frame it holds."""
    sent = [b"SOMETIMES" + str(tmp_path / "once").encode(), *good(2)]
    decoder = Decoder(words=("-c", FRAIL, *FOLDERS))

    try:
        answers = await decoder.decode(sent)
    finally:
        await decoder.close()

    assert Verdict.DEADLY not in {one.verdict for one in answers}
    assert decoder.deaths == 1


async def test_a_child_that_was_killed_between_batches_is_replaced() -> None:
    sent = good()
    decoder = Decoder()

    try:
        await decoder.decode(sent)
        first = decoder.pid
        os.kill(first, signal.SIGKILL)
        assert await decoder.decode(sent) == [decode(one) for one in sent]
        assert decoder.pid != first
    finally:
        await decoder.close()


@pytest.mark.slow
async def test_a_child_that_hangs_is_replaced_and_the_frame_passed_over() -> None:
    decoder = Decoder(words=("-c", FRAIL, *FOLDERS), decode_s_max=0.1)

    try:
        answers = await decoder.decode([b"HANG"])
    finally:
        await decoder.close()

    assert [one.verdict for one in answers] == [Verdict.DEADLY]


async def test_a_child_that_lies_is_replaced_and_believed_in_nothing() -> None:
    decoder = Decoder(words=("-c", LYING, *FOLDERS))

    try:
        answers = await decoder.decode(good(1))
    finally:
        await decoder.close()

    assert [one.verdict for one in answers] == [Verdict.DEADLY]
    assert decoder.deaths == 3


async def test_a_child_that_cannot_start_blames_no_frame() -> None:
    decoder = Decoder(words=("-c", "raise SystemExit(1)"))

    with pytest.raises(Unavailable, match="does not start"):
        await decoder.decode(good())
    assert decoder.deaths == 0


async def test_a_batch_that_was_given_up_answers_no_later_one() -> None:
    """Else the answers of the abandoned batch would be taken for those of the next."""
    decoder = Decoder(words=("-c", FRAIL, *FOLDERS))

    try:
        await decoder.decode(good(1))
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.05):
                await decoder.decode([b"HANG"])
        assert await decoder.decode(good(2)) == [decode(one) for one in good(2)]
    finally:
        await decoder.close()


async def test_the_child_knows_nothing_of_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LICHEN_SECRET", "moss")
    decoder = Decoder(words=("-c", FRAIL, *FOLDERS))

    try:
        (answer,) = await decoder.decode([b"ENVIRONMENT"])
    finally:
        await decoder.close()

    assert answer.word == "LC_ALL,PYTHONPATH"


PARENT = """
import asyncio, sys
from lichen.stream.upstream import Decoder
async def main():
    decoder = Decoder(words=("-c", *sys.argv[1:]))
    await decoder.decode([])
    print(decoder.pid, flush=True)
    await decoder.decode([b"HANG"])
asyncio.run(main())
"""


@pytest.mark.slow
def test_a_child_ends_with_its_parent_even_in_the_middle_of_a_frame() -> None:
    """A closed pipe is not enough: who decodes reads none."""
    parent = subprocess.Popen([sys.executable, "-c", PARENT, FRAIL, *FOLDERS], stdout=subprocess.PIPE,
                              cwd=Path(__file__).parents[2])
    assert parent.stdout is not None
    child = os.pidfd_open(int(parent.stdout.readline()))

    parent.kill()
    parent.wait()

    assert select.select([child], [], [], 10)[0] == [child]
    os.close(child)


@pytest.mark.slow
async def test_frames_that_kill_cost_the_stream_only_themselves(tmp_path: Path) -> None:
    sent = list(itertools.islice(frames(1), 40))

    async with FakeRelay().serving() as served, \
            house_in(tmp_path, words=("-c", FRAIL, *FOLDERS)) as house:
        for at, one in enumerate(sent):
            await served.add(one)
            if at in (3, 4, 30):
                await served.add_bytes(one.seq, DEADLY)
        async with house.following(served) as upstream:
            await house.until_position(sent[-1].seq)
        events = told(house.store)

    assert [named(event) for event in events] == expected(sent)
    assert upstream.counts["deadly_deadly"] == 3


async def test_hostile_frames_between_good_ones_cost_only_themselves(tmp_path: Path) -> None:
    sent = list(itertools.islice(frames(1), 30))
    spoiled = bytearray(sent[9].frame)
    spoiled[-40] ^= 1
    hostile = [b"", b"\xff", b"text", bytes(spoiled), b"\x81" * 100_000, sent[9].frame[:-5]]

    async with FakeRelay().serving() as served, house_in(tmp_path) as house:
        for at, one in enumerate(sent):
            await served.add(one)
            if at >= 20:
                await served.add_bytes(one.seq, hostile[at % len(hostile)])
        async with house.following(served) as upstream:
            await house.until_position(sent[-1].seq)
        events = told(house.store)

    assert [named(event) for event in events] == expected(sent)
    refused = {name: count for name, count in upstream.counts.items() if "refused" in name}
    assert sum(refused.values()) >= 9
    assert upstream.counts["lost"] == 0


async def test_a_frame_too_big_for_anybody_does_not_hold_up_the_stream(tmp_path: Path) -> None:
    """It ends the connection each time; the cursor leaps over it, further with every try."""
    sent = list(itertools.islice(frames(1), 30))
    far = Relay(3, first_seq=sent[-1].seq + 40)
    last = far.identity("did:plc:moss")

    async with FakeRelay(sent).serving() as served, house_in(tmp_path) as house:
        await served.add_bytes(sent[-1].seq + 20, bytes(6 << 20))
        await served.add(last)
        async with house.following(served):
            await house.until_position(last.seq)
        events = told(house.store)

    assert [named(event) for event in events] == expected([*sent, last])
    assert served.cursors == [0, *(sent[-1].seq + leap for leap in (1, 2, 4, 8, 16, 32))][
        :len(served.cursors)]


async def test_what_the_store_refuses_does_not_hold_up_the_stream(tmp_path: Path) -> None:
    """The child lets through what the store takes; were it ever not so, one event is lost."""
    relay = Relay(1)
    sent = [relay.identity("did:plc:moss"), relay.identity("did:plc:moss", "UNSTORABLE.example"),
            relay.identity("did:plc:moss")]

    async with FakeRelay(sent).serving() as served, \
            house_in(tmp_path, words=("-c", FRAIL, *FOLDERS)) as house:
        async with house.following(served) as upstream:
            await house.until_position(sent[-1].seq)

        assert [named(event) for event in told(house.store)] == expected(sent)
        assert upstream.counts["refused_by_store"] == 1


async def test_a_child_that_cannot_start_loses_nothing_of_the_stream(tmp_path: Path) -> None:
    sent = list(itertools.islice(frames(1), 5))

    async with FakeRelay(sent).serving() as served:
        async with house_in(tmp_path, words=("-c", "raise SystemExit(1)")) as house:
            async with house.following(served) as upstream:
                await house.until_paused(2)
            assert upstream.counts["waits"] == 2
            assert house.store.position == 0
        async with house_in(tmp_path) as house:
            async with house.following(served):
                await house.until_position(sent[-1].seq)

            assert [named(event) for event in told(house.store)] == expected(sent)
