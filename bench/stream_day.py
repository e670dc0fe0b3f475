"""What a day of the whole network takes: on the disk, and on the wire for who wants posts only.

    python -m bench.stream_day [--events 200000]

Events are made together with the frames that a relay would send for them (`bench/firehose.py`), and
go through a real store. In the surge of autumn 2024 a day had 232 GB of relay frames, and 41 GB of
JSON on Jetstream, by its author's word. Both scale what is measured here, and they differ: frames
made here are of the protocol of today, with the proofs that relays send since 2025: there are more
bytes of frame to one of JSON than there were then. The prediction by JSON is the stricter one; it
counts our JSON without `cursor`, which Jetstream's did not have.
"""

import argparse
import asyncio
import os
import tempfile
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

import libipld
import msgspec

from bench.firehose import Framed, cid_of, frames
from bench.network import BEGIN_US
from bench.records import Made, arrival_of, made
from bench.results import record
from lichen.kit.clock import isoformat
from lichen.stream import Arrival, Dictionaries, Filter, Form, Kind, Options, Store, pull
from lichen.stream.encoding import portions

SEED = 21  # of another network than the shipped dictionary's
EVENTS_PER_S = 900  # 41 GB of such events a day
BATCH_EVENTS = 500
SURGE_FRAME_BYTES = 232e9
SURGE_JSON_BYTES = 41e9
CURSOR_BYTES = len('"cursor":41870000,')
POSTS = Filter(collections=frozenset({"app.bsky.feed.post"}))


class Paired(NamedTuple):
    """An event, and the bytes that a relay sent for it."""

    arrival: Arrival
    frame_bytes: int


def paired(seed: int) -> Iterator[Paired]:
    """Yield events with the sizes of their frames, without end."""
    last: list[Made] = []
    for framed in frames(seed, commits=_noted(made(seed), last)):
        if framed.kind == "commit":
            cid = "bafyrei" + "a" * 52 if not last[0].record else framed_cid(framed)
            yield Paired(arrival_of(last[0], cid), len(framed.frame))
        elif framed.kind != "sync":
            yield Paired(_told(framed), len(framed.frame))


def _noted(commits: Iterable[Made], last: list[Made]) -> Iterator[Made]:
    for commit in commits:
        last[:] = [commit]
        yield commit


def framed_cid(framed: Framed) -> str:
    """Return the CID of the record that a frame writes."""
    block = libipld.encode_dag_cbor(framed.writes[0].record)
    return str(libipld.encode_cid(cid_of(block)))


def _told(framed: Framed) -> Arrival:
    kind = Kind[framed.kind.upper()]
    body = {"did": framed.did, "seq": framed.seq, "time": isoformat(BEGIN_US)}
    body |= {"active": True} if kind is Kind.ACCOUNT else {"handle": "moss.bsky.social"}
    return Arrival(framed.did, msgspec.json.encode(body), kind)


class Day:
    """A store that is filled, at the surge's rate by its own clock."""

    def __init__(self, folder: Path) -> None:
        self.now_us = BEGIN_US
        self.frame_bytes = 0
        self.store = Store.open(folder, clock=lambda: self.now_us, options=Options(),
                                dictionaries=Dictionaries(folder))

    async def fill(self, events: Iterator[Paired], count: int) -> None:
        """Append so many events in batches."""
        for begin in range(0, count, BATCH_EVENTS):
            batch = [next(events) for _ in range(min(BATCH_EVENTS, count - begin))]
            self.frame_bytes += sum(one.frame_bytes for one in batch)
            self.now_us += len(batch) * 1_000_000 // EVENTS_PER_S
            for portion in portions([one.arrival for one in batch]):
                await self.store.append(portion, position=begin)

    def sent(self, wanted: Filter) -> tuple[int, int]:
        """Return the bytes and events that a compressed reader of some of it is sent."""
        seq, sent, events = self.store.first_seq, 0, 0
        form = Form(dictionary=self.store.v1_dictionary)
        while seq < self.store.next_seq:
            data, count, seq, _ = pull(self.store, seq, wanted, form)
            sent, events = sent + len(data), events + count
        return sent, events


def figures_of(day: Day, folder: Path) -> dict[str, float]:
    """Return what was measured, and what follows for the surge by either scale."""
    sizes = day.store.sizes()
    files = sum(path.stat().st_size for path in folder.rglob("*.stream"))
    json_bytes = sizes.plain_bytes - sizes.events * (4 + CURSOR_BYTES)
    packed = sizes.compressed_bytes + sizes.index_bytes
    both = packed + sizes.plain_bytes
    posts_bytes, posts = day.sent(POSTS)
    figures: dict[str, float] = {
        "frame_bytes_mean": round(day.frame_bytes / sizes.events),
        "frame_to_json": round(day.frame_bytes / json_bytes, 2),
        "frame_to_json_surge": round(SURGE_FRAME_BYTES / SURGE_JSON_BYTES, 2),
        "plain_frame_bytes": round(sizes.plain_bytes / sizes.events, 1),
        "packed_frame_bytes": round(sizes.compressed_bytes / sizes.events, 1),
        "index_bytes": round(sizes.index_bytes / sizes.events, 1),
        "files_to_sizes": round(files / both, 3),
        "posts_share": round(posts / sizes.events, 4),
        "posts_to_frames_percent": round(100 * posts_bytes / day.frame_bytes, 3),
        "posts_to_surge_frames_percent": round(
            100 * posts_bytes / (json_bytes * SURGE_FRAME_BYTES / SURGE_JSON_BYTES), 3),
    }
    for name, scale in (("frames", SURGE_FRAME_BYTES / day.frame_bytes),
                        ("json", SURGE_JSON_BYTES / json_bytes)):
        figures[f"surge_events_by_{name}"] = round(sizes.events * scale)
        figures[f"both_gb_by_{name}"] = round(both * scale / 1e9, 1)
        figures[f"packed_gb_by_{name}"] = round(packed * scale / 1e9, 1)
    return figures


async def main(events: int, folder: Path) -> None:
    """Measure, print and keep the figures."""
    day = Day(folder)
    await day.fill(paired(SEED), events)
    figures = figures_of(day, folder)
    await day.store.close()
    print(f"stream day, {events:,} events, {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}")
    print(f"  24 h of the surge  by frames {figures['both_gb_by_frames']} GB both forms (under 60 "
          f"wanted), {figures['packed_gb_by_frames']} GB compressed alone (under 18)")
    print(f"                     by JSON   {figures['both_gb_by_json']} GB and "
          f"{figures['packed_gb_by_json']} GB: the stricter scale")
    print(f"  posts only         {figures['posts_to_frames_percent']} % of the frames' bytes "
          f"(at most 1 wanted; {figures['posts_to_surge_frames_percent']} % of the surge's frames)")
    for name, value in figures.items():
        print(f"    {name:30} {value:>14,}")
    record("stream_day", {**figures, "events": events, "load": round(os.getloadavg()[0], 1)})


if __name__ == "__main__":
    options = argparse.ArgumentParser()
    options.add_argument("--events", type=int, default=200_000)
    with tempfile.TemporaryDirectory() as scratch:
        asyncio.run(main(options.parse_args().events, Path(scratch)))
