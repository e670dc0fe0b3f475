"""The graph: a power-law graph is generated, loaded and asked, beside what was published.

    python -m bench.graph                       a hundredth: 55,000 people, 1.64 M follows
    python -m bench.graph --tenth               550,000 people, 16.4 M follows: 3 GB, some minutes
    python -m bench.graph --whole               5.5 M people, 164 M follows: 30 GB, half an hour
    python -m bench.graph --folder DIR          keeps file and graph there, and uses them again

Targets are drawn by a power law (the exponent is chosen so that the most followed have some 900,000
followers in the whole graph, as published), out-degrees by a log-normal law of mean 30; seeded. The
memory is that of a fresh process, read from the kernel: private apart from what is shared with the
page cache. "Cold" is the first question to freshly opened rows, whose files are in the page cache.
Requests are sent by `wrk` where there is one: a client in Python is slower than the server.
"""

import argparse
import asyncio
import json
import multiprocessing
import os
import random
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple, cast

import numpy as np
import uvloop
from numpy.typing import NDArray

from bench.load import Connection, closed, get, post
from bench.results import record
from bench.serving import LICHEN, free_port
from lichen.graph import Change, ChangeKind, Direction, Graph, Overlay, Questions, load
from lichen.graph.changes import Batch, Journal, changes_of
from lichen.graph.engine import overlay_of

WHOLE = (5_500_000, 164_000_000)
PART = 100
CHUNK = 1 << 20
LETTERS = np.frombuffer(b"abcdefghijklmnopqrstuvwxyz234567", np.uint8)
SHIFT_RANKS, EXPONENT = 60.0, 0.95
MIXED_QUERIES = 1_000_000  # about half a minute
PUBLISHED = {"files_gb": 1.6, "open_s": 20, "private_gb": 6.5, "intersection_us": 500,
             "does_follow_per_s": 70_000}


class Scale(NamedTuple):
    """How large the graph is."""

    people: int
    follows: int


def main() -> None:
    """Run the bench."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--whole", action="store_true")
    parser.add_argument("--tenth", action="store_true")
    parser.add_argument("--folder", type=Path)
    words = parser.parse_args()
    part = 1 if words.whole else 10 if words.tenth else PART
    scale = Scale(*(one // part for one in WHOLE))
    with tempfile.TemporaryDirectory() as temporary:
        folder = words.folder or Path(temporary)
        figures: dict[str, object] = {"people": scale.people, "follows": scale.follows}
        pairs, data = folder / "pairs.csv", folder / "graph"
        if not (data / "CURRENT").exists():
            if not pairs.exists():
                write_pairs(pairs, scale)
            figures |= loaded(data, pairs)
        figures |= in_fresh_process(files_and_opening, data)
        figures |= in_fresh_process(mixed_queries, data)
        figures |= in_fresh_process(sets, data)
        figures |= in_fresh_process(changes, data)
        figures |= over_http(data)
    for name, value in figures.items():
        print(f"{name:36} {value}")
    print(f"published by GraphD: {json.dumps(PUBLISHED)}")
    record("graph", figures)


def write_pairs(path: Path, scale: Scale) -> None:
    """Write the file of pairs, a chunk at a time."""
    chance = np.random.default_rng(20_261_125)
    names = LETTERS[chance.integers(0, 32, (scale.people, 24), dtype=np.uint8)]
    weights = 1.0 / (np.arange(scale.people) + SHIFT_RANKS) ** EXPONENT
    bounds = np.cumsum(weights) / weights.sum()
    followed = chance.permutation(scale.people).astype(np.uint32)  # who has which rank
    degrees = chance.lognormal(2.4, 1.4, scale.people)
    degrees = np.maximum(1, degrees * scale.follows * 1.06 / degrees.sum()).astype(np.int64)
    ends = np.cumsum(degrees)
    with path.open("wb") as file:
        for start in range(0, int(ends[-1]), CHUNK):
            count = min(CHUNK, int(ends[-1]) - start)
            actors = ends.searchsorted(np.arange(start, start + count), "right")
            targets = followed[bounds.searchsorted(chance.random(count))]
            lines = np.empty((count, 66), np.uint8)
            for column, people in ((0, actors), (33, targets)):
                lines[:, column : column + 8] = np.frombuffer(b"did:plc:", np.uint8)
                lines[:, column + 8 : column + 32] = names[people]
            lines[:, 32], lines[:, 65] = ord(","), ord("\n")
            lines.tofile(file)
            print(f"\r{start + count:>12,} pairs", end="", file=sys.stderr)
    print(file=sys.stderr)


def loaded(data: Path, pairs: Path) -> dict[str, object]:
    """Build the base in a process of its own; return time and peak memory."""
    started = time.perf_counter()
    peak = in_fresh_process(_load, data, pairs)
    return {"load_s": round(time.perf_counter() - started, 1), **peak}


def _load(data: Path, pairs: Path) -> dict[str, object]:
    load(data, pairs, tell=lambda done, total: print(
        f"\r{done / total:6.1%} read", end="", file=sys.stderr))
    status = Path("/proc/self/status").read_text()
    peak_kb = int(status.split("VmHWM:")[1].split()[0])
    return {"load_peak_gb": round(peak_kb / 1e6, 2)}


def files_and_opening(data: Path) -> dict[str, object]:
    """Return what the files take, how long the first answer takes, and the memory then."""
    base = next(data.glob("base-*"))
    sizes = {path.name: path.stat().st_size for path in base.iterdir()}
    arrays = sum(size for name, size in sizes.items() if name.endswith((".rows", ".starts")))
    before = private_bytes()
    started = time.perf_counter()
    graph = Graph.open(data)
    name = graph.overlay.name_of(0)
    number = graph.overlay.number_of(name)
    assert number == 0
    graph.overlay.row(number, Direction.FOLLOWERS)
    opened_ms = (time.perf_counter() - started) * 1_000
    return {"arrays_gb": round(arrays / 1e9, 3), "files_gb": round(sum(sizes.values()) / 1e9, 3),
            "distinct_follows": graph.overlay.follows,
            "open_first_answer_ms": round(opened_ms, 2),
            "private_after_open_mb": round(private_bytes() / 1e6, 1),
            "private_before_open_mb": round(before / 1e6, 1)}


def mixed_queries(data: Path) -> dict[str, object]:
    """Ask a million mixed questions; return rate and memory."""
    graph = Graph.open(data)
    overlay, questions, chance = graph.overlay, Questions(graph.overlay), random.Random(7)
    actors = overlay.actors
    started = time.perf_counter()
    for number in range(MIXED_QUERIES):
        one, other = chance.randrange(actors), chance.randrange(actors)
        match number % 10:
            case 0 | 1 | 2 | 3 | 4:
                overlay.does_follow(one, other)
            case 5 | 6:
                questions.page(one, Direction.FOLLOWERS, after=None, limit=50)
            case 7:
                overlay.number_of(overlay.name_of(one))
            case 8:
                questions.followed_who_follow(one, other)
            case _:
                questions.mutuals(one)
    seconds = time.perf_counter() - started
    return {"mixed_queries_per_s": round(MIXED_QUERIES / seconds),
            "private_after_queries_mb": round(private_bytes() / 1e6, 1)}


def sets(data: Path) -> dict[str, object]:
    """Intersect large sets, warm and cold, and a thousand followed with the largest."""
    overlay = overlay_of(data)
    followers, following = (_counts(overlay, direction) for direction in reversed(Direction))
    largest = int(followers.argmax())
    scale = followers[largest] / 876_000
    one, other = (int(one) for one in np.argsort(np.abs(followers - 300_000 * scale))[:2])
    thousand = int(np.abs(following - 1_000).argmin())
    figures: dict[str, object] = {
        "largest_followers": int(followers[largest]),
        "large_followers": [int(followers[one]), int(followers[other])]}
    for name, pair in (("large_large", [one, other]), ("large_largest", [one, largest])):
        questions = Questions(overlay_of(data))
        cold = timed(lambda: questions.common(pair, Direction.FOLLOWERS), 1)  # noqa: B023
        warm = timed(lambda: questions.common(pair, Direction.FOLLOWERS), 300)  # noqa: B023
        figures |= {f"{name}_us": round(warm, 1), f"{name}_cold_us": round(cold, 1)}
    questions = Questions(overlay)
    figures["followed"] = int(following[thousand])
    figures["followed_largest_us"] = round(
        timed(lambda: questions.followed_set(thousand, largest), 300), 1)
    return figures


def _counts(overlay: Overlay, direction: Direction) -> NDArray[np.int64]:
    return np.array([overlay.count(number, direction) for number in range(overlay.actors)])


def timed(ask: Callable[[], object], times: int) -> float:
    """Return the median time of a question in µs."""
    taken = []
    for _ in range(times):
        started = time.perf_counter()
        ask()
        taken.append((time.perf_counter() - started) * 1e6)
    return statistics.median(taken)


def changes(data: Path) -> dict[str, object]:
    """Commit follows as fast as it goes, and flush what 5 s of 2,000 a second bring."""
    async def run() -> dict[str, object]:
        graph, chance = Graph.open(data), random.Random(5)
        people = [graph.overlay.name_of(chance.randrange(graph.overlay.actors))
                  for _ in range(20_000)]
        batches = [[Change(chance.choice(people), chance.choice(people)) for _ in range(10_000)]
                   for _ in range(9)]
        started = time.perf_counter()
        for batch in batches:
            await graph.commit(batch)
        per_s = 90_000 / (time.perf_counter() - started)
        await graph.close()
        return {"follows_durable_per_s": round(per_s)}

    with tempfile.TemporaryDirectory(dir=data.parent) as folder:
        journal, numbers = Journal(Path(folder) / "journal"), np.arange(10_000, dtype=np.uint32)
        batch = Batch(1, 10_000, [], changes_of(numbers, numbers[::-1], ChangeKind.FOLLOW))
        flush_us, before = timed(lambda: journal.append(batch), 21), journal.size
        journal.append(batch)
        written = journal.size - before
        journal.close()
    return {**asyncio.run(run()), "flush_10000_ms": round(flush_us / 1_000, 2),
            "flush_10000_kb": round(written / 1e3, 1)}


def over_http(data: Path) -> dict[str, object]:
    """Serve the graph and ask it over HTTP, beside its empty answer."""
    overlay, chance, port = overlay_of(data), random.Random(9), free_port()
    people = [overlay.name_of(chance.randrange(overlay.actors)) for _ in range(40_000)]
    asked = [get(f"/does_follow?actor_did={one}&target_did={other}")
             for one, other in zip(people[::2], people[1::2], strict=True)]
    empty = get("/_health")
    pairs = [[chance.choice(people), chance.choice(people)] for _ in range(50_000)]
    batch = post("/api/graph/does_follow", json.dumps({"pairs": pairs}).encode())
    words = [str(LICHEN), "graph", "serve", "--data", str(data), "--port", str(port)]
    with subprocess.Popen(words) as server:
        try:
            _wait_for(port)
            rates: dict[str, list[float]] = {"health": [], "does_follow": []}
            for _ in range(3):
                rates["health"].append(_rate(port, [empty]))
                rates["does_follow"].append(_rate(port, asked))
            busy_s = _processor_s(server.pid)
            batches = asyncio.run(closed(port, lambda _: batch, connections=2, seconds=4.0))
            busy_s = _processor_s(server.pid) - busy_s
            follows_per_s = asyncio.run(_follows(port, people))
        finally:
            server.terminate()
    health, look_up = (statistics.median(one) for one in rates.values())
    look_ups = len(batches.latencies_ms) * len(pairs)
    return {"http_client": "wrk -t1 -c64" if shutil.which("wrk") else "our own, the bottleneck",
            "health_per_s": round(health), "does_follow_per_s": round(look_up),
            "does_follow_to_health": round(look_up / health, 3),
            "batch_look_ups_per_s": round(batches.rate * len(pairs)),
            "batch_look_ups_per_busy_s": round(look_ups / busy_s),
            "http_follows_durable_per_s": round(follows_per_s)}


async def _follows(port: int, people: list[str]) -> float:
    """Return how many follows a second are durable, in requests of 10,000."""
    chance, connection = random.Random(3), Connection("127.0.0.1", port)
    bodies = [json.dumps({"follows": [
        {"actor_did": chance.choice(people), "target_did": chance.choice(people)}
        for _ in range(10_000)]}).encode() for _ in range(6)]
    started = time.perf_counter()
    for body in bodies:
        status, content = await connection.ask(post("/follows", body))
        assert status == 200, content
    return 10_000 * len(bodies) / (time.perf_counter() - started)


def _processor_s(parent: int) -> float:
    """Return the processor time of a process and its children so far."""
    children = Path(f"/proc/{parent}/task/{parent}/children").read_text().split()
    fields = [Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
              for process in (str(parent), *children)]
    return sum(int(one[11]) + int(one[12]) for one in fields) / os.sysconf("SC_CLK_TCK")


class _Client(asyncio.Protocol):
    """One connection that sends its next request when the last was answered."""

    def __init__(self, requests: list[bytes], end_s: float) -> None:
        self._requests, self._end_s, self.answered, self._next = requests, end_s, 0, 0
        self.done = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)  # uvloop's are no subclass of it
        self._send()

    def data_received(self, content: bytes) -> None:
        # The answers are small and arrive whole; another status would end the bench.
        if not content.startswith(b"HTTP/1.1 200"):
            self._transport.close()
            self.done.set_exception(RuntimeError(content[:200].decode()))
            return
        self.answered += 1
        if self.answered & 63 == 0 and time.perf_counter() > self._end_s:
            self._transport.close()
            self.done.set_result(None)
            return
        self._send()

    def connection_lost(self, error: Exception | None) -> None:
        if not self.done.done():
            self.done.set_exception(error or RuntimeError("the server hung up"))

    def _send(self) -> None:
        self._transport.write(self._requests[self._next])
        self._next = (self._next + 1) % len(self._requests)


def _rate(port: int, requests: list[bytes]) -> float:
    """Return requests a second of 64 connections, from a process of its own."""
    if shutil.which("wrk") is None:
        return float(str(in_fresh_process(_saturate, port, requests)["per_s"]))
    with tempfile.TemporaryDirectory() as folder:
        script = Path(folder) / "requests.lua"
        paths = ",\n".join(json.dumps(one.split(b" ", 2)[1].decode()) for one in requests)
        # Written down once each, as wrk asks for in init, so that it makes no text while it sends.
        script.write_text(f"local paths = {{{paths}}}\n" + """
            local made, at = {}, 0
            function init(args)
              for number, path in ipairs(paths) do made[number] = wrk.format("GET", path) end
            end
            function request()
              at = at % #made + 1
              return made[at]
            end""")
        told = subprocess.run(
            ["wrk", "-t1", "-c64", "-d3s", "-s", str(script), f"http://127.0.0.1:{port}"],
            capture_output=True, text=True, check=True).stdout
    assert "Non-2xx" not in told, told
    return float(told.split("Requests/sec:")[1].split()[0])


def _saturate(port: int, requests: list[bytes]) -> dict[str, object]:
    async def run() -> float:
        loop, started = asyncio.get_running_loop(), time.perf_counter()
        clients = []
        for number in range(64):
            own = requests[number * len(requests) // 64:] or requests
            _, client = await loop.create_connection(
                lambda own=own: _Client(own, started + 3.0), "127.0.0.1", port)
            clients.append(client)
        await asyncio.gather(*(client.done for client in clients))
        return sum(client.answered for client in clients) / (time.perf_counter() - started)

    return {"per_s": uvloop.run(run())}


def _wait_for(port: int) -> None:
    for _ in range(400):
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.025)
    raise RuntimeError("the graph did not listen within 10 s")


def private_bytes() -> int:
    """Return the memory that this process has for itself: pages of mapped files are the cache's.

    A page of a file that nobody else has mapped just now counts as private in the kernel's sums,
    and is the page cache's all the same; anonymous memory is what it would have to give up.
    """
    lines = Path("/proc/self/smaps_rollup").read_text().splitlines()
    return 1_024 * sum(int(line.split()[1]) for line in lines if line.startswith("Anonymous:"))


def in_fresh_process(act: Callable[..., dict[str, object]], *words: object) -> dict[str, object]:
    """Run a measurement in a process that has done nothing else."""
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        return pool.apply(act, words)


if __name__ == "__main__":
    main()
