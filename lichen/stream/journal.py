"""The journal: where an append becomes durable, before its block is sealed.

    journal-00000000000000033001-0000.stream     head │ state │ record │ record │ …

One write and one fdatasync for each append. It begins with a record without events, which says how
far sequence, time and position had come. A sealed block begins the journal anew: what it held
stands in a segment then, and the old file is removed. After a failed write or sync the file is
given up and the next one says up to which sequence it counts (Rebello et al., USENIX ATC 2020:
after a failed fsync the kernel may report the next one as fine).
"""

import contextlib
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Final, NamedTuple

from lichen.kit.crash_points import crash_point
from lichen.log import FileSystem, read_whole, temporary_path, write_new, write_whole
from lichen.stream.damages import Damage, Damages
from lichen.stream.layout import (
    FILE_HEAD_BYTES,
    JOURNAL_MAGIC,
    RECORD_MAGIC,
    FileHead,
    Record,
    RecordHead,
    decode_file_head,
    decode_record_head,
    encode_file_head,
    encode_record,
    is_whole,
)

_NAME: Final = re.compile(r"journal-(\d{20})-(\d{4,})\.stream")


class Loaded(NamedTuple):
    """What counts in the journals, in order.

    The first journal begins after `sealed_seq`: what came before was sealed; None when there is no
    journal, then nothing was being sealed. The last one begins after `last_seq`.
    """

    records: list[tuple[RecordHead, memoryview]]
    sealed_seq: int | None
    last_seq: int


class Journal:
    """One journal file, open to append."""

    def __init__(self, files: FileSystem, path: Path, head: FileHead, state: Record) -> None:
        """Begin a journal with a record without events, durably; raises OSError."""
        self.path = path
        self._files = files
        temporary = temporary_path(path, "begun")
        parts = [encode_file_head(head, magic=JOURNAL_MAGIC), *encode_record(state)]
        write_new(files, temporary, parts)
        files.rename(temporary, path)
        files.sync_folder(path.parent)
        self._fd = files.open(path)
        self.size = sum(map(len, parts))

    def append(self, record: Record) -> None:
        """Write a record and sync; on failure the file is cut back. Raises OSError."""
        crash_point("stream.before_write")
        try:
            end = write_whole(self._files, self._fd, encode_record(record), self.size)
            crash_point("stream.after_write")
            self._files.sync(self._fd)
        except OSError:
            # Should this fail as well, the next journal says what counts in this one.
            with contextlib.suppress(OSError):
                self._files.truncate(self._fd, self.size)
            raise
        self.size = end
        crash_point("stream.after_sync")

    def close(self) -> None:
        """Close the file."""
        self._files.close(self._fd)


def journal_path(folder: Path, first_seq: int, old: list[Path]) -> Path:
    """Return the path of a new journal, which sorts behind the old ones that begin there too."""
    numbers = [number for seq, number in map(order_of, old) if seq == first_seq]
    return folder / f"journal-{first_seq:020d}-{max(numbers, default=-1) + 1:04d}.stream"


def journals_in(files: FileSystem, folder: Path) -> list[Path]:
    """Return the journals of a folder, oldest first."""
    return sorted((folder / name for name in files.names(folder) if _NAME.fullmatch(name)),
                  key=order_of)


def load_journals(files: FileSystem, paths: list[Path], damages: Damages) -> Loaded:
    """Return what counts in the journals; raises StreamTooNew, OSError."""
    found: list[tuple[RecordHead, memoryview]] = []
    sealed_seq: int | None = None
    last_seq = 0
    for path in paths:
        content = memoryview(read_whole(files, path))
        head = decode_file_head(bytes(content[:FILE_HEAD_BYTES]), magic=JOURNAL_MAGIC,
                                file=path.name)
        if head is None:
            # Its records have checksums of their own, and its name says where it begins.
            first_seq = order_of(path)[0]
            damages.note(Damage(path.name, "file", first_seq, first_seq - 1))
            head = FileHead(first_seq, first_seq - 1, 0)
        if sealed_seq is None:
            sealed_seq = head.previous_seq
        last_seq = head.previous_seq
        while found and found[-1][0].last_seq > head.previous_seq:
            found.pop()
        found += _salvaged(content[FILE_HEAD_BYTES:], path.name, damages)
    return Loaded(found, sealed_seq, last_seq)


def _salvaged(content: memoryview, file: str,
              damages: Damages) -> Iterator[tuple[RecordHead, memoryview]]:
    """Iterate over the whole records; one that is not, with others behind it, is damaged."""
    magic = bytes(content)
    at, last_seq, bad = 0, 0, False
    while at >= 0:
        head = decode_record_head(content[at:])
        if head is not None and is_whole(head, content[at:]):
            if bad:
                damages.note(Damage(file, "record", last_seq + 1, head.first_seq - 1))
            yield head, content[at : at + head.size]
            at, last_seq, bad = at + head.size, head.last_seq, False
        else:
            # A torn end has nothing behind it.
            at, bad = magic.find(RECORD_MAGIC, at + 1), True


def order_of(path: Path) -> tuple[int, int]:
    """Return the sequence that a journal begins with, and its number among those of that one."""
    found = _NAME.fullmatch(path.name)
    assert found is not None
    return int(found[1]), int(found[2])
