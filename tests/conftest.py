"""Fixtures that every room's tests share: engines, stores, a deterministic ground."""

import gc
import os
import shutil
import uuid
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import psycopg
import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, settings

from lichen.kit import monotone
from lichen.store import Store, metadata, open_store
from tests.databases import POSTGRESQL_URL, import_tables
from tests.nats import NatsServer

# The collector is off while half a million objects are imported, and looks seldom afterwards, as
# in a serving house (lichen/serving.py): it took a third of the time in which a house is opened.
YOUNG_OBJECTS_MAX = 10_000
gc.disable()

settings.register_profile(
    "default", max_examples=25, deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)
settings.register_profile("sim", max_examples=1_000, deadline=None)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "default"))

START_US = 1_700_000_000_000_000  # 2023-11-14T22:13:20Z


class FakeClock:
    """A clock that stands until it is moved."""

    def __init__(self, now_us: int = START_US) -> None:
        self.now_us = now_us

    def __call__(self) -> int:
        return self.now_us

    def advance(self, **parts: float) -> None:
        """Move by days, hours, minutes and seconds."""
        seconds = {"days": 86_400, "hours": 3_600, "minutes": 60, "seconds": 1}
        self.now_us += int(sum(seconds[name] * value for name, value in parts.items()) * 1e6)


def pytest_collection_finish() -> None:
    """Let the collector pass over what was imported, from here on."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(YOUNG_OBJECTS_MAX, 10, 10)
    gc.enable()


@pytest.fixture(scope="session")
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgresql)])
def engine(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def database_url(engine: str, request: pytest.FixtureRequest) -> Iterator[str]:
    """Yield an address of a database with every table and no row."""
    if engine == "sqlite":
        yield ""
        return
    url = request.getfixturevalue("postgresql_database")
    yield url
    with psycopg.connect(url, autocommit=True) as connection:
        # Far cheaper than a database a test; numbers come from the table `number`, not sequences.
        connection.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
                           "WHERE datname = current_database() AND pid <> pg_backend_pid()")
        names = [table.name for table in reversed(metadata.sorted_tables)] + ["search_text"]
        connection.execute("; ".join(f'DELETE FROM "{name}"' for name in names))


@pytest.fixture(scope="session")
def postgresql_database() -> Iterator[str]:
    """Yield the address of a database of this session's own, with every table."""
    import_tables()
    name = f"lichen_{uuid.uuid4().hex[:12]}"
    base = POSTGRESQL_URL.rsplit("/", 1)[0]
    with psycopg.connect(POSTGRESQL_URL, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name}")
        # Our server dies in tests, never PostgreSQL: its disk need not be waited for.
        connection.execute(f"ALTER DATABASE {name} SET synchronous_commit = off")
        address = f"{base}/{name}"
        database = sa.create_engine(address.replace("postgresql://", "postgresql+psycopg://"))
        metadata.create_all(database)
        database.dispose()
        yield address
        connection.execute(f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture(scope="session")
def nats_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[NatsServer]:
    """Yield a NATS server of this session's own, which syncs what it acknowledges."""
    server = NatsServer(tmp_path_factory.mktemp("nats")).start()
    yield server
    server.kill()


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a SQLite file that holds every table and no row."""
    import_tables()
    path = tmp_path_factory.mktemp("template") / "lichen.sqlite"
    database = sa.create_engine(f"sqlite:///{path}")
    metadata.create_all(database)
    database.dispose()
    return path


@pytest.fixture
async def store(
    engine: str, database_url: str, tmp_path: Path, clock: FakeClock,
    request: pytest.FixtureRequest,
) -> AsyncIterator[Store]:
    """Yield an empty store on the engine, with every table."""
    if engine == "sqlite":
        shutil.copy(request.getfixturevalue("sqlite_template"), tmp_path / "lichen.sqlite")
    opened = open_store(database_url, folder=tmp_path, clock=monotone(clock))
    yield opened
    await opened.close()
