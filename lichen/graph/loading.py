"""Loading a file of pairs: names become numbers, pairs become a base; it goes on where it stopped.

    PAIRS.csv     actor,target      one follow a line, no header, rows may repeat
    loading/
    ├── progress.json    which file, how far, and how long the other two are
    ├── names            one a line, in the order of their numbers
    └── pairs            u64: actor << 32 | target

Numbers are given in the order of first appearance: people of one community or one cohort appear
together, get near-by numbers, and their rows share containers and pages. While it loads, names
stand in a dictionary (some 600 MB for 5.5 M); nothing else of the graph does.
"""

import os
import shutil
from collections.abc import Callable, Iterator
from itertools import islice
from pathlib import Path
from typing import BinaryIO, Final, NoReturn

import msgspec
import numpy as np
from numpy.typing import NDArray

from lichen.graph.building import Contents, write_base
from lichen.graph.engine import point_to
from lichen.graph.errors import ChangesRefused
from lichen.graph.names import keys_of
from lichen.log import lock_folder

CHUNK_BYTES: Final = 32 << 20  # of the file, between two notes of how far it is
LINE_BYTES_MAX: Final = 8_192  # two names and a comma
NAME_BYTES_MAX: Final = 2_048  # no DID may be longer

Progress = Callable[[int, int], None]  # bytes done, bytes in all


class _Standing(msgspec.Struct):
    """How far a loading is."""

    file: str
    file_bytes: int
    modified_ns: int
    offset: int = 0
    names_bytes: int = 0
    pairs_bytes: int = 0


def load(folder: Path, file: Path, *, tell: Progress, chunk_bytes: int = CHUNK_BYTES) -> Path:
    """Build the base of a graph from a file of pairs, in place of the one there is.

    Interrupted, it goes on where it stopped when it is asked for the same file again; one that was
    changed since is read from its start. Raises LogLocked, ChangesRefused (with the line), OSError.
    """
    folder.mkdir(parents=True, exist_ok=True)
    lock_fd = lock_folder(folder)
    try:
        work = folder / "loading"
        standing = _standing_of(work, file)
        with file.open("rb") as source:
            source.seek(standing.offset)
            chunks = _chunks_of(source, standing.offset, chunk_bytes)
            names = _read_pairs(work, chunks, standing, tell=tell)
        pairs = np.fromfile(work / "pairs", np.uint64)
        keys, others = keys_of(names)
        # An empty journal follows the new base; those of the old one are swept.
        path = write_base(folder, Contents(_next_position(folder), keys, others, pairs,
                                           np.zeros((0, 2), np.uint32)))
        point_to(folder, path.name)
        shutil.rmtree(work)
        return path
    finally:
        os.close(lock_fd)


def _next_position(folder: Path) -> int:
    """Return a position after every base and journal there is, so that the new one follows them."""
    names = [path.stem for path in (*folder.glob("base-*"), *folder.glob("changes-*.log"))]
    return 1 + max((int(name.partition("-")[2]) for name in names), default=0)


def _standing_of(work: Path, file: Path) -> _Standing:
    stat = file.stat()
    fresh = _Standing(str(file.resolve()), stat.st_size, stat.st_mtime_ns)
    standing = _noted(work / "progress.json")
    if standing is not None and (standing.file, standing.file_bytes, standing.modified_ns) == (
            fresh.file, fresh.file_bytes, fresh.modified_ns):
        for name, length in (("names", standing.names_bytes), ("pairs", standing.pairs_bytes)):
            os.truncate(work / name, length)
        return standing
    shutil.rmtree(work, ignore_errors=True)
    work.mkdir()
    for name in ("names", "pairs"):
        (work / name).touch()
    return fresh


def _noted(path: Path) -> _Standing | None:
    """Return what was noted, None if there is nothing or a power cut left half of it."""
    try:
        return msgspec.json.decode(path.read_bytes(), type=_Standing)
    except (FileNotFoundError, msgspec.MsgspecError):
        return None


def _read_pairs(work: Path, chunks: Iterator[tuple[bytes, int, int]], standing: _Standing, *,
                tell: Progress) -> list[str]:
    """Read the rest of a file; return all names in the order of their numbers."""
    known = {name: number for number, name in enumerate(
        (work / "names").read_bytes().split(b"\n")[:-1])}
    with (work / "names").open("ab") as names, (work / "pairs").open("ab") as pairs:
        for chunk, start, end in chunks:
            before = len(known)
            numbers = _numbers_in(chunk, known, start)
            fresh = list(islice(known, before, None))
            standing.names_bytes += names.write(b"".join(name + b"\n" for name in fresh))
            packed = (numbers[::2] << np.uint64(32)) | numbers[1::2]
            standing.pairs_bytes += pairs.write(packed.tobytes())
            standing.offset = end
            _note(work, standing, (names, pairs))
            tell(end, standing.file_bytes)
    return [name.decode() for name in known]


def _chunks_of(source: BinaryIO, start: int, chunk_bytes: int) -> Iterator[tuple[bytes, int, int]]:
    """Iterate over whole lines, and where in the file they start and end."""
    rest = b""
    while content := source.read(chunk_bytes):
        content = rest + content
        cut = content.rfind(b"\n") + 1
        rest = content[cut:]
        if len(rest) > LINE_BYTES_MAX:
            raise ChangesRefused(f"Expected lines of at most {LINE_BYTES_MAX} bytes, actor,target; "
                                 f"got a longer one at byte {start + cut}.")
        if cut:
            yield content[:cut], start, start + cut
        start += cut
    if rest:
        yield rest + b"\n", start, start + len(rest)


def _numbers_in(chunk: bytes, known: dict[bytes, int], at: int) -> NDArray[np.uint64]:
    """Return the numbers of all names of whole lines, two a line; new names are added."""
    text = chunk.replace(b"\r\n", b"\n")
    if not _has_two_names_a_line(np.frombuffer(text, np.uint8)) or not _is_text(text):
        _refuse(chunk, at)
    names = text.replace(b"\n", b",").split(b",")[:-1]
    return np.fromiter((known.setdefault(name, len(known)) for name in names), np.uint64,
                       len(names))


def _has_two_names_a_line(text: NDArray[np.uint8]) -> bool:
    """Say whether every line has one comma, and a name of a fair length on both sides of it."""
    commas, ends = np.flatnonzero(text == ord(",")), np.flatnonzero(text == ord("\n"))
    if len(commas) != len(ends):
        return False
    starts = np.concatenate(([-1], ends[:-1]))
    lengths = np.concatenate((commas - starts, ends - commas)) - 1
    return bool(lengths.min() >= 1 and lengths.max() <= NAME_BYTES_MAX)


def _is_text(content: bytes) -> bool:
    try:
        content.decode()
    except UnicodeDecodeError:
        return False
    return True


def _refuse(chunk: bytes, at: int) -> NoReturn:
    """Raise ChangesRefused for the first line that is none."""
    for line in chunk.split(b"\n"):
        parts = line.removesuffix(b"\r").split(b",")
        if (len(parts) != 2 or not all(0 < len(part) <= NAME_BYTES_MAX for part in parts)
                or not _is_text(line)):
            raise ChangesRefused(f"Expected lines of actor,target; got {line[:80]!r} at byte {at} "
                                 "of the file.")
        at += len(line) + 1
    raise AssertionError("a chunk is refused for one of its lines")


def _note(work: Path, standing: _Standing, files: tuple[BinaryIO, BinaryIO]) -> None:
    """Note durably how far it is: first what was read, then that it was."""
    for file in files:
        file.flush()
        os.fdatasync(file.fileno())
    fresh = work / "progress.json.new"
    fresh.write_bytes(msgspec.json.encode(standing))
    fresh.replace(work / "progress.json")
