"""The store: reads and writes rows for the rooms, on either engine, behind one interface."""

from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable, Sequence
from typing import Generic, NamedTuple, TypeVar

from lichen.events import Event
from lichen.kit import Clock
from lichen.store.numbers import Numbers
from lichen.store.unit import Unit

T = TypeVar("T")
Settle = Callable[[Sequence[Event]], Awaitable[None]]


class Outcome(NamedTuple, Generic[T]):
    """What a command returned and the events it committed."""

    result: T
    events: list[Event]
    round_trips: int


class Store(ABC):
    """Rows behind one interface; see `SqliteStore` and `PostgresqlStore`.

    `engine` is "sqlite" or "postgresql". `settle`, given by the relay, waits until what a command
    committed has reached the log and the readers that serve pages; `nudge` only tells the relay.
    `withholds`, given by the house, says whether outsiders may hear of nothing now.
    """

    engine: str

    def __init__(self, clock: Clock) -> None:
        self.clock = clock
        self.settle: Settle | None = None
        self.nudge: Callable[[], None] | None = None
        self.withholds: Callable[[], bool] = lambda: False
        self.round_trips = 0
        self.round_trips_apart = 0
        self._numbers = Numbers()

    async def read(self, query: Callable[[Unit], T], *, apart: bool = False) -> T:
        """Run a query in one thread hop and return what it returns.

        `apart` leaves its round trips out of the count: the relay's and the readers'.
        """
        outcome = await self._read(query)
        self._count(outcome.round_trips, apart=apart)
        return outcome.result

    async def write(
        self, command: Callable[[Unit], T], *, apart: bool = False, wait: bool = True
    ) -> T:
        """Run a command, commit it durably, and wait (bounded) until its own pages show it.

        Without `wait`, for readers that nobody waits for, it returns once it is durable. A refusal
        rolls back this command alone. Raises Unavailable where the database or its disk does not
        take the write; nothing of the command is then kept.
        """
        outcome = await self._write(command)
        self._count(outcome.round_trips, apart=apart)
        if outcome.events and not wait and self.nudge is not None:
            self.nudge()
        elif outcome.events and self.settle is not None:
            await self.settle(outcome.events)
        return outcome.result

    def _count(self, round_trips: int, *, apart: bool) -> None:
        if apart:
            self.round_trips_apart += round_trips
        else:
            self.round_trips += round_trips

    @abstractmethod
    async def _read(self, query: Callable[[Unit], T]) -> Outcome[T]:
        """Run a query on a read connection."""

    @abstractmethod
    async def _write(self, command: Callable[[Unit], T]) -> Outcome[T]:
        """Run a command in a transaction and commit it."""

    @abstractmethod
    async def compact(self) -> None:
        """Write the rows anew, so that nothing of what was deleted is left in their files.

        Costs the writing of everything, and on SQLite writers wait meanwhile: after an erasure
        only. Raises Unavailable where it could not be done now.
        """

    @abstractmethod
    async def close(self) -> None:
        """Finish what is queued, give unused numbers back and close every connection."""
