"""Bringing the tables of a database to the version that this code speaks.

`HEAD` is that version; a database of a newer one is refused, so that an older binary never writes
into a newer folder. Alembic is imported only where there is something to do.
"""

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import sqlalchemy as sa

from lichen.kit import Refused
from lichen.kit.crash_points import crash_point
from lichen.store.opening import FILE_NAME

HEAD = "0019"
EMPTY = "base"

_MIGRATIONS = Path(__file__).parent / "migrations"


def version_of(url: str, *, folder: Path) -> str:
    """Return the version of the tables at `url`, EMPTY where there are none."""
    with _connect(url, folder) as connection:
        if not sa.inspect(connection).has_table("alembic_version"):
            return EMPTY
        found = connection.execute(sa.text("SELECT version_num FROM alembic_version")).scalar()
        return str(found) if found else EMPTY


def versions() -> list[str]:
    """Return the versions of the tables that this code knows, oldest first."""
    files = (_MIGRATIONS / "versions").glob("[0-9]*.py")
    return sorted(path.name.split("_", 1)[0] for path in files)


def migrate(url: str, *, folder: Path, to: str = HEAD) -> None:
    """Bring the tables at `url` to a version, forwards or back; nothing where they are there.

    Raises Refused where the database is of a version that this code does not know.
    """
    found = version_of(url, folder=folder)
    if found == to:
        return
    if found not in (*versions(), EMPTY):
        raise Refused(
            "newer_database",
            f"The database is of version {found}, this Lichen knows up to {HEAD}; "
            "start a newer Lichen, or run `lichen downgrade` with that one first.",
        )
    from alembic import command
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(_MIGRATIONS))
    config.set_main_option("path_separator", "os")
    with _connect(url, folder) as connection:
        config.attributes["connection"] = connection
        step: Callable[..., None] = command.downgrade if _is_before(to, found) else command.upgrade
        step(config, to)  # begins and commits by itself
        crash_point("migration.after_commit")


def _is_before(version: str, other: str) -> bool:
    return version == EMPTY or (other != EMPTY and version < other)


@contextmanager
def _connect(url: str, folder: Path) -> Iterator[sa.Connection]:
    """Yield a SQLAlchemy connection; used by migrations alone."""
    if url:
        address = "postgresql+psycopg://" + url.split("://", 1)[1]
    else:
        address = f"sqlite:///{folder / FILE_NAME}"
    engine = sa.create_engine(address, poolclass=sa.NullPool)
    if not url:
        # sqlite3 commits before DDL by itself unless we begin: a migration is all or nothing.
        sa.event.listen(engine, "connect", _leave_transactions_to_us)
        sa.event.listen(engine, "begin", lambda begun: begun.exec_driver_sql("BEGIN"))
    try:
        with engine.connect() as connection:
            yield connection
    finally:
        engine.dispose()


def _leave_transactions_to_us(connection: sqlite3.Connection, _record: object) -> None:
    connection.isolation_level = None
