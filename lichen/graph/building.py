"""Building a base: from pairs of numbers to mapped files, in bounded memory, whole or not at all.

A base is written beside, synced file by file, and gets its name last. The pairs are sorted as
numbers of 64 bits: for 164 M follows that is 1.3 GB twice, once for each direction.
"""

import os
import shutil
from collections.abc import Iterable
from pathlib import Path
from typing import Final, NamedTuple

import msgspec
import numpy as np
from numpy.typing import NDArray
from xxhash import xxh3_64

from lichen.graph.base import HEAD, HEAVY_MEMBERS_MIN, Direction, Head
from lichen.graph.names import write_names
from lichen.graph.sets import bitmap_of

CHUNK_EDGES: Final = 1 << 24  # so many pairs are taken apart at once: 128 MB
_LOW: Final = np.uint64(0xFFFFFFFF)
_SHIFT: Final = np.uint64(32)

Pairs = NDArray[np.uint64]  # actor << 32 | target


class Contents(NamedTuple):
    """All that a base holds."""

    position: int
    keys: NDArray[np.uint8]  # 15 columns
    others: dict[int, str]
    pairs: Pairs  # in any order, repeated or not; sorted in place
    blocks: NDArray[np.uint32]  # two columns


def base_path(folder: Path, position: int) -> Path:
    """Return the path of the base of a position."""
    return folder / f"base-{position:020d}"


def write_base(folder: Path, contents: Contents) -> Path:
    """Write a base durably and return its path; one of its name is replaced. Raises OSError."""
    target = base_path(folder, contents.position)
    fresh = target.with_name(target.name + ".new")
    shutil.rmtree(fresh, ignore_errors=True)
    fresh.mkdir(parents=True)
    actors = len(contents.keys)
    paths = write_names(fresh, contents.keys, contents.others)
    pairs = _distinct(contents.pairs)
    paths += _write_rows(fresh, Direction.FOLLOWING, pairs, actors)
    follows = len(pairs)
    turned = pairs << _SHIFT
    turned |= pairs >> _SHIFT
    del pairs
    turned.sort()
    paths += _write_rows(fresh, Direction.FOLLOWERS, turned, actors)
    del turned
    contents.blocks.astype(np.uint32).tofile(fresh / "blocks")
    paths.append(fresh / "blocks")
    head = Head(contents.position, actors, follows,
                checksums={path.name: checksum_of(path) for path in paths})
    (fresh / HEAD).write_bytes(msgspec.json.format(msgspec.json.encode(head)))
    _sync([*paths, fresh / HEAD, fresh])
    shutil.rmtree(target, ignore_errors=True)
    fresh.rename(target)
    _sync([folder])
    return target


def damaged_files(folder: Path, head: Head) -> list[str]:
    """Return the files of a base that have not the checksum they were written with."""
    return [name for name, checksum in head.checksums.items()
            if not (folder / name).exists() or checksum_of(folder / name) != checksum]


def checksum_of(path: Path) -> str:
    """Return the xxh3_64 of a file, in hexadecimal."""
    digest = xxh3_64()
    with path.open("rb") as file:
        while part := file.read(1 << 24):
            digest.update(part)
    return str(digest.hexdigest())


def _distinct(pairs: Pairs) -> Pairs:
    """Sort pairs in place and leave out what is there twice."""
    pairs.sort()
    if len(pairs) < 2:
        return pairs
    is_first = np.empty(len(pairs), np.bool_)
    is_first[0] = True
    np.not_equal(pairs[1:], pairs[:-1], out=is_first[1:])
    return pairs if is_first.all() else pairs[is_first]


def _write_rows(folder: Path, direction: Direction, pairs: Pairs, actors: int) -> list[Path]:
    """Write the rows of sorted pairs, and those that are heavy as bitmaps."""
    starts_path, rows_path = (folder / f"{direction.word}.{part}" for part in ("starts", "rows"))
    edges = np.arange(actors + 1, dtype=np.uint64) << _SHIFT
    starts = pairs.searchsorted(edges)
    starts.astype(np.uint64 if len(pairs) >= 1 << 32 else np.uint32).tofile(starts_path)
    with rows_path.open("wb") as file:
        for at in range(0, len(pairs), CHUNK_EDGES):
            (pairs[at : at + CHUNK_EDGES] & _LOW).astype(np.uint32).tofile(file)
    heavy = np.flatnonzero(np.diff(starts) >= HEAVY_MEMBERS_MIN)
    return [starts_path, rows_path, *_write_heavy(folder, direction, heavy, (
        (pairs[starts[number] : starts[number + 1]] & _LOW).astype(np.uint32)
        for number in heavy))]


def _write_heavy(folder: Path, direction: Direction, numbers: NDArray[np.intp],
                 rows: Iterable[NDArray[np.uint32]]) -> list[Path]:
    paths = [folder / f"heavy.{direction.word}.{part}" for part in ("numbers", "ends", "bitmaps")]
    ends, end = [], 0
    with paths[2].open("wb") as file:
        for row in rows:
            bitmap = bitmap_of(row)
            bitmap.run_optimize()
            content = bitmap.serialize()
            file.write(content)
            end += len(content)
            ends.append(end)
    numbers.astype(np.uint32).tofile(paths[0])
    np.array(ends, np.uint64).tofile(paths[1])
    return paths


def _sync(paths: Iterable[Path]) -> None:
    for path in paths:
        fd = os.open(path, os.O_RDONLY)
        try:
            os.fsync(fd)
        finally:
            os.close(fd)
