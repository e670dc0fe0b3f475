"""All segments of a log, as readers see them.

Everything here may run on any thread while one other thread appends, erases and trims (see
`writing.py`): the tuple of segments and the tip of the last one are each replaced in one step.
Readers never wait for the writer.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Sequence
from threading import Lock
from typing import TypeVar

import numpy as np

from lichen.log.contract import Batch
from lichen.log.errors import LogDamaged, LogTrimmed, LogUnavailable
from lichen.log.file_system import FileSystem
from lichen.log.format import DAMAGED, read_table
from lichen.log.gathering import Gathered
from lichen.log.limits import READ_RECORDS_MAX
from lichen.log.segment import Segment, UnreadableBlock, walk, walk_by_time

T = TypeVar("T")


class Segments:
    """The readable side of a folder of segments; thread-safe."""

    def __init__(self, files: FileSystem, segments: Sequence[Segment]) -> None:
        assert segments
        self._files = files
        self._segments = tuple(segments)
        self._swapping = Lock()  # a file and the tuple change together

    @property
    def segments(self) -> tuple[Segment, ...]:
        """Return the segments as they are now, oldest first."""
        return self._segments

    @property
    def first_seq(self) -> int:
        """Return the lowest sequence that can be read, 0 when nothing is kept."""
        floor_seq = self._segments[0].head.previous_seq + 1
        return floor_seq if floor_seq <= self.last_seq else 0

    @property
    def last_seq(self) -> int:
        """Return the last sequence used up."""
        return self._segments[-1].tip.last_seq

    def read(self, from_seq: int, *, limit: int = READ_RECORDS_MAX) -> Batch:
        """Return up to `limit` records from `from_seq` on, every checksum verified."""
        assert from_seq >= 0 and limit >= 1
        return self._steadily(lambda segments: self._read(segments, max(1, from_seq), limit))

    def seq_at(self, time_us: int) -> int:
        """Return the first sequence whose time is not before `time_us`, else the next one."""
        return self._steadily(lambda segments: self._seq_at(segments, time_us))

    def _steadily(self, question: Callable[[tuple[Segment, ...]], T]) -> T:
        """Ask about the segments, and again if they were swapped under the question."""
        while True:
            segments = self._segments
            try:
                return question(segments)
            except (LogDamaged, LogTrimmed, OSError) as error:
                if self._is_other_than(segments):
                    continue
                if isinstance(error, OSError):
                    raise LogUnavailable(f"The log cannot be read: {error.strerror}.") from error
                raise

    def _is_other_than(self, segments: tuple[Segment, ...]) -> bool:
        """Say whether the segments have changed; a file that is just swapped is waited for."""
        with self._swapping:
            return segments is not self._segments

    def _read(self, segments: tuple[Segment, ...], from_seq: int, limit: int) -> Batch:
        floor_seq = segments[0].head.previous_seq + 1
        if from_seq < floor_seq:
            raise LogTrimmed(from_seq, floor_seq=floor_seq)
        gathered = Gathered(from_seq, limit)
        index = bisect_right(segments, from_seq, key=lambda segment: segment.head.first_seq)
        for segment in segments[max(0, index - 1) :]:
            if gathered.is_full:
                break
            # A jump may lie between two segments.
            gathered.next_seq = max(gathered.next_seq, segment.head.first_seq)
            if segment.tip.last_seq >= gathered.next_seq:
                self._gather(segment, gathered)
        return gathered.batch()

    def _gather(self, segment: Segment, gathered: Gathered) -> None:
        """Add the segment's blocks until the batch is full or damage begins."""
        try:
            for block in walk(self._files, segment, from_seq=gathered.next_seq):
                if block.head.kind == DAMAGED:
                    gathered.stop_at(LogDamaged(block.head.first_seq, block.head.last_seq,
                                                quarantined=True))
                elif gathered.has_room_for(block.head):
                    gathered.add(block)
                if gathered.is_full:
                    return
        except (UnreadableBlock, FileNotFoundError) as error:
            first_seq = getattr(error, "expected_seq", gathered.next_seq)
            gathered.stop_at(LogDamaged(first_seq, segment.tip.last_seq, quarantined=False))

    def _seq_at(self, segments: tuple[Segment, ...], time_us: int) -> int:
        index = bisect_left(segments, time_us, key=lambda segment: segment.head.previous_time_us)
        for segment in segments[max(0, index - 1) :]:
            try:
                for block in walk_by_time(self._files, segment, time_us=time_us):
                    table = read_table(block.rows)
                    at = int(np.searchsorted(table["time_us"], time_us))
                    if at < len(table):
                        return int(table["seq"][at])
            except UnreadableBlock as error:
                if segments is not self._segments:
                    return self._seq_at(self._segments, time_us)
                # Whoever reads from there is told of the damage.
                return error.expected_seq
        return segments[-1].tip.last_seq + 1
