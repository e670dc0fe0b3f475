"""The archive: a zip file written from front to back, one entry after the other.

Nothing is held but the entry that is being written, so memory does not grow with its size. Blocks
on the disk: called from threads.
"""

import zipfile
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path
from typing import IO

import msgspec

from lichen.export.limits import COPY_BYTES

_ENCODER = msgspec.json.Encoder()


class Archive:
    """A zip file that grows; `made_us` is the time its entries bear."""

    def __init__(self, path: Path, *, made_us: int) -> None:
        moment = datetime.fromtimestamp(made_us / 1_000_000, UTC)
        self._date = moment.timetuple()[:6]
        self._zip = zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED)
        self._entry: IO[bytes] | None = None

    def begin(self, name: str) -> None:
        """Begin an entry; the one before is ended."""
        self.end()
        info = zipfile.ZipInfo(name, self._date)
        info.compress_type = zipfile.ZIP_DEFLATED
        # APPNOTE.TXT §4.3.9: sizes come after the data, because they are not known before.
        self._entry = self._zip.open(info, "w", force_zip64=True)

    def write(self, content: bytes) -> None:
        """Write on in the entry that was begun."""
        assert self._entry is not None, "an entry was begun"
        self._entry.write(content)

    def end(self) -> None:
        """End the entry that was begun, if any."""
        if self._entry is not None:
            self._entry.close()
            self._entry = None

    def close(self) -> None:
        """End the entry and write the directory; without it there is no archive."""
        self.end()
        self._zip.close()

    def add_json(self, name: str, content: object) -> None:
        """Write one object as an entry of its own, for people to read too."""
        self.begin(name)
        self.write(msgspec.json.format(_ENCODER.encode(content), indent=2) + b"\n")

    def add_file(self, name: str, path: Path) -> None:
        """Copy a file into an entry of its own."""
        self.begin(name)
        with path.open("rb") as file:
            while content := file.read(COPY_BYTES):
                self.write(content)


class JsonList:
    """A list of JSON objects in one entry, written as they come, one a line."""

    def __init__(self, archive: Archive, name: str) -> None:
        self._archive = archive
        self._count = 0
        archive.begin(name)
        archive.write(b"[")

    def extend(self, items: Iterable[object]) -> None:
        """Write on."""
        for item in items:
            self._archive.write((b",\n" if self._count else b"\n") + _ENCODER.encode(item))
            self._count += 1

    def end(self) -> None:
        """End the list and its entry."""
        self._archive.write(b"\n]\n")
        self._archive.end()
