"""The archive's file format: what a Jetstream v2 client downloads, byte for byte.

A sealed segment of Jetstream (`.jss`, version 1). All numbers are little-endian.

    segment   ┌───────────────────────────── 256 bytes ──────────────────────────────┐
              │ "jss0" │ checksum │ version │ counts │ bounds │ offsets │ zeros      │
              ├──────────────────────────────────────────────────────────────────────┤
              │ size │ block   8 bytes of size, then one zstd frame; 4,096 events    │
              │ ...                                                                  │
              ├──────────────────────────────────────────────────────────────────────┤
              │ block index    52 bytes a block: where, how big, which sequences     │
              │ actor filters  left empty: "anybody may be here"                     │
              │ collections    table of names, and a mask of them for each block     │
              └──────────────────────────────────────────────────────────────────────┘
    block     count, then columns: seq, witnessed_at, indexed_at, kind, five lengths,
              then the texts of collection, did, rkey, rev and the payload, end to end

* The checksum (xxh3_64) covers the header behind it and the footer; a block has that of its zstd
  frame. Zero would mean "not sealed yet".
* A payload is the record as canonical DAG-CBOR; its CID is derived by the client. An identity,
  account or sync event has its whole body there. A deletion has none.
* The same rows give the same bytes, so a download can be resumed and cached for ever.

What a reader may not find here: Bloom filters of the actors (planSnapshot looks at the side index,
which knows better, so we leave them out), and what the format cannot hold (`fits`): a record key of
more than 255 bytes. Those events are on the live stream alone.

Source: bluesky-social/jetstream, docs §3.1 and §3.2; read back by the `atproto` SDK in the tests.
"""

import struct
from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Final, NamedTuple

import numpy as np
from xxhash import xxh3_64_intdigest
from zstandard import ZstdCompressor

from lichen.stream.limits import ARCHIVE_ZSTD_LEVEL

MAGIC: Final = b"jss0"
VERSION: Final = 1
BLOCK_EVENTS: Final = 4_096  # §3.2: the size their servers use; clients take any
HEADER_BYTES: Final = 256
SIZE_BYTES: Final = 8
TEXT_BYTES_MAX: Final = 255  # lengths of collection, rkey and rev are one byte
DID_BYTES_MAX: Final = 65_535  # its length is two bytes

CREATE: Final = 1
UPDATE: Final = 2
DELETE: Final = 3
IDENTITY: Final = 4
ACCOUNT: Final = 5
SYNC: Final = 6

# Their planner finds markers, which have no collection, by these names; "$" is in no NSID.
_MARKERS: Final = {IDENTITY: "$identity", ACCOUNT: "$account", SYNC: "$sync"}

_HEADER: Final = struct.Struct("<4sQHIIIQQqqQQQQQ158x")
_INDEX: Final = struct.Struct("<QIIIQQqq")
_FILTERS: Final = struct.Struct("<II")
_COLLECTIONS: Final = struct.Struct("<IIII")
_COVERED: Final = 12  # magic and checksum come first, the checksum covers the rest

assert _HEADER.size == HEADER_BYTES and _INDEX.size == 52


class Row(NamedTuple):
    """One event, as a block keeps it."""

    seq: int
    time_us: int
    kind: int
    did: bytes
    collection: bytes = b""
    rkey: bytes = b""
    rev: bytes = b""
    payload: bytes = b""


class Block(NamedTuple):
    """A block, compressed, and what the footer says of it."""

    frame: bytes
    plain_bytes: int
    events: int
    first_seq: int
    last_seq: int
    first_us: int
    last_us: int
    dids: frozenset[bytes]
    collections: Counter[str]


class Sealed(NamedTuple):
    """What the header of a sealed segment says."""

    checksum: int
    blocks: int
    events: int
    first_seq: int
    last_seq: int
    first_us: int
    last_us: int
    index_offset: int

    @property
    def checksum_text(self) -> str:
        """Return the checksum as the wire shows it: 16 hexadecimal digits."""
        return f"{self.checksum:016x}"


def fits(row: Row) -> bool:
    """Say whether the format can hold an event."""
    return (max(len(row.collection), len(row.rkey), len(row.rev)) <= TEXT_BYTES_MAX
            and len(row.did) <= DID_BYTES_MAX)


def encode_block(rows: Sequence[Row], compressor: ZstdCompressor) -> Block:
    """Return a block of at least one row, ordered by sequence; O(bytes)."""
    assert rows, "a block holds at least one event"
    seqs, times, kinds, dids, collections, rkeys, revs, payloads = zip(*rows, strict=True)
    columns = b"".join((
        len(rows).to_bytes(4, "little"),
        np.array(seqs, "<u8").tobytes(),
        np.array(times, "<i8").tobytes(),
        # §3.2: indexed_at 0 says "not set, fall back to witnessed_at".
        bytes(8 * len(rows)),
        bytes(kinds),
        _lengths(collections, "u1"), _lengths(dids, "<u2"), _lengths(rkeys, "u1"),
        _lengths(revs, "u1"), _lengths(payloads, "<u4"),
        *collections, *dids, *rkeys, *revs, *payloads,
    ))
    counted = Counter(one.decode() for one in collections if one)
    # A marker is named in the table and counts nothing there, as in their files.
    counted.update({_MARKERS[kind]: 0 for kind in sorted(set(kinds) & _MARKERS.keys())})
    return Block(compressor.compress(columns), len(columns), len(rows), seqs[0], seqs[-1],
                 min(times), max(times), frozenset(dids), counted)


def encode_segment(blocks: Sequence[Block]) -> bytes:
    """Return a whole sealed segment of at least one block."""
    assert blocks, "a segment holds at least one block"
    framed, entries, at = [], [], HEADER_BYTES
    for block in blocks:
        framed += [len(block.frame).to_bytes(SIZE_BYTES, "little"), block.frame]
        entries.append(_INDEX.pack(at, len(block.frame), block.plain_bytes, block.events,
                                   block.first_seq, block.last_seq, block.first_us, block.last_us))
        at += SIZE_BYTES + len(block.frame)
    index = b"".join(entries)
    filters = _FILTERS.pack(len(blocks), 0)
    footer = b"".join((index, filters, _encode_collections(blocks)))
    filters_at = at + len(index)
    fields = (
        VERSION, len(blocks), sum(block.events for block in blocks),
        len(frozenset[bytes]().union(*(block.dids for block in blocks))),
        blocks[0].first_seq, blocks[-1].last_seq,
        min(block.first_us for block in blocks), max(block.last_us for block in blocks),
        at, filters_at, filters_at, filters_at + len(filters), at,
    )
    unsigned = _HEADER.pack(MAGIC, 0, *fields)
    checksum = xxh3_64_intdigest(unsigned[_COVERED:] + footer)
    return b"".join((_HEADER.pack(MAGIC, checksum, *fields), *framed, footer))


def decode_header(content: bytes) -> Sealed | None:
    """Return what the header of a segment says; None where it is no sealed segment."""
    if len(content) < HEADER_BYTES:
        return None
    (magic, checksum, version, blocks, events, _, first_seq, last_seq, first_us, last_us,
     _, _, _, _, index_offset) = _HEADER.unpack_from(content)
    if magic != MAGIC or version != VERSION or checksum == 0:
        return None
    return Sealed(checksum, blocks, events, first_seq, last_seq, first_us, last_us, index_offset)


def is_whole(content: bytes, header: Sealed) -> bool:
    """Say whether header and footer of a segment have their checksum."""
    covered = content[_COVERED:HEADER_BYTES] + content[header.index_offset:]
    return bool(xxh3_64_intdigest(covered) == header.checksum)


def block_range(content: bytes, header: Sealed, number: int) -> tuple[int, int]:
    """Return where the zstd frame of a block begins and ends in its segment."""
    assert 0 <= number < header.blocks
    at, size, *_ = _INDEX.unpack_from(content, header.index_offset + number * _INDEX.size)
    return at + SIZE_BYTES, at + SIZE_BYTES + size


def segment_name(index: int) -> str:
    """Return the file name of the segment with an index."""
    return f"seg_{index:010x}.jss"


def segment_index(name: str) -> int | None:
    """Return the index in a segment's file name; None where it is not such a name."""
    digits = name.removeprefix("seg_").removesuffix(".jss")
    if not 10 <= len(digits) <= 16 or not set(digits) <= set("0123456789abcdef"):
        return None
    index = int(digits, 16)
    return index if segment_name(index) == name else None


def archive_compressor() -> ZstdCompressor:
    """Return what compresses blocks; not to be shared between threads."""
    return ZstdCompressor(level=ARCHIVE_ZSTD_LEVEL, write_checksum=True, write_content_size=True)


def _lengths(texts: Iterable[bytes], width: str) -> bytes:
    return np.fromiter(map(len, texts), width).tobytes()


def _encode_collections(blocks: Sequence[Block]) -> bytes:
    """Return the table of names and, for each block, one bit a name."""
    total: Counter[str] = Counter()
    for block in blocks:
        total.update(block.collections)
    # Counter.update keeps a name that counts nothing, as the markers' must be.
    names = sorted(total)
    table = b"".join(
        struct.pack("<BI", len(name.encode()), total[name]) + name.encode() for name in names)
    width = (len(names) + 7) // 8
    masks = []
    for block in blocks:
        mask = sum(1 << number for number, name in enumerate(names) if name in block.collections)
        masks.append(mask.to_bytes(width, "little"))
    body = table + b"".join(masks)
    head = _COLLECTIONS.pack(len(names), len(blocks), width, len(body))
    return head + archive_compressor().compress(body)
