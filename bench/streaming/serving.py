"""Programs of a bench, started and asked: their port, their answers, what they cost."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from types import TracebackType
from typing import IO, Any, Self

TICKS_PER_S = os.sysconf("SC_CLK_TCK")
STOP_S_MAX = 20.0


class Program:
    """A program in a process of its own; it prints one JSON line when it is ready."""

    def __init__(self, module: str, *words: str, ready: bool = True) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", module, *words], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        self.pid = self._process.pid
        self.figures: dict[str, Any] = self.answer() if ready else {}

    @property
    def port(self) -> int:
        """Return where it listens."""
        return int(self.figures["port"])

    def tell(self, line: str) -> None:
        """Say a line; `answer` waits until it was obeyed."""
        _pipe(self._process.stdin).write(line.encode() + b"\n")
        _pipe(self._process.stdin).flush()

    def answer(self) -> dict[str, Any]:
        """Wait for the next JSON line."""
        line = _pipe(self._process.stdout).readline()
        assert line, "a program of this bench ended; what it said stands above"
        found: dict[str, Any] = json.loads(line)
        return found

    def cpu_s(self) -> float:
        """Return the processor time it has taken, its threads included."""
        fields = Path(f"/proc/{self.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / TICKS_PER_S

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None,
                 trace: TracebackType | None) -> None:
        self._process.terminate()
        try:
            self._process.wait(STOP_S_MAX)
        except subprocess.TimeoutExpired:
            self._process.kill()


def _pipe(pipe: IO[bytes] | None) -> IO[bytes]:
    assert pipe is not None
    return pipe


def consume(port: int, query: str, events: int, *, readers: int = 1, path: str = "/subscribe",
            discard: int = 0) -> dict[str, Any]:
    """Let consumers in a process of their own read until they have their events.

    `discard` is the bytes that these events take: then they are counted and not looked at.
    """
    with Program("bench.streaming.consumer", f"ws://127.0.0.1:{port}{path}", "--query", query,
                 "--events", str(events), "--readers", str(readers),
                 "--discard", str(discard)) as consumer:
        found = consumer.figures
    assert found["events"] == events * readers, f"{found} is not what was sent"
    return found


def private_mb(pid: int, *, without: str = "") -> float:
    """Return the memory that a process has for itself, but mapped files of a folder."""
    total, counts = 0, True
    for line in Path(f"/proc/{pid}/smaps").read_text().splitlines():
        if re.match(r"[0-9a-f]+-[0-9a-f]+ ", line):
            counts = not without or without not in line
        elif counts and line.startswith("Private_"):
            total += int(line.split()[1])
    return total / 1_024
