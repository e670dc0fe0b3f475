"""`lichen timeline bench` says what this machine does."""

import re

from click.testing import CliRunner

from lichen.cli import main
from lichen.timeline import tried


def test_the_trial_of_the_command_line_says_its_figures() -> None:
    ended = CliRunner().invoke(main, ["timeline", "bench", "--people", "25000", "--slots", "16"])

    assert ended.exit_code == 0, ended.output
    assert "25,000 followers" in ended.output
    assert len(re.findall(r"\d+ ms|\d+\.\d+ ms|a second", ended.output)) == 3


def test_a_trial_reckons_with_the_stopwatch_it_is_given() -> None:
    ticks = iter(range(10_000))

    trial = tried(25_000, slots=16, posts=3, now_s=lambda: next(ticks) / 1_000)

    assert (round(trial.post_ms, 6), round(trial.page_p99_ms, 6)) == (3.0, 1.0)
    assert round(trial.writes_per_s) == 8_333_333
