"""Reading rows without ever writing one: a house's own, running or not, and other servers'.

    reading(url, folder) ─► SQLite: query_only              ─► select(sql, …) ─► rows by name
                         └► PostgreSQL: a session that is     one round trip each
                            read-only, with a time limit

What is asked is plain SQL that both engines take, with `%s` where a value stands.
"""

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from lichen.kit import Unavailable
from lichen.kit.config import Config
from lichen.store.opening import FILE_NAME

if TYPE_CHECKING:
    import psycopg

STATEMENT_MS_MAX = 10_000  # of one question; a server that is ill is not made worse
CONNECT_S_MAX = 5  # a database that takes longer is told as one that does not answer
ROWS_MAX = 10_000  # of one answer; more is for no person's eyes

Value = str | int | float | bool | None
Named = dict[str, Value]


class Reading(Protocol):
    """A connection that can only read."""

    engine: str

    def select(self, sql: str, *values: Value) -> list[Named]:
        """Return the rows of a statement by their columns' names; raises Unavailable."""


@contextmanager
def reading(url: str, *, folder: Path | None = None) -> Iterator[Reading]:
    """Open the rows at an address, or a house's SQLite in its folder; raises Unavailable."""
    if url:
        with _postgresql(url) as opened:
            yield opened
        return
    assert folder is not None, "SQLite lies in a folder"
    if not (folder / FILE_NAME).exists():
        raise Unavailable(f"{folder / FILE_NAME} does not exist; the first start creates it.")
    with closing(sqlite3.connect(folder / FILE_NAME, timeout=CONNECT_S_MAX)) as connection:
        connection.execute("PRAGMA query_only = ON")
        yield _Sqlite(connection)


@contextmanager
def reading_house(config: Config) -> Iterator[Reading]:
    """Open the rows of a house; raises Unavailable."""
    with reading(config.database.url.reveal(), folder=config.server.data) as opened:
        yield opened


class _Sqlite:
    """A SQLite file that is only read."""

    engine = "sqlite"

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    def select(self, sql: str, *values: Value) -> list[Named]:
        """Return the rows of a statement."""
        try:
            cursor = self._connection.execute(sql.replace("%s", "?"), values)
            names = [column[0] for column in cursor.description]
            return [dict(zip(names, row, strict=True)) for row in cursor.fetchmany(ROWS_MAX)]
        except sqlite3.Error as error:
            raise Unavailable(f"SQLite: {error}.") from None


@contextmanager
def _postgresql(url: str) -> Iterator[Reading]:
    import psycopg

    options = f"-c default_transaction_read_only=on -c statement_timeout={STATEMENT_MS_MAX}"
    try:
        connection = psycopg.connect(
            url, autocommit=True, connect_timeout=CONNECT_S_MAX, options=options,
            application_name="lichen doctor",
        )
    except psycopg.Error as error:
        raise Unavailable(f"The database does not answer: {said(error)}.") from None
    with closing(connection):
        yield Postgresql(connection)


class Postgresql:
    """A session of PostgreSQL that the server itself keeps from writing."""

    engine = "postgresql"

    def __init__(self, connection: "psycopg.Connection[tuple[Value, ...]]") -> None:
        self._connection = connection

    def select(self, sql: str, *values: Value) -> list[Named]:
        """Return the rows of a statement; one round trip."""
        import psycopg

        try:
            # A text without values is sent as it is, so that `%` in it means itself.
            cursor = self._connection.execute(sql.encode(), values or None)
            names = [column.name for column in cursor.description or ()]
            return [dict(zip(names, row, strict=True)) for row in cursor.fetchmany(ROWS_MAX)]
        except psycopg.Error as error:
            raise Unavailable(f"PostgreSQL: {said(error)}.") from None


def said(error: Exception) -> str:
    """Return the first line of what a database said, which names no row's contents."""
    return " ".join(str(error).partition("\n")[0].split())[:300]
