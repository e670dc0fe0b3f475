"""What a reader of a stream keeps in memory: where blocks begin, and the blocks used last.

Both are bounded, hold nothing that could not be asked for again, and may be used on any thread.
"""

from bisect import bisect_left, bisect_right
from collections import OrderedDict
from threading import Lock
from typing import NamedTuple

from lichen.log.format import BLOCK_HEAD_BYTES, DAMAGED, BlockHead, decode_block_head, is_whole
from lichen.log.limits import CACHE_BYTES_MAX, MARKS_MAX
from lichen.log.segment import Block


class Again(NamedTuple):
    """A block that was written anew: it stands for the one that was at `position`."""

    position: int
    first_seq: int
    last_seq: int

    def subject(self, stream: str) -> str:
        """Return the subject that its newest form is found under."""
        return f"{stream}.again.{self.position}.{self.first_seq}.{self.last_seq}"

    @classmethod
    def of(cls, subject: str) -> "Again":
        """Return the block that a subject names."""
        position, first_seq, last_seq = map(int, subject.split(".")[-3:])
        return cls(position, first_seq, last_seq)


class Placed(NamedTuple):
    """A block with its position in the chain; None where what lies there is no sound block."""

    position: int
    block: Block | None


class _Memory(NamedTuple):
    """A block's bytes, in memory."""

    content: memoryview

    def view(self, offset: int, count: int, /) -> memoryview:
        """Return `count` bytes at an offset."""
        return self.content[offset : offset + count]


def placed(position: int, content: bytes) -> Placed:
    """Return the block that a message holds, its header and table verified."""
    view = memoryview(content)
    head = decode_block_head(view)
    if head is None or head.size != len(view):
        return Placed(position, None)
    rows_end = BLOCK_HEAD_BYTES + head.table_bytes
    if not is_whole(view[:rows_end]):
        return Placed(position, None)
    return Placed(position, Block(head, view[BLOCK_HEAD_BYTES:rows_end], 0, _Memory(view)))


def lost(position: int, first_seq: int, last_seq: int) -> Placed:
    """Return a block that stands for sequences of which nothing is there any more."""
    head = BlockHead(DAMAGED, 0, last_seq - first_seq + 1, 0, first_seq, 0, 0)
    return Placed(position, Block(head, memoryview(b""), 0, _Memory(memoryview(b""))))


class Marks:
    """A sparse index: at some positions, the first sequence of the block there."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._seqs: list[int] = []
        self._positions: list[int] = []

    def add(self, seq: int, position: int) -> None:
        """Note where the block that begins with a sequence is."""
        with self._lock:
            at = bisect_left(self._seqs, seq)
            if at < len(self._seqs) and self._seqs[at] == seq:
                # An empty block may begin where the next one does; that one is meant.
                self._positions[at] = max(position, self._positions[at])
                return
            self._seqs.insert(at, seq)
            self._positions.insert(at, position)
            if len(self._seqs) > MARKS_MAX:
                del self._seqs[::2], self._positions[::2]

    def around(self, seq: int) -> tuple[int, int | None]:
        """Return the position known last before a sequence, 0 for none, and the next one after."""
        with self._lock:
            at = bisect_right(self._seqs, seq)
            return (self._positions[at - 1] if at else 0,
                    self._positions[at] if at < len(self._positions) else None)

    def forget_before(self, seq: int) -> None:
        """Forget what was trimmed."""
        with self._lock:
            at = bisect_left(self._seqs, seq)
            del self._seqs[:at], self._positions[:at]


class Blocks:
    """The blocks used last, by their position, up to so many bytes."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._kept: OrderedDict[int, Placed] = OrderedDict()
        self._bytes = 0

    def get(self, position: int) -> Placed | None:
        """Return the block at a position, if it is kept."""
        with self._lock:
            found = self._kept.get(position)
            if found is not None:
                self._kept.move_to_end(position)
            return found

    def put(self, one: Placed) -> None:
        """Keep a block, and forget the one used longest ago."""
        if one.block is None:
            return
        with self._lock:
            self._remove(one.position)
            self._kept[one.position] = one
            self._bytes += one.block.head.size
            while self._bytes > CACHE_BYTES_MAX:
                self._remove(next(iter(self._kept)))

    def forget(self, position: int) -> None:
        """Forget the block at a position: it was erased or trimmed."""
        with self._lock:
            self._remove(position)

    def forget_before(self, position: int) -> None:
        """Forget what was trimmed."""
        with self._lock:
            for old in [kept for kept in self._kept if kept < position]:
                self._remove(old)

    def _remove(self, position: int) -> None:
        found = self._kept.pop(position, None)
        if found is not None and found.block is not None:
            self._bytes -= found.block.head.size
