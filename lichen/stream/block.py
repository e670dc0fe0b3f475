"""A block: a run of events as readers see it, sealed in a file or still growing in memory."""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from lichen.stream.columns import (
    DELTA_MAX,
    KIND_MASK,
    LANGS_OTHER,
    Columns,
    empty_columns,
)
from lichen.stream.layout import Names, Record, names_bytes
from lichen.stream.limits import (
    BLOCK_AGE_US_MAX,
    BLOCK_BYTES_MAX,
    BLOCK_EVENTS_MAX,
    NAMES_BYTES_MAX,
)
from lichen.stream.model import Form, Kind

BLOOM_BITS: Final = 1 << 16
BLOOM_EVENTS_MIN: Final = 1_024  # below, the columns are as quickly looked at as the filter
# Four independent hashes out of one: multiply by an odd number, keep the upper 16 bits.
_FACTORS: Final = np.array([0x9E3779B1, 0x85EBCA6B, 0xC2B2AE35, 0x27D4EB2F], np.uint32)

Rows = NDArray[np.intp]  # numbers of rows in a block, in order


class Block:
    """A run of events; immutable, but for the memo of derived messages."""

    __slots__ = (
        "base_time_us", "bloom", "columns", "dictionary", "events", "first_seq", "has_sync",
        "is_sealed", "last_seq", "memo", "names", "packed", "plain", "position",
    )

    def __init__(self, record: Record, *, is_sealed: bool, has_sync: bool | None = None) -> None:
        self.first_seq = record.first_seq
        self.last_seq = record.last_seq
        self.base_time_us = record.base_time_us
        self.dictionary = record.dictionary
        self.position = record.position
        self.names = record.names
        self.columns = record.columns
        self.plain = memoryview(record.plain)
        self.packed = memoryview(record.packed)
        self.bloom = record.bloom
        self.events = len(record.columns.seq)
        self.is_sealed = is_sealed
        self.memo: dict[tuple[Form, int], bytes] = {}
        self.has_sync = _has_sync(record.columns) if has_sync is None else has_sync

    @property
    def last_time_us(self) -> int:
        """Return the time of the last event, that of the block when there is none."""
        return self.base_time_us + (int(self.columns.time[-1]) if self.events else 0)

    def row_at(self, seq: int) -> int:
        """Return the first row whose sequence is not before `seq`."""
        delta = seq - self.first_seq
        return int(self.columns.seq.searchsorted(min(delta, DELTA_MAX))) if delta > 0 else 0

    def seq_of(self, row: int) -> int:
        """Return the sequence of a row."""
        return self.first_seq + int(self.columns.seq[row])

    def row_at_time(self, time_us: int) -> int:
        """Return the first row whose time is not before `time_us`."""
        delta = min(time_us - self.base_time_us, DELTA_MAX)
        return int(self.columns.time.searchsorted(delta)) if delta > 0 else 0

    def plain_of(self, row: int) -> memoryview:
        """Return the plain frame of a row; no copy."""
        ends = self.columns.plain_end
        return self.plain[int(ends[row - 1]) if row else 0 : int(ends[row])]

    def as_record(self) -> Record:
        """Return the block as a record; no copy."""
        return Record(self.first_seq, self.last_seq, self.base_time_us, self.position,
                      self.dictionary, self.names, self.columns, self.plain, self.packed,
                      self.bloom)

    def part(self, start: int, stop: int) -> Record:
        """Return the events of some rows as a record of its own; spans what lies between them.

        Its times begin with its first event, so that blocks made of parts are ordered by them; how
        far the source was read is known only behind the last row.
        """
        record = part_of(self, np.arange(start, stop),
                         position=self.position if stop == self.events else 0,
                         span=(self.seq_of(start), self.seq_of(stop - 1)))
        base_time = record.columns.time[0]
        return record._replace(
            base_time_us=self.base_time_us + int(base_time),
            columns=record.columns._replace(time=record.columns.time - base_time))


class GrowingBlock:
    """The block that appends go to: arrays with room, of which readers see what is durable.

    One thread adds; readers on others take `block`, which is replaced in one step. Its buffers
    never move, so that what readers hold of them stays.
    """

    def __init__(self, first_seq: int, base_time_us: int, *, dictionary: int,
                 position: int = 0) -> None:
        self._columns = empty_columns(BLOCK_EVENTS_MAX)
        # Of numpy, since a bytearray would write its zeros and so take all of its memory at once.
        self._plain = np.empty(BLOCK_BYTES_MAX, np.uint8).data
        self._packed = np.empty(BLOCK_BYTES_MAX, np.uint8).data
        self._collections: dict[str, int] = {}
        self._langs: dict[tuple[str, ...], int] = {}
        self._mentions: list[tuple[int, int]] = []
        self._names_bytes = 0
        self.block = self._empty(first_seq, first_seq - 1, base_time_us, position=position,
                                 dictionary=dictionary)

    def has_room_for(self, record: Record) -> bool:
        """Say whether a record can be added."""
        now = self.block
        span = record.last_seq - now.first_seq
        age_us = record.base_time_us - now.base_time_us
        events = len(record.columns.seq)
        if not now.events:
            return True
        return (now.events + events <= BLOCK_EVENTS_MAX
                and len(now.plain) + len(record.plain) <= BLOCK_BYTES_MAX
                and len(now.packed) + len(record.packed) <= BLOCK_BYTES_MAX
                and len({*self._langs, *map(tuple, record.names.langs)}) < LANGS_OTHER
                and self._names_bytes + names_bytes(record.names) <= NAMES_BYTES_MAX
                and record.dictionary == now.dictionary
                and span <= DELTA_MAX and age_us <= BLOCK_AGE_US_MAX // 2
                and (not events or age_us + int(record.columns.time[-1]) <= DELTA_MAX))

    def add(self, record: Record) -> None:
        """Add a record that is durable, and show it."""
        now, added = self.block, len(record.columns.seq)
        if not now.events:
            # Times never go back, also where a record without events is all that tells of them.
            base_time_us = max(now.base_time_us, record.base_time_us)
            now = self._empty(record.first_seq if added else record.last_seq + 1, now.last_seq,
                              record.base_time_us if added else base_time_us,
                              position=now.position, dictionary=record.dictionary)
        plain, packed = len(now.plain), len(now.packed)
        rows = slice(now.events, now.events + added)
        shifts = (record.first_seq - now.first_seq, record.base_time_us - now.base_time_us,
                  plain, packed)
        for column, new, shift in zip(self._columns[:4], record.columns[:4], shifts, strict=True):
            column[rows] = new + new.dtype.type(shift) if added else new
        self._columns.actor[rows] = record.columns.actor
        self._columns.marks[rows] = record.columns.marks
        self._columns.collection[rows] = self._numbers_of_collections(record)
        self._columns.langs[rows] = self._numbers_of_langs(record)
        self._names_bytes += names_bytes(record.names)
        self._mentions += [(row + now.events, actor) for row, actor in record.names.mentions]
        self._plain[plain : plain + len(record.plain)] = record.plain
        self._packed[packed : packed + len(record.packed)] = record.packed
        self._show(record, now, rows.stop)

    def _empty(self, first_seq: int, last_seq: int, base_time_us: int, *, position: int,
               dictionary: int) -> Block:
        return Block(Record(first_seq, last_seq, base_time_us, position, dictionary, Names(),
                            self._columns.first(0), b"", b""), is_sealed=False, has_sync=False)

    def _show(self, record: Record, now: Block, events: int) -> None:
        plain, packed = len(now.plain), len(now.packed)
        names = now.names
        if (len(names.collections), len(names.langs)) != (len(self._collections), len(self._langs)):
            names = Names(list(self._collections), list(map(list, self._langs)), self._mentions)
        elif names.mentions is not self._mentions:
            names = Names(names.collections, names.langs, self._mentions)
        shown = Block(Record(
            now.first_seq, record.last_seq, now.base_time_us, record.position or now.position,
            record.dictionary, names, self._columns.first(events),
            self._plain[: plain + len(record.plain)],
            self._packed[: packed + len(record.packed)],
        ), is_sealed=False, has_sync=now.has_sync or _has_sync(record.columns))
        shown.memo = now.memo
        self.block = shown

    def _numbers_of_collections(self, record: Record) -> NDArray[np.uint16]:
        known = self._collections
        numbers = [0, *(known.setdefault(one, len(known) + 1) for one in record.names.collections)]
        return np.array(numbers, np.uint16)[record.columns.collection]

    def _numbers_of_langs(self, record: Record) -> NDArray[np.uint8]:
        known = self._langs
        numbers = np.full(LANGS_OTHER + 1, LANGS_OTHER, np.uint8)
        numbers[0] = 0
        for number, langs in enumerate(record.names.langs, 1):
            numbers[number] = known.setdefault(tuple(langs), len(known) + 1)
        return numbers[record.columns.langs]


def _has_sync(columns: Columns) -> bool:
    return bool((columns.marks & KIND_MASK == Kind.SYNC).any())


def part_of(block: Block, rows: Rows, *, position: int, span: tuple[int, int],
            with_bloom: bool = False) -> Record:
    """Return some rows of a block as a record of their own, which spans these sequences."""
    columns, first_seq = block.columns, span[0]
    plain, plain_ends = gathered(block.plain, columns.plain_end, rows)
    packed, packed_ends = gathered(block.packed, columns.packed_end, rows)
    shift = np.int64(block.first_seq - first_seq)
    kept = Columns(
        (columns.seq[rows] + shift).astype(np.uint32), columns.time[rows], plain_ends, packed_ends,
        columns.actor[rows], columns.collection[rows], columns.marks[rows], columns.langs[rows])
    places = {int(row): number for number, row in enumerate(rows)} if block.names.mentions else {}
    mentions = [(places[row], actor) for row, actor in block.names.mentions if row in places]
    return Record(
        first_seq, span[1], block.base_time_us, position, block.dictionary,
        Names(block.names.collections, block.names.langs, mentions), kept, plain, packed,
        bloom_over(kept) if with_bloom else b"")


def gathered(content: memoryview, ends: NDArray[np.unsignedinteger],
             rows: Rows) -> tuple[bytes, NDArray[np.uint32]]:
    """Return the messages of some rows back to back, and where each ends."""
    stops = ends[rows].astype(np.int64)
    starts = np.where(rows > 0, ends[rows - 1].astype(np.int64), 0) if len(rows) else stops
    parts = map(content.__getitem__, map(slice, starts.tolist(), stops.tolist()))
    return b"".join(parts), np.cumsum(stops - starts).astype(np.uint32)


def bloom_over(columns: Columns) -> bytes:
    """Return a Bloom filter over the actors of a block, empty where it would not pay.

    64 Kibit, 4 hashes: with 5,000 actors one in 200 that is not there seems to be (Bloom 1970).
    """
    if len(columns.seq) < BLOOM_EVENTS_MIN:
        return b""
    bits = np.zeros(BLOOM_BITS, np.bool_)
    bits[_bits_of(columns.actor)] = True
    return np.packbits(bits, bitorder="little").tobytes()


def bloom_bits(actor: int) -> list[int]:
    """Return the four bits of an actor, for `may_hold`."""
    return [int(bit) for bit in _bits_of(np.array([actor], np.uint32))[0]]


def may_hold(bloom: bytes | memoryview, bits: list[int]) -> bool:
    """Say whether a block's filter has all bits of an actor; a block without one may hold any."""
    return not bloom or all(bloom[bit >> 3] >> (bit & 7) & 1 for bit in bits)


def _bits_of(actors: NDArray[np.unsignedinteger]) -> NDArray[np.uint32]:
    hashes: NDArray[np.uint32] = (actors.astype(np.uint32)[:, None] * _FACTORS) >> np.uint32(16)
    return hashes
