"""Serving: one Granian worker holds the house; its parent only watches.

    parent (small)            worker
    ┌──────────────┐  fork   ┌───────────────────────────────────────────┐
    │ the socket   ├────────►│ Entrance: opens the House at start-up and │
    │ restarts it  │◄────────┤ hands every request to its application    │
    └──────────────┘  signal └───────────────────────────────────────────┘

The worker asks the kernel to be killed with its parent, or it would outlive it and keep the port.
SIGTERM: stop accepting, drain the relay, checkpoint, close, in at most 10 s.
"""

import ctypes
import functools
import os
import signal
import socket
import sys
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any

from granian import Granian
from granian.constants import Interfaces, Loops
from granian.log import LogLevels

from lichen.kit import Unavailable
from lichen.kit.config import Config

if TYPE_CHECKING:
    from lichen.house import House

PR_SET_PDEATHSIG = 1  # linux/prctl.h
STOP_S_MAX = 10  # from SIGTERM to the end; then what is left is killed
BACKLOG = 1_024  # connections waiting to be accepted
BACKPRESSURE = 1_024  # requests in work at once; more wait in the socket

Scope = dict[str, Any]
Receive = Callable[[], Awaitable[dict[str, Any]]]
Send = Callable[[dict[str, Any]], Awaitable[None]]


def serve(config: Config) -> None:
    """Serve until SIGTERM or SIGINT; raises Unavailable where the port is taken."""
    server = config.server
    _check_port(server.host, server.port)
    config.server.data.mkdir(mode=0o700, parents=True, exist_ok=True)
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
    granian.serve(target_loader=functools.partial(_load, config, os.getpid()), wrap_loader=False)


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
        await self._house.application(scope, receive, send)  # type: ignore[arg-type]

    async def _live(self, receive: Receive, send: Send) -> None:
        # ASGI, Lifespan protocol: startup and shutdown are answered once each.
        from lichen.house import House  # heavy: the parent never imports it

        await receive()
        try:
            self._house = await House.open(self._config)
        except BaseException as error:
            await send({"type": "lifespan.startup.failed", "message": str(error)})
            raise
        await send({"type": "lifespan.startup.complete"})
        await receive()
        await self._house.close()
        await send({"type": "lifespan.shutdown.complete"})


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
