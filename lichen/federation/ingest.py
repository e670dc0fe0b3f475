"""The reader of the log `inbox`: applies what peers sent, in batches, exactly once.

    inbox ─► lines ─► activities ─► batches ─► Applying ── rows, checkpoint, COMMIT ─► done
                                       │ refused as a whole: in halves, down to the one
                                       └ waits for something: a row of `parked` (waiting.py)

A rows reader: what a batch does and the reader's checkpoint share a transaction. An activity that
comes twice is held off by its key in the same transaction, whatever the door let through.
"""

import asyncio
from collections import Counter
from collections.abc import Callable, Sequence
from typing import NamedTuple

import msgspec
import structlog

from lichen.federation.activities import activity_of, items_of
from lichen.federation.applying import Applying
from lichen.federation.bodies import check_keys, decoded
from lichen.federation.ingest_rows import DROP, FORGET, KEEP
from lichen.federation.known import Arrival
from lichen.federation.limits import (
    BROKEN_IN_A_ROW_MAX,
    FORGET_BATCH,
    INGEST_BATCH_MAX,
    INGEST_BATCH_NEAR_MAX,
    RECEIVED_AGE_US_MAX,
)
from lichen.federation.orders import Fate, Orders
from lichen.federation.tracks import Applied, Arrived
from lichen.federation.values import id_of
from lichen.kit import Refused, Unavailable
from lichen.kit.crash_points import crash_point
from lichen.log import Batch
from lichen.store import Row, Store, Unit, advance_checkpoint

NAME = "ingest"

_log = structlog.get_logger("lichen.federation")


class Line(msgspec.Struct, frozen=True, rename="camel"):
    """A line of the log `inbox`: who sent it, when it came, and the activity as it came.

    `form` is that of its signature, `took_us` how long it took to be believed; older lines do not
    say.
    """

    peer: str
    received_us: int
    activity: msgspec.Raw
    form: str = ""
    took_us: int = 0


_LINE = msgspec.json.Decoder(Line)


class _Named(msgspec.Struct):
    """As much of an activity that cannot be read as says which one it is."""

    id: object = ""


class _Done(NamedTuple):
    """What a batch did, and the flushes it waited for."""

    orders: Orders
    round_trips: int


class _Run(NamedTuple):
    """Activities to be applied in one transaction, and the checkpoint after it."""

    arrivals: Sequence[Arrival]
    checkpoint: int


class Ingest:
    """Follows the log `inbox` and applies it."""

    name = NAME
    serves_pages = False

    def __init__(
        self, store: Store, applying: Applying, *, position: int,
        moved: Callable[[int], None] = lambda position: None,
    ) -> None:
        """Take where it stands, and who is told how far it is: the door."""
        self.outcomes: Counter[str] = Counter()
        self.turn = asyncio.Lock()  # one batch at a time, of the log or of what waited
        self._broken_in_a_row = 0
        self._store = store
        self._applying = applying
        self._position = position
        self._moved = moved
        self.tracks = Arrived(since_us=store.clock())
        self._parked: Callable[[], None] = lambda: None
        self._told_moves: Callable[[], None] = lambda: None
        self._batch_max = INGEST_BATCH_NEAR_MAX if store.engine == "sqlite" else INGEST_BATCH_MAX

    def when_parked(self, then: Callable[[], None]) -> None:
        """Call this from now on whenever something was parked."""
        self._parked = then

    def position(self) -> int:
        """Return the last sequence applied."""
        return self._position

    async def apply(self, batch: Batch) -> None:
        """Apply lines of the log; what was applied before changes nothing."""
        arrivals: list[Arrival] = []
        last = self._position
        for entry in batch.entries():
            if entry.seq <= self._position:
                continue
            if len(arrivals) >= self._batch_max:
                await self._apply(_Run(arrivals, last))
                arrivals = []
            arrivals += self._arrivals(entry.seq, entry.payload)
            last = entry.seq
        await self._apply(_Run(arrivals, max(last, batch.next_seq - 1)))

    def when_moved(self, then: Callable[[], None]) -> None:
        """Call this from now on whenever a move was told, or a successor offered."""
        self._told_moves = then

    def give_up(self, seqs: Sequence[int], needs: str) -> None:
        """Note that what waited for something, by its lines, is not waited for any more."""
        self.outcomes["unresolved"] += len(seqs)
        for seq in seqs:
            self.tracks.note_fate(Fate(seq, "", "unresolved", needs=needs), self._store.clock())

    async def apply_parked(
        self, arrivals: Sequence[Arrival], then: Callable[[Unit], None]
    ) -> None:
        """Apply what waited, and do `then` in the same transaction, refused or not."""
        async with self.turn:
            await self._apply_some(arrivals, then)

    async def take(self, peer: str, activity: bytes) -> None:
        """Apply what a peer was asked for rather than what it sent, by the same rules."""
        async with self.turn:
            await self._apply_some(self._read(0, peer, activity), lambda unit: None)

    async def forget(self) -> int:
        """Forget the keys of activities that came long ago, a batch a unit; return how many."""
        total = 0
        while count := await self._store.write(
            lambda unit: len(unit.fetch(
                FORGET, before_us=unit.clock_us - RECEIVED_AGE_US_MAX, limit=FORGET_BATCH
            )), apart=True,
        ):
            total += count
        return total

    def _arrivals(self, seq: int, payload: bytes) -> list[Arrival]:
        """Return the activities of a line; those that cannot be read are counted."""
        try:
            line = _LINE.decode(payload)
        except msgspec.DecodeError:
            self._drop(Fate(seq, "", "invalid_json"))
            return []
        return self._read(seq, line.peer, bytes(line.activity))

    def _read(self, seq: int, peer: str, activity: bytes) -> list[Arrival]:
        try:
            document = decoded(activity)
            check_keys(activity)
        except msgspec.DecodeError:
            self._drop(Fate(seq, "", "invalid_json"))
            return []
        except Refused as refusal:
            self._drop(Fate(seq, "", refusal.code, refusal.text))
            return []
        arrivals = []
        for item in items_of(document):
            if item.activity is None:
                self._drop(Fate(seq, _id_in(item.raw), item.refusal))
            else:
                arrivals.append(Arrival(seq, peer, item.activity, item.raw))
        return arrivals

    def _drop(self, fate: Fate) -> None:
        """Count what cannot be read, and what follows from nothing else."""
        self.outcomes[fate.code] += 1
        self.tracks.note_fate(fate, self._store.clock())

    async def _apply(self, run: _Run) -> None:
        async with self.turn:
            if run.checkpoint > self._position:
                await self._apply_some(
                    run.arrivals,
                    lambda unit: advance_checkpoint(unit, NAME, run.checkpoint),
                )
                self._position = run.checkpoint
        self._moved(self._position)

    async def _apply_some(
        self, arrivals: Sequence[Arrival], then: Callable[[Unit], None]
    ) -> None:
        """Apply a batch; one that is refused as a whole is tried in halves, `then` with the last.

        What the first half did is known by its keys, should the second one never come.
        """
        def command(unit: Unit) -> _Done:
            orders = self._applying.apply(unit, arrivals) if arrivals else Orders()
            then(unit)
            crash_point("ingest.decided")
            return _Done(orders, unit.round_trips)

        began_us = self._store.clock()
        try:
            done = await self._store.write(command, apart=True, wait=False)
        except Unavailable:
            raise
        except Exception as error:  # whatever one activity brings about must not stop the others
            await self._halve(arrivals, then, error)
            return
        crash_point("ingest.after_commit")
        self._broken_in_a_row = 0
        outcomes = done.orders.outcomes
        self.outcomes.update(outcomes)
        self._note(arrivals, done, began_us)
        if outcomes["parked"]:
            self._parked()
        if outcomes["move_told"] or outcomes["offer_heard"]:
            self._told_moves()

    def _note(self, arrivals: Sequence[Arrival], done: _Done, began_us: int) -> None:
        if not arrivals:
            return
        waited = arrivals[0].parked_id is not None
        # Where the database is far, what is staged travels with COMMIT: one more flush.
        commit = 0 if self._store.engine == "sqlite" else 1
        batch = Applied(
            0 if waited else arrivals[0].seq, 0 if waited else arrivals[-1].seq, len(arrivals),
            began_us, self._store.clock(), done.round_trips + commit,
        )
        self.tracks.note(batch, arrivals, done.orders.fates)

    async def _halve(
        self, arrivals: Sequence[Arrival], then: Callable[[Unit], None], error: Exception
    ) -> None:
        if len(arrivals) > 1:
            middle = len(arrivals) // 2
            await self._apply_some(arrivals[:middle], lambda unit: None)
            await self._apply_some(arrivals[middle:], then)
            return
        if not arrivals:
            raise error
        (one,) = arrivals
        if isinstance(error, Refused):
            self._drop(Fate(one.seq, one.activity.id, error.code, error.text))
        else:
            # When nothing works any more it is we who are ill: stop, and lose nothing.
            self._broken_in_a_row += 1
            if self._broken_in_a_row > BROKEN_IN_A_ROW_MAX:
                raise error
            self._drop(Fate(one.seq, one.activity.id, "broken"))
            # Its text may quote what somebody wrote.
            _log.error("ingest_broken", peer=one.peer, seq=one.seq, error=type(error).__name__)

        def give_up(unit: Unit) -> None:
            unit.stage(KEEP, {"key": one.key, "at_us": unit.clock_us, "about": None})
            unit.stage(DROP, {"ids": [one.parked_id or 0]})
            then(unit)

        await self._store.write(give_up, apart=True, wait=False)


def _id_in(raw: bytes) -> str:
    try:
        return id_of(msgspec.json.decode(raw, type=_Named).id)
    except msgspec.DecodeError:
        return ""


def arrival_of(row: Row) -> Arrival:
    """Return the activity in a row of `parked`."""
    raw = row.raw.encode()
    activity = activity_of(decoded(raw), announcer=row.announcer)
    return Arrival(row.seq, row.peer, activity, raw, tries=row.tries + 1, parked_id=row.id)
