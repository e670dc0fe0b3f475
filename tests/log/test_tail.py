"""The tail of a log is read to its end, however many reads that takes."""

from pathlib import Path

import pytest

from lichen.log import Options, SegmentLog, tail_of
from lichen.log.limits import READ_BYTES_ENOUGH
from tests.conftest import FakeClock
from tests.log.test_contract import lines

pytestmark = pytest.mark.anyio


async def test_a_tail_longer_than_one_read_is_whole(tmp_path: Path, clock: FakeClock) -> None:
    """A read ends early; the relay took what it returned for the last batch, and doubled events."""
    log = SegmentLog.open(tmp_path / "log", clock=clock, options=Options(segment_bytes_max=1 << 20))
    payloads = [b'{"number":%d,"filler":"%s"}' % (number, b"x" * 500) for number in range(4_000)]
    await log.append(payloads)
    await log.append(lines(1, 96))

    tail = tail_of(log, 4_096)

    assert len(b"".join(payloads)) > 4 * READ_BYTES_ENOUGH
    assert tail.splitlines() == [*payloads, *lines(1, 96)]
    await log.close()


async def test_a_tail_begins_so_many_records_before_the_end(
    tmp_path: Path, clock: FakeClock
) -> None:
    log = SegmentLog.open(tmp_path / "log", clock=clock)
    nothing = tail_of(log, 10)
    await log.append(lines(1, 30))

    assert nothing == b""
    assert tail_of(log, 10).splitlines() == lines(21, 30)
    assert tail_of(log, 100).splitlines() == lines(1, 30)
    await log.close()


async def test_a_tail_passes_over_what_is_damaged(tmp_path: Path, clock: FakeClock) -> None:
    log = SegmentLog.open(tmp_path / "log", clock=clock, options=Options(segment_bytes_max=1))
    for number in range(1, 4):
        await log.append(lines(number, number))
    await log.close()
    second = sorted((tmp_path / "log").glob("*.log"))[1]
    second.write_bytes(second.read_bytes()[:-4] + b"moss")
    log = SegmentLog.open(tmp_path / "log", clock=clock, options=Options(segment_bytes_max=1))

    assert tail_of(log, 10).splitlines() == [*lines(1, 1), *lines(3, 3)]
    await log.close()
