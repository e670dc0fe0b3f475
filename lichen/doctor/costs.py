"""What a round trip to the database costs, by what is asked of it. Pure.

A server that works its inbox off one activity after another, with n round trips each, takes in at
most 1/(n × round trip) a second, however idle its machines are. That is how a forum fell days
behind: 20 round trips of 50 ms each are one activity a second.
"""

from typing import NamedTuple

TRIPS_SERIAL = 20  # for each activity, of a forum that asks row by row; the story of issue 4
# Lichen's own counts, held by tests: tests/faces/test_round_trips.py, tests/federation.
TRIPS = (
    ("a list of posts", 3), ("a post with its comments", 4), ("a vote", 2), ("a comment", 2),
    ("an incoming vote, alone", 3), ("an incoming comment, alone", 4),
)
TRIPS_BATCH = 8  # of one batch of incoming activities of every kind, however many
BATCH_ACTIVITIES = 2_000  # that share it where many wait


class Cost(NamedTuple):
    """What one thing waits for the database."""

    what: str
    round_trips: float
    waits_ms: float


def costs_of(round_trip_ms: float) -> list[Cost]:
    """Return what each thing that is asked of Lichen costs at a distance."""
    costs = [Cost(what, count, count * round_trip_ms) for what, count in TRIPS]
    each = TRIPS_BATCH / BATCH_ACTIVITIES
    return [*costs, Cost("an incoming activity, among many", each, each * round_trip_ms)]


def serial_per_s(round_trip_ms: float, *, trips: int = TRIPS_SERIAL) -> float:
    """Return how many activities a second a serial receiver takes in at most."""
    return 1_000 / (trips * round_trip_ms) if round_trip_ms else float("inf")


def told_serial(round_trip_ms: float, *, peer_per_s: float = 0.0, trips: int = TRIPS_SERIAL) -> str:
    """Return the diagnosis in words; with a peer's rate, whether it is kept up with."""
    reached = serial_per_s(round_trip_ms, trips=trips)
    told = (f"serial, RTT-bound: {trips} round trips × {round_trip_ms:.1f} ms = at most "
            f"{reached:.2f} activities a second")
    if not peer_per_s:
        return f"{told}."
    verdict = "falls behind" if peer_per_s > reached else "keeps up"
    return f"{told}, while the peer makes {peer_per_s:.2f}: it {verdict}."
