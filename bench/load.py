"""An HTTP load of our own: closed loop for saturation, open loop for latency at a given rate.

Closed: every connection sends its next request when the last was answered. Open: requests are due
at fixed times, whether or not earlier ones were answered, and latency counts from when each was due
(no coordinated omission). One process, raw sockets, HTTP/1.1 with keep-alive.
"""

import asyncio
import time
from collections.abc import Callable, Sequence
from typing import NamedTuple

REQUEST_S_MAX = 30.0


class Load(NamedTuple):
    """What a load saw: latencies in ms of what was answered 2xx, and how many were not."""

    latencies_ms: list[float]
    refused: int
    seconds: float

    @property
    def rate(self) -> float:
        """Answers per second."""
        return len(self.latencies_ms) / self.seconds

    def percentile_ms(self, share: float) -> float:
        """The latency that `share` of the answers stayed under."""
        ordered = sorted(self.latencies_ms)
        return ordered[min(len(ordered) - 1, int(share * len(ordered)))] if ordered else 0.0


class Connection:
    """One keep-alive connection."""

    def __init__(self, host: str, port: int) -> None:
        self._host, self._port = host, port
        self._reader: asyncio.StreamReader | None = None
        self._writer: asyncio.StreamWriter | None = None

    async def ask(self, request: bytes) -> tuple[int, bytes]:
        """Send one request; return status and body."""
        if self._writer is None or self._writer.is_closing():
            self._reader, self._writer = await asyncio.open_connection(self._host, self._port)
        assert self._reader is not None
        self._writer.write(request)
        head = await self._reader.readuntil(b"\r\n\r\n")
        status = int(head[9:12])
        lower = head.lower()
        if b"transfer-encoding: chunked" in lower:
            return status, await self._chunks()
        start = lower.find(b"content-length: ")
        length = int(lower[start + 16 : lower.index(b"\r", start)]) if start >= 0 else 0
        return status, await self._reader.readexactly(length) if length else b""

    async def _chunks(self) -> bytes:
        assert self._reader is not None
        body = b""
        while size := int(await self._reader.readline(), 16):
            body += (await self._reader.readexactly(size + 2))[:-2]
        await self._reader.readline()
        return body

    def close(self) -> None:
        """Close the connection."""
        if self._writer is not None:
            self._writer.close()


def get(path: str, *, host: str = "127.0.0.1", token: str = "", cookie: str = "") -> bytes:
    """Return the bytes of a GET request."""
    lines = [f"GET {path} HTTP/1.1", f"Host: {host}"]
    lines += [f"Authorization: Bearer {token}"] if token else []
    lines += [f"Cookie: {cookie}"] if cookie else []
    return ("\r\n".join(lines) + "\r\n\r\n").encode()


def post(path: str, body: bytes, *, host: str = "127.0.0.1", token: str = "") -> bytes:
    """Return the bytes of a POST request with a JSON body."""
    lines = [f"POST {path} HTTP/1.1", f"Host: {host}", "Content-Type: application/json",
             f"Content-Length: {len(body)}"]
    lines += [f"Authorization: Bearer {token}"] if token else []
    return ("\r\n".join(lines) + "\r\n\r\n").encode() + body


async def closed(
    port: int, request: Callable[[int], bytes], *, connections: int, seconds: float
) -> Load:
    """Saturate: `request(n)` gives the n-th request; every connection asks as fast as it can."""
    latencies: list[float] = []
    refused = 0
    numbers = iter(range(1 << 60))
    end = time.perf_counter() + seconds

    async def worker() -> None:
        nonlocal refused
        connection = Connection("127.0.0.1", port)
        while (started := time.perf_counter()) < end:
            async with asyncio.timeout(REQUEST_S_MAX):
                status, _body = await connection.ask(request(next(numbers)))
            if 200 <= status < 300:
                latencies.append((time.perf_counter() - started) * 1_000)
            else:
                refused += 1
        connection.close()

    began = time.perf_counter()
    await asyncio.gather(*(worker() for _ in range(connections)))
    return Load(latencies, refused, time.perf_counter() - began)


async def opened(
    port: int, request: Callable[[int], bytes], *, connections: int, rate: float, seconds: float
) -> Load:
    """Offer `rate` requests a second; latency counts from the moment each was due."""
    latencies: list[float] = []
    refused = 0
    idle: asyncio.Queue[Connection] = asyncio.Queue()
    for _ in range(connections):
        idle.put_nowait(Connection("127.0.0.1", port))

    async def one(number: int, due: float) -> None:
        nonlocal refused
        connection = await idle.get()
        status, _body = await connection.ask(request(number))
        idle.put_nowait(connection)
        if 200 <= status < 300:
            latencies.append((time.perf_counter() - due) * 1_000)
        else:
            refused += 1

    began = time.perf_counter()
    async with asyncio.TaskGroup() as group:
        for number in range(int(rate * seconds)):
            due = began + number / rate
            if (early := due - time.perf_counter()) > 0:
                await asyncio.sleep(early)
            group.create_task(one(number, due))
    return Load(latencies, refused, time.perf_counter() - began)


def summary(load: Load, percentiles: Sequence[float] = (0.5, 0.99)) -> dict[str, float]:
    """Return the figures of a load, rounded, for printing and for the results."""
    figures = {f"p{share * 100:g}_ms": round(load.percentile_ms(share), 2) for share in percentiles}
    return {"rate_per_s": round(load.rate, 1), "refused": load.refused, **figures}
