"""The stream's core alone: an append beside compression and disk, a pull beside sending.

    python -m bench.stream_core [--events 60000]

Prints µs an event of an append (encoding and index, with and without zstd; into /dev/shm where it
is) and events a second of one core for pulls, over one history of events of 500 bytes.
"""

import argparse
import asyncio
import random
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from bench.results import record
from lichen.kit import system_clock
from lichen.stream import (
    EVERYTHING,
    Arrival,
    Dictionaries,
    Filter,
    Form,
    Kind,
    Operation,
    Store,
    Wire,
    pull,
)
from lichen.stream.encoding import Encoder, Place

BATCH = 1_000
COLLECTIONS = ("app.bsky.feed.like", "app.bsky.feed.post", "app.bsky.graph.follow",
               "app.bsky.feed.repost")


def arrivals(count: int, *, actors: int) -> list[Arrival]:
    """Return events of about 500 bytes by so many actors."""
    chance = random.Random(1)
    made = []
    for number in range(count):
        collection = COLLECTIONS[number % len(COLLECTIONS)]
        text = "".join(chance.choices("abcdefghij klmnop", k=190))
        body = (f'{{"rev":"3k{number:011d}","operation":"create","collection":"{collection}",'
                f'"rkey":"3l{number:011d}","record":{{"$type":"{collection}","text":"{text}",'
                f'"createdAt":"2026-01-01T00:00:00.000Z"}},"cid":"bafyrei{number:052d}"}}')
        made.append(Arrival(f"did:plc:{chance.randrange(actors):024d}", body.encode(), Kind.COMMIT,
                            Operation.CREATE, collection, is_root=number % 3 == 0,
                            langs=("en",) if number % 2 else ()))
    return made


class _NoCompressor:
    def compress(self, message: bytes) -> bytes:
        return b""


def seconds_of(act: Callable[[], object], *, times: int = 3) -> float:
    """Return what the quickest of some runs took of one core; nothing in them waits."""
    found = []
    for _ in range(times):
        began = time.process_time()
        act()
        found.append(time.process_time() - began)
    return min(found)


def encoding_us(events: list[Arrival], compressor: object) -> float:
    """Return what one event costs to encode."""
    encoder = Encoder(system_clock, dictionary=1, compressor=compressor)  # type: ignore[arg-type]

    def encode() -> None:
        for at in range(0, len(events), BATCH):
            encoder.record(events[at : at + BATCH], Place(at, 0), position=0)

    return seconds_of(encode) / len(events) * 1e6


def pulls(store: Store, wanted: Filter, form: Form) -> int:
    """Read from the first event to the last; return how many there were."""
    seq, events = 0, 0
    while seq < store.next_seq:
        pulled = pull(store, seq, wanted, form)
        seq, events = pulled.next_seq, events + pulled.events
    return events


async def measured(count: int, folder: Path) -> dict[str, float]:
    """Return all figures."""
    events = arrivals(count, actors=10_000)
    dictionaries = Dictionaries(folder / "dictionaries")
    compressor = dictionaries.compressor(dictionaries.stored)
    figures = {"encode_us": encoding_us(events, _NoCompressor()),
               "encode_with_zstd_us": encoding_us(events, compressor)}
    store = Store.open(folder / "stream", clock=system_clock, dictionaries=dictionaries)
    began = time.perf_counter()
    for at in range(0, count, BATCH):
        await store.append(events[at : at + BATCH], position=at)
    figures["append_us"] = (time.perf_counter() - began) / count * 1e6
    began = time.perf_counter()
    for one in events[:500]:
        await store.append([one], position=count)
    figures["append_of_one_us"] = (time.perf_counter() - began) / 500 * 1e6
    zstd = dictionaries.stored
    for name, wanted, form in (
        ("all", EVERYTHING, Form()), ("all_packed", EVERYTHING, Form(dictionary=zstd)),
        ("one_of_four", Filter(collections=frozenset(COLLECTIONS[1:2])), Form()),
        ("one_actor", Filter(dids=frozenset([events[7].did])), Form()),
        ("v2", EVERYTHING, Form(Wire.V2)), ("v2_packed", EVERYTHING, Form(Wire.V2, zstd)),
        ("lines", EVERYTHING, Form(is_framed=False)),
    ):
        pulls(store, wanted, form)  # maps the pages, checks the checksums
        figures[f"{name}_per_s"] = (count + 500) / seconds_of(
            lambda wanted=wanted, form=form: pulls(store, wanted, form))
    await store.close()
    return {name: round(figure, 2) for name, figure in figures.items()}


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--events", type=int, default=60_000)
    count = parser.parse_args().events
    shared = Path("/dev/shm")
    with tempfile.TemporaryDirectory(dir=shared if shared.is_dir() else None) as folder:
        figures = asyncio.run(measured(count, Path(folder)))
    record("stream_core", figures)
    for name, figure in figures.items():
        sys.stdout.write(f"{name:24} {figure:14,.2f}\n")


if __name__ == "__main__":
    main()
