"""A running Lichen for clients: the real command, a folder and a port of its own."""

import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.databases import furnish

READY_WITHIN_S = 30
STOPPED_WITHIN_S = 15
ADMIN_NAME = "gardener"
ADMIN_PASSWORD = "moss and bark and stone"


@pytest.fixture(scope="session")
def lichen_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Yield the address of a testbed that all clients share."""
    with serving(tmp_path_factory.mktemp("lichen")) as url:
        yield url


@contextmanager
def serving(folder: Path, *, port: int = 0, **settings: str) -> Iterator[str]:
    """Start `lichen serve --profile testbed`, yield its address, stop it; the port is a free one."""
    port = port or free_port()
    url = f"http://127.0.0.1:{port}"
    environ = os.environ | settings | {
        "LICHEN_ADMIN_NAME": ADMIN_NAME, "LICHEN_ADMIN_PASSWORD": ADMIN_PASSWORD,
    }
    furnish(folder / "data")
    command = [
        str(Path(sys.executable).with_name("lichen")), "serve", "--data", str(folder / "data"),
        "--host", "127.0.0.1", "--port", str(port), "--profile", "testbed",
    ]
    with (folder / "output").open("wb") as output:
        server = subprocess.Popen(command, env=environ, stdout=output, stderr=output)
        try:
            _wait_until_ready(url, server, folder / "output")
            yield url
        finally:
            server.send_signal(signal.SIGTERM)
            server.wait(STOPPED_WITHIN_S)


def free_port() -> int:
    """Return a port of loopback that nobody listens on now."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


def _wait_until_ready(url: str, server: "subprocess.Popen[bytes]", output: Path) -> None:
    end = time.monotonic() + READY_WITHIN_S
    while time.monotonic() < end and server.poll() is None:
        try:
            with urllib.request.urlopen(f"{url}/ready", timeout=1):
                return
        except (urllib.error.URLError, TimeoutError, ConnectionError):
            time.sleep(0.05)
    pytest.fail(f"Lichen did not become ready:\n{output.read_text()[-4_000:]}")
