"""Assembles what comes in: the log `inbox`, its door, its reader, and what waits.

    folder/inbox ◄── Inbox (the door, behind Entrance) ; Ingest (a reader of it) ; Waiting (a task)

The house runs `followers` and `waiting.run()` as tasks, puts `Entrance` before its application, and
closes the log at its end; now and then it calls `forget`.
"""

from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from lichen.federation.applying import Applying
from lichen.federation.authorising import Keys
from lichen.federation.decisions import Below
from lichen.federation.inbox import Inbox
from lichen.federation.ingest import NAME, Ingest
from lichen.federation.waiting import Finding, Waiting
from lichen.kit.ground import Ground
from lichen.log import Followers, SegmentLog
from lichen.log import Options as LogOptions
from lichen.store import Store, checkpoint_of

INBOX_FOLDER = "inbox"


class Incoming(NamedTuple):
    """Everything that takes in and applies what peers send."""

    log: SegmentLog
    inbox: Inbox
    ingest: Ingest
    waiting: Waiting
    followers: Followers

    async def forget(self) -> None:
        """Forget ids of long ago, and lines of the log that were applied long ago."""
        await self.ingest.forget()

    def figures(self) -> dict[str, float]:
        """Return how far it is and what became of what came, for the metrics."""
        outcomes = {f"inbox_{code}_total": float(count)
                    for code, count in sorted(self.inbox.outcomes.items())}
        applied = {f"ingest_{code}_total": float(count)
                   for code, count in sorted(self.ingest.outcomes.items())}
        lag = float(self.log.last_seq - self.ingest.position())
        return {"inbox_lag_activities": lag, **outcomes, **applied}


async def open_incoming(
    ground: Ground, store: Store, below: Below, *, folder: Path, keys: Keys,
    is_allowed: Callable[[str], bool], resolver: Finding,
    note_received: Callable[[str], None] = lambda authority: None,
) -> Incoming:
    """Open the log `inbox` in the data folder and build what stands around it."""
    log = SegmentLog.open(
        folder / INBOX_FOLDER, clock=ground.clock,
        options=LogOptions(segment_bytes_max=ground.config.log.segment_bytes_max),
    )
    position = await store.read(lambda unit: checkpoint_of(unit, NAME), apart=True)
    if log.last_seq < position:
        # The rows were restored beside an empty log: what comes now is after what was applied.
        await log.skip_to(position + 1)
    inbox = Inbox(
        log, keys=keys, is_allowed=is_allowed, clock=ground.clock,
        public_url=ground.config.public_url, position=position, note_received=note_received,
    )
    ingest = Ingest(store, Applying(below, ground.tids), position=position, moved=inbox.moved)
    waiting = Waiting(store, ingest, resolver)
    ingest.when_parked(waiting.wake)
    return Incoming(log, inbox, ingest, waiting, Followers(log, [ingest]))
