"""SQLite: one writer thread that group-commits, a few readers, one hop per request.

    commands ──► queue ──► writer thread: BEGIN IMMEDIATE
                                            SAVEPOINT  command 1  RELEASE
                                            SAVEPOINT  command 2  ROLLBACK TO (refused)
                                            …
                                          COMMIT (one fsync for all) ──► answers

WAL with synchronous=FULL: a COMMIT that returned survives a power cut (sqlite.org/pragma.html,
"synchronous"). secure_delete overwrites what is deleted, because an erasure must be one.
"""

import asyncio
import sqlite3
import threading
from collections.abc import Callable, Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from queue import SimpleQueue
from typing import Any, TypeVar

import sqlalchemy as sa

from lichen.kit import Broken, Clock, Refused, Unavailable
from lichen.kit.crash_points import crash_point
from lichen.store import tables
from lichen.store.numbers import Numbers
from lichen.store.statement import Parameters, Row, Statement, compiled
from lichen.store.store import Outcome, Store
from lichen.store.unit import Query, Unit

T = TypeVar("T")

READERS = 2  # threads; more only contend for the interpreter
TURN_S_MAX = 0.02  # one reader waits so long for the other; a slow query delays nobody longer
GROUP_MAX = 256  # commands that share one COMMIT
BUSY_TIMEOUT_MS = 5_000  # another process (a backup, a shell) may hold the file this long
STATEMENTS_CACHED = 512  # prepared statements per connection
PAGE_CACHE_KB = 16_384  # per connection
MAPPED_BYTES_MAX = 1 << 30  # page cache shared with the system, not private memory


class SqliteStore(Store):
    """Rows in one SQLite file."""

    engine = "sqlite"

    def __init__(self, path: Path, clock: Clock) -> None:
        super().__init__(clock)
        self.path = path
        self._local = threading.local()
        self._connections: list[sqlite3.Connection] = []
        self._turn = threading.Lock()
        self._readers = ThreadPoolExecutor(READERS, thread_name_prefix="store-read")
        self._queue: SimpleQueue[tuple[Callable[[Unit], Any], Future[Any]] | None] = SimpleQueue()
        self._writer = threading.Thread(target=self._write_forever, name="store-write", daemon=True)
        self._closed = False
        self._writer.start()

    async def _read(self, query: Callable[[Unit], T]) -> Outcome[T]:
        return await asyncio.get_running_loop().run_in_executor(self._readers, self._run, query)

    async def _write(self, command: Callable[[Unit], T]) -> Outcome[T]:
        if self._closed:
            raise Unavailable("The house is closing; try again in a moment.")
        future: Future[Outcome[T]] = Future()
        self._queue.put((command, future))
        return await asyncio.wrap_future(future)

    async def compact(self) -> None:
        """Write the file anew on the writer's thread, and empty the write-ahead log.

        secure_delete overwrites what is deleted, but where SQLite has moved a row from a full page
        to another, the first keeps a copy in its unused part (docs/gotchas.md).
        """
        if self._closed:
            raise Unavailable("The house is closing; it is done after the next start.")
        future: Future[None] = Future()
        self._queue.put((_compact, future))
        await asyncio.wrap_future(future)

    async def close(self) -> None:
        """Finish what is queued, give unused numbers back and close every connection."""
        if self._closed:
            return
        self._closed = True
        self._queue.put(None)
        await asyncio.to_thread(self._writer.join)
        self._readers.shutdown(wait=True)
        for connection in self._connections:
            connection.close()

    def _run(self, query: Callable[[Unit], T]) -> Outcome[T]:
        """Run a query when no other runs, or after TURN_S_MAX anyway.

        sqlite3 gives the interpreter's lock away at each row, so two readers at once hand it to and
        fro, which costs a tenth of the processor time of a list of posts.
        """
        is_my_turn = self._turn.acquire(timeout=TURN_S_MAX)
        try:
            return self._answer(query)
        finally:
            if is_my_turn:
                self._turn.release()

    def _answer(self, query: Callable[[Unit], T]) -> Outcome[T]:
        try:
            connection = getattr(self._local, "connection", None)
            if connection is None:
                connection = self._local.connection = self._connect()
                connection.execute("PRAGMA query_only = ON")
            unit = SqliteUnit(connection, self._numbers, self.clock())
            # One snapshot for the whole query: its statements see the same moment.
            connection.execute("BEGIN")
            try:
                return Outcome(query(unit), [], unit.round_trips)
            finally:
                _end_reading(connection)
        except sqlite3.Error as error:
            raise _translated(error) from error

    def _connect(self) -> sqlite3.Connection:
        connection = connect(self.path)
        self._connections.append(connection)
        return connection

    def _write_forever(self) -> None:
        connection: sqlite3.Connection | None = None
        while (job := self._queue.get()) is not None:
            jobs = [job]
            while len(jobs) < GROUP_MAX and not self._queue.empty():
                waiting = self._queue.get()
                if waiting is None:
                    self._queue.put(None)
                    break
                jobs.append(waiting)
            # Who asked and has gone away before it began is passed over.
            jobs = [job for job in jobs if job[1].set_running_or_notify_cancel()]
            try:
                connection = connection or self._connect()
            except sqlite3.Error as error:  # a full disk may not even be opened; the next may
                for _command, future in jobs:
                    future.set_exception(_translated(error))
                continue
            self._write_group(connection, [job for job in jobs if job[0] is not _compact])
            for command, future in jobs:
                if command is _compact:
                    _rewrite(connection, future)
        if connection is not None:
            self._give_back(connection)

    def _write_group(
        self, connection: sqlite3.Connection, jobs: list[tuple[Callable[[Unit], Any], Future[Any]]]
    ) -> None:
        if not jobs:
            return
        answers: list[tuple[Future[Any], Outcome[Any] | BaseException]] = []
        units: list[SqliteUnit] = []
        try:
            connection.execute("BEGIN IMMEDIATE")
            for command, future in jobs:
                unit = SqliteUnit(connection, self._numbers, self.clock())
                unit.withholds = self.withholds()
                units.append(unit)
                answers.append((future, _run_command(connection, unit, command)))
            crash_point("store.before_commit")
            connection.execute("COMMIT")
            crash_point("store.after_commit")
        except sqlite3.Error as error:
            _roll_back(connection)
            for unit in units:
                unit.forget_numbers()
            failure = _translated(error)
            answers = [(future, failure) for _command, future in jobs]
        for future, answer in answers:
            if isinstance(answer, BaseException):
                future.set_exception(answer)
            else:
                future.set_result(answer)

    def _give_back(self, connection: sqlite3.Connection) -> None:
        statement = tables.GIVE_BACK_NUMBERS.compiled(self.engine)
        with suppress(sqlite3.Error):  # a full disk: there will be a gap
            for name, unused, end in self._numbers.remainders():
                bound = statement.bind({"named": name, "unused": unused, "end": end})
                connection.execute("BEGIN IMMEDIATE")
                connection.execute(statement.sql, bound)
                connection.execute("COMMIT")


class SqliteUnit(Unit):
    """A unit of work on one SQLite connection, inside a transaction somebody else ends."""

    def __init__(self, connection: sqlite3.Connection, numbers: Numbers, clock_us: int) -> None:
        super().__init__(numbers, clock_us)
        self.connection = connection
        self._refilled: set[str] = set()

    def fetch_all(self, *queries: Query) -> list[list[Row]]:
        """Return the rows of several statements."""
        assert not self._finished, "fetch after finish"
        self.round_trips += 1
        return [self._fetch(statement, parameters) for statement, parameters in queries]

    def stage(self, statement: Statement | sa.Executable, *rows: Parameters) -> None:
        """Write at once: on SQLite there is no flush to wait for."""
        assert not self._finished, "stage after finish"
        form = compiled(statement, "sqlite")
        if len(rows) == 1:
            self.connection.execute(form.sql, form.bind(rows[0]))
        else:
            self.connection.executemany(form.sql, map(form.bind, rows))

    def take_numbers(self, name: str, count: int = 1) -> list[int]:
        """Return fresh row numbers; a block taken in a transaction that fails is forgotten."""
        return self._numbers.take(name, count, self._refill)

    def forget_numbers(self) -> None:
        """Drop the blocks that this unit took, because it was rolled back."""
        for name in self._refilled:
            self._numbers.forget(name)

    def close(self) -> None:
        """Insert the events, unless `finish` has."""
        if not self._finished:
            self._insert_events()

    def _commit_with(self, *queries: Query) -> list[list[Row]]:
        self._insert_events()
        return self.fetch_all(*queries)

    def _insert_events(self) -> None:
        if self.events:
            sql = tables.INSERT_OUTBOX.compiled("sqlite").sql
            self.connection.executemany(sql, self._outbox_rows())

    def _fetch(self, statement: Statement | sa.Executable, parameters: Parameters) -> list[Row]:
        if isinstance(statement, Statement) and statement.only_locks:
            return []
        form = compiled(statement, "sqlite")
        rows = self.connection.execute(form.sql, form.bind(parameters)).fetchall()
        return list(map(form.row, rows)) if form.row else rows

    def _refill(self, name: str, size: int) -> int:
        self._refilled.add(name)
        self.stage(tables.FIRST_NUMBERS, {"name": name, "next": 1})
        (row,) = self._fetch(tables.TAKE_NUMBERS, {"named": name, "count": size})
        return int(row.next) - size


# sqlite.org/rescode.html: what a disk, a lock or a permission causes, not we.
_WORLD = ("SQLITE_FULL", "SQLITE_IOERR", "SQLITE_BUSY", "SQLITE_READONLY", "SQLITE_CANTOPEN")


def connect(path: Path) -> sqlite3.Connection:
    """Open the file with the pragmas that every connection of this house has."""
    connection = sqlite3.connect(
        path, isolation_level=None, check_same_thread=False,
        cached_statements=STATEMENTS_CACHED, timeout=BUSY_TIMEOUT_MS / 1_000,
    )
    pragmas: Iterable[str] = (
        "journal_mode = WAL", "synchronous = FULL", "foreign_keys = ON", "secure_delete = ON",
        f"cache_size = -{PAGE_CACHE_KB}", f"mmap_size = {MAPPED_BYTES_MAX}",
        "temp_store = MEMORY", "wal_autocheckpoint = 4000",
    )
    for pragma in pragmas:
        connection.execute(f"PRAGMA {pragma}")
    return connection


def _compact(_unit: Unit) -> None:
    """Stand in the queue for a rewriting of the file, which no transaction may hold."""
    raise AssertionError("the writer rewrites the file itself")


def _rewrite(connection: sqlite3.Connection, future: "Future[None]") -> None:
    """Write the file anew without what was deleted, and truncate the write-ahead log."""
    try:
        connection.execute("VACUUM")
        # sqlite.org/pragma.html#pragma_wal_checkpoint: waits for readers; the first column is busy.
        (is_busy, *_), = connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
        if is_busy:
            raise Unavailable("A long read kept the write-ahead log open; it is tried again.")
    except Unavailable as trouble:
        future.set_exception(trouble)
    except sqlite3.Error as error:
        future.set_exception(_translated(error))
    else:
        future.set_result(None)


def _run_command(
    connection: sqlite3.Connection, unit: SqliteUnit, command: Callable[[Unit], T]
) -> Outcome[T] | BaseException:
    """Run one command inside its savepoint; return its outcome or what it raised."""
    connection.execute("SAVEPOINT command")
    try:
        result = command(unit)
        unit.close()
        connection.execute("RELEASE command")
        return Outcome(result, unit.events, unit.round_trips)
    # Whatever one command raises is its caller's; the others of the group go on.
    except BaseException as error:
        if not connection.in_transaction:
            raise  # SQLite itself gave the transaction up (disk full): the group has failed
        connection.execute("ROLLBACK TO command")
        connection.execute("RELEASE command")
        unit.forget_numbers()
        return _translated(error) if isinstance(error, sqlite3.Error) else error


def _end_reading(connection: sqlite3.Connection) -> None:
    if connection.in_transaction:  # SQLite gives it up by itself where the disk fails
        connection.execute("COMMIT")


def _roll_back(connection: sqlite3.Connection) -> None:
    if connection.in_transaction:
        connection.execute("ROLLBACK")


def _translated(error: sqlite3.Error) -> Exception:
    """Return our error for SQLite's: the world's where it is the disk's or a lock's."""
    name = getattr(error, "sqlite_errorname", "")
    if name.startswith(_WORLD):
        return Unavailable(f"The database could not write ({name}); check the disk's free space.")
    if name.startswith("SQLITE_CONSTRAINT"):
        return Refused("already_exists", "Somebody else has just done the same.", status=409)
    return Broken(f"SQLite: {error}")
