"""TIDs: sortable record keys and event ids.

AT Protocol, Record Keys, "TID": 64 bits, the top bit 0, then 53 bits of microseconds since the
epoch, then 10 bits of a clock id; written as 13 characters of base32-sortable. One generator serves
the whole house, so a TID is strictly larger than every TID before it.
"""

import re
from typing import NewType

from lichen.kit.clock import Clock, monotone

Tid = NewType("Tid", str)

_ALPHABET = "234567abcdefghijklmnopqrstuvwxyz"
_PAIRS = tuple(high + low for high in _ALPHABET for low in _ALPHABET)  # by 10 bits
_LENGTH = 13
# AT Protocol, TID syntax: the first character has its top bit 0.
_SYNTAX = re.compile(r"[234567abcdefghij][234567abcdefghijklmnopqrstuvwxyz]{12}")


def encode_tid(time_us: int, clock_id: int) -> Tid:
    """Return the 13 characters for a time in µs (53 bits) and a clock id (10 bits)."""
    assert 0 <= time_us < 1 << 53
    assert 0 <= clock_id < 1 << 10
    # Two characters at a time: 0.6 µs, a character at a time takes 2.
    pairs = _PAIRS
    return Tid(
        _ALPHABET[time_us >> 50] + pairs[time_us >> 40 & 1023] + pairs[time_us >> 30 & 1023]
        + pairs[time_us >> 20 & 1023] + pairs[time_us >> 10 & 1023] + pairs[time_us & 1023]
        + pairs[clock_id]
    )


def time_us_of_tid(tid: str) -> int:
    """Return the microseconds since the epoch inside a TID; raises ValueError."""
    if not is_tid(tid):
        raise ValueError(f"expected a TID of {_LENGTH} characters, got {tid[:40]!r}")
    number = 0
    for character in tid:
        number = number << 5 | _ALPHABET.index(character)
    return number >> 10


def is_tid(text: str) -> bool:
    """Say whether the text is a TID by its syntax."""
    return _SYNTAX.fullmatch(text) is not None


class TidGenerator:
    """Gives strictly increasing TIDs; safe across threads."""

    def __init__(self, clock: Clock, *, clock_id: int) -> None:
        self._clock = monotone(clock)
        self._clock_id = clock_id

    def next(self) -> Tid:
        """Return the next TID."""
        return encode_tid(self._clock(), self._clock_id)
