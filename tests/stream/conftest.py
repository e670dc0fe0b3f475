"""A folder, a disk that fails when told, and how a store is opened on them."""

from pathlib import Path

import pytest

from lichen.stream import Options, Store
from tests.conftest import FakeClock
from tests.stream.histories import TwoDictionaries
from tests.stream.stories import Reopen, StuckDisk


@pytest.fixture
def disk(tmp_path: Path) -> StuckDisk:
    (tmp_path / "attic").mkdir()
    return StuckDisk(tmp_path / "attic")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "stream"


@pytest.fixture
def reopen(folder: Path, clock: FakeClock, disk: StuckDisk) -> Reopen:
    return lambda: Store.open(folder, clock=clock, dictionaries=TwoDictionaries(),
                              options=Options(segment_bytes_max=1 << 20), file_system=disk)
