"""The store: everything public as it is sent, in one folder; one appends, any number read.

    append ─▶ the writing thread ─▶ journal, one fdatasync ─▶ visible ─▶ the bell rings
    pull   ─▶ mapped segments, or the growing block: never a lock, never a copy that is kept
"""

import asyncio
from bisect import bisect_left
from collections import OrderedDict
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple, ParamSpec, TypeVar

import numpy as np

from lichen.kit import Clock
from lichen.log import FileSystem
from lichen.stream.block import Block
from lichen.stream.dictionary import Dictionaries
from lichen.stream.encoding import Encoder, check
from lichen.stream.errors import ArrivalRefused, StreamUnavailable
from lichen.stream.layout import Record, encode_record, records_in
from lichen.stream.limits import BLOCKS_OPEN_MAX, CHUNK_BYTES_MAX
from lichen.stream.model import Arrival
from lichen.stream.segment import Segment, block_of
from lichen.stream.writing import Options, Shelf, Writer

P = ParamSpec("P")
T = TypeVar("T")


class Appended(NamedTuple):
    """Where an append went; `last_seq` is before `first_seq` when it held nothing."""

    first_seq: int
    last_seq: int
    events: int


class Sizes(NamedTuple):
    """What is kept, and what it takes."""

    events: int
    plain_bytes: int
    compressed_bytes: int
    index_bytes: int
    oldest_us: int
    newest_us: int


class BlockPlace(NamedTuple):
    """A block, for who plans over many of them."""

    first_seq: int
    last_seq: int
    events: int
    plain_bytes: int
    compressed_bytes: int
    base_time_us: int
    segment: str  # the name of its file; empty for the growing block


class Found(NamedTuple):
    """A block, and the segment it stands in; none for the growing block."""

    block: Block
    segment: Segment | None = None
    number: int = 0

    def is_sendable(self, *, packed: bool) -> bool:
        """Say whether its messages have their checksum."""
        return self.segment is None or self.segment.is_sendable(
            self.number, self.block, packed=packed)


class Store:
    """The stream's events in every form they are sent in."""

    def __init__(self, writer: Writer, dictionaries: Dictionaries) -> None:
        self.dictionaries = dictionaries
        self._writer = writer
        self._is_closed = False
        self.erasures_done = 0  # since the start
        # One thread, so that appends, erasures and trims never meet.
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="stream")
        self._bells: list[Callable[[], None]] = []
        self._open: OrderedDict[tuple[Segment, int], Block] = OrderedDict()

    @classmethod
    def open(cls, folder: Path, *, clock: Clock, dictionaries: Dictionaries,
             options: Options | None = None, file_system: FileSystem | None = None) -> "Store":
        """Open a folder to append, alone; mend what a crash left.

        Blocks on the disk: one small read a block. Raises LogLocked, StreamTooNew, OSError.
        """
        dictionary = dictionaries.stored
        encoder = Encoder(clock, dictionary=dictionary,
                          compressor=dictionaries.new_compressor(dictionary))
        return cls(Writer(file_system or FileSystem(), folder, encoder, clock=clock,
                          options=options or Options()), dictionaries)

    @property
    def first_seq(self) -> int:
        """Return the lowest sequence that can be read, `next_seq` when nothing is kept."""
        segments, growing = self._writer.shelf
        return segments[0].first_seq if segments else growing.block.first_seq

    @property
    def floor_seq(self) -> int:
        """Return the first sequence that retention has not passed; the first event may be later."""
        return self._writer.erasures.floor_seq

    @property
    def next_seq(self) -> int:
        """Return what the next event gets at least; the tip is the one before."""
        return self._writer.shelf.next_seq

    @property
    def newest_us(self) -> int:
        """Return the time of the newest event."""
        return self._writer.shelf.growing.block.last_time_us

    @property
    def position(self) -> int:
        """Return how far the source was read, durably."""
        return self._writer.position

    @property
    def v1_dictionary(self) -> int:
        """Return the dictionary of the stored compressed form."""
        return self.dictionaries.stored

    @property
    def damaged_blocks(self) -> int:
        """Return how many blocks were found damaged since the start, and passed."""
        return len(self._writer.damages)

    async def append(self, arrivals: Sequence[Arrival], *, position: int) -> Appended:
        """Store events and how far the source was read; returns once they are durable and visible.

        Without events it notes the position alone. One write and one fdatasync; a cancelled append
        may or may not have happened. Raises ArrivalRefused (see `portions`), StreamUnavailable.
        """
        check(arrivals)
        return self._told(await self._run(self._writer.commit, arrivals, position=position))

    async def append_record(self, record: bytes) -> Appended:
        """Store a record as another store encoded it; raises ArrivalRefused, StreamUnavailable."""
        found = records_in(memoryview(record))
        if len(found) != 1 or found[0][0].size != len(record):
            raise ArrivalRefused("Expected one whole record, got bytes without its checksums.")
        head, content = found[0]
        if head.first_seq < self.next_seq:
            raise ArrivalRefused(f"Expected a record from sequence {self.next_seq} on, got "
                                 f"{head.first_seq}.")
        block = block_of(head, content)
        await self._run(self._writer.store, block.as_record())
        return self._told(block.as_record())

    def record_from(self, seq: int, *, bytes_max: int = CHUNK_BYTES_MAX) -> bytes:
        """Return stored events from a sequence on as one record; nothing at the tip."""
        seq = max(seq, self.first_seq)
        while (found := self.find(seq)) is not None:
            block = found.block
            start = block.row_at(seq)
            # A new checksum would make damaged bytes look whole.
            if start < block.events and found.is_sendable(packed=False) and (
                    found.is_sendable(packed=True)):
                return _part_from(block, start, bytes_max)
            seq = block.last_seq + 1
        return b""

    def find(self, seq: int) -> Found | None:
        """Return the block that holds a sequence, or the next one after it; None at the tip.

        Raises StreamUnavailable.
        """
        while True:
            shelf = self._writer.shelf
            try:
                return self._found(shelf, seq)
            except OSError as error:
                # The segment may have been removed under this reader, which then goes on behind it.
                if shelf.segments == self._writer.shelf.segments:
                    raise StreamUnavailable(
                        f"The stream cannot be read: {error.strerror}.") from error

    def _found(self, shelf: Shelf, seq: int) -> Found | None:
        segments, growing = shelf
        at = bisect_left(segments, seq, key=lambda segment: segment.last_seq)
        if at == len(segments):
            block = growing.block
            return Found(block) if block.events and seq <= block.last_seq else None
        segment = segments[at]
        number = bisect_left(segment.places, seq, key=lambda place: place.head.last_seq)
        return Found(self._block(segment, number), segment, number)

    def seq_at(self, time_us: int) -> int:
        """Return the first sequence whose time is not before `time_us`, else the next one."""
        segments, growing = self._writer.shelf
        next_seq, seq = growing.block.last_seq + 1, growing.block.first_seq
        # The time may lie in the block before the first one that begins later.
        at = max(0, bisect_left(segments, time_us, key=lambda segment: segment.base_time_us) - 1)
        if segments:
            places = segments[at].places
            number = bisect_left(places, time_us, key=lambda place: place.head.base_time_us)
            seq = places[max(0, number - 1)].head.first_seq
        # Blocks that are empty now, by erasure or damage, have no time of their own.
        while found := self.find(seq):
            block = found.block
            if block.events and block.last_time_us >= time_us:
                return block.seq_of(block.row_at_time(time_us))
            seq = block.last_seq + 1
        return next_seq

    def blocks(self) -> list[BlockPlace]:
        """Return all blocks, oldest first."""
        segments, growing = self._writer.shelf
        places = [
            BlockPlace(head.first_seq, head.last_seq, head.events, head.plain_bytes,
                       head.packed_bytes, head.base_time_us, segment.path.name)
            for segment in segments for _, head in segment.places]
        block = growing.block
        if block.events:
            places.append(BlockPlace(block.first_seq, block.last_seq, block.events,
                                     len(block.plain), len(block.packed), block.base_time_us, ""))
        return places

    def sizes(self) -> Sizes:
        """Return what is kept, and what it takes."""
        segments, growing = self._writer.shelf
        block = growing.block
        heads = [place.head for segment in segments for place in segment.places]
        own = [block.as_record()] if block.events else []
        oldest_us = heads[0].base_time_us if heads else block.base_time_us
        return Sizes(
            sum(head.events for head in heads) + block.events,
            sum(head.plain_bytes for head in heads) + len(block.plain),
            sum(head.packed_bytes for head in heads) + len(block.packed),
            sum(head.index_bytes for head in heads)
            + sum(len(encode_record(one)[0]) for one in own),
            oldest_us, block.last_time_us,
        )

    async def erase(self, seqs: Iterable[int]) -> None:
        """Remove events from every form for good; their sequences stay as holes. Idempotent.

        Costs the rewriting of every segment touched: gather sequences and erase them together.
        Raises StreamUnavailable.
        """
        wanted = np.unique(np.fromiter(seqs, np.int64))
        wanted = wanted[wanted.searchsorted(self._writer.floor_seq):]
        if not len(wanted):
            return
        await self._run(self._writer.begin_erasure, wanted.tolist())
        for path in [segment.path for segment in self._writer.shelf.segments]:
            await self._run(self._writer.erase_in, path, wanted)
        await self._run(self._writer.end_erasure)
        self._open.clear()  # what was decoded holds on to the files as they were
        # Who ships has something new to tell, and who keeps copies has something to drop.
        self.erasures_done += 1
        self._ring()

    def erasures_after(self, number: int) -> list[tuple[int, list[int]]]:
        """Return what was erased, with its numbers, after the erasure of a number."""
        return self._writer.erasures.after(number)

    async def retain(self, *, age_us_max: int, bytes_max: int, now_us: int) -> int:
        """Forget whole segments that are too old or too many; return the new first sequence."""
        first_seq = await self._run(self._retain, age_us_max, bytes_max, now_us)
        self._open.clear()
        return first_seq

    async def forget_below(self, seq: int) -> int:
        """Forget whole segments that end before a sequence; return the new first one."""
        return await self._run(self._forget_below, seq)

    async def skip_to(self, seq: int) -> None:
        """Make `seq` the next sequence at least; leaves a hole."""
        await self._run(self._writer.skip_to, seq)

    def subscribe_bell(self, ring: Callable[[], None]) -> Callable[[], None]:
        """Have `ring` called on the loop after every append; return what ends that."""
        self._bells.append(ring)
        return lambda: self._bells.remove(ring)

    async def wait_beyond(self, seq: int) -> None:
        """Wait until the next sequence is greater than `seq`, or the store is closed."""
        rung = asyncio.Event()
        leave = self.subscribe_bell(rung.set)
        try:
            while self.next_seq <= seq and not self._is_closed:
                rung.clear()
                await rung.wait()
        finally:
            leave()

    async def close(self) -> None:
        """Finish what is under way and close; reads still work. Idempotent."""
        if self._is_closed:
            return
        self._is_closed = True
        await asyncio.to_thread(self._thread.shutdown)
        self._writer.close()
        self._ring()

    def _told(self, record: Record) -> Appended:
        self._ring()
        return Appended(record.first_seq, record.last_seq, len(record.columns.seq))

    def _ring(self) -> None:
        for ring in tuple(self._bells):
            ring()

    def _block(self, segment: Segment, number: int) -> Block:
        """Return a sealed block; the last ones that were looked at are kept. Raises OSError."""
        key = (segment, number)
        block = self._open.get(key)
        if block is None:
            block = self._open[key] = segment.block(number)
            if len(self._open) > BLOCKS_OPEN_MAX:
                self._open.popitem(last=False)
        else:
            self._open.move_to_end(key)
        return block

    def _retain(self, age_us_max: int, bytes_max: int, now_us: int) -> int:
        segments = self._writer.shelf.segments
        kept_bytes = sum(segment.size for segment in segments)
        forgotten = []
        for segment, successor in pairwise(segments):
            is_aged = successor.places[0].head.base_time_us < now_us - age_us_max
            if not is_aged and kept_bytes <= bytes_max:
                break
            forgotten.append(segment)
            kept_bytes -= segment.size
        self._writer.remove(forgotten)
        return self.first_seq

    def _forget_below(self, seq: int) -> int:
        forgotten = [segment for segment, successor in pairwise(self._writer.shelf.segments)
                     if successor.first_seq <= seq]
        self._writer.remove(forgotten)
        return self.first_seq

    async def _run(self, act: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> T:
        """Do something on the writing thread, after what came before."""
        if self._is_closed:
            raise StreamUnavailable("The stream is closed; start it again.")
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._thread, lambda: act(*args, **kwargs))


def _part_from(block: Block, start: int, bytes_max: int) -> bytes:
    """Return events of a block as a record of their own, at least one."""
    ends = block.columns.plain_end
    begin = int(ends[start - 1]) if start else 0
    stop = max(start + 1, int(ends.searchsorted(begin + bytes_max, "right")))
    return b"".join(encode_record(block.part(start, stop)))
