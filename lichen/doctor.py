"""The doctor: looks at what a house stands on, and says what to do.

Each check measures one thing and returns findings in plain words: well, a worry (the house runs,
but read this), or ill (it will not run, or will lose something). Nothing is changed; what is
written to measure the disk is removed.
"""

import contextlib
import ipaddress
import os
import resource
import shutil
import socket
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from enum import StrEnum
from pathlib import Path
from typing import NamedTuple
from urllib.parse import urlsplit

from lichen.backup import LOG_FOLDER
from lichen.kit import Clock, LichenError, isoformat
from lichen.kit.config import Config
from lichen.kit.public_addresses import is_public
from lichen.log import SegmentLog
from lichen.plugins.walls import Wall, wall_here

FREE_BYTES_ILL = 200 << 20  # less than a busy day writes
FREE_BYTES_WORRY = 2 << 30
SYNC_MS_WORRY = 10.0  # the promise for a durable append
ROUND_TRIP_MS_WORRY = 5.0  # a page of four round trips then waits 20 ms for nothing
CLOCK_S_WORRY = 2.0  # signatures of peers allow minutes, people's eyes seconds
FILES_OPEN_MIN = 4_096  # sockets and segments of a busy evening
MEASURED = 15  # times; the median is told
SYNC_BYTES = 4_096  # one small append
ROUND_TRIPS = (("a list of posts", 3), ("a post with its comments", 4), ("a vote", 2))


class Health(StrEnum):
    """How a thing is."""

    WELL = "well"
    WORRY = "worry"
    ILL = "ill"


class Finding(NamedTuple):
    """What was looked at, how it is, what was measured, and what to do about it."""

    about: str
    health: Health
    told: str
    advice: str = ""


Check = Callable[[Config, Clock], Iterator[Finding]]


def examine(config: Config, *, clock: Clock) -> list[Finding]:
    """Return all findings; a check that fails is a finding too, and the others go on."""
    findings = []
    for check in (_identity, _folder, _disk, _database, _clock, _names, _ports, _files_open,
                  _wall):
        about = check.__name__.strip("_").replace("_", " ")
        try:
            findings += list(check(config, clock))
        except LichenError as error:
            findings.append(Finding(about, Health.ILL, str(error)))
        except OSError as error:
            findings.append(Finding(about, Health.ILL, str(error), "Mend that and ask again."))
    return findings


def _identity(config: Config, _: Clock) -> Iterator[Finding]:
    url = config.public_url
    host = urlsplit(url).hostname or ""
    if config.server.profile == "testbed":
        yield Finding("profile", Health.WORRY, "This is a testbed: no rate limits, private "
                      "addresses are fetched.", "Never open it to the internet.")
    elif _is_local(host) or url.startswith("http://"):
        yield Finding("public address", Health.WORRY, f"Ids begin with {url} and never change.",
                      "Before people come, set LICHEN_PUBLIC_URL to your https address.")
    else:
        yield Finding("public address", Health.WELL, url)


def _folder(config: Config, _: Clock) -> Iterator[Finding]:
    data = config.server.data
    if not data.exists():
        yield Finding("folder", Health.WELL, f"{data} does not exist; `lichen serve` makes it.")
        return
    if not os.access(data, os.R_OK | os.W_OK | os.X_OK):
        yield Finding("folder", Health.ILL, f"{data} cannot be written by this user.",
                      f"chown -R $(id -un) {data}")
    elif data.stat().st_mode & 0o077:
        yield Finding("folder", Health.WORRY, f"Others on this machine may look into {data}, where "
                      "keys and password hashes lie.", f"chmod 700 {data}")
    else:
        yield Finding("folder", Health.WELL, f"{data} is this user's alone.")


def _disk(config: Config, _: Clock) -> Iterator[Finding]:
    place = _existing(config.server.data)
    free = shutil.disk_usage(place).free
    told = f"{free / 2**30:.1f} GiB are free."
    if free < FREE_BYTES_WORRY:
        health = Health.ILL if free < FREE_BYTES_ILL else Health.WORRY
        yield Finding("disk space", health, told, "Make room: a full disk refuses every write.")
    else:
        yield Finding("disk space", Health.WELL, told)
    sync_ms = sync_ms_of(place)
    told = f"A write is safe on disk after {sync_ms:.1f} ms."
    if sync_ms > SYNC_MS_WORRY:
        yield Finding("disk speed", Health.WORRY, told, "Every post and vote waits that long "
                      "(those that come together wait together). Use a local SSD.")
    else:
        yield Finding("disk speed", Health.WELL, told)


def sync_ms_of(folder: Path) -> float:
    """Return how long a small durable append takes in a folder: the median in ms."""
    times = []
    with tempfile.TemporaryFile(dir=folder, buffering=0) as file:
        for _ in range(MEASURED):
            file.write(bytes(SYNC_BYTES))
            started = time.perf_counter()
            os.fdatasync(file.fileno())
            times.append(time.perf_counter() - started)
    return statistics.median(times) * 1_000


def _database(config: Config, clock: Clock) -> Iterator[Finding]:
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
            started = time.perf_counter()
            connection.execute("SELECT 1")
            times.append((time.perf_counter() - started) * 1_000)
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


def _clock(config: Config, clock: Clock) -> Iterator[Finding]:
    now_us = clock()
    log = config.server.data / LOG_FOLDER
    last_us = 0
    if log.is_dir():
        reader = SegmentLog.open_reader(log)
        last = reader.read(max(1, reader.last_seq), limit=1)
        last_us = int(last.times_us[-1]) if len(last) else 0
    if now_us + CLOCK_S_WORRY * 1e6 < last_us:
        yield Finding("clock", Health.ILL, f"It is {isoformat(now_us)}, but the log was written at "
                      f"{isoformat(last_us)}.", "The clock went back: run a time service.")
    else:
        yield Finding("clock", Health.WELL, f"It is {isoformat(now_us)[:19]}Z; if your watch says "
                      "otherwise, run a time service.")


def _names(config: Config, _: Clock) -> Iterator[Finding]:
    host = urlsplit(config.public_url).hostname or ""
    if _is_local(host):
        yield Finding("name", Health.WELL, f"{host} is this machine.")
        return
    started = time.perf_counter()
    try:
        found = {str(entry[4][0]) for entry in socket.getaddrinfo(host, None)}
    except socket.gaierror as error:
        yield Finding("name", Health.ILL, f"{host} has no address ({error.strerror}).",
                      "Add an A or AAAA record that leads here.")
        return
    took_ms = (time.perf_counter() - started) * 1_000
    told = f"{host} is {', '.join(sorted(found))}, found in {took_ms:.0f} ms."
    if any(is_public(ipaddress.ip_address(address.partition("%")[0])) for address in found):
        yield Finding("name", Health.WELL, told)
    else:
        yield Finding("name", Health.WORRY, told, "That is no public address: peers cannot call.")


def _ports(config: Config, _: Clock) -> Iterator[Finding]:
    server = config.server
    runs = _is_running(server.data)
    for name, host, port in (("port", server.host, server.port),
                             ("stream port", server.host, server.stream_port),
                             ("metrics port", "127.0.0.1", server.metrics_port)):
        if port and not _is_free(host, port):
            if runs:
                yield Finding(name, Health.WELL, f"{port} is taken, and Lichen is running.")
            else:
                yield Finding(name, Health.ILL, f"{port} on {host} is taken by another program.",
                              f"Stop that, or choose another with --{name.replace(' ', '-')}.")
        elif port:
            yield Finding(name, Health.WELL, f"{port} is free.")


def _files_open(_: Config, __: Clock) -> Iterator[Finding]:
    soft, _hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft < FILES_OPEN_MIN:
        yield Finding("open files", Health.WORRY, f"At most {soft} at once.",
                      f"Allow {FILES_OPEN_MIN}: ulimit -n, or LimitNOFILE= in the unit file.")
    else:
        yield Finding("open files", Health.WELL, f"Up to {soft} at once.")


def _wall(_: Config, __: Clock) -> Iterator[Finding]:
    wall = wall_here()
    told = f"Plugins are kept from the network by {wall.value}."
    if wall in (Wall.PYTHON, Wall.NONE):
        yield Finding("plugins", Health.WORRY, told, "Install only plugins that you trust, or let "
                      "this user make user namespaces, or serve on Linux with seccomp.")
    else:
        yield Finding("plugins", Health.WELL, told)


def _existing(path: Path) -> Path:
    """Return the path, or the nearest folder above it that exists."""
    path = path.absolute()
    while not path.exists():
        path = path.parent
    return path


def _is_local(host: str) -> bool:
    with contextlib.suppress(ValueError):
        return ipaddress.ip_address(host).is_loopback
    return host == "localhost" or host.endswith(".localhost")


def _is_free(host: str, port: int) -> bool:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError:
            return False
    return True


def _is_running(data: Path) -> bool:
    """Say whether some process holds the lock of the log."""
    from lichen.log import LogLocked
    from lichen.log.opening import lock_folder

    if not (data / LOG_FOLDER).is_dir():
        return False
    try:
        os.close(lock_folder(data / LOG_FOLDER))
    except LogLocked:
        return True
    return False
