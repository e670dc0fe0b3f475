"""What was erased, numbered, so that a standby can erase it too: sequences, never what they held.

    erasures.json    {"next_number": 3, "erasures": [[1, [17, 21]], [2, [40]]], "floor_seq": 1}

It is written before the segments are. What retention has passed is left out.
"""

from pathlib import Path
from typing import Final

import msgspec

from lichen.log import FileSystem, read_whole, temporary_path, write_new
from lichen.stream.damages import Damage, Damages

NAME: Final = "erasures.json"
# Numbers go on from here when they are lost: above all that a standby may have seen.
DAMAGED_NUMBER: Final = 1 << 40


class _File(msgspec.Struct):
    next_number: int = 1
    erasures: list[tuple[int, list[int]]] = []
    floor_seq: int = 1


class Erasures:
    """The erasures of one folder; its methods block on the disk and raise OSError."""

    def __init__(self, files: FileSystem, folder: Path, damages: Damages) -> None:
        self._files, self._path = files, folder / NAME
        self._file = _File()
        if NAME in files.names(folder):
            try:
                self._file = msgspec.json.decode(read_whole(files, self._path), type=_File)
            except msgspec.DecodeError:
                damages.note(Damage(NAME, "file", 0, -1))
                self._file = _File(DAMAGED_NUMBER)

    def add(self, seqs: list[int], *, first_seq: int) -> int:
        """Note an erasure durably, and forget those below `first_seq`; return its number."""
        number = self._file.next_number
        kept = [one for one in self._file.erasures if one[1][-1] >= first_seq]
        self._write(_File(number + 1, [*kept, (number, seqs)], self.floor_seq))
        return number

    @property
    def floor_seq(self) -> int:
        """Return the first sequence that retention has not passed: 1 until it removes something."""
        return self._file.floor_seq

    def note_floor(self, seq: int) -> None:
        """Note durably that what is below a sequence is to be forgotten."""
        self._write(msgspec.structs.replace(self._file, floor_seq=max(seq, self.floor_seq)))

    def _write(self, file: _File) -> None:
        temporary = temporary_path(self._path, "noted")
        write_new(self._files, temporary, [msgspec.json.encode(file)])
        self._files.rename(temporary, self._path)
        self._files.sync_folder(self._path.parent)
        self._file = file

    def after(self, number: int) -> list[tuple[int, list[int]]]:
        """Return the erasures with a greater number, oldest first."""
        return [one for one in self._file.erasures if one[0] > number]
