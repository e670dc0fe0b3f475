"""The few calls by which the log touches a disk, so that tests can hand in a failing one.

A path is opened, read or written at an offset, synced and closed. A name becomes durable with
`sync_folder`. Every method may raise OSError.
"""

import errno
import os
from collections.abc import Iterable, Sequence
from pathlib import Path

Part = bytes | memoryview

_PARTS_MAX = 512  # Linux takes 1,024 in one call (IOV_MAX)


class FileSystem:
    """The real disk."""

    def names(self, folder: Path) -> list[str]:
        """Return the names in a folder, sorted; none when it does not exist."""
        return sorted(path.name for path in folder.iterdir()) if folder.is_dir() else []

    def make_folder(self, folder: Path) -> None:
        """Create a folder with its parents, durably."""
        if folder.is_dir():
            return
        self.make_folder(folder.parent)
        folder.mkdir(exist_ok=True)
        self.sync_folder(folder.parent)

    def open(self, path: Path, *, create: bool = False) -> int:
        """Open a file to read and write, or create it empty; return its descriptor."""
        fresh = os.O_CREAT | os.O_TRUNC if create else 0
        return os.open(path, os.O_RDWR | os.O_CLOEXEC | fresh, 0o600)

    def open_to_read(self, path: Path) -> int:
        """Open a file to read; return its descriptor."""
        return os.open(path, os.O_RDONLY | os.O_CLOEXEC)

    def size(self, path: Path) -> int:
        """Return a file's size in bytes."""
        return path.stat().st_size

    def read_at(self, fd: int, count: int, offset: int) -> bytes:
        """Return up to `count` bytes at an offset."""
        return os.pread(fd, count, offset)

    def write_at(self, fd: int, parts: Sequence[Part], offset: int) -> int:
        """Write the parts at an offset, one after the other; return how many bytes were taken."""
        return os.pwritev(fd, parts, offset)

    def truncate(self, fd: int, size: int) -> None:
        """Cut a file to `size` bytes."""
        os.ftruncate(fd, size)

    def sync(self, fd: int) -> None:
        """Make a file's content and size durable."""
        os.fdatasync(fd)

    def close(self, fd: int) -> None:
        """Close a descriptor."""
        os.close(fd)

    def rename(self, source: Path, target: Path) -> None:
        """Give a file another name, replacing what had it."""
        source.replace(target)

    def remove(self, path: Path) -> None:
        """Remove a file, if it is there."""
        path.unlink(missing_ok=True)

    def sync_folder(self, folder: Path) -> None:
        """Make the names in a folder durable."""
        fd = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            os.fsync(fd)
        finally:
            os.close(fd)


def write_whole(files: FileSystem, fd: int, parts: Iterable[Part], offset: int) -> int:
    """Write all parts at an offset, however short the single writes are; return where they end.

    Large parts are not joined first: fresh memory for the copy costs more than the disk's write.
    """
    rest = [memoryview(part) for part in parts if len(part)]
    while rest:
        written = files.write_at(fd, rest[:_PARTS_MAX], offset)
        # POSIX write(): 0 is only for 0 bytes; a disk that takes nothing would loop here for ever.
        if written <= 0:
            raise OSError(errno.EIO, "the disk took no bytes")
        offset += written
        while rest and written >= len(rest[0]):
            written -= len(rest.pop(0))
        if written:
            rest[0] = rest[0][written:]
    return offset


def read_whole(files: FileSystem, path: Path) -> bytes:
    """Return a whole file."""
    fd = files.open_to_read(path)
    try:
        parts = []
        offset = 0
        while part := files.read_at(fd, 1 << 30, offset):
            parts.append(part)
            offset += len(part)
        return b"".join(parts)
    finally:
        files.close(fd)


def write_new(files: FileSystem, path: Path, parts: Iterable[Part]) -> None:
    """Write a file under `path` and sync it; on failure nothing of it stays."""
    fd = files.open(path, create=True)
    try:
        write_whole(files, fd, parts, 0)
        files.sync(fd)
    except OSError:
        files.remove(path)
        raise
    finally:
        files.close(fd)
