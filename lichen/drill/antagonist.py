"""The antagonist: an inbox that asks the database row by row before it answers.

Who is it, may they, is it known, what is it about: one question after another, 20 for each
activity, as the forum of the story did. It blocks, so it runs on a thread beside the loop.
"""

import statistics

import psycopg

from lichen.doctor.costs import TRIPS_SERIAL
from lichen.doctor.stopwatch import now_s


class Antagonist:
    """An inbox of 20 round trips an activity, which times each of them."""

    def __init__(self, url: str) -> None:
        self._connection = psycopg.connect(url, autocommit=True)
        self._waits_ms: list[float] = []

    @property
    def round_trip_ms(self) -> float:
        """Return how long one round trip took on average, while it took what it was sent.

        What is measured before the play says nothing of a machine that is busy during it.
        """
        return statistics.fmean(self._waits_ms)

    def take(self) -> None:
        """Take one activity."""
        for _ in range(TRIPS_SERIAL):
            asked = now_s()
            self._connection.execute("SELECT 1")
            self._waits_ms.append((now_s() - asked) * 1_000)

    def close(self) -> None:
        """Hang up."""
        self._connection.close()
