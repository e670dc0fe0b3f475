"""Changes since the base: what they are, and the journal that makes them durable.

    changes-00000000000000001234.log      the position of the base they follow
    batch    head (48 bytes) │ new names, one JSON array │ changes, 12 bytes each
    change   actor u32 │ target u32 │ kind u32

A flush is one write and one fdatasync for all changes since the last one: 5 s at 2,000 a second are
120 KB. A torn batch at the end is cut when the journal is opened.
"""

import contextlib
import os
import struct
from enum import IntEnum
from pathlib import Path
from typing import Final, NamedTuple

import msgspec
import numpy as np
from numpy.typing import NDArray
from xxhash import xxh3_64_intdigest

from lichen.graph.errors import GraphUnavailable

MAGIC: Final = b"\xffLICHGRA"
_HEAD: Final = struct.Struct("<8sQIIqq8x")  # up to the position and the first new number
_COVERED: Final = 16

CHANGE: Final = np.dtype([("actor", "<u4"), ("target", "<u4"), ("kind", "<u4")])
Changes = NDArray[np.void]  # of CHANGE

assert _HEAD.size == 48 and CHANGE.itemsize == 12


class ChangeKind(IntEnum):
    """What happened between two actors."""

    FOLLOW = 0
    UNFOLLOW = 1
    BLOCK = 2
    UNBLOCK = 3


class Batch(NamedTuple):
    """Changes up to a position, and the names that came with them, from a number on."""

    position: int
    first_number: int
    names: list[str]
    changes: Changes


class Journal:
    """The changes after one base, durable; its methods block and raise OSError."""

    def __init__(self, path: Path) -> None:
        """Open a journal, or begin it; cut what a crash left. Raises GraphUnavailable."""
        self.path = path
        is_new = not path.exists()
        self._fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        content = memoryview(os.pread(self._fd, path.stat().st_size, 0))
        self.batches, self.size = _batches_in(content)
        if self.size < len(content):
            self._cut(content)
        if is_new:
            os.fsync(self._fd)
            _sync_folder(path.parent)

    def _cut(self, content: memoryview) -> None:
        """Cut a torn batch; nothing is whole behind one, or bytes in the middle are damaged."""
        at, rest = 0, bytes(content[self.size :])
        while (at := rest.find(MAGIC, at + 1)) >= 0:
            if _batches_in(memoryview(rest)[at:])[0]:
                os.close(self._fd)
                raise GraphUnavailable(f"Damaged at byte {self.size} of {self.path}: build the "
                                       "graph again from its source.")
        os.ftruncate(self._fd, self.size)

    def append(self, batch: Batch) -> None:
        """Make a batch durable: one write, one fdatasync. On failure it is cut off again."""
        content = _encoded(batch)
        try:
            _write(self._fd, content, self.size)
            os.fdatasync(self._fd)
        except OSError:
            # If this fails too, the next batch is written over the rest.
            with contextlib.suppress(OSError):
                os.ftruncate(self._fd, self.size)
            raise
        self.size += len(content)

    def close(self) -> None:
        """Close the file."""
        os.close(self._fd)


def load_batches(path: Path) -> list[Batch]:
    """Return the whole batches of a journal, beside who may be writing it; raises OSError."""
    return _batches_in(memoryview(path.read_bytes()))[0] if path.exists() else []


def journal_path(folder: Path, position: int) -> Path:
    """Return the path of the journal after the base of a position."""
    return folder / f"changes-{position:020d}.log"


def changes_of(actors: NDArray[np.uint32], targets: NDArray[np.uint32],
               kinds: "NDArray[np.uint32] | ChangeKind") -> Changes:
    """Return changes from columns of one length."""
    changes = np.empty(len(actors), CHANGE)
    changes["actor"], changes["target"], changes["kind"] = actors, targets, kinds
    return changes


def _encoded(batch: Batch) -> bytes:
    names = msgspec.json.encode(batch.names)
    names += b" " * (-len(names) % 8)
    head = _HEAD.pack(MAGIC, 0, len(names), len(batch.changes), batch.position,
                      batch.first_number)
    unsigned = b"".join((head, names, batch.changes.tobytes()))
    checksum = xxh3_64_intdigest(memoryview(unsigned)[_COVERED:])
    return unsigned[:8] + checksum.to_bytes(8, "little") + unsigned[_COVERED:]


def _batches_in(content: memoryview) -> tuple[list[Batch], int]:
    """Return the whole batches from the start, and where the last one ends."""
    batches, at = [], 0
    while at + _HEAD.size <= len(content):
        magic, checksum, names_bytes, count, position, first = _HEAD.unpack_from(content, at)
        names_end = at + _HEAD.size + names_bytes
        end = names_end + count * CHANGE.itemsize
        if (magic != MAGIC or end > len(content)
                or xxh3_64_intdigest(content[at + _COVERED : end]) != checksum):
            break
        names = msgspec.json.decode(content[at + _HEAD.size : names_end], type=list[str])
        changes = np.frombuffer(content[names_end:end], CHANGE)
        batches.append(Batch(position, first, names, changes))
        at = end
    return batches, at


def _write(fd: int, content: bytes, offset: int) -> None:
    rest = memoryview(content)
    while rest:
        written = os.pwrite(fd, rest, offset)
        rest, offset = rest[written:], offset + written


def _sync_folder(folder: Path) -> None:
    fd = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)
