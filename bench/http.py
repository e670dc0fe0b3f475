"""What the forum carries over HTTP: lists, a long thread, comments, on large demo data.

    python -m bench.http [--data DIR] [--size large|small] [--quick]

One server process with its defaults (but for rate limits), SQLite, 32 connections. It serves the
folder itself, not a copy: what the last bench writes stays there, some thousands of comments. The
floor is `/health` of the same server at the same number of connections, in the same run: a ratio
says how much of what HTTP alone allows is left. `cpu` is the server's processor time for one
answer: it tells what is the request's own when the machine is shared.
"""

import argparse
import itertools
import json
import os
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import uvloop

from bench.load import Load, closed, get, opened, post
from bench.results import record
from bench.serving import LARGE, Serving, demo_data, serving
from lichen.demo import DEMO_PASSWORD
from lichen.demo.words import person_name

CONNECTIONS = 32
PEOPLE = 32  # who log in; as many as connections, so that nobody waits for themselves
THREAD_COMMENTS = 500
SECONDS, SECONDS_QUICK = 8.0, 2.0
WARM_S = 1.0  # before each figure: connections open, statements prepared, pages in memory
LIST = "/api/v3/post/list?type_=All&sort=Hot&limit=20"

Request = Callable[[int], bytes]


@dataclass(slots=True)
class Bench:
    """One run: the server, how long each load lasts, and the figures so far."""

    server: Serving
    seconds: float
    figures: dict[str, object]
    floor_per_s: float = 0.0

    async def saturate(self, name: str, request: Request, *, wanted: float = 0.0) -> Load:
        """Measure a request at saturation: rate, ratio to the floor, processor time."""
        await closed(self.server.port, request, connections=CONNECTIONS, seconds=WARM_S)
        spent = self.server.processor_s()
        load = await closed(
            self.server.port, request, connections=CONNECTIONS, seconds=self.seconds
        )
        assert load.latencies_ms and not load.refused, f"{name}: {load.refused} refused"
        cpu_ms = (self.server.processor_s() - spent) / len(load.latencies_ms) * 1_000
        self.floor_per_s = self.floor_per_s or load.rate
        ratio = load.rate / self.floor_per_s
        self.figures[f"{name}_per_s"] = round(load.rate)
        self.figures[f"{name}_cpu_ms"] = round(cpu_ms, 3)
        self.figures[f"{name}_ratio_to_health"] = round(ratio, 3)
        self._tell(name, f"{load.rate:8,.0f}/s  {ratio:6.1%} of /health  cpu {cpu_ms:6.3f} ms  "
                         f"p50 {load.percentile_ms(0.5):6.1f}  p99 {load.percentile_ms(0.99):6.1f} "
                         f"ms", f"{wanted:,.0f}/s" if wanted else "")
        return load

    async def offer(self, name: str, request: Request, *, rate: float, p99_ms: float) -> None:
        """Measure latency at a rate that is offered whether or not the server keeps up."""
        load = await opened(self.server.port, request, connections=CONNECTIONS, rate=rate,
                            seconds=self.seconds)
        assert not load.refused, f"{name}: {load.refused} refused"
        found = load.percentile_ms(0.99)
        self.figures[f"{name}_p99_ms"] = round(found, 1)
        self._tell(f"{name}, {rate:,.0f}/s offered",
                   f"p50 {load.percentile_ms(0.5):6.1f}  p99 {found:6.1f} ms",
                   f"p99 < {p99_ms:.0f} ms")

    async def alone(self, name: str, request: Request, *, p50_ms: float) -> None:
        """Measure a request on one connection: what the server takes for it."""
        await closed(self.server.port, request, connections=1, seconds=WARM_S)
        spent = self.server.processor_s()
        load = await closed(self.server.port, request, connections=1, seconds=self.seconds)
        assert load.latencies_ms and not load.refused, f"{name}: {load.refused} refused"
        cpu_ms = (self.server.processor_s() - spent) / len(load.latencies_ms) * 1_000
        found = load.percentile_ms(0.5)
        self.figures[f"{name}_p50_ms"] = round(found, 1)
        self.figures[f"{name}_p99_ms"] = round(load.percentile_ms(0.99), 1)
        self.figures[f"{name}_cpu_ms"] = round(cpu_ms, 2)
        self._tell(name, f"p50 {found:6.1f}  p99 {load.percentile_ms(0.99):6.1f} ms  "
                         f"cpu {cpu_ms:6.2f} ms", f"p50 < {p50_ms:.0f} ms")

    def _tell(self, name: str, found: str, wanted: str) -> None:
        print(f"  {name:34} {found:70} {wanted:>12}", flush=True)


async def main(folder: Path, *, size: str, quick: bool) -> None:
    """Measure, print and keep the figures."""
    with serving(demo_data(folder, size=size)) as server:
        figures: dict[str, object] = {
            "data": size, "load": round(os.getloadavg()[0], 1), "pace_ms": pace_ms(),
            "ready_s": round(server.ready_s, 2), "ready_rss_anon_mb": round(server.memory_mb()),
        }
        print(f"http, {size} demo data, {os.cpu_count()} cores, load {figures['load']}, "
              f"{CONNECTIONS} connections")
        print(f"  ready after {server.ready_s:.2f} s (3 wanted), "
              f"RssAnon {figures['ready_rss_anon_mb']} MB", flush=True)
        bench = Bench(server, SECONDS_QUICK if quick else SECONDS, figures)
        await bench.saturate("health", lambda _number: get("/health"))
        tokens = people(server, PEOPLE)
        await lists(bench, tokens)
        await thread(bench)
        await comments(bench, tokens)
        figures["after_rss_anon_mb"] = round(server.memory_mb())
        figures["load_after"] = round(os.getloadavg()[0], 1)
        figures["pace_after_ms"] = pace_ms()
        print(f"  RssAnon afterwards {figures['after_rss_anon_mb']} MB, "
              f"load {figures['load_after']}, pace {figures['pace_ms']} ms before, "
              f"{figures['pace_after_ms']} ms after")
        record("http", figures)


def pace_ms() -> float:
    """Return the processor time of a million additions, here and now.

    On a rented machine it doubles when its host is busy, and every other figure with it.
    """
    best = float("inf")
    for _ in range(5):
        started = time.thread_time()
        sum(map(int.__add__, range(1_000_000), range(1_000_000)))
        best = min(best, time.thread_time() - started)
    return round(best * 1_000, 1)


def people(server: Serving, count: int) -> list[str]:
    """Log some of the demo's people in; return their tokens."""
    tokens = []
    for number in range(count):
        words = {"username_or_email": person_name(number), "password": DEMO_PASSWORD}
        answer: Any = server.ask("user/login", words)
        tokens.append(str(answer["jwt"]))
    return tokens


async def lists(bench: Bench, tokens: Sequence[str]) -> None:
    """Measure the list of posts, for strangers and for people."""
    anonymous = get(LIST)
    await bench.saturate("list_anonymous", lambda _number: anonymous, wanted=2_000)
    await bench.offer("list_anonymous", lambda _number: anonymous, rate=1_000, p99_ms=40)
    asked = [get(LIST, token=token) for token in tokens]
    await bench.saturate("list_logged_in", lambda number: asked[number % PEOPLE], wanted=500)
    await bench.offer(
        "list_logged_in", lambda number: asked[number % PEOPLE], rate=250, p99_ms=40
    )


async def thread(bench: Bench) -> None:
    """Measure a post with some five hundred comments, as a page and over the API."""
    post_id, count = long_post(bench.server)
    bench.figures["thread_comments"] = count
    packed = get(f"/post/{post_id}").replace(b"\r\n\r\n", b"\r\nAccept-Encoding: gzip\r\n\r\n")
    answers = f"/api/v3/comment/list?post_id={post_id}&max_depth=8&sort=Hot&type_=All"
    await bench.alone("thread_page", lambda _number: get(f"/post/{post_id}"), p50_ms=25)
    await bench.alone("thread_page_gzip", lambda _number: packed, p50_ms=25)
    await bench.alone("thread_api", lambda _number: get(answers), p50_ms=25)


def long_post(server: Serving) -> tuple[int, int]:
    """Return the post whose number of comments is nearest to THREAD_COMMENTS, and that number."""
    best = (0, 0)
    for page in itertools.count(1):
        answer: Any = server.ask(
            f"post/list?type_=All&sort=MostComments&limit=50&page={page}")
        counts = [(view["post"]["id"], view["counts"]["comments"]) for view in answer["posts"]]
        best = min([best, *counts], key=lambda pair: abs(pair[1] - THREAD_COMMENTS))
        if not counts or counts[-1][1] < THREAD_COMMENTS:
            return best
    raise AssertionError("counting never ends")


async def comments(bench: Bench, tokens: Sequence[str]) -> None:
    """Measure comments that are written, each answered when it is durable."""
    answer: Any = bench.server.ask("post/list?type_=All&sort=New&limit=50")
    posts = [view["post"]["id"] for view in answer["posts"]]

    def write(number: int) -> bytes:
        words = {"content": f"Moss grows on the {number}th stone, slowly and on every side.",
                 "post_id": posts[number % len(posts)]}
        return post("/api/v3/comment", json.dumps(words).encode(), token=tokens[number % PEOPLE])

    await bench.saturate("comments", write, wanted=300)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="python -m bench.http")
    parser.add_argument("--data", type=Path, help="demo data; filled when it is not there")
    parser.add_argument("--size", choices=("large", "small"), default="large")
    parser.add_argument("--quick", action="store_true", help="2 s a figure instead of 8")
    words = parser.parse_args()
    uvloop.run(main(words.data or LARGE.with_name(words.size), size=words.size,
                    quick=words.quick))
