"""The one who writes: appends, erases, mends and trims segments.

All methods are synchronous and block on the disk; those that change something must be called by one
thread at a time (the engine's own). Each is a transaction: it happened, or nothing did, whatever
the disk does and wherever the process dies.

A failed write or sync gives the segment up: it is cut back to what was durable, and the next append
begins a new one. After a failed fsync the kernel may drop the pages and report the next one as
fine, so the same file is never trusted again (Rebello et al., "Can Applications Recover from fsync
Failures?", USENIX ATC 2020).
"""

import contextlib
import os
from collections.abc import Iterator, Sequence
from itertools import chain
from pathlib import Path
from typing import NamedTuple

import structlog

from lichen.kit import Broken, Clock, Refused
from lichen.kit.crash_points import crash_point
from lichen.log.aside import Aside
from lichen.log.contract import Appended
from lichen.log.erasure import Seqs, without
from lichen.log.errors import LogDamaged, LogUnavailable
from lichen.log.file_system import FileSystem, Part, read_whole, write_new, write_whole
from lichen.log.format import SEGMENT_HEAD_BYTES, SegmentHead, encode_segment_head
from lichen.log.limits import SEGMENT_AGE_US_MAX, SEGMENT_BYTES_MAX
from lichen.log.opening import (
    OpeningReport,
    find_segments,
    lock_folder,
    segment_path,
    sweep,
    temporary_path,
)
from lichen.log.payloads import blocks_of
from lichen.log.salvage import Damage, Salvage, salvage
from lichen.log.segment import Marks, Segment, Tip, UnreadableBlock, find_tip, walk
from lichen.log.segments import Segments

logger = structlog.get_logger()

_EVERYTHING_AFTER = 10**20 - 1  # nobody knows how far a cut tail would have reached


class Options(NamedTuple):
    """The sizes that may be set; the defaults are in limits.py, with their reasons."""

    segment_bytes_max: int = SEGMENT_BYTES_MAX
    segment_age_us_max: int = SEGMENT_AGE_US_MAX


class Rewritten(NamedTuple):
    """A segment written anew: durable under a temporary path, waiting to be swapped in."""

    path: Path
    segment: Segment


class SegmentsWriter(Segments):
    """The segments of a folder that this process has for itself."""

    def __init__(self, files: FileSystem, folder: Path, *, clock: Clock, options: Options) -> None:
        self._folder = folder
        self._clock = clock
        self._options = options
        self._aside = Aside(files, folder)
        self._must_roll = False
        self._fd: int | None = None
        files.make_folder(folder)
        self._lock_fd = lock_folder(folder)
        try:
            self._open(files)
        except BaseException:
            os.close(self._lock_fd)
            raise

    def commit(self, payloads: Sequence[bytes]) -> Appended:
        """Write the payloads and sync: one write, one fdatasync. Raises LogUnavailable."""
        now_us = self._clock()
        try:
            segment = self._segment_with_room(now_us)
        except OSError as error:
            raise _unavailable(error) from error
        tip = segment.tip
        first_seq, first_time_us = tip.last_seq + 1, max(tip.last_time_us + 1, now_us)
        parts = list(chain.from_iterable(blocks_of(payloads, first_seq, first_time_us)))
        crash_point("log.before_write")
        end = self._write(tip, parts)
        crash_point("log.after_sync")
        last = Appended(first_seq, first_seq + len(payloads) - 1, first_time_us,
                        first_time_us + len(payloads) - 1)
        if segment.marks is not None:
            segment.marks.add(first_seq, tip.last_time_us, tip.end)
        segment.tip = Tip(last.last_seq, last.last_time_us, end)
        return last

    def skip_to(self, seq: int) -> None:
        """Make `seq` the next sequence. Raises Refused when it was given already."""
        if seq <= self.last_seq:
            raise Refused("sequence_in_use", f"Sequence {seq} was given already; the log is at "
                          f"{self.last_seq}, skip to a later one.")
        with _failures():
            self._roll(seq, self._clock())

    def holders_of(self, seqs: Seqs) -> list[Segment]:
        """Return the segments that span any of the sequences."""
        return [segment for segment in self._segments
                if seqs.searchsorted(segment.head.first_seq)
                < seqs.searchsorted(segment.tip.last_seq + 1)]

    def segment_at(self, path: Path) -> Segment | None:
        """Return the segment that stands at a path now."""
        return next((segment for segment in self._segments if segment.path == path), None)

    def is_active(self, segment: Segment) -> bool:
        """Say whether appends go to the segment."""
        return segment is self._segments[-1]

    def rewrite_without(self, segment: Segment, seqs: Seqs) -> Rewritten | None:
        """Write the segment anew without these sequences; None when it has none of them.

        May run on any thread for a closed segment. Raises LogDamaged: mend it first.
        """
        with _failures():
            blocks = walk(self._files, segment, from_seq=segment.head.first_seq)
            try:
                pieces = list(without(blocks, seqs))
            except UnreadableBlock as error:
                raise LogDamaged(error.expected_seq, segment.tip.last_seq,
                                 quarantined=False) from error
            if not any(is_changed for _, is_changed in pieces):
                return None
            parts = list(chain.from_iterable(parts for parts, _ in pieces))
            return self._write_anew(segment, parts, purpose="erased")

    def erase_in(self, segment: Segment, seqs: Seqs) -> bool:
        """Erase in the segment that appends go to; False when it was swapped meanwhile."""
        rewritten = self.rewrite_without(segment, seqs)
        return rewritten is None or self.swap(segment, rewritten)

    def swap(self, old: Segment, new: Rewritten) -> bool:
        """Put a rewritten segment into its place; False when the old one is gone meanwhile."""
        with _failures():
            if old not in self._segments:
                self._files.remove(new.path)
                return False
            fd = self._files.open(new.path) if self.is_active(old) else None
            crash_point("log.before_swap")
            with self._swapping:
                self._files.rename(new.path, old.path)
                self._segments = tuple(new.segment if segment is old else segment
                                       for segment in self._segments)
            if fd is not None:
                self._use(fd)
            crash_point("log.after_swap")
            self._files.sync_folder(self._folder)
        return True

    def forget_aside(self, seqs: Seqs) -> None:
        """Remove quarantined copies that may hold any of the sequences."""
        with _failures():
            self._aside.remove_if(lambda first, last: bool(
                seqs.searchsorted(first) < seqs.searchsorted(last, side="right")))

    def mend(self, segment: Segment) -> tuple[Damage, ...]:
        """Check every byte of a segment; quarantine what is bad and return what was lost."""
        if segment not in self._segments:
            return ()
        with _failures():
            try:
                content = read_whole(self._files, segment.path)[: segment.tip.end]
            except FileNotFoundError:
                content = b""
            found = salvage(content, first_seq=segment.head.first_seq,
                            previous_time_us=segment.head.previous_time_us,
                            last_seq=segment.tip.last_seq)
            if not found.is_sound:
                self._quarantine(segment, found, content)
                self.swap(segment, self._write_anew(segment, found.pieces[1:], purpose="mended"))
            return tuple(found.damages)

    def trim(self, *, floor_seq: int, age_us_max: int, bytes_max: int) -> int:
        """Remove the oldest segments that are too old or too much; return the new first sequence.

        Segments with anything after `floor_seq`, and the last one, stay.
        """
        now_us = self._clock()
        with _failures():
            active = self._segments[-1]
            if not active.is_empty and active.tip.last_time_us < now_us - age_us_max:
                self._roll(active.tip.last_seq + 1, now_us)
            excess = sum(segment.tip.end for segment in self._segments) - bytes_max
            while len(self._segments) > 1:
                oldest = self._segments[0]
                is_unwanted = excess > 0 or oldest.tip.last_time_us < now_us - age_us_max
                if not is_unwanted or oldest.tip.last_seq > floor_seq:
                    break
                self._segments = self._segments[1:]
                self._files.remove(oldest.path)
                crash_point("log.during_trim")
                excess -= oldest.tip.end
            self._files.sync_folder(self._folder)
            kept_seq = self._segments[0].head.previous_seq + 1
            self._aside.remove_if(lambda first, _: first < kept_seq)
        return self.first_seq

    def close(self) -> None:
        """Give the folder free; reading still works. Idempotent."""
        if self._fd is not None:
            self._files.close(self._fd)
            os.close(self._lock_fd)
            self._fd = None

    def _open(self, files: FileSystem) -> None:
        """Find the segments, mend the last one, and stand ready to append."""
        with _failures():
            swept = sweep(files, self._folder)
            segments, heads_damaged = find_segments(files, self._folder)
            if segments:
                self._fd = files.open(segments[-1].path)
            else:
                segment, self._fd = self._create(files, SegmentHead(1, 0, 0, self._clock()))
                segments = [segment]
            super().__init__(files, segments)
            found = self._mend_last(segments[-1])
            # Blocks that outlived a killed process stand in the page cache, not yet on the disk:
            # durable before visible.
            files.sync(self._fd)
        self.report = OpeningReport(len(segments), swept, heads_damaged, found.tail,
                                    tuple(found.damages))
        if swept or heads_damaged or found.tail or found.damages:
            logger.warning("log.mended_at_opening", **self.report._asdict())

    def _mend_last(self, segment: Segment) -> Salvage:
        """Cut a torn tail off the last segment, and quarantine what is damaged in it."""
        content = read_whole(self._files, segment.path)
        found = salvage(content, first_seq=segment.head.first_seq,
                        previous_time_us=segment.head.previous_time_us, last_seq=None)
        if found.tail is not None and found.tail.is_short and not found.damages:
            self._cut(segment, found.tail.start, b"".join(found.pieces)[found.tail.start :])
        elif not found.is_sound:
            self._quarantine(segment, found, content)
            self.swap(segment, self._write_anew(segment, found.pieces[1:], purpose="mended"))
        assert self.last_seq <= found.last_seq
        return found

    def _cut(self, segment: Segment, start: int, whole: bytes) -> None:
        """Cut a torn write off in place, as the disk may be full; put back what of it is whole.

        Nothing of it was acknowledged, so dying in between loses nothing that counts.
        """
        assert self._fd is not None
        self._files.truncate(self._fd, start)
        try:
            write_whole(self._files, self._fd, [whole], start)
        except OSError:
            self._files.truncate(self._fd, start)
        found = find_tip(self._files, segment.path, segment.head)
        segment.marks, segment.tip = found.marks, found.tip

    def _quarantine(self, segment: Segment, found: Salvage, content: bytes) -> None:
        """Keep the bad bytes aside and say so."""
        now_us = self._clock()
        for damage in found.damages:
            self._aside.keep(content[damage.start : damage.end], first_seq=damage.first_seq,
                             last_seq=damage.last_seq, now_us=now_us)
            logger.error("log.damaged", file=segment.path.name, **damage._asdict())
        # A short tail was never acknowledged: its bytes are nobody's, and will be written again.
        if found.tail is not None and not found.tail.is_short:
            self._aside.keep(content[found.tail.start : found.tail.end], now_us=now_us,
                             first_seq=found.tail.last_seq + 1, last_seq=_EVERYTHING_AFTER)

    def _segment_with_room(self, now_us: int) -> Segment:
        """Return the segment to append to; a new one when the last is full, old or given up."""
        segment = self._segments[-1]
        is_old = now_us - segment.head.created_us >= self._options.segment_age_us_max
        is_full = segment.tip.end >= self._options.segment_bytes_max
        if self._must_roll or (not segment.is_empty and (is_full or is_old)):
            self._roll(segment.tip.last_seq + 1, now_us)
        return self._segments[-1]

    def _write(self, tip: Tip, parts: Sequence[Part]) -> int:
        """Write behind the tip and sync; return where it ends; on failure give the segment up."""
        assert self._fd is not None
        try:
            end = write_whole(self._files, self._fd, parts, tip.end)
            crash_point("log.after_write")
            self._files.sync(self._fd)
            return end
        except OSError as error:
            self._must_roll = True
            # When the cut fails too, the next segment's header says where this one ends.
            with contextlib.suppress(OSError):
                self._files.truncate(self._fd, tip.end)
            raise _unavailable(error) from error

    def _roll(self, first_seq: int, now_us: int) -> None:
        """Begin a new segment; the last one is closed as it stands."""
        last = self._segments[-1]
        head = SegmentHead(first_seq, last.tip.last_seq, last.tip.last_time_us, now_us)
        if first_seq == last.head.first_seq:
            # One that was given up before its first block is replaced; a jump before it stays one.
            head = last.head._replace(created_us=now_us)
        segment, fd = self._create(self._files, head)
        kept = (old for old in self._segments if old.path != segment.path)
        self._segments = (*kept, segment)
        self._use(fd)
        self._must_roll = False

    def _create(self, files: FileSystem, head: SegmentHead) -> tuple[Segment, int]:
        """Write an empty segment, durably; return it with its descriptor."""
        path = segment_path(self._folder, head.first_seq)
        temporary = temporary_path(path, "rolled")
        write_new(files, temporary, [encode_segment_head(head)])
        fd = files.open(temporary)
        crash_point("log.before_roll")
        try:
            files.rename(temporary, path)
            files.sync_folder(self._folder)
        except OSError as error:
            files.close(fd)
            self._take_back(files, path, error)
            raise
        crash_point("log.after_roll")
        tip = Tip(head.first_seq - 1, head.previous_time_us, SEGMENT_HEAD_BYTES)
        return Segment(path, head, tip, Marks.at_start(head)), fd

    def _take_back(self, files: FileSystem, path: Path, error: OSError) -> None:
        """Remove a segment that may not be durable: appends go on in the one before it."""
        try:
            files.remove(path)
        except OSError:
            # Left there, its header would cut off what the segment before it is yet to receive.
            raise Broken(f"A new segment {path.name} could neither be made durable nor be removed; "
                         "mend the disk and start again.") from error

    def _write_anew(self, segment: Segment, parts: Sequence[Part], *, purpose: str) -> Rewritten:
        """Write a segment of the given blocks under a temporary path, durably."""
        path = temporary_path(segment.path, purpose)
        write_new(self._files, path, [encode_segment_head(segment.head), *parts])
        found = find_tip(self._files, path, segment.head)
        return Rewritten(path, Segment(segment.path, segment.head, found.tip, found.marks))

    def _use(self, fd: int) -> None:
        """Append through this descriptor from now on."""
        if self._fd is not None:
            self._files.close(self._fd)
        self._fd = fd


@contextlib.contextmanager
def _failures() -> Iterator[None]:
    """Say of a disk's failure what it means to the caller."""
    try:
        yield
    except OSError as error:
        raise _unavailable(error) from error


def _unavailable(error: OSError) -> LogUnavailable:
    return LogUnavailable(f"The log's disk failed: {error.strerror or error}; nothing was changed. "
                          "Free space or mend the disk, then try again.")
