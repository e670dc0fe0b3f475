"""Blobs: bytes kept under the SHA-256 of what they are, on the house's own disk.

    pictures/ab/cd/abcd…   two levels of 256 folders, so that none grows beyond some thousand files
    pictures/tmp/…         what is being written

A blob is written under a temporary name, synced, renamed, and its folder synced: `keep` returns
once it survives a power cut (law 1). The same bytes are kept once. Nothing here knows what a blob
is or who refers to it. `buckets.py` keeps the same promises on S3.
"""

import asyncio
import os
from contextlib import suppress
from hashlib import sha256
from itertools import count
from pathlib import Path
from typing import Protocol

from lichen.kit import Unavailable

_NAME_LENGTH = 64  # of a SHA-256 in hex
FULL_RETRY_S = 60.0  # a full disk is not emptied within seconds


class Blobs(Protocol):
    """Keeps bytes under their SHA-256 in hex; raises Unavailable where the place is away."""

    async def keep(self, content: bytes) -> str:
        """Keep bytes durably and return their name; twice is once."""

    async def fetch(self, name: str) -> bytes | None:
        """Return a blob, None where there is none."""

    async def drop(self, name: str) -> None:
        """Remove a blob; one that is gone is gone."""

    async def close(self) -> None:
        """Let go of what is held."""


def name_of(content: bytes) -> str:
    """Return the name that bytes are kept under."""
    return sha256(content).hexdigest()


class DiskBlobs:
    """Blobs in a folder; each call does its work in a thread."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._numbers = count()
        unfinished = folder / "tmp"
        unfinished.mkdir(mode=0o700, parents=True, exist_ok=True)
        for path in unfinished.iterdir():  # of a house that was killed while writing
            path.unlink(missing_ok=True)

    async def keep(self, content: bytes) -> str:
        """Keep bytes durably and return their name; two syncs."""
        return await asyncio.to_thread(self._keep, content)

    async def fetch(self, name: str) -> bytes | None:
        """Return a blob, None where there is none."""
        return await asyncio.to_thread(self._fetch, name)

    async def drop(self, name: str) -> None:
        """Remove a blob, and make that durable."""
        await asyncio.to_thread(self._drop, name)

    async def close(self) -> None:
        """Do nothing; nothing is held."""

    def path_of(self, name: str) -> Path:
        """Return where a blob lies."""
        assert len(name) == _NAME_LENGTH, name
        assert name.isalnum(), name
        return self._folder / name[:2] / name[2:4] / name

    def _keep(self, content: bytes) -> str:
        name = name_of(content)
        path = self.path_of(name)
        if path.exists():
            return name
        unfinished = self._folder / "tmp" / f"{name}.{next(self._numbers)}"
        try:
            self._make_folder(path.parent)
            with unfinished.open("xb") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
            unfinished.rename(path)
            _sync_folder(path.parent)
        except OSError as error:
            with suppress(OSError):
                unfinished.unlink(missing_ok=True)
            raise Unavailable(
                f"The disk does not take the picture ({error.strerror}).",
                retry_after_s=FULL_RETRY_S,
            ) from error
        return name

    def _make_folder(self, folder: Path) -> None:
        """Make both levels and sync what names them: a synced file in a lost folder is lost."""
        if folder.is_dir():
            return
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        _sync_folder(folder.parent)
        _sync_folder(self._folder)

    def _fetch(self, name: str) -> bytes | None:
        try:
            return self.path_of(name).read_bytes()
        except FileNotFoundError:
            return None
        except OSError as error:
            raise Unavailable(f"The picture cannot be read ({error.strerror}).") from error

    def _drop(self, name: str) -> None:
        path = self.path_of(name)
        try:
            path.unlink()
        except FileNotFoundError:
            return
        except OSError as error:
            raise Unavailable(f"The picture cannot be removed ({error.strerror}).") from error
        _sync_folder(path.parent)


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
