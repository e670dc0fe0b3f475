"""A file that is swapped or removed while somebody is about to read it."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from lichen.log import FileSystem, LogTrimmed, Options
from lichen.log.writing import SegmentsWriter
from tests.conftest import FakeClock

LINE = b'"%s"' % (b"x" * 9_000)


class InterruptedDisk(FileSystem):
    """Lets something happen right before a file is opened to be read."""

    interruption: Callable[[], object] | None = None

    def open_to_read(self, path: Path) -> int:
        act, self.interruption = self.interruption, None
        if act is not None:
            act()
        return super().open_to_read(path)


@pytest.fixture
def disk() -> InterruptedDisk:
    return InterruptedDisk()


@pytest.fixture
def log(tmp_path: Path, clock: FakeClock, disk: InterruptedDisk) -> SegmentsWriter:
    log = SegmentsWriter(disk, tmp_path / "log", clock=clock,
                         options=Options(segment_bytes_max=100_000))
    for _ in range(20):
        log.commit([LINE, LINE])
    return log


def test_a_read_that_an_erasure_overtakes_reads_the_new_file(
    log: SegmentsWriter, disk: InterruptedDisk
) -> None:
    """Where the record stood before, there is the middle of another one now."""
    seqs = np.array([1, 2, 3])

    disk.interruption = lambda: log.erase_in(log.segments[0], seqs)
    batch = log.read(8, limit=1)

    assert batch.seqs.tolist() == [8]
    assert batch.payloads() == [LINE]


def test_a_search_by_time_that_an_erasure_overtakes_finds_its_record(
    log: SegmentsWriter, disk: InterruptedDisk
) -> None:
    time_us = int(log.read(8, limit=1).times_us[0])

    disk.interruption = lambda: log.erase_in(log.segments[0], np.array([1, 2, 3]))

    assert log.seq_at(time_us) == 8


def test_a_read_that_retention_overtakes_is_told_the_floor(
    log: SegmentsWriter, disk: InterruptedDisk
) -> None:
    disk.interruption = lambda: log.trim(floor_seq=40, age_us_max=1 << 60, bytes_max=0)

    with pytest.raises(LogTrimmed) as told:
        log.read(1, limit=1)

    assert told.value.floor_seq == log.first_seq > 1
