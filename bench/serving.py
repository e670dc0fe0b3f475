"""A real Lichen to measure: started as people start it, on a free port, with a folder of its own.

The load runs in the bench's process and the server in its own, so they share the machine's cores
but no interpreter. Beside wall time, the processor time of the server's processes is read from the
kernel: it says what a request costs when something else keeps the machine busy.
"""

import json
import os
import shutil
import socket
import subprocess
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from types import MappingProxyType

LICHEN = Path(__file__).parent.parent / ".venv" / "bin" / "lichen"
DEMO_URL = "http://127.0.0.1:8536"  # what the ids in demo data begin with
LARGE = Path(".bench/large")  # kept from run to run: filling it takes minutes
START_S_MAX = 60.0
LOOK_S = 0.005
NOTHING: Mapping[str, str] = MappingProxyType({})


class Serving:
    """A running server: its port, how long it took to be ready, what it costs."""

    def __init__(self, folder: Path, *, environ: Mapping[str, str] = NOTHING,
                 stream_port: int = 0) -> None:
        self.port, self.metrics_port = free_port(), free_port()
        words = ["serve", "--data", str(folder), "--port", str(self.port),
                 "--metrics-port", str(self.metrics_port), "--stream-port", str(stream_port)]
        surroundings = {**os.environ, "LICHEN_PUBLIC_URL": DEMO_URL,
                        "LICHEN_LIMITS_RATES": "false",
                        "LICHEN_LIMITS_NEWCOMERS": "false", **environ}
        started = time.perf_counter()
        self._output = tempfile.TemporaryFile()  # noqa: SIM115 - closed by `stop`
        self._process = subprocess.Popen(
            [LICHEN, *words], env=surroundings, stdout=self._output, stderr=subprocess.STDOUT
        )
        self._wait_ready(started)
        self.ready_s = time.perf_counter() - started

    def _wait_ready(self, started: float) -> None:
        while time.perf_counter() - started < START_S_MAX:
            assert self._process.poll() is None, self.told()
            try:
                urllib.request.urlopen(f"http://127.0.0.1:{self.port}/ready", timeout=5).close()
                return
            except (urllib.error.URLError, ConnectionError):
                time.sleep(LOOK_S)
        raise AssertionError(f"not ready after {START_S_MAX} s: {self.told()}")

    def told(self) -> str:
        """Return what the server has printed."""
        self._output.seek(0)
        return self._output.read().decode(errors="replace")

    def memory_mb(self) -> float:
        """Return the private memory of all its processes (RssAnon), in MB of 2**20 bytes."""
        found = 0
        for process in self._processes():
            lines = Path(f"/proc/{process}/status").read_text().splitlines()
            found += sum(int(line.split()[1]) for line in lines if line.startswith("RssAnon"))
        return found / 1_024

    def processor_s(self) -> float:
        """Return the processor time that its processes have used so far."""
        ticks = 0
        for process in self._processes():
            fields = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
            ticks += int(fields[11]) + int(fields[12])  # proc(5): utime and stime
        return ticks / os.sysconf("SC_CLK_TCK")

    def _processes(self) -> list[int]:
        """Return the parent and its worker."""
        parent = self._process.pid
        children = Path(f"/proc/{parent}/task/{parent}/children").read_text().split()
        return [parent, *map(int, children)]

    @property
    def worker(self) -> int:
        """The process that holds the house."""
        return self._processes()[1]

    def ask(self, path: str, body: Mapping[str, object] | None = None, token: str = "") -> object:
        """Ask the API once; a body makes it a POST."""
        request = urllib.request.Request(
            f"http://127.0.0.1:{self.port}/api/v3/{path}",
            data=None if body is None else json.dumps(body).encode(),
            headers={"content-type": "application/json",
                     **({"authorization": f"Bearer {token}"} if token else {})},
        )
        with urllib.request.urlopen(request, timeout=30) as answer:
            return json.load(answer)

    def metric(self, name: str) -> float:
        """Return one of the server's own figures."""
        with urllib.request.urlopen(f"http://127.0.0.1:{self.metrics_port}/metrics") as answer:
            lines = answer.read().decode().splitlines()
        (line,) = (line for line in lines if line.startswith(f"lichen_{name} "))
        return float(line.split()[1])

    def stop(self) -> None:
        """Stop it, gently."""
        self._process.terminate()
        self._process.wait(START_S_MAX)
        self._output.close()


@contextmanager
def serving(folder: Path, *, environ: Mapping[str, str] = NOTHING,
            stream_port: int = 0) -> Iterator[Serving]:
    """Serve a folder while the block runs; without a stream's port unless one is given."""
    server = Serving(folder, environ=environ, stream_port=stream_port)
    try:
        yield server
    finally:
        server.stop()


@contextmanager
def scratch(folder: Path | None = None) -> Iterator[Path]:
    """Lend an empty folder, or a copy of one, that is gone afterwards."""
    with tempfile.TemporaryDirectory(prefix="lichen-bench-") as name:
        lent = Path(name) / "data"
        if folder is None:
            lent.mkdir()
        else:
            shutil.copytree(folder, lent)
        yield lent


def demo_data(
    folder: Path, *, size: str, environ: Mapping[str, str] = NOTHING
) -> Path:
    """Return a folder with demo data, filled now if it is not there."""
    if not folder.exists():
        # Filled beside it first: what was cut off half way must not be taken for whole.
        part = folder.with_name(f"{folder.name}.part")
        shutil.rmtree(part, ignore_errors=True)
        surroundings = {**os.environ, "LICHEN_PUBLIC_URL": DEMO_URL, **environ}
        words = ["demo", "--size", size, "--data", str(part)]
        subprocess.run([LICHEN, *words], env=surroundings, check=True)
        part.rename(folder)
    return folder


def free_port() -> int:
    """Return a port of loopback that nobody uses now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
