"""The segment engine: the asynchronous log over one folder.

    append ──┐                              ┌── read, seq_at (any thread, straight from the files)
    append ──┼─▶ queue ─▶ writer's thread ──┤
    erase  ──┘            one fdatasync     └── bell ─▶ followers pull from where they are
                          for all that wait

One thread writes. It takes everything that waits, writes it as one block and syncs once; what
comes meanwhile waits for the next round. So one caller pays one sync, and a thousand callers
share one. Followers are only told that there is more; each pulls at its own pace, and a slow one
costs nobody anything.
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from functools import partial
from pathlib import Path
from typing import ParamSpec, TypeVar

import numpy as np

from lichen.kit import Clock, LichenError
from lichen.log.bell import Bell
from lichen.log.contract import Appended, Batch
from lichen.log.erasure import Seqs
from lichen.log.errors import LogDamaged, LogUnavailable
from lichen.log.file_system import FileSystem
from lichen.log.limits import ERASE_TRIES_MAX, READ_RECORDS_MAX
from lichen.log.opening import OpeningReport, find_segments
from lichen.log.payloads import checked_size
from lichen.log.salvage import Damage
from lichen.log.scribe import Scribe
from lichen.log.segments import Segments
from lichen.log.writing import Options, SegmentsWriter

_FRESH_RECORDS = 256  # so many of the newest records are read on the event loop: under 1 ms

P = ParamSpec("P")
T = TypeVar("T")


class SegmentLog:
    """A `Log` that keeps its records in segment files of its own."""

    def __init__(self, writer: SegmentsWriter) -> None:
        self._writer = writer
        self._bell = Bell()
        self._is_closed = False
        self._scribe = Scribe(writer.commit, self._bell.ring)
        # Erasures and trims, one at a time: each walks over segments that the other removes.
        self._upkeep = asyncio.Lock()

    @classmethod
    def open(cls, folder: Path, *, clock: Clock, file_system: FileSystem | None = None,
             options: Options | None = None) -> "SegmentLog":
        """Open a folder to append, alone; mend what a crash left.

        Blocks on the disk: one small read a segment, the last segment whole. Raises LogLocked,
        LogTooNew, LogUnavailable.
        """
        return cls(SegmentsWriter(file_system or FileSystem(), folder, clock=clock,
                                  options=options or Options()))

    @staticmethod
    def open_reader(folder: Path, *, file_system: FileSystem | None = None) -> Segments:
        """Open what a folder holds now, to read, beside a process that may be appending to it."""
        files = file_system or FileSystem()
        segments, _ = find_segments(files, folder)
        if not segments:
            raise LogUnavailable(f"{folder} holds no log.")
        return Segments(files, segments)

    @property
    def report(self) -> OpeningReport:
        """Return what opening found and mended."""
        return self._writer.report

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
        try:
            return self._writer.read(from_seq, limit=limit)
        except LogDamaged as damage:
            if not damage.quarantined:
                self._mend_later(damage.first_seq)
            raise

    async def follow(self, from_seq: int, *, limit: int = READ_RECORDS_MAX) -> AsyncIterator[Batch]:
        """Iterate over batches from `from_seq` on until the log is closed; see `Log.follow`."""
        next_seq = from_seq

        def has_more() -> bool:
            return self.last_seq >= next_seq

        while True:
            await self._bell.wait_until(lambda: self._is_closed or has_more())
            if not has_more():
                return
            if self.last_seq - next_seq < _FRESH_RECORDS:
                # Written a moment ago, so it comes from memory: cheaper than a hop to a thread.
                batch = self.read(next_seq, limit=min(limit, _FRESH_RECORDS))
            else:
                batch = await asyncio.to_thread(self.read, next_seq, limit=limit)
            next_seq = batch.next_seq
            yield batch

    def seq_at(self, time_us: int) -> int:
        """Return the first sequence whose time is not before `time_us`, else the next one."""
        return self._writer.seq_at(time_us)

    async def erase(self, seqs: Iterable[int]) -> None:
        """Remove the payloads of these sequences for good; see `Log.erase`.

        A closed segment is rewritten beside the appends, the last one between two of them.
        """
        wanted = np.unique(np.fromiter(seqs, np.int64))
        async with self._upkeep:
            for segment in self._writer.holders_of(wanted):
                for _ in range(ERASE_TRIES_MAX):
                    if await self._erase_in(segment.path, wanted):
                        break
                else:
                    raise LogUnavailable(f"{segment.path.name} could not be rewritten; try again.")
            await self._run(self._writer.forget_aside, wanted)

    async def retain(self, *, floor_seq: int, age_us_max: int, bytes_max: int) -> int:
        """Forget the oldest records that are too old or too many; see `Log.retain`."""
        async with self._upkeep:
            return await self._run(self._writer.trim, floor_seq=floor_seq, age_us_max=age_us_max,
                                   bytes_max=bytes_max)

    async def skip_to(self, seq: int) -> None:
        """Make `seq` the next sequence to be given; see `Log.skip_to`."""
        await self._run(self._writer.skip_to, seq)
        self._bell.ring()

    async def verify(self) -> tuple[Damage, ...]:
        """Check every byte of the log; quarantine what is bad, and return what was lost anew."""
        found: list[Damage] = []
        for segment in self._writer.segments:
            found += await self._run(self._writer.mend, segment)
        return tuple(found)

    async def close(self) -> None:
        """Finish what is waiting and close; reads still work, followers end. Idempotent."""
        await asyncio.to_thread(self._scribe.close)
        self._writer.close()
        self._is_closed = True
        self._bell.ring()

    async def _erase_in(self, path: Path, seqs: Seqs) -> bool:
        """Erase in one segment; False when it was swapped or mended meanwhile: try again."""
        segment = self._writer.segment_at(path)
        if segment is None:
            return True
        try:
            if self._writer.is_active(segment):
                return await self._run(self._writer.erase_in, segment, seqs)
            rewritten = await asyncio.to_thread(self._writer.rewrite_without, segment, seqs)
            return rewritten is None or await self._run(self._writer.swap, segment, rewritten)
        except LogDamaged:
            await self._run(self._writer.mend, segment)
            return False

    def _mend_later(self, seq: int) -> None:
        """Have the segment of a damaged sequence checked and mended."""
        # A closed or broken log mends nothing; its reader is told of the damage all the same.
        with contextlib.suppress(LichenError):
            for segment in self._writer.holders_of(np.array([seq])):
                self._scribe.do(partial(self._writer.mend, segment))

    async def _run(self, act: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> T:
        """Do something on the scribe's thread, between two commits."""
        return await asyncio.wrap_future(self._scribe.do(partial(act, *args, **kwargs)))
