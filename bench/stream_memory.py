"""What `lichen stream` takes of memory, alone, with 100 subscribers, beside the bare interpreter.

    python -m bench.stream_memory [--subscribers 100] [--seconds 15]

A relay sends 500 frames of real shape a second; a tenth of the subscribers take everything from the
first event on, the others filters. Private memory (`Private_*` of /proc/PID/smaps) of the server's
process and of the child that decodes is counted, mapped files of its own folder are not: they are
the page cache's and anybody's. The floors: a Python that sleeps, and one that has imported numpy.
"""

import argparse
import random
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from bench.results import record
from bench.streaming.serving import Program, private_mb
from lichen.kit import system_clock
from lichen.stream.client.consuming import endpoint_of
from lichen.stream.client.crowd import Crowd, Mix

RATE, FRAMES = 500, 20_000
START_S_MAX = 20.0
FLOORS = {"bare_interpreter_mb": "", "bare_with_numpy_mb": "import numpy, asyncio, uvloop"}
FILTERS = ("wantedCollections=app.bsky.feed.post", "wantedCollections=app.bsky.graph.*",
           "wantedCollections=app.bsky.feed.post&compress=true", "rootPostsOnly=true",
           "wantedDids=did:plc:ewvi7nxzyoun6zhxrhs64oiz")


def main() -> None:
    """Measure, print and keep the figures."""
    words = argparse.ArgumentParser()
    words.add_argument("--subscribers", type=int, default=100)
    words.add_argument("--seconds", type=float, default=15.0)
    given = words.parse_args()
    figures: dict[str, Any] = {name: floor(code) for name, code in FLOORS.items()}
    with (tempfile.TemporaryDirectory(prefix="lichen-bench-") as folder,
          Program("bench.streaming.relay", "--frames", str(FRAMES), "--rate", str(RATE)) as relay):
        figures |= alone(Path(folder), relay.port, given)
    for figure, value in figures.items():
        print(f"{figure:44} {value:>14,}")
    record("stream_memory", figures)


def floor(code: str) -> float:
    """Return the private memory of a Python that has run some code and waits."""
    with subprocess.Popen([sys.executable, "-c", f"{code}\nprint(flush=True)\ninput()"],
                          stdin=subprocess.PIPE, stdout=subprocess.PIPE) as python:
        assert python.stdout is not None
        python.stdout.readline()
        found = private_mb(python.pid)
        python.kill()
    return round(found, 1)


def alone(folder: Path, port: int, given: argparse.Namespace) -> dict[str, Any]:
    """Run the stream alone with its subscribers; return what it takes."""
    with subprocess.Popen(
            [sys.executable, "-c", "from lichen.cli import main; main()", "stream", "--upstream",
             f"ws://127.0.0.1:{port}", "--data", str(folder), "--port", "0", "--from-start",
             "--per-address-max", str(given.subscribers),
             "--connects-max", str(given.subscribers)], stdout=subprocess.PIPE) as stream:
        assert stream.stdout is not None
        serving = stream.stdout.readline().decode()
        where = serving.partition("ws://")[2].partition("/")[0]
        idle = private_mb(stream.pid, without=str(folder))
        crowd = Crowd(endpoint_of(where), _mixes(given.subscribers), clock=system_clock,
                      draw=random.Random(1).randbytes)
        crowd.gather()
        end = time.monotonic() + given.seconds
        while time.monotonic() < end:
            crowd.look()
        child = [int(pid) for pid in Path(
            f"/proc/{stream.pid}/task/{stream.pid}/children").read_text().split()]
        found = {
            "subscribers": given.subscribers, "events_delivered": crowd.messages,
            "at_the_start_mb": round(idle, 1),
            "with_subscribers_mb": round(private_mb(stream.pid, without=str(folder)), 1),
            "child_mb": round(sum(private_mb(pid) for pid in child), 1),
        }
        crowd.close()
        stream.terminate()
    return found


def _mixes(subscribers: int) -> list[Mix]:
    everything = max(1, subscribers // 10)
    rest = subscribers - everything
    return [Mix("everything", "cursor=1", everything),
            *(Mix(f"filter {place}", query, rest // len(FILTERS) + (place < rest % len(FILTERS)))
              for place, query in enumerate(FILTERS))]


if __name__ == "__main__":
    main()
