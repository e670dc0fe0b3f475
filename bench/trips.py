"""How often a request goes to a PostgreSQL that is far away, and how long it then takes.

    python -m bench.trips [--url postgresql://postgres@127.0.0.1:5432/postgres]

A real server reaches its database through a proxy that counts round trips at the socket, then
through one that delays each direction by 25 ms. A page's trips are the fewest of several tries,
because the relay looks at the outbox in between. A command's are the server's own count, which a
test holds against the socket: beside it, the relay and the readers go to the database as well.
"""

import argparse
import asyncio
import json
import os
import statistics
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple
from urllib.parse import urlsplit

import psycopg
import uvloop

from bench.http import people
from bench.load import Connection, get, post
from bench.results import record
from bench.serving import Serving, demo_data, scratch
from lichen.drill.distance import Distance, distant

DELAY_MS = 25.0  # each way: 50 ms a round trip
WARM = 14  # a statement is prepared on each connection at its fourth use
TRIES = 6
SHORT, LONG = 10, 500  # comments under the posts that are read
LIST = "/api/v3/post/list?type_=All&sort=Hot&limit="
URL = "postgresql://postgres@127.0.0.1:5432/postgres"

Request = Callable[[int], bytes]


class Case(NamedTuple):
    """One kind of request; `wanted` is the most round trips it may take."""

    key: str
    name: str
    request: tuple[Request, ...]
    wanted: int
    is_command: bool = False


async def main(url: str) -> None:
    """Measure, print and keep the figures."""
    figures: dict[str, object] = {"load": round(os.getloadavg()[0], 1)}
    parts = urlsplit(url)
    host, port = parts.hostname or "127.0.0.1", parts.port or 5432
    with database(url) as name, scratch() as folder:
        environ = {"LICHEN_DATABASE_URL": f"postgresql://postgres@{host}:{port}/{name}"}
        await asyncio.to_thread(demo_data, folder / "house", size="small", environ=environ)
        print(f"trips, PostgreSQL, small demo data, {os.cpu_count()} cores, "
              f"load {figures['load']}")
        for delay_ms in (0.0, DELAY_MS):
            async with distant(host, port, delay_ms=delay_ms) as distance:
                near = f"postgresql://postgres@127.0.0.1:{distance.port}/{name}"
                server = await asyncio.to_thread(
                    Serving, folder / "house", environ={"LICHEN_DATABASE_URL": near})
                try:
                    cases = await asyncio.to_thread(cases_of, server)
                    figures |= await measured(cases, server, distance, delay_ms=delay_ms)
                finally:
                    await asyncio.to_thread(server.stop)
    record("trips", figures)


def cases_of(server: Serving) -> list[Case]:
    """Return what is asked of a server: lists, posts, commands, the front page."""
    (token,) = people(server, 1)
    short, long = (nearest(server, comments) for comments in (SHORT, LONG))
    cookie = f"lichen_session={token}"

    def api(post_id: int) -> tuple[Request, ...]:
        paths = (f"/api/v3/post?id={post_id}",
                 f"/api/v3/comment/list?post_id={post_id}&max_depth=8&type_=All&sort=Hot")
        return tuple(lambda _number, path=path: get(path, token=token) for path in paths)

    def vote(number: int) -> bytes:
        words = {"post_id": short[0], "score": number % 2}
        return post("/api/v3/post/like", json.dumps(words).encode(), token=token)

    def comment(number: int) -> bytes:
        words = {"post_id": short[0], "content": f"Number {number}."}
        return post("/api/v3/comment", json.dumps(words).encode(), token=token)

    def listed(count: int) -> tuple[Request]:
        return (lambda _number: get(f"{LIST}{count}", token=token),)

    return [
        Case("short_list", "post list, 1 post", listed(1), 3),
        Case("long_list", "post list, 50 posts", listed(50), 3),
        Case("short_post", f"post and {short[1]} comments", api(short[0]), 4),
        Case("long_post", f"post and {long[1]} comments", api(long[0]), 4),
        Case("post_page", f"post page, {long[1]} comments",
             (lambda _number: get(f"/post/{long[0]}", cookie=cookie),), 4),
        Case("front_page", "front page", (lambda _number: get("/", cookie=cookie),), 3),
        Case("front_stranger", "front page, stranger", (lambda _number: get("/"),), 3),
        Case("one_vote", "one vote", (vote,), 2, is_command=True),
        Case("one_comment", "one comment", (comment,), 2, is_command=True),
    ]


def nearest(server: Serving, comments: int) -> tuple[int, int]:
    """Return the post whose number of comments is nearest, and that number."""
    found: list[tuple[int, int]] = []
    for page in range(1, 21):
        answer: Any = server.ask(
            f"post/list?type_=All&sort=MostComments&limit=50&page={page}")
        found += [(view["post"]["id"], view["counts"]["comments"]) for view in answer["posts"]]
    return min(found, key=lambda pair: abs(pair[1] - comments))


async def measured(
    cases: list[Case], server: Serving, distance: Distance, *, delay_ms: float
) -> dict[str, object]:
    """Measure every case against one server; print, and return the figures."""
    figures: dict[str, object] = {}
    print(f"  {delay_ms * 2:.0f} ms a round trip")
    for case in cases:
        trips, milliseconds = await one(case, server, distance)
        if not delay_ms:  # near, only the time says something; see lichen/drill/distance.py
            figures[f"{case.key}_near_ms"] = round(milliseconds, 1)
            print(f"    {case.name:28} {milliseconds:8.1f} ms", flush=True)
            continue
        figures[f"{case.key}_trips"] = trips
        figures[f"{case.key}_ms"] = round(milliseconds, 1)
        limit = "under 250 ms" if case.key.startswith("front") else ""
        print(f"    {case.name:28} {milliseconds:8.1f} ms {trips:3} round trips   "
              f"{case.wanted} wanted {limit}", flush=True)
    return figures


async def one(case: Case, server: Serving, distance: Distance) -> tuple[int, float]:
    """Return the fewest round trips of a case and its median time in ms."""
    def counted() -> int:
        if case.is_command:
            return int(server.metric("round_trips_total"))
        return distance.round_trips

    connection = Connection("127.0.0.1", server.port)
    trips, times = [], []
    for number in range(WARM + TRIES):
        before, started = counted(), time.perf_counter()
        for request in case.request:
            status, body = await connection.ask(request(number))
            assert status == 200, (case.name, status, body[:200])
        times.append((time.perf_counter() - started) * 1_000)
        trips.append(counted() - before)
    connection.close()
    return min(trips[WARM:]), statistics.median(times[WARM:])


@contextmanager
def database(url: str) -> Iterator[str]:
    """Create a database that is gone afterwards; yield its name."""
    name = f"lichen_bench_{uuid.uuid4().hex[:8]}"
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name}")
        try:
            yield name
        finally:
            connection.execute(f"DROP DATABASE {name} WITH (FORCE)")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="python -m bench.trips")
    parser.add_argument("--url", default=URL, help="a PostgreSQL where databases may be created")
    uvloop.run(main(parser.parse_args().url))
