"""The distance to the database: whether it answers, how far away it is, and what that costs."""

import statistics
from collections.abc import Iterator

from lichen.doctor.findings import Finding, Health
from lichen.doctor.stopwatch import MEASURED, now_s
from lichen.kit import Clock
from lichen.kit.config import Config

ROUND_TRIP_MS_WORRY = 5.0  # a page of four round trips then waits 20 ms for nothing
CLOCK_S_WORRY = 2.0  # signatures of peers allow minutes, people's eyes seconds
ROUND_TRIPS = (("a list of posts", 3), ("a post with its comments", 4), ("a vote", 2))


def examine_database(config: Config, clock: Clock) -> Iterator[Finding]:
    """Say whether the database answers, has the right tables, and how far away it is."""
    # Imported here: SQLAlchemy and a driver, which most commands do not need.
    from sqlalchemy.exc import DBAPIError

    from lichen.store.migrating import EMPTY, HEAD, version_of, versions
    from lichen.store.opening import FILE_NAME

    if config.database.engine == "sqlite" and not (config.server.data / FILE_NAME).exists():
        yield Finding("database", Health.WELL, "SQLite; the first start creates it.")
        return
    try:
        found = version_of(config.database.url.reveal(), folder=config.server.data)
    except DBAPIError as error:
        yield Finding("database", Health.ILL, " ".join(str(error.orig).split()),
                      "See that PostgreSQL runs, and that LICHEN_DATABASE_URL is right.")
        return
    if found not in (*versions(), EMPTY):
        yield Finding("database", Health.ILL, f"Its tables are of version {found}, newer than this "
                      f"Lichen ({HEAD}).", "Run the newer Lichen, or its `lichen downgrade`.")
    elif found not in (HEAD, EMPTY):
        yield Finding("database", Health.WORRY, f"Its tables are of version {found}; this Lichen "
                      f"has {HEAD}.", "Run `lichen upgrade`.")
    else:
        told = "empty; the first start fills it" if found == EMPTY else f"version {found}"
        yield Finding("database", Health.WELL, f"{config.database.engine}, {told}.")
    if config.database.engine == "postgresql":
        yield from _distance(config, clock)


def _distance(config: Config, clock: Clock) -> Iterator[Finding]:
    import psycopg

    times = []
    with psycopg.connect(config.database.url.reveal(), autocommit=True) as connection:
        connection.execute("SELECT 1")
        for _ in range(MEASURED):
            started = now_s()
            connection.execute("SELECT 1")
            times.append((now_s() - started) * 1_000)
        row = connection.execute("SELECT extract(epoch FROM clock_timestamp())").fetchone()
    assert row is not None
    yield told_distance(statistics.median(times))
    away_s = abs(float(row[0]) - clock() / 1e6)
    if away_s > CLOCK_S_WORRY:
        yield Finding("database clock", Health.WORRY, f"It is {away_s:.1f} s away from this "
                      "machine's.", "Run a time service (chrony, systemd-timesyncd) on both.")


def told_distance(round_trip_ms: float) -> Finding:
    """Return what a measured round trip to the database costs, in words."""
    costs = ", ".join(f"{what} {count * round_trip_ms:.1f} ms" for what, count in ROUND_TRIPS)
    told = f"One round trip takes {round_trip_ms:.2f} ms. So waiting for it alone costs {costs}."
    if round_trip_ms > ROUND_TRIP_MS_WORRY:
        return Finding("database distance", Health.WORRY, told,
                       "Move the house and its database closer together.")
    return Finding("database distance", Health.WELL, told)
