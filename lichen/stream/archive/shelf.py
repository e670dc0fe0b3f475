"""The archive: sealed blocks of the store as segments of Jetstream's format, made on demand.

One sealed block is one segment, named for the block's first sequence, of two blocks of 4,096
events at most. Why not a whole file of ours: a house with ten posts a day lists what happened an
hour ago instead of waiting for 64 MB; a segment is built in about 70 ms instead of a second; and it
never changes by growing, so that its checksum is its ETag.

    store ── block ──▶ built on a thread ──▶ shelf (files, least recently read go first)
                            │                    │
                            └── catalogue ───────┴──▶ listSegments, planSnapshot, getSegment

* The same block gives the same bytes, so the shelf is no more than a saving: it is emptied at the
  start, and whatever fell off it is built again under the same ETag.
* An erasure changes a block, so what was built of it before is never served again: each look-up
  compares. `run` takes the bytes off the disk as soon as the store has erased or trimmed.
* One segment is built at a time: an archive that is read takes one core at most.
"""

import asyncio
import time
from collections import OrderedDict
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Final, NamedTuple, Protocol

import msgspec

from lichen.kit import NotFound, Unavailable
from lichen.stream.archive import jss
from lichen.stream.archive.jss_rows import rows_in
from lichen.stream.block import Block
from lichen.stream.engine import BlockPlace, Found
from lichen.stream.limits import ARCHIVE_SHELF_BYTES_MAX, BLOCK_EVENTS_MAX

assert BLOCK_EVENTS_MAX <= 2 * jss.BLOCK_EVENTS  # the planner relies on it
_TURN_ROWS: Final = 32  # about a quarter of a millisecond
_READS_MAX: Final = 3  # a segment may be built and fall off its shelf before it is read


class Blocks(Protocol):
    """What the archive asks of the store."""

    @property
    def first_seq(self) -> int:
        """The lowest sequence that can be read."""

    @property
    def erasures_done(self) -> int:
        """How often something was erased."""

    def blocks(self) -> list[BlockPlace]:
        """Return all blocks, oldest first; the growing one has no segment."""

    def subscribe_bell(self, ring: Callable[[], None]) -> Callable[[], None]:
        """Have `ring` called when something changed; return what ends that."""

    def find(self, seq: int) -> Found | None:
        """Return the block that holds a sequence, or the next one after it."""


class Entry(msgspec.Struct, frozen=True):
    """What the catalogue knows of a segment; `events` and `plain_bytes` are those of its block."""

    index: int
    header: jss.Sealed
    size: int
    left_out: int
    events: int
    plain_bytes: int

    def is_of(self, block: Block) -> bool:
        """Say whether it was built of a block as that is now."""
        return (self.events, self.plain_bytes) == (block.events, len(block.plain))


class Built(NamedTuple):
    """A segment as it was built, and how many events its format could not hold."""

    content: bytes
    left_out: int


class Archive:
    """Builds segments, keeps some, and knows what it has built."""

    def __init__(self, store: Blocks, folder: Path, *,
                 shelf_bytes_max: int = ARCHIVE_SHELF_BYTES_MAX) -> None:
        self._store = store
        self._folder = folder
        self._shelf_bytes_max = shelf_bytes_max
        self._catalogue: dict[int, Entry] = {}
        self._shelf: OrderedDict[int, int] = OrderedDict()  # index to size
        self._building = asyncio.Lock()
        self.built = 0  # segments, since the start
        self.left_out = 0  # events that the format could not hold, once for each build

    async def start(self) -> None:
        """Empty the shelf: what a former run left may hold what was erased since."""
        await asyncio.to_thread(_emptied, self._folder)

    async def run(self) -> None:
        """Drop what was erased, or has become too old, as soon as that happened; never returns."""
        rung = asyncio.Event()
        leave = self._store.subscribe_bell(rung.set)
        try:
            while True:
                seen = self._store.erasures_done, self._store.first_seq
                await self.sweep()
                while seen == (self._store.erasures_done, self._store.first_seq):
                    rung.clear()
                    await rung.wait()
        finally:
            leave()

    @property
    def shelved(self) -> list[str]:
        """Return the names of the segments on the shelf, the one longest unread first."""
        return [jss.segment_name(index) for index in self._shelf]

    def places(self) -> list[BlockPlace]:
        """Return the sealed blocks that hold an event, oldest first."""
        return [one for one in self._store.blocks() if one.segment and one.events]

    def sealed_tip(self) -> int:
        """Return the last sequence that the archive accounts for; 0 before anything happened.

        Where nothing is sealed it is what lies below the store's floor: a client goes on live from
        there and misses nothing that could still be had.
        """
        sealed = [one for one in self._store.blocks() if one.segment]
        return max(sealed[-1].last_seq if sealed else 0, self._store.first_seq - 1)

    def block(self, index: int) -> Block:
        """Return the sealed block that is the segment with an index; raises NotFound."""
        found = self._store.find(index)
        block = found.block if found is not None else None
        if block is None or block.first_seq != index or not block.is_sealed or not block.events:
            raise NotFound("segment_not_found", f"There is no segment {jss.segment_name(index)}; "
                           "it may have become too old. Ask planSnapshot again.")
        return block

    def _sendable(self, index: int) -> Block:
        block, found = self.block(index), self._store.find(index)
        if found is None or not found.is_sendable(packed=False):
            raise NotFound("segment_not_found", "That part of the stream is damaged on the disk.")
        return block

    def known(self, index: int) -> Entry | None:
        """Return what is known of a segment without building it."""
        entry = self._catalogue.get(index)
        return entry if entry is not None and entry.is_of(self.block(index)) else None

    async def entry(self, index: int) -> Entry:
        """Return what the catalogue says of a segment, having built it if need be.

        Raises NotFound where there is none, also when its format could hold no event of it.
        """
        return self.known(index) or await self._build(index)

    async def read(self, entry: Entry, start: int, end: int) -> bytes:
        """Return the bytes of a segment from `start` to before `end`.

        Raises NotFound once the segment is another than the entry says: then what a client has of
        it is worth nothing, and it has to ask anew.
        """
        for _ in range(_READS_MAX):
            if entry.index not in self._shelf or self.known(entry.index) != entry:
                fresh = await self._build(entry.index)
                if fresh != entry:
                    raise NotFound("segment_not_found", "The segment changed; ask for it again.")
            self._shelf.move_to_end(entry.index)
            content = await asyncio.to_thread(_slice, self._path(entry.index), start, end)
            if len(content) == end - start:
                return content
            # It fell off the shelf meanwhile.
            self._shelf.pop(entry.index, None)
        raise Unavailable("The archive is read by too many at once; ask again.")

    async def sweep(self) -> None:
        """Forget and delete whatever was built of blocks that changed or are gone."""
        stale = [index for index, entry in self._catalogue.items() if not self._is_of_now(entry)]
        for index in stale:
            del self._catalogue[index]
        await self._drop([index for index in stale if index in self._shelf])

    def _is_of_now(self, entry: Entry) -> bool:
        try:
            return entry.is_of(self.block(entry.index))
        except NotFound:
            return False

    async def _build(self, index: int) -> Entry:
        async with self._building:
            entry = self.known(index)
            if entry is not None and index in self._shelf:
                return entry
            block = self._sendable(index)
            built = await asyncio.to_thread(build, block)
            self.built += 1
            self.left_out += built.left_out
            header = jss.decode_header(built.content)
            if header is None:
                raise NotFound("segment_not_found", "Nothing in it fits the archive's format.")
            entry = Entry(index, header, len(built.content), built.left_out, block.events,
                          len(block.plain))
            await self._shelve(entry, built.content)
            # Checked once more behind the last wait: what was erased meanwhile is not kept.
            if not self._is_of_now(entry):
                await self._drop([index])
                raise Unavailable("The segment changed while it was built; ask again.",
                                  retry_after_s=1)
            self._catalogue[index] = entry
            return entry

    async def _shelve(self, entry: Entry, content: bytes) -> None:
        try:
            await asyncio.to_thread(_written, self._path(entry.index), content)
        except OSError as error:
            raise Unavailable(f"The archive cannot write to its shelf: {error.strerror}.",
                              retry_after_s=60) from error
        self._shelf[entry.index] = entry.size
        self._shelf.move_to_end(entry.index)
        fallen, total = [], sum(self._shelf.values())
        for index, size in self._shelf.items():
            if total <= self._shelf_bytes_max or index == entry.index:
                break
            fallen.append(index)
            total -= size
        await self._drop(fallen)

    async def _drop(self, indexes: Sequence[int]) -> None:
        for index in indexes:
            self._shelf.pop(index, None)
        await asyncio.to_thread(_removed, [self._path(index) for index in indexes])

    def _path(self, index: int) -> Path:
        return self._folder / jss.segment_name(index)


def build(block: Block) -> Built:
    """Return a block as a segment; empty when no event of it fits. CPU: 9 µs an event."""
    compressor = jss.archive_compressor()
    parts, rows = [], list(_gently(rows_in(block.plain, block.columns.plain_end)))
    for start in range(0, len(rows), jss.BLOCK_EVENTS):
        # Cut first and left out then, so that row r is in block r // 4,096 for the planner.
        fitting = [row for row in rows[start : start + jss.BLOCK_EVENTS] if row is not None]
        if fitting:
            parts.append(jss.encode_block(fitting, compressor))
    return Built(jss.encode_segment(parts) if parts else b"", rows.count(None))


def _gently(rows: Iterable[jss.Row | None]) -> Iterator[jss.Row | None]:
    """Pass rows on, and let the loop's thread in often: it would else wait 5 ms for its turn."""
    for number, row in enumerate(rows):
        if not number % _TURN_ROWS:
            time.sleep(0)
        yield row


def _emptied(folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    _removed(sorted(folder.glob("seg_*")))


def _removed(paths: Sequence[Path]) -> None:
    for path in paths:
        path.unlink(missing_ok=True)


def _written(path: Path, content: bytes) -> None:
    # In one step, for others may be reading what stood there; not synced, for the shelf is emptied
    # after a crash.
    fresh = path.with_suffix(".new")
    fresh.write_bytes(content)
    fresh.replace(path)


def _slice(path: Path, start: int, end: int) -> bytes:
    try:
        with path.open("rb") as file:
            file.seek(start)
            return file.read(end - start)
    except FileNotFoundError:
        return b""
