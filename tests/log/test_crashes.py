"""Killed with -9 at each crash point: what was acknowledged is there, and the log goes on.

A child process appends, erases, rolls and trims, and prints what was acknowledged; it dies at the
point; this process opens the folder and compares.
"""

import asyncio
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from lichen.kit.crash_points import CRASH_POINTS, VARIABLE
from lichen.log import SegmentLog
from tests.conftest import FakeClock
from tests.log.test_contract import all_records

pytestmark = [pytest.mark.anyio, pytest.mark.slow]

ROOT = Path(__file__).parents[2]
# Once at each point; `make sim` kills at the first seven hits of each.
HITS = range(1, 8) if os.environ.get("HYPOTHESIS_PROFILE") == "sim" else [4]
POINTS = [point.name for point in CRASH_POINTS if point.name.startswith("log.")]

CHILD = """
import asyncio, json, sys, time
from pathlib import Path
from lichen.log import Options, SegmentLog

def say(**what):
    print(json.dumps(what), flush=True)

async def main():
    log = SegmentLog.open(Path(sys.argv[1]), clock=lambda: time.time_ns() // 1_000,
                          options=Options(segment_bytes_max=3_000))
    for number in range(160):
        payloads = [b'{"number":%d,"part":%d}' % (number, part) for part in range(3)]
        appended = await log.append(payloads)
        say(appended=appended.first_seq, number=number)
        if number % 10 == 9:
            say(erasing=appended.first_seq - 7)
            await log.erase([appended.first_seq - 7])
        if number % 20 == 19:
            say(trimming=appended.last_seq - 60)
            await log.retain(floor_seq=appended.last_seq - 60, age_us_max=1 << 60, bytes_max=9_000)
    await log.close()

asyncio.run(main())
"""


async def run_child(folder: Path, *,
                    environment: dict[str, str]) -> subprocess.CompletedProcess[str]:
    return await asyncio.to_thread(
        subprocess.run, [sys.executable, "-c", CHILD, str(folder)], capture_output=True, text=True,
        cwd=ROOT, env={**os.environ, **environment}, check=False, timeout=60)


@pytest.mark.parametrize("hit", HITS)
@pytest.mark.parametrize("point", POINTS)
async def test_what_was_acknowledged_survives_the_kill(
    tmp_path: Path, clock: FakeClock, point: str, hit: int
) -> None:
    folder = tmp_path / "log"

    ended = await run_child(folder, environment={VARIABLE: f"{point}:{hit}"})
    said = [json.loads(line) for line in ended.stdout.splitlines()]
    log = SegmentLog.open(folder, clock=clock)

    assert ended.returncode == -9, ended.stderr
    erased = {line["erasing"] for line in said if "erasing" in line}
    trimmed_to = max((line["trimming"] for line in said if "trimming" in line), default=0)
    found = all_records(log, max(1, log.first_seq))
    assert log.first_seq <= trimmed_to + 1
    for line in said:
        for part in range(3 if "appended" in line else 0):
            seq = line["appended"] + part
            expected = b'{"number":%d,"part":%d}' % (line["number"], part)
            assert found.get(seq, expected) == expected
            assert seq in found or seq in erased or seq < log.first_seq
    appended = await log.append([b'"goes on"'])
    assert appended.first_seq == log.last_seq == max([0, *found, *erased]) + 1
    assert await log.verify() == ()
    await log.close()


async def test_a_second_process_is_refused_and_told_who_has_the_log(
    tmp_path: Path, clock: FakeClock
) -> None:
    log = SegmentLog.open(tmp_path / "log", clock=clock)

    second = await run_child(tmp_path / "log", environment={})

    assert second.returncode == 1
    assert f"in use by process {os.getpid()};" in second.stderr
    await log.close()
