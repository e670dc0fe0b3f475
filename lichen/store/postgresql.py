"""PostgreSQL: threads with psycopg in autocommit, several statements to a flush.

A read is one pipeline, so one round trip, and needs no BEGIN. A command's first `fetch_all` takes
BEGIN along; its staged writes, its outbox rows, its closing selects and COMMIT share one flush. The
transaction is READ COMMITTED: rows that will be changed are selected FOR UPDATE in the first flush,
so a command decides on what nobody can change meanwhile.
"""

import asyncio
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any, TypeVar

import psycopg
import sqlalchemy as sa

from lichen.kit import Broken, Clock, Refused, Unavailable
from lichen.kit.crash_points import crash_point
from lichen.store import tables
from lichen.store.numbers import Numbers
from lichen.store.statement import Parameters, Row, Statement, compiled
from lichen.store.store import Outcome, Store
from lichen.store.unit import Query, Unit

T = TypeVar("T")

READERS = 12  # threads and connections; most of a read's time is waiting for the network
WRITERS = 6  # threads and connections
RETRIES_MAX = 3  # of a command that PostgreSQL chose as the victim of a deadlock
CONNECT_TIMEOUT_S = 10
PREPARE_AFTER = 3  # executions before a statement is prepared on its connection

_Connection = psycopg.Connection[tuple[Any, ...]]


class PostgresqlStore(Store):
    """Rows in a PostgreSQL database, near or far."""

    engine = "postgresql"

    def __init__(self, url: str, clock: Clock) -> None:
        super().__init__(clock)
        self.url = url
        self._idle: list[_Connection] = []  # a stack: the warmest connection is used next
        self._readers = ThreadPoolExecutor(READERS, thread_name_prefix="store-read")
        self._writers = ThreadPoolExecutor(WRITERS, thread_name_prefix="store-write")

    async def _read(self, query: Callable[[Unit], T]) -> Outcome[T]:
        return await asyncio.get_running_loop().run_in_executor(self._readers, self._run, query)

    async def _write(self, command: Callable[[Unit], T]) -> Outcome[T]:
        return await asyncio.get_running_loop().run_in_executor(
            self._writers, self._run_command, command
        )

    async def compact(self) -> None:
        """Have PostgreSQL give up the rows that nobody sees any more, beside everybody's work."""
        await asyncio.get_running_loop().run_in_executor(self._writers, self._vacuum)

    def _vacuum(self) -> None:
        try:
            with self._connection() as connection:
                connection.execute("VACUUM")
        except psycopg.Error as error:
            raise _translated(error) from error

    async def close(self) -> None:
        """Give unused numbers back and close every connection."""
        await asyncio.to_thread(self._readers.shutdown)
        await asyncio.to_thread(self._writers.shutdown)
        await asyncio.to_thread(self._give_back)
        for connection in self._idle:
            connection.close()

    def refill(self, name: str, size: int) -> int:
        """Take a block of numbers in a transaction of its own; return its first."""
        with self._connection() as connection:
            unit = PostgresqlUnit(connection, self, is_command=False)
            unit.stage(tables.FIRST_NUMBERS, {"name": name, "next": 1})
            return int(unit.fetch(tables.TAKE_NUMBERS, named=name, count=size)[0].next) - size

    def _run(self, query: Callable[[Unit], T]) -> Outcome[T]:
        try:
            with self._connection() as connection:
                unit = PostgresqlUnit(connection, self, is_command=False)
                return Outcome(query(unit), [], unit.round_trips)
        except psycopg.Error as error:
            raise _translated(error) from error

    def _run_command(self, command: Callable[[Unit], T]) -> Outcome[T]:
        for attempt in range(RETRIES_MAX + 1):
            try:
                with self._connection() as connection:
                    return self._attempt(connection, command)
            except (psycopg.errors.DeadlockDetected, psycopg.errors.SerializationFailure) as error:
                if attempt == RETRIES_MAX:
                    raise _translated(error) from error
            except psycopg.Error as error:
                raise _translated(error) from error
        raise AssertionError("the last attempt returns or raises")

    def _attempt(self, connection: _Connection, command: Callable[[Unit], T]) -> Outcome[T]:
        unit = PostgresqlUnit(connection, self, is_command=True)
        unit.withholds = self.withholds()
        try:
            result = command(unit)
            unit.close()
        except BaseException:
            unit.roll_back()
            raise
        crash_point("store.after_commit")
        return Outcome(result, unit.events, unit.round_trips)

    @contextmanager
    def _connection(self) -> Iterator[_Connection]:
        """Lend an idle connection, or a new one; a broken one is not taken back."""
        connection = self._idle.pop() if self._idle else self._connect()
        try:
            yield connection
        finally:
            if not connection.closed and not connection.broken:
                self._idle.append(connection)

    def _connect(self) -> _Connection:
        return psycopg.connect(
            self.url, autocommit=True, prepare_threshold=PREPARE_AFTER,
            connect_timeout=CONNECT_TIMEOUT_S, application_name="lichen",
        )

    def _give_back(self) -> None:
        remainders = self._numbers.remainders()
        if remainders:
            names = ("named", "unused", "end")
            rows = [dict(zip(names, remainder, strict=True)) for remainder in remainders]
            with self._connection() as connection:
                unit = PostgresqlUnit(connection, self, is_command=True)
                unit.stage(tables.GIVE_BACK_NUMBERS, *rows)
                unit.close()

    @property
    def numbers(self) -> Numbers:
        """The blocks of row numbers in hand."""
        return self._numbers


class PostgresqlUnit(Unit):
    """A unit of work on one connection; a command holds a transaction from its first flush."""

    def __init__(
        self, connection: _Connection, store: PostgresqlStore, *, is_command: bool
    ) -> None:
        super().__init__(store.numbers, store.clock())
        self._connection = connection
        self._store = store
        self._is_command = is_command
        self._begun = False
        self._staged: list[tuple[Statement | sa.Executable, tuple[Parameters, ...]]] = []

    def fetch_all(self, *queries: Query) -> list[list[Row]]:
        """Return the rows of several statements in one round trip, staged writes first."""
        assert not self._finished, "fetch after finish"
        return self._flush(queries, commit=False)

    def stage(self, statement: Statement | sa.Executable, *rows: Parameters) -> None:
        """Keep a write for the next flush."""
        assert not self._finished, "stage after finish"
        if rows:
            self._staged.append((statement, rows))

    def take_numbers(self, name: str, count: int = 1) -> list[int]:
        """Return fresh row numbers; a refill is a round trip of its own, once a block."""
        return self._numbers.take(name, count, self._store.refill)

    def close(self) -> None:
        """Commit, unless `finish` has; a command that wrote nothing just ends."""
        if self._finished:
            return
        if self._begun or self._staged or self.events:
            self._flush((), commit=True)
        self._finished = True

    def roll_back(self) -> None:
        """Undo what was sent; nothing to do where nothing was."""
        if self._begun and not self._connection.closed:
            self.round_trips += 1
            self._begun = False
            # By libpq itself: psycopg would answer a ROLLBACK by forgetting every prepared
            # statement, with a DEALLOCATE of a round trip of its own.
            answer = self._connection.pgconn.exec_(b"ROLLBACK")
            if answer.status != psycopg.pq.ExecStatus.COMMAND_OK:
                self._connection.close()  # a connection in an unknown state is not used again

    def _commit_with(self, *queries: Query) -> list[list[Row]]:
        return self._flush(queries, commit=True)

    def _flush(self, queries: tuple[Query, ...], *, commit: bool) -> list[list[Row]]:
        """Send everything that waits, then the queries, then COMMIT, and wait once."""
        self.round_trips += 1
        staged, self._staged = self._staged, []
        if commit and self.events:
            staged.append((tables.INSERT_OUTBOX, tuple(self._outbox_rows())))
        cursors = []
        with self._connection.pipeline():
            if self._is_command and not self._begun:
                self._begun = True
                self._connection.execute("BEGIN", prepare=False)
            for statement, rows in staged:
                self._send(statement, rows)
            for statement, parameters in queries:
                form = compiled(statement, "postgresql")
                cursor = self._connection.execute(form.sql, form.bind(parameters))
                cursors.append((form, cursor))
            if commit:
                crash_point("store.before_commit")
                self._connection.execute("COMMIT", prepare=False)
        if commit:
            self._begun = False
        return [
            list(map(form.row, cursor.fetchall())) if form.row else []
            for form, cursor in cursors
        ]

    def _send(self, statement: Statement | sa.Executable, rows: tuple[Parameters, ...]) -> None:
        form = compiled(statement, "postgresql")
        if len(rows) == 1:
            self._connection.execute(form.sql, form.bind(rows[0]))
        else:
            with self._connection.cursor() as cursor:
                cursor.executemany(form.sql, [form.bind(row) for row in rows])


def _translated(error: psycopg.Error) -> Exception:
    """Return our error for psycopg's: the world's where the database is away or full."""
    if isinstance(error, psycopg.errors.UniqueViolation):
        return Refused("already_exists", "Somebody else has just done the same.", status=409)
    state = error.sqlstate or ""
    # PostgreSQL, Appendix A: 08 connection, 53 resources, 57 operator intervention, 58 system.
    if state[:2] in {"08", "53", "57", "58"} or isinstance(error, psycopg.OperationalError):
        return Unavailable("The database does not answer; try again in a moment.")
    # Its text may quote values.
    return Broken(f"PostgreSQL {state}: {type(error).__name__}")
