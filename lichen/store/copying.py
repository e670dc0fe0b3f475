"""Copying all rows out of a database and into an empty one, while it serves.

The rows and the log must be of one moment: an event that has left the outbox is in the log, one
that has not is in the outbox. So `copy_out` stops what writes to the outbox for the milliseconds
in which it takes its snapshot and its caller notes the end of the log. What the two then hold is
exactly what a crash at that moment would have left, and a start mends that.

    writers  ─────────┤ held ├───────────────▶
    snapshot          ●══ copied at leisure ══▶ rows
    log                ● its end is noted

SQLite is copied by its online backup API from a connection that holds the snapshot, PostgreSQL by
COPY inside one REPEATABLE READ transaction. What there is to copy is asked of the database, not of
the code: an upgrade copies the tables of the release before.
"""

import contextlib
import sqlite3
from collections.abc import Callable, Iterator
from graphlib import TopologicalSorter
from pathlib import Path
from typing import Any, TypeVar

from lichen.kit import Refused, Unavailable
from lichen.store.opening import FILE_NAME
from lichen.store.sqlite import connect

SQLITE_FILE = "rows.sqlite"
COPY_SUFFIX = ".copy"
HOLD_MS_MAX = 5_000  # how long writers may be waited for, and so wait themselves
COPY_BYTES = 1 << 20  # written at once

T = TypeVar("T")


def copy_out(url: str, *, folder: Path, to: Path, at_the_moment: Callable[[], T]) -> T:
    """Copy all rows at `url` into files under `to`; return what is noted at the moment of the copy.

    Writers wait only while `at_the_moment` runs. Raises Refused where there is nothing to copy,
    Unavailable where the database does not let itself be held.
    """
    if url:
        return _copy_out_postgresql(url, to=to, at_the_moment=at_the_moment)
    return _copy_out_sqlite(folder / FILE_NAME, to=to, at_the_moment=at_the_moment)


def copy_in(url: str, *, folder: Path, source: Path, numbers_skipped: int) -> None:
    """Copy rows from the files under `source` into the empty tables at `url`, in one transaction.

    Every row number and the outbox's own go on `numbers_skipped` higher, so that nothing that was
    given after the copy was made is given again. For SQLite the file is the tables.
    """
    if url:
        _copy_in_postgresql(url, source=source, numbers_skipped=numbers_skipped)
    else:
        _copy_in_sqlite(folder / FILE_NAME, source=source, numbers_skipped=numbers_skipped)


def damages_of(url: str, *, folder: Path) -> list[str]:
    """Return what SQLite finds wrong with its file; PostgreSQL checks its pages itself."""
    if url:
        return []
    with contextlib.closing(connect(folder / FILE_NAME)) as connection:
        found = [str(row[0]) for row in connection.execute("PRAGMA integrity_check(10)")]
        broken = connection.execute("PRAGMA foreign_key_check").fetchmany(10)
    damages = [] if found == ["ok"] else found
    return damages + [f"a row of {row[0]} refers to one of {row[2]} that is gone" for row in broken]


def _copy_out_sqlite(path: Path, *, to: Path, at_the_moment: Callable[[], T]) -> T:
    if not path.exists():
        raise Refused("nothing_to_copy", f"There is no database at {path}.")
    with (
        contextlib.closing(connect(path)) as holder,
        contextlib.closing(connect(path)) as reader,
        contextlib.closing(sqlite3.connect(to / SQLITE_FILE, isolation_level=None)) as target,
    ):
        try:
            holder.execute("BEGIN IMMEDIATE")
        except sqlite3.OperationalError as error:
            raise Unavailable(f"The database is busy ({error}); try again.") from None
        # sqlite.org/isolation.html: a snapshot begins with the first read, not with BEGIN.
        reader.execute("BEGIN")
        reader.execute("SELECT count(*) FROM sqlite_schema").fetchone()
        noted = at_the_moment()
        holder.execute("ROLLBACK")
        # sqlite.org/backup.html: all pages in one step, so from the one snapshot of the reader.
        reader.backup(target, pages=-1)
        reader.execute("ROLLBACK")
        # One file without a -wal beside it, so that one checksum covers it.
        target.execute("PRAGMA journal_mode = DELETE")
    return noted


def _copy_in_sqlite(path: Path, *, source: Path, numbers_skipped: int) -> None:
    with (
        contextlib.closing(sqlite3.connect(source / SQLITE_FILE)) as rows,
        contextlib.closing(sqlite3.connect(path)) as target,
    ):
        path.chmod(0o600)
        rows.backup(target, pages=-1)
        with target:
            target.execute("UPDATE number SET next = next + ?", (numbers_skipped,))
            target.execute("UPDATE sqlite_sequence SET seq = seq + ?", (numbers_skipped,))


def _copy_out_postgresql(url: str, *, to: Path, at_the_moment: Callable[[], T]) -> T:
    with _connected(url) as holder, _connected(url) as reader:
        tables = _tables(reader)
        if "outbox" not in tables:
            raise Refused("nothing_to_copy", "The database holds no Lichen.")
        reader.execute("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")
        with holder.transaction():
            holder.execute(f"SET LOCAL lock_timeout = {HOLD_MS_MAX}")
            # PostgreSQL §13.3.1: SHARE waits for whoever wrote to the table and keeps others out.
            holder.execute("LOCK TABLE outbox IN SHARE MODE")
            # A REPEATABLE READ snapshot begins with the first statement, not with BEGIN.
            reader.execute("SELECT 1")
            noted = at_the_moment()
        for table, columns in tables.items():
            _write_table(reader, table, columns=columns, to=to)
        reader.execute("ROLLBACK")
    return noted


def _write_table(connection: Any, table: str, *, columns: list[str], to: Path) -> None:
    with (
        (to / f"{table}{COPY_SUFFIX}").open("wb", buffering=COPY_BYTES) as file,
        connection.cursor().copy(f"COPY {_named(table, columns)} TO STDOUT") as rows,
    ):
        # The first line names the columns: the tables may grow new ones before the copy is used.
        file.write(" ".join(columns).encode() + b"\n")
        for chunk in rows:
            file.write(chunk)


def _copy_in_postgresql(url: str, *, source: Path, numbers_skipped: int) -> None:
    files = {path.stem: path for path in source.glob(f"*{COPY_SUFFIX}")}
    with _connected(url) as connection, connection.transaction():
        order = list(TopologicalSorter(_references(connection)).static_order())
        for table in sorted(files, key=lambda name: order.index(name) if name in order else -1):
            _read_table(connection, table, path=files[table])
        connection.execute("UPDATE number SET next = next + %s", (numbers_skipped,))
        connection.execute(
            "SELECT setval(pg_get_serial_sequence('outbox', 'id'),"
            " (SELECT coalesce(max(id), 0) + %s FROM outbox))", (numbers_skipped,))


def _read_table(connection: Any, table: str, *, path: Path) -> None:
    with path.open("rb", buffering=COPY_BYTES) as file:
        columns = file.readline().decode().split()
        with connection.cursor().copy(f"COPY {_named(table, columns)} FROM STDIN") as rows:
            while chunk := file.read(COPY_BYTES):
                rows.write(chunk)


def _named(table: str, columns: list[str]) -> str:
    names = ", ".join(f'"{column}"' for column in columns)
    return f'"{table}" ({names})'


def _tables(connection: Any) -> dict[str, list[str]]:
    """Return the columns of every table that are written, not computed."""
    rows = connection.execute(
        "SELECT table_name, column_name FROM information_schema.columns"
        " JOIN information_schema.tables USING (table_schema, table_name)"
        " WHERE table_schema = current_schema() AND table_type = 'BASE TABLE'"
        " AND table_name <> 'alembic_version' AND is_generated = 'NEVER'"
        " ORDER BY table_name, ordinal_position")
    tables: dict[str, list[str]] = {}
    for table, column in rows:
        tables.setdefault(table, []).append(column)
    return tables


def _references(connection: Any) -> dict[str, set[str]]:
    """Return for each table the others that its rows refer to."""
    rows = connection.execute(
        "SELECT source.relname, target.relname FROM pg_constraint"
        " JOIN pg_class source ON source.oid = conrelid"
        " JOIN pg_class target ON target.oid = confrelid"
        " WHERE contype = 'f' AND conrelid <> confrelid")
    references: dict[str, set[str]] = {}
    for table, other in rows:
        references.setdefault(table, set()).add(other)
    return references


@contextlib.contextmanager
def _connected(url: str) -> Iterator[Any]:
    """Yield a PostgreSQL connection in autocommit; raises Unavailable."""
    import psycopg

    try:
        with psycopg.connect(url, autocommit=True) as connection:
            yield connection
    except psycopg.OperationalError as error:
        raise Unavailable(f"PostgreSQL does not do its part: {error}".strip()) from None
