"""A PostgreSQL for the length of a drill: a private one, or an empty database that was given."""

import os
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from lichen.kit import Refused, Unavailable

_PLACES = ("/usr/lib/postgresql/*/bin", "/usr/pgsql-*/bin", "/opt/homebrew/opt/postgresql*/bin")
_START_S_MAX = 60  # of initdb, and of the start


@contextmanager
def scratch_database(url: str) -> Iterator[str]:
    """Yield the address of an empty database; at the end nothing of it is left."""
    if url:
        with _given(url) as opened:
            yield opened
        return
    with tempfile.TemporaryDirectory(prefix="lichen-drill-") as folder, \
            _private(Path(folder)) as opened:
        yield opened


@contextmanager
def _given(url: str) -> Iterator[str]:
    import psycopg

    tables = "SELECT quote_ident(tablename) FROM pg_tables WHERE schemaname = 'public'"
    try:
        with psycopg.connect(url, connect_timeout=5) as connection:
            found = connection.execute(tables).fetchall()
    except psycopg.Error:
        raise Unavailable("That database does not answer.") from None
    if found:
        raise Refused("not_empty", "The drill wants an empty database, and empties it at the end; "
                      f"this one has {len(found)} tables.")
    try:
        yield url
    finally:
        with psycopg.connect(url, autocommit=True) as connection:
            # It was empty before, so every table is the drill's.
            for (name,) in connection.execute(tables).fetchall():
                connection.execute(f"DROP TABLE IF EXISTS {name} CASCADE".encode())


@contextmanager
def _private(folder: Path) -> Iterator[str]:
    """Run a PostgreSQL of our own on a free port of loopback, as whoever may."""
    initdb, server = _program("initdb"), _program("pg_ctl")
    become = _other_user(folder)
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    rows = str(folder / "rows")
    options = f"-p {port} -c listen_addresses=127.0.0.1 -c unix_socket_directories={folder}"
    _run([*become, initdb, "-D", rows, "-U", "postgres", "-A", "trust", "-E", "UTF8", "-N"], folder)
    _run([*become, server, "-D", rows, "-o", options, "-l", str(folder / "said"), "-w", "start"],
         folder)
    try:
        yield f"postgresql://postgres@127.0.0.1:{port}/postgres"
    finally:
        _run([*become, server, "-D", rows, "-m", "immediate", "-w", "stop"], folder)


def _program(name: str) -> str:
    places = [str(path) for place in _PLACES for path in sorted(Path("/").glob(place[1:]))]
    found = next((path for place in reversed(places)
                  if (path := shutil.which(name, path=place)) is not None), shutil.which(name))
    if found is None:
        raise Refused("no_postgresql", f"The drill needs PostgreSQL ({name} is not found): install "
                      "it, or name an empty database with --database.")
    return found


def _other_user(folder: Path) -> list[str]:
    """Return how to become somebody who may run PostgreSQL, which root may not."""
    if os.getuid():
        return []
    runuser = shutil.which("runuser")
    try:
        shutil.chown(folder, "postgres", "postgres")
    except LookupError:
        runuser = None
    if runuser is None:
        raise Refused("is_root", "PostgreSQL does not run as root: start the drill as another "
                      "user, or name an empty database with --database.")
    return [runuser, "-u", "postgres", "--"]


def _run(command: list[str], folder: Path) -> None:
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True,
                          timeout=_START_S_MAX, check=False, stdin=subprocess.DEVNULL)
    if done.returncode:
        raise Unavailable(f"PostgreSQL does not start: {done.stderr.strip()[-300:]}")
