"""Clocks: time comes in by constructor, so that the house can run in a simulation.

A clock is a callable that returns microseconds since the Unix epoch. `monotone` wraps one so that
it never returns the same microsecond twice and never goes back.
"""

import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime
from functools import lru_cache

Clock = Callable[[], int]


def system_clock() -> int:
    """Return the microseconds since the Unix epoch, by the system's clock."""
    return time.time_ns() // 1_000


def monotone(clock: Clock) -> Clock:
    """Return a clock over `clock` that is strictly increasing, also across threads."""
    lock = threading.Lock()
    last = 0

    def read() -> int:
        nonlocal last
        with lock:
            last = max(last + 1, clock())
            return last

    return read


def isoformat(time_us: int) -> str:
    """Return the time as RFC 3339 in UTC with six digits: 2026-01-02T03:04:05.000006Z."""
    # RFC 3339 §5.6: date-time with secfrac; "Z" is UTC.
    return f"{_second(time_us // 1_000_000)}.{time_us % 1_000_000:06d}Z"


@lru_cache(maxsize=4_096)  # seconds; what is written now is of few of them
def _second(seconds: int) -> str:
    return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%dT%H:%M:%S}"


def from_isoformat(text: str) -> int:
    """Return the microseconds since the epoch of an RFC 3339 time; raises ValueError."""
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    delta = moment - datetime(1970, 1, 1, tzinfo=UTC)
    return (delta.days * 86_400 + delta.seconds) * 1_000_000 + delta.microseconds
