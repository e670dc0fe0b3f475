"""Consumers in a process of their own: `count` messages by frames, in C, and say how fast.

    python -m bench.streaming.consumer ADDRESS --query Q --events N [--readers R] [--discard BYTES]

With --discard one reader has the kernel throw away what comes, uncopied (tcp(7), MSG_TRUNC), until
so many bytes came: a consumer that cannot be the bottleneck, for bytes that others have counted.
Prints one JSON line: events, bytes, seconds from before the first connection on, CPU seconds.
"""

import argparse
import json
import random
import selectors
import socket
import time

from lichen.stream.client.consuming import StreamEnded, Subscription, endpoint_of

WAIT_S = 30.0


def main() -> None:
    """Read until every reader has its events, or the server says that it is over."""
    words = argparse.ArgumentParser()
    words.add_argument("address")
    words.add_argument("--query", default="")
    words.add_argument("--events", type=int, required=True)
    words.add_argument("--readers", type=int, default=1)
    words.add_argument("--discard", type=int, default=0)
    given = words.parse_args()
    draw = random.Random(1).randbytes
    endpoint = endpoint_of(given.address)
    buffer = None
    start, cpu = time.perf_counter(), time.process_time()
    readers: list[Subscription] = []
    for _ in range(given.readers):
        reader = Subscription.open(endpoint, given.query, draw=draw, buffer=buffer)
        buffer = reader._buffer  # read in turn, so one is enough
        readers.append(reader)
    counts = dict.fromkeys(readers, 0)
    if given.discard:
        counts[readers[0]] = given.events if discard(readers[0], given.discard) else 0
    else:
        (read_one if given.readers == 1 else read_many)(readers, given.events, counts)
    print(json.dumps({
        "events": sum(counts.values()), "bytes": sum(one.bytes_received for one in readers),
        "seconds": time.perf_counter() - start, "cpu_s": time.process_time() - cpu}), flush=True)


def discard(reader: Subscription, wanted_bytes: int) -> bool:
    """Have bytes counted and thrown away by the kernel; say whether all came, and no more."""
    buffer = bytearray(1 << 20)
    reader.link.settimeout(WAIT_S)
    came = reader.bytes_received  # right behind the answer to the request
    while came < wanted_bytes:
        part = reader.link.recv_into(buffer, min(len(buffer), wanted_bytes - came),
                                     socket.MSG_TRUNC)
        if not part:
            return False
        came += part
    return came == wanted_bytes


def read_one(readers: list[Subscription], events: int, counts: dict[Subscription, int]) -> None:
    """Read one socket, blocking."""
    (reader,) = readers
    while counts[reader] < events:
        try:
            if not reader.fill(WAIT_S):
                return
        except StreamEnded:
            return
        counts[reader] += reader.count()


def read_many(readers: list[Subscription], events: int, counts: dict[Subscription, int]) -> None:
    """Read several sockets in turn, as they have something."""
    watched = selectors.EpollSelector()
    for reader in readers:
        watched.register(reader.link, selectors.EVENT_READ, reader)
    while watched.get_map():
        ready = watched.select(WAIT_S)
        if not ready:
            return
        for key, _ in ready:
            reader = key.data
            try:
                reader.fill(0)
            except StreamEnded:
                watched.unregister(reader.link)
                continue
            counts[reader] += reader.count()
            if counts[reader] >= events:
                watched.unregister(reader.link)


main()
