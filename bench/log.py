"""How fast the log takes events durably and gives them back, beside SQLite in the same run.

    python -m bench.log [FOLDER]

Appending: batches of 1,000 events of 480 bytes, one after the other, each durable before the next,
in turns with SQLite (WAL, synchronous=FULL, one transaction a batch). Both are awaited from an
event loop, as a server has to, and write on a thread of their own, to FOLDER (the system's
temporary folder by default). The floor is the bare disk: the same bytes by pwrite and fdatasync,
nothing else; where its p99 is high, other work holds the disk, and no log can be quicker. Reading:
the whole log, every checksum verified, every record decoded to its envelope with the record left as
raw JSON, on one core.
"""

import asyncio
import os
import sqlite3
import statistics
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import uvloop

from bench.results import record
from lichen.events import Event, decode_events, encode_event
from lichen.kit import TidGenerator, system_clock
from lichen.log import SegmentLog

BATCH_RECORDS = 1_000
RECORD_BYTES = 480
TURNS = 8  # the two take turns, so that other work on the machine hits both
BATCHES_A_TURN = 50
READ_ROUNDS = 7


def events() -> list[bytes]:
    """Return one batch of comments as the forum encodes them, each of the same size."""
    tids = TidGenerator(system_clock, clock_id=1)
    encoded = []
    for number in range(BATCH_RECORDS):
        event = Event(
            id=tids.next(), did=f"did:web:forum.example%3A8536:u:person{number:05d}",
            collection="lichen.forum.comment", operation="create", rkey=tids.next(),
            cid="bafyreigh2akiscaildcqabsyg3dfr6chu3fgpregiymsck7e7aqa4s52zy", row=number)
        room = RECORD_BYTES - len(encode_event(event)) - len(',"record":{"content":""}')
        text = ("lichen grows slowly, on bare rock " * 20)[:room]
        line = encode_event(event)[:-1] + f',"record":{{"content":"{text}"}}}}'.encode()
        assert len(line) == RECORD_BYTES
        encoded.append(line)
    return encoded


class Stopwatch:
    """Times of single commits, in seconds."""

    def __init__(self) -> None:
        self.commits: list[float] = []

    @property
    def events_per_s(self) -> float:
        """Return the rate over all commits."""
        return len(self.commits) * BATCH_RECORDS / sum(self.commits)

    def commit_ms(self, percent: int) -> float:
        """Return a percentile of the commits in ms."""
        return statistics.quantiles(self.commits, n=100)[percent - 1] * 1_000


async def append_turn(log: SegmentLog, batch: list[bytes], watch: Stopwatch) -> None:
    """Append some batches to the log."""
    for _ in range(BATCHES_A_TURN):
        start = time.perf_counter()
        await log.append(batch)
        watch.commits.append(time.perf_counter() - start)


async def sqlite_turn(database: sqlite3.Connection, thread: ThreadPoolExecutor,
                      batch: list[bytes], watch: Stopwatch) -> None:
    """Insert some batches into SQLite, on its thread."""
    loop = asyncio.get_running_loop()
    for _ in range(BATCHES_A_TURN):
        start = time.perf_counter()
        await loop.run_in_executor(thread, insert, database, batch)
        watch.commits.append(time.perf_counter() - start)


def insert(database: sqlite3.Connection, batch: list[bytes]) -> None:
    """Insert one batch durably."""
    database.execute("BEGIN IMMEDIATE")
    database.executemany("INSERT INTO log (time_us, payload) VALUES (?, ?)",
                         [(system_clock(), line) for line in batch])
    database.execute("COMMIT")


def floor_turn(fd: int, content: bytes, watch: Stopwatch) -> None:
    """Write the same bytes to a bare file."""
    for _ in range(BATCHES_A_TURN):
        offset = len(watch.commits) * len(content)
        start = time.perf_counter()
        os.pwrite(fd, content, offset)
        os.fdatasync(fd)
        watch.commits.append(time.perf_counter() - start)


def open_sqlite(path: Path) -> sqlite3.Connection:
    """Open a database that is as durable as the log."""
    database = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
    database.execute("PRAGMA journal_mode=WAL")
    database.execute("PRAGMA synchronous=FULL")
    database.execute("CREATE TABLE log (seq INTEGER PRIMARY KEY, time_us INTEGER, payload BLOB)")
    return database


def read_all(log: SegmentLog) -> tuple[float, float]:
    """Read and decode the whole log; return the events per second, of time and of processor."""
    start, start_cpu = time.perf_counter(), time.thread_time()
    count, seq = 0, 1
    while seq <= log.last_seq:
        batch = log.read(seq)
        decoded = decode_events(batch.lines())
        assert len(decoded) == len(batch)
        count += len(decoded)
        seq = batch.next_seq
    assert count == log.last_seq
    return count / (time.perf_counter() - start), count / (time.thread_time() - start_cpu)


async def main(folder: Path) -> None:
    """Measure, print and keep the figures."""
    batch = events()
    ours, theirs, floor = Stopwatch(), Stopwatch(), Stopwatch()
    bare = os.open(folder / "bare", os.O_RDWR | os.O_CREAT)
    database = open_sqlite(folder / "log.sqlite")
    log = SegmentLog.open(folder / "log", clock=system_clock)
    with ThreadPoolExecutor(1) as thread:
        for _ in range(TURNS):
            await append_turn(log, batch, ours)
            await sqlite_turn(database, thread, batch, theirs)
            floor_turn(bare, b"\n".join(batch), floor)
    reading = [read_all(log) for _ in range(READ_ROUNDS)]
    await log.close()
    database.close()
    os.close(bare)
    figures = {
        "append_ratio_to_sqlite": round(ours.events_per_s / theirs.events_per_s, 2),
        "append_events_per_s": round(ours.events_per_s),
        "append_commit_p50_ms": round(ours.commit_ms(50), 2),
        "append_commit_p99_ms": round(ours.commit_ms(99), 2),
        "floor_commit_p50_ms": round(floor.commit_ms(50), 2),
        "floor_commit_p99_ms": round(floor.commit_ms(99), 2),
        "sqlite_events_per_s": round(theirs.events_per_s),
        "sqlite_commit_p99_ms": round(theirs.commit_ms(99), 2),
        "read_events_per_s": round(statistics.median(rate for rate, _ in reading)),
        "read_events_per_cpu_s": round(statistics.median(rate for _, rate in reading)),
    }
    print(f"log, {BATCH_RECORDS} x {RECORD_BYTES} B a batch, {os.cpu_count()} cores, "
          f"load {os.getloadavg()[0]:.1f}")
    print(f"  durable append   {figures['append_ratio_to_sqlite']} times SQLite WAL FULL (2.5 "
          f"wanted), commit p99 {figures['append_commit_p99_ms']} ms (under 10 wanted; the bare "
          f"disk's is {figures['floor_commit_p99_ms']})")
    print(f"  read and decode  {figures['read_events_per_s']:,} events/s (900,000 wanted)")
    for name, value in figures.items():
        print(f"    {name:24} {value:>12,}")
    record("log", {**figures, "load": round(os.getloadavg()[0], 1)})


if __name__ == "__main__":
    with tempfile.TemporaryDirectory(dir=sys.argv[1] if len(sys.argv) > 1 else None) as scratch:
        uvloop.run(main(Path(scratch)))
