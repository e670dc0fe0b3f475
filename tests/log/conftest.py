"""Logs to test: `make_log` opens one; a second engine only needs another branch here."""

from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import pytest

from lichen.log import Log, SegmentLog
from tests.conftest import FakeClock
from tests.log.faults import FaultyDisk

MakeLog = Callable[[], Awaitable[Log]]


@pytest.fixture(params=["segments"])
async def make_log(tmp_path: Path, clock: FakeClock) -> AsyncIterator[MakeLog]:
    """Yield a function that opens the test's log, closing it first when it is open."""
    opened: list[Log] = []

    async def make() -> Log:
        for log in opened:
            await log.close()
        opened[:] = [SegmentLog.open(tmp_path / "log", clock=clock)]
        return opened[0]

    yield make
    for log in opened:
        await log.close()


@pytest.fixture
async def log(make_log: MakeLog) -> Log:
    return await make_log()


@pytest.fixture
def disk(tmp_path: Path) -> FaultyDisk:
    (tmp_path / "attic").mkdir()
    return FaultyDisk(tmp_path / "attic")
