"""One connection to a relay: frames come in as fast as they are taken, and no faster.

    socket ─▶ websockets: QUEUE_FRAMES_MAX ─▶ batch: BATCH_FRAMES_MAX, BATCH_BYTES_MAX ─▶ take()

Whoever takes gets all that has come: one frame on a quiet day, hundreds when catching up. While the
batch is full the socket is not read, so the relay waits, not our memory. A relay that says nothing
for hours is as good as any: pings, which it has to answer, tell it from a dead one.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Final
from urllib.parse import urlsplit, urlunsplit

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, ConnectionClosedError, WebSocketException

import lichen
from lichen.kit.errors import Refused
from lichen.stream.upstream.limits import (
    BATCH_BYTES_MAX,
    BATCH_FRAMES_MAX,
    FRAME_BYTES_MAX,
    OPEN_S_MAX,
    PING_S,
    PONG_S_MAX,
    QUEUE_FRAMES_MAX,
)

PATH: Final = "/xrpc/com.atproto.sync.subscribeRepos"
TOO_BIG: Final = 1009  # RFC 6455 §7.4.1: a message too big to take
# What a relay or the way to it may do: OSError holds TLS, DNS and time-outs.
LOST: Final = (OSError, EOFError, WebSocketException)


class TooBig(Exception):
    """A frame came that is longer than FRAME_BYTES_MAX."""


def address_of(text: str) -> str:
    """Return the address to connect to; a bare host gets the path. Raises Refused."""
    parts = urlsplit(text)
    if parts.scheme not in ("ws", "wss") or not parts.hostname or parts.query or parts.fragment:
        raise Refused(
            "bad_upstream",
            f"expected an address like wss://relay.example, got {text[:200]!r}; leave out query "
            "and fragment, the cursor is ours to give",
        )
    return urlunsplit(parts._replace(path=PATH if parts.path in ("", "/") else parts.path))


class Connection:
    """Takes in frames from one WebSocket, in a task of its own."""

    def __init__(self, socket: ClientConnection) -> None:
        self._socket = socket
        self._frames: list[bytes] = []
        self._bytes = 0
        self._ready = asyncio.Event()
        self._room = asyncio.Event()
        self._end: Exception | None = None

    async def take(self) -> list[bytes]:
        """Return the frames that have come, waiting for one; nothing when the relay has closed.

        Raises what ended the connection, after all frames before it were taken, and TooBig.
        """
        await self._ready.wait()
        frames, self._frames, self._bytes = self._frames, [], 0
        self._room.set()
        if self._end is None:
            self._ready.clear()
        elif not frames and not isinstance(self._end, EOFError):
            raise self._end
        return frames

    async def read(self) -> None:
        """Read until the connection ends; the owner's task."""
        try:
            while True:
                frame = await self._socket.recv(decode=False)
                self._frames.append(frame)
                self._bytes += len(frame)
                self._ready.set()
                if self._bytes >= BATCH_BYTES_MAX or len(self._frames) >= BATCH_FRAMES_MAX:
                    self._room.clear()
                    await self._room.wait()
        except ConnectionClosed as closed:
            self._end = _why(closed)
        finally:
            self._end = self._end or EOFError()
            self._ready.set()


@asynccontextmanager
async def connected(address: str, cursor: int | None) -> AsyncIterator[Connection]:
    """Open a connection after a cursor, at the tip without one; raises one of LOST."""
    url = address if cursor is None else f"{address}?cursor={cursor}"
    async with connect(
        url, max_size=FRAME_BYTES_MAX, max_queue=QUEUE_FRAMES_MAX, open_timeout=OPEN_S_MAX,
        ping_interval=PING_S, ping_timeout=PONG_S_MAX,
        # Frames are hashes and signatures: deflate would cost more than it saves.
        compression=None,
        # Neither variables of the environment nor what they point to are ours to follow.
        proxy=None, user_agent_header=f"Lichen/{lichen.__version__}",
    ) as socket:
        connection = Connection(socket)
        reading = asyncio.create_task(connection.read(), name="upstream reads")
        try:
            yield connection
        finally:
            reading.cancel()
            with suppress(asyncio.CancelledError):
                await reading
            # A relay in full flow would have to be read to its end of the closing handshake; it
            # knows nothing of us that it would have to keep.
            socket.transport.abort()


def _why(closed: ConnectionClosed) -> Exception:
    """Return what a closed connection means to whoever takes frames."""
    if closed.sent is not None and closed.sent.code == TOO_BIG and not closed.rcvd_then_sent:
        return TooBig()
    return closed if isinstance(closed, ConnectionClosedError) else EOFError()
