"""A TCP proxy that makes a server far away and counts the round trips it costs.

Every chunk is passed on `delay_ms` after it came, in order, in each direction. A round trip is
counted whenever the client speaks after an answer has reached it: at the socket, so nothing a
driver does can hide. Without a delay the count may be too high: a driver sends the statements of
one pipeline one by one, and a near server answers the first before the last was sent.
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

CHUNK_BYTES = 65_536
CHUNKS_MAX = 1_024  # on their way at once in one direction; then the sender waits


def _nothing() -> None:
    """Note nothing."""


class Distance:
    """A running proxy: its port, and what passed through it."""

    def __init__(self, host: str, port: int, *, delay_ms: float = 0.0) -> None:
        self.host, self.target = host, port
        self.delay_s = delay_ms / 1_000
        self.port = 0
        self.round_trips = 0

    def move(self, delay_ms: float) -> None:
        """Move the server further away, or closer, under whoever is connected."""
        self.delay_s = delay_ms / 1_000

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Pass one connection on until either side closes."""
        far_reader, far_writer = await asyncio.open_connection(self.host, self.target)
        turn = {"client": False}

        def client_speaks() -> None:
            if not turn["client"]:
                turn["client"] = True
                self.round_trips += 1

        def server_speaks() -> None:
            turn["client"] = False

        with contextlib.suppress(asyncio.CancelledError):
            await asyncio.gather(
                self._pass(reader, far_writer, came=client_speaks),
                self._pass(far_reader, writer, delivered=server_speaks),
            )

    async def _pass(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, *,
        came: Callable[[], None] = _nothing, delivered: Callable[[], None] = _nothing,
    ) -> None:
        loop = asyncio.get_running_loop()
        late: asyncio.Queue[tuple[float, bytes]] = asyncio.Queue(CHUNKS_MAX)

        async def deliver() -> None:
            while True:
                due, chunk = await late.get()
                await asyncio.sleep(max(0.0, due - loop.time()))
                if not chunk:
                    writer.close()
                    return
                delivered()
                writer.write(chunk)

        delivering = asyncio.create_task(deliver())
        try:
            while chunk := await reader.read(CHUNK_BYTES):
                came()
                await late.put((loop.time() + self.delay_s, chunk))
        except ConnectionError:
            pass
        await late.put((loop.time() + self.delay_s, b""))
        await delivering


@asynccontextmanager
async def distant(host: str, port: int, *, delay_ms: float = 0.0) -> AsyncIterator[Distance]:
    """Run a proxy before `host:port` on a free port of loopback."""
    distance = Distance(host, port, delay_ms=delay_ms)
    server = await asyncio.start_server(distance.serve, "127.0.0.1", 0)
    distance.port = server.sockets[0].getsockname()[1]
    try:
        yield distance
    finally:
        server.close()
