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
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from lichen.kit import Clock
from lichen.kit.crash_points import crash_point
from lichen.log import FileSystem, Part, lock_folder, sweep
from lichen.stream.block import Block, GrowingBlock, Rows, bloom_over, part_of
from lichen.stream.columns import empty_columns
from lichen.stream.damages import Damage, Damages
from lichen.stream.encoding import Encoder, Place
from lichen.stream.erasures import Erasures
from lichen.stream.errors import StreamUnavailable
from lichen.stream.journal import (
    Journal,
    Loaded,
    journal_path,
    journals_in,
    load_journals,
    order_of,
)
from lichen.stream.layout import FileHead, Names, Record, encode_record
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
    hole,
    is_last_whole,
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
        self._unreadable: list[Path] = []
        self._segment_fd: int | None = None
        self._must_roll = False
        self.damages = Damages()
        files.make_folder(folder)
        self._lock_fd = lock_folder(folder)
        try:
            self.erasures = Erasures(files, folder, self.damages)
            self.shelf = self._load()
            sweep(files, folder)
        except BaseException:
            os.close(self._lock_fd)
            raise

    @property
    def position(self) -> int:
        """Return how far the source was read."""
        return self.shelf.growing.block.position

    @property
    def floor_seq(self) -> int:
        """Return the lowest sequence that can stand in any file."""
        segments, growing = self.shelf
        paths = [*self._unreadable, *(segment.path for segment in segments[:1])]
        begins = [*map(int, (path.stem for path in paths)),
                  *(order_of(path)[0] for path in self._old_journals)]
        return min(begins, default=growing.block.first_seq)

    def commit(self, arrivals: Sequence[Arrival], *, position: int) -> Record:
        """Store an append, durably. Raises ArrivalRefused, StreamUnavailable."""
        block = self.shelf.growing.block
        after = Place(block.last_seq, block.last_time_us)
        record = self._encoder.record(arrivals, after, position=position)
        self.store(record)
        return record

    def store(self, record: Record) -> None:
        """Store a record that continues what is there, durably. Raises StreamUnavailable."""
        growing = self.shelf.growing
        assert record.first_seq > growing.block.last_seq
        try:
            if not growing.has_room_for(record) or self._is_aged() or self._is_journal_long():
                self._seal()
            self._journal_for().append(record)
        except OSError as error:
            raise self._gave_up(error) from error
        self.shelf.growing.add(record)

    def skip_to(self, seq: int) -> None:
        """Make `seq` the next sequence at least, durably; leaves a hole."""
        block = self.shelf.growing.block
        if seq > block.last_seq + 1:
            self.store(_state(block)._replace(last_seq=seq - 1))

    def seal(self) -> None:
        """Move what the growing block holds into a segment. Raises StreamUnavailable."""
        try:
            self._seal()
        except OSError as error:
            raise self._gave_up(error) from error

    def begin_erasure(self, seqs: list[int]) -> None:
        """Note durably what is to be erased, and remove all copies of it but the segments'.

        Raises StreamUnavailable.
        """
        segments, growing = self.shelf
        try:
            sweep(self._files, self._folder)
            self.erasures.add(seqs, first_seq=segments[0].first_seq if segments else 0)
            if seqs[-1] >= growing.block.first_seq or self._old_journals:
                self._seal()
            for segment in self.shelf.segments:
                self._cut(segment)
            self._remove_unreadable()
        except OSError as error:
            raise self._gave_up(error) from error

    def erase_in(self, path: Path, seqs: NDArray[np.int64]) -> None:
        """Write a segment anew without these sequences, where it has any of them.

        Raises StreamUnavailable; then the old one stands.
        """
        for segment in self.shelf.segments:
            if segment.path == path and segment.may_hold(seqs):
                self._rewrite_without(segment, seqs)

    def end_erasure(self) -> None:
        """Make durable that files are gone. Raises StreamUnavailable."""
        try:
            self._files.sync_folder(self._folder)
        except OSError as error:
            raise _unavailable(error) from error

    def remove(self, segments: Sequence[Segment]) -> None:
        """Remove whole segments, from the oldest on. Raises StreamUnavailable."""
        try:
            self._remove_unreadable()
            if segments:
                self.erasures.note_floor(segments[-1].last_seq + 1)
            for segment in segments:
                self._remove(segment)
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
        """Read all there is before anything is touched, then cut what a crash left behind."""
        segments: list[Segment] = []
        for path in reversed(segments_in(self._files, self._folder)):
            segment = load_segment(self._files, path, self.damages,
                                   before_seq=segments[0].first_seq if segments else None)
            if segment is None:
                self._unreadable.append(path)
            else:
                segments.insert(0, segment)
        self._old_journals = journals_in(self._files, self._folder)
        loaded = load_journals(self._files, self._old_journals, self.damages)
        growing = GrowingBlock(1, 0, dictionary=self._encoder.dictionary)
        if segments:
            segments[-1:] = self._mended(segments[-1], loaded)
        if segments:
            last = segments[-1]
            growing = _continued(last.block(len(last.places) - 1), self._encoder.dictionary)
        for head, content in loaded.records:
            if head.first_seq > growing.block.last_seq:
                growing.add(block_of(head, content).as_record())
        if growing.block.last_seq < loaded.last_seq:  # the record that said so is damaged
            growing.add(_state(growing.block)._replace(last_seq=loaded.last_seq))
        # A killed process may have left what it wrote in the page cache alone, and it is read now.
        for path in [*(segment.path for segment in segments[-1:]), *self._old_journals]:
            self._sync(path)
        self._files.sync_folder(self._folder)
        return Shelf(tuple(segments), growing)

    def _mended(self, last: Segment, loaded: Loaded) -> list[Segment]:
        """Return the last segment without what a crash tore, which the journals hold still.

        What was sealed before the journals begin is no torn write but damaged, and stays.
        """
        head = last.places[-1].head
        sealed_seq = loaded.sealed_seq
        if sealed_seq is None or sealed_seq > head.last_seq:
            if self._files.size(last.path) > last.size:
                self.damages.note(Damage(last.path.name, "head", head.last_seq + 1,
                                         max(head.last_seq, sealed_seq or 0)))
                self._must_roll = True
            return [last]
        if sealed_seq < head.last_seq and not is_last_whole(self._files, last):
            last = last.without_last()
        if not last.places:
            self._unreadable.append(last.path)
            return []
        self._cut(last)
        return [last]

    def _cut(self, segment: Segment) -> None:
        """Remove from a file what stands behind its last block, which nobody reads."""
        if self._files.size(segment.path) > segment.size:
            fd = self._files.open(segment.path)
            try:
                self._files.truncate(fd, segment.size)
                self._files.sync(fd)
            finally:
                self._files.close(fd)

    def _sync(self, path: Path) -> None:
        fd = self._files.open(path)
        try:
            self._files.sync(fd)
        finally:
            self._files.close(fd)

    def _seal(self) -> None:
        segments, growing = self.shelf
        block = growing.block
        if block.events:
            whole = block.as_record()._replace(bloom=bloom_over(block.columns))
            crash_point("stream.before_seal")
            segments = self._with_block(segments, whole)
            crash_point("stream.after_seal")
            self.shelf = Shelf(segments, _continued(block, self._encoder.dictionary))
        self._renew_journal()

    def _is_aged(self) -> bool:
        block = self.shelf.growing.block
        return bool(block.events
                    and self._clock() - block.base_time_us > self._options.block_age_us_max)

    def _is_journal_long(self) -> bool:
        return self._journal is not None and self._journal.size > JOURNAL_BYTES_MAX

    def _journal_for(self) -> Journal:
        if self._journal is None:
            block = self.shelf.growing.block
            head = FileHead(block.last_seq + 1, block.last_seq, self._clock())
            path = journal_path(self._folder, block.last_seq + 1, self._old_journals)
            self._journal = Journal(self._files, path, head, _state(block))
        return self._journal

    def _renew_journal(self) -> None:
        """Begin a journal and remove the old ones: what they held is sealed.

        Should a removal fail, the next seal does it.
        """
        self._leave_journal()
        self._journal_for()
        while self._old_journals:
            self._files.remove(self._old_journals[0])
            del self._old_journals[0]

    def _leave_journal(self) -> None:
        if self._journal is not None:
            self._old_journals.append(self._journal.path)
            self._journal.close()
            self._journal = None

    def _gave_up(self, error: OSError) -> StreamUnavailable:
        """Trust the open files no more: a new journal and a new segment will be begun."""
        self._leave_journal()
        self._close_segment()
        self._must_roll = True
        return _unavailable(error)

    def _close_segment(self) -> None:
        if self._segment_fd is not None:
            self._files.close(self._segment_fd)
            self._segment_fd = None

    def _with_block(self, segments: tuple[Segment, ...], record: Record) -> tuple[Segment, ...]:
        """Append a block to the last segment, or begin one; return the segments with it."""
        now_us = self._clock()
        last = segments[-1] if segments else None
        parts = encode_record(record)
        if last is None or self._must_roll or last.size >= self._options.segment_bytes_max or (
                now_us - last.created_us >= SEGMENT_AGE_US_MAX):
            self._close_segment()
            path = segment_path(self._folder, record.first_seq)
            fresh = write_segment(self._files, path, [parts], created_us=now_us,
                                  damages=self.damages)
            self._must_roll = False
            # One that could not be read may have had this name.
            self._unreadable = [one for one in self._unreadable if one != path]
            return (*segments, fresh)
        if self._segment_fd is None:
            self._segment_fd = self._files.open(last.path)
        append_block(self._files, self._segment_fd, parts, last.size)
        return (*segments[:-1], last.extended(parts[0]))

    def _rewrite_without(self, segment: Segment, seqs: NDArray[np.int64]) -> None:
        try:
            blocks = [_without(segment, number, seqs) for number in range(len(segment.places))]
            if not any(blocks) and not segment.has_gaps:
                return
            self._close_segment()
            new = write_segment(
                self._files, segment.path,
                [block or [segment.content(number)] for number, block in enumerate(blocks)],
                created_us=segment.created_us, damages=self.damages)
        except OSError as error:
            # The name may stand for either now: readers keep the old one, appends go elsewhere.
            self._must_roll = True
            raise _unavailable(error) from error
        self.shelf = self.shelf._replace(segments=tuple(
            new if one is segment else one for one in self.shelf.segments))

    def _remove(self, segment: Segment) -> None:
        """Remove a segment for readers, then for good; on failure it is there again."""
        shelf = self.shelf
        self.shelf = shelf._replace(segments=shelf.segments[1:])
        try:
            self._files.remove(segment.path)
        except OSError:
            self.shelf = shelf
            raise

    def _remove_unreadable(self) -> None:
        """Remove segments without a readable block, whatever they held."""
        while self._unreadable:
            self._files.remove(self._unreadable[-1])
            self._unreadable.pop()


def _continued(block: Block, dictionary: int) -> GrowingBlock:
    """Return an empty block that goes on where another one ends."""
    return GrowingBlock(block.last_seq + 1, block.last_time_us, dictionary=dictionary,
                        position=block.position)


def _state(block: Block) -> Record:
    """Return a record without events that says how far everything had come."""
    return Record(block.last_seq + 1, block.last_seq, block.last_time_us, block.position,
                  block.dictionary, Names(), empty_columns(0), b"", b"")


def _without(segment: Segment, number: int, seqs: NDArray[np.int64]) -> list[Part]:
    """Return a block without these sequences, encoded; nothing when it stays as it is."""
    head = segment.places[number].head
    if seqs.searchsorted(head.first_seq) == seqs.searchsorted(head.last_seq + 1):
        return []
    if not segment.is_readable(number):
        return encode_record(hole(head))  # nobody can tell which bytes are whose
    block = segment.block(number)
    rows = _rows_without(block, seqs)
    if len(rows) == block.events:
        return []
    if not all(segment.is_sendable(number, block, packed=packed) for packed in (False, True)):
        # A new checksum would make damaged bytes look whole.
        return encode_record(hole(head))
    return encode_record(part_of(block, rows, position=block.position,
                                 span=(block.first_seq, block.last_seq), with_bloom=True))


def _rows_without(block: Block, seqs: NDArray[np.int64]) -> Rows:
    own = block.columns.seq.astype(np.int64) + block.first_seq
    return np.flatnonzero(~np.isin(own, seqs))


def _unavailable(error: OSError) -> StreamUnavailable:
    return StreamUnavailable(f"The stream cannot be written: {error.strerror}. Make room or mend "
                             "the disk; it goes on by itself.")
