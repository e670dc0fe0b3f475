"""How a running server takes in signed activities over HTTP, while it applies them.

    python -m bench.inbox_http [--seconds 8]

One server with its defaults on SQLite, in the testbed profile so that loopback is a peer; 64
keep-alive connections of another process. At saturation, and at 1,000 a second offered, where
latency counts from when each was due. Once with activities that nobody applies, which is the door
alone, and once with votes on the demo's posts, which the same process applies meanwhile. Beside it
`/health` of the same server at the same connections: a ratio says what is left of HTTP alone.

Last, what Lemmy is by default: one connection that sends the next activity when the last was
answered, behind a proxy that delays each direction: by 25 ms, and by half of it. Its floor is one a
round trip, as `/health` measures it through the same proxy.
"""

import argparse
import itertools
import json
import os
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import uvloop

from bench.load import Load, closed, get, opened
from bench.results import record
from bench.serving import DEMO_URL, Serving, demo_data, scratch, serving
from lichen.accounts.keys import generate_keys
from lichen.drill.distance import distant
from lichen.federation.signatures import SigningKey, sign
from lichen.kit import system_clock

CONNECTIONS = 64
OFFERED_PER_S = 1_000.0
WARM = 200  # requests before each figure: connections open, the key and the actor fetched
SIGNED_PER_SECOND = 6_000  # requests made beforehand for each second of saturation
POSTS = 400  # of the small demo
SERIAL_DELAYS_MS = (25.0, 12.5)  # in each direction
KINDS = {"door": "Travel", "votes": "Like"}  # AS2 §3: Travel is known to all and done by nobody


@contextmanager
def peer() -> Iterator[tuple[str, SigningKey]]:
    """Serve the document of one person on loopback; lend the address and the key."""
    pair = generate_keys()
    assert pair.private is not None

    class Documents(BaseHTTPRequestHandler):
        """Answers everything with the person."""

        def do_GET(self) -> None:
            """Answer."""
            body = json.dumps(person).encode()
            self.send_response(200)
            self.send_header("Content-Type", "application/activity+json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Documents)
    here = f"http://127.0.0.1:{server.server_port}"
    ann = f"{here}/u/ann"
    person = {
        "@context": ["https://www.w3.org/ns/activitystreams", "https://w3id.org/security/v1"],
        "type": "Person", "id": ann, "preferredUsername": "ann", "inbox": f"{ann}/inbox",
        "outbox": f"{ann}/outbox", "publicKey": {
            "id": f"{ann}#main-key", "owner": ann, "publicKeyPem": pair.public},
    }
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield here, SigningKey(f"{ann}#main-key", pair.private)
    finally:
        server.shutdown()


def signed(
    count: int, kind: str, *, here: str, key: SigningKey, numbers: Iterator[int]
) -> list[bytes]:
    """Return whole requests, each its own activity."""
    made = []
    inbox = f"{DEMO_URL}/inbox"  # the server's name, whatever port it listens on here
    for number in itertools.islice(numbers, count):
        body = json.dumps({
            "@context": "https://www.w3.org/ns/activitystreams", "type": kind,
            "id": f"{here}/activities/{number}", "actor": f"{here}/u/ann",
            "object": f"{DEMO_URL}/post/{number % POSTS + 1}", "audience": f"{DEMO_URL}/c/moss",
        }).encode()
        headers = {
            "Host": DEMO_URL.removeprefix("http://"), "Content-Type": "application/activity+json",
            "Content-Length": str(len(body)),
            **sign(key, method="POST", url=inbox, body=body, now_us=system_clock()),
        }
        lines = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
        made.append(f"POST /inbox HTTP/1.1\r\n{lines}\r\n".encode() + body)
    return made


async def measure(server: Serving, make: Callable[[int], list[bytes]], *, seconds: float
                  ) -> dict[str, Any]:
    """Return the figures of one kind of activity."""
    warm = make(WARM)
    await opened(server.port, warm.__getitem__, connections=4, rate=100, seconds=WARM / 100)
    offered = make(int(OFFERED_PER_S * seconds))
    at_rate = await opened(server.port, offered.__getitem__, connections=CONNECTIONS,
                           rate=OFFERED_PER_S, seconds=seconds)
    many = make(int(SIGNED_PER_SECOND * seconds))
    before, trips = server.processor_s(), server.metric("round_trips_total")
    load = await _all_of(server, many, seconds)
    trips = server.metric("round_trips_total") - trips
    cpu_us = (server.processor_s() - before) / max(1, len(load.latencies_ms)) * 1e6
    return {
        "per_s": round(load.rate), "refused": load.refused + at_rate.refused,
        "cpu_us": round(cpu_us), "round_trips": trips,
        "offered_p50_ms": round(at_rate.percentile_ms(0.5), 1),
        "offered_p99_ms": round(at_rate.percentile_ms(0.99), 1),
    }


async def serial(server: Serving, make: Callable[[int], list[bytes]], *, delay_ms: float,
                 seconds: float) -> dict[str, Any]:
    """Return how fast one far sender gets on that waits for each answer."""
    many = make(int(1_000 / (2 * delay_ms) * seconds) + 1)
    async with distant("127.0.0.1", server.port, delay_ms=delay_ms) as distance:
        floor = await closed(distance.port, lambda _number: get("/health"), connections=1,
                             seconds=seconds)
        load = await closed(distance.port, many.__getitem__, connections=1, seconds=seconds)
    return {"per_s": round(load.rate, 1), "refused": load.refused,
            "round_trip_ms": round(1_000 / floor.rate, 2),
            "ratio_to_floor": round(load.rate / floor.rate, 3)}


async def _all_of(server: Serving, many: list[bytes], seconds: float) -> Load:
    """Saturate for so long; there are more requests than can be taken."""
    return await closed(server.port, lambda number: many[min(number, len(many) - 1)],
                        connections=CONNECTIONS, seconds=seconds)


async def main(seconds: float, folder: Path) -> None:
    """Measure, print and keep the figures."""
    figures: dict[str, object] = {"load": round(os.getloadavg()[0], 1)}
    numbers = itertools.count(1)
    # As many threads as cores are busy: the server's and this process's.
    with peer() as (here, key), serving(folder, environ={
        "LICHEN_PROFILE": "testbed", "LICHEN_HOSTS": ""}) as server:
        floor = await closed(server.port, lambda _number: get("/health"),
                             connections=CONNECTIONS, seconds=seconds / 2)
        print(f"inbox over HTTP, {CONNECTIONS} connections, {os.cpu_count()} cores, load "
              f"{figures['load']}; /health {floor.rate:,.0f}/s")
        figures["health_per_s"] = round(floor.rate)
        for name, kind in KINDS.items():
            found = await measure(
                server, lambda count, kind=kind: signed(  # type: ignore[misc]
                    count, kind, here=here, key=key, numbers=numbers),
                seconds=seconds)
            found["ratio_to_health"] = round(found["per_s"] / floor.rate, 3)
            figures |= {f"{name}_{what}": value for what, value in found.items()}
            print(f"  {name:6} {found}", flush=True)
        for delay_ms in SERIAL_DELAYS_MS:
            far = await serial(server, lambda count: signed(
                count, KINDS["votes"], here=here, key=key, numbers=numbers),
                delay_ms=delay_ms, seconds=seconds)
            figures |= {f"serial_{delay_ms}_ms_{what}": value for what, value in far.items()}
            print(f"  serial, {delay_ms} ms each way: {far}", flush=True)
        lag = server.metric("inbox_lag_activities")
        figures["lag_after"] = lag
        print(f"  waiting to be applied afterwards: {lag:.0f}")
    record("inbox_http", figures)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="python -m bench.inbox_http")
    parser.add_argument("--seconds", type=float, default=8.0, help="of each measurement")
    words = parser.parse_args()
    with scratch(demo_data(Path(".bench/small"), size="small")) as lent:
        uvloop.run(main(words.seconds, lent))
