"""One segment file: where its blocks are, and walking over them.

A segment is found by sequence through a sparse index, its marks: one (sequence, offset) for every
16 KiB. Between marks blocks are walked by their headers. The marks of a closed segment are made at
the first look-up; a segment that nobody reads costs nothing but its header.

A file is opened for each walk and closed after it: an erasure may swap the file at any time, and
the caller walks the new one when what came does not fit (see `Segments.read`).
"""

from bisect import bisect_left, bisect_right
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple, Protocol

from lichen.log.file_system import FileSystem
from lichen.log.format import (
    BLOCK_HEAD_BYTES,
    SEGMENT_HEAD_BYTES,
    BlockHead,
    SegmentHead,
    decode_block_head,
    is_whole,
)
from lichen.log.limits import MARK_BYTES

_WINDOW_BYTES = 64 << 10  # one read from the disk; what is larger is read alone, exactly


class Tip(NamedTuple):
    """How far a segment goes: what is beyond `end` was never acknowledged."""

    last_seq: int
    last_time_us: int
    end: int


@dataclass(frozen=True, slots=True)
class Marks:
    """A sparse index: at `offsets[i]` a block begins with `seqs[i]`; before it ended `times_us[i]`.

    Only ever extended, sequences last, so that a reader on another thread finds every offset.
    """

    seqs: list[int]
    times_us: list[int]
    offsets: list[int]

    @classmethod
    def at_start(cls, head: SegmentHead) -> "Marks":
        """Return the marks of a segment of which nothing but its header is known."""
        return cls([head.first_seq], [head.previous_time_us], [SEGMENT_HEAD_BYTES])

    def add(self, seq: int, previous_time_us: int, offset: int) -> None:
        """Note a block, if it is far enough after the last mark."""
        if offset - self.offsets[-1] >= MARK_BYTES:
            self.offsets.append(offset)
            self.times_us.append(previous_time_us)
            self.seqs.append(seq)

    def before(self, seq: int) -> tuple[int, int]:
        """Return the sequence and the offset at which to start walking towards `seq`."""
        index = max(0, bisect_right(self.seqs, seq) - 1)
        return self.seqs[index], self.offsets[index]

    def seq_before(self, time_us: int) -> int:
        """Return the sequence at which to start walking towards a time."""
        count = len(self.seqs)
        return self.seqs[max(0, bisect_left(self.times_us, time_us, hi=count) - 1)]


class Segment:
    """One file of the log. `tip` is replaced as a whole, so threads see a consistent one."""

    __slots__ = ("head", "marks", "path", "tip")

    def __init__(self, path: Path, head: SegmentHead, tip: Tip, marks: Marks | None = None) -> None:
        self.path = path
        self.head = head
        self.tip = tip
        self.marks = marks

    @property
    def is_empty(self) -> bool:
        """Say whether the segment holds no block yet."""
        return self.tip.last_seq < self.head.first_seq


class Bytes(Protocol):
    """Where a block's bytes are: in a file, or in memory."""

    def view(self, offset: int, count: int, /) -> memoryview:
        """Return `count` bytes at an offset; fewer at the end."""


class Block(NamedTuple):
    """A block whose header and table are verified; its body is not, and may be cut short.

    Bytes are fetched on demand, while the walk that gave the block goes on.
    """

    head: BlockHead
    rows: memoryview
    offset: int
    window: "Bytes"

    def body(self) -> memoryview:
        """Return the lines."""
        body_at = self.offset + BLOCK_HEAD_BYTES + self.head.table_bytes
        return self.window.view(body_at, self.head.body_bytes)

    def whole(self) -> memoryview:
        """Return all bytes of the block."""
        return self.window.view(self.offset, self.head.size)


class UnreadableBlock(Exception):
    """No sound block stands where `expected_seq` should; everything before it was read."""

    def __init__(self, expected_seq: int) -> None:
        super().__init__(f"expected the block of sequence {expected_seq}")
        self.expected_seq = expected_seq


def walk(files: FileSystem, segment: Segment, *, from_seq: int) -> Iterator[Block]:
    """Iterate over the blocks that reach `from_seq` or later, in order.

    Raises UnreadableBlock, OSError.
    """
    fd = files.open_to_read(segment.path)
    try:
        marks = segment.marks or _find_marks(files, fd, segment)
        window = _Window(files, fd, tip=segment.tip)
        yield from _blocks(window, *marks.before(from_seq), from_seq=from_seq)
    finally:
        files.close(fd)


def walk_by_time(files: FileSystem, segment: Segment, *, time_us: int) -> Iterator[Block]:
    """Iterate over the blocks that reach a time or later; see `walk`."""
    from_seq = segment.marks.seq_before(time_us) if segment.marks else segment.head.first_seq
    for block in walk(files, segment, from_seq=from_seq):
        if block.head.last_time_us >= time_us:
            yield block


def find_tip(files: FileSystem, path: Path, head: SegmentHead) -> Segment:
    """Return the last segment of a log, as far as its blocks have sound headers and full length."""
    marks = Marks.at_start(head)
    tip = Tip(head.first_seq - 1, head.previous_time_us, SEGMENT_HEAD_BYTES)
    size = files.size(path)
    fd = files.open_to_read(path)
    try:
        window = _Window(files, fd, tip=Tip(_ENDLESS, 0, size))
        for block in _blocks(window, *marks.before(0)):
            if block.offset + block.head.size > size:
                break
            marks.add(block.head.first_seq, tip.last_time_us, block.offset)
            tip = Tip(block.head.last_seq, block.head.last_time_us, block.offset + block.head.size)
    except UnreadableBlock:
        pass  # There it ends.
    finally:
        files.close(fd)
    return Segment(path, head, tip, marks)


_ENDLESS = 1 << 62  # no log gets there


def _find_marks(files: FileSystem, fd: int, segment: Segment) -> Marks:
    """Make the marks of a closed segment, up to its first unreadable block, and keep them."""
    marks = Marks.at_start(segment.head)
    time_us = segment.head.previous_time_us
    window = _Window(files, fd, tip=segment.tip)
    try:
        for block in _blocks(window, *marks.before(0)):
            marks.add(block.head.first_seq, time_us, block.offset)
            time_us = block.head.last_time_us
    except UnreadableBlock:
        pass  # Whoever reads that far is told; here it only ends the index.
    segment.marks = marks
    return marks


def _blocks(window: "_Window", expected: int, offset: int, *,
            from_seq: int = 0) -> Iterator[Block]:
    """Iterate over the blocks from an offset on, of which the first has the sequence `expected`.

    Those before `from_seq` are passed unverified: if one lied, the next would not be where it says.
    """
    while expected <= window.tip.last_seq:
        head = decode_block_head(window.view(offset, BLOCK_HEAD_BYTES))
        if head is None or head.first_seq != expected:
            raise UnreadableBlock(expected)
        if head.last_seq >= from_seq:
            content = window.view(offset, BLOCK_HEAD_BYTES + head.table_bytes)
            if not is_whole(content):
                raise UnreadableBlock(expected)
            yield Block(head, content[BLOCK_HEAD_BYTES:], offset, window)
        offset += head.size
        expected = head.last_seq + 1


class _Window:
    """A part of a file in memory that moves along with whoever walks."""

    def __init__(self, files: FileSystem, fd: int, *, tip: Tip) -> None:
        self._files = files
        self._fd = fd
        self._start = 0
        self._content = memoryview(b"")
        self.tip = tip

    def view(self, offset: int, count: int) -> memoryview:
        """Return `count` bytes at an offset; fewer at the end. Views stay good when it moves."""
        count = min(count, self.tip.end - offset)
        if count <= 0:
            return memoryview(b"")
        at = offset - self._start
        if at < 0 or at + count > len(self._content):
            wanted = min(max(count, _WINDOW_BYTES), self.tip.end - offset)
            self._content = memoryview(self._files.read_at(self._fd, wanted, offset))
            self._start, at = offset, 0
        return self._content[at : at + count]
