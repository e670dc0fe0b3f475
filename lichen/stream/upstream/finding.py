"""Finding: where a relay's numbering stands at a time, when only another relay's cursor is known.

Relays take cursors, not times, but each frame says when it was sent. A probe asks for what comes
after a cursor and looks at the first frame; halving what is left finds the time in some twenty
connections, of a frame each. What is found is never later than the time asked for, as far as the
relay's times rise with its numbers.
"""

from collections.abc import Awaitable, Callable
from typing import Final, NamedTuple

from lichen.stream.upstream.limits import PROBES_MAX

CLOSE_US: Final = 5_000_000  # this little too early is good enough


class Sighting(NamedTuple):
    """The first frame that a relay sends after a cursor."""

    seq: int
    time_us: int


# Nothing is returned where no frame comes: the cursor is at the tip, or beyond it.
Probe = Callable[[int], Awaitable[Sighting | None]]


async def cursor_before(time_us: int, probe: Probe) -> int:
    """Return a cursor after which a relay sends all it sent from a time on; about 20 probes."""
    # AT Protocol, "Event Stream": cursor 0 is the oldest event that the relay still has.
    oldest = await probe(0)
    if oldest is None or oldest.time_us >= time_us:
        return 0
    low, seen = oldest.seq, oldest
    high, step = 0, 1_024
    for _ in range(PROBES_MAX):
        if time_us - seen.time_us <= CLOSE_US or (high and high - low <= 1):
            break
        middle = (low + high) // 2 if high else low + step
        found = await probe(middle)
        if found is None or found.time_us >= time_us:
            high = middle
        else:
            low, seen = max(found.seq, middle), found
            step *= 8
    return low
