"""Courses: how fast it goes with each peer and how far behind it is, a sample a minute for an hour.

    sending (memory) ─┐
    inbox (memory) ───┼─ each minute ─► a ring a peer, and one for the whole ─► pages, API, metrics
    log outgoing ─────┘

In memory alone: after a start it knows from then on. Sampled are peers that did something since the
start, and no more than a limit of them. What a peer is behind is counted only for those that are,
and the loop is let go between two of them.
"""

import asyncio
from collections import OrderedDict, deque
from collections.abc import Awaitable, Callable, Sequence
from itertools import pairwise

import msgspec

from lichen.federation.incoming import Incoming
from lichen.federation.limits import (
    COUNTED_IN_LIST_MAX,
    PACE_US_MIN,
    PEERS_SAMPLED_MAX,
    SAMPLE_S,
    SAMPLES_KEPT_MAX,
    STILL_US_MIN,
)
from lichen.federation.outgoing_room import OutgoingRoom
from lichen.federation.sending import LineState
from lichen.kit import Clock

WHOLE = ""  # the course of all peers together


class Sample(msgspec.Struct, frozen=True, gc=False):
    """One look: counters since the start, and what is missing there and waits here then.

    `missing_us` and `waiting_us` are how old the first of them is.
    """

    at_us: int
    sent: int = 0
    missing: int = 0
    missing_us: int = 0
    came: int = 0
    waiting: int = 0
    waiting_us: int = 0

    @property
    def is_behind(self) -> bool:
        """Whether anything is missing or waits."""
        return bool(self.missing or self.waiting)


class Minute(msgspec.Struct, frozen=True, kw_only=True):
    """What a sample says of the time since the one before it."""

    at_us: int
    sent_per_s: float
    missing: int
    missing_us: int
    came_per_s: float
    waiting: int
    waiting_us: int


class Hour(msgspec.Struct, frozen=True, kw_only=True):
    """How it goes now, at what rate over the last `over_us`, and how it went, the oldest first."""

    now: Sample
    sent_per_s: float
    came_per_s: float
    over_us: int
    since_us: int
    minutes: list[Minute]


class Courses:
    """Samples the peers, and says how it went with them."""

    def __init__(
        self, incoming: Incoming, outgoing: OutgoingRoom, clock: Clock, *,
        pause: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._incoming = incoming
        self._outgoing = outgoing
        self._clock = clock
        self._pause = pause
        self.since_us = clock()
        self._rings: OrderedDict[str, deque[Sample]] = OrderedDict()
        self._moved_us: dict[str, int] = {}
        self._crowded = False
        self._whole: deque[Sample] = deque([Sample(self.since_us)], maxlen=SAMPLES_KEPT_MAX)

    async def run(self) -> None:
        """Take a sample a minute, until cancelled."""
        while True:
            await self._pause(SAMPLE_S)
            await self.sample()

    async def sample(self) -> None:
        """Take a sample of every peer that did something, and of the whole."""
        lines, inbox = self._lines(), self._incoming.inbox
        since = inbox.oldest_waiting()
        names = {*self._rings, *inbox.received, *inbox.waiting,
                 *(name for name, line in lines.items() if line.taken or _is_behind(line))}
        missing, missing_us = 0, 0
        for name in names:
            found = self._look(name, lines.get(name), since)
            missing, missing_us = missing + found.missing, max(missing_us, found.missing_us)
            self._keep(name, found)
            if found.missing:
                await asyncio.sleep(0)  # what was counted took a moment of the loop
        self._whole.append(self._look_at_all(missing, missing_us))

    def hour_of(self, authority: str) -> Hour:
        """Return how it goes and went with one peer."""
        inbox = self._incoming.inbox
        now = self._look(authority, self._lines().get(authority), inbox.oldest_waiting())
        return _hour(now, self._rings.get(authority, ()), since_us=self.since_us)

    def hour(self) -> Hour:
        """Return how it goes and went with all together; what is missing is of the last sample."""
        last = self._whole[-1]
        return _hour(self._look_at_all(last.missing, last.missing_us), self._whole,
                     since_us=self.since_us)

    def figures(self) -> dict[str, float]:
        """Return the whole for the metrics, as the last sample has it."""
        last = self._whole[-1]
        return {
            "federation_sent_total": float(last.sent),
            "federation_missing_activities": float(last.missing),
            "federation_missing_seconds": last.missing_us / 1_000_000,
            "inbox_lag_seconds": last.waiting_us / 1_000_000,
        }

    def _lines(self) -> dict[str, LineState]:
        return {line.authority: line for line in self._outgoing.sending.states()}

    def _look(self, name: str, line: LineState | None, since: dict[str, int]) -> Sample:
        """Return how it is with a peer now; counts only where it is behind."""
        now_us, inbox = self._clock(), self._incoming.inbox
        missing, missing_us = 0, 0
        if line is not None and _is_behind(line):
            found = self._outgoing.sending.missing(name, limit=COUNTED_IN_LIST_MAX)
            missing = found.activities
            if found.first_seq:
                batch = self._outgoing.log.read(found.first_seq, limit=1)
                missing_us = now_us - int(batch.times_us[0]) if len(batch) else 0
        return Sample(
            now_us, line.taken if line else 0, missing, max(0, missing_us),
            inbox.received.get(name, 0), inbox.waiting_of(name),
            max(0, now_us - since[name]) if name in since else 0,
        )

    def _look_at_all(self, missing: int, missing_us: int) -> Sample:
        now_us, inbox = self._clock(), self._incoming.inbox
        log, position = self._incoming.log, self._incoming.ingest.position()
        waiting, waiting_us = log.last_seq - position, 0
        if waiting:
            batch = log.read(max(position + 1, log.first_seq), limit=1)
            waiting_us = max(0, now_us - int(batch.times_us[0])) if len(batch) else 0
        sent = sum(line.taken for line in self._outgoing.sending.states())
        return Sample(now_us, sent, missing, missing_us, inbox.outcomes["accepted"], waiting,
                      waiting_us)

    def _keep(self, name: str, found: Sample) -> None:
        ring = self._rings.get(name)
        if ring is None:
            if not self._has_room(found.at_us):
                return
            # Who once made room for another comes back with counters of its own.
            first = found if self._crowded else Sample(self._whole[-1].at_us)
            ring = self._rings[name] = deque([first], maxlen=SAMPLES_KEPT_MAX)
        before = ring[-1]
        if found.is_behind or (found.sent, found.came) != (before.sent, before.came):
            self._moved_us[name] = found.at_us
            self._rings.move_to_end(name)
        ring.append(found)

    def _has_room(self, now_us: int) -> bool:
        """Say whether one more may be sampled; whoever did nothing for long makes room."""
        if len(self._rings) < PEERS_SAMPLED_MAX:
            return True
        stillest = next(iter(self._rings))
        if now_us - self._moved_us.get(stillest, 0) < STILL_US_MIN:
            return False
        self._crowded = True
        del self._rings[stillest]
        self._moved_us.pop(stillest, None)
        return True


def _is_behind(line: LineState) -> bool:
    return bool(line.waiting or line.under_way or line.failures)


def _hour(now: Sample, ring: Sequence[Sample] | deque[Sample], *, since_us: int) -> Hour:
    """Return how it went; the rate now is against the newest sample that is not too new."""
    base = next((one for one in reversed(ring) if now.at_us - one.at_us >= PACE_US_MIN),
                ring[0] if ring else Sample(since_us))
    over_us = max(1, now.at_us - base.at_us)
    return Hour(
        now=now, since_us=since_us, over_us=over_us,
        sent_per_s=_per_s(now.sent - base.sent, over_us),
        came_per_s=_per_s(now.came - base.came, over_us),
        minutes=[_minute(before, one) for before, one in pairwise(ring)],
    )


def _minute(before: Sample, one: Sample) -> Minute:
    over_us = max(1, one.at_us - before.at_us)
    return Minute(
        at_us=one.at_us, sent_per_s=_per_s(one.sent - before.sent, over_us),
        missing=one.missing, missing_us=one.missing_us,
        came_per_s=_per_s(one.came - before.came, over_us), waiting=one.waiting,
        waiting_us=one.waiting_us,
    )


def _per_s(count: int, over_us: int) -> float:
    return max(0, count) * 1_000_000 / over_us
