"""The one step of every reader: from a cursor to the next chunk of messages, and the next cursor.

Replay and live are the same step over the same sequence, so there is no seam between them. A reader
keeps nothing but its cursor.
"""

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
    message_in,
    source_message,
    v2_message,
)
from lichen.stream.limits import BLOCKS_PASSED_MAX, CHUNK_BYTES_MAX, MEMO_MESSAGES_MAX
from lichen.stream.matching import matcher_of
from lichen.stream.model import Filter, Form, Kind, Wire

_NOTHING: Final = b""


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
        found = store.find(seq)
        if found is None:
            return Pulled(_NOTHING, 0, seq, scanned)
        block = found.block
        start = block.row_at(seq)
        rows = matcher.rows(block, start, block.events)
        data, events, stop = _taken(store, found, start, rows, form=form, bytes_max=bytes_max,
                                    message_bytes_max=wanted.message_bytes_max)
        scanned += stop - start
        seq = block.last_seq + 1 if stop >= block.events else block.seq_of(stop)
        if events:
            return Pulled(data, events, seq, scanned)
    return Pulled(_NOTHING, 0, seq, scanned)


def _taken(store: Store, found: Found, start: int, rows: Rows | None, *, form: Form,
           bytes_max: int, message_bytes_max: int) -> tuple[bytes | memoryview, int, int]:
    """Return messages, their number, and the first row that was not looked at."""
    block = found.block
    if start >= block.events or (rows is not None and not len(rows)):
        return _NOTHING, 0, block.events
    is_packed = form.wire == Wire.V1 and form.is_framed and form.dictionary == block.dictionary
    if not found.is_sendable(packed=is_packed):
        return _NOTHING, 0, block.events
    if is_packed:
        return _stored(block, block.packed, start, rows, ends=block.columns.packed_end,
                       bytes_max=bytes_max)
    if form == Form():
        return _stored(block, block.plain, start, rows, ends=block.columns.plain_end,
                       bytes_max=bytes_max)
    chosen = range(start, block.events) if rows is None else rows.tolist()
    limit = message_bytes_max if form.wire == Wire.V2 else 0
    return _derived(block, chosen, form, store.dictionaries, bytes_max=bytes_max,
                    message_bytes_max=limit)


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


def _derived(block: Block, rows: "range | list[int]", form: Form, dictionaries: Dictionaries, *,
             bytes_max: int, message_bytes_max: int) -> tuple[bytes, int, int]:
    """Return messages in a form that is not stored; those of the growing block are remembered."""
    parts: list[bytes] = []
    size = 0
    memo = None if block.is_sealed else block.memo
    for row in rows:
        message = memo.get((form, row)) if memo is not None else None
        if message is None:
            message = _message(block, row, form, dictionaries, bytes_max=message_bytes_max)
            if memo is not None and not message_bytes_max:
                _remember(memo, (form, row), message)
        if parts and size + len(message) > bytes_max:
            return b"".join(parts), len(parts), row
        if message:
            parts.append(message)
            size += len(message)
    return b"".join(parts), len(parts), block.events


def _message(block: Block, row: int, form: Form, dictionaries: Dictionaries, *,
             bytes_max: int) -> bytes:
    """Return one message in a form that is not stored; nothing when it is larger than wanted."""
    message = message_in(block.plain_of(row))
    if form.wire == Wire.V2:
        message = v2_message(message, Kind(int(block.columns.marks[row]) & KIND_MASK))
        if bytes_max and len(message) > bytes_max:
            return _NOTHING
    if not form.is_framed:
        return source_message(message, block.seq_of(row))
    if form.dictionary:
        return framed(BINARY, dictionaries.compressor(form.dictionary).compress(message))
    return framed(TEXT, message)


def _remember(memo: dict[tuple[Form, int], bytes], key: tuple[Form, int], message: bytes) -> None:
    if len(memo) >= MEMO_MESSAGES_MAX:
        memo.clear()
    memo[key] = message
