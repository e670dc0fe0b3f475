"""The peer: the `websockets` library, one message at a time, from a list in memory.

    python -m bench.streaming.peer --events N

Its own server on uvloop, its own handshake; `await socket.send(message)` for each event, no
compression, no limit on what waits: the shortest program that anybody would write. Messages are
bytes already, so nothing is encoded. Prints its port as one JSON line.
"""

import argparse
import asyncio
import json
import os
from collections.abc import Sequence

import uvloop
from websockets.asyncio.server import ServerConnection, serve

from bench.streaming.events import arrivals
from lichen.stream.frames import TEXT, framed, v1_message
from lichen.stream.model import Kind

DISTINCT = 50_000


async def main(events: int) -> None:
    """Send every event to whoever connects, until this process is killed."""
    messages = _messages()

    async def send_all(socket: ServerConnection) -> None:
        for _ in range(events // DISTINCT):
            for message in messages:
                await socket.send(message, text=True)

    async with serve(send_all, "127.0.0.1", 0, compression=None) as server:
        port = next(iter(server.sockets)).getsockname()[1]
        size = sum(len(framed(TEXT, message)) for message in messages)
        print(json.dumps({"port": port, "pid": os.getpid(), "bytes": size * (events // DISTINCT)}),
              flush=True)
        await asyncio.Future()


def _messages() -> Sequence[bytes]:
    return [v1_message(b'"%b"' % one.did.encode(), Kind.COMMIT, one.body, seq=number,
                       time_us=1_764_000_000_000_000 + number)
            for number, one in enumerate(arrivals(0, DISTINCT))]


words = argparse.ArgumentParser()
words.add_argument("--events", type=int, required=True)
uvloop.run(main(words.parse_args().events))
