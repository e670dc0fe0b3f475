"""The antagonist: an inbox that asks the database row by row before it answers.

Who is it, may they, is it known, what is it about: one question after another, 20 for each
activity, as the forum of the story did. It blocks, so it runs on a thread beside the loop.
"""

import psycopg

from lichen.doctor.costs import TRIPS_SERIAL
from lichen.doctor.database import round_trip_ms
from lichen.doctor.reading import Postgresql


class Antagonist:
    """An inbox of 20 round trips an activity; measures its distance when it is made."""

    def __init__(self, url: str) -> None:
        self._connection = psycopg.connect(url, autocommit=True)
        self.round_trip_ms, _ = round_trip_ms(Postgresql(self._connection))

    def take(self) -> None:
        """Take one activity."""
        for _ in range(TRIPS_SERIAL):
            self._connection.execute("SELECT 1")

    def close(self) -> None:
        """Hang up."""
        self._connection.close()
