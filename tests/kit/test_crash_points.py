"""Crash points are registered once, documented, and each stands somewhere in the code."""

import re
import subprocess
import sys
from pathlib import Path

from lichen.kit.crash_points import CRASH_POINTS, VARIABLE

ROOT = Path(__file__).parents[2]


def test_the_table_in_the_docs_is_the_table_in_the_code() -> None:
    rows = re.findall(r"^\| `([a-z_.]+)` \| (.+?) \|", (ROOT / "docs/crash_points.md").read_text(),
                      re.MULTILINE)

    assert rows == [tuple(point) for point in CRASH_POINTS]


def test_every_point_stands_in_the_code_and_no_other_does() -> None:
    sources = [path.read_text() for path in (ROOT / "lichen").rglob("*.py")]

    found = {name for text in sources for name in re.findall(r'crash_point\("([a-z_.]+)"\)', text)}

    assert found == {point.name for point in CRASH_POINTS}


def test_a_process_dies_at_the_hit_it_was_told_and_not_before() -> None:
    program = ("from lichen.kit.crash_points import crash_point\n"
               "for hit in range(1, 4):\n"
               "    crash_point('log.after_sync')\n"
               "    crash_point('log.after_write')\n"
               "    print(hit, flush=True)\n")

    ended = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True,
                           env={VARIABLE: "log.after_write:3"}, check=False)

    assert (ended.returncode, ended.stdout) == (-9, "1\n2\n")
