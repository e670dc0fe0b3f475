r"""The checkpoint: rings, author lists and posts in one file, swapped atomically.

    checkpoint   ┌─────────────────────────── 40 bytes ────────────────────────────┐
                 │ "\xffLICHTML" │ checksum │ version reader │ head bytes │ position │
                 ├───────────────────────────────────────────────────────────────────┤
                 │ head      JSON: sizes, and each column's name, type and length    │
                 │ columns   one after the other, as they lie in memory              │
                 └───────────────────────────────────────────────────────────────────┘

The checksum (xxh3_64) covers all that follows it. A new checkpoint is durable under a temporary
name before it takes the place of the old one, so that one of the two always stands; what happened
after its position is applied again from the log, which changes nothing that is in it already. A
damaged checkpoint is told and not used: timelines start empty at position 0, from where they are
applied again. All numbers are little-endian.
"""

import mmap
import struct
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final, NamedTuple

import msgspec
import numpy as np
from numpy.typing import NDArray
from xxhash import xxh3_64

from lichen.kit.crash_points import crash_point
from lichen.log import FileSystem, write_new
from lichen.timeline.errors import TimelineTooNew, TimelineUnavailable

VERSION: Final = 1
READER: Final = 1
NAME: Final = "checkpoint"
_MAGIC: Final = b"\xffLICHTML"
_HEAD: Final = struct.Struct("<8sQHHIQ8x")
_COVERED: Final = 16  # magic and checksum come first, the checksum covers the rest
_CHUNK: Final = 64 << 20  # bytes: a buffer of one column may be larger than a call takes

Column = NDArray[Any]


class Sizes(msgspec.Struct, frozen=True):
    """What the columns were made for, and how much of them is used."""

    slots: int
    posts_kept: int
    last: int
    rings_used: int


class _Head(msgspec.Struct, frozen=True):
    sizes: Sizes
    columns: tuple[tuple[str, str, int], ...]  # name, type, elements


class Checkpoint(NamedTuple):
    """A checkpoint: the position it stands at, its sizes, its columns."""

    position: int
    sizes: Sizes
    columns: dict[str, Column]


class Damaged(Exception):
    """A checkpoint that cannot be used, and why; caught by whoever opens."""


def save(folder: Path, files: FileSystem, *, position: int, sizes: Sizes,
         columns: Mapping[str, Column]) -> int:
    """Put a checkpoint in the place of the last one, durably; return its bytes.

    Raises TimelineUnavailable, and the old one stands.
    """
    head = msgspec.json.encode(_Head(sizes, tuple(
        (name, column.dtype.str, column.size) for name, column in columns.items())))
    rest = _HEAD.pack(_MAGIC, 0, VERSION, READER, len(head), position)[_COVERED:] + head
    parts = [memoryview(rest), *_bytes_of(columns)]
    checksum = xxh3_64()
    for part in parts:
        checksum.update(part)
    path, fresh = folder / NAME, folder / f"{NAME}.new"
    try:
        files.make_folder(folder)
        write_new(files, fresh, [_MAGIC + struct.pack("<Q", checksum.intdigest()), *parts])
        crash_point("timeline.before_swap")
        files.rename(fresh, path)
        crash_point("timeline.after_swap")
        files.sync_folder(folder)
    except OSError as error:
        raise TimelineUnavailable(f"{path}: {error.strerror or error}; the checkpoint before it "
                                  "stands. Make room, then try again.") from error
    return _COVERED + sum(len(part) for part in parts)


def load(folder: Path) -> Checkpoint | None:
    """Return the checkpoint, mapped and verified; None when there is none.

    Raises Damaged, TimelineTooNew, TimelineUnavailable.
    """
    path = folder / NAME
    try:
        with path.open("rb") as file:
            content = memoryview(mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ))
    except FileNotFoundError:
        return None
    except ValueError as error:  # nothing to map
        raise Damaged(f"{path} is empty") from error
    except OSError as error:
        raise TimelineUnavailable(f"{path}: {error.strerror or error}.") from error
    return _parsed(path, content)


def _parsed(path: Path, content: memoryview) -> Checkpoint:
    if len(content) < _HEAD.size or bytes(content[:8]) != _MAGIC:
        raise Damaged(f"{path} is no checkpoint of timelines")
    _, checksum, _, reader, head_bytes, position = _HEAD.unpack_from(content)
    found = xxh3_64()
    for at in range(_COVERED, len(content), _CHUNK):
        found.update(content[at : at + _CHUNK])
    if found.intdigest() != checksum:
        raise Damaged(f"{path} does not have its checksum: {checksum:016x} was expected, "
                      f"{found.intdigest():016x} came")
    if reader > READER:
        raise TimelineTooNew(str(path), reader=reader, supported=READER)
    at = _HEAD.size + head_bytes
    head = msgspec.json.decode(content[_HEAD.size : at], type=_Head)
    columns: dict[str, Column] = {}
    for name, kind, count in head.columns:
        columns[name] = np.frombuffer(content, np.dtype(kind), count, at)
        at += columns[name].nbytes
    return Checkpoint(position, head.sizes, columns)


def _bytes_of(columns: Mapping[str, Column]) -> Iterator[memoryview]:
    for column in columns.values():
        if not column.size:
            continue
        content = np.ascontiguousarray(column).reshape(-1).data.cast("B")
        for at in range(0, len(content), _CHUNK):
            yield content[at : at + _CHUNK]
