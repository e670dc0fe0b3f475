"""Whether two servers hold the same history: what a standby shows, and what its server says to it.

A standby names some of the events it holds, the last one and others ever farther back, each by its
sequence and a checksum of its message. The server looks them up: what it holds under such a
sequence must be the same, and what it does not hold must be older than what it keeps, or erased.
"""

from collections.abc import Sequence
from itertools import chain
from typing import Final, NamedTuple

import numpy as np
from xxhash import xxh3_64_hexdigest

from lichen.kit import Conflict
from lichen.stream.engine import Store
from lichen.stream.limits import HISTORY_MARKS_MAX

_DIGEST_LETTERS: Final = 16
_UNKNOWN: Final = "unknown"


class HistoryDiffers(Conflict):
    """The two servers do not hold one history; neither must follow the other."""

    def __init__(self, text: str) -> None:
        super().__init__("history_differs", text)


class Mark(NamedTuple):
    """An event that a standby holds."""

    seq: int
    digest: str

    def __str__(self) -> str:
        """Return the mark as it is sent."""
        return f"{self.seq}:{self.digest}"


def marks_of(store: Store) -> list[Mark]:
    """Return the last event that a store holds, the one before it, and others ever farther back."""
    # The 1st, 2nd, 4th, 8th … from the end.
    back = iter([1 << power for power in range(HISTORY_MARKS_MAX)])
    marks, passed, wanted = [], 0, next(back)
    for place in reversed(store.blocks()):
        found = store.find(place.first_seq)
        events = found.block.events if found is not None else 0
        while found is not None and passed < wanted <= passed + events:
            row = events - (wanted - passed)
            marks.append(Mark(found.block.seq_of(row), _digest(found.block.plain_of(row))))
            wanted = next(back, 0)
        passed += events
        if not wanted:
            break
    return marks


def parse_marks(text: str) -> list[Mark]:
    """Return marks as they were sent; raises HistoryDiffers for what is none."""
    marks: list[Mark] = []
    for part in text.split(",") if text else ():
        seq, _, digest = part.partition(":")
        if not (seq.isascii() and seq.isdecimal() and len(seq) < 19
                and len(digest) == _DIGEST_LETTERS and len(marks) < HISTORY_MARKS_MAX):
            raise HistoryDiffers(f"Expected at most {HISTORY_MARKS_MAX} marks such as "
                                 f"17:0123456789abcdef, got {part[:80]!r}.")
        marks.append(Mark(int(seq), digest))
    return marks


def compare(store: Store, marks: Sequence[Mark], *, next_seq: int) -> None:
    """Raise HistoryDiffers unless a standby with these marks can go on from `next_seq`.

    Costs a look at as many blocks as there are marks.
    """
    if next_seq > store.next_seq:
        raise HistoryDiffers(f"The standby is ahead: it goes on at sequence {next_seq}, this "
                             f"server at {store.next_seq}. It holds what this server lost: "
                             "promote it, or empty its folder to follow this one.")
    kept = [mark for mark in marks if mark.seq >= store.first_seq]
    if marks and not kept:
        raise HistoryDiffers(f"The standby ends at sequence {marks[0].seq}, and this server keeps "
                             f"what comes from {store.first_seq} on: nothing shows that they are "
                             "one history. Empty the standby's folder to begin anew.")
    erased = frozenset(chain.from_iterable(seqs for _, seqs in store.erasures_after(0)))
    for mark in kept:
        digest = _digest_at(store, mark.seq)
        if digest not in (mark.digest, _UNKNOWN) and not (digest is None and mark.seq in erased):
            raise HistoryDiffers(f"At sequence {mark.seq} the standby holds another event than "
                                 "this server. Empty its folder to follow this one, or look which "
                                 "of the two was promoted.")


def present(store: Store, seqs: Sequence[int]) -> list[int]:
    """Return which of some sequences a store holds, in order."""
    wanted = np.unique(np.asarray(seqs, np.int64))
    kept: list[int] = []
    for place in store.blocks():
        own = wanted[wanted.searchsorted(place.first_seq) : wanted.searchsorted(place.last_seq + 1)]
        found = store.find(place.first_seq) if len(own) else None
        if found is not None:
            held = found.block.columns.seq.astype(np.int64) + found.block.first_seq
            kept += own[np.isin(own, held)].tolist()
    return kept


def held_below(store: Store, seq: int) -> list[int]:
    """Return which sequences below `seq` a store holds, in order."""
    kept: list[int] = []
    for place in store.blocks():
        found = store.find(place.first_seq) if place.first_seq < seq else None
        if found is not None:
            block = found.block
            held = block.columns.seq[: block.row_at(seq)].astype(np.int64) + block.first_seq
            kept += held.tolist()
    return kept


def _digest_at(store: Store, seq: int) -> str | None:
    """Return the digest of the event with a sequence; None where a store has none."""
    found = store.find(seq)
    if found is None:
        return None
    if found.block.first_seq <= seq and not found.block.events:
        # Emptied by an erasure, or damaged: then nobody knows what was there.
        return _UNKNOWN
    row = found.block.row_at(seq)
    if row >= found.block.events or found.block.seq_of(row) != seq:
        return None
    return _digest(found.block.plain_of(row))


def _digest(message: memoryview) -> str:
    return xxh3_64_hexdigest(message)
