"""Tracks: what is remembered of the last activities, both ways, so that one can be followed.

    ingest ────► a batch: when, how long, round trips ─┐
                 what was not simply applied           ├─► trails.py
    composing ─► a run of activities made              │
    lines ─────► a request to a peer                   ┘

In memory and bounded: the way of an activity costs no row and no round trip. A batch is noted once,
however many it applies; one by one only what was parked, refused or came twice. What is older than
these rings, or than the start, is said not to be remembered.
"""

from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from lichen.federation.known import Arrival
from lichen.federation.limits import (
    BATCHES_TRACKED_MAX,
    COMPOSED_TRACKED_MAX,
    FATES_TRACKED_MAX,
    TRIES_TRACKED_MAX,
)
from lichen.federation.orders import Fate


class Applied(NamedTuple):
    """One transaction of ingest: lines of the log `inbox`, or what had waited (`first_seq` 0)."""

    first_seq: int
    last_seq: int
    activities: int
    began_us: int
    ended_us: int
    round_trips: int


class Outcome(NamedTuple):
    """What became of one activity, and in which batch."""

    fate: Fate
    batch: Applied


class Composed(NamedTuple):
    """One run of composing: the records it appended to `outgoing`, and what that cost."""

    first_seq: int
    last_seq: int
    events: int
    began_us: int
    round_trips: int


class Try(NamedTuple):
    """One request to a peer, for one activity or for several together; `verdict` as in posting."""

    authority: str
    began_us: int
    ended_us: int
    verdict: str
    error: str
    together: int


class Arrived:
    """What became of what came in."""

    def __init__(self, *, since_us: int) -> None:
        self.since_us = since_us
        self._batches: deque[Applied] = deque(maxlen=BATCHES_TRACKED_MAX)
        self._outcomes: deque[Outcome] = deque(maxlen=FATES_TRACKED_MAX)

    def note(self, batch: Applied, arrivals: Sequence[Arrival], fates: Iterable[Fate]) -> None:
        """Note a batch that is committed; what had waited is noted one by one."""
        self._batches.append(batch)
        told = list(fates)
        self._outcomes += (Outcome(fate, batch) for fate in told)
        if batch.first_seq == 0:
            known = {(fate.seq, fate.id) for fate in told}
            self._outcomes += (
                Outcome(Fate(one.seq, one.activity.id, "applied"), batch) for one in arrivals
                if (one.seq, one.activity.id) not in known
            )

    def note_fate(self, fate: Fate, at_us: int) -> None:
        """Note what became of an activity outside of a batch."""
        self._outcomes.append(Outcome(fate, Applied(0, 0, 0, at_us, at_us, 0)))

    def batch_of(self, seq: int) -> Applied | None:
        """Return the batch that worked off a line of the log, None where it is not remembered."""
        return next((one for one in reversed(self._batches)
                     if one.first_seq <= seq <= one.last_seq), None)

    def outcomes_of(self, seq: int, id: str) -> list[Outcome]:
        """Return what became of an activity of a line, in order; looks through what is kept."""
        return [one for one in self._outcomes
                if one.fate.seq == seq and one.fate.id in ("", id)]


class Told:
    """What composing made."""

    def __init__(self) -> None:
        self._runs: deque[Composed] = deque(maxlen=COMPOSED_TRACKED_MAX)

    def note(self, run: Composed) -> None:
        """Note a run whose records are durable."""
        self._runs.append(run)

    def of(self, seq: int) -> Composed | None:
        """Return the run that appended a record, None where it is not remembered."""
        return next((one for one in reversed(self._runs)
                     if one.first_seq <= seq <= one.last_seq), None)


class Tries:
    """The last requests to all peers, by the sequences they carried."""

    def __init__(self, *, since_us: int) -> None:
        self.since_us = since_us
        self._tries: deque[tuple[int, Try]] = deque(maxlen=TRIES_TRACKED_MAX)

    def note(self, seqs: Iterable[int], one: Try) -> None:
        """Note a request that was answered, or was not."""
        self._tries += ((seq, one) for seq in seqs)

    def of(self, seq: int) -> dict[str, list[Try]]:
        """Return the tries to send a record, in order, by peer; looks through what is kept."""
        found: dict[str, list[Try]] = {}
        for one in self._of(seq):
            found.setdefault(one.authority, []).append(one)
        return found

    def _of(self, seq: int) -> Iterator[Try]:
        return (one for at, one in self._tries if at == seq)
