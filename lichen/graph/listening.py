"""The process that serves a graph: one Granian worker that speaks RSGI."""

import functools
from pathlib import Path
from typing import Any

from granian import Granian
from granian.constants import Interfaces, Loops
from granian.log import LogLevels

from lichen.graph.serving import GraphApp
from lichen.kit import Refused

LOCAL = {"127.0.0.1", "::1", "localhost"}


def listen(folder: Path, *, host: str, port: int, key: str) -> None:
    """Serve until SIGTERM or SIGINT; raises Refused where anybody could write."""
    if host not in LOCAL and not key:
        raise Refused("key_needed", f"Expected --key to listen on {host}, got none: anybody there "
                      "could change the graph. Set one, or listen on 127.0.0.1.")
    granian = Granian("lichen.graph.serving", address=host, port=port, interface=Interfaces.RSGI,
                      workers=1, loop=Loops.uvloop, websockets=False, log_level=LogLevels.warning)
    granian.serve(target_loader=functools.partial(_load, folder, key), wrap_loader=False)


# Granian calls it, and takes what it returns for a function; RSGI has an object with methods.
def _load(folder: Path, key: str) -> Any:
    return GraphApp(folder, key=key)
