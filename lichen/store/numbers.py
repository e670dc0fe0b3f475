"""Row numbers known before the row is written.

A command that must ask the database for an id waits a round trip for it. So numbers are taken in
blocks (hi-lo): one row of the table `number` per name says where the next block starts. A block is
small at first and doubles with every refill up to a limit, so that a quiet house leaves small gaps
and a busy one seldom asks. A number is never given twice; a crash leaves a gap.
"""

import threading
from collections.abc import Callable

BLOCK_FIRST = 16  # numbers; a crash on a quiet house leaves a gap of at most this
BLOCK_MAX = 1_024  # numbers; at 300 comments a second one refill in three seconds

Refill = Callable[[str, int], int]  # (name, count) -> the first number of the new block


class _Block:
    def __init__(self) -> None:
        self.next = 0
        self.end = 0
        self.size = BLOCK_FIRST


class Numbers:
    """The blocks in hand, by name; safe across threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._blocks: dict[str, _Block] = {}

    def take(self, name: str, count: int, refill: Refill) -> list[int]:
        """Return `count` ascending numbers, refilling where the block in hand is too short."""
        assert count >= 0
        with self._lock:
            block = self._blocks.setdefault(name, _Block())
            taken = list(range(block.next, min(block.end, block.next + count)))
            block.next += len(taken)
            missing = count - len(taken)
            if missing:
                size = max(block.size, missing)
                first = refill(name, size)
                assert first >= block.end, f"numbers of {name} went back to {first}"
                taken.extend(range(first, first + missing))
                block.next, block.end = first + missing, first + size
                block.size = min(BLOCK_MAX, block.size * 2)
            return taken

    def forget(self, name: str) -> None:
        """Drop the block in hand, because the transaction that took it was rolled back."""
        with self._lock:
            self._blocks.pop(name, None)

    def remainders(self) -> list[tuple[str, int, int]]:
        """Return (name, next, end) of every block with numbers left, to be given back."""
        with self._lock:
            return [(name, block.next, block.end) for name, block in self._blocks.items()
                    if block.next < block.end]
