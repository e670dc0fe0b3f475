"""`lichen doctor database`: how far away the rows are, what that costs, and how they are kept.

Nothing is written but what measures a durable write: a message in PostgreSQL's own log that no
table keeps, or a SQLite file beside the house's that is removed.
"""

import sqlite3
import statistics
import tempfile
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import msgspec

from lichen.doctor.costs import Cost, costs_of, told_serial
from lichen.doctor.distance import CLOCK_S_WORRY, ROUND_TRIP_MS_WORRY
from lichen.doctor.findings import Finding, Health
from lichen.doctor.machine import SYNC_MS_WORRY
from lichen.doctor.reading import Reading, reading_house
from lichen.doctor.stopwatch import now_s
from lichen.kit import Clock, Unavailable
from lichen.kit.config import Config
from lichen.store.opening import FILE_NAME

TIMES = 50  # a round trip is measured; its 95th percentile needs some
WRITES = 11  # durable writes measured
TABLES_SHOWN_MAX = 15  # the largest
CONNECTIONS_MIN = 30  # 18 of the house's own, backups, and somebody with a shell
_SETTINGS = ("server_version", "synchronous_commit", "fsync", "full_page_writes",
             "max_connections", "autovacuum", "shared_buffers", "wal_level")
_PRAGMAS = ("journal_mode", "page_size", "page_count", "freelist_count", "auto_vacuum")
# No table keeps it, and the COMMIT after it waits for the disk as every other does.
_DURABLE = "SELECT pg_logical_emit_message(true, 'lichen doctor', 'x')"
_SIZES = """
SELECT c.relname AS name, pg_total_relation_size(c.oid) AS bytes,
       greatest(c.reltuples, 0)::bigint AS rows
  FROM pg_class c
  JOIN pg_namespace n ON n.oid = c.relnamespace
 WHERE c.relkind = 'r' AND n.nspname = 'public'
 ORDER BY bytes DESC
"""


class TableSize(msgspec.Struct, frozen=True):
    """A table, how large it is, and about how many rows it has (-1 where that is not known)."""

    name: str
    bytes: int
    rows: int = -1


class Database(msgspec.Struct, frozen=True):
    """What was measured of a database."""

    engine: str
    round_trip_ms: float
    round_trip_p95_ms: float
    durable_ms: float | None
    clock_away_s: float
    settings: dict[str, str]
    tables: list[TableSize]
    bytes: int

    @property
    def costs(self) -> list[Cost]:
        """What each thing waits for it."""
        return costs_of(self.round_trip_ms)


def measure(config: Config, *, clock: Clock) -> Database:
    """Measure the database of a house; raises Unavailable where there is none."""
    with reading_house(config) as rows:
        if rows.engine == "sqlite":
            return _sqlite(rows, config.server.data)
        return postgresql(
            rows, clock=clock,
            durable_ms=_durable_ms(config.database.url.reveal()),
        )


def postgresql(rows: Reading, *, clock: Clock, durable_ms: float | None = None) -> Database:
    """Measure a PostgreSQL by reading alone."""
    middle, high = round_trip_ms(rows)
    now = float(rows.select("SELECT extract(epoch FROM clock_timestamp())::float8 AS at")
                [0]["at"] or 0)
    away_s = now + middle / 2_000 - clock() / 1e6
    tables = [TableSize(str(row["name"]), int(row["bytes"] or 0), int(row["rows"] or 0))
              for row in rows.select(_SIZES)]
    settings = {
        str(row["name"]): str(row["setting"])
        for row in rows.select("SELECT name, current_setting(name) AS setting FROM pg_settings")
        if row["name"] in _SETTINGS
    }
    return Database(
        "postgresql", middle, high, durable_ms, away_s, settings, tables[:TABLES_SHOWN_MAX],
        sum(table.bytes for table in tables),
    )


def round_trip_ms(rows: Reading) -> tuple[float, float]:
    """Return the median and the 95th percentile of one question, in ms."""
    rows.select("SELECT 1 AS one")
    times = _times(TIMES, lambda: rows.select("SELECT 1 AS one"))
    return statistics.median(times), times[int(len(times) * 0.95)]


def findings_of(found: Database) -> Iterator[Finding]:
    """Say what was measured, and what to do about it."""
    yield from _distances(found)
    if found.durable_ms is not None:
        own_ms = max(0.0, found.durable_ms - found.round_trip_ms)
        slow = own_ms > SYNC_MS_WORRY
        yield Finding(
            "durable write", Health.WORRY if slow else Health.WELL,
            f"It is durable after {found.durable_ms:.1f} ms, {own_ms:.1f} of them its disk's.",
            "The database's disk is slow to sync: give it a local SSD." if slow else "",
        )
    yield from _settings(found)
    if abs(found.clock_away_s) > CLOCK_S_WORRY:
        yield Finding("database clock", Health.WORRY,
                      f"It is {found.clock_away_s:+.1f} s away from this machine's.",
                      "Run a time service (chrony, systemd-timesyncd) on both.")
    else:
        yield Finding("database clock", Health.WELL, f"{found.clock_away_s:+.2f} s from ours.")
    largest = ", ".join(f"{one.name} {one.bytes / 2**20:.1f} MiB" for one in found.tables[:5])
    yield Finding("size", Health.WELL, f"{found.bytes / 2**20:.1f} MiB; the largest: "
                  f"{largest or 'no table yet'}.")


def _distances(found: Database) -> Iterator[Finding]:
    far = found.round_trip_ms > ROUND_TRIP_MS_WORRY
    yield Finding(
        "round trip", Health.WORRY if far else Health.WELL,
        f"{found.round_trip_ms:.2f} ms in the middle, {found.round_trip_p95_ms:.2f} ms at the 95th "
        "percentile.",
        "Move the house and its database closer together." if far else "",
    )
    for cost in found.costs:
        yield Finding(cost.what, Health.WELL, f"{cost.round_trips:g} round trips, "
                      f"{cost.waits_ms:.2f} ms of waiting.")
    yield Finding("beside it", Health.WELL,
                  f"A forum that asks row by row would be {told_serial(found.round_trip_ms)}")


def _settings(found: Database) -> Iterator[Finding]:
    settings = found.settings
    told = ", ".join(f"{name} {value}" for name, value in sorted(settings.items()))
    yield Finding("settings", Health.WELL, f"{found.engine}: {told}.")
    if settings.get("fsync") == "off":
        yield Finding("fsync", Health.ILL, "A power cut destroys this database.",
                      "Set fsync = on in postgresql.conf.")
    if settings.get("synchronous_commit") == "off":
        yield Finding("synchronous_commit", Health.WORRY, "A crash of PostgreSQL loses what was "
                      "answered in its last moments.", "Set synchronous_commit = on.")
    if settings.get("autovacuum") == "off":
        yield Finding("autovacuum", Health.WORRY, "Dead rows are never given up; everything gets "
                      "slower from week to week.", "Set autovacuum = on.")
    if int(settings.get("max_connections", CONNECTIONS_MIN)) < CONNECTIONS_MIN:
        yield Finding("max_connections", Health.WORRY, settings["max_connections"],
                      f"Allow {CONNECTIONS_MIN}.")
    if found.engine == "sqlite" and settings.get("journal_mode") != "wal":
        yield Finding("journal_mode", Health.WORRY, settings.get("journal_mode", ""),
                      "The next start of the house sets it to wal.")


def _times(count: int, act: Callable[[], object]) -> list[float]:
    """Return how long it takes, sorted, in ms."""
    times = []
    for _ in range(count):
        started = now_s()
        act()
        times.append((now_s() - started) * 1_000)
    return sorted(times)


def _durable_ms(url: str) -> float | None:
    """Return how long a durable write takes, None where this user may make none."""
    import psycopg

    try:
        with psycopg.connect(url, autocommit=True) as connection:
            return statistics.median(_times(WRITES, lambda: connection.execute(_DURABLE)))
    except psycopg.Error:
        return None


def _sqlite(rows: Reading, folder: Path) -> Database:
    middle, high = round_trip_ms(rows)
    settings = {name: str(next(iter(rows.select(f"PRAGMA {name}")[0].values())))
                for name in _PRAGMAS}
    settings["server_version"] = sqlite3.sqlite_version
    files = sum(path.stat().st_size for path in folder.glob(f"{FILE_NAME}*"))
    with tempfile.TemporaryDirectory(dir=folder, prefix="doctor-") as aside:
        durable_ms = _sqlite_durable_ms(Path(aside) / "durable.sqlite")
    return Database("sqlite", middle, high, durable_ms, 0.0, settings, _sqlite_tables(rows), files)


def _sqlite_durable_ms(path: Path) -> float:
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = FULL")
        connection.execute("CREATE TABLE measured (at REAL)")
        return statistics.median(
            _times(WRITES, lambda: connection.execute("INSERT INTO measured VALUES (1)")))


def _sqlite_tables(rows: Reading) -> list[TableSize]:
    """Return the largest tables; none where this SQLite was built without the module for it."""
    try:
        found = rows.select("SELECT name, sum(pgsize) AS bytes FROM dbstat GROUP BY name "
                            "ORDER BY bytes DESC")
    except Unavailable:
        return []
    return [TableSize(str(row["name"]), int(row["bytes"] or 0))
            for row in found[:TABLES_SHOWN_MAX]]
