"""A disk that fails at any call, and what stands in a folder whatever the form."""

import errno
import os
from pathlib import Path

import zstandard

from tests.log.faults import FaultyDisk
from tests.stream.histories import TwoDictionaries

ZSTD_MAGIC = b"\x28\xb5\x2f\xfd"


class FailingDisk(FaultyDisk):
    """Fails with EIO at the so-manieth change from now, and at so many behind it."""

    failing_in: int | None = None
    failing_count = 1

    def _change(self) -> None:
        super()._change()
        if self.failing_in is not None:
            self.failing_in -= 1
            if -self.failing_count <= self.failing_in < 0:
                raise OSError(errno.EIO, os.strerror(errno.EIO))

    def heal(self) -> None:
        """Fail no more."""
        self.failing_in, self.failing_count, self.room, self.cut_in = None, 1, None, None


def everything_in(folder: Path) -> bytes:
    """Return all bytes of a folder and all that can be unpacked from any place in them."""
    unpackers = [TwoDictionaries().decompressor(number) for number in TwoDictionaries.ids]
    found = []
    for path in folder.iterdir():
        content = path.read_bytes()
        found.append(content)
        at = content.find(ZSTD_MAGIC)
        while at >= 0:
            found += [_unpacked(one, content[at:]) for one in unpackers]
            at = content.find(ZSTD_MAGIC, at + 1)
    return b"\n".join(found)


def _unpacked(unpacker: zstandard.ZstdDecompressor, content: bytes) -> bytes:
    try:
        return unpacker.decompressobj().decompress(content)
    except zstandard.ZstdError:
        return b""
