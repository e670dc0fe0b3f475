"""A segment: sealed blocks in one file, mapped into memory and sent from there.

    00000000000000000001.stream     head │ block │ block │ …      64 MiB, or three hours

A block is checked when it is first opened, its messages when they are first sent, once for as long
as the file is open. A block that is damaged is passed as a hole, counted and told.
"""

import contextlib
import mmap
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from itertools import chain
from pathlib import Path
from typing import Final, NamedTuple

import numpy as np

from lichen.kit.crash_points import crash_point
from lichen.log import FileSystem, Part, temporary_path, write_new, write_whole
from lichen.stream.block import Block
from lichen.stream.columns import empty_columns
from lichen.stream.damages import Damage, Damages
from lichen.stream.layout import (
    FILE_HEAD_BYTES,
    RECORD_HEAD_BYTES,
    RECORD_MAGIC,
    SEGMENT_MAGIC,
    FileHead,
    Names,
    Record,
    RecordHead,
    bloom_of,
    columns_in,
    decode_file_head,
    decode_record_head,
    encode_file_head,
    is_index_whole,
    is_packed_whole,
    is_plain_whole,
    is_whole,
    messages_of,
    names_of,
)

SUFFIX: Final = ".stream"


class Place(NamedTuple):
    """Where a block stands in its segment, and what its head says."""

    offset: int
    head: RecordHead


class Segment:
    """The blocks of one file, as they are; replaced as a whole when the file is rewritten."""

    def __init__(self, files: FileSystem, path: Path, places: list[Place], *, created_us: int,
                 damages: Damages) -> None:
        self.path = path
        self.created_us = created_us
        self.places = places
        self._damages = damages
        self._files = files
        self._map: mmap.mmap | None = None
        self._is_good: dict[tuple[int, str], bool] = {}

    @property
    def first_seq(self) -> int:
        """Return the first sequence of the segment; a segment holds one block at least."""
        return self.places[0].head.first_seq

    @property
    def last_seq(self) -> int:
        """Return the last sequence that the segment spans."""
        return self.places[-1].head.last_seq

    @property
    def base_time_us(self) -> int:
        """Return the time of the first event of the segment."""
        return self.places[0].head.base_time_us

    @property
    def size(self) -> int:
        """Return where the last block ends."""
        return end_of(self.places)

    @property
    def has_gaps(self) -> bool:
        """Say whether there are bytes between the blocks that belong to none."""
        return FILE_HEAD_BYTES + sum(place.head.size for place in self.places) < self.size

    def may_hold(self, seqs: "np.ndarray[tuple[int], np.dtype[np.int64]]") -> bool:
        """Say whether any of these sequences, in order, can be in the segment."""
        # A first block whose head is damaged began where the name says.
        first_seq = int(self.path.stem)
        return bool(seqs.searchsorted(first_seq) < seqs.searchsorted(self.last_seq + 1))

    def extended(self, index: Part) -> "Segment":
        """Return the segment with a block more, whose head stands in `index`."""
        head = decode_record_head(index)
        assert head is not None
        longer = Segment(self._files, self.path, [*self.places, Place(self.size, head)],
                         created_us=self.created_us, damages=self._damages)
        longer._is_good = self._is_good
        return longer

    def without_last(self) -> "Segment":
        """Return the segment without its last block, which was torn."""
        return Segment(self._files, self.path, self.places[:-1], created_us=self.created_us,
                       damages=self._damages)

    def content(self, number: int) -> memoryview:
        """Return the bytes of a block, mapped."""
        offset, head = self.places[number]
        end = offset + head.size
        if self._map is None or len(self._map) < end:
            fd = self._files.open_to_read(self.path)
            try:
                self._map = mmap.mmap(fd, 0, access=mmap.ACCESS_READ)
            finally:
                self._files.close(fd)
        return memoryview(self._map)[offset:end]

    def block(self, number: int) -> Block:
        """Return a block; one that is damaged comes without events. Raises OSError."""
        head = self.places[number].head
        content = self.content(number)
        if not self.is_readable(number):
            return Block(hole(head), is_sealed=True)
        return block_of(head, content)

    def is_readable(self, number: int) -> bool:
        """Say whether the side index of a block has its checksum. Raises OSError."""
        head, content = self.places[number].head, self.content(number)
        return self._check(number, "index", partial(is_index_whole, head, content))

    def is_sendable(self, number: int, block: Block, *, packed: bool) -> bool:
        """Say whether the messages of a block have their checksum; looked at once."""
        head = self.places[number].head
        if packed:
            return self._check(number, "packed", partial(is_packed_whole, head, block.packed))
        return self._check(number, "plain", partial(is_plain_whole, head, block.plain))

    def _check(self, number: int, part: str, is_whole: Callable[[], bool]) -> bool:
        known = self._is_good.get((number, part))
        if known is None:
            known = self._is_good[number, part] = is_whole()
            if not known:
                head = self.places[number].head
                self._damages.note(Damage(self.path.name, part, head.first_seq, head.last_seq))
        return known


def block_of(head: RecordHead, content: memoryview) -> Block:
    """Return a record in memory as a block."""
    plain, packed = messages_of(head, content)
    return Block(Record(
        head.first_seq, head.last_seq, head.base_time_us, head.position, head.dictionary,
        names_of(head, content), columns_in(head, content), plain, packed,
        bytes(bloom_of(head, content)),
    ), is_sealed=True)


def end_of(places: list[Place]) -> int:
    """Return where the last of some blocks ends."""
    return places[-1].offset + places[-1].head.size if places else FILE_HEAD_BYTES


def segment_path(folder: Path, first_seq: int) -> Path:
    """Return the path of the segment that begins with a sequence."""
    return folder / f"{first_seq:020d}{SUFFIX}"


def segments_in(files: FileSystem, folder: Path) -> list[Path]:
    """Return the segments of a folder, oldest first."""
    return [folder / name for name in files.names(folder)
            if name.endswith(SUFFIX) and name[: -len(SUFFIX)].isdigit()]


def load_segment(files: FileSystem, path: Path, damages: Damages, *,
                 before_seq: int | None) -> Segment | None:
    """Return a segment with the places of its blocks; None when it has none.

    `before_seq` is where the next segment begins: what goes on from there was given up after a
    failure, and stands in the next one. One small read a block. Raises StreamTooNew, OSError.
    """
    fd = files.open_to_read(path)
    try:
        content = files.read_at(fd, FILE_HEAD_BYTES, 0)
        head = decode_file_head(content, magic=SEGMENT_MAGIC, file=path.name)
        if head is None:
            # Its blocks have checksums of their own.
            head = FileHead(int(path.stem), 0, 0)
            damages.note(Damage(path.name, "file", head.first_seq, head.first_seq - 1))
        size, last_seq = files.size(path), head.first_seq - 1
        places: list[Place] = []
        for place in _places(files, fd, size):
            if place.offset > end_of(places):
                damages.note(Damage(path.name, "head", last_seq + 1, place.head.first_seq - 1))
            last_seq = place.head.last_seq
            places.append(place)
    finally:
        files.close(fd)
    # It got its name with a block in it; what follows the last block of the last segment may be
    # torn, which the journals tell.
    if not places or (before_seq is not None and end_of(places) < size):
        damages.note(Damage(path.name, "head", last_seq + 1, (before_seq or last_seq + 1) - 1))
    if before_seq is not None:
        places = [place for place in places if place.head.first_seq < before_seq]
    return (Segment(files, path, places, created_us=head.created_us, damages=damages)
            if places else None)


def is_last_whole(files: FileSystem, segment: Segment) -> bool:
    """Say whether the last block of a segment is there from its first to its last byte."""
    offset, head = segment.places[-1]
    fd = files.open_to_read(segment.path)
    try:
        return is_whole(head, memoryview(files.read_at(fd, head.size, offset)))
    finally:
        files.close(fd)


def write_segment(files: FileSystem, path: Path, blocks: Sequence[Sequence[Part]], *,
                  created_us: int, damages: Damages) -> Segment:
    """Write a segment with these encoded blocks durably, in place of one of its name.

    Raises OSError; then either of the two may stand.
    """
    places: list[Place] = []
    for parts in blocks:
        head = decode_record_head(parts[0])
        assert head is not None
        places.append(Place(end_of(places), head))
    first_seq = places[0].head.first_seq
    begin = encode_file_head(FileHead(first_seq, first_seq - 1, created_us), magic=SEGMENT_MAGIC)
    temporary = temporary_path(path, "written")
    write_new(files, temporary, [begin, *chain(*blocks)])
    crash_point("stream.before_swap")
    files.rename(temporary, path)
    crash_point("stream.after_swap")
    files.sync_folder(path.parent)
    return Segment(files, path, places, created_us=created_us, damages=damages)


def append_block(files: FileSystem, fd: int, parts: list[Part], offset: int) -> None:
    """Write a block at the end of a segment and sync; on failure it is cut. Raises OSError."""
    try:
        write_whole(files, fd, parts, offset)
        files.sync(fd)
    except OSError:
        # Should this fail as well, the next segment says where this one ends.
        with contextlib.suppress(OSError):
            files.truncate(fd, offset)
        raise


def hole(head: RecordHead) -> Record:
    """Return what is left of a block whose events are lost: its span and its position."""
    return Record(head.first_seq, head.last_seq, head.base_time_us, head.position,
                  head.dictionary, Names(), empty_columns(0), b"", b"")


def _places(files: FileSystem, fd: int, size: int) -> Iterator[Place]:
    """Iterate over the blocks by their heads; where one is damaged, the next one is searched."""
    at, last_seq = FILE_HEAD_BYTES, 0
    while at + RECORD_HEAD_BYTES <= size:
        head = decode_record_head(files.read_at(fd, RECORD_HEAD_BYTES, at))
        if head is not None and head.first_seq > last_seq and at + head.size <= size:
            yield Place(at, head)
            at, last_seq = at + head.size, head.last_seq
            continue
        found = files.read_at(fd, size - at - 1, at + 1).find(RECORD_MAGIC)
        if found < 0:
            return
        at += 1 + found
