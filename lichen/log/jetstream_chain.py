"""The readable side of a log on JetStream: a chain of blocks in the order of their positions.

    position   4        5    6        9        11
             ┌────────┬    ┬────────┬        ┬────────┐
    stream   │ 1…1000 │ –  │ 1001…  │   –    │ 2001…  │     messages of NAME.block
             └────────┴    ┴────────┴        ┴────────┘
    again                      └── NAME.again.6.1001.2000: read in its place

Each block begins with the sequence after the one before it ended, so a message that is missing
shows. Positions have gaps (marks, blocks written anew, erased messages) that mean nothing.

A block is found by halving: positions and sequences both increase. Marks and blocks used lately are
kept, so a follower asks once for each run of blocks, and for nothing that was just appended.

All methods may be called on any thread while one other thread writes (`jetstream_writing.py`):
`_shape` and `_end` are each replaced in one step, and nothing behind `_end` is ever read, though it
may be there already: durable before visible.
"""

from bisect import bisect_left
from collections.abc import Callable, Iterator
from threading import Lock
from typing import NamedTuple, TypeVar

import numpy as np

from lichen.log.contract import Batch
from lichen.log.errors import LogDamaged, LogTrimmed
from lichen.log.format import DAMAGED, BlockHead, read_table
from lichen.log.gathering import Gathered
from lichen.log.jetstream_marks import Again, Blocks, Marks, Placed, lost, placed
from lichen.log.jetstream_stream import Stream
from lichen.log.limits import FETCH_BLOCKS_MAX, NEAR_POSITIONS, READ_RECORDS_MAX

T = TypeVar("T")


class Shape(NamedTuple):
    """Where the chain begins, and which of its blocks were written anew, in order."""

    floor_seq: int
    first_position: int
    again: tuple[Again, ...]

    def again_from(self, position: int) -> int:
        """Return the index of the first block written anew at a position or later."""
        return bisect_left(self.again, position, key=lambda one: one.position)


class End(NamedTuple):
    """The last block that may be read."""

    last_seq: int
    last_time_us: int
    position: int


class Chain:
    """The blocks of a stream, to be read by sequence and by time."""

    def __init__(self, stream: Stream, shape: Shape, end: End) -> None:
        self._stream = stream
        self._shape = shape
        self._end = end
        self._marks = Marks()
        self._blocks = Blocks()
        self._swapping = Lock()  # the shape and what is kept of it change together

    @property
    def first_seq(self) -> int:
        """Return the lowest sequence that can be read, 0 when nothing is kept."""
        return self._shape.floor_seq if self._shape.floor_seq <= self._end.last_seq else 0

    @property
    def last_seq(self) -> int:
        """Return the last sequence used up."""
        return self._end.last_seq

    def read(self, from_seq: int, *, limit: int = READ_RECORDS_MAX) -> Batch:
        """Return up to `limit` records from `from_seq` on, every checksum verified."""
        assert from_seq >= 0 and limit >= 1
        return self._steadily(lambda shape: self._read(shape, max(1, from_seq), limit))

    def read_near(self, from_seq: int, *, limit: int) -> Batch | None:
        """Return records of one block, if that is in memory: no question is asked."""
        position, _ = self._marks.around(from_seq)
        kept = self._blocks.get(position)
        if kept is None or kept.block is None or from_seq < self._shape.floor_seq:
            return None
        head = kept.block.head
        if not head.first_seq <= from_seq <= head.last_seq <= self._end.last_seq:
            return None
        gathered = Gathered(from_seq, limit)
        gathered.add(kept.block)
        return gathered.batch()

    def seq_at(self, time_us: int) -> int:
        """Return the first sequence whose time is not before `time_us`, else the next one."""
        return self._steadily(lambda shape: self._seq_at(shape, time_us))

    def _steadily(self, question: Callable[[Shape], T]) -> T:
        """Ask about the chain, and again if it changed under the question."""
        while True:
            shape = self._shape
            try:
                return question(shape)
            except (LogDamaged, LogTrimmed):
                if not self._is_other_than(shape):
                    raise

    def _is_other_than(self, shape: Shape) -> bool:
        """Say whether the chain has changed; a change that is just made is waited for."""
        with self._swapping:
            return shape is not self._shape

    def _read(self, shape: Shape, from_seq: int, limit: int) -> Batch:
        if from_seq < shape.floor_seq:
            raise LogTrimmed(from_seq, floor_seq=shape.floor_seq)
        gathered = Gathered(from_seq, limit)
        for one in self._reaching(shape, from_seq):
            assert one.block is not None
            head = one.block.head
            if head.kind == DAMAGED:
                gathered.stop_at(LogDamaged(head.first_seq, head.last_seq, quarantined=False))
            elif gathered.has_room_for(head):
                gathered.add(one.block)
            if gathered.is_full:
                break
        return gathered.batch()

    def _seq_at(self, shape: Shape, time_us: int) -> int:
        end = self._end
        position = self._position_of_time(shape, time_us)
        for one in self._walk(shape, position, expected=None):
            assert one.block is not None
            if one.block.head.kind == DAMAGED:
                return one.block.head.first_seq  # whoever reads from there is told of it
            table = read_table(one.block.rows)
            at = int(np.searchsorted(table["time_us"], time_us))
            if at < len(table):
                return int(table["seq"][at])
        return end.last_seq + 1

    def _reaching(self, shape: Shape, from_seq: int) -> Iterator[Placed]:
        """Iterate over the blocks that reach a sequence or later."""
        if from_seq > self._end.last_seq:
            return
        for one in self._walk(shape, self._position_of(shape, from_seq), expected=from_seq):
            assert one.block is not None
            if one.block.head.last_seq >= from_seq:
                yield one

    def _walk(self, shape: Shape, position: int, *, expected: int | None) -> Iterator[Placed]:
        """Iterate over the blocks from a position on; what is missing comes as a damaged one."""
        end = self._end
        bad_at = 0
        while position <= end.position:
            run = self._fetch(shape, position, end)
            if not run:
                break
            for one in run:
                position = one.position + 1
                if one.block is None:
                    bad_at = one.position
                    continue
                head = one.block.head
                if expected is not None and head.first_seq > expected:
                    yield lost(bad_at or one.position - 1, expected, head.first_seq - 1)
                expected, bad_at = max(expected or 0, head.last_seq + 1), 0
                if head.span:
                    yield one
        if expected is not None and expected <= end.last_seq:
            yield lost(bad_at or end.position, expected, end.last_seq)

    def _position_of(self, shape: Shape, seq: int) -> int:
        """Return a position at or a little before the block that holds a sequence."""
        end = self._end
        low, known_high = self._marks.around(seq)
        low = max(low, shape.first_position)
        high = end.position if known_high is None else min(known_high, end.position)
        return self._halved(shape, low, high, is_beyond=lambda head: head.first_seq > seq)

    def _position_of_time(self, shape: Shape, time_us: int) -> int:
        """Return a position at or a little before the first block that reaches a time."""
        return self._halved(shape, shape.first_position, self._end.position,
                            is_beyond=lambda head: head.last_time_us >= time_us)

    def _halved(self, shape: Shape, low: int, high: int, *,
                is_beyond: Callable[[BlockHead], bool]) -> int:
        """Return the position of a block near the last one that is not beyond what is sought."""
        end = self._end
        while high - low > NEAR_POSITIONS:
            middle = (low + high) // 2
            found = self._first_from(shape, middle, end)
            # What is no block says nothing; the walk from `low` on passes it again.
            is_known = found is not None and found.position <= high
            if found is None or found.block is None or not is_known or is_beyond(found.block.head):
                high = middle
            else:
                low = found.position
        return low

    def _first_from(self, shape: Shape, position: int, end: End) -> Placed | None:
        """Return the first block at a position or later, asking for no more than that one."""
        kept = self._blocks.get(position)
        if kept is not None:
            return kept
        message = self._stream.next_of(self._stream.block_subject, position)
        index = shape.again_from(position)
        again = shape.again[index] if index < len(shape.again) else None
        if again is not None and (message is None or again.position <= message.position):
            run = self._fetch_again(shape, (again,))
        elif message is not None and message.position <= end.position:
            run = [self._keep(shape, placed(message.position, message.content))]
        else:
            run = []
        return run[0] if run else None

    def _fetch(self, shape: Shape, position: int, end: End) -> list[Placed]:
        """Return a run of blocks at a position or later, in order; none at the end."""
        kept = self._blocks.get(position)
        if kept is not None:
            return [kept]
        while position <= end.position:
            messages = self._stream.blocks_from(position)
            reach = min(messages[-1].position if messages else end.position, end.position)
            anew = shape.again[shape.again_from(position) : shape.again_from(reach + 1)]
            if len(anew) > FETCH_BLOCKS_MAX:
                anew = anew[:FETCH_BLOCKS_MAX]
                reach = anew[-1].position
            replaced = {one.position for one in anew}
            run = [self._keep(shape, placed(message.position, message.content))
                   for message in messages
                   if message.position <= reach and message.position not in replaced]
            run += self._fetch_again(shape, anew)
            if run:
                return sorted(run, key=lambda one: one.position)
            position = reach + 1
        return []

    def _fetch_again(self, shape: Shape, anew: tuple[Again, ...]) -> list[Placed]:
        """Return blocks that were written anew, at the positions that they stand for."""
        found = self._stream.last_of([one.subject(self._stream.name) for one in anew])
        return [self._keep(shape, placed(one.position, message.content))
                for one, message in zip(anew, found, strict=True) if message is not None]

    def _keep(self, shape: Shape, one: Placed) -> Placed:
        """Keep a block in memory, unless what was asked for has just been erased."""
        with self._swapping:
            if shape is self._shape and one.block is not None:
                self._blocks.put(one)
                self._marks.add(one.block.head.first_seq, one.position)
        return one

    def _reshape(self, shape: Shape, *, changed: int = 0) -> None:
        """Replace the shape, and forget the block that is not as it was."""
        with self._swapping:
            self._shape = shape
            self._blocks.forget(changed)
            self._blocks.forget_before(shape.first_position)
            self._marks.forget_before(shape.floor_seq)
