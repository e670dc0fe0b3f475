"""Copying a log beside the process that appends to it.

What is durable never changes but by erasure and retention: so the end of the log is noted, and all
up to there is copied later. Whoever erases meanwhile makes the copy fail its check, and it is made
again by its caller.
"""

import shutil
from pathlib import Path
from typing import NamedTuple

from lichen.kit import Unavailable
from lichen.log.file_system import FileSystem
from lichen.log.opening import find_segments

COPY_BYTES = 1 << 20  # copied at once


class LogEnd(NamedTuple):
    """A moment of a log: its last sequence, and what of each file belongs to it."""

    last_seq: int
    files: tuple[tuple[str, int | None], ...]  # name and size in bytes; None for the whole file


def end_of(folder: Path) -> LogEnd:
    """Return where the log of a folder ends now; reads file headers and the last segment."""
    segments, _ = find_segments(FileSystem(), folder)
    if not segments:
        return LogEnd(0, ())
    *closed, last = segments
    whole = tuple((segment.path.name, None) for segment in closed)
    return LogEnd(last.tip.last_seq, (*whole, (last.path.name, last.tip.end)))


def copy_log(folder: Path, end: LogEnd, *, to: Path) -> None:
    """Copy a log up to a noted end; raises Unavailable where it was rewritten meanwhile."""
    try:
        for name, size in end.files:
            _copy_file(folder / name, to / name, size=size)
    except FileNotFoundError as error:
        raise Unavailable(f"The log was trimmed while it was copied ({error.filename}).") from None
    found = end_of(to).last_seq
    if found != end.last_seq:
        raise Unavailable(
            f"The log was rewritten while it was copied: it ends at {found} instead of "
            f"{end.last_seq}.")


def _copy_file(source: Path, target: Path, *, size: int | None) -> None:
    with source.open("rb") as reading, target.open("xb") as writing:
        if size is None:
            shutil.copyfileobj(reading, writing, COPY_BYTES)
        while size and (chunk := reading.read(min(size, COPY_BYTES))):
            writing.write(chunk)
            size -= len(chunk)
