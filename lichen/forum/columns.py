"""Column files: a few bytes of every post, mapped into memory, for ranking and filtering.

A list of posts looks at every post of the site, at 48 bytes each; as rows that would take a second,
as columns a millisecond. A file is a header of one page, then chunks of 16,384 rows; inside a chunk
every column lies in one piece, so numpy walks memory in order. The row's number is the post's id.

    0        magic, version, layout, checkpoint, changes              4,096 bytes
    4096     chunk 0:  published_us × 16384 │ newest_comment_us × 16384 │ … │ flags × 16384
             chunk 1:  …

The file grows by whole chunks at its end. Rows that were never written are all zero, which says
that there is no such post. Values are the absolute state, written in place, so that writing them
twice changes nothing; the checkpoint is advanced only after everything before it is on the disk.
After a crash the values may be newer than the checkpoint, and the events in between come again.

One process writes; others map the same file read-only and see `changes` move.
(Layout by column within a block: Ailamaki, DeWitt, Hill, Skounakis 2001, "PAX".)
"""

import mmap
import os
import zlib
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from enum import IntFlag
from pathlib import Path
from threading import Lock
from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from lichen.kit import Unavailable
from lichen.kit.crash_points import crash_point

CHUNK_BITS: Final = 14
CHUNK_ROWS: Final = 1 << CHUNK_BITS
ROWS_MAX = 1 << 28  # posts or actors; the file would have 13 GB
RECENT_CHANGES_MAX = 8_192  # remembered one by one; who is further behind reads everything again
POST_BYTES_MAX = 64  # per post, promised to whoever sizes a machine

_MAGIC = b"LICHCOLS"
_VERSION = 1
_HEADER_BYTES = 4_096
_HEADER: Final = np.dtype([
    ("magic", "S8"), ("version", "<u4"), ("layout", "<u4"), ("checkpoint", "<i8"),
    ("changes", "<u8"),
])

Array = NDArray[Any]
Layout = Sequence[tuple[str, str]]

POSTS: Final[Layout] = (
    ("published_us", "<i8"),
    ("newest_comment_us", "<i8"),
    ("active_us", "<i8"),
    ("up", "<i4"),
    ("down", "<i4"),
    ("comments", "<i4"),
    ("community", "<u4"),
    ("creator", "<u4"),
    ("language", "<u2"),
    ("flags", "<u2"),
)
ACTORS: Final[Layout] = (("instance", "<u4"), ("flags", "<u2"))


class PostFlag(IntFlag):
    """What is true of a post; GONE: deleted by its author, removed or held."""

    EXISTS = 1
    GONE = 2
    NSFW = 4
    FEATURED_COMMUNITY = 8
    FEATURED_LOCAL = 16


class ActorFlag(IntFlag):
    """What is true of a community or a person; GONE and those after it are of communities."""

    EXISTS = 1
    BOT = 2
    LOCAL = 4
    GONE = 8
    HIDDEN = 16
    NSFW = 32


class FormatDiffers(Exception):
    """There is no file, or it is not of this format: it must be built from rows."""


class View(NamedTuple):
    """The columns as they were mapped at one moment: values move on, the size does not."""

    columns: Mapping[str, Array]
    rows: int

    def take(self, name: str, ids: Array) -> Array:
        """Return a column's values at the ids, each less than `rows`."""
        if len(ids) > self.rows // 8:
            return self.whole(name)[ids]
        values: Array = self.columns[name][ids >> CHUNK_BITS, ids & (CHUNK_ROWS - 1)]
        return values

    def whole(self, name: str) -> Array:
        """Return a column's values for all rows, in the order of the ids; a copy."""
        return self.columns[name].reshape(-1)


class ColumnFile:
    """Columns of one layout in one file.

    Opening raises FormatDiffers. Written by one process, one thread at a time; read by all.
    """

    def __init__(self, path: Path, layout: Layout, *, writable: bool) -> None:
        self.path = path
        self._layout = layout
        self._writable = writable
        self._lock = Lock()
        self._recent: deque[int] = deque(maxlen=RECENT_CHANGES_MAX)
        try:
            self._file = path.open("r+b" if writable else "rb")
        except FileNotFoundError:
            raise FormatDiffers(f"{path.name} is missing") from None
        self._map()
        self._check()
        if writable:
            self._reserve(self._size)  # a copy of the file may have holes

    @classmethod
    def create(cls, path: Path, layout: Layout) -> "ColumnFile":
        """Put an empty file in the place of whatever is there, and open it."""
        header = np.zeros((), _HEADER)
        header["magic"], header["version"], header["layout"] = _MAGIC, _VERSION, _mark(layout)
        temporary = path.with_suffix(".new")
        with _failures():
            path.parent.mkdir(parents=True, exist_ok=True)
            path.unlink(missing_ok=True)  # first: on a full disk its room is all there is
            with temporary.open("wb") as file:
                file.write(header.tobytes())
                os.posix_fallocate(file.fileno(), 0, _HEADER_BYTES + _chunk_bytes(layout))
        crash_point("columns.before_swap")
        temporary.replace(path)
        return cls(path, layout, writable=True)

    @property
    def checkpoint(self) -> int:
        """The sequence up to which the file holds what happened, whatever crash comes."""
        return int(self._header["checkpoint"])

    @property
    def changes(self) -> int:
        """How many rows were written since the file was created; it only grows."""
        return int(self._header["changes"])

    def view(self) -> View:
        """Return the columns as they are mapped now; other processes' growth is noticed here."""
        if not self._writable and os.fstat(self._file.fileno()).st_size > self._size:
            self._map()
        return self._view

    def changed_since(self, changes: int) -> tuple[list[int] | None, int]:
        """Return the rows written since `changes` was that number, and the number now.

        The rows are None where they are not remembered; then any row may have changed.
        """
        with self._lock:
            now = self.changes
            count = now - changes
            if not 0 <= count <= len(self._recent):
                return None, now
            return [self._recent[-place] for place in range(count, 0, -1)], now

    def write(self, row: int, values: Mapping[str, int]) -> None:
        """Write some columns of one row; about 2 µs."""
        self.grow(row + 1)
        chunk, place = row >> CHUNK_BITS, row & (CHUNK_ROWS - 1)
        for name, value in values.items():
            self._view.columns[name][chunk, place] = value
        self._note([row])

    def write_rows(self, rows: Sequence[int], columns: Mapping[str, Sequence[int]]) -> None:
        """Write some columns of many rows, at least one."""
        ids = np.array(rows, np.int64)
        self.grow(int(ids.max()) + 1)
        for name, values in columns.items():
            target = self._view.columns[name]
            target[ids >> CHUNK_BITS, ids & (CHUNK_ROWS - 1)] = np.array(values, target.dtype)
        self._note(rows)

    def value(self, row: int, name: str) -> int:
        """Return one value, 0 where the row was never written."""
        if row >= self._view.rows:
            return 0
        return int(self._view.columns[name][row >> CHUNK_BITS, row & (CHUNK_ROWS - 1)])

    def grow(self, rows: int) -> None:
        """Make room for so many rows, by whole chunks."""
        assert self._writable
        assert rows <= ROWS_MAX, rows
        if rows <= self._view.rows:
            return
        chunks = -(-rows // CHUNK_ROWS)
        self._reserve(_HEADER_BYTES + chunks * _chunk_bytes(self._layout))
        self._map()

    def flush(self, checkpoint: int) -> None:
        """Bring everything to the disk, then the checkpoint; waits for the disk twice."""
        with _failures():
            self._mapped.flush()
            os.fsync(self._file.fileno())  # the file's length, where it has grown
            crash_point("columns.before_checkpoint")
            self._header["checkpoint"] = checkpoint
            self._mapped.flush(0, _HEADER_BYTES)

    def close(self) -> None:
        """Close the file; arrays taken from it stay valid."""
        self._file.close()

    def _reserve(self, size: int) -> None:
        """Lengthen the file to `size` bytes that the disk really has; raises Unavailable."""
        # mmap(2), SIGBUS: writing to a mapped page without a place on a full disk is our death.
        with _failures():
            os.posix_fallocate(self._file.fileno(), 0, size)

    def _note(self, rows: Sequence[int]) -> None:
        with self._lock:
            self._recent.extend(rows)
            self._header["changes"] += len(rows)

    def _map(self) -> None:
        """Map the file at its present size; what was mapped before lives while arrays use it."""
        size = os.fstat(self._file.fileno()).st_size
        if size < _HEADER_BYTES + _chunk_bytes(self._layout):
            raise FormatDiffers(f"{self.path.name} is cut short")
        access = mmap.ACCESS_WRITE if self._writable else mmap.ACCESS_READ
        mapped = mmap.mmap(self._file.fileno(), size, access=access)
        chunk_bytes = _chunk_bytes(self._layout)
        chunks = (size - _HEADER_BYTES) // chunk_bytes
        columns: dict[str, Array] = {}
        offset = _HEADER_BYTES
        for name, kind in self._layout:
            dtype = np.dtype(kind)
            columns[name] = np.ndarray(
                (chunks, CHUNK_ROWS), dtype, buffer=mapped, offset=offset,
                strides=(chunk_bytes, dtype.itemsize),
            )
            offset += dtype.itemsize * CHUNK_ROWS
        self._header: Array = np.ndarray((), _HEADER, buffer=mapped)
        self._mapped = mapped
        self._size = size
        self._view = View(columns, chunks * CHUNK_ROWS)

    def _check(self) -> None:
        header = self._header
        if bytes(header["magic"]) != _MAGIC or header["version"] != _VERSION:
            raise FormatDiffers(f"{self.path.name} has another format")
        if header["layout"] != _mark(self._layout):
            raise FormatDiffers(f"{self.path.name} has other columns")


@contextmanager
def _failures() -> Iterator[None]:
    """Say of a disk's failure that it is the world's."""
    try:
        yield
    except OSError as error:
        raise Unavailable(
            f"The rank columns cannot be written: {error.strerror}. Free space or mend the disk."
        ) from error


def _chunk_bytes(layout: Layout) -> int:
    return sum(np.dtype(kind).itemsize for _, kind in layout) * CHUNK_ROWS


def _mark(layout: Layout) -> int:
    return zlib.crc32(repr((CHUNK_BITS, tuple(layout))).encode())
