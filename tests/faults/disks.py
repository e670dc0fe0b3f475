"""Disks that run out: a file system of a few megabytes, or one that takes nothing for a while.

The first needs the right to mount. Where that is missing, a limit on file sizes takes its place:
the kernel then refuses every write of the server, as a failing disk does.
"""

import os
import resource
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Protocol

from tests.faults.serving import Serving

BYTES = 12 << 20  # an empty house, and some hundred writes
CHUNK_BYTES = 1 << 16


class Disk(Protocol):
    """A disk that can be made to take nothing."""

    def fill(self, serving: Serving) -> None:
        """Take all room away."""

    def free(self, serving: Serving) -> None:
        """Give the room back."""


class SmallDisk:
    """A small file system, filled up by a file."""

    def __init__(self, folder: Path) -> None:
        self._ballast = folder / "ballast"

    def fill(self, serving: Serving) -> None:
        """Write until nothing more fits."""
        for size in (CHUNK_BYTES, 1):  # what is left of the last page, too
            with suppress(OSError), self._ballast.open("ab", buffering=0) as ballast:
                while ballast.write(bytes(size)) == size:
                    pass

    def free(self, serving: Serving) -> None:
        """Remove the file."""
        self._ballast.unlink()


class FailingDisk:
    """A limit of nothing on the size of the worker's files: its writes fail, its reads go on."""

    def fill(self, serving: Serving) -> None:
        """Refuse every write from now on."""
        self._limit(serving, 0)

    def free(self, serving: Serving) -> None:
        """Take writes again."""
        self._limit(serving, resource.RLIM_INFINITY)

    def _limit(self, serving: Serving, size: int) -> None:
        worker = serving.worker_pid
        assert worker is not None
        # setrlimit(2): beyond it, write(2) fails with EFBIG; Python ignores SIGXFSZ.
        resource.prlimit(worker, resource.RLIMIT_FSIZE, (size, resource.RLIM_INFINITY))


@contextmanager
def small_disk(folder: Path) -> Iterator[Disk]:
    """Yield a disk of a few megabytes at a folder, or a failing one where nobody may mount."""
    folder.mkdir(parents=True)
    if os.geteuid() != 0 or subprocess.run(
        ["mount", "-t", "tmpfs", "-o", f"size={BYTES}", "lichen-test", str(folder)], check=False
    ).returncode:
        yield FailingDisk()
        return
    try:
        yield SmallDisk(folder)
    finally:
        subprocess.run(["umount", "--lazy", str(folder)], check=True)
