"""The example of the room's page runs as it stands."""

import re
from pathlib import Path

import pytest

README = Path(__file__).parents[2] / "lichen/timeline/README.md"


def test_the_example_of_the_page_runs(capsys: pytest.CaptureFixture[str]) -> None:
    example = re.search(r"```python\n(.*?)```", README.read_text(encoding="utf-8"), re.DOTALL)
    assert example is not None

    exec(compile(example[1], str(README), "exec"), {})

    assert "timeline.complete" in capsys.readouterr().out
