"""The post-mortem, played: a database 25 ms away each way, and a peer at 3 activities a second.

    peer ─► an inbox of 20 round trips an activity ─► proxy 25 ms ─┐
                                                                   ├─► a private PostgreSQL
    peer ─► Lichen: inbox, log, ingest ────────────► proxy 25 ms ─┘

Both peers send one after another. Round trips are counted at the socket. Nothing leaves this
machine, and nothing stays on it.
"""

import asyncio
import statistics
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple
from urllib.parse import urlsplit

from lichen.doctor.costs import TRIPS_SERIAL
from lichen.drill.antagonist import Antagonist
from lichen.drill.distance import distant
from lichen.drill.lichen_here import LichenHere, open_lichen
from lichen.drill.peer import Sent, send_serially
from lichen.drill.scratch import scratch_database
from lichen.store.migrating import migrate

DELAY_MS = 25.0  # each way, as in the story
PEER_PER_S = 3.0
PLAY_S = 20.0  # long enough to see a queue grow by forty
CATCH_UP_S_MAX = 20.0  # after the last activity, until Lichen has applied it

Progress = Callable[[str], None]


class Outcome(NamedTuple):
    """What was measured."""

    delay_ms: float
    round_trip_ms: float
    antagonist: Sent
    antagonist_trips: float  # an activity
    lichen: Sent
    lichen_trips: float  # an activity
    lichen_waiting: int  # accepted and not applied at the end

    @property
    def antagonist_ms(self) -> float:
        """How long the antagonist took for one activity, on average."""
        return statistics.fmean(self.antagonist.answers_ms)

    @property
    def is_distance(self) -> bool:
        """Whether waiting for the database explains how long an activity took."""
        waits_ms = self.antagonist_trips * self.round_trip_ms
        return self.antagonist.behind > 0 and waits_ms > 0.7 * self.antagonist_ms


async def play(url: str, *, play_s: float = PLAY_S, tell: Progress) -> Outcome:
    """Play the story over an empty database, or over a private one where none is named."""
    tell("A PostgreSQL of our own starts." if not url else "An empty database is filled.")
    with scratch_database(url) as near, tempfile.TemporaryDirectory(prefix="lichen-drill-") as into:
        folder = Path(into)
        await asyncio.to_thread(migrate, near, folder=folder)
        parts = urlsplit(near)
        host, port = parts.hostname or "127.0.0.1", parts.port or 5432
        async with distant(host, port) as ours, distant(host, port) as theirs:
            far, other = (_through(near, one.port) for one in (ours, theirs))
            async with open_lichen(far, folder) as lichen:
                tell(f"It is moved {DELAY_MS:.0f} ms away, each way.")
                ours.move(DELAY_MS)
                theirs.move(DELAY_MS)
                tell(f"Two peers make {PEER_PER_S:g} activities a second, for {play_s:.0f} s.")
                outcome = await _play(lichen, other, play_s, tell)
                ours.move(0.0)  # closing need not wait for it
                return outcome


async def _play(lichen: LichenHere, other: str, play_s: float, tell: Progress) -> Outcome:
    forum = await asyncio.to_thread(Antagonist, other)

    async def to_antagonist(number: int) -> None:
        await asyncio.to_thread(forum.take)
        if number % 5 == 4:
            tell(f"  the other forum has taken {number + 1}")

    before = lichen.round_trips
    try:
        antagonist, sent = await asyncio.gather(
            send_serially(to_antagonist, per_s=PEER_PER_S, for_s=play_s),
            send_serially(lichen.receive, per_s=PEER_PER_S, for_s=play_s),
        )
    finally:
        forum.close()
    waiting = await lichen.waiting(CATCH_UP_S_MAX)
    return Outcome(
        DELAY_MS, forum.round_trip_ms, antagonist, TRIPS_SERIAL, sent,
        (lichen.round_trips - before) / max(1, sent.taken), waiting,
    )


def _through(url: str, port: int) -> str:
    parts = urlsplit(url)
    user = parts.netloc.rpartition("@")[0]
    at = f"{user}@" if user else ""
    return parts._replace(netloc=f"{at}127.0.0.1:{port}").geturl()
