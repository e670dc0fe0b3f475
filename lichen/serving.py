"""Serving: one Granian worker holds the house; its parent only watches.

    parent (small)            worker
    ┌──────────────┐  fork   ┌───────────────────────────────────────────┐
    │ the socket   ├────────►│ Entrance: opens the House at start-up and │
    │ restarts it  │◄────────┤ hands every request to its application    │
    └──────────────┘  signal └───────────────────────────────────────────┘

The worker asks the kernel to be killed with its parent, or it would outlive it and keep the port.
SIGTERM: stop accepting, drain the relay, checkpoint, close, in at most 10 s.
"""

import asyncio
import ctypes
import fcntl
import functools
import gc
import os
import signal
import socket
import sys
from collections.abc import Awaitable, Callable
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from granian import Granian
from granian.constants import Interfaces, Loops
from granian.log import LogLevels

from lichen.kit import LichenError, Unavailable
from lichen.kit.config import Config

if TYPE_CHECKING:
    from lichen.house import House

PID_FILE = "serving.pid"
EXIT_BROKEN = 70  # sysexits.h: EX_SOFTWARE
PR_SET_PDEATHSIG = 1  # linux/prctl.h
STOP_S_MAX = 10  # from SIGTERM to the end; then what is left is killed
FINISH_S_MAX = 3  # of them: for requests in work; a client that dawdles is cut off then
BACKLOG = 1_024  # connections waiting to be accepted
YOUNG_OBJECTS_MAX = 10_000  # between two looks of the collector; a long page makes as many
BACKPRESSURE = 1_024  # requests in work at once; more wait in the socket

Scope = dict[str, Any]
Receive = Callable[[], Awaitable[dict[str, Any]]]
Send = Callable[[dict[str, Any]], Awaitable[None]]


def serve(config: Config) -> None:
    """Serve until SIGTERM or SIGINT; raises Unavailable where folder or port are taken."""
    server = config.server
    server.data.mkdir(mode=0o700, parents=True, exist_ok=True)
    held = _hold(server.data)
    _check_port(server.host, server.port)
    granian = Granian(
        "lichen.serving",
        address=server.host,
        port=server.port,
        interface=Interfaces.ASGI,
        workers=1,
        loop=Loops.uvloop,
        websockets=False,
        backlog=BACKLOG,
        backpressure=BACKPRESSURE,
        respawn_failed_workers=True,
        workers_kill_timeout=STOP_S_MAX,
        log_level=LogLevels.warning,
        process_name=None,
    )
    try:
        granian.serve(
            target_loader=functools.partial(_load, config, os.getpid()), wrap_loader=False
        )
    finally:
        os.close(held)


def _load(config: Config, parent: int) -> "Entrance":
    """Return the application, in the worker."""
    # Imported here: the parent tells nothing and stays small.
    from lichen.kit.telling import tell_to

    die_with_parent(parent)
    tell_to(sys.stdout, config.server)
    return Entrance(config)


def die_with_parent(parent: int) -> None:
    """Ask the kernel to kill this process when its parent ends, however it ends."""
    # prctl(2): the signal is sent at the parent's death; a parent that died before is checked for.
    ctypes.CDLL(None, use_errno=True).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:
        os.kill(os.getpid(), signal.SIGKILL)


class Entrance:
    """The ASGI application: opens the house at start-up, closes it at shut-down."""

    def __init__(self, config: Config) -> None:
        self._config = config
        self._house: House | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request, or the life of the process."""
        if scope["type"] == "lifespan":
            await self._live(receive, send)
            return
        assert self._house is not None, "a request before start-up"
        await self._house.entrance(scope, receive, send)  # type: ignore[arg-type]

    async def _live(self, receive: Receive, send: Send) -> None:
        # ASGI, Lifespan protocol: startup and shutdown are answered once each.
        await receive()
        # Half a million objects come with the imports and stay: the collector need not go through
        # them again and again while they come (a fifth of the start), nor at any time later.
        gc.disable()
        try:
            from lichen.house import House  # heavy: the parent never imports it

            house = self._house = await House.open(self._config)
        except LichenError as error:  # the text says it all
            await send({"type": "lifespan.startup.failed", "message": str(error)})
            return
        except BaseException as error:
            await send({"type": "lifespan.startup.failed", "message": type(error).__name__})
            raise
        gc.freeze()
        gc.set_threshold(YOUNG_OBJECTS_MAX, 10, 10)
        gc.enable()
        await send({"type": "lifespan.startup.complete"})
        stopping = asyncio.ensure_future(receive())
        overdue = asyncio.ensure_future(_overdue())
        breaking = asyncio.ensure_future(house.broken.wait())
        await asyncio.wait({stopping, overdue, breaking}, return_when=asyncio.FIRST_COMPLETED)
        if house.broken.is_set():
            # kit/errors.py, Broken: write nothing any more. The parent starts another worker.
            os._exit(EXIT_BROKEN)
        await house.close()
        if overdue.done():
            os._exit(0)
        await send({"type": "lifespan.shutdown.complete"})


async def _overdue() -> None:
    """Return some time after SIGTERM, when nobody is waited for any more.

    Granian ends what is in work first, however long a client takes to send the rest of a request.
    """
    told = asyncio.Event()

    def stop() -> None:
        os.kill(os.getpid(), signal.SIGINT)  # which Granian takes for the same
        told.set()

    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop)
    await told.wait()
    await asyncio.sleep(FINISH_S_MAX)


def _hold(data: Path) -> int:
    """Take the folder for this parent; return what holds it. Raises Unavailable, naming who has it.

    The log's own lock stops whoever gets past this; here both the text and the pid are for people.
    """
    held = os.open(data / PID_FILE, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        # fcntl(2): record locks, unlike flock's, are not inherited by the worker.
        fcntl.lockf(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        pid = os.pread(held, 32, 0).decode("ascii", "replace").strip()
        os.close(held)
        raise Unavailable(
            f"{data} is served by process {pid} already; stop that one first, or choose another "
            "folder with --data."
        ) from None
    # Of one width, so that it needs no room on a full disk once it is there.
    with suppress(OSError):
        os.pwrite(held, f"{os.getpid():<20}\n".encode(), 0)
    return held


def _check_port(host: str, port: int) -> None:
    """Refuse a port that is taken, in words; Granian would only show a traceback."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            raise Unavailable(
                f"Port {port} on {host} cannot be used ({error.strerror}). "
                "Another Lichen may be running; or choose another with --port."
            ) from None
