"""A disk that can fill up, fail, and lose its power: a file system over the real one."""

import errno
import os
import random
import threading
from collections.abc import Callable, Sequence
from pathlib import Path

from lichen.log.file_system import FileSystem, Part


class PowerCut(BaseException):
    """The power went at this operation; no code may catch it."""


class FaultyDisk(FileSystem):
    """Counts syncs; fails on demand; forgets at a power cut what was not synced.

    `room`: how many more bytes fit. `failing_syncs`: how many of the next syncs end in EIO.
    `failing_reads`: the same for reads. `cut_in`: the power goes at the so-manieth change from now.
    """

    def __init__(self, attic: Path, seed: int = 0) -> None:
        self.attic = attic
        self.random = random.Random(seed)
        self.room: int | None = None
        self.failing_syncs = self.failing_reads = self.failing_truncates = self.syncs = 0
        self.cut_in: int | None = None
        self.chunk_bytes: int | None = None
        self.may_sync = threading.Event()
        self.may_sync.set()
        self._is_off = False
        self._paths: dict[int, Path] = {}
        self._durable: dict[Path, int] = {}
        self._undo: list[Callable[[], None]] = []
        self._kept = 0

    def open(self, path: Path, *, create: bool = False) -> int:
        self._change()
        if create:
            self._undo.append(lambda: path.unlink(missing_ok=True))
            self._durable[path] = 0
        fd = super().open(path, create=create)
        self._paths[fd] = path
        self._durable.setdefault(path, path.stat().st_size)
        return fd

    def read_at(self, fd: int, count: int, offset: int) -> bytes:
        if self.failing_reads:
            self.failing_reads -= 1
            raise OSError(errno.EIO, os.strerror(errno.EIO))
        return super().read_at(fd, count, offset)

    def write_at(self, fd: int, parts: Sequence[Part], offset: int) -> int:
        content = b"".join(parts)
        if self.cut_in == 0:
            super().write_at(fd, [content[: self.random.randrange(len(content) + 1)]], offset)
        self._change()
        if self.chunk_bytes is not None:
            content = content[: self.chunk_bytes]
        if self.room is not None:
            content = content[: self.room]
            self.room -= len(content)
            if not content:
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        return super().write_at(fd, [content], offset)

    def truncate(self, fd: int, size: int) -> None:
        self._change()
        if self.failing_truncates:
            self.failing_truncates -= 1
            raise OSError(errno.EIO, os.strerror(errno.EIO))
        super().truncate(fd, size)
        path = self._paths[fd]
        self._durable[path] = min(self._durable[path], size)

    def sync(self, fd: int) -> None:
        self.may_sync.wait()
        self._change()
        if self.failing_syncs:
            self.failing_syncs -= 1
            raise OSError(errno.EIO, os.strerror(errno.EIO))
        super().sync(fd)
        self.syncs += 1
        self._durable[self._paths[fd]] = os.fstat(fd).st_size

    def close(self, fd: int) -> None:
        self._paths.pop(fd, None)
        super().close(fd)

    def rename(self, source: Path, target: Path) -> None:
        self._change()
        kept = self._keep(target)
        super().rename(source, target)
        self._durable[target] = self._durable.pop(source, 0)
        for fd, path in self._paths.items():
            if path == source:
                self._paths[fd] = target

        def undo() -> None:
            target.rename(source)
            self._durable[source] = self._durable.pop(target, 0)
            if kept is not None:
                kept.rename(target)
                self._durable[target] = target.stat().st_size

        self._undo.append(undo)

    def remove(self, path: Path) -> None:
        self._change()
        kept = self._keep(path)
        super().remove(path)
        if kept is not None:
            self._undo.append(lambda: (kept.rename(path), None)[1])

    def sync_folder(self, folder: Path) -> None:
        self._change()
        super().sync_folder(folder)
        self._undo.clear()

    def cut_power(self) -> None:
        """Forget some of what was not synced: names in reverse order, ends of files."""
        for _ in range(self.random.randrange(len(self._undo) + 1)):
            self._undo.pop()()
        for path, durable in self._durable.items():
            if path.exists() and (size := path.stat().st_size) > durable:
                with path.open("r+b") as file:
                    # Pages are written back in any order: some lengthen the file and stay empty.
                    hole = self.random.randrange(durable, size)
                    if self.random.random() < 0.3:
                        file.seek(hole)
                        file.write(bytes(min(512, size - hole)))
                    file.truncate(self.random.randint(durable, size))

    def forget_attic(self) -> None:
        """Throw away what was kept to undo operations."""
        for path in self.attic.iterdir():
            path.unlink()

    def _change(self) -> None:
        if self._is_off:
            raise PowerCut
        if self.cut_in is not None:
            self.cut_in -= 1
            if self.cut_in < 0:
                self._is_off = True
                raise PowerCut

    def _keep(self, path: Path) -> Path | None:
        if not path.exists():
            return None
        self._kept += 1
        kept = self.attic / f"{self._kept}"
        os.link(path, kept)
        return kept
