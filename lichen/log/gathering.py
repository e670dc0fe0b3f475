"""Gathering: blocks become a batch, whole where their checksums say so, cut to what was asked for.

Shared by both engines: whatever finds the blocks hands them over in order.
"""

import numpy as np

from lichen.log.contract import Batch
from lichen.log.errors import LogDamaged
from lichen.log.format import BlockHead, first_bad, is_body_whole, line_ends, read_table
from lichen.log.limits import READ_BYTES_ENOUGH
from lichen.log.segment import Block


class Gathered:
    """A batch in the making: whole blocks, of which the first and the last may reach too far."""

    def __init__(self, from_seq: int, limit: int) -> None:
        self.from_seq = from_seq
        self.next_seq = from_seq
        self.is_full = False
        self._limit = limit
        self._rows: list[memoryview] = []
        self._bodies: list[memoryview] = []
        self._skipped = 0
        self._count = 0
        self._bytes = 0
        self._is_whole = True

    def has_room_for(self, head: BlockHead) -> bool:
        """Say whether to take a block in; no block is begun that cannot be finished."""
        wanted = self._count - self._skipped
        if wanted and wanted + head.records > self._limit:
            self.is_full = True
        return not self.is_full

    def add(self, block: Block) -> None:
        """Take a block in."""
        head, body = block.head, block.body()
        if head.first_seq < self.from_seq:
            self._skipped = int(np.searchsorted(read_table(block.rows)["seq"], self.from_seq))
        self._is_whole = self._is_whole and is_body_whole(head, body)
        self._rows.append(block.rows)
        self._bodies.append(body)
        self._count += head.records
        self._bytes += head.body_bytes
        self.next_seq = head.last_seq + 1
        self.is_full = (self._count - self._skipped >= self._limit
                        or self._bytes >= READ_BYTES_ENOUGH)

    def stop_at(self, damage: LogDamaged) -> None:
        """End the batch before damage; raise it when not even a hole lies before it."""
        if self.next_seq == self.from_seq:
            raise damage
        self.is_full = True

    def batch(self) -> Batch:
        """Return the batch, cut to what was asked for and to what is whole."""
        table = read_table(b"".join(self._rows))
        body = _joined(self._bodies)
        start, stop = self._skipped, min(len(table), self._skipped + self._limit)
        next_seq = int(table["seq"][stop]) if stop < len(table) else self.next_seq
        ends = np.concatenate(([0], line_ends(table)))
        if not self._is_whole:
            # Each record has a checksum of its own: those before the first bad one are good.
            bad = start + first_bad(table[start:stop], body[ends[start] : ends[stop]])
            if bad == start < stop:
                seq = int(table["seq"][bad])
                raise LogDamaged(seq, seq, quarantined=False)
            if bad < stop:
                stop, next_seq = bad, int(table["seq"][bad])
        if stop - start < len(table):
            body = body[ends[start] : ends[stop]]
            table = table[start:stop]
        return Batch(next_seq, table["seq"], table["time_us"], body)


def _joined(bodies: list[memoryview]) -> bytes:
    """Return the lines of several blocks together; those of one without a copy, if possible."""
    if len(bodies) == 1 and isinstance(bodies[0].obj, bytes) and len(bodies[0].obj) == len(
            bodies[0]):
        return bodies[0].obj
    return b"".join(bodies)
