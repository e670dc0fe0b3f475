"""A segment: sealed blocks in one file, mapped into memory and sent from there.

    00000000000000000001.stream     head │ block │ block │ …      64 MiB, or three hours

A block is checked when it is first opened, its messages when they are first sent, once for as long
as the file is open. A block that is damaged is passed as a hole, counted and told.
"""

import mmap
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from itertools import chain
from pathlib import Path
from typing import Final, NamedTuple

import structlog

from lichen.kit.crash_points import crash_point
from lichen.log import FileSystem, Part, temporary_path, write_new, write_whole
from lichen.stream.block import Block
from lichen.stream.columns import empty_columns
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
    encode_record,
    is_index_whole,
    is_packed_whole,
    is_plain_whole,
    is_whole,
    messages_of,
    names_of,
)

logger = structlog.get_logger("lichen.stream")
SUFFIX: Final = ".stream"


class Place(NamedTuple):
    """Where a block stands in its segment, and what its head says."""

    offset: int
    head: RecordHead


class Segment:
    """The blocks of one file, as they are; replaced as a whole when the file is rewritten."""

    def __init__(self, files: FileSystem, path: Path, created_us: int,
                 places: list[Place]) -> None:
        self.path = path
        self.created_us = created_us
        self.places = places
        self.damaged_blocks = 0
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
    def size(self) -> int:
        """Return where the last block ends."""
        return end_of(self.places)

    def extended(self, index: Part) -> "Segment":
        """Return the segment with a block more, whose head stands in `index`."""
        head = decode_record_head(index)
        assert head is not None
        longer = Segment(self._files, self.path, self.created_us,
                         [*self.places, Place(self.size, head)])
        longer._is_good, longer.damaged_blocks = self._is_good, self.damaged_blocks
        return longer

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
        if not self._check(number, "index", partial(is_index_whole, head, content)):
            return _hole(head)
        return block_of(head, content)

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
                self.damaged_blocks += 1
                logger.error("stream.damaged", file=self.path.name, part=part,
                             first_seq=head.first_seq, last_seq=head.last_seq)
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


def load_segment(files: FileSystem, path: Path, *, is_last: bool) -> Segment | None:
    """Return a segment with the places of its blocks; None when it has none.

    One small read a block; of the last segment, the last block is checked whole, since a crash may
    have torn it. Raises StreamTooNew, OSError.
    """
    fd = files.open_to_read(path)
    try:
        content = files.read_at(fd, FILE_HEAD_BYTES, 0)
        head = decode_file_head(content, magic=SEGMENT_MAGIC, file=path.name)
        if head is None:
            head = FileHead(int(path.stem), 0, 0)  # its blocks have checksums of their own
        places = list(_places(files, fd, files.size(path)))
        if is_last and places and not _is_last_whole(files, fd, places[-1]):
            places.pop()
    finally:
        files.close(fd)
    return Segment(files, path, head.created_us, places) if places else None


def write_segment(files: FileSystem, path: Path, records: Sequence[Record], *,
                  created_us: int) -> Segment:
    """Write a segment with these blocks durably, in place of one of its name. Raises OSError."""
    head = FileHead(records[0].first_seq, records[0].first_seq - 1, created_us)
    blocks = [encode_record(record) for record in records]
    temporary = temporary_path(path, "written")
    write_new(files, temporary, [encode_file_head(head, magic=SEGMENT_MAGIC), *chain(*blocks)])
    crash_point("stream.before_swap")
    files.rename(temporary, path)
    crash_point("stream.after_swap")
    files.sync_folder(path.parent)
    places: list[Place] = []
    for parts in blocks:
        block = decode_record_head(parts[0])
        assert block is not None
        places.append(Place(end_of(places), block))
    return Segment(files, path, created_us, places)


def append_block(files: FileSystem, fd: int, parts: list[Part], offset: int) -> int:
    """Write a block at the end of a segment and sync; return where it ends. Raises OSError."""
    end = write_whole(files, fd, parts, offset)
    files.sync(fd)
    return end


def _places(files: FileSystem, fd: int, size: int) -> Iterator[Place]:
    """Iterate over the blocks by their heads; where one is damaged, the next one is searched."""
    at, last_seq = FILE_HEAD_BYTES, 0
    while at + RECORD_HEAD_BYTES <= size:
        head = decode_record_head(files.read_at(fd, RECORD_HEAD_BYTES, at))
        if head is not None and head.first_seq > last_seq and at + head.size <= size:
            yield Place(at, head)
            at, last_seq = at + head.size, head.last_seq
            continue
        rest = files.read_at(fd, size - at - 1, at + 1)
        found = rest.find(RECORD_MAGIC)
        if found < 0:
            return
        logger.error("stream.damaged", part="head", offset=at, next_offset=at + 1 + found)
        at += 1 + found


def _is_last_whole(files: FileSystem, fd: int, place: Place) -> bool:
    content = files.read_at(fd, place.head.size, place.offset)
    return is_whole(place.head, memoryview(content))


def _hole(head: RecordHead) -> Block:
    return Block(Record(head.first_seq, head.last_seq, head.base_time_us, head.position,
                        head.dictionary, Names(), empty_columns(0), b"", b""), is_sealed=True)
