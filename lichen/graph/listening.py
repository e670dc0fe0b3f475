"""The processes that serve a graph: a parent that watches, one Granian worker that speaks RSGI."""

import ctypes
import functools
import os
import signal
import sys
from pathlib import Path
from typing import Any, Final

from granian import Granian
from granian.constants import Interfaces, Loops
from granian.log import LogLevels

from lichen.graph.serving import GraphApp
from lichen.kit import LichenError, Refused

LOCAL: Final = {"127.0.0.1", "::1", "localhost"}
PR_SET_PDEATHSIG: Final = 1  # linux/prctl.h
EXIT_REFUSED: Final = 1


def listen(folder: Path, *, host: str, port: int, key: str) -> None:
    """Serve until SIGTERM or SIGINT; raises Refused where anybody could write."""
    if host not in LOCAL and not key:
        raise Refused("key_needed", f"Expected --key to listen on {host}, got none: anybody there "
                      "could change the graph. Set one, or listen on 127.0.0.1.")
    granian = Granian("lichen.graph.serving", address=host, port=port, interface=Interfaces.RSGI,
                      workers=1, loop=Loops.uvloop, websockets=False, log_level=LogLevels.warning)
    load = functools.partial(_load, folder, key, os.getpid())
    granian.serve(target_loader=load, wrap_loader=False)


class _Said(GraphApp):
    """A graph that says why it cannot be opened, in a line."""

    def __rsgi_init__(self, loop: Any) -> None:
        try:
            super().__rsgi_init__(loop)
        except LichenError as error:
            sys.stderr.write(f"lichen: {getattr(error, 'text', error)}\n")
            raise SystemExit(EXIT_REFUSED) from None


# Granian calls it, and takes what it returns for a function; RSGI has an object with methods.
def _load(folder: Path, key: str, parent: int) -> Any:
    # prctl(2): a worker that outlived its parent would keep port and lock; one whose parent is dead
    # already gets no signal.
    ctypes.CDLL(None, use_errno=True).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:
        os.kill(os.getpid(), signal.SIGKILL)
    return _Said(folder, key=key)
