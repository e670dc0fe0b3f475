"""The machine: what a house stands on, and what to do about it.

Each check measures one thing and returns findings in plain words. Nothing is changed; what is
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
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import urlsplit

from lichen.backup import LOG_FOLDER
from lichen.doctor.distance import CLOCK_S_WORRY, examine_database
from lichen.doctor.findings import Finding, Health
from lichen.doctor.stopwatch import MEASURED, now_s
from lichen.kit import Clock, LichenError, isoformat
from lichen.kit.config import Config
from lichen.kit.public_addresses import is_public
from lichen.log import SegmentLog
from lichen.plugins.walls import Wall, wall_here

FREE_BYTES_ILL = 200 << 20  # less than a busy day writes
FREE_BYTES_WORRY = 2 << 30
SYNC_MS_WORRY = 10.0  # the promise for a durable append
FILES_OPEN_MIN = 4_096  # sockets and segments of a busy evening
SYNC_BYTES = 4_096  # one small append


Check = Callable[[Config, Clock], Iterator[Finding]]


def examine(config: Config, *, clock: Clock) -> list[Finding]:
    """Return all findings; a check that fails is a finding too, and the others go on."""
    findings = []
    for about, check in CHECKS.items():
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
    elif is_local(host) or url.startswith("http://"):
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
    place = existing(config.server.data)
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
            started = now_s()
            os.fdatasync(file.fileno())
            times.append(now_s() - started)
    return statistics.median(times) * 1_000


def _clock(config: Config, clock: Clock) -> Iterator[Finding]:
    now_us = clock()
    log = config.server.data / LOG_FOLDER
    last_us = 0
    if log.is_dir() and config.log.engine == "segments":
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
    if is_local(host):
        yield Finding("name", Health.WELL, f"{host} is this machine.")
        return
    started = now_s()
    try:
        found = {str(entry[4][0]) for entry in socket.getaddrinfo(host, None)}
    except socket.gaierror as error:
        yield Finding("name", Health.ILL, f"{host} has no address ({error.strerror}).",
                      "Add an A or AAAA record that leads here.")
        return
    took_ms = (now_s() - started) * 1_000
    told = f"{host} is {', '.join(sorted(found))}, found in {took_ms:.0f} ms."
    if any(is_public(ipaddress.ip_address(address.partition("%")[0])) for address in found):
        yield Finding("name", Health.WELL, told)
    else:
        yield Finding("name", Health.WORRY, told, "That is no public address: peers cannot call.")


def _ports(config: Config, _: Clock) -> Iterator[Finding]:
    server = config.server
    runs = is_running(server.data)
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


CHECKS: dict[str, Check] = {
    "identity": _identity, "folder": _folder, "disk": _disk, "database": examine_database,
    "clock": _clock, "names": _names, "ports": _ports, "files open": _files_open, "wall": _wall,
}


def existing(path: Path) -> Path:
    """Return the path, or the nearest folder above it that exists."""
    path = path.absolute()
    while not path.exists():
        path = path.parent
    return path


def is_local(host: str) -> bool:
    """Say whether a name means this machine."""
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


def is_running(data: Path) -> bool:
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
