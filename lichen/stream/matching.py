"""Which rows of a block somebody wants: by the side index alone.

The cost follows what matches. A block whose Bloom filter has none of the wanted actors is passed in
a microsecond; otherwise the most selective part goes first and the others look at its rows alone.
Actors stand in the index as hashes of 32 bits, so a match is verified in the message itself.
"""

from functools import lru_cache
from typing import Final

import msgspec
import numpy as np
from numpy.typing import NDArray

from lichen.stream.block import Block, Rows, bloom_bits, may_hold
from lichen.stream.columns import (
    IS_ROOT,
    KIND_MASK,
    LANGS_OTHER,
    OPERATION_MASK,
    OPERATION_SHIFT,
    actor_hash,
)
from lichen.stream.frames import message_in
from lichen.stream.limits import FILTER_BLOOM_DIDS_MAX, MATCHERS_MAX
from lichen.stream.model import EVERYTHING, Filter, Kind, Operation, Wire

_NOTHING: Final = np.empty(0, np.intp)


class _Langs(msgspec.Struct):
    langs: list[str] = []


class _Commit(msgspec.Struct):
    record: _Langs = msgspec.field(default_factory=_Langs)


class _Message(msgspec.Struct):
    commit: _Commit = msgspec.field(default_factory=_Commit)


_MESSAGE: Final = msgspec.json.Decoder(_Message)


class Matcher:
    """A filter, prepared for looking at columns."""

    def __init__(self, wanted: Filter, wire: Wire) -> None:
        self._wanted = wanted
        self._is_v2 = wire == Wire.V2
        self._everything = wanted == EVERYTHING
        self._by_marks = np.array([self._wants_marks(marks) for marks in range(256)], np.bool_)
        self._actors = np.sort(np.array([actor_hash(did) for did in wanted.dids], np.uint32))
        self._mentioned = {actor_hash(did) for did in wanted.mentions}
        self._bits = ([bloom_bits(int(actor)) for actor in self._actors]
                      if len(self._actors) <= FILTER_BLOOM_DIDS_MAX else [])
        self._collections: dict[str, bool] = {}

    def rows(self, block: Block, start: int, stop: int) -> Rows | None:
        """Return the wanted rows of `start` to `stop`, in order; None means all of them."""
        if self._everything and (self._is_v2 or not block.has_sync):
            return None
        rows: Rows | None = None
        if self._wanted.mentions:
            rows = self._mentioning(block, start, stop)
        if self._wanted.dids:
            rows = self._of_actors(block, rows, slice(start, stop))
        if rows is not None and not len(rows):
            return rows
        where = slice(start, stop) if rows is None else rows
        mask = self._by_marks[block.columns.marks[where]]
        if self._wanted.collections or self._wanted.prefixes:
            mask &= self._table_of(block)[block.columns.collection[where]]
        rows = np.flatnonzero(mask) + start if rows is None else rows[mask]
        if self._wanted.langs:
            rows = self._in_langs(block, rows)
        if self._wanted.message_bytes_max and not self._is_v2:
            rows = rows[_message_bytes(block, rows) <= self._wanted.message_bytes_max]
        return rows

    def _wants_marks(self, marks: int) -> bool:
        kind = Kind(marks & KIND_MASK)
        operation = Operation((marks & OPERATION_MASK) >> OPERATION_SHIFT)
        if kind == Kind.SYNC and not self._is_v2:
            return False
        if self._wanted.kinds and kind not in self._wanted.kinds:
            return False
        is_post = bool(marks & IS_ROOT) and operation != Operation.DELETE
        return is_post or not self._wanted.roots_only

    def _table_of(self, block: Block) -> NDArray[np.bool_]:
        """Return by number which collections of a block are wanted; what has none passes."""
        known, wants = self._collections, self._wanted.wants_collection
        if len(known) > MATCHERS_MAX:
            known.clear()
        table = [True]
        for name in block.names.collections:
            if name not in known:
                known[name] = wants(name)
            table.append(known[name])
        return np.array(table, np.bool_)

    def _of_actors(self, block: Block, rows: Rows | None, where: slice) -> Rows:
        if self._bits and not any(may_hold(block.bloom, bits) for bits in self._bits):
            return _NOTHING
        actors = block.columns.actor[where if rows is None else rows]
        if len(self._actors) == 1:
            mask = actors == self._actors[0]
        else:
            places = self._actors.searchsorted(actors)
            places[places == len(self._actors)] = 0
            mask = self._actors[places] == actors
        found = np.flatnonzero(mask) + where.start if rows is None else rows[mask]
        # Two DIDs may share a hash: the message says who it was.
        wanted = self._wanted.dids
        good = [row for row in found.tolist() if actor_of(block, row) in wanted]
        return found if len(good) == len(found) else np.array(good, np.intp)

    def _mentioning(self, block: Block, start: int, stop: int) -> Rows:
        rows = sorted({row for row, actor in block.names.mentions
                       if actor in self._mentioned and start <= row < stop})
        quoted = [b'"%b"' % did.encode() for did in self._wanted.mentions]
        good = [row for row in rows
                if any(one in bytes(block.plain_of(row)) for one in quoted)]
        return np.array(good, np.intp)

    def _in_langs(self, block: Block, rows: Rows) -> Rows:
        wanted = self._wanted.langs
        table = np.zeros(LANGS_OTHER + 1, np.bool_)
        for number, langs in enumerate(block.names.langs, 1):
            table[number] = not wanted.isdisjoint(langs)
        numbers = block.columns.langs[rows]
        mask = table[numbers]
        for at in np.flatnonzero(numbers == LANGS_OTHER).tolist():
            message = _MESSAGE.decode(message_in(block.plain_of(int(rows[at]))))
            mask[at] = not wanted.isdisjoint(message.commit.record.langs)
        return rows[mask]


@lru_cache(maxsize=MATCHERS_MAX)
def matcher_of(wanted: Filter, wire: Wire) -> Matcher:
    """Return the matcher of a filter; equal filters share one."""
    return Matcher(wanted, wire)


def actor_of(block: Block, row: int) -> str:
    """Return the DID of a row's actor, from the start of its message."""
    start = bytes(block.plain_of(row)[:2_048])
    at = start.index(b'{"did":"') + 8
    return start[at : start.index(b'"', at)].decode()


def _message_bytes(block: Block, rows: Rows) -> NDArray[np.int64]:
    """Return the bytes of the JSON of some rows, without the heads of their frames."""
    ends = block.columns.plain_end.astype(np.int64)
    sizes = ends[rows] - np.where(rows > 0, ends[rows - 1], 0)
    # RFC 6455 §5.2: heads have 2, 4 or 10 bytes.
    heads = np.where(sizes <= 127, 2, np.where(sizes <= 65_539, 4, 10))
    return sizes - heads
