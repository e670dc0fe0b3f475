"""The one who writes: appends, seals, erases and trims. All of it on one thread at a time.

    commit ─► journal (one fdatasync) ─► growing block ─► what readers see
                                            │ full, or an hour old
                                            ▼
                                         segment (one fdatasync) ─► the journals go

Every method is a transaction: it happened, or nothing did, whatever the disk does and wherever the
process dies. Readers take `shelf`, which is replaced in one step.
"""

import os
from collections.abc import Sequence
from itertools import count
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from lichen.kit import Clock
from lichen.kit.crash_points import crash_point
from lichen.log import FileSystem, lock_folder, sweep
from lichen.stream.block import Block, GrowingBlock, Rows, bloom_over, part_of
from lichen.stream.columns import empty_columns
from lichen.stream.encoding import Encoder, Place
from lichen.stream.erasures import Erasures
from lichen.stream.errors import StreamUnavailable
from lichen.stream.journal import Journal, journal_path, journals_in, load_journals
from lichen.stream.layout import (
    FileHead,
    Names,
    Record,
    encode_record,
)
from lichen.stream.limits import (
    BLOCK_AGE_US_MAX,
    JOURNAL_BYTES_MAX,
    SEGMENT_AGE_US_MAX,
    SEGMENT_BYTES_MAX,
)
from lichen.stream.model import Arrival
from lichen.stream.segment import (
    Segment,
    append_block,
    block_of,
    load_segment,
    segment_path,
    segments_in,
    write_segment,
)


class Options(NamedTuple):
    """The sizes that may be set; the defaults are in limits.py, with their reasons."""

    segment_bytes_max: int = SEGMENT_BYTES_MAX
    block_age_us_max: int = BLOCK_AGE_US_MAX


class Shelf(NamedTuple):
    """What readers see: the sealed segments, oldest first, and the block that is growing."""

    segments: tuple[Segment, ...]
    growing: GrowingBlock

    @property
    def next_seq(self) -> int:
        """Return what the next event gets at least."""
        return self.growing.block.last_seq + 1


class Writer:
    """The files of a folder that this process has for itself."""

    def __init__(self, files: FileSystem, folder: Path, encoder: Encoder, *, clock: Clock,
                 options: Options) -> None:
        self._files, self._folder, self._clock, self._options = files, folder, clock, options
        self._encoder = encoder
        self._journal: Journal | None = None
        self._old_journals: list[Path] = []
        self._numbers = count()
        self._segment_fd: int | None = None
        self._must_roll = False
        files.make_folder(folder)
        self._lock_fd = lock_folder(folder)
        try:
            sweep(files, folder)
            self.erasures = Erasures(files, folder)
            self.shelf = self._load()
        except BaseException:
            os.close(self._lock_fd)
            raise

    @property
    def position(self) -> int:
        """Return how far the source was read."""
        return self.shelf.growing.block.position

    def commit(self, arrivals: Sequence[Arrival], *, position: int) -> Record:
        """Store an append, durably. Raises ArrivalRefused, StreamUnavailable."""
        block = self.shelf.growing.block
        after = Place(block.last_seq, block.last_time_us)
        record = self._encoder.record(arrivals, after, position=position)
        self.store(record)
        return record

    def store(self, record: Record) -> None:
        """Store a record that continues what is there, durably. Raises StreamUnavailable."""
        assert record.first_seq > self.shelf.growing.block.last_seq
        try:
            if not self.shelf.growing.has_room_for(record) or self._is_aged():
                self._seal()
            self._journal_for().append(record)
        except OSError as error:
            self._give_up()
            raise _unavailable(error) from error
        self.shelf.growing.add(record)

    def skip_to(self, seq: int) -> None:
        """Make `seq` the next sequence at least, durably; leaves a hole."""
        block = self.shelf.growing.block
        if seq > block.last_seq + 1:
            self.store(Record(block.last_seq + 1, seq - 1, block.last_time_us, block.position,
                              block.dictionary, Names(), empty_columns(0), b"", b""))

    def seal(self) -> None:
        """Move what the growing block holds into a segment. Raises StreamUnavailable."""
        try:
            self._seal()
        except OSError as error:
            self._give_up()
            raise _unavailable(error) from error

    def _seal(self) -> None:
        segments, growing = self.shelf
        block = growing.block
        if block.events:
            whole = block.as_record()._replace(bloom=bloom_over(block.columns))
            crash_point("stream.before_seal")
            segments = self._with_block(segments, whole)
            crash_point("stream.after_seal")
            self.shelf = Shelf(segments, _continued(block, self._encoder.dictionary))
            self._forget_journals()
        elif self._journal is not None and self._journal.size > JOURNAL_BYTES_MAX:
            self._forget_journals()

    def note_erasure(self, seqs: list[int]) -> None:
        """Note durably that these are to be erased. Raises StreamUnavailable."""
        first_seq = self.shelf.segments[0].first_seq if self.shelf.segments else 0
        try:
            self.erasures.add(seqs, first_seq=first_seq)
        except OSError as error:
            raise _unavailable(error) from error

    def rewrite_without(self, segment: Segment, seqs: NDArray[np.int64]) -> bool:
        """Write a segment anew without these sequences; False when it has none of them.

        Raises StreamUnavailable; then the old one stands.
        """
        blocks = [segment.block(number) for number in range(len(segment.places))]
        kept = [_rows_without(block, seqs) for block in blocks]
        if all(len(rows) == block.events for rows, block in zip(kept, blocks, strict=True)):
            return False
        records = [_kept(block, rows) for rows, block in zip(kept, blocks, strict=True)]
        try:
            self._close_segment()
            new = write_segment(self._files, segment.path, records, created_us=segment.created_us)
        except OSError as error:
            raise _unavailable(error) from error
        self.shelf = self.shelf._replace(segments=tuple(
            new if one is segment else one for one in self.shelf.segments))
        return True

    def remove(self, segments: Sequence[Segment]) -> None:
        """Remove whole segments, from the oldest on. Raises StreamUnavailable."""
        try:
            for segment in segments:
                self.shelf = self.shelf._replace(segments=self.shelf.segments[1:])
                self._files.remove(segment.path)
                crash_point("stream.during_trim")
            self._files.sync_folder(self._folder)
        except OSError as error:
            raise _unavailable(error) from error

    def close(self) -> None:
        """Close the files and let go of the folder; what is open to readers stays so."""
        if self._journal is not None:
            self._journal.close()
        self._close_segment()
        os.close(self._lock_fd)

    def _load(self) -> Shelf:
        paths = segments_in(self._files, self._folder)
        segments = tuple(
            segment for number, path in enumerate(paths, 1)
            if (segment := load_segment(self._files, path, is_last=number == len(paths))))
        growing = GrowingBlock(1, 0, dictionary=self._encoder.dictionary)
        if segments:
            last = segments[-1]
            self._cut(last)
            growing = _continued(last.block(len(last.places) - 1), self._encoder.dictionary)
        self._old_journals = journals_in(self._files, self._folder)
        for head, content in load_journals(self._files, self._old_journals):
            if head.first_seq > growing.block.last_seq:
                growing.add(block_of(head, content).as_record())
        return Shelf(segments, growing)

    def _cut(self, last: Segment) -> None:
        """Remove what a crash left behind the last whole block."""
        if self._files.size(last.path) > last.size:
            fd = self._files.open(last.path)
            try:
                self._files.truncate(fd, last.size)
                self._files.sync(fd)
            finally:
                self._files.close(fd)

    def _is_aged(self) -> bool:
        block = self.shelf.growing.block
        return bool(block.events
                    and self._clock() - block.base_time_us > self._options.block_age_us_max)

    def _journal_for(self) -> Journal:
        if self._journal is None:
            block = self.shelf.growing.block
            head = FileHead(block.last_seq + 1, block.last_seq, self._clock())
            path = journal_path(self._folder, block.last_seq + 1, next(self._numbers))
            while path in self._old_journals:
                path = journal_path(self._folder, block.last_seq + 1, next(self._numbers))
            self._journal = Journal(self._files, path, head)
        return self._journal

    def _forget_journals(self) -> None:
        """Remove the journals: what they held is sealed. Should it fail, the next seal does it."""
        if self._journal is not None:
            self._old_journals.append(self._journal.path)
            self._journal.close()
            self._journal = None
        while self._old_journals:
            self._files.remove(self._old_journals[0])
            del self._old_journals[0]

    def _give_up(self) -> None:
        """Trust the open files no more: begin a new journal and a new segment."""
        if self._journal is not None:
            self._old_journals.append(self._journal.path)
            self._journal.close()
            self._journal = None
        self._close_segment()
        self._must_roll = True

    def _close_segment(self) -> None:
        if self._segment_fd is not None:
            self._files.close(self._segment_fd)
            self._segment_fd = None

    def _with_block(self, segments: tuple[Segment, ...], record: Record) -> tuple[Segment, ...]:
        """Append a block to the last segment, or begin one; return the segments with it."""
        now_us = self._clock()
        last = segments[-1] if segments else None
        if last is None or self._must_roll or last.size >= self._options.segment_bytes_max or (
                now_us - last.created_us >= SEGMENT_AGE_US_MAX):
            self._close_segment()
            path = segment_path(self._folder, record.first_seq)
            fresh = write_segment(self._files, path, [record], created_us=now_us)
            self._must_roll = False
            return (*segments, fresh)
        if self._segment_fd is None:
            self._segment_fd = self._files.open(last.path)
        parts = encode_record(record)
        append_block(self._files, self._segment_fd, parts, last.size)
        return (*segments[:-1], last.extended(parts[0]))


def _continued(block: Block, dictionary: int) -> GrowingBlock:
    """Return an empty block that goes on where another one ends."""
    return GrowingBlock(block.last_seq + 1, block.last_time_us, dictionary=dictionary,
                        position=block.position)


def _rows_without(block: Block, seqs: NDArray[np.int64]) -> Rows:
    own = block.columns.seq.astype(np.int64) + block.first_seq
    return np.flatnonzero(~np.isin(own, seqs))


def _kept(block: Block, rows: Rows) -> Record:
    if len(rows) == block.events:
        return block.as_record()
    return part_of(block, rows, position=block.position, span=(block.first_seq, block.last_seq),
                   with_bloom=True)


def _unavailable(error: OSError) -> StreamUnavailable:
    return StreamUnavailable(f"The stream cannot be written: {error.strerror}. Make room or mend "
                             "the disk; it goes on by itself.")
