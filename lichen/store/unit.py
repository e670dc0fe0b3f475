"""The unit of work: what a query or a command sees of the rows.

A command is a synchronous function over a Unit. It first learns all it needs in one `fetch_all`,
decides, stages its writes, emits its events, and returns; the store sends writes, events and COMMIT
in one flush. So a command costs two round trips, however far away the database is.
"""

from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import msgspec
import sqlalchemy as sa

from lichen.events import LOCAL, Event, encode_event
from lichen.store import tables
from lichen.store.numbers import Numbers
from lichen.store.statement import Parameters, Row, Statement

Query = tuple["Statement | sa.Executable", Parameters]


class Unit(ABC):
    """One query or one command over the rows; never outlives the function it is given to.

    `clock_us` is the time of this unit of work. `round_trips` counts the flushes that waited for
    an answer, BEGIN, COMMIT and ROLLBACK included. While `withholds` outsiders hear of nothing that
    is emitted.
    """

    def __init__(self, numbers: Numbers, clock_us: int) -> None:
        self.clock_us = clock_us
        self.round_trips = 0
        self.events: list[Event] = []
        self.withholds = False
        self._numbers = numbers
        self._finished = False
        self._origin = LOCAL
        self._origins: Mapping[str, str] = {}

    def fetch(self, statement: "Statement | sa.Executable", **parameters: Any) -> list[Row]:
        """Return the rows of one statement; one round trip, staged writes go with it."""
        return self.fetch_all((statement, parameters))[0]

    @abstractmethod
    def fetch_all(self, *queries: Query) -> list[list[Row]]:
        """Return the rows of several statements in one round trip, staged writes first."""

    @abstractmethod
    def stage(self, statement: "Statement | sa.Executable", *rows: Parameters) -> None:
        """Stage a write for each row of parameters; sent with the next flush or with COMMIT."""

    @abstractmethod
    def _commit_with(self, *queries: Query) -> list[list[Row]]:
        """Send staged writes, the outbox rows, the queries and COMMIT in one flush."""

    @abstractmethod
    def take_numbers(self, name: str, count: int = 1) -> list[int]:
        """Return fresh row numbers of that name, ascending and never given before."""

    def emit(self, *events: Event) -> None:
        """Queue events for the log; they are inserted last, in the same transaction."""
        assert not self._finished, "emit after finish"
        if self.withholds:
            events = tuple(msgspec.structs.replace(one, outside="withheld") for one in events)
        if self._origin == LOCAL:
            self.events.extend(events)
            return
        for event in events:
            origin = event.origin or self._origins.get(event.did, self._origin)
            self.events.append(msgspec.structs.replace(event, origin=origin))

    @contextmanager
    def coming_from(
        self, authority: str, *, origins: Mapping[str, str] | None = None
    ) -> Iterator[None]:
        """Say where the events of what is done meanwhile come from: a peer, by its authority.

        `origins` says it by DID, for a batch of several peers' words; `authority` is for the rest.
        """
        assert authority != LOCAL, "what comes from here needs no origin"
        assert self._origin == LOCAL, "one origin at a time"
        self._origin, self._origins = authority, origins or {}
        try:
            yield
        finally:
            self._origin, self._origins = LOCAL, {}

    def finish(self, *queries: Query) -> list[list[Row]]:
        """Commit, and return the rows of the queries from the same flush; nothing may follow."""
        assert not self._finished, "finish twice"
        rows = self._commit_with(*queries)
        self._finished = True
        return rows

    def _outbox_rows(self) -> list[dict[str, str]]:
        return [
            {"event_id": event.id, "payload": encode_event(event).decode()}
            for event in self.events
        ]


def checkpoint_of(unit: Unit, reader: str) -> int:
    """Return the sequence up to which a rows reader has applied the log, 0 for none."""
    rows = unit.fetch(tables.READ_CHECKPOINT, reader=reader)
    return int(rows[0].seq) if rows else 0


def advance_checkpoint(unit: Unit, reader: str, seq: int) -> None:
    """Stage a rows reader's new checkpoint, in the transaction of its rows."""
    unit.stage(tables.SET_CHECKPOINT, {"reader": reader, "seq": seq})


def next_number(unit: Unit, name: str) -> int:
    """Return a number above every one that rows of this name have."""
    rows = unit.fetch(tables.READ_NUMBER, named=name)
    return int(rows[0].next) if rows else 1


def stamp_of(unit: Unit, name: str) -> str | None:
    """Return a fact about the whole house (its epoch, a secret), None where it was never set."""
    rows = unit.fetch(tables.READ_STAMP, name=name)
    return str(rows[0].value) if rows else None


def set_stamp(unit: Unit, name: str, value: str) -> None:
    """Stage a fact about the whole house."""
    unit.stage(tables.SET_STAMP, {"name": name, "value": value})
