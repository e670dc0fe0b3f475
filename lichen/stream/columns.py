"""The side index: one row of 24 bytes for each event, kept as columns.

A filter looks at these and at nothing else, so that no JSON is touched for an event that is not
wanted. A column lies together, because numpy compares one at some GB/s.

    seq         4   after the first sequence of its block
    time        4   µs after the first time of its block
    plain_end   4   where its plain message ends in the block
    packed_end  4   where its compressed message ends
    actor       4   xxh32 of the DID: a match is verified in the message itself
    collection  2   number in the block's table; 0 is none
    marks       1   kind (2 bits), operation (2 bits), is_root, has_mentions
    langs       1   number of its languages, together, in the block's table; 255 is "look yourself"
"""

from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray
from xxhash import xxh32_intdigest

from lichen.stream.model import Kind, Operation

NAMES: Final = ("seq", "time", "plain_end", "packed_end", "actor", "collection", "marks", "langs")
TYPES: Final[tuple[np.dtype[np.unsignedinteger], ...]] = (
    *(np.dtype("<u4"),) * 5, np.dtype("<u2"), np.dtype("u1"), np.dtype("u1"),
)
ROW_BYTES: Final = sum(one.itemsize for one in TYPES)
DELTA_MAX: Final = (1 << 32) - 1
"""What a column of 32 bits holds."""

OPERATION_SHIFT: Final = 2
IS_ROOT: Final = 1 << 4
HAS_MENTIONS: Final = 1 << 5
KIND_MASK: Final = 3
OPERATION_MASK: Final = 3 << OPERATION_SHIFT
LANGS_OTHER: Final = 255
COLLECTIONS_MAX: Final = (1 << 16) - 1
"""What a column of 16 bits holds."""

assert ROW_BYTES == 24

Column = NDArray[np.unsignedinteger]


class Columns(NamedTuple):
    """The columns of a run of events, all of one length."""

    seq: Column
    time: Column
    plain_end: Column
    packed_end: Column
    actor: Column
    collection: Column
    marks: Column
    langs: Column

    def first(self, count: int) -> "Columns":
        """Return the columns of the first `count` events; no copy."""
        return Columns._make(column[:count] for column in self)

    def tobytes(self) -> bytes:
        """Return the columns one after the other, as they stand in a file."""
        return b"".join(column.tobytes() for column in self)


def empty_columns(capacity: int) -> Columns:
    """Return columns that have room for so many events."""
    return Columns._make(np.empty(capacity, one) for one in TYPES)


def columns_of(content: memoryview, count: int) -> Columns:
    """Return the columns that stand in `content`; no copy."""
    assert len(content) == count * ROW_BYTES
    columns, at = [], 0
    for one in TYPES:
        columns.append(np.frombuffer(content, one, count, at))
        at += count * one.itemsize
    return Columns._make(columns)


def actor_hash(did: str) -> int:
    """Return the number that stands for a DID in a column."""
    return xxh32_intdigest(did.encode())


def marks_of(kind: Kind, operation: Operation, *, is_root: bool, has_mentions: bool) -> int:
    """Return the byte that says what an event is."""
    return (kind | operation << OPERATION_SHIFT | (IS_ROOT if is_root else 0)
            | (HAS_MENTIONS if has_mentions else 0))
