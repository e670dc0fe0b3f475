"""The example of the room's README runs as printed."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.mark.slow
def test_the_example_of_the_readme_runs() -> None:
    readme = (ROOT / "lichen/graph/README.md").read_text()
    example = re.search(r"```python\n(.+?)```", readme, re.DOTALL)
    assert example is not None

    ended = subprocess.run([sys.executable, "-c", example[1]], capture_output=True, text=True,
                           check=False, cwd=ROOT, timeout=60)

    assert ended.stderr == ""
    assert ended.stdout == "['ada', 'cid']\n['dot']\n"
