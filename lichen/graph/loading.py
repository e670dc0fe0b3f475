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
from typing import BinaryIO, Final

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
NAME_BYTES_MAX: Final = 2_048

Progress = Callable[[int, int], None]  # bytes done, bytes in all


class _Standing(msgspec.Struct):
    """How far a loading is."""

    file: str
    file_bytes: int
    offset: int = 0
    names_bytes: int = 0
    pairs_bytes: int = 0


def load(folder: Path, file: Path, *, tell: Progress) -> Path:
    """Build the base of a graph from a file of pairs, in place of the one there is.

    Interrupted, it goes on where it stopped when it is asked for the same file again. Raises
    LogLocked, ChangesRefused (with the line), OSError.
    """
    folder.mkdir(parents=True, exist_ok=True)
    lock_fd = lock_folder(folder)
    try:
        work = folder / "loading"
        standing = _standing_of(work, file)
        names = _read_pairs(work, file, standing, tell=tell)
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
    size = file.stat().st_size
    path = work / "progress.json"
    if path.exists():
        standing = msgspec.json.decode(path.read_bytes(), type=_Standing)
        if (standing.file, standing.file_bytes) == (str(file.resolve()), size):
            for name, length in (("names", standing.names_bytes), ("pairs", standing.pairs_bytes)):
                os.truncate(work / name, length)
            return standing
    shutil.rmtree(work, ignore_errors=True)
    work.mkdir()
    for name in ("names", "pairs"):
        (work / name).touch()
    return _Standing(str(file.resolve()), size)


def _read_pairs(work: Path, file: Path, standing: _Standing, *, tell: Progress) -> list[str]:
    """Read the rest of a file; return all names in the order of their numbers."""
    known = {name: number for number, name in enumerate(
        (work / "names").read_bytes().split(b"\n")[:-1])}
    with file.open("rb") as source, (work / "names").open("ab") as names, (
            work / "pairs").open("ab") as pairs:
        source.seek(standing.offset)
        for chunk, end in _chunks_of(source, standing.offset):
            before = len(known)
            numbers = _numbers_in(chunk, known, end - len(chunk))
            fresh = list(islice(known, before, None))
            standing.names_bytes += names.write(b"".join(name + b"\n" for name in fresh))
            packed = (numbers[::2] << np.uint64(32)) | numbers[1::2]
            standing.pairs_bytes += pairs.write(packed.tobytes())
            standing.offset = end
            _note(work, standing, (names, pairs))
            tell(end, standing.file_bytes)
    return [name.decode() for name in known]


def _chunks_of(source: BinaryIO, offset: int) -> Iterator[tuple[bytes, int]]:
    """Iterate over whole lines, and where in the file they end."""
    rest = b""
    while content := source.read(CHUNK_BYTES):
        content = rest + content
        cut = content.rfind(b"\n") + 1
        rest = content[cut:]
        if len(rest) > LINE_BYTES_MAX:
            raise ChangesRefused(f"Expected lines of at most {LINE_BYTES_MAX} bytes, actor,target; "
                                 f"got a longer one at byte {offset + cut}.")
        offset += cut
        if cut:
            yield content[:cut], offset
    if rest:
        yield rest + b"\n", offset + len(rest)


def _numbers_in(chunk: bytes, known: dict[bytes, int], at: int) -> NDArray[np.uint64]:
    """Return the numbers of all names of whole lines, two a line; new names are added."""
    chunk = chunk.replace(b"\r", b"")
    lines = chunk.count(b"\n")
    if chunk.count(b",") != lines or b",\n" in chunk or b"\n," in chunk or b"\n\n" in chunk:
        _refuse(chunk, at)
    names = chunk.replace(b"\n", b",").split(b",")[:-1]
    if len(names) != 2 * lines or max(map(len, names)) > NAME_BYTES_MAX or not names[0]:
        _refuse(chunk, at)
    numbers = np.fromiter((known.setdefault(name, len(known)) for name in names), np.uint64,
                          len(names))
    return numbers


def _refuse(chunk: bytes, at: int) -> None:
    """Raise ChangesRefused for the first line that is none."""
    for line in chunk.split(b"\n"):
        parts = line.split(b",")
        if len(parts) != 2 or not all(0 < len(part) <= NAME_BYTES_MAX for part in parts):
            raise ChangesRefused(f"Expected lines of actor,target; got {line[:80]!r} at byte {at} "
                                 "of the file.")
        at += len(line) + 1


def _note(work: Path, standing: _Standing, files: tuple[BinaryIO, BinaryIO]) -> None:
    """Note durably how far it is: first what was read, then that it was."""
    for file in files:
        file.flush()
        os.fdatasync(file.fileno())
    fresh = work / "progress.json.new"
    fresh.write_bytes(msgspec.json.encode(standing))
    fresh.replace(work / "progress.json")
