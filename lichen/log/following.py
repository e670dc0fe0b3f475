"""Followers: every reader of the log on a task of its own, each at its own pace.

    log ──▶ task of search         position 918, live
        ──▶ task of notifications  position 918, live
        ──▶ task of ranking        position 412, catching up

A reader says where it is, once; from then on it gets batches in order and applies them. A failing
reader is paused, tried again with growing pauses and shown as failed; it never holds up another.
What the world does (a disk, a database) is tried for ever. What the reader itself gets wrong is
tried a few times, then it is left stopped until the next start, loudly.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from dataclasses import dataclass
from traceback import format_tb
from typing import Literal, NamedTuple, Protocol

import structlog

from lichen.kit import Broken, Unavailable
from lichen.log.bell import Bell
from lichen.log.contract import Batch, Log
from lichen.log.limits import BACKOFF_MS_MAX, BACKOFF_MS_MIN, READ_RECORDS_MAX, RESTARTS_MAX

logger = structlog.get_logger()

Condition = Literal["following", "failed", "stopped"]


class Reader(Protocol):
    """Whoever derives a state from the log.

    `serves_pages`: a command's answer waits until this reader has applied its events.
    """

    name: str
    serves_pages: bool

    def position(self) -> int:
        """Return the last sequence this reader has applied; asked once, at the start."""

    async def apply(self, batch: Batch) -> None:
        """Apply a batch, idempotently: after a crash or a failure it may come again."""


class ReaderState(NamedTuple):
    """How a reader is doing, for `/ready` and the metrics."""

    name: str
    position: int
    condition: Condition
    failures: int
    error: str


@dataclass(slots=True, eq=False)
class _Follower:
    """A reader and how far it is. Written by its own task alone; each field in one step."""

    reader: Reader
    position: int = 0
    condition: Condition = "following"
    failures: int = 0
    failures_in_a_row: int = 0
    error: str = ""


class Followers:
    """Drives the readers of one log."""

    def __init__(self, log: Log, readers: Iterable[Reader], *,
                 pause: Callable[[float], Awaitable[None]] = asyncio.sleep) -> None:
        """Take the readers; `pause` sleeps for some seconds between a failure and the next try."""
        self._log = log
        self._pause = pause
        self._moved = Bell()
        self._followers = {reader.name: _Follower(reader) for reader in readers}

    async def run(self) -> None:
        """Drive all readers until cancelled, or until the log is closed."""
        for follower in self._followers.values():
            follower.position = follower.reader.position()
        async with asyncio.TaskGroup() as tasks:
            for name, follower in self._followers.items():
                tasks.create_task(self._drive(follower), name=f"reader {name}")

    def positions(self) -> dict[str, int]:
        """Return the last sequence that each reader has applied; thread-safe."""
        return {name: follower.position for name, follower in self._followers.items()}

    def states(self) -> tuple[ReaderState, ...]:
        """Return how each reader is doing; thread-safe."""
        return tuple(ReaderState(name, f.position, f.condition, f.failures, f.error)
                     for name, f in self._followers.items())

    def low_water(self) -> int:
        """Return the lowest position of all readers: what retention must keep after."""
        return min(self.positions().values(), default=self._log.last_seq)

    async def wait_applied(self, seq: int, *, timeout_ms: int) -> bool:
        """Wait until every reader that serves pages has applied `seq`; False when it takes longer.

        A failed reader is not waited for: the answer is False at once.
        """
        serving = [f for f in self._followers.values() if f.reader.serves_pages]

        def is_decided() -> bool:
            return all(f.position >= seq for f in serving) or any(
                f.condition != "following" and f.position < seq for f in serving)

        try:
            async with asyncio.timeout(timeout_ms / 1_000):
                await self._moved.wait_until(is_decided)
        except TimeoutError:
            return False
        return all(f.position >= seq for f in serving)

    async def _drive(self, follower: _Follower) -> None:
        """Keep one reader going."""
        while True:
            try:
                await self._follow(follower)
                return
            # The outermost loop of a reader: one that fails must not take the others along.
            except Exception as error:
                self._note_failure(follower, error)
            if follower.condition == "stopped":
                return
            await self._pause(_pause_s(follower.failures_in_a_row))

    async def _follow(self, follower: _Follower) -> None:
        if follower.position > self._log.last_seq:
            raise Broken(f"The reader {follower.reader.name} is at {follower.position}, but the "
                         f"log ends at {self._log.last_seq}; rebuild the reader.")
        batches: AsyncIterator[Batch] = self._log.follow(follower.position + 1,
                                                         limit=READ_RECORDS_MAX)
        async for batch in batches:
            # An empty batch passes a hole; the reader's own checkpoint need not know.
            if len(batch):
                await follower.reader.apply(batch)
            follower.position = batch.next_seq - 1
            follower.condition, follower.error, follower.failures_in_a_row = "following", "", 0
            self._moved.ring()

    def _note_failure(self, follower: _Follower, error: Exception) -> None:
        follower.failures += 1
        follower.failures_in_a_row += 1
        follower.error = type(error).__name__
        may_heal = isinstance(error, Unavailable) or follower.failures_in_a_row <= RESTARTS_MAX
        follower.condition = "failed" if may_heal else "stopped"
        # The text of an error may quote what people wrote; its type and its lines of code do not.
        logger.error("log.reader_failed", reader=follower.reader.name, position=follower.position,
                     condition=follower.condition, failures=follower.failures,
                     error=follower.error, where=format_tb(error.__traceback__))
        self._moved.ring()


def _pause_s(failures: int) -> float:
    """Return how long to wait after so many failures in a row, in seconds."""
    return min(BACKOFF_MS_MAX, BACKOFF_MS_MIN << min(failures - 1, 16)) / 1_000
