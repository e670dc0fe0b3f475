"""A checkpoint is whole or told; what came after it is applied again; a kill loses nothing."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from lichen.log import FileSystem
from lichen.timeline import (
    Options,
    Post,
    Timelines,
    TimelineTooNew,
    TimelineUnavailable,
    Weights,
)
from lichen.timeline.checkpoint import NAME
from tests.timeline.conftest import PlainFollows, batch_of, still

OPTIONS = Options(slots=4, active_people_max=8, posts_kept=64)
FOLLOWS = PlainFollows({(0, 1), (0, 2), (3, 1)})
BATCHES = [batch_of(Post(number, number % 3), follows=((0, 1),) if number == 5 else ())
           for number in range(1, 21)]
CHILD = """
import sys
from pathlib import Path
from tests.timeline.test_checkpoints import BATCHES, opened

timelines = opened(Path(sys.argv[1]))
timelines.activate([0, 3])
for number, batch in enumerate(BATCHES, 1):
    timelines.apply(batch, number)
    if number % 5 == 0:
        timelines.checkpoint()
        print(number, flush=True)
"""


def opened(folder: Path, files: FileSystem | None = None) -> Timelines:
    return Timelines.open(folder, follows=FOLLOWS, weigh=Weights, clock=still, options=OPTIONS,
                          file_system=files)


def saved(folder: Path) -> Timelines:
    timelines = opened(folder)
    timelines.activate([0, 3])
    for number, batch in enumerate(BATCHES, 1):
        timelines.apply(batch, number)
    timelines.checkpoint()
    return timelines


@pytest.mark.slow
@pytest.mark.parametrize("point", ["timeline.before_swap", "timeline.after_swap",
                                   "timeline.before_swap:3", "timeline.after_swap:3"])
def test_a_kill_at_a_checkpoint_loses_and_doubles_nothing(tmp_path: Path, point: str) -> None:
    died = subprocess.run(
        [sys.executable, "-c", CHILD, str(tmp_path)], capture_output=True, text=True, check=False,
        env={**os.environ, "LICHEN_CRASH_AT": point, "PYTHONPATH": "."})
    told = died.stdout.split()

    timelines = opened(tmp_path)
    position = timelines.position
    timelines.activate([0, 3])
    for number, batch in enumerate(BATCHES, 1):
        timelines.apply(batch, number)
    timelines.drain()

    assert died.returncode == -signal.SIGKILL, died.stderr
    assert not timelines.damage
    assert position == len(told) * 5 + (5 if "after" in point else 0)
    assert timelines.page(0).posts == tuple(n for n in range(20, 0, -1) if n % 3)
    assert timelines.page(3).posts == tuple(n for n in range(20, 0, -1) if n % 3 == 1)


def test_a_checkpoint_opened_again_gives_the_same_pages(tmp_path: Path) -> None:
    before = saved(tmp_path)

    after = opened(tmp_path)

    assert after.position == 20
    assert after.active == 2
    for person in range(4):
        assert after.page(person) == before.page(person)
        assert after.explain(person) == before.explain(person)


@pytest.mark.parametrize("where", [0, 9, 20, 36, 45, 400, -1])
def test_one_wrong_bit_is_told_and_built_anew(tmp_path: Path, where: int) -> None:
    before = saved(tmp_path)
    content = bytearray((tmp_path / NAME).read_bytes())
    content[where] ^= 0x10
    (tmp_path / NAME).write_bytes(content)

    after = opened(tmp_path)

    assert "checkpoint" in after.damage
    assert after.position == 0
    after.rebuild(zip(BATCHES, range(1, 21), strict=True))
    assert after.page(0) == before.page(0)
    after.checkpoint()
    assert not opened(tmp_path).damage
    assert opened(tmp_path).position == 20


@pytest.mark.parametrize("size", [0, 7, 39, 60, 500])
def test_a_checkpoint_cut_short_is_told(tmp_path: Path, size: int) -> None:
    saved(tmp_path)
    content = (tmp_path / NAME).read_bytes()
    (tmp_path / NAME).write_bytes(content[:size])

    assert opened(tmp_path).damage
    assert opened(tmp_path).position == 0


def test_a_checkpoint_of_other_sizes_is_told_and_not_used(tmp_path: Path) -> None:
    saved(tmp_path)

    other = Timelines.open(tmp_path, follows=FOLLOWS, weigh=Weights, clock=still,
                           options=Options(slots=8, active_people_max=8, posts_kept=64))

    assert "4 slots" in other.damage
    assert other.position == 0


def test_a_checkpoint_of_a_newer_lichen_is_left_alone(tmp_path: Path,
                                                      monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("lichen.timeline.checkpoint.READER", 2)
    saved(tmp_path)
    monkeypatch.undo()

    with pytest.raises(TimelineTooNew, match="newer Lichen"):
        opened(tmp_path)


@pytest.mark.parametrize("call", ["write_at", "sync", "rename"])
def test_a_failing_disk_leaves_the_old_checkpoint(tmp_path: Path, call: str) -> None:
    saved(tmp_path)
    content = (tmp_path / NAME).read_bytes()

    class Failing(FileSystem):
        pass

    def fail(*_: object) -> None:
        raise OSError(28, "No space left on device")

    setattr(Failing, call, fail)
    timelines = opened(tmp_path, Failing())
    timelines.apply(batch_of(Post(21, 1)), 21)

    with pytest.raises(TimelineUnavailable, match="No space left"):
        timelines.checkpoint()

    assert (tmp_path / NAME).read_bytes() == content
    assert timelines.page(0).posts[0] == 21
