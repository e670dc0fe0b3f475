"""The report of the drill: what lags, by how much, which step costs it, what mends it. Pure."""

import statistics

from lichen.doctor.costs import serial_per_s, told_serial
from lichen.drill.post_mortem import PEER_PER_S, Outcome


def lines_of(outcome: Outcome) -> list[str]:
    """Return the report, as lines for people."""
    other, ours, trips = outcome.antagonist, outcome.lichen, int(outcome.antagonist_trips)
    per_day = (PEER_PER_S - serial_per_s(outcome.round_trip_ms, trips=trips)) * 86_400
    cause = "the distance to the database" if outcome.is_distance else "not found"
    keeps_up = not outcome.lichen_waiting and not ours.behind
    return [
        f"Cause: {cause}.",
        f"What lags: the inbox that asks row by row. Of {other.made} activities it has taken "
        f"{other.taken}: {other.behind} behind, {max(0.0, per_day):.0f} more every day.",
        f"Which step costs it: {trips} round trips × {outcome.round_trip_ms:.1f} ms = "
        f"{trips * outcome.round_trip_ms:.0f} ms of the {outcome.antagonist_ms:.0f} ms that each "
        "takes; every machine is idle meanwhile.",
        f"In one line: {told_serial(outcome.round_trip_ms, peer_per_s=PEER_PER_S, trips=trips)}",
        "What mends it: the database beside the forum; or fewer round trips, by taking activities "
        "in at once and applying many together. A faster machine changes nothing.",
        f"Lichen at that distance: {ours.taken} of {ours.made} taken, each answered after "
        f"{statistics.median(ours.answers_ms):.0f} ms, {outcome.lichen_waiting} not applied, "
        f"{outcome.lichen_trips:.1f} round trips each, relay and readers included: it "
        f"{'keeps up' if keeps_up else 'DOES NOT KEEP UP'}.",
    ]


def is_named(outcome: Outcome) -> bool:
    """Say whether the cause was named and Lichen keeps up: what the drill is for."""
    return outcome.is_distance and not outcome.lichen_waiting and not outcome.lichen.behind
