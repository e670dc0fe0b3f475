"""A server for benches alone: a store, the stream's server, and events appended as it is told.

    python -m bench.streaming.server FOLDER [--events N]

Fills an empty folder with N events, prints its port as one JSON line, then obeys lines on its
standard input, each answered with one JSON line when it is done:

    rate R S    append R events a second for S seconds, in batches of 5 ms
    stop        close and end
"""

import argparse
import asyncio
import json
import os
import sys
from pathlib import Path

import uvloop

from bench.streaming.events import arrivals
from lichen.kit import system_clock
from lichen.stream.dictionary import Dictionaries
from lichen.stream.engine import Store
from lichen.stream.serving.server import StreamServer
from lichen.stream.serving.settings import ServerSettings

FILL_EVENTS = 4_000  # in one append, so that its JSON stays below what one may hold
TICK_S = 0.005
MANY = 1_000_000


async def main(folder: Path, events: int) -> None:
    """Serve until told to stop."""
    dictionaries = Dictionaries(folder / "dictionaries")
    store = Store.open(folder, clock=system_clock, dictionaries=dictionaries)
    await fill(store, events)
    server = StreamServer({"": store}, clock=system_clock, settings=ServerSettings(
        port=0, subscribers_per_address_max=MANY, connects_per_minute_max=MANY))
    await server.start()
    tell({"port": server.port, "pid": os.getpid(), "events": store.next_seq - 1,
          **store.sizes()._asdict()})
    lines = asyncio.StreamReader()
    await asyncio.get_running_loop().connect_read_pipe(
        lambda: asyncio.StreamReaderProtocol(lines), sys.stdin)
    while line := (await lines.readline()).split():
        if line[0] == b"stop":
            break
        tell(await append_at(store, float(line[1]), float(line[2])))
    await server.close()
    await store.close()


async def fill(store: Store, events: int) -> None:
    """Append what is missing, as fast as it goes."""
    while (first := store.next_seq) <= events:
        await store.append(arrivals(first, min(FILL_EVENTS, events + 1 - first)), position=0)


async def append_at(store: Store, rate: float, seconds: float) -> dict[str, float]:
    """Append at a rate; every event has the time at which its append began."""
    loop = asyncio.get_running_loop()
    first, start = store.next_seq, loop.time()
    while (passed := loop.time() - start) < seconds:
        due = int(passed * rate) - (store.next_seq - first)
        if due > 0:
            batch = arrivals(store.next_seq, min(due, FILL_EVENTS))
            now_us = system_clock()
            await store.append([one._replace(time_us=now_us + place)
                                for place, one in enumerate(batch)], position=0)
        await asyncio.sleep(TICK_S)
    return {"first_seq": first, "last_seq": store.next_seq - 1, "seconds": loop.time() - start}


def tell(figures: dict[str, float]) -> None:
    """Print one line for whoever started this."""
    print(json.dumps(figures), flush=True)


words = argparse.ArgumentParser()
words.add_argument("folder", type=Path)
words.add_argument("--events", type=int, default=0)
given = words.parse_args()
uvloop.run(main(given.folder, given.events))
