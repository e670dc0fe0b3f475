r"""The bytes of a segment, format version 1.

A log is a folder of segments, each named for its first sequence. A segment is a header and blocks;
a block is what one append (or several that shared a sync) wrote: a header, a table with one row per
record, and the payloads as lines. All numbers are little-endian.

    segment   ┌────────────────────────── 64 bytes ──────────────────────────────┐
              │ "\xffLICHLOG" │ checksum │ version reader 0 │ first_seq          │
              │ previous_seq  │ previous_time_us │ created_us │ 0               │
              ├──────────────────────────────────────────────────────────────────┤
              │ block │ block │ block │ ...                                      │
              └──────────────────────────────────────────────────────────────────┘
    block     ┌────────────────────────── 56 bytes ──────────────────────────────┐
              │ "\xffLICHBLK" │ checksum │ kind records span body_bytes          │
              │ first_seq     │ last_time_us │ checksum of the lines             │
              ├──────────────────── 32 bytes for each record ────────────────────┤
              │ seq │ time_us │ checksum of the payload │ bytes │ 0              │
              ├──────────────────────────── the lines ───────────────────────────┤
              │ {"did":…}\n{"did":…}\n                                           │
              └──────────────────────────────────────────────────────────────────┘

Why so:

* The lines of a block lie together, so a JSON decoder takes them in one call; the table is a numpy
  array, so a batch's sequences, times and lengths are read without a loop.
* Checksums are xxh3_64. A header's covers what follows it, a block's its table as well. The lines
  have one together, which is quick to verify, and each record has its own in the table, so that
  one bad payload is told from its neighbours.
* The magics begin with 0xff, which UTF-8 never contains: after damage the next block is found by
  searching, and no payload can pose as one.
* A block says how many sequences it spans. An erasure takes rows and lines out and leaves the span,
  so a hole that was made is told from bytes that were lost. `last_time_us` keeps times increasing.
* A block of kind DAMAGED has no rows: its span is known to be lost. Reading it is an error.
* `previous_seq` is the last sequence that counts in the segment before. A gap up to `first_seq` is
  a jump; a segment that ends short of its successor's `previous_seq` lost something; what stands
  in a segment beyond it was never acknowledged (its segment was given up after a failed write).

`version` is the format's, `reader` the oldest version of a reader that understands it.
"""

import struct
from collections.abc import Sequence
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray
from xxhash import xxh3_64_intdigest

from lichen.log.errors import LogTooNew
from lichen.log.limits import BLOCK_BYTES_MAX, BLOCK_RECORDS_MAX, PAYLOAD_BYTES_MAX

VERSION: Final = 1
READER: Final = 1

SEGMENT_MAGIC: Final = b"\xffLICHLOG"
ASIDE_MAGIC: Final = b"\xffLICHDMG"  # the head of a copy of damaged bytes; the same layout
BLOCK_MAGIC: Final = b"\xffLICHBLK"

RECORDS: Final = 0  # the block holds records
DAMAGED: Final = 1  # the block stands for sequences that were lost to damage

_SEGMENT: Final = struct.Struct("<8sQHHIqqqq8x")
_BLOCK: Final = struct.Struct("<8sQIIIIqqQ")
SEGMENT_HEAD_BYTES: Final = _SEGMENT.size
BLOCK_HEAD_BYTES: Final = _BLOCK.size
_COVERED: Final = 16  # magic and checksum come first, the checksum covers the rest

ROW: Final = np.dtype(
    [("seq", "<i8"), ("time_us", "<i8"), ("checksum", "<u8"), ("bytes", "<u4"), ("zero", "<u4")]
)
Table = NDArray[np.void]  # rows of ROW

assert SEGMENT_HEAD_BYTES == 64 and BLOCK_HEAD_BYTES == 56 and ROW.itemsize == 32


class SegmentHead(NamedTuple):
    """What a segment says of itself."""

    first_seq: int
    previous_seq: int
    previous_time_us: int
    created_us: int


class BlockHead(NamedTuple):
    """What a block says of itself."""

    kind: int
    records: int
    span: int
    body_bytes: int
    first_seq: int
    last_time_us: int
    body_checksum: int

    @property
    def last_seq(self) -> int:
        """Return the last sequence that the block spans."""
        return self.first_seq + self.span - 1

    @property
    def table_bytes(self) -> int:
        """Return the size of the table."""
        return self.records * ROW.itemsize

    @property
    def size(self) -> int:
        """Return the size of the whole block."""
        return BLOCK_HEAD_BYTES + self.table_bytes + self.body_bytes


def encode_segment_head(head: SegmentHead, *, magic: bytes = SEGMENT_MAGIC) -> bytes:
    """Return the 64 bytes of a segment's header."""
    unsigned = _SEGMENT.pack(magic, 0, VERSION, READER, 0, *head)
    return _signed(unsigned)


def decode_segment_head(content: bytes, *, file: str) -> SegmentHead | None:
    """Return a segment's header, None where it is damaged; raises LogTooNew."""
    if len(content) < SEGMENT_HEAD_BYTES or content[:8] != SEGMENT_MAGIC:
        return None
    content = content[:SEGMENT_HEAD_BYTES]
    _, checksum, _, reader, _, *fields = _SEGMENT.unpack(content)
    if xxh3_64_intdigest(content[_COVERED:]) != checksum:
        return None
    if reader > VERSION:
        raise LogTooNew(file, reader=reader, supported=VERSION)
    return SegmentHead(*fields)


def encode_block(payloads: Sequence[bytes], first_seq: int,
                 first_time_us: int) -> tuple[bytes, bytes]:
    """Return a block of fresh records with consecutive sequences and times, in two parts."""
    count = len(payloads)
    assert 0 < count <= BLOCK_RECORDS_MAX
    table = np.zeros(count, ROW)
    table["seq"] = np.arange(first_seq, first_seq + count)
    table["time_us"] = np.arange(first_time_us, first_time_us + count)
    table["checksum"] = list(map(xxh3_64_intdigest, payloads))
    table["bytes"] = list(map(len, payloads))
    # One join, since every further copy of so much fresh memory costs more than the checksums.
    body = b"\n".join((*payloads, b""))
    return pack_block(table, body, first_seq=first_seq, span=count,
                      last_time_us=first_time_us + count - 1)


def pack_block(table: Table, body: bytes, *, first_seq: int, span: int,
               last_time_us: int) -> tuple[bytes, bytes]:
    """Return a block of the given rows and lines, in two parts: its header with table, its body."""
    assert len(body) == int(table["bytes"].sum()) + len(table)
    assert len(table) <= span
    rows = table.tobytes()
    unsigned = _BLOCK.pack(BLOCK_MAGIC, 0, RECORDS, len(table), span, len(body), first_seq,
                           last_time_us, xxh3_64_intdigest(body))
    return _signed(unsigned + rows), body


def encode_damaged(first_seq: int, last_seq: int, last_time_us: int) -> bytes:
    """Return the blocks that say that these sequences are lost; mostly one."""
    blocks = []
    while first_seq <= last_seq:
        span = min(last_seq - first_seq + 1, _SPAN_MAX)
        blocks.append(_signed(_BLOCK.pack(BLOCK_MAGIC, 0, DAMAGED, 0, span, 0, first_seq,
                                          last_time_us, 0)))
        first_seq += span
    return b"".join(blocks)


_SPAN_MAX: Final = (1 << 32) - 1  # the field has 32 bits


def decode_block_head(content: memoryview) -> BlockHead | None:
    """Return a block's header, not yet verified; None where no block can begin."""
    if len(content) < BLOCK_HEAD_BYTES:
        return None
    magic, _, *fields = _BLOCK.unpack_from(content)
    if magic != BLOCK_MAGIC:
        return None
    head = BlockHead._make(fields)
    if head.records > BLOCK_RECORDS_MAX or head.body_bytes > _BODY_BYTES_MAX:
        return None
    return head


_BODY_BYTES_MAX: Final = BLOCK_BYTES_MAX + PAYLOAD_BYTES_MAX


def is_whole(content: memoryview) -> bool:
    """Say whether a block's header and table (all of `content`) have their checksum."""
    return bool(xxh3_64_intdigest(content[_COVERED:]) == _checksum_of(content))


def is_body_whole(head: BlockHead, body: memoryview) -> bool:
    """Say whether a block's lines have their checksum."""
    return (len(body) == head.body_bytes
            and bool(xxh3_64_intdigest(body) == head.body_checksum))


def read_table(rows: bytes | memoryview) -> Table:
    """Return the table of a block, or of several joined; no copy."""
    return np.frombuffer(rows, ROW)


def line_ends(table: Table) -> NDArray[np.int64]:
    """Return where each record's line ends in the body, newline included."""
    return np.cumsum(table["bytes"].astype(np.int64) + 1)


def first_bad(table: Table, body: bytes) -> int:
    """Return the index of the first payload without its checksum; the count when all are whole."""
    bad = np.flatnonzero(~intact(table, body))
    return int(bad[0]) if len(bad) else len(table)


def intact(table: Table, body: bytes) -> NDArray[np.bool_]:
    """Say of each record whether its payload has its checksum; a body cut short is no error."""
    ends = line_ends(table)
    starts = ends - table["bytes"] - 1
    lines = map(body.__getitem__, map(slice, starts.tolist(), (ends - 1).tolist()))
    found = np.fromiter(map(xxh3_64_intdigest, lines), np.uint64, len(table))
    good: NDArray[np.bool_] = (found == table["checksum"]) & (ends <= len(body))
    # The checksums leave the newlines out, but a lost one would run two lines into one.
    good[good] = np.frombuffer(body, np.uint8)[ends[good] - 1] == _NEWLINE
    return good


_NEWLINE: Final = 0x0A


def _signed(content: bytes) -> bytes:
    """Return the content with its checksum filled in."""
    checksum = xxh3_64_intdigest(memoryview(content)[_COVERED:])
    return content[:8] + checksum.to_bytes(8, "little") + content[_COVERED:]


def _checksum_of(content: memoryview) -> int:
    return int.from_bytes(content[8:_COVERED], "little")
