"""A WebSocket client that may misbehave: what it sends is what a test says."""

import asyncio
import re
import socket
import struct
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import msgspec

from tests.stream.serving import Served

CONTINUATION, TEXT, BINARY, CLOSE, PING, PONG = 0, 1, 2, 8, 9, 10
WITHIN_S = 10
UPGRADE = {
    "Upgrade": "websocket", "Connection": "keep-alive, Upgrade", "Sec-WebSocket-Version": "13",
    "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
}


class Raw:
    """One connection."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader = reader
        self.writer = writer
        self.status = 0
        self.head = ""

    async def ask(self, path: str, headers: dict[str, str] | None = None) -> None:
        lines = "".join(f"{name}: {value}\r\n" for name, value in (UPGRADE | (headers or {})).items()
                        if value)
        self.writer.write(f"GET {path} HTTP/1.1\r\nHost: x\r\n{lines}\r\n".encode())
        head = await asyncio.wait_for(self.reader.readuntil(b"\r\n\r\n"), WITHIN_S)
        self.head = head.decode()
        self.status = int(self.head.split()[1])

    async def body(self) -> str:
        length = re.search(r"content-length: (\d+)", self.head)
        return (await self.reader.readexactly(int(length[1]))).decode() if length else ""

    def send(self, opcode: int, payload: bytes, *, fin: bool = True, masked: bool = True,
             length: int | None = None) -> None:
        """Write one frame; `length` is what its head claims."""
        size = len(payload) if length is None else length
        bits = 0x80 if masked else 0
        head = bytes([(0x80 if fin else 0) | opcode])
        if size < 126:
            head += bytes([bits | size])
        elif size < 65_536:
            head += bytes([bits | 126]) + struct.pack(">H", size)
        else:
            head += bytes([bits | 127]) + struct.pack(">Q", size)
        mask = b"\0\0\0\0" if masked else b""  # a mask of zeros is a mask
        self.writer.write(head + mask + payload)

    async def frame(self) -> tuple[int, bytes]:
        """Return the next frame, opcode and payload."""
        async with asyncio.timeout(WITHIN_S):
            first, size = await self.reader.readexactly(2)
            assert size < 128, "a server masks nothing"
            assert first & 0x70 == 0, "no extension was agreed upon"
            if size == 126:
                size = int.from_bytes(await self.reader.readexactly(2), "big")
            elif size == 127:
                size = int.from_bytes(await self.reader.readexactly(8), "big")
            return first & 0x0F, await self.reader.readexactly(size)

    async def message(self) -> bytes:
        """Return the next message, passing over pings."""
        while True:
            opcode, payload = await self.frame()
            if opcode in (TEXT, BINARY):
                return payload
            assert opcode in (PING, PONG), (opcode, payload)

    async def json(self) -> dict[str, Any]:
        return msgspec.json.decode(await self.message(), type=dict[str, Any])

    async def closed(self) -> tuple[int, str]:
        """Return code and reason of the Close, passing over everything before it."""
        while True:
            opcode, payload = await self.frame()
            if opcode == CLOSE:
                return int.from_bytes(payload[:2], "big"), payload[2:].decode()


@asynccontextmanager
async def raw(served: Served, path: str = "", headers: dict[str, str] | None = None, *,
              window_bytes: int = 0) -> AsyncIterator[Raw]:
    """Open a connection, and a WebSocket where a path is given; a small window fills up soon."""
    sock = socket.socket()
    if window_bytes:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, window_bytes)
    sock.setblocking(False)
    await asyncio.get_running_loop().sock_connect(sock, ("127.0.0.1", served.server.port))
    reader, writer = await asyncio.open_connection(sock=sock, limit=1 << 24)
    client = Raw(reader, writer)
    try:
        if path:
            await client.ask(path, headers)
        yield client
    finally:
        writer.transport.abort()


def narrow(served: Served) -> None:
    """Let the kernel keep little of what is sent to those who are subscribed now."""
    for subscriber in served.subscribers:
        sock = subscriber.transport.get_extra_info("socket")
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 16_384)
