"""What a reader derives can be thrown away and built again."""

from pathlib import Path

import pytest
from click.testing import CliRunner

from lichen import backup, house
from lichen.cli import main

pytestmark = pytest.mark.slow


def test_readers_are_rebuilt_by_name(tmp_path: Path) -> None:
    runner = CliRunner()
    where = ["--data", str(tmp_path)]
    runner.invoke(main, ["admin", "create", "ada", "--password", "correct horse", *where])

    absent = runner.invoke(main, ["rebuild", "search", "--data", str(tmp_path / "none")])
    (tmp_path / "log").mkdir()
    search = runner.invoke(main, ["rebuild", "search", *where])
    ranks = runner.invoke(main, ["rebuild", "ranks", *where])
    unknown = runner.invoke(main, ["rebuild", "serch", *where])

    assert [one.exit_code for one in (search, ranks, absent, unknown)] == [0, 0, 1, 1]
    assert "rebuilt" in search.output and "rebuilt" in ranks.output
    assert "search" in unknown.stderr


def test_a_backup_looks_for_the_log_where_the_house_keeps_it() -> None:
    assert backup.LOG_FOLDER == house.LOG_FOLDER
