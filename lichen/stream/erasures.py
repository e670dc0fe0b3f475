"""What was erased, numbered, so that a standby can erase it too: sequences, never what they held.

    erasures.json    {"next_number": 3, "erasures": [[1, [17, 21]], [2, [40]]]}

It is written before the segments are. What retention has passed is left out.
"""

from pathlib import Path
from typing import Final

import msgspec

from lichen.log import FileSystem, read_whole, temporary_path, write_new

NAME: Final = "erasures.json"


class _File(msgspec.Struct):
    next_number: int = 1
    erasures: list[tuple[int, list[int]]] = []


class Erasures:
    """The erasures of one folder; its methods block on the disk and raise OSError."""

    def __init__(self, files: FileSystem, folder: Path) -> None:
        self._files, self._path = files, folder / NAME
        self._file = _File()
        if NAME in files.names(folder):
            self._file = msgspec.json.decode(read_whole(files, self._path), type=_File)

    def add(self, seqs: list[int], *, first_seq: int) -> int:
        """Note an erasure durably, and forget those below `first_seq`; return its number."""
        number = self._file.next_number
        kept = [one for one in self._file.erasures if one[1][-1] >= first_seq]
        file = _File(number + 1, [*kept, (number, seqs)])
        temporary = temporary_path(self._path, "noted")
        write_new(self._files, temporary, [msgspec.json.encode(file)])
        self._files.rename(temporary, self._path)
        self._files.sync_folder(self._path.parent)
        self._file = file
        return number

    def after(self, number: int) -> list[tuple[int, list[int]]]:
        """Return the erasures with a greater number, oldest first."""
        return [one for one in self._file.erasures if one[0] > number]
