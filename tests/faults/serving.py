"""A real Lichen as two processes: the command, a data folder, ports of its own, and its pids.

A `Place` is what survives the processes: folder, database, port. `Serving` is one life in it.
"""

import asyncio
import errno
import os
import random
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

import aiohttp

from tests.databases import databases, furnish

READY_S_MAX = 60.0  # two cores that others use too; alone it takes one or two
STOP_S_MAX = 10.0  # issue 2 §1: from SIGTERM to the end
END_S_MAX = 30.0  # for a process that was killed, or dies at a crash point
POLL_S = 0.02
LICHEN = str(Path(sys.executable).with_name("lichen"))
PUBLIC_URL = "http://lichen.example"  # ids must not depend on the port of a test
# Below the range from which the kernel takes ports for outgoing connections.
PORTS = range(20_000, 32_000)


@dataclass(frozen=True, slots=True)
class Place:
    """What a house keeps over its lives."""

    folder: Path
    database_url: str = ""
    port: int = field(default_factory=lambda: free_port())

    @property
    def data(self) -> Path:
        """The data folder."""
        return self.folder / "data"

    @property
    def output(self) -> Path:
        """What all its processes wrote to standard output and standard error."""
        return self.folder / "output"

    @property
    def url(self) -> str:
        """Where it is reached."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def environ(self) -> dict[str, str]:
        """What every command of this house is told."""
        told = {"LICHEN_PUBLIC_URL": PUBLIC_URL, "LICHEN_DATABASE_URL": self.database_url}
        kept = {name: value for name, value in os.environ.items() if "LICHEN" not in name}
        return kept | {name: value for name, value in told.items() if value}


@contextmanager
def place_of(engine: str, folder: Path, *, bare: bool = False) -> Iterator[Place]:
    """Yield a place on an engine, with tables that hold nothing; `bare`, without any.

    The first start in a bare one migrates it, which takes half a second.
    """
    folder.mkdir(parents=True, exist_ok=True)
    if engine == "sqlite":
        place = Place(folder)
        if not bare:
            furnish(place.data)
        yield place
        return
    with databases.bare() if bare else databases.furnished() as url:
        yield Place(folder, database_url=url)


class Serving:
    """One `lichen serve`: a parent that watches, and a worker that holds the house."""

    def __init__(
        self, place: Place, *, options: Sequence[str] = (), environ: Mapping[str, str] | None = None
    ) -> None:
        """Start it; `environ` is added to what the place tells."""
        self.place = place
        command = [LICHEN, "serve", "--data", str(place.data), "--host", "127.0.0.1",
                   "--port", str(place.port), "--profile", "testbed", *options]
        with place.output.open("ab") as output:
            self._start = output.tell()
            self.parent = subprocess.Popen(
                command, env=place.environ | dict(environ or {}), stdout=output, stderr=output,
                stdin=subprocess.DEVNULL, start_new_session=True,
            )

    @property
    def pid(self) -> int:
        """The parent's pid."""
        return self.parent.pid

    @property
    def worker_pid(self) -> int | None:
        """The pid of the worker that lives now, None between two."""
        return next(iter(children_of(self.pid)), None)

    def said(self) -> str:
        """Return what this life has written so far."""
        with self.place.output.open("rb") as output:
            output.seek(self._start)
            return output.read().decode(errors="replace")

    async def ready(self) -> None:
        """Wait until the house is ready; fail, with what it said, where it ends instead."""
        async with aiohttp.ClientSession() as session:
            async def answers() -> bool:
                assert self.parent.poll() is None, f"it ended:\n{self.said()}"
                return await _status(session, f"{self.place.url}/ready") == 200

            await until(answers, within_s=READY_S_MAX, what=lambda: f"ready:\n{self.said()}")

    async def ready_or_dead(self) -> int | None:
        """Return the worker's pid once the house is ready, None where that worker died before.

        It may have died since; `worker_ended` then returns at once.
        """
        first: int | None = None
        async with aiohttp.ClientSession() as session:
            while True:
                now = self.worker_pid
                first = first or now
                if (first and now != first) or self.parent.poll() is not None:
                    return None
                if first and await _status(session, f"{self.place.url}/ready") == 200:
                    return first
                await asyncio.sleep(POLL_S)

    def kill_parent(self) -> None:
        """Kill the parent alone; the kernel kills its worker."""
        self.parent.kill()

    def kill_worker(self) -> None:
        """Kill the worker alone; the parent starts another."""
        worker = self.worker_pid
        assert worker is not None, "there is no worker"
        _kill(worker)

    def kill_both(self) -> None:
        """Kill the worker, then the parent, in one moment."""
        self.kill_worker()
        self.parent.kill()

    async def gone(self) -> None:
        """Wait until both processes are gone and the port is free."""
        await until(self._is_gone, within_s=END_S_MAX, what=lambda: f"an end:\n{self.said()}")

    async def worker_ended(self, pid: int) -> None:
        """Wait until the worker with this pid has ended."""
        await until(lambda: not _is_alive(pid), within_s=END_S_MAX, what=lambda: "a worker's end")

    async def stop(self) -> int:
        """Stop by SIGTERM; return the exit code. Fails where it takes longer than it may."""
        self.parent.send_signal(signal.SIGTERM)
        code = await asyncio.to_thread(self.parent.wait, STOP_S_MAX)
        await self.gone()
        return code

    def end(self) -> None:
        """Leave nothing behind, however a test ended."""
        worker = self.worker_pid
        self.parent.kill()
        self.parent.wait()
        if worker is not None:
            _kill(worker)

    def _is_gone(self) -> bool:
        if self.parent.poll() is None or any(True for _ in _processes_of(self.place.data)):
            return False
        with socket.socket() as probe:
            # As the server does: connections that linger in TIME_WAIT do not count.
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", self.place.port))
            except OSError as error:
                assert error.errno == errno.EADDRINUSE, error
                return False
        return True


async def until(
    is_so: "Callable[[], object]", *, within_s: float, what: Callable[[], str]
) -> None:
    """Wait, by asking again and again, until something is so; fail after `within_s`."""
    loop = asyncio.get_running_loop()
    end = loop.time() + within_s
    while True:
        answer = is_so()
        if asyncio.iscoroutine(answer):
            answer = await answer
        if answer:
            return
        assert loop.time() < end, f"waited {within_s:.0f} s in vain for {what()}"
        await asyncio.sleep(POLL_S)


def free_port() -> int:
    """Return a port that nobody listens on now and that no outgoing connection will take."""
    for port in random.SystemRandom().sample(PORTS, 100):
        with socket.socket() as probe, suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port
    raise AssertionError("no free port among a hundred")


def children_of(pid: int) -> Iterator[int]:
    """Yield the pids of a process's living children."""
    for number in _processes():
        with suppress(OSError):
            # proc_pid_stat(5): the name stands in brackets and may hold anything.
            stat = Path(f"/proc/{number}/stat").read_text()
            state, parent, *_ = stat.rpartition(")")[2].split()
            if int(parent) == pid and state != "Z":
                yield number


def _processes_of(data: Path) -> Iterator[int]:
    """Yield the pids of every process that serves this folder."""
    wanted = f"--data\0{data}\0".encode()
    for number in _processes():
        with suppress(OSError):
            if wanted in Path(f"/proc/{number}/cmdline").read_bytes():
                yield number


def _processes() -> list[int]:
    """Return the pids of all processes; a glob would fail where one ends while it looks."""
    return [int(one.name) for one in Path("/proc").iterdir() if one.name.isdecimal()]


def _is_alive(pid: int) -> bool:
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return False
    return stat.rpartition(")")[2].split()[0] != "Z"


def _kill(pid: int) -> None:
    with suppress(ProcessLookupError):
        os.kill(pid, signal.SIGKILL)


async def _status(session: aiohttp.ClientSession, url: str) -> int:
    try:
        async with session.get(url, timeout=aiohttp.ClientTimeout(total=2)) as answer:
            return answer.status
    except (aiohttp.ClientError, TimeoutError, ConnectionError):
        return 0
