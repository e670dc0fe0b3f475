"""Copies of damaged bytes, kept aside for whoever wants to try and mend them by hand.

Each is a file in the folder `aside`, named for the sequences that stood in it: a header as a
segment has, with a magic of its own, then the bytes as they were found. Copies hold what people
wrote, so an erasure removes every copy that may hold an erased sequence, and retention those that
it passed.
"""

import re
from collections.abc import Callable
from pathlib import Path

from lichen.log.file_system import FileSystem, write_new
from lichen.log.format import ASIDE_MAGIC, SegmentHead, encode_segment_head

_NAME = re.compile(r"(\d{20})-(\d{20})@\d+\.damaged")


class Aside:
    """The folder of quarantined copies of one log."""

    def __init__(self, files: FileSystem, folder: Path) -> None:
        self._files = files
        self._folder = folder / "aside"

    def keep(self, content: bytes, *, first_seq: int, last_seq: int, now_us: int) -> Path:
        """Keep a copy, durably; return its path."""
        self._files.make_folder(self._folder)
        path = self._folder / f"{first_seq:020d}-{last_seq:020d}@{now_us}.damaged"
        head = SegmentHead(first_seq, first_seq - 1, 0, now_us)
        write_new(self._files, path, [encode_segment_head(head, magic=ASIDE_MAGIC), content])
        self._files.sync_folder(self._folder)
        return path

    def remove_if(self, is_unwanted: Callable[[int, int], bool]) -> None:
        """Remove the copies whose first and last sequence the caller does not want kept."""
        unwanted = [
            match[0] for name in self._files.names(self._folder)
            if (match := _NAME.fullmatch(name)) and is_unwanted(int(match[1]), int(match[2]))
        ]
        for name in unwanted:
            self._files.remove(self._folder / name)
        if unwanted:
            self._files.sync_folder(self._folder)
