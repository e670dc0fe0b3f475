"""The one step of every reader: from a cursor to the next chunk of messages, and the next cursor.

Replay and live are the same step over the same sequence, so there is no seam between them. A reader
keeps nothing but its cursor.
"""

from collections.abc import Callable, Iterator
from functools import partial
from itertools import pairwise
from typing import Final, NamedTuple

import numpy as np

from lichen.stream.block import Block, Rows
from lichen.stream.columns import KIND_MASK
from lichen.stream.dictionary import Dictionaries
from lichen.stream.engine import Found, Store
from lichen.stream.frames import (
    BINARY,
    TEXT,
    framed,
    source_message,
    v2_message,
)
from lichen.stream.limits import BLOCKS_PASSED_MAX, CHUNK_BYTES_MAX, MEMO_MESSAGES_MAX
from lichen.stream.matching import matcher_of, message_bytes
from lichen.stream.model import Filter, Form, Kind, Wire

_NOTHING: Final = b""
_KINDS: Final = tuple(Kind)
ROWS_AT_ONCE: Final = 256  # some more than a chunk holds



class Pulled(NamedTuple):
    """What a pull found: whole messages, and where to go on.

    No data and a later `next_seq` means that nothing matched so far; nothing new at all leaves
    `next_seq` where it was.
    """

    data: bytes | memoryview
    events: int
    next_seq: int
    scanned: int


def pull(store: Store, from_seq: int, wanted: Filter, form: Form, *,
         bytes_max: int = CHUNK_BYTES_MAX) -> Pulled:
    """Return the next messages from a cursor on, at most `bytes_max`, but at least one.

    Costs some microseconds a block, and what matches. Raises StreamUnavailable.
    """
    matcher = matcher_of(wanted, form.wire)
    seq, scanned = max(from_seq, store.first_seq), 0
    for _ in range(BLOCKS_PASSED_MAX):
        # Read before looking: what is appended in between is found by the look, or is behind it.
        tip = store.next_seq
        found = store.find(seq)
        if found is None:
            return Pulled(_NOTHING, 0, max(seq, tip), scanned)
        block = found.block
        start = block.row_at(seq)
        rows, stop = matcher.matched(block, start,
                                     is_readable=partial(found.is_sendable, packed=False))
        data, events, taken = _taken(store, found, start, rows, form=form, bytes_max=bytes_max)
        is_cut_short = taken < block.events or stop < block.events
        stop = min(taken, stop)
        scanned += stop - start
        seq = block.seq_of(stop) if is_cut_short else block.last_seq + 1
        if events or is_cut_short:
            return Pulled(data, events, seq, scanned)
    return Pulled(_NOTHING, 0, seq, scanned)


def is_stored(form: Form, block: Block) -> bool:
    """Say whether a block holds its messages in this form, ready to be sent."""
    return form == Form() or _is_packed(form, block)


def stored_messages(found: Found, start: int, stop: int, form: Form) -> list[bytes] | None:
    """Return the messages of rows `start` to `stop`, one by one, in a form that is stored.

    None where the block is damaged. For who has looked at the block already.
    """
    block = found.block
    is_packed = _is_packed(form, block)
    if not found.is_sendable(packed=is_packed):
        return None
    content, ends = ((block.packed, block.columns.packed_end) if is_packed
                     else (block.plain, block.columns.plain_end))
    begin = int(ends[start - 1]) if start else 0
    data = bytes(content[begin:int(ends[stop - 1])])
    offsets = [0, *(ends[start:stop].astype(np.int64) - begin).tolist()]
    return [data[one:other] for one, other in pairwise(offsets)]


def derived_message(store: Store, found: Found, row: int, form: Form) -> bytes:
    """Return one row's message in a form that is not stored; those of the growing block stay."""
    block = found.block
    message = None if block.is_sealed else block.memo.get((form, row))
    if message is None:
        place = next(_places(block, row, np.array([row])))
        message = _derivation(block, form, store.dictionaries)(*place)
        if not block.is_sealed:
            _remember(block.memo, (form, row), message)
    return message


def _is_packed(form: Form, block: Block) -> bool:
    return form.wire == Wire.V1 and form.is_framed and form.dictionary == block.dictionary


def _taken(store: Store, found: Found, start: int, rows: Rows | None, *, form: Form,
           bytes_max: int) -> tuple[bytes | memoryview, int, int]:
    """Return messages, their number, and the first row that was not looked at."""
    block = found.block
    if start >= block.events or (rows is not None and not len(rows)):
        return _NOTHING, 0, block.events
    is_packed = _is_packed(form, block)
    if not found.is_sendable(packed=is_packed):
        return _NOTHING, 0, block.events
    if is_packed:
        return _stored(block, block.packed, start, rows, ends=block.columns.packed_end,
                       bytes_max=bytes_max)
    if form == Form():
        return _stored(block, block.plain, start, rows, ends=block.columns.plain_end,
                       bytes_max=bytes_max)
    return _derived(block, start, rows, form, store.dictionaries, bytes_max=bytes_max)


def _stored(block: Block, content: memoryview, start: int, rows: Rows | None, *,
            ends: "np.ndarray[tuple[int], np.dtype[np.unsignedinteger]]",
            bytes_max: int) -> tuple[bytes | memoryview, int, int]:
    """Return messages as they are stored: one slice where all are wanted, else a gathering."""
    if rows is None:
        begin = int(ends[start - 1]) if start else 0
        stop = max(start + 1, int(ends.searchsorted(begin + bytes_max, "right")))
        data = content[begin : int(ends[stop - 1])]
        # A sealed block is a mapped file and costs nothing to hold on to; the growing one is
        # memory, which whoever reads slowly would keep.
        return data if block.is_sealed else bytes(data), stop - start, stop
    stops = ends[rows].astype(np.int64)
    starts = np.where(rows > 0, ends[rows - 1].astype(np.int64), 0)
    sizes = np.cumsum(stops - starts)
    count = max(1, int(sizes.searchsorted(bytes_max, "right")))
    parts = map(content.__getitem__,
                map(slice, starts[:count].tolist(), stops[:count].tolist()))
    stop = int(rows[count]) if count < len(rows) else block.events
    return b"".join(parts), min(count, len(rows)), stop


def _derived(block: Block, start: int, rows: Rows | None, form: Form, dictionaries: Dictionaries,
             *, bytes_max: int) -> tuple[bytes, int, int]:
    """Return messages in a form that is not stored; those of the growing block are remembered."""
    parts: list[bytes] = []
    size = 0
    derive = _derivation(block, form, dictionaries)
    memo = None if block.is_sealed else block.memo
    for row, begin, end, kind in _places(block, start, rows):
        message = memo.get((form, row)) if memo is not None else None
        if message is None:
            message = derive(row, begin, end, kind)
            if memo is not None:
                _remember(memo, (form, row), message)
        size += len(message)
        if parts and size > bytes_max:
            return b"".join(parts), len(parts), row
        parts.append(message)
    return b"".join(parts), len(parts), block.events


def _places(block: Block, start: int, rows: Rows | None) -> Iterator[tuple[int, int, int, Kind]]:
    """Iterate over rows, where their JSON stands, and their kinds; some hundred at once."""
    marks = block.columns.marks
    count = block.events - start if rows is None else len(rows)
    for at in range(0, count, ROWS_AT_ONCE):
        some = (np.arange(start + at, start + min(at + ROWS_AT_ONCE, count)) if rows is None
                else rows[at : at + ROWS_AT_ONCE])
        ends = block.columns.plain_end[some].astype(np.int64)
        yield from zip(some.tolist(), (ends - message_bytes(block, some)).tolist(), ends.tolist(),
                       map(_KINDS.__getitem__, (marks[some] & KIND_MASK).tolist()), strict=True)


def _derivation(block: Block, form: Form,
                dictionaries: Dictionaries) -> Callable[[int, int, int, Kind], bytes]:
    """Return what makes a message in a form that is not stored."""
    plain = block.plain
    compress = dictionaries.compressor(form.dictionary).compress if form.dictionary else None
    is_v2, is_framed, seqs = form.wire == Wire.V2, form.is_framed, block.columns.seq

    def derive(row: int, begin: int, end: int, kind: Kind) -> bytes:
        message = plain[begin:end].tobytes()
        if is_v2:
            message = v2_message(message, kind)
        if not is_framed:
            return source_message(message, block.first_seq + int(seqs[row]))
        if compress is not None:
            return framed(BINARY, compress(message))
        return framed(TEXT, message)

    return derive


def _remember(memo: dict[tuple[Form, int], bytes], key: tuple[Form, int], message: bytes) -> None:
    if len(memo) >= MEMO_MESSAGES_MAX:
        memo.clear()
    memo[key] = message
