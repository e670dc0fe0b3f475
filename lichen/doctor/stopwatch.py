"""The stopwatch: the one place where the doctor and the drill look at elapsed time.

Its answers are for people, never for what is kept.
"""

import time

MEASURED = 15  # times; the median is told


def now_s() -> float:
    """Return seconds since some moment in the past, never going back."""
    return time.perf_counter()
