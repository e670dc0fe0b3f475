"""What only a log on NATS can meet: other appenders, lost answers, a server that dies."""

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import aclosing
from pathlib import Path

import msgspec
import pytest

from lichen.log import (
    JetStreamLog,
    JetStreamOptions,
    LogDamaged,
    LogLocked,
    LogUnavailable,
    ServerRefused,
)
from lichen.log.jetstream_link import Link, Question
from lichen.log.jetstream_stream import Stream
from tests.conftest import FakeClock
from tests.log.test_contract import all_records, lines
from tests.log.wire import Wire
from tests.nats import NatsServer

pytestmark = pytest.mark.anyio

SECRET = b'{"secret":"the words that must be gone"}'

# A process that appends once for each line it is given, and says what came of it.
APPENDER = """
import asyncio, sys
from lichen.kit import LichenError, system_clock
from lichen.log import JetStreamLog, JetStreamOptions

async def main():
    log = JetStreamLog.open(JetStreamOptions(*sys.argv[1:]), clock=system_clock)
    for line in sys.stdin:
        try:
            print((await log.append([line.strip().encode()])).first_seq, flush=True)
        except LichenError as error:
            print(type(error).__name__, error, flush=True)

asyncio.run(main())
"""

Open = Callable[[], JetStreamLog]


@pytest.fixture
def wire(nats_server: NatsServer) -> Iterator[Wire]:
    wire = Wire(nats_server.port)
    yield wire
    wire.close()


@pytest.fixture
async def open_log(
    nats_options: JetStreamOptions, wire: Wire, clock: FakeClock
) -> AsyncIterator[Open]:
    """Yield a function that opens the test's stream over the wire."""
    opened: list[JetStreamLog] = []

    def open_it() -> JetStreamLog:
        opened.append(JetStreamLog.open(nats_options._replace(url=wire.url), clock=clock))
        return opened[-1]

    yield open_it
    wire.mend()
    for log in opened:
        await log.close()


@pytest.fixture
def stream(nats_options: JetStreamOptions) -> Iterator[Stream]:
    """Yield the test's stream, past any log."""
    link = Link(nats_options.url)
    stream = Stream(link, nats_options.stream)
    stream.open(1)
    yield stream
    link.close()


@pytest.fixture
def own_server(tmp_path: Path) -> Iterator[NatsServer]:
    server = NatsServer(tmp_path / "nats").start()
    yield server
    server.kill()


def stored_bytes(server: NatsServer, stream: str) -> bytes:
    return b"".join(path.read_bytes() for path in server.folder.rglob("*")
                    if path.is_file() and stream in str(path))


@pytest.mark.slow
def test_the_log_is_imported_without_the_client_of_nats() -> None:
    found = subprocess.run(
        [sys.executable, "-c", "import sys, lichen.log; print('nats' in sys.modules)"],
        capture_output=True, text=True, check=True)

    assert found.stdout == "False\n"


async def test_whoever_appends_is_named_to_a_second_one(
    open_log: Open, nats_options: JetStreamOptions
) -> None:
    log = open_log()

    with pytest.raises(LogLocked) as locked:
        open_log()

    assert locked.value.pid.startswith(f"{os.getpid()} on ")
    assert nats_options.stream in locked.value.text
    await log.append(lines(1, 1))


@pytest.fixture
def other(nats_options: JetStreamOptions) -> Iterator[subprocess.Popen[str]]:
    """Yield another process that appends to the same stream."""
    with subprocess.Popen(
        [sys.executable, "-c", APPENDER, *nats_options[:3]], text=True,
        stdin=subprocess.PIPE, stdout=subprocess.PIPE,
    ) as process:
        yield process
        process.kill()


@pytest.mark.slow
async def test_one_that_slept_while_another_took_over_appends_no_more(
    other: "subprocess.Popen[str]", open_log: Open
) -> None:
    """Its connection stood all the time: only the expected position tells that time went on."""
    assert other.stdin is not None and other.stdout is not None
    print('{"number":1}', file=other.stdin, flush=True)
    assert other.stdout.readline() == "1\n"
    os.kill(other.pid, signal.SIGSTOP)

    log = open_log()  # asks, gets no answer in time, and takes over
    await log.append(lines(2, 2))
    os.kill(other.pid, signal.SIGCONT)
    other.stdin.write('{"number":3}\n{"number":4}\n')
    other.stdin.close()

    refusals = [line for line in other.stdout.read().splitlines() if line.startswith("Log")]
    assert len(refusals) == 2
    assert all(line.startswith("LogFenced") and "another process wrote" in line
               for line in refusals)
    assert all_records(log) == dict(enumerate(lines(1, 2), 1))


@pytest.mark.slow
async def test_what_was_acknowledged_survives_the_death_of_the_server(
    own_server: NatsServer, clock: FakeClock
) -> None:
    options = JetStreamOptions(own_server.url, monitor_url=own_server.monitor_url)
    log = JetStreamLog.open(options, clock=clock)
    for number in range(1, 51):
        await log.append(lines(number, number))

    own_server.kill()
    with pytest.raises(LogUnavailable):
        await log.append(lines(0, 0))
    with pytest.raises(LogUnavailable):
        log.seq_at(0)
    own_server.start()
    appended = await log.append(lines(51, 60))

    assert appended.first_seq == 51
    assert all_records(log) == dict(enumerate(lines(1, 60), 1))
    await log.close()
    log = JetStreamLog.open(options, clock=clock)
    assert all_records(log) == dict(enumerate(lines(1, 60), 1))
    await log.close()


@pytest.mark.slow
async def test_a_server_that_syncs_less_after_its_restart_is_appended_to_no_more(
    own_server: NatsServer, clock: FakeClock
) -> None:
    log = JetStreamLog.open(
        JetStreamOptions(own_server.url, monitor_url=own_server.monitor_url), clock=clock)
    await log.append(lines(1, 1))

    own_server.kill()
    own_server.settings = ""
    own_server.start()

    with pytest.raises(ServerRefused, match="sync_interval: always"):
        await log.append(lines(2, 2))
    assert all_records(log) == {1: lines(1, 1)[0]}
    await log.close()


async def test_an_append_whose_answer_was_lost_succeeds_once(open_log: Open, wire: Wire) -> None:
    log = open_log()
    await log.append(lines(1, 1))

    wire.lose_answer(stays_cut=False)
    appended = await log.append(lines(2, 3))
    await log.append(lines(4, 4))

    assert (appended.first_seq, appended.last_seq) == (2, 3)
    assert all_records(log) == dict(enumerate(lines(1, 4), 1))


async def test_an_append_that_never_arrived_leaves_no_trace(open_log: Open, wire: Wire) -> None:
    log = open_log()
    await log.append(lines(1, 1))

    wire.lose_question(stays_cut=False)
    with pytest.raises(LogUnavailable):
        await log.append([SECRET])
    appended = await log.append(lines(2, 2))

    assert appended.first_seq == 2
    assert all_records(log) == dict(enumerate(lines(1, 2), 1))


async def test_an_append_that_was_stored_and_failed_is_never_read(
    open_log: Open, wire: Wire, nats_server: NatsServer, nats_options: JetStreamOptions
) -> None:
    """Its caller was told that nothing happened, and may have appended the same again."""
    log = open_log()
    await log.append(lines(1, 1))

    wire.lose_answer(stays_cut=True)
    with pytest.raises(LogUnavailable):
        await log.append([SECRET, SECRET])
    assert log.last_seq == 1
    assert SECRET in stored_bytes(nats_server, nats_options.stream)
    wire.mend()
    appended = await log.append(lines(4, 4))

    left = {1: lines(1, 1)[0], 4: lines(4, 4)[0]}
    assert appended.first_seq == 4
    assert all_records(log) == left
    assert SECRET not in stored_bytes(nats_server, nats_options.stream)
    await log.close()
    assert all_records(open_log()) == left


@pytest.mark.slow
async def test_an_append_of_several_messages_happens_whole_or_not_at_all(
    open_log: Open, wire: Wire
) -> None:
    log = open_log()
    large = [b'"' + b"x" * 1_000_000 + b'"'] * 8

    wire.lose_answer(stays_cut=True)
    with pytest.raises(LogUnavailable):
        await log.append(large)
    wire.mend()
    await log.append(lines(1, 1))

    assert list(all_records(log).values()) == lines(1, 1)
    assert (await log.append(large)).last_seq == log.last_seq
    assert list(all_records(log).values()) == [*lines(1, 1), *large]


async def test_erased_words_are_overwritten_in_the_files_of_the_server(
    open_log: Open, nats_server: NatsServer, nats_options: JetStreamOptions
) -> None:
    log = open_log()
    await log.append([*lines(1, 1), SECRET, *lines(3, 3)])
    await log.append([SECRET])
    assert stored_bytes(nats_server, nats_options.stream).count(SECRET) == 2

    await log.erase([2])
    await log.erase([3, 4])

    assert SECRET not in stored_bytes(nats_server, nats_options.stream)
    assert all_records(log) == {1: lines(1, 1)[0]}


@pytest.mark.parametrize("is_opened_anew", [False, True])
async def test_an_erasure_that_was_cut_short_is_finished(
    open_log: Open, nats_server: NatsServer, nats_options: JetStreamOptions, is_opened_anew: bool,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def fail(stream: Stream, position: int) -> None:
        raise LogUnavailable("The server died just now.")

    log = open_log()
    await log.append([*lines(1, 1), SECRET])
    with monkeypatch.context() as patched:
        patched.setattr(Stream, "erase", fail)
        with pytest.raises(LogUnavailable):
            await log.erase([2])
    assert SECRET in stored_bytes(nats_server, nats_options.stream)

    if is_opened_anew:
        await log.close()
        log = open_log()
    else:
        await log.erase([2])

    assert SECRET not in stored_bytes(nats_server, nats_options.stream)
    assert all_records(log) == {1: lines(1, 1)[0]}
    assert log.last_seq == 2


async def test_retention_that_was_cut_short_leaves_no_gap(
    open_log: Open, monkeypatch: pytest.MonkeyPatch, clock: FakeClock
) -> None:
    """The erased block outlives the others of its time, which must not be missed."""
    log = open_log()
    for first in range(1, 41, 10):
        await log.append(lines(first, first + 9))
        clock.advance(days=1)
    await log.erase([5])
    purge = Stream.purge

    def purge_blocks_alone(stream: Stream, *, before: int = 0, subject: str = "") -> None:
        if subject:
            raise LogUnavailable("The server died just now.")
        purge(stream, before=before)

    with monkeypatch.context() as patched:
        patched.setattr(Stream, "purge", purge_blocks_alone)
        with pytest.raises(LogUnavailable):
            await log.retain(floor_seq=30, age_us_max=0, bytes_max=1 << 40)
    await log.close()
    log = open_log()

    assert log.first_seq == 31
    assert all_records(log, 31) == dict(enumerate(lines(31, 40), 31))


async def test_a_message_that_is_gone_is_named_until_it_is_erased(
    open_log: Open, stream: Stream
) -> None:
    log = open_log()
    for first in range(1, 31, 10):
        await log.append(lines(first, first + 9))
    await log.close()
    position = stream.blocks_from(1)[1].position
    stream.erase(position)  # as somebody's hand might
    log = open_log()

    assert log.read(1).next_seq == 11
    with pytest.raises(LogDamaged) as damaged:
        log.read(12)
    assert (damaged.value.first_seq, damaged.value.last_seq) == (12, 20)
    await log.erase(range(11, 21))

    left = dict(enumerate(lines(1, 10), 1)) | dict(enumerate(lines(21, 30), 21))
    assert all_records(log) == left
    await log.close()
    assert all_records(open_log()) == left


@pytest.mark.slow
@pytest.mark.parametrize("reads_directly", [True, False])
async def test_records_are_found_among_many_small_messages(
    open_log: Open, stream: Stream, clock: FakeClock, reads_directly: bool
) -> None:
    """A stream that is not read directly is read as one of several copies is: by its leader."""
    if not reads_directly:
        config = msgspec.to_builtins(stream.told().config) | {"allow_direct": False}
        stream.link.ask(
            Question(f"$JS.API.STREAM.UPDATE.{stream.name}", msgspec.json.encode(config)))
        assert not stream.told().config.allow_direct
    log = open_log()
    times = []
    for number in range(1, 301):
        times.append((await log.append(lines(number, number))).first_time_us)
        clock.advance(seconds=1)
    await log.erase(range(100, 160))
    left = {seq: line for seq, line in enumerate(lines(1, 300), 1) if not 100 <= seq < 160}

    await log.close()
    log = open_log()

    assert [log.seq_at(times[seq - 1]) for seq in (1, 2, 70, 99, 160, 299, 300)] == [
        1, 2, 70, 99, 160, 299, 300]
    assert log.seq_at(times[120]) == 160
    assert [log.read(seq, limit=1).first_seq for seq in (150, 280, 3, 199)] == [160, 280, 3, 199]
    assert all_records(log) == left


async def test_a_follower_that_waits_for_the_server_lets_the_loop_run(
    own_server: NatsServer, clock: FakeClock
) -> None:
    options = JetStreamOptions(own_server.url, monitor_url=own_server.monitor_url)
    log = JetStreamLog.open(options, clock=clock)
    await log.append(lines(1, 3))
    await log.close()
    log = JetStreamLog.open(options, clock=clock)  # remembers nothing

    own_server.stop_answering()
    async with aclosing(log.follow(1)) as following:
        first = asyncio.ensure_future(anext(following))
        for _ in range(100):
            await asyncio.sleep(0)
        assert not first.done()
        own_server.answer_again()
        assert (await first).seqs.tolist() == [1, 2, 3]
    await log.close()
