"""Opening a store by its address."""

from pathlib import Path

from lichen.kit import Clock, Refused
from lichen.store.sqlite import SqliteStore
from lichen.store.store import Store

FILE_NAME = "lichen.sqlite"


def open_store(url: str, *, folder: Path, clock: Clock) -> Store:
    """Return the store at `url`: empty for SQLite in the folder, or a postgresql:// address."""
    if not url:
        return SqliteStore(folder / FILE_NAME, clock)
    if url.startswith(("postgresql://", "postgres://")):
        from lichen.store.postgresql import PostgresqlStore  # psycopg costs memory where unused

        return PostgresqlStore(url, clock)
    raise Refused(
        "unknown_database",
        f"A database address is empty (SQLite) or starts with postgresql://, not {url[:12]!r}.",
    )
