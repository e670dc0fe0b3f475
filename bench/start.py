"""How soon an empty house serves, and what it holds in memory while nobody asks.

    python -m bench.start [--rounds 3]

Memory is RssAnon, summed over the parent and its worker, 10 s after `/ready`. The floor is a bare
interpreter that answers nothing: the time it takes to start, in the same run.
"""

import argparse
import os
import statistics
import subprocess
import sys
import time

from bench.results import record
from bench.serving import scratch, serving

IDLE_S = 10.0  # after /ready, when the start's own garbage is gone
ROUNDS = 3


def main(rounds: int) -> None:
    """Measure, print and keep the figures."""
    firsts, agains, idle_mb = [], [], []
    for _ in range(rounds):
        with scratch() as folder:
            with serving(folder) as server:
                firsts.append(server.ready_s)
            with serving(folder) as server:
                agains.append(server.ready_s)
                time.sleep(IDLE_S)
                idle_mb.append(server.memory_mb())
    figures = {
        "first_start_s": round(statistics.median(firsts), 2),
        "start_s": round(statistics.median(agains), 2),
        "start_ratio_to_python": round(statistics.median(agains) / bare_s(), 1),
        "idle_rss_anon_mb": round(statistics.median(idle_mb)),
        "load": round(os.getloadavg()[0], 1),
    }
    print(f"start, empty folder, {os.cpu_count()} cores, load {figures['load']}")
    print(f"  ready after       {figures['start_s']} s, the first time "
          f"{figures['first_start_s']} s (3 wanted), {figures['start_ratio_to_python']} times a "
          "bare interpreter")
    print(f"  idle memory       {figures['idle_rss_anon_mb']} MB RssAnon (150 wanted)")
    record("start", figures)


def bare_s() -> float:
    """Return how long an interpreter takes to start and end."""
    times = []
    for _ in range(5):
        started = time.perf_counter()
        subprocess.run([sys.executable, "-c", ""], check=True)
        times.append(time.perf_counter() - started)
    return statistics.median(times)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="python -m bench.start")
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    main(parser.parse_args().rounds)
