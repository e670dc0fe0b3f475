"""The PostgreSQL that tests talk to: the one that answers, or a private one started for them."""

import atexit
import os
import shutil
import socket
import subprocess
import tempfile
from pathlib import Path

import psycopg

ASKED = os.environ.get(
    "LICHEN_TEST_POSTGRESQL_URL", "postgresql://postgres@127.0.0.1:5432/postgres"
)


def find_or_start() -> str:
    """Return the address of a PostgreSQL that answers; start one where none does."""
    try:
        psycopg.connect(ASKED, connect_timeout=3).close()
    except psycopg.OperationalError:
        return _start()
    return ASKED


def _start() -> str:
    """Start a PostgreSQL in a temporary folder on a free port; it stops with this process."""
    programs = sorted(Path("/usr/lib/postgresql").glob("*/bin"))
    assert programs, "no PostgreSQL is installed: run `make prepare`"
    folder = Path(tempfile.mkdtemp(prefix="lichen-postgresql-"))
    # initdb refuses to run as root; Debian's package brings the user postgres.
    become = ["runuser", "-u", "postgres", "--"] if os.getuid() == 0 else []
    if become:
        shutil.chown(folder, "postgres", "postgres")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    initdb, pg_ctl = str(programs[-1] / "initdb"), str(programs[-1] / "pg_ctl")
    data = str(folder / "data")
    options = f"-p {port} -c listen_addresses=127.0.0.1 -k {folder} -c max_connections=200"
    _run([*become, initdb, "-D", data, "-U", "postgres", "-A", "trust", "-E", "UTF8"], folder)
    _run([*become, pg_ctl, "-D", data, "-o", options, "-l", str(folder / "log"), "-w", "start"],
         folder)
    atexit.register(_stop, [*become, pg_ctl, "-D", data, "-m", "immediate", "stop"], folder)
    return f"postgresql://postgres@127.0.0.1:{port}/postgres"


def _stop(command: list[str], folder: Path) -> None:
    _run(command, folder)
    shutil.rmtree(folder, ignore_errors=True)


def _run(command: list[str], folder: Path) -> None:
    subprocess.run(command, cwd=folder, check=True, stdout=subprocess.DEVNULL)
