"""Logs to test: `make_log` opens one, on each engine."""

import uuid
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import pytest

from lichen.log import JetStreamLog, JetStreamOptions, Log, SegmentLog
from tests.conftest import FakeClock
from tests.log.faults import FaultyDisk
from tests.nats import NatsServer

MakeLog = Callable[[], Awaitable[Log]]


@pytest.fixture(params=["segments", "nats"])
async def make_log(
    tmp_path: Path, clock: FakeClock, request: pytest.FixtureRequest
) -> AsyncIterator[MakeLog]:
    """Yield a function that opens the test's log, closing it first when it is open."""
    opened: list[Log] = []
    is_segments = request.param == "segments"
    options = None if is_segments else request.getfixturevalue("nats_options")

    def open_it() -> Log:
        if options is None:
            return SegmentLog.open(tmp_path / "log", clock=clock)
        return JetStreamLog.open(options, clock=clock)

    async def make() -> Log:
        for log in opened:
            await log.close()
        opened[:] = [open_it()]
        return opened[0]

    yield make
    for log in opened:
        await log.close()


@pytest.fixture
async def log(make_log: MakeLog) -> Log:
    return await make_log()


@pytest.fixture
def nats_options(nats_server: NatsServer) -> JetStreamOptions:
    """Return a stream of the test's own on the session's server."""
    name = f"log{uuid.uuid4().hex[:12]}"
    return JetStreamOptions(nats_server.url, stream=name, monitor_url=nats_server.monitor_url)


@pytest.fixture
def disk(tmp_path: Path) -> FaultyDisk:
    (tmp_path / "attic").mkdir()
    return FaultyDisk(tmp_path / "attic")
