"""What a segment's bytes are worth after a crash or damage: pure decisions, no I/O.

Bytes come in, pieces go out: runs of sound blocks as they stand, blocks written anew with the
records of a bad one that are still whole, and blocks that say which sequences are lost. Two kinds
of harm are told apart:

* **A torn tail.** Only the last write before a crash can be incomplete, as every earlier one was
  synced before the next began. In the last segment, what follows the last sound block is therefore
  a write that was never acknowledged: it is cut after its last whole record.
* **Damage.** Anything bad that has something sound after it, or that stands in a closed segment,
  had been durable. It is replaced by a block that says so; the bad bytes are kept aside.

The last block of the last segment can be either. When it has its full length it may be an
acknowledged one that rotted, so its cut bytes are kept aside too.
"""

from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from lichen.log.file_system import Part
from lichen.log.format import (
    BLOCK_HEAD_BYTES,
    BLOCK_MAGIC,
    SEGMENT_HEAD_BYTES,
    BlockHead,
    Table,
    decode_block_head,
    encode_damaged,
    intact,
    is_whole,
    line_ends,
    pack_block,
    read_table,
)


class Damage(NamedTuple):
    """Sequences that are lost, and the bytes of the segment where they stood."""

    first_seq: int
    last_seq: int
    start: int
    end: int


class TornTail(NamedTuple):
    """The end of the last segment that was cut off, after sequence `last_seq`."""

    last_seq: int
    start: int
    end: int
    is_short: bool


@dataclass(slots=True)
class Salvage:
    """What was found: the pieces that make up the mended segment, and what is wrong."""

    last_seq: int
    last_time_us: int
    pieces: list[Part] = field(default_factory=list)
    damages: list[Damage] = field(default_factory=list)
    tail: TornTail | None = None

    @property
    def is_sound(self) -> bool:
        """Say whether the segment can stay as it is."""
        return not self.damages and self.tail is None

    def keep(self, *pieces: Part, last_seq: int, last_time_us: int) -> None:
        """Take over blocks that end with the given sequence and time."""
        assert last_seq >= self.last_seq
        self.pieces += pieces
        self.last_seq = last_seq
        self.last_time_us = max(self.last_time_us, last_time_us)

    def lose(self, last_seq: int, *, start: int, end: int, last_time_us: int = 0) -> None:
        """Note that what follows, up to `last_seq`, is lost, and that it stood in these bytes."""
        first_seq = self.last_seq + 1
        self.damages.append(Damage(first_seq, last_seq, start, end))
        time_us = max(self.last_time_us, last_time_us)
        self.keep(encode_damaged(first_seq, last_seq, time_us), last_seq=last_seq,
                  last_time_us=time_us)


def salvage(content: bytes, *, first_seq: int, previous_time_us: int,
            last_seq: int | None) -> Salvage:
    """Return what a segment's bytes are worth.

    `last_seq` is where the segment must end by its successor's word; None for the last segment,
    whose end may be torn.
    """
    found = Salvage(first_seq - 1, previous_time_us)
    found.pieces.append(memoryview(content)[:SEGMENT_HEAD_BYTES])
    at = SEGMENT_HEAD_BYTES
    while at < len(content) and (last_seq is None or found.last_seq < last_seq):
        head = _sound_head(content, at, last_seq)
        if head is not None and head.first_seq == found.last_seq + 1:
            at = _take_block(found, content, at, head, is_tail=last_seq is None)
            continue
        start, at, head = at, *_next_block(content, at, after_seq=found.last_seq, last_seq=last_seq)
        if head is not None:
            found.lose(head.first_seq - 1, start=start, end=at)
        elif last_seq is None:
            found.tail = TornTail(found.last_seq, start, at, is_short=_is_short(content, start))
    if last_seq is not None and found.last_seq < last_seq:
        found.lose(last_seq, start=min(at, len(content)), end=len(content))
    return found


def _sound_head(content: bytes, at: int, last_seq: int | None) -> BlockHead | None:
    """Return the header of the block at an offset if it and its table have their checksum."""
    view = memoryview(content)[at:]
    head = decode_block_head(view)
    if head is None or len(view) < BLOCK_HEAD_BYTES + head.table_bytes:
        return None
    if not is_whole(view[: BLOCK_HEAD_BYTES + head.table_bytes]):
        return None
    return head if last_seq is None or head.last_seq <= last_seq else None


def _next_block(content: bytes, at: int, *, after_seq: int,
                last_seq: int | None) -> tuple[int, BlockHead | None]:
    """Return where the next sound block with later sequences is, or the end and None."""
    while (at := content.find(BLOCK_MAGIC, at)) >= 0:
        head = _sound_head(content, at, last_seq)
        if head is not None and head.first_seq > after_seq:
            return at, head
        at += 1
    return len(content), None


def _is_short(content: bytes, at: int) -> bool:
    """Say whether the file ends before the block at an offset does: then it was never synced."""
    if len(content) - at < BLOCK_HEAD_BYTES:
        return True
    head = decode_block_head(memoryview(content)[at:])
    # Without a readable header: zeros are parts of the file that never reached the disk.
    return at + head.size > len(content) if head else not any(content[at:])


def _take_block(found: Salvage, content: bytes, at: int, head: BlockHead, *,
                is_tail: bool) -> int:
    """Take over what is whole of a block; return where it ends."""
    table_at = at + BLOCK_HEAD_BYTES
    body_at = table_at + head.table_bytes
    end = at + head.size
    table = read_table(memoryview(content)[table_at:body_at])
    body = content[body_at:end]
    good = intact(table, body)
    if good.all():
        found.keep(memoryview(content)[at:end], last_seq=head.last_seq,
                   last_time_us=head.last_time_us)
    elif is_tail and _next_block(content, at, after_seq=head.last_seq, last_seq=None)[1] is None:
        whole = int(np.argmin(good))  # the first that is not
        _take_runs(found, _Torn(head, table, body, good), stop=whole, start=at, end=end)
        found.tail = TornTail(found.last_seq, at, len(content), is_short=end > len(content))
        return len(content)
    else:
        _take_runs(found, _Torn(head, table, body, good), stop=len(table), start=at, end=end)
    return end


class _Torn(NamedTuple):
    """A block some of whose records are bad."""

    head: BlockHead
    table: Table
    body: bytes
    good: NDArray[np.bool_]


def _take_runs(found: Salvage, block: _Torn, *, stop: int, start: int, end: int) -> None:
    """Take over the first `stop` records in runs of whole ones and of lost ones."""
    ends = [0, *line_ends(block.table).tolist()]
    seqs = [*block.table["seq"].tolist(), block.head.last_seq + 1]
    edges = np.flatnonzero(np.diff(block.good[:stop])) + 1
    for low, high in zip([0, *edges.tolist()], [*edges.tolist(), stop], strict=True):
        if low == high:
            continue
        # A hole that an erasure left belongs to the record before it.
        last_seq = seqs[high] - 1
        time_us = (block.head.last_time_us if high == len(block.table)
                   else int(block.table["time_us"][high - 1]))
        if not block.good[low]:
            found.lose(last_seq, start=start, end=end, last_time_us=time_us)
            continue
        pieces = pack_block(block.table[low:high], block.body[ends[low] : ends[high]],
                            first_seq=found.last_seq + 1, span=last_seq - found.last_seq,
                            last_time_us=time_us)
        found.keep(*pieces, last_seq=last_seq, last_time_us=time_us)
