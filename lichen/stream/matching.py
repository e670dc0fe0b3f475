"""Which rows of a block somebody wants: by the side index alone.

The cost follows what matches. A block whose Bloom filter has none of the wanted actors is passed in
a microsecond; otherwise the most selective part goes first and the others look at its rows alone.
Actors stand in the index as hashes of 32 bits, so a match is verified in the message itself: the
last step, since it opens messages, and bounded, since it may open all of them.
"""

from bisect import bisect_left
from collections.abc import Callable
from functools import lru_cache
from typing import Final, NamedTuple

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
from lichen.stream.frames import message_in, v2_growth
from lichen.stream.limits import FILTER_BLOOM_DIDS_MAX, MATCHERS_MAX, VERIFIED_MAX
from lichen.stream.model import EVERYTHING, Filter, Kind, Operation, Wire

_NOTHING: Final = np.empty(0, np.intp)
_GROWTHS: Final = np.array([v2_growth(kind) for kind in Kind], np.int64)


class _Langs(msgspec.Struct):
    langs: list[str] = []


class _Commit(msgspec.Struct):
    record: _Langs = msgspec.field(default_factory=_Langs)


class _Message(msgspec.Struct):
    commit: _Commit = msgspec.field(default_factory=_Commit)


_MESSAGE: Final = msgspec.json.Decoder(_Message)


class Matched(NamedTuple):
    """The wanted rows, in order; None means all of them. `stop` was not looked at any more."""

    rows: Rows | None
    stop: int


class Matcher:
    """A filter, prepared for looking at columns."""

    def __init__(self, wanted: Filter, wire: Wire) -> None:
        self._wanted = wanted
        self._is_v2 = wire == Wire.V2
        self._everything = wanted == EVERYTHING
        self._by_marks = np.array([self._wants_marks(marks) for marks in range(256)], np.bool_)
        self._actors = np.sort(np.array([actor_hash(did) for did in wanted.dids], np.uint32))
        self._mentioned = {actor_hash(did) for did in wanted.mentions}
        self._quoted = [b'"%b"' % did.encode() for did in wanted.mentions]
        self._bits = ([bloom_bits(int(actor)) for actor in self._actors]
                      if len(self._actors) <= FILTER_BLOOM_DIDS_MAX else [])
        self._collections: dict[str, bool] = {}

    def matched(self, block: Block, start: int, *, is_readable: Callable[[], bool]) -> Matched:
        """Return the wanted rows from `start` on.

        `is_readable` says whether the plain messages have their checksum; without it what would
        have to be verified in them is not wanted.
        """
        if self._wants_all(block):
            return Matched(None, block.events)
        rows = self.candidates(block, start)
        unsure = self._unsure(block, rows)
        if not len(unsure):
            return Matched(rows, block.events)
        if not is_readable():
            return Matched(_NOTHING, block.events)
        stop = block.events
        if len(unsure) > VERIFIED_MAX:
            stop = int(unsure[VERIFIED_MAX])
            rows, unsure = rows[rows < stop], unsure[:VERIFIED_MAX]
        wrong = [row for row in unsure.tolist() if not self._is_wanted(block, row)]
        return Matched(np.setdiff1d(rows, wrong, assume_unique=True) if wrong else rows, stop)

    def rows(self, block: Block, start: int, stop: int) -> Rows | None:
        """Return the rows of `start` to `stop` that the side index does not exclude.

        None means all of them; hashes are not verified.
        """
        if self._wants_all(block):
            return None
        rows = self.candidates(block, start)
        found: Rows = rows[: int(rows.searchsorted(stop))]
        return found

    def _wants_all(self, block: Block) -> bool:
        return self._everything and (self._is_v2 or not block.has_sync)

    def candidates(self, block: Block, start: int) -> Rows:
        """Return the rows that the side index does not exclude."""
        rows: Rows | None = None
        if self._wanted.mentions:
            rows = self._mentioning(block, start)
        if self._wanted.dids:
            rows = self._of_actors(block, rows, start)
        if rows is not None and not len(rows):
            return rows
        where = slice(start, block.events) if rows is None else rows
        mask = self._by_marks[block.columns.marks[where]]
        if self._wanted.collections or self._wanted.prefixes:
            mask &= self._table_of(block)[block.columns.collection[where]]
        found: Rows = np.flatnonzero(mask) + start if rows is None else rows[mask]
        if self._wanted.langs:
            found = found[self._langs_of(block)[block.columns.langs[found]]]
        if self._wanted.message_bytes_max:
            found = found[self._message_bytes(block, found) <= self._wanted.message_bytes_max]
        return found

    def _unsure(self, block: Block, rows: Rows) -> Rows:
        """Return the rows whose messages have to be looked at."""
        if self._wanted.dids or self._wanted.mentions:
            return rows
        if not self._wanted.langs:
            return _NOTHING
        unsure: Rows = rows[block.columns.langs[rows] == LANGS_OTHER]
        return unsure

    def _is_wanted(self, block: Block, row: int) -> bool:
        """Say what only the message can say: hashes may be shared, languages be too many."""
        wanted, plain = self._wanted, bytes(block.plain_of(row))
        if wanted.dids and actor_in(plain) not in wanted.dids:
            return False
        if wanted.mentions:
            head_end = plain.index(b',"time_us":')  # whoever writes does not mention himself so
            if not any(plain.find(one, head_end) >= 0 for one in self._quoted):
                return False
        is_known = not wanted.langs or block.columns.langs[row] != LANGS_OTHER
        return is_known or not wanted.langs.isdisjoint(_langs_in(plain))

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

    def _of_actors(self, block: Block, rows: Rows | None, start: int) -> Rows:
        if self._bits and not any(may_hold(block.bloom, bits) for bits in self._bits):
            return _NOTHING
        actors = block.columns.actor[start:] if rows is None else block.columns.actor[rows]
        if len(self._actors) == 1:
            mask = actors == self._actors[0]
        else:
            places = self._actors.searchsorted(actors)
            places[places == len(self._actors)] = 0
            mask = self._actors[places] == actors
        found: Rows = np.flatnonzero(mask) + start if rows is None else rows[mask]
        return found

    def _mentioning(self, block: Block, start: int) -> Rows:
        mentions = block.names.mentions
        first = bisect_left(mentions, (start, 0))
        # Of the growing block the list may be longer already than what is visible.
        return np.array(sorted({row for row, actor in mentions[first:]
                                if actor in self._mentioned and row < block.events}), np.intp)

    def _langs_of(self, block: Block) -> NDArray[np.bool_]:
        """Return by number which languages of a block may be wanted."""
        table = np.zeros(LANGS_OTHER + 1, np.bool_)
        table[LANGS_OTHER] = True
        for number, langs in enumerate(block.names.langs, 1):
            table[number] = not self._wanted.langs.isdisjoint(langs)
        return table

    def _message_bytes(self, block: Block, rows: Rows) -> NDArray[np.int64]:
        """Return the bytes of the JSON of some rows, as their wire says it."""
        sizes = message_bytes(block, rows)
        if self._is_v2:
            sizes += v2_growths(block, rows)
        return sizes


@lru_cache(maxsize=MATCHERS_MAX)
def matcher_of(wanted: Filter, wire: Wire) -> Matcher:
    """Return the matcher of a filter; equal filters share one."""
    return Matcher(wanted, wire)


def actor_of(block: Block, row: int) -> str:
    """Return the DID of a row's actor."""
    return actor_in(bytes(block.plain_of(row)[:2_048]))


def actor_in(plain: bytes) -> str:
    """Return the DID of an event, from the start of its plain frame."""
    at = plain.index(b'{"did":"') + 8
    return plain[at : plain.index(b'"', at)].decode()


def message_bytes(block: Block, rows: Rows) -> NDArray[np.int64]:
    """Return the bytes of the plain JSON of some rows, without the heads of their frames."""
    ends = block.columns.plain_end.astype(np.int64)
    sizes = ends[rows] - np.where(rows > 0, ends[rows - 1], 0)
    # RFC 6455 §5.2: heads have 2, 4 or 10 bytes.
    heads = np.where(sizes <= 127, 2, np.where(sizes <= 65_539, 4, 10))
    found: NDArray[np.int64] = sizes - heads
    return found


def v2_growths(block: Block, rows: Rows) -> NDArray[np.int64]:
    """Return by how much the second wire's JSON of some rows is longer than the first wire's."""
    growths = _GROWTHS[block.columns.marks[rows] & KIND_MASK]
    digits = np.full(len(rows), len(str(block.base_time_us)), np.int64)
    for more in range(len(str(block.base_time_us)), len(str(block.last_time_us))):
        digits += block.columns.time[rows] >= 10**more - block.base_time_us
    found: NDArray[np.int64] = growths - digits
    return found


def _langs_in(plain: bytes) -> list[str]:
    try:
        return _MESSAGE.decode(message_in(plain)).commit.record.langs
    except msgspec.DecodeError:
        return []  # a record may hold anything under this name
