"""How much goes to a peer at once, and when to try again; pure.

    answered in time ──► window + 1/window   (one more for each window that went through)
    refused, slow    ──► window / 2          (AIMD, as TCP: Chiu and Jain 1989)
    failed           ──► window = 1, and a pause of 1.25^n s, with jitter, at most a day
"""

from lichen.federation.limits import (
    BACK_OFF_GROWTH,
    BACK_OFF_JITTER,
    BACK_OFF_S_MAX,
    WINDOW_FIRST,
    WINDOW_MAX,
)


class Window:
    """The number of requests that may be under way to one peer."""

    def __init__(self, size: float = WINDOW_FIRST) -> None:
        self._size = size

    @property
    def size(self) -> int:
        """How many may be under way now."""
        return int(self._size)

    def widen(self) -> None:
        """Note an answer: grow by one for each window that went through."""
        self._size = min(float(WINDOW_MAX), self._size + 1 / self._size)

    def halve(self) -> None:
        """Note that the peer is slow or busy."""
        self._size = max(1.0, self._size / 2)

    def close(self) -> None:
        """Note a failure: the next request is a try, alone."""
        self._size = 1.0


def pause_s(failures: int, chance: float, *, at_least_s: float = 0.0) -> float:
    """Return how long to wait after so many failures in a row, in seconds.

    `chance` is between 0 and 1; `at_least_s` is what the peer asked for.
    """
    assert failures > 0, "a pause follows a failure"
    # Bounded first: 1.25^n overflows a float after some 3,000 failures.
    growth = BACK_OFF_GROWTH ** min(failures - 1, 100)
    wanted = max(min(growth, BACK_OFF_S_MAX), min(at_least_s, BACK_OFF_S_MAX))
    return wanted * (1 + BACK_OFF_JITTER * (2 * chance - 1))
