"""A plugin that calls somebody: the port is what is written."""

import ctypes
import os
import socket
import subprocess
import sys

from lichen.kit import Reason
from lichen.plugins import Hold, hookimpl

CALL = "import socket, sys; socket.create_connection(('127.0.0.1', int(sys.argv[1])), 5)"


@hookimpl
def before_create(writing):
    port = int(writing.title)
    HOW[writing.body](port)
    return Hold(reason=Reason(rule=f"called {writing.body}"))


def by_python(port):
    socket.create_connection(("127.0.0.1", port), 5).close()


def by_child(port):
    subprocess.run([sys.executable, "-c", CALL, str(port)], check=True)


def by_c(port):
    if ctypes.CDLL(None, use_errno=True).socket(socket.AF_INET, socket.SOCK_STREAM, 0) < 0:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
    by_python(port)


HOW = {"python": by_python, "child": by_child, "c": by_c}
