"""The stream alone: `lichen stream` follows a relay, serves what it keeps, and stops with grace."""

import asyncio
import random
import re
import signal
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from itertools import islice
from pathlib import Path

import pytest
from click.testing import CliRunner

from bench.firehose import frames
from bench.records import arrivals
from lichen.cli import main
from lichen.stream import Dictionaries
from lichen.stream.client.consuming import StreamEnded, Subscription, endpoint_of
from lichen.stream.dictionary import SHIPPED
from tests.stream.relay import FakeRelay
from tests.stream.serving import serving

pytestmark = [pytest.mark.anyio, pytest.mark.slow]

WAIT_S = 20
FRAMES = 60
SERVING = r"Serving ws://127\.0\.0\.1:(\d+)/"


class Running:
    """A process of `lichen stream`, and what it told."""

    def __init__(self, process: Process) -> None:
        self.process = process
        self.told: list[str] = []

    async def until_told(self, pattern: str) -> re.Match[str]:
        assert self.process.stdout is not None
        async with asyncio.timeout(WAIT_S):
            while line := (await self.process.stdout.readline()).decode():
                self.told.append(line)
                if found := re.search(pattern, line):
                    return found
        raise AssertionError(f"{pattern!r} was never told, but {self.told}")

    async def stop(self) -> int:
        self.process.send_signal(signal.SIGTERM)
        async with asyncio.timeout(WAIT_S):
            return await self.process.wait()


@asynccontextmanager
async def lichen(*words: str) -> AsyncIterator[Running]:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", "from lichen.cli import main; main()", *words, stdout=PIPE)
    try:
        yield Running(process)
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()


async def heard(port: str, cursor: int, count: int) -> tuple[list[bytes], Subscription]:
    """Subscribe and take some events, on a thread."""
    def take() -> tuple[list[bytes], Subscription]:
        subscription = Subscription.open(endpoint_of(f"127.0.0.1:{port}"), f"cursor={cursor}",
                                         draw=random.Random(1).randbytes)
        found: list[bytes] = []
        while len(found) < count:
            assert subscription.fill(WAIT_S), f"{len(found)} of {count} events came"
            found += map(bytes, subscription.messages())
        return found, subscription

    return await asyncio.to_thread(take)


def heard_out(subscription: Subscription, heard: list[bytes]) -> StreamEnded:
    """Take what still comes, up to the end."""
    with pytest.raises(StreamEnded) as ended:
        while True:
            subscription.fill(WAIT_S)
            heard += map(bytes, subscription.messages())
    return ended.value


async def test_a_relay_becomes_a_stream_that_outlives_its_process(tmp_path: Path) -> None:
    """Plain `lichen stream --upstream … --data … --port …`, as it is written everywhere.

    Stopped, it says 1001 and ends well; started again, it goes on behind what it keeps: every
    event is there, once.
    """
    framed = list(islice(frames(3), FRAMES))
    relay = FakeRelay(framed[:40])
    async with relay.serving():
        words = ("stream", "--upstream", relay.address, "--data", str(tmp_path), "--port", "0",
                 "--from-start")
        async with lichen(*words) as first:
            port = (await first.until_told(SERVING))[1]
            early, subscription = await heard(port, 1, 30)
            stopping = asyncio.create_task(first.stop())
            ended = await asyncio.to_thread(heard_out, subscription, early)
            code = await stopping
        await relay.add(*framed[40:])
        async with lichen(*words) as second:
            port = (await second.until_told(SERVING))[1]
            whole, subscription = await heard(port, 1, len(early) + 1)
            subscription.close()
            await second.stop()

    assert code == 0
    assert ended.code == 1001
    assert whole[:len(early)] == early
    cursors = [int(re.search(rb'"cursor":(\d+)', one)[1]) for one in whole]
    assert cursors == sorted(set(cursors))
    assert relay.cursors[-1] is not None, "it asked for what comes after what it keeps"


async def test_a_standby_takes_the_place_of_a_server_that_died(tmp_path: Path) -> None:
    """Followed, killed, promoted by command: the same events under the same cursors, and on."""
    relay = FakeRelay(list(islice(frames(4), FRAMES)))
    key = ("--standby-key", "moss-and-stone", "--port", "0")
    async with relay.serving(), lichen(
            "stream", "--upstream", relay.address, "--data", str(tmp_path / "first"), *key,
            "--from-start") as first:
        port = (await first.until_told(SERVING))[1]
        before, subscription = await heard(port, 1, 40)
        subscription.close()
        async with lichen("stream", "--follow", f"ws://127.0.0.1:{port}/subscribe",
                          "--data", str(tmp_path / "second"), *key) as second:
            port = (await second.until_told(SERVING))[1]
            after, subscription = await heard(port, 1, len(before))
            subscription.close()
            first.process.kill()
            shown = await asyncio.to_thread(CliRunner().invoke, main, [
                "stream", "promote", "--data", str(tmp_path / "second")])
            promoted = await second.until_told(r"Promoted: the next event is (\d+)\.")
            await second.stop()

    assert after[:len(before)] == before
    assert shown.exit_code == 0, shown.output
    assert f"Promoted: the next event is {promoted[1]}." in shown.output
    assert int(promoted[1]) > len(before)


async def test_a_dictionary_is_trained_on_what_a_stream_carries(tmp_path: Path) -> None:
    made = list(arrivals(5, 3_000))
    async with serving(tmp_path / "stream") as served:
        await served.append(made)

        shown = await asyncio.to_thread(CliRunner().invoke, main, [
            "stream", "train", "--data", str(tmp_path / "own"), "--from", served.v1,
            "--events", "3000"])

    known = Dictionaries(tmp_path / "own")
    content = known.bytes_of(known.current)
    assert shown.exit_code == 0, shown.output
    assert f"Dictionary {known.current} is kept" in shown.output
    assert known.current != SHIPPED
    assert not any(one.did.encode() in content for one in made)


async def test_a_taken_port_is_one_line_and_no_success(tmp_path: Path) -> None:
    relay = FakeRelay()
    async with relay.serving(), lichen(
            "stream", "serve", "--upstream", relay.address, "--data", str(tmp_path),
            "--port", str(relay.port)) as running:
        async with asyncio.timeout(WAIT_S):
            code = await running.process.wait()

    assert code == 1


@pytest.mark.parametrize(("words", "said"), [
    ([], "Say what to follow"),
    (["--upstream", "wss://relay.example"], "Say where to keep the events: --data"),
    (["--upstream", "wss://a", "tail"], "Put the options after `tail`"),
    (["serve", "--retention", "soon"], "expected a span as 90m, 36h, 7d or 4w; got 'soon'"),
    (["serve", "--retention-bytes", "5"], "expected a size as 500MB, 60GB or 2TB; got '5'"),
    (["promote"], "Say which folder the standby keeps"),
    (["train"], "Say where the dictionary is kept"),
], ids=["nothing", "no folder", "order", "span", "size", "promote", "train"])
def test_what_is_missing_is_said_with_what_to_do(words: list[str], said: str) -> None:
    shown = CliRunner().invoke(main, ["stream", *words])

    assert shown.exit_code == 2
    assert said in shown.output
