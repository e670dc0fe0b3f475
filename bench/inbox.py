"""How many signed activities the door takes in: verified, durable, answered 202.

    python -m bench.inbox [--count 6000]

In one process, as ASGI calls, 64 at a time: without the web server and the network, which
`bench.http` measures. Beside it the same door behind a handler of Litestar, which is what it would
cost if it were not in front of the framework.
"""

import argparse
import asyncio
import json
import os
import statistics
import time
from collections.abc import Awaitable, Callable
from typing import Any

import uvloop
from litestar import Litestar, Request, post
from litestar.types import ASGIApp

from bench.results import record
from bench.serving import scratch
from lichen.accounts.keys import generate_keys
from lichen.federation.entrance import Entrance
from lichen.federation.inbox import Inbox
from lichen.federation.model import PeerKey, authority_of
from lichen.federation.signatures import SigningKey, sign
from lichen.kit import system_clock
from lichen.log import SegmentLog

AT_ONCE = 64
HERE, PEER = "https://lichen.example", "https://peer.example"
Scope = dict[str, Any]


class Ring:
    """One peer's key, known."""

    def __init__(self, pem: str) -> None:
        self._pem = pem

    async def public_key(self, key_id: str, *, refresh: bool = False) -> PeerKey:
        """Return the key."""
        owner = key_id.partition("#")[0]
        return PeerKey(owner, self._pem, authority_of(owner))


def requests(count: int, key: SigningKey) -> list[tuple[Scope, bytes]]:
    """Return signed votes, each its own."""
    made = []
    for number in range(count):
        body = json.dumps({
            "@context": "https://www.w3.org/ns/activitystreams", "type": "Announce",
            "id": f"{PEER}/activities/{number}", "actor": f"{PEER}/c/moss", "to": [],
            "object": {"type": "Like", "id": f"{PEER}/like/{number}", "actor": f"{PEER}/u/ann",
                       "object": f"{PEER}/post/{number}", "audience": f"{PEER}/c/moss"},
        }).encode()
        headers = {"host": "lichen.example", "content-type": "application/activity+json", **sign(
            key, method="POST", url=f"{HERE}/inbox", body=body, now_us=system_clock())}
        made.append(({
            "type": "http", "method": "POST", "path": "/inbox", "raw_path": b"/inbox",
            "root_path": "", "scheme": "https", "query_string": b"", "http_version": "1.1",
            "client": ("192.0.2.1", 1), "server": ("lichen.example", 443),
            "headers": [(name.lower().encode(), value.encode())
                        for name, value in headers.items()],
        }, body))
    return made


async def taken(application: ASGIApp, made: list[tuple[Scope, bytes]]) -> tuple[float, float]:
    """Send everything, 64 at a time; return how many a second, and the 99th percentile in ms."""
    times: list[float] = []
    waiting = iter(made)

    async def worker() -> None:
        for scope, body in waiting:
            started = time.perf_counter()
            assert await _asked(application, scope, body) == 202
            times.append(time.perf_counter() - started)

    started = time.perf_counter()
    await asyncio.gather(*(worker() for _ in range(AT_ONCE)))
    seconds = time.perf_counter() - started
    return len(made) / seconds, statistics.quantiles(times, n=100)[98] * 1_000


async def _asked(application: ASGIApp, scope: Scope, body: bytes) -> int:
    status = 0

    async def receive() -> Any:
        return {"type": "http.request", "body": body, "more_body": False}

    async def send(message: Any) -> None:
        nonlocal status
        status = message.get("status", status)

    await application(dict(scope), receive, send)  # type: ignore[arg-type]
    return status


def behind_litestar(inbox: Inbox) -> ASGIApp:
    """Return the same door as a handler of the framework."""
    @post("/inbox", status_code=202)
    async def handler(request: Request[Any, Any, Any]) -> None:
        await inbox.receive(method="POST", target="/inbox", headers=dict(request.headers),
                            body=await request.body(), address="")

    return Litestar([handler])


async def main(count: int) -> None:
    """Measure, print and keep the figures."""
    pair = generate_keys()
    assert pair.private is not None
    key = SigningKey(f"{PEER}/c/moss#main-key", pair.private)
    figures: dict[str, object] = {"load": round(os.getloadavg()[0], 1), "count": count}
    print(f"inbox, {AT_ONCE} at once, {os.cpu_count()} cores, load {figures['load']}")
    made = requests(count, key)
    nobody: Callable[..., Awaitable[None]] = Litestar([])
    for name in ("entrance", "litestar"):
        with scratch() as folder:
            log = SegmentLog.open(folder / "inbox", clock=system_clock)
            inbox = Inbox(log, keys=Ring(pair.public), is_allowed=lambda _authority: True,
                          clock=system_clock, public_url=HERE, position=0)
            inbox_app = Entrance(nobody, inbox) if name == "entrance" else behind_litestar(inbox)
            working = time.process_time()
            per_s, p99_ms = await taken(inbox_app, made)
            cpu_us = (time.process_time() - working) / count * 1e6
            await log.close()
        figures |= {f"{name}_per_s": round(per_s), f"{name}_p99_ms": round(p99_ms, 1),
                    f"{name}_cpu_us": round(cpu_us)}
        print(f"  {name:9} {per_s:8.0f} a second   p99 {p99_ms:6.1f} ms   {cpu_us:4.0f} µs of "
              "this process each", flush=True)
    record("inbox", figures)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="python -m bench.inbox")
    parser.add_argument("--count", type=int, default=6_000, help="activities")
    uvloop.run(main(parser.parse_args().count))
