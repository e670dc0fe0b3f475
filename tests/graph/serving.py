"""A graph that is served by a process of its own, as people start it, and a client to ask it."""

import http.client
import json
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

from tests.faults.serving import free_port

LICHEN = [sys.executable, "-c", "from lichen.cli import main; main()"]
READY_S_MAX = 30.0


class Answer(NamedTuple):
    """What came back."""

    status: int
    content: bytes
    headers: dict[str, str]

    @property
    def value(self) -> Any:
        return json.loads(self.content)


class Served:
    """A graph behind a port."""

    def __init__(self, folder: Path, *words: str) -> None:
        self.folder, self.port = folder, free_port()
        self.process = subprocess.Popen(
            [*LICHEN, "graph", "serve", "--data", str(folder), "--port", str(self.port), *words],
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        end_s = time.monotonic() + READY_S_MAX
        while not self.is_ready():
            assert self.process.poll() is None, self.process.communicate()[0].decode()
            assert time.monotonic() < end_s, "it is not ready"
            self._wait_a_moment()

    def is_ready(self) -> bool:
        try:
            return self.ask("/_health").status == 200
        except (ConnectionError, http.client.HTTPException):
            return False

    def _wait_a_moment(self) -> None:
        try:
            self.process.wait(0.02)
        except subprocess.TimeoutExpired:
            return

    def ask(self, path: str, body: object = None, *, method: str = "",
            headers: dict[str, str] | None = None) -> Answer:
        """Ask once; a body makes it a POST of JSON, bytes are sent as they are."""
        content = body if body is None or isinstance(body, bytes) else json.dumps(body).encode()
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        try:
            connection.request(method or ("GET" if body is None else "POST"), path, content,
                               headers or {})
            answer = connection.getresponse()
            return Answer(answer.status, answer.read(), {
                name.lower(): value for name, value in answer.getheaders()})
        finally:
            connection.close()

    def stop(self) -> None:
        """Ask it to stop, as systemd does."""
        self.process.terminate()
        told, _ = self.process.communicate(timeout=READY_S_MAX)
        assert b"Traceback" not in told, told.decode()

    def kill(self) -> None:
        """End the parent with -9, and wait for the worker, which has no life of its own."""
        self.process.kill()
        self.process.communicate(timeout=READY_S_MAX)


@contextmanager
def served(folder: Path, *words: str) -> Iterator[Served]:
    """Serve a folder while the block runs."""
    server = Served(folder, *words)
    try:
        yield server
    finally:
        if server.process.poll() is None:
            server.stop()
