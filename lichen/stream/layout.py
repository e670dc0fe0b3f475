r"""The bytes of the stream's files, format version 1.

A record is a run of events in every form they are sent in, with their side index. It is the one
unit of everything: what an append writes to a journal, what a sealed segment is made of (records of
up to 8,192 events), what is shipped to a standby. All numbers are little-endian.

    file      ┌──────────────────────────── 64 bytes ────────────────────────────────┐
              │ magic │ checksum │ version reader 0 │ first_seq │ previous_seq │ time │
              ├──────────────────────────────────────────────────────────────────────┤
              │ record │ record │ ...                                                │
              └──────────────────────────────────────────────────────────────────────┘
    record    ┌──────────────────────────── 104 bytes ───────────────────────────────┐
              │ "\xffLICHSTR" │ checksum │ events │ names │ bloom │ dictionary       │
              │ plain │ packed │ first_seq │ last_seq │ time │ position │ 3 checksums   │
              ├──────────────────────────────────────────────────────────────────────┤
              │ names    JSON: collections, langs, mentions; padded to 8 bytes       │
              │ bloom    of the actors, 8 KiB, or nothing                            │
              │ columns  24 bytes an event (columns.py); padded to 8 bytes           │
              │ plain    WebSocket text messages of the first wire, back to back     │
              │ packed   WebSocket binary messages, one zstd frame each; padded      │
              └──────────────────────────────────────────────────────────────────────┘

Why so:

* What is sent stands in the file as it is sent: a reader that wants everything gets slices of the
  mapped file, and filters gather slices. No event is encoded twice.
* The checksum (xxh3_64) covers what follows it up to and with the columns; plain and packed have
  one each, since a reader needs one of the two. The head has one of its own: where the next record
  begins is known although names or columns are damaged, and no wrong size leads past a good one.
* `first_seq` to `last_seq` is the span: an erasure takes events out and leaves it, so that a hole
  is passed. A record without events moves the position or the sequence alone.
* `position` is how far the source was read: the cursor is stored with the data.
"""

import struct
from collections.abc import Sequence
from typing import Final, NamedTuple

import msgspec
from xxhash import xxh3_64_intdigest

from lichen.log import Part
from lichen.stream.columns import ROW_BYTES, Columns, columns_of
from lichen.stream.errors import StreamTooNew
from lichen.stream.limits import BLOCK_BYTES_MAX, BLOCK_EVENTS_MAX, NAMES_BYTES_MAX

VERSION: Final = 1
READER: Final = 1
SEGMENT_MAGIC: Final = b"\xffLICHSEG"
JOURNAL_MAGIC: Final = b"\xffLICHJNL"
RECORD_MAGIC: Final = b"\xffLICHSTR"

_FILE: Final = struct.Struct("<8sQHHIqqq16x")
_RECORD: Final = struct.Struct("<8sQIIIIIIqqqqQQQ8x")
FILE_HEAD_BYTES: Final = _FILE.size
RECORD_HEAD_BYTES: Final = _RECORD.size
_COVERED: Final = 16  # magic and checksum come first, the checksum covers the rest
_FIELDS: Final = slice(_COVERED, 88)  # what the head's own checksum covers
ALIGNMENT: Final = 8

assert FILE_HEAD_BYTES == 64 and RECORD_HEAD_BYTES == 104


class FileHead(NamedTuple):
    """What a file says of itself; `previous_seq` is what counts in the journal before it."""

    first_seq: int
    previous_seq: int
    created_us: int


class Names(msgspec.Struct, frozen=True):
    """The tables that columns refer to by number, and who is mentioned in which row."""

    collections: list[str] = []
    langs: list[list[str]] = []
    mentions: list[tuple[int, int]] = []  # row, xxh32 of the DID; ordered by row


class RecordHead(NamedTuple):
    """What a record says of itself."""

    events: int
    names_bytes: int
    bloom_bytes: int
    dictionary: int
    plain_bytes: int
    packed_bytes: int
    first_seq: int
    last_seq: int
    base_time_us: int
    position: int
    plain_checksum: int
    packed_checksum: int

    @property
    def index_bytes(self) -> int:
        """Return the size of all that the first checksum covers, the head included."""
        return (RECORD_HEAD_BYTES + self.names_bytes + self.bloom_bytes
                + padded(self.events * ROW_BYTES))

    @property
    def size(self) -> int:
        """Return the size of the whole record."""
        return padded(self.index_bytes + self.plain_bytes + self.packed_bytes)


class Record(NamedTuple):
    """A record, ready to be written."""

    first_seq: int
    last_seq: int
    base_time_us: int
    position: int
    dictionary: int
    names: Names
    columns: Columns
    plain: Part
    packed: Part
    bloom: bytes = b""


def padded(size: int) -> int:
    """Return the size with what is needed to align what comes next."""
    return size + -size % ALIGNMENT


def encode_file_head(head: FileHead, *, magic: bytes) -> bytes:
    """Return the 64 bytes at the start of a file."""
    return _signed(_FILE.pack(magic, 0, VERSION, READER, 0, *head))


def decode_file_head(content: bytes, *, magic: bytes, file: str) -> FileHead | None:
    """Return what a file says of itself, None where it is damaged; raises StreamTooNew."""
    if len(content) < FILE_HEAD_BYTES or content[:8] != magic:
        return None
    content = content[:FILE_HEAD_BYTES]
    _, checksum, _, reader, _, *fields = _FILE.unpack(content)
    if xxh3_64_intdigest(content[_COVERED:]) != checksum:
        return None
    if reader > VERSION:
        raise StreamTooNew(file, reader=reader, supported=VERSION)
    return FileHead(*fields)


def encode_record(record: Record) -> list[Part]:
    """Return a record in parts; the large ones are not copied."""
    names = msgspec.json.encode(record.names)
    names += b" " * (-len(names) % ALIGNMENT)
    events = len(record.columns.seq)
    columns = record.columns.tobytes()
    head = RecordHead(
        events, len(names), len(record.bloom), record.dictionary, len(record.plain),
        len(record.packed), record.first_seq, record.last_seq, record.base_time_us,
        record.position, xxh3_64_intdigest(record.plain), xxh3_64_intdigest(record.packed),
    )
    index = b"".join((_packed_head(head), names, record.bloom, columns,
                      bytes(padded(len(columns)) - len(columns))))
    assert len(index) == head.index_bytes
    end = head.index_bytes + head.plain_bytes + head.packed_bytes
    return [_signed(index), record.plain, record.packed, bytes(head.size - end)]


def decode_record_head(content: bytes | memoryview) -> RecordHead | None:
    """Return a record's head; None where it is damaged, or no record begins."""
    if len(content) < RECORD_HEAD_BYTES or content[:8] != RECORD_MAGIC:
        return None
    _, _, *fields, checksum = _RECORD.unpack_from(content)
    head = RecordHead._make(fields)
    if (xxh3_64_intdigest(content[_FIELDS]) != checksum or head.events > BLOCK_EVENTS_MAX
            or head.names_bytes > NAMES_BYTES_MAX
            or max(head.plain_bytes, head.packed_bytes) > BLOCK_BYTES_MAX):
        return None
    return head


def names_bytes(names: Names) -> int:
    """Return what some names take at most, also among those of a longer record."""
    return len(msgspec.json.encode(names)) + len(str(BLOCK_EVENTS_MAX)) * len(names.mentions)


def is_index_whole(head: RecordHead, content: memoryview) -> bool:
    """Say whether head, names, bloom and columns have their checksum."""
    if len(content) < head.index_bytes:
        return False
    covered = content[_COVERED : head.index_bytes]
    return bool(xxh3_64_intdigest(covered) == int.from_bytes(content[8:_COVERED], "little"))


def is_whole(head: RecordHead, content: memoryview) -> bool:
    """Say whether a record is there from its first to its last byte."""
    if len(content) < head.size or not is_index_whole(head, content):
        return False
    plain, packed = messages_of(head, content)
    return is_plain_whole(head, plain) and is_packed_whole(head, packed)


def is_plain_whole(head: RecordHead, plain: Part) -> bool:
    """Say whether the plain messages have their checksum."""
    return bool(xxh3_64_intdigest(plain) == head.plain_checksum)


def is_packed_whole(head: RecordHead, packed: Part) -> bool:
    """Say whether the compressed messages have their checksum."""
    return bool(xxh3_64_intdigest(packed) == head.packed_checksum)


def names_of(head: RecordHead, content: memoryview) -> Names:
    """Return the names in a record that is whole."""
    end = RECORD_HEAD_BYTES + head.names_bytes
    return msgspec.json.decode(content[RECORD_HEAD_BYTES:end], type=Names)


def bloom_of(head: RecordHead, content: memoryview) -> memoryview:
    """Return the filter over the actors, empty where the record has none."""
    start = RECORD_HEAD_BYTES + head.names_bytes
    return content[start : start + head.bloom_bytes]


def columns_in(head: RecordHead, content: memoryview) -> Columns:
    """Return the columns of a record; no copy."""
    start = RECORD_HEAD_BYTES + head.names_bytes + head.bloom_bytes
    return columns_of(content[start : start + head.events * ROW_BYTES], head.events)


def messages_of(head: RecordHead, content: memoryview) -> tuple[memoryview, memoryview]:
    """Return the plain and the compressed messages of a record; no copy."""
    middle = head.index_bytes + head.plain_bytes
    return content[head.index_bytes : middle], content[middle : middle + head.packed_bytes]


def records_in(content: memoryview) -> Sequence[tuple[RecordHead, memoryview]]:
    """Return the whole records from the start of `content` on; stops at the first torn one."""
    found, at = [], 0
    while (head := decode_record_head(content[at:])) and is_whole(head, content[at:]):
        found.append((head, content[at : at + head.size]))
        at += head.size
    return found


def _packed_head(head: RecordHead) -> bytes:
    """Return a head with its own checksum; that of the whole index is still to come."""
    fields = _RECORD.pack(RECORD_MAGIC, 0, *head, 0)[_FIELDS]
    return _RECORD.pack(RECORD_MAGIC, 0, *head, xxh3_64_intdigest(fields))


def _signed(content: bytes) -> bytes:
    """Return the content with its checksum filled in."""
    checksum = xxh3_64_intdigest(memoryview(content)[_COVERED:])
    return content[:8] + checksum.to_bytes(8, "little") + content[_COVERED:]
