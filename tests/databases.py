"""Databases for tests on both engines: made once a run, and handed out again and again.

    bare       holds nothing          ─► a test ─► what it made is dropped  ─► the next test
    furnished  holds every table      ─► a test ─► its rows are deleted     ─► the next test

Made and dropped anew for each test, a database of PostgreSQL costs a second: half of it goes into
the migrations, and whoever drops one waits for a checkpoint of the whole server.
"""

import atexit
import importlib
import shutil
import tempfile
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from threading import Lock

import psycopg

import lichen
from lichen.store import metadata
from lichen.store.migrating import migrate
from lichen.store.opening import FILE_NAME
from tests.postgresql import find_or_start

POSTGRESQL_URL = find_or_start()

_LEAVE = """
    SELECT pg_terminate_backend(pid, 5000)
      FROM pg_stat_activity
     WHERE datname = current_database()
       AND pid <> pg_backend_pid()
"""
_TABLES = """
    SELECT relname
      FROM pg_class
     WHERE relkind = 'r'
       AND relnamespace = 'public'::regnamespace
       AND relname <> 'alembic_version'
"""


class Databases:
    """The databases of one process; `close` drops them all."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._base = url.rsplit("/", 1)[0]
        self._names: list[str] = []
        self._bare: list[str] = []
        self._furnished: list[str] = []

    @contextmanager
    def bare(self) -> Iterator[str]:
        """Lend the address of a database that holds nothing."""
        name = self._bare.pop() if self._bare else self._made()
        yield f"{self._base}/{name}"
        self._cleaned(name, _dropped)
        self._bare.append(name)

    @contextmanager
    def furnished(self) -> Iterator[str]:
        """Lend the address of a database with every table and no row; its tables stay as they are."""
        name = self._furnished.pop() if self._furnished else self._furnish()
        yield f"{self._base}/{name}"
        self._cleaned(name, _emptied)
        self._furnished.append(name)

    def close(self) -> None:
        """Drop every database."""
        with psycopg.connect(self._url, autocommit=True) as connection:
            for name in self._names:
                connection.execute(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")

    def _made(self) -> str:
        if not self._names:
            atexit.register(self.close)
        name = f"lichen_{uuid.uuid4().hex[:12]}"
        with psycopg.connect(self._url, autocommit=True) as connection:
            connection.execute(f"CREATE DATABASE {name}")
            self._names.append(name)
            # It is our server that dies in tests, never PostgreSQL: its disk need not be waited for.
            connection.execute(f"ALTER DATABASE {name} SET synchronous_commit = off")
        return name

    def _furnish(self) -> str:
        name = self._made()
        migrate(f"{self._base}/{name}", folder=Path())
        return name

    def _cleaned(self, name: str, clean: Callable[[psycopg.Connection], None]) -> None:
        with psycopg.connect(f"{self._base}/{name}", autocommit=True) as connection:
            connection.execute(_LEAVE)
            clean(connection)


def _dropped(connection: psycopg.Connection) -> None:
    connection.execute("SET client_min_messages = warning")
    connection.execute("DROP SCHEMA public CASCADE; CREATE SCHEMA public")


def _emptied(connection: psycopg.Connection) -> None:
    import_tables()
    names = [name for name, in connection.execute(_TABLES)]
    held = " UNION ALL ".join(
        f"""SELECT '{name}' WHERE EXISTS (SELECT FROM "{name}")""" for name in names)
    full = {name for name, in connection.execute(held)}
    children_first = [table.name for table in reversed(metadata.sorted_tables)]
    ordered = [*(full - set(children_first)), *(name for name in children_first if name in full)]
    # Numbers come from the table `number`, not from sequences.
    connection.execute("; ".join(f'DELETE FROM "{name}"' for name in ordered))


def import_tables() -> None:
    """Import every room's tables, so that the metadata is whole."""
    for path in sorted(Path(lichen.__path__[0]).glob("*/tables.py")):
        importlib.import_module(f"lichen.{path.parent.name}.tables")


databases = Databases(POSTGRESQL_URL)


def furnish(data: Path) -> None:
    """Put a SQLite database with every table and no row into a data folder that has none."""
    data.mkdir(mode=0o700, parents=True, exist_ok=True)
    if not (data / FILE_NAME).exists():
        with _FURNISHING:
            template = _sqlite_template()
        shutil.copyfile(template, data / FILE_NAME)


_FURNISHING = Lock()  # Alembic runs one migration at a time; tests start servers on threads


@cache
def _sqlite_template() -> Path:
    folder = Path(tempfile.mkdtemp(prefix="lichen-template-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    migrate("", folder=folder)
    return folder / FILE_NAME
