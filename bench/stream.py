"""The stream at the speed of the machine, beside `websockets` sending one message at a time.

    python -m bench.stream [--events 1000000] [--only replay,filters,readers,rate] [FOLDER]

One process serves, another consumes; the machine's other core, if it has two. The consumer counts
frames in C-speed parts (`lichen/stream/client/consuming.py`); how busy it was is printed: 1.0 means
that it was the bottleneck. Where it is, `discarded` says more: the kernel counts the same bytes and
throws them away. Times are from before the connection is opened to the last event.

* replay: every event, plain and compressed, in turns with a peer that sends the same bytes from a
  list in memory. The ratio is the median of the turns' ratios: other work hits both of a turn. On
  a machine that is not quiet read the ratio of events a second of the servers' processor time.
* filters: one collection with 1 % of the events, one actor of 10,000; events scanned a second.
* readers: 10 and 50 replaying everything at once; all together against one alone.
* rate: 12 consumers with mixed filters while 15,000 events a second come in; the processor time of
  the server, that of making and storing these events included, and without consumers beside it.
"""

import argparse
import contextlib
import random
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from bench.results import record
from bench.streaming.events import COMMON, RARE, did_of_actor
from bench.streaming.serving import Program, consume
from lichen.kit import system_clock
from lichen.stream.client.consuming import endpoint_of
from lichen.stream.client.crowd import Crowd, Mix

RUNS = 5
RATE, RATE_S = 15_000, 10
PEER_EVENTS = 300_000
Figures = dict[str, Any]


def replay(server: Program, events: int) -> Figures:
    """Read everything, in turns with the peer."""
    rates: dict[str, list[float]] = {name: [] for name in (
        "plain", "compressed", "peer", "discarded", "peer_discarded")}
    busy: list[float] = []
    cpu_s = peer_cpu_s = 0.0
    with Program("bench.streaming.peer", "--events", str(PEER_EVENTS)) as peer:
        for _ in range(RUNS):
            for name, query in (("plain", "cursor=1"), ("compressed", "cursor=1&compress=true")):
                before = server.cpu_s()
                found = consume(server.port, query, events)
                rates[name].append(events / found["seconds"])
                busy.append(found["cpu_s"] / found["seconds"])
                cpu_s += server.cpu_s() - before
            before = peer.cpu_s()
            found = consume(peer.port, "", PEER_EVENTS, path="/")
            rates["peer"].append(PEER_EVENTS / found["seconds"])
            peer_cpu_s += peer.cpu_s() - before
            found = consume(server.port, "cursor=1", events, discard=server.figures["plain_bytes"])
            rates["discarded"].append(events / found["seconds"])
            found = consume(peer.port, "", PEER_EVENTS, path="/", discard=peer.figures["bytes"])
            rates["peer_discarded"].append(PEER_EVENTS / found["seconds"])
    ours, theirs = 2 * RUNS * events / cpu_s, RUNS * PEER_EVENTS / peer_cpu_s
    return {
        "replay_per_s": round(statistics.median(rates["plain"])),
        "replay_compressed_per_s": round(statistics.median(rates["compressed"])),
        "websockets_per_s": round(statistics.median(rates["peer"])),
        "replay_ratio_to_websockets": _ratio(rates["plain"], rates["peer"]),
        "replay_compressed_ratio_to_websockets": _ratio(rates["compressed"], rates["peer"]),
        "replay_discarded_per_s": round(statistics.median(rates["discarded"])),
        "websockets_discarded_per_s": round(statistics.median(rates["peer_discarded"])),
        "replay_discarded_ratio_to_websockets": _ratio(
            rates["discarded"], rates["peer_discarded"]),
        "replay_consumer_busy": round(statistics.median(busy), 2),
        "replay_per_cpu_s": round(ours), "websockets_per_cpu_s": round(theirs),
        "replay_cpu_ratio_to_websockets": round(ours / theirs, 1),
        "plain_bytes_mean": round(server.figures["plain_bytes"] / server.figures["events"]),
        "compressed_bytes_mean": round(
            server.figures["compressed_bytes"] / server.figures["events"]),
    }


def _ratio(ours: list[float], theirs: list[float]) -> float:
    return round(statistics.median(
        one / other for one, other in zip(ours, theirs, strict=True)), 1)


def filters(server: Program, events: int) -> Figures:
    """Read what a filter leaves; the last match stands near the end of what is scanned."""
    found = {}
    for name, query, matches in (
            ("one_in_100", f"wantedCollections={RARE}", events // 100),
            ("one_actor", f"wantedDids={did_of_actor(4_711)}", events // 10_000)):
        seconds = [consume(server.port, f"cursor=1&{query}", matches)["seconds"]
                   for _ in range(RUNS)]
        found[f"filter_{name}_scanned_per_s"] = round(events / statistics.median(seconds))
    return found


def readers(server: Program, events: int) -> Figures:
    """Read everything with several sockets of one consuming process."""
    alone = statistics.median(
        consume(server.port, "cursor=1", events)["seconds"] for _ in range(RUNS))
    found: Figures = {"readers_1_per_s": round(events / alone)}
    for count in (10, 50):
        seconds = consume(server.port, "cursor=1", events, readers=count)["seconds"]
        found[f"readers_{count}_per_s"] = round(events * count / seconds)
        found[f"readers_{count}_ratio_to_1"] = round(count * alone / seconds, 2)
    return found


def rate(server: Program, _: int) -> Figures:
    """Append 15,000 events a second, without anybody and with 12 consumers."""
    idle = _busy(server, lambda: time.sleep(0.05))
    crowd = Crowd(endpoint_of(f"127.0.0.1:{server.port}"), _mixes(), clock=system_clock,
                  draw=random.Random(1).randbytes)
    crowd.gather()
    busy = _busy(server, lambda: crowd.look(0.05))
    crowd.drain()
    found = {
        "rate_12_consumers_cores": round(busy, 2), "rate_no_consumer_cores": round(idle, 2),
        "rate_delivered_per_s": round(crowd.messages / RATE_S),
        "rate_p99_ms": max(one.percentile_ms(99) for one in crowd.delays.values()),
    }
    crowd.close()
    return found


def _busy(server: Program, meanwhile: Callable[[], object]) -> float:
    """Return the cores that the server takes while it appends."""
    cpu, end = server.cpu_s(), time.monotonic() + RATE_S
    server.tell(f"rate {RATE} {RATE_S}")
    while time.monotonic() < end:
        meanwhile()
    done = server.answer()
    # Where other work took the time, less was appended: told as if all of it had been.
    share = (done["last_seq"] - done["first_seq"] + 1) / (RATE * RATE_S)
    return (server.cpu_s() - cpu) / RATE_S / share


def _mixes() -> list[Mix]:
    """Return two that take everything, four collections, a prefix, four sets of actors, both."""
    dids = [f"wantedDids={did_of_actor(actor)}" for actor in range(400)]
    return [
        Mix("everything", "", 1), Mix("everything, compressed", "compress=true", 1),
        *(Mix(f"collection {n}", f"wantedCollections=app.bench.common{n % COMMON:02d}", 1)
          for n in (3, 5, 8, 13)),
        Mix("prefix", "wantedCollections=app.bench.*", 1),
        *(Mix(f"actors {n}", "&".join(dids[n * 100:(n + 1) * 100]), 1) for n in range(4)),
        Mix("both", f"wantedCollections={RARE}&{dids[0]}&{dids[7]}", 1),
    ]


PARTS = {"replay": replay, "filters": filters, "readers": readers, "rate": rate}


@contextlib.contextmanager
def _folder(given: Path | None) -> Iterator[Path]:
    if given is not None:
        given.mkdir(parents=True, exist_ok=True)
        yield given
        return
    with tempfile.TemporaryDirectory(prefix="lichen-bench-") as made:
        yield Path(made)


def main() -> None:
    """Measure, print and keep the figures."""
    words = argparse.ArgumentParser()
    words.add_argument("folder", type=Path, nargs="?", help="kept and used again where given")
    words.add_argument("--events", type=int, default=1_000_000)
    words.add_argument("--only", default=",".join(PARTS))
    given = words.parse_args()
    figures: Figures = {"events": given.events}
    with _folder(given.folder) as folder, \
            Program("bench.streaming.server", str(folder), "--events", str(given.events)) as server:
        for name in given.only.split(","):
            found = PARTS[name](server, given.events)
            for figure, value in found.items():
                print(f"{figure:44} {value:>14,}", flush=True)
            figures |= found
    record("stream", figures)


if __name__ == "__main__":
    main()
