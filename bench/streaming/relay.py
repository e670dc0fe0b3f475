"""A relay that sends some thousand frames of real shape at a rate, then is quiet.

    python -m bench.streaming.relay --frames 5000 --rate 500

Prints its port as one JSON line. Whoever connects gets all frames from the first on.
"""

import argparse
import asyncio
import json
import os
from contextlib import suppress
from itertools import islice

import uvloop
from websockets.asyncio.server import ServerConnection, serve
from websockets.exceptions import ConnectionClosed

from bench.firehose import frames


async def main(count: int, rate: float) -> None:
    """Send to whoever connects, until this process is killed."""
    ready = [framed.frame for framed in islice(frames(1), count)]

    async def send_all(socket: ServerConnection) -> None:
        loop = asyncio.get_running_loop()
        start = loop.time()
        with suppress(ConnectionClosed):
            for number, frame in enumerate(ready):
                await asyncio.sleep(start + number / rate - loop.time())
                await socket.send(frame)
            await socket.wait_closed()

    async with serve(send_all, "127.0.0.1", 0, compression=None) as server:
        port = next(iter(server.sockets)).getsockname()[1]
        print(json.dumps({"port": port, "pid": os.getpid()}), flush=True)
        await asyncio.Future()


words = argparse.ArgumentParser()
words.add_argument("--frames", type=int, required=True)
words.add_argument("--rate", type=float, required=True)
given = words.parse_args()
uvloop.run(main(given.frames, given.rate))
