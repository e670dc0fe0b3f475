"""The journal: where an append becomes durable, before its block is sealed.

    journal-00000000000000033001-0000.stream     head │ record │ record │ …

One write and one fdatasync for each append. A sealed block empties it: what it held stands in a
segment then, and the file is removed. After a failed write or sync the file is given up and the
next one says up to which sequence it counts (Rebello et al., USENIX ATC 2020: after a failed fsync
the kernel may report the next one as fine).
"""

import contextlib
import re
from pathlib import Path
from typing import Final

from lichen.kit.crash_points import crash_point
from lichen.log import FileSystem, read_whole, temporary_path, write_new, write_whole
from lichen.stream.layout import (
    FILE_HEAD_BYTES,
    JOURNAL_MAGIC,
    FileHead,
    Record,
    RecordHead,
    decode_file_head,
    encode_file_head,
    encode_record,
    records_in,
)

_NAME: Final = re.compile(r"journal-(\d{20})-(\d{4})\.stream")


class Journal:
    """One journal file, open to append."""

    def __init__(self, files: FileSystem, path: Path, head: FileHead) -> None:
        """Begin a journal, durably; raises OSError."""
        self.path = path
        self._files = files
        temporary = temporary_path(path, "begun")
        write_new(files, temporary, [encode_file_head(head, magic=JOURNAL_MAGIC)])
        files.rename(temporary, path)
        files.sync_folder(path.parent)
        self._fd = files.open(path)
        self.size = FILE_HEAD_BYTES

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


def journal_path(folder: Path, first_seq: int, number: int) -> Path:
    """Return the path of a journal that begins with a sequence."""
    return folder / f"journal-{first_seq:020d}-{number:04d}.stream"


def journals_in(files: FileSystem, folder: Path) -> list[Path]:
    """Return the journals of a folder, oldest first."""
    return [folder / name for name in files.names(folder) if _NAME.fullmatch(name)]


def load_journals(files: FileSystem, paths: list[Path]) -> list[tuple[RecordHead, memoryview]]:
    """Return the records that count in the journals, in order; raises StreamTooNew, OSError."""
    found: list[tuple[RecordHead, memoryview]] = []
    for path in paths:
        content = memoryview(read_whole(files, path))
        head = decode_file_head(bytes(content[:FILE_HEAD_BYTES]), magic=JOURNAL_MAGIC,
                                file=path.name)
        if head is None:
            continue  # it got its name whole; a damaged head holds nothing that can be trusted
        while found and found[-1][0].last_seq > head.previous_seq:
            found.pop()
        found += records_in(content[FILE_HEAD_BYTES:])
    return found
