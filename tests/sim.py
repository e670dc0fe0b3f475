"""The long runs: many kills, every crash point many times, big property runs.

    python -m tests.sim [--kills 100] [--rounds 10] [--seed 1] [--engine sqlite] [--no-properties]
    python -m tests.sim --only-federation [--kills 100]   two servers, one of them dies

Every ordeal ends with a start that must find everything that was acknowledged, once. The result
is kept, with the commit, as a line of bench/results/sim.jsonl; a failure names the seed that
replays it.
"""

import argparse
import asyncio
import os
import subprocess
import sys
import tempfile
import time
import traceback
from collections.abc import Coroutine
from pathlib import Path

from bench.results import record
from tests.faults.neighbours import FEDERATION, Neighbours
from tests.faults.ordeal import VICTIMS, Ordeal
from tests.faults.serving import place_of
from tests.faults.test_crash_points import COMMANDS, die_everywhere, die_in_commands
from tests.faults.test_federation_restores import go_on
from tests.stream import mutating

ENGINES = ("sqlite", "postgresql")
AUDIT_EVERY = 5  # kills between two audits of everything; each audit reads the whole log
PROPERTIES = "property or fuzz or machine or agreement or ranking or tree or markdown or sampled"


async def kills(engine: str, folder: Path, *, count: int, seed: int) -> int:
    """Kill at random moments; return how many writes were acknowledged and found again."""
    with place_of(engine, folder) as place:
        ordeal = Ordeal(place, seed=seed)
        for number in range(count):
            _tell(f"{engine}: kill {number + 1} of {count}")
            await ordeal.killed_at_random(list(VICTIMS)[number % len(VICTIMS)])
            if (number + 1) % AUDIT_EVERY == 0:
                await ordeal.recover()
        await ordeal.recover()
        return ordeal.notebook.answers


async def rounds(engine: str, folder: Path, *, count: int, seed: int) -> int:
    """Die at every crash point, `count` times, each round in an empty place; return the deaths."""
    deaths = 0
    for number in range(count):
        _tell(f"{engine}: every crash point, round {number + 1} of {count}")
        with place_of(engine, folder / str(number), bare=True) as place:
            ordeal = Ordeal(place, seed=seed + number)
            await die_everywhere(ordeal)
            await ordeal.recover()
            deaths += len(ordeal.deaths)
        await die_in_commands(engine, folder / f"{number}-commands", seed=seed + number)
        deaths += len(COMMANDS)
    return deaths


async def restored(folder: Path) -> str:
    """Restore one of two servers, twice, with a peer that is behind."""
    await go_on(folder, twice=True)
    return "agreed"


async def between(engine: str, folder: Path, *, count: int, seed: int) -> str:
    """Die at every point between two servers, on both sides, and `count` times at random."""
    with place_of(engine, folder / "a") as a, place_of(engine, folder / "b") as b:
        neighbours = Neighbours(a, b, seed=seed)
        async with neighbours.living():
            for point in FEDERATION:
                # B hears of strangers through A, which knows them: nothing waits there.
                for side in ("a",) if point.startswith("parked.") else ("a", "b"):
                    _tell(f"{engine}: {point} of {side}")
                    await neighbours.killed_at(point, side)
            for number in range(count):
                _tell(f"{engine}: kill {number + 1} of {count} between two servers")
                await neighbours.killed_at_random("ab"[number % 2])
        voted = sum(map(len, neighbours.votes.values()))
        return f"{len(neighbours.deaths)} deaths, {len(neighbours.told)} texts, {voted} votes"


def main() -> int:
    """Run it all and keep the result."""
    options = _options()
    figures: dict[str, object] = {"seed": options.seed}
    began = time.monotonic()
    engines = [options.engine] if options.engine else list(ENGINES)
    with tempfile.TemporaryDirectory(prefix="lichen-sim-") as folder:
        for engine in engines:
            place = Path(folder) / engine
            figures[f"{engine}_between_servers"] = _tried(
                between(engine, place / "between", count=options.kills // 10, seed=options.seed))
            if engine == "sqlite":
                figures["restored_with_a_peer_behind"] = _tried(restored(place / "restored"))
            if options.only_federation:
                continue
            figures[f"{engine}_kills"] = options.kills
            figures[f"{engine}_acknowledged"] = _tried(
                kills(engine, place / "kills", count=options.kills, seed=options.seed))
            figures[f"{engine}_deaths_at_points"] = _tried(
                rounds(engine, place / "points", count=options.rounds, seed=options.seed))
    failed = int("failed" in figures.values())
    if options.properties and not options.only_federation:
        _tell("properties, many examples")
        environ = os.environ | {"HYPOTHESIS_PROFILE": "sim"}
        command = [sys.executable, "-m", "pytest", "-q", "-k", PROPERTIES]
        code = subprocess.run(command, env=environ, check=False).returncode
        figures["properties"] = "passed" if code == 0 else "failed"
        failed = failed or code
    if not options.only_federation:
        _tell("mutants of the stream")
        chosen = mutating.mutants()
        alive = mutating.survivors(chosen)
        figures["stream_mutants_killed"] = f"{len(chosen) - len(alive)} of {len(chosen)}"
        failed = failed or len(alive)
    figures["seconds"] = round(time.monotonic() - began)
    record("sim", figures)
    _tell(f"done: {figures}")
    return failed


def _tried(run: Coroutine[None, None, int | str]) -> int | str:
    """Run to the end; a failure is told, kept as one, and the other runs go on."""
    try:
        return asyncio.run(run)
    except Exception:  # the outermost loop
        traceback.print_exc()
        return "failed"


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--kills", type=int, default=100)
    parser.add_argument("--rounds", type=int, default=10)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--engine", choices=ENGINES)
    parser.add_argument("--only-federation", action="store_true")
    parser.add_argument("--no-properties", dest="properties", action="store_false")
    return parser.parse_args()


def _tell(text: str) -> None:
    sys.stderr.write(f"{time.strftime('%H:%M:%S')} {text}\n")


if __name__ == "__main__":
    sys.exit(main())
