"""The relay: carries committed events from the outbox into the log, in order, exactly once.

    command ── COMMIT ──► outbox ──► relay: take all committed rows, by id
                                            append them to the log as one batch (durable)
                                            tell the waiting commands their sequence
                                            delete those rows

The outbox is a queue: a slow transaction's rows simply come with a later batch. One batch is in
flight. A crash between append and delete leaves rows whose events are in the log already; on start
the relay reads the end of the log back and deletes the rows whose event ids it finds there.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from itertools import accumulate
from typing import Protocol

import structlog

from lichen.events import Event, decode_events
from lichen.kit import Unavailable
from lichen.kit.crash_points import crash_point
from lichen.store import tables
from lichen.store.statement import Row
from lichen.store.store import Store

BATCH_MAX = 4_096  # events in one append; also how far back a start looks for its last batch
BATCH_BYTES_MAX = 4 << 20  # in one append, unless one event is larger; half of what the log takes
SETTLE_MS_MAX = 200  # how long a command waits until its own pages show it
LOOK_S = 1.0  # how often the outbox is looked at for what another process committed
RETRY_S_MIN = 0.1  # the first pause after a failed batch; it doubles
RETRY_S_MAX = 5.0  # the longest pause; a disk that has room again is noticed so soon

_log = structlog.get_logger("lichen.store")


class Appended(Protocol):
    """What an append answers: the sequences given, first to last."""

    @property
    def first_seq(self) -> int:
        """The sequence of the batch's first event."""

    @property
    def last_seq(self) -> int:
        """The sequence of the batch's last event."""


Append = Callable[[Sequence[bytes]], Awaitable[Appended]]
ReadBack = Callable[[int], bytes]  # (events) -> the log's last lines
WaitApplied = Callable[[int], Awaitable[None]]


class Relay:
    """The only appender of the house's log."""

    def __init__(
        self, store: Store, *, append: Append, read_back: ReadBack, wait_applied: WaitApplied
    ) -> None:
        self._store = store
        self._append = append
        self._read_back = read_back
        self._wait_applied = wait_applied
        self._wake = asyncio.Event()
        self._waiting: dict[str, asyncio.Future[int]] = {}
        self._appended: list[int] = []  # outbox ids whose events the log already has
        self._one_in_flight = asyncio.Lock()
        self._draining = False
        self.relayed = 0
        self.late = 0  # commands answered before their pages showed them
        store.settle = self.settle
        store.nudge = self._wake.set

    async def start(self) -> None:
        """Find what a crash left in the outbox though the log has it; it is deleted first of all.

        Writes nothing, so that a house can start on a full disk.
        """
        lines = await asyncio.to_thread(self._read_back, BATCH_MAX)
        known = [event.id for event in decode_events(lines)] if lines else []
        rows = await self._store.read(
            lambda unit: unit.fetch(tables.FIND_OUTBOX_EVENTS, ids=known), apart=True
        )
        self._appended = [row.id for row in rows]
        self._wake.set()

    async def run(self) -> None:
        """Relay until `drain`; a full disk or an absent database is retried with back-off.

        Not to be cancelled: an append that was cut off may or may not have happened.
        """
        retry_s = RETRY_S_MIN
        while not self._draining:
            with suppress(TimeoutError):
                async with asyncio.timeout(LOOK_S):
                    await self._wake.wait()
            self._wake.clear()
            try:
                await self.catch_up()
                retry_s = RETRY_S_MIN
            except Unavailable as error:
                _log.warning("relay_waits", reason=error.text, retry_s=retry_s)
                await asyncio.sleep(retry_s)
                retry_s = min(RETRY_S_MAX, retry_s * 2)
                self._wake.set()

    async def catch_up(self) -> None:
        """Relay everything that is committed now."""
        while await self._relay_batch():
            pass

    async def drain(self) -> None:
        """End `run` and relay what is left; called once no command is accepted any more."""
        self._draining = True
        self._wake.set()
        await self.catch_up()

    async def pending(self) -> int:
        """Return how many committed events wait in the outbox."""
        rows = await self._store.read(lambda unit: unit.fetch(tables.COUNT_OUTBOX), apart=True)
        return int(rows[0].count)

    async def settle(self, events: Sequence[Event]) -> None:
        """Wait until a command's events are in the log and on the pages, at most 200 ms."""
        last = events[-1].id
        future = self._waiting[last] = asyncio.get_running_loop().create_future()
        self._wake.set()
        try:
            async with asyncio.timeout(SETTLE_MS_MAX / 1_000):
                await self._wait_applied(await future)
        except TimeoutError:
            self.late += 1
        finally:
            self._waiting.pop(last, None)

    async def _relay_batch(self) -> bool:
        """Move one batch; say whether there may be more."""
        async with self._one_in_flight:
            await self._delete_appended()
            rows = await self._store.read(
                lambda unit: unit.fetch(tables.TAKE_OUTBOX, limit=BATCH_MAX), apart=True
            )
            if not rows:
                return False
            found, rows = len(rows), _fitting(rows)
            crash_point("relay.before_append")
            appended = await self._append([row.payload.encode() for row in rows])
            crash_point("relay.after_append")
            assert appended.last_seq - appended.first_seq + 1 == len(rows)
            self._appended = [row.id for row in rows]
            for seq, row in enumerate(rows, appended.first_seq):
                future = self._waiting.get(row.event_id)
                if future is not None and not future.done():
                    future.set_result(seq)
            await self._delete_appended()
            crash_point("relay.after_delete")
            self.relayed += len(rows)
            return len(rows) < found or found == BATCH_MAX

    async def _delete_appended(self) -> None:
        """Delete the rows of the batch that the log has; kept in mind until that succeeded."""
        ids = self._appended
        if ids:
            await self._store.write(
                lambda unit: unit.stage(tables.DELETE_OUTBOX, {"ids": ids}), apart=True
            )
            self._appended = []


def _fitting(rows: list[Row]) -> list[Row]:
    """Return the first rows, at least one, that one append may hold."""
    ends = accumulate(len(row.payload.encode()) for row in rows)
    count = sum(end <= BATCH_BYTES_MAX for end in ends)
    return rows[:max(1, count)]
