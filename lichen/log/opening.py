"""Opening a log's folder: finding its segments, locking it, sweeping up what a crash left."""

import contextlib
import fcntl
import os
import re
from pathlib import Path
from typing import NamedTuple

from lichen.log.errors import LogLocked
from lichen.log.file_system import FileSystem
from lichen.log.format import SEGMENT_HEAD_BYTES, SegmentHead, decode_segment_head
from lichen.log.salvage import Damage, TornTail
from lichen.log.segment import Segment, Tip, find_tip

_NAME = re.compile(r"(\d{20})\.log")
_TEMPORARY = ".new"  # a file that has not got its name yet means nothing


class OpeningReport(NamedTuple):
    """What opening found: all of it was mended, and said in the server's log."""

    segments: int
    swept: tuple[str, ...] = ()
    heads_damaged: tuple[str, ...] = ()
    tail: TornTail | None = None
    damages: tuple[Damage, ...] = ()


def segment_path(folder: Path, first_seq: int) -> Path:
    """Return the path of the segment that begins with a sequence."""
    return folder / f"{first_seq:020d}.log"


def temporary_path(path: Path, purpose: str) -> Path:
    """Return where a file is written before it gets its name."""
    return path.with_name(f"{path.name}.{purpose}{_TEMPORARY}")


def sweep(files: FileSystem, folder: Path) -> tuple[str, ...]:
    """Remove files that never got their name; return which."""
    swept = tuple(name for name in files.names(folder) if name.endswith(_TEMPORARY))
    for name in swept:
        files.remove(folder / name)
    return swept


def find_segments(files: FileSystem, folder: Path) -> tuple[list[Segment], tuple[str, ...]]:
    """Return the segments in a folder, and the names of those whose header is damaged.

    Costs one small read a segment and a walk over the headers of the last. Raises LogTooNew.
    """
    paths = [folder / name for name in files.names(folder) if _NAME.fullmatch(name)]
    heads: list[SegmentHead] = []
    damaged = []
    for path in paths:
        head = _load_head(files, path)
        if head is None:
            damaged.append(path.name)
            # The name says where it begins, the segment before it when. That there was no jump is
            # the safe guess: a wrong one shows as damage, not as a hole.
            first_seq = int(path.stem)
            time_us = (find_tip(files, paths[len(heads) - 1], heads[-1]).tip.last_time_us
                       if heads else 0)
            head = SegmentHead(first_seq, first_seq - 1, time_us, time_us)
        heads.append(head)
    segments = []
    for path, head, successor in zip(paths, heads, heads[1:], strict=False):
        tip = Tip(successor.previous_seq, successor.previous_time_us, files.size(path))
        segments.append(Segment(path, head, tip))
    if paths:
        segments.append(find_tip(files, paths[-1], heads[-1]))
    return segments, tuple(damaged)


def lock_folder(folder: Path) -> int:
    """Take the folder for this process alone; return the lock's descriptor. Raises LogLocked."""
    path = folder / "lock"
    fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        pid = os.pread(fd, 32, 0).decode("ascii", "replace").strip()
        os.close(fd)
        raise LogLocked(str(folder), pid) from None
    # Fixed width, so that it never grows: the lock is taken on a full disk too.
    with contextlib.suppress(OSError):
        os.pwrite(fd, f"{os.getpid():<20}\n".encode(), 0)
    return fd


def _load_head(files: FileSystem, path: Path) -> SegmentHead | None:
    fd = files.open_to_read(path)
    try:
        return decode_segment_head(files.read_at(fd, SEGMENT_HEAD_BYTES, 0), file=path.name)
    finally:
        files.close(fd)
