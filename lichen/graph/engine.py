"""The graph over one folder: a base, what changed since, and the change from one base to the next.

    commit ─▶ journal (one fdatasync) ─▶ overlay ─▶ visible
    rebuild: a snapshot of the overlay ─▶ a new base, written in a thread ─▶ CURRENT is replaced
             meanwhile changes go to a journal of their own, which the new base begins with

One process writes; others may open the same folder to read, and share the mapped base.
"""

import asyncio
import contextlib
import os
import shutil
from collections.abc import Iterable
from pathlib import Path
from typing import Final, NamedTuple

import msgspec
import numpy as np

from lichen.graph.base import READER, VERSION, Base, Direction
from lichen.graph.building import Contents, Pairs, damaged_files, write_base
from lichen.graph.changes import (
    Batch,
    ChangeKind,
    Journal,
    changes_of,
    journal_path,
    load_batches,
)
from lichen.graph.errors import ChangesRefused, GraphTooNew, GraphUnavailable
from lichen.graph.limits import NAME_LETTERS_MAX
from lichen.graph.names import NOBODY, keys_of
from lichen.graph.overlay import APPLIED_AT_ONCE, Difference, Overlay
from lichen.graph.sets import numbers_in
from lichen.kit.crash_points import crash_point
from lichen.log import lock_folder

CURRENT: Final = "CURRENT"
SWAPS_SEEN_MAX: Final = 8  # bases that may follow each other while somebody opens one to read
_NO_NAMES: Final = np.zeros((0, 15), np.uint8)
_NO_BLOCKS: Final = np.zeros((0, 2), np.uint32)


class Change(NamedTuple):
    """Somebody follows, unfollows, blocks or unblocks somebody, by their names."""

    actor: str
    target: str
    kind: ChangeKind = ChangeKind.FOLLOW


class _Snapshot(NamedTuple):
    """The overlay at one moment, for the thread that builds a base from it."""

    position: int
    names: list[str]
    differences: dict[int, Difference]
    blocks: list[tuple[int, int]]


class Graph:
    """Who follows whom; read through `overlay`."""

    def __init__(self, folder: Path, base: Base, journal: Journal, *, lock_fd: int) -> None:
        self.folder = folder
        self.base = base
        self.overlay = Overlay(base)
        self.position = base.head.position
        self._journal = journal
        self._lock_fd = lock_fd
        self._committing = asyncio.Lock()
        self._rebuilding = asyncio.Lock()
        self._commits: set[asyncio.Future[int]] = set()  # begun, and finished whoever waits
        self._since: list[Batch] | None = None  # what came while a base is being built

    @classmethod
    def open(cls, folder: Path) -> "Graph":
        """Open a folder to write, alone, or begin an empty one; mend what a crash left.

        Maps the base, and applies what changed since. Raises LogLocked, GraphTooNew,
        GraphUnavailable.
        """
        folder.mkdir(parents=True, exist_ok=True)
        lock_fd = lock_folder(folder)
        try:
            current = folder / CURRENT
            if not current.exists():
                path = write_base(folder, Contents(0, _NO_NAMES, {}, np.zeros(0, np.uint64),
                                                   _NO_BLOCKS))
                point_to(folder, path.name)
            base = open_base(folder)
            _sweep(folder, base)
            journals = [Journal(path) for path in _journals_after(folder, base.head.position)]
        except BaseException:
            os.close(lock_fd)
            raise
        graph = cls(folder, base, journals[-1], lock_fd=lock_fd)
        for journal in journals:
            for batch in journal.batches:
                graph.overlay.apply_whole(batch)
                graph.position = max(graph.position, batch.position)
            journal.batches = []
        for journal in journals[:-1]:
            journal.close()
        return graph

    async def commit(self, changes: Iterable[Change], *, position: int = 0) -> int:
        """Make changes durable, then visible; return how many. One write and one fdatasync.

        `position` is how far the source was read; 0 leaves it. Raises ChangesRefused,
        GraphUnavailable.
        """
        # Whoever asked may go away: what was begun is finished, or the journal would be written by
        # two at once.
        task = asyncio.ensure_future(self._commit(list(changes), position))
        self._commits.add(task)
        task.add_done_callback(self._commits.discard)
        return await asyncio.shield(task)

    async def _commit(self, changes: list[Change], position: int) -> int:
        async with self._committing:
            batch = await self._batch_of(changes, position or self.position)
            try:
                await asyncio.to_thread(self._journal.append, batch)
            except OSError as error:
                raise GraphUnavailable(f"The graph cannot be written: {error.strerror}.") from error
            crash_point("graph.after_commit")
            await _show(self.overlay, batch)
            self.position = max(self.position, batch.position)
            if self._since is not None:
                self._since.append(batch)
            return len(batch.changes)

    async def rebuild(self) -> Path:
        """Build a new base from the old one and what changed, and go on from it.

        Readers and commits go on meanwhile. Raises GraphUnavailable; then the old base stands.
        """
        async with self._rebuilding:
            async with self._committing:
                snapshot = await self._begin_rebuild()
            try:
                path = await asyncio.to_thread(_write_next, self.folder, self.base, snapshot)
                crash_point("graph.before_swap")
                async with self._committing:
                    await self._swap(path)
            except OSError as error:
                raise GraphUnavailable(f"No new base: {error.strerror}.") from error
            finally:
                self._since = None
            return path

    async def verify(self) -> None:
        """Compare every file of the base with its checksum; raises GraphUnavailable."""
        await asyncio.to_thread(_verify, self.base)

    async def close(self) -> None:
        """Close the files; what is mapped stays readable."""
        async with self._committing:
            self._journal.close()
            os.close(self._lock_fd)

    async def _batch_of(self, changes: list[Change], position: int) -> Batch:
        """Return changes in numbers; many are looked up in parts, and others have their turn."""
        overlay = self.overlay
        fresh: dict[str, int] = {}
        parts = [np.zeros(0, np.uint32)]
        for at in range(0, len(changes), APPLIED_AT_ONCE):
            names = [name for change in changes[at : at + APPLIED_AT_ONCE] for name in change[:2]]
            if not 1 <= min(map(len, names)) <= max(map(len, names)) <= NAME_LETTERS_MAX:
                raise ChangesRefused(f"Expected names of 1 to {NAME_LETTERS_MAX} letters; got one "
                                     "that is empty or longer.")
            numbers = overlay.numbers_of(names)
            for place in np.flatnonzero(numbers == NOBODY).tolist():
                numbers[place] = fresh.setdefault(names[place], overlay.actors + len(fresh))
            parts.append(numbers)
            await asyncio.sleep(0)
        pairs = np.concatenate(parts).reshape(-1, 2)
        kinds = np.array([change.kind for change in changes], np.uint32)
        return Batch(position, overlay.actors, list(fresh),
                     changes_of(pairs[:, 0], pairs[:, 1], kinds))

    async def _begin_rebuild(self) -> _Snapshot:
        overlay = self.overlay
        # A position of its own, so that the journals are in order by name.
        position = max(self.position, self.base.head.position + 1)
        blocks = [(actor, target) for actor, targets in overlay.blocks.items()
                  for target in targets]
        copies: dict[int, Difference] = {}
        differences = list(overlay.differences[Direction.FOLLOWING].items())
        for at in range(0, len(differences), APPLIED_AT_ONCE):
            copies |= {actor: difference.copied()
                       for actor, difference in differences[at : at + APPLIED_AT_ONCE]}
            await asyncio.sleep(0)
        snapshot = _Snapshot(position, list(overlay.names), copies, blocks)
        journal = Journal(journal_path(self.folder, position))
        self._journal.close()
        self._journal, self._since = journal, []
        return snapshot

    async def _swap(self, path: Path) -> None:
        assert self._since is not None
        point_to(self.folder, path.name)
        crash_point("graph.after_swap")
        base = Base.open(path)
        overlay = Overlay(base)
        for batch in self._since:
            await _show(overlay, batch)
        self.base, self.overlay = base, overlay
        _sweep(self.folder, base)


async def _show(overlay: Overlay, batch: Batch) -> None:
    """Apply a durable batch; a large one in parts, between which others have their turn."""
    for _ in overlay.applied(batch):
        await asyncio.sleep(0)


def _verify(base: Base) -> None:
    bad = damaged_files(base.folder, base.head)
    if bad:
        raise GraphUnavailable(f"Damaged in {base.folder}: {', '.join(bad)}; build the graph again "
                               "from its source.")


def open_base(folder: Path) -> Base:
    """Open the current base of a folder to read. Raises GraphTooNew, GraphUnavailable."""
    try:
        base = Base.open(folder / (folder / CURRENT).read_text(encoding="ascii").strip())
    except (OSError, msgspec.MsgspecError) as error:
        raise GraphUnavailable(f"{folder} holds no base that can be read ({error}); build it again "
                               "with `lichen graph load`.") from error
    if base.head.reader > VERSION:
        raise GraphTooNew(str(folder), reader=base.head.reader, supported=READER)
    return base


def overlay_of(folder: Path) -> Overlay:
    """Return what a folder says now, beside the process that writes it. Raises as `open_base`."""
    for _ in range(SWAPS_SEEN_MAX):
        current = _current(folder)
        try:
            overlay = _overlay_at(folder)
        except GraphUnavailable:
            if _current(folder) == current:
                raise
            continue
        # A swap takes the old base and its journal away: what was read across one is not whole.
        if _current(folder) == current:
            return overlay
    raise GraphUnavailable(f"{folder} gets one base after the other; ask again later.")


def _overlay_at(folder: Path) -> Overlay:
    base = open_base(folder)
    overlay = Overlay(base)
    try:
        for path in _journals_after(folder, base.head.position):
            for batch in load_batches(path):
                overlay.apply_whole(batch)
    except OSError as error:
        raise GraphUnavailable(f"{folder} cannot be read: {error.strerror}.") from error
    return overlay


def _current(folder: Path) -> str:
    path = folder / CURRENT
    return path.read_text(encoding="ascii") if path.exists() else ""


def _journals_after(folder: Path, position: int) -> list[Path]:
    """Return the journals that follow a base, in order; the first one may be new."""
    own = journal_path(folder, position)
    later = sorted(path for path in folder.glob("changes-*.log") if path.name > own.name)
    return [own, *later]


def _sweep(folder: Path, base: Base) -> None:
    """Remove bases and journals that are over, and what never got its name."""
    own = journal_path(folder, base.head.position)
    for path in folder.glob("base-*"):
        if path != base.folder:
            shutil.rmtree(path, ignore_errors=True)
    for path in folder.glob("changes-*.log"):
        if path.name < own.name:
            with contextlib.suppress(FileNotFoundError):
                path.unlink()


def point_to(folder: Path, name: str) -> None:
    """Say durably which base is the current one."""
    fresh = folder / f"{CURRENT}.new"
    with fresh.open("w", encoding="ascii") as file:
        file.write(f"{name}\n")
        file.flush()
        os.fsync(file.fileno())
    fresh.replace(folder / CURRENT)
    fd = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)


def _write_next(folder: Path, base: Base, snapshot: _Snapshot) -> Path:
    """Write the base that a base and a snapshot of its overlay make."""
    _verify(base)  # or damage would get a checksum of its own
    keys, others = base.names.contents()
    own_keys, own_others = keys_of(snapshot.names)
    first = base.head.actors
    others |= {first + place: name for place, name in own_others.items()}
    pairs = _pairs_of(base, snapshot.differences)
    blocks = np.array(snapshot.blocks, np.uint32).reshape(-1, 2)
    return write_base(folder, Contents(snapshot.position, np.concatenate((keys, own_keys)), others,
                                       pairs, blocks))


def _pairs_of(base: Base, differences: dict[int, Difference]) -> Pairs:
    """Return all follows as pairs: those of the base without what is gone, and what came."""
    shift = np.uint64(32)
    pairs = base.rows[Direction.FOLLOWING].pairs()
    gone = [np.uint64(actor) << shift | numbers_in(one.removed).astype(np.uint64)
            for actor, one in differences.items() if one.removed]
    if gone:
        pairs = pairs[~np.isin(pairs, np.concatenate(gone), assume_unique=True)]
    came = [np.uint64(actor) << shift | numbers_in(one.added).astype(np.uint64)
            for actor, one in differences.items() if one.added]
    return np.concatenate((pairs, *came)) if came else pairs

