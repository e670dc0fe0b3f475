"""Live: 2,000 subscribers at 1,000 events a second, each event of each one accounted for.

    python -m bench.stream_live [--subscribers 2000] [--everything 50] [--rate 1000] [--seconds 20]

One process stores and serves, this one is everybody else: one epoll over raw sockets
(`lichen/stream/client/crowd.py`). 50 take everything, the others filters that match 2 %: half one
collection of 50, half 200 actors of 10,000. What each has to get is known by the events' numbers;
`lost`, `doubled`, `turned` and `unasked` count single events, so 0 means that every one came, once
and in order. Delays run from the moment before the append (which waits for the disk) to the moment
after the `recv`, by one clock. The floor beside it: one subscriber alone at the same rate, and one
write with fdatasync to a bare file.

Memory a subscriber: what the server's private memory grew by, divided. Two cores are needed: on
other machines read the ratio of the processor times that are printed.
"""

import argparse
import os
import random
import resource
import statistics
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bench.results import record
from bench.streaming.events import ACTORS, RARE, collection_of, did_of, did_of_actor
from bench.streaming.serving import Program, private_mb
from lichen.kit import system_clock
from lichen.stream.client.consuming import endpoint_of
from lichen.stream.client.crowd import Crowd, Mix, all_faults, faults_of

SETS = 50  # of actors, 2 % of all in each
FLOOR_WRITES = 500
FLOOR_BYTES = 3_000  # some events with their side index
ALONE_S = 5
KINDS = ("everything", "collection", "actors")  # a mix is named for one of them and a number
Figures = dict[str, Any]


def main() -> None:
    """Measure, print and keep the figures."""
    words = argparse.ArgumentParser()
    words.add_argument("--subscribers", type=int, default=2_000)
    words.add_argument("--everything", type=int, default=50)
    words.add_argument("--rate", type=int, default=1_000)
    words.add_argument("--seconds", type=int, default=20)
    given = words.parse_args()
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    figures: Figures = vars(given)
    with tempfile.TemporaryDirectory(prefix="lichen-bench-") as folder:
        figures |= floor(Path(folder))
        with Program("bench.streaming.server", folder) as server:
            figures |= alone(server, given.rate)
            figures |= together(server, given)
    for figure, value in figures.items():
        print(f"{figure:44} {value:>14,}")
    record("stream_live", figures)


def floor(folder: Path) -> Figures:
    """Write and sync a bare file as often as the store has to."""
    delays = []
    with (folder / "bare").open("wb", buffering=0) as bare:
        for _ in range(FLOOR_WRITES):
            start = time.perf_counter()
            bare.write(bytes(FLOOR_BYTES))
            os.fdatasync(bare.fileno())
            delays.append(time.perf_counter() - start)
    return {"floor_fdatasync_p99_ms": round(statistics.quantiles(delays, n=100)[98] * 1_000, 2)}


def alone(server: Program, rate: int) -> Figures:
    """Serve one subscriber: durable before visible, and still soon."""
    crowd = _crowd(server, [Mix("everything 0", "", 1)])
    crowd.gather()
    faults = _listened(server, crowd, rate, ALONE_S)
    delays = crowd.delays["everything 0"]
    crowd.close()
    assert not any(faults.values()), f"one subscriber alone: {faults}"
    return {"alone_p50_ms": delays.percentile_ms(50), "alone_p99_ms": delays.percentile_ms(99)}


def together(server: Program, given: argparse.Namespace) -> Figures:
    """Serve everybody."""
    crowd = _crowd(server, _mixes(given.subscribers, given.everything))
    before_mb, began = private_mb(server.pid), time.perf_counter()
    crowd.gather()
    found: Figures = {"connects_per_s": round(given.subscribers / (time.perf_counter() - began))}
    cpu, own = server.cpu_s(), time.process_time()
    found |= _listened(server, crowd, given.rate, given.seconds)
    after_mb = private_mb(server.pid)
    found |= {
        "server_cores": round((server.cpu_s() - cpu) / given.seconds, 2),
        "crowd_cores": round((time.process_time() - own) / given.seconds, 2),
        "delivered": crowd.messages,
        "delivered_per_s": round(crowd.messages / given.seconds),
        "hung_up": sum(bool(member.ended) for member in crowd.members),
        "memory_kb_a_subscriber": round((after_mb - before_mb) * 1_024 / given.subscribers, 1),
        "server_private_mb": round(after_mb, 1),
    }
    for kind in KINDS:
        delays = [one for name, one in crowd.delays.items() if name.startswith(kind)]
        found[f"{kind}_p50_ms"] = round(statistics.median(
            one.percentile_ms(50) for one in delays), 1)
        found[f"{kind}_p99_ms_worst"] = max(one.percentile_ms(99) for one in delays)
    crowd.close()
    return found


def _crowd(server: Program, mixes: list[Mix]) -> Crowd:
    return Crowd(endpoint_of(f"127.0.0.1:{server.port}"), mixes, clock=system_clock,
                 draw=random.Random(1).randbytes)


def _mixes(subscribers: int, everything: int) -> list[Mix]:
    chosen = [Mix("everything 0", "", everything)]
    places = [place for place in range(2, 49) if place != 37]  # what has 2 %, neither more nor less
    for number in range(subscribers - everything):
        if number % 2:
            name = f"collection {places[number // 2 % len(places)]}"
        else:
            name = f"actors {number // 2 % SETS}"
        chosen.append(Mix(name, _query(name), 1))
    return chosen


def _query(name: str) -> str:
    kind, _, number = name.partition(" ")
    if kind == "collection":
        return f"wantedCollections=app.bench.common{int(number):02d}"
    return "&".join(f"wantedDids={did_of_actor(actor)}"
                    for actor in range(int(number), ACTORS, SETS))


def _listened(server: Program, crowd: Crowd, rate: int, seconds: int) -> Figures:
    """Read while events are appended, then until all is quiet; count what is wrong."""
    server.tell(f"rate {rate} {seconds}")
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        crowd.look(0.02)
    appended = server.answer()
    crowd.drain()
    expected = _expected(int(appended["first_seq"]), int(appended["last_seq"]))
    faults = all_faults(faults_of(member, expected[member.mix.name]) for member in crowd.members)
    return faults._asdict()


def _expected(first: int, last: int) -> dict[str, NDArray[np.int64]]:
    """Return which numbers each kind of subscriber has to get."""
    numbers = np.arange(first, last + 1, dtype=np.int64)
    collections = np.array([collection_of(number) for number in range(first, last + 1)])
    actors = np.array([int(did_of(number)[-4:]) for number in range(first, last + 1)])
    assert (collections == RARE).mean() < 0.02
    found = {"everything 0": numbers}
    for place in range(49):
        found[f"collection {place}"] = numbers[collections == f"app.bench.common{place:02d}"]
    for number in range(SETS):
        found[f"actors {number}"] = numbers[actors % SETS == number]
    return found


if __name__ == "__main__":
    main()
