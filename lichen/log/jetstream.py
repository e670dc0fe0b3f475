"""The second engine: the asynchronous log over one stream of NATS JetStream.

    append ──┐                                  ┌── read, seq_at (any thread, by direct get)
    append ──┼─▶ queue ─▶ the scribe ─▶ NATS ───┤
    erase  ──┘            one message for       └── bell ─▶ followers pull from where they are
                          all that wait

The same blocks as in the segments' files, a message each: measured, 450 k durable events a second
in batches of 1,000, where a message for each event makes 4.6 k, and 60 k in the atomic batches of
servers from 2.12 on (each message is synced, and travels, alone). So an erasure writes a block anew
(`jetstream_writing.py`), and sequences are ours: they stand in the blocks.
"""

import asyncio
import os
import platform
from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from contextlib import ExitStack, closing
from functools import partial
from pathlib import Path
from typing import NamedTuple, ParamSpec, TypeVar

import numpy as np

from lichen.kit import Clock
from lichen.log.bell import Bell
from lichen.log.contract import Appended, Batch
from lichen.log.jetstream_link import Link, Server
from lichen.log.jetstream_server import Durability
from lichen.log.jetstream_stream import Stream
from lichen.log.jetstream_writing import StreamWriter, Terms
from lichen.log.limits import READ_RECORDS_MAX
from lichen.log.opening import lock_folder
from lichen.log.payloads import checked_size
from lichen.log.scribe import Scribe

P = ParamSpec("P")
T = TypeVar("T")


class JetStreamOptions(NamedTuple):
    """Which stream on which server, and how durable it must be.

    `durability` "disk": what is acknowledged survives a power cut (the server syncs each message,
    or three servers hold it); "process": it survives the death of processes only.
    """

    url: str
    stream: str = "lichen"
    monitor_url: str = ""
    durability: Durability = "disk"
    replicas: int = 1


class JetStreamLog:
    """A `Log` that keeps its records in a stream of NATS JetStream."""

    def __init__(self, writer: StreamWriter, lock_fd: int | None = None) -> None:
        self._writer = writer
        self._lock_fd = lock_fd
        self._bell = Bell()
        self._is_closed = False
        self._scribe = Scribe(writer.commit, self._bell.ring)
        # Erasures and trims, one at a time: each walks over blocks that the other removes.
        self._upkeep = asyncio.Lock()

    @classmethod
    def open(cls, options: JetStreamOptions, *, clock: Clock,
             folder: Path | None = None) -> "JetStreamLog":
        """Open a stream to append, alone; make it where there is none, finish what a crash left.

        `folder` is locked meanwhile, as that of segments is. Blocks on the network: a dozen
        questions. Raises LogLocked, ServerRefused, LogUnavailable.
        """
        owner = f"{os.getpid()} on {platform.node()} (since {clock()})"
        terms = Terms(owner, options.replicas, options.durability, options.monitor_url)
        with ExitStack() as undone:
            lock_fd = None
            if folder is not None:
                folder.mkdir(mode=0o700, parents=True, exist_ok=True)
                lock_fd = lock_folder(folder)
                undone.callback(os.close, lock_fd)
            link = undone.enter_context(closing(Link(options.url)))
            writer = StreamWriter(Stream(link, options.stream), clock=clock, terms=terms)
            undone.pop_all()
        return cls(writer, lock_fd)

    @property
    def server(self) -> Server:
        """Return the server that was connected to last."""
        return self._writer.server

    @property
    def first_seq(self) -> int:
        """Return the lowest sequence that can be read, 0 when nothing is kept."""
        return self._writer.first_seq

    @property
    def last_seq(self) -> int:
        """Return the last sequence used up, by a record or by a jump; 0 at the very start."""
        return self._writer.last_seq

    async def append(self, payloads: Sequence[bytes]) -> Appended:
        """Append the payloads and return once they are durable; see `Log.append`."""
        size = checked_size(payloads)
        return await asyncio.wrap_future(self._scribe.append(payloads, size))

    def read(self, from_seq: int, *, limit: int = READ_RECORDS_MAX) -> Batch:
        """Return up to `limit` records from `from_seq` on; see `Log.read`."""
        return self._writer.read(from_seq, limit=limit)

    async def follow(self, from_seq: int, *, limit: int = READ_RECORDS_MAX) -> AsyncIterator[Batch]:
        """Iterate over batches from `from_seq` on until the log is closed; see `Log.follow`."""
        next_seq = from_seq

        def has_more() -> bool:
            return self.last_seq >= next_seq

        while True:
            await self._bell.wait_until(lambda: self._is_closed or has_more())
            if not has_more():
                return
            # What was appended a moment ago is in memory: cheaper than a hop to a thread.
            batch = self._writer.read_near(next_seq, limit=limit)
            if batch is None:
                batch = await asyncio.to_thread(self.read, next_seq, limit=limit)
            next_seq = batch.next_seq
            yield batch

    def seq_at(self, time_us: int) -> int:
        """Return the first sequence whose time is not before `time_us`, else the next one."""
        return self._writer.seq_at(time_us)

    async def erase(self, seqs: Iterable[int]) -> None:
        """Remove the payloads of these sequences for good; see `Log.erase`.

        Appends go on between two blocks.
        """
        wanted = np.unique(np.fromiter(seqs, np.int64))
        async with self._upkeep:
            index = 0
            while index < len(wanted):
                index = await self._run(self._writer.erase_at, wanted, index)

    async def retain(self, *, floor_seq: int, age_us_max: int, bytes_max: int) -> int:
        """Forget the oldest records that are too old or too many; see `Log.retain`."""
        async with self._upkeep:
            return await self._run(self._writer.trim, floor_seq=floor_seq, age_us_max=age_us_max,
                                   bytes_max=bytes_max)

    async def skip_to(self, seq: int) -> None:
        """Make `seq` the next sequence to be given; see `Log.skip_to`."""
        await self._run(self._writer.skip_to, seq)
        self._bell.ring()

    async def close(self) -> None:
        """Finish what is waiting and close; reads still work, followers end. Idempotent."""
        await asyncio.to_thread(self._scribe.close)
        await asyncio.to_thread(self._writer.close)
        if self._lock_fd is not None:
            os.close(self._lock_fd)
            self._lock_fd = None
        self._is_closed = True
        self._bell.ring()

    async def _run(self, act: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> T:
        """Do something on the scribe's thread, between two commits."""
        return await asyncio.wrap_future(self._scribe.do(partial(act, *args, **kwargs)))
