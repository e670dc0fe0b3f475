"""Killed with -9 at each crash point: what was acknowledged is there, once, and the stream goes on.

A child process appends, erases, seals and trims, and prints what was acknowledged; it dies at the
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
from lichen.stream import EVERYTHING, Form, Store
from tests.conftest import FakeClock
from tests.stream.disks import everything_in
from tests.stream.histories import FORMS, TwoDictionaries, post
from tests.stream.reading import read_all

pytestmark = [pytest.mark.anyio, pytest.mark.slow]

ROOT = Path(__file__).parents[2]
# Once at each point; `make sim` kills at the first seven hits of each.
HITS = range(1, 8) if os.environ.get("HYPOTHESIS_PROFILE") == "sim" else [4]
POINTS = [point.name for point in CRASH_POINTS if point.name.startswith("stream.")]

CHILD = """
import asyncio, json, sys, time
from pathlib import Path
from lichen.stream import Options, Store
from tests.stream.histories import TwoDictionaries, post

def say(**what):
    print(json.dumps(what), flush=True)

async def main():
    store = Store.open(Path(sys.argv[1]), clock=lambda: time.time_ns() // 1_000,
                       dictionaries=TwoDictionaries(),
                       options=Options(segment_bytes_max=3_000, block_age_us_max=0))
    for number in range(60):
        came = [post(f"<{number}/{part}>") for part in range(3)]
        say(asked=number)
        appended = await store.append(came, position=number)
        say(appended=appended.first_seq, number=number)
        if number % 10 == 9:
            say(erasing=appended.first_seq - 7, mark=f"<{number - 3}/2>")
            await store.erase([appended.first_seq - 7])
            say(erased=appended.first_seq - 7, mark=f"<{number - 3}/2>")
        if number % 10 == 5:
            await store.retain(age_us_max=1 << 60, bytes_max=9_000, now_us=0)
    await store.close()

asyncio.run(main())
"""


async def run_child(folder: Path, point: str) -> subprocess.CompletedProcess[str]:
    return await asyncio.to_thread(
        subprocess.run, [sys.executable, "-c", CHILD, str(folder)], capture_output=True, text=True,
        cwd=ROOT, env={**os.environ, VARIABLE: point}, check=False, timeout=60)


def read(store: Store, form: Form) -> dict[int, str]:
    """Return what the store holds, by sequence, as the second wire's marks."""
    found = {}
    for message in read_all(store, 0, EVERYTHING, form, bytes_max=700).messages:
        event = json.loads(message)
        event = event.get("payload", event)
        commit = event.get("commit", event)
        found[event.get("cursor") or event["seq"]] = commit["record"]["text"]
    return found


@pytest.mark.parametrize("hit", HITS)
@pytest.mark.parametrize("point", POINTS)
async def test_what_was_acknowledged_survives_the_kill(
    tmp_path: Path, clock: FakeClock, point: str, hit: int
) -> None:
    folder = tmp_path / "stream"

    ended = await run_child(folder, f"{point}:{hit}")
    said = [json.loads(line) for line in ended.stdout.splitlines()]
    store = Store.open(folder, clock=clock, dictionaries=TwoDictionaries())

    assert ended.returncode == -9, ended.stderr
    gone = {line["erasing"] for line in said if "erasing" in line}
    told = {line["appended"] + part: f"<{line['number']}/{part}>"
            for line in said if "appended" in line for part in range(3)}
    found = read(store, FORMS[0])
    assert all(read(store, form) == found for form in FORMS)
    assert {seq: text for seq, text in found.items() if seq in told} == {
        seq: text for seq, text in told.items() if seq in found}
    assert {seq for seq in told if seq >= store.first_seq} - set(found) <= gone
    # What was asked for and not answered is there as a whole or not at all.
    asked = [line["asked"] for line in said if "asked" in line][-1]
    more = sorted(set(found) - set(told))
    assert [found[seq] for seq in more] in ([], [f"<{asked}/{part}>" for part in range(3)])
    assert store.position == (asked if more or asked * 3 + 1 in told else max(asked - 1, 0))
    appended = await store.append([post("goes on")], position=asked)
    assert appended.first_seq == max([*told, *more, 0]) + 1
    content = everything_in(folder)
    assert not [line for line in said if "erased" in line and line["mark"].encode() in content]
    assert store.damaged_blocks == 0
    await store.close()
