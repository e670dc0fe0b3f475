"""The bytes of format version 1, for ever."""

import struct
from pathlib import Path

import pytest
from xxhash import xxh3_64_intdigest

from lichen.log import LogTooNew, LogUnavailable, SegmentLog
from tests.conftest import FakeClock
from tests.log.test_contract import all_records, lines

pytestmark = pytest.mark.anyio

GOLDEN = Path(__file__).parent / "golden" / "version_1.log"
NAME = f"{1:020d}.log"


async def test_version_1_is_written_byte_by_byte_as_ever(tmp_path: Path, clock: FakeClock) -> None:
    log = SegmentLog.open(tmp_path, clock=clock)
    await log.append(lines(1, 3))
    clock.advance(seconds=1)
    await log.append(['{"name":"żółw 🐢"}'.encode()])
    await log.erase([2])
    await log.close()

    assert (tmp_path / NAME).read_bytes() == GOLDEN.read_bytes()


async def test_version_1_is_read_as_ever(tmp_path: Path, clock: FakeClock) -> None:
    (tmp_path / NAME).write_bytes(GOLDEN.read_bytes())

    log = SegmentLog.open(tmp_path, clock=clock)

    assert all_records(log) == {
        1: b'{"number":1}', 3: b'{"number":3}', 4: '{"name":"żółw 🐢"}'.encode()}
    assert log.read(1).times_us.tolist() == [
        1_700_000_000_000_000, 1_700_000_000_000_002, 1_700_000_001_000_000]
    await log.close()


async def test_a_folder_of_a_newer_format_is_left_alone(tmp_path: Path, clock: FakeClock) -> None:
    head = bytearray(GOLDEN.read_bytes())
    head[16:20] = struct.pack("<HH", 2, 2)
    head[8:16] = xxh3_64_intdigest(bytes(head[16:64])).to_bytes(8, "little")
    (tmp_path / NAME).write_bytes(head)

    with pytest.raises(LogTooNew):
        SegmentLog.open(tmp_path, clock=clock)

    assert (tmp_path / NAME).read_bytes() == head


async def test_a_reader_reads_beside_the_writer(tmp_path: Path, clock: FakeClock) -> None:
    log = SegmentLog.open(tmp_path, clock=clock)
    await log.append(lines(1, 5))

    beside = SegmentLog.open_reader(tmp_path)
    await log.append(lines(6, 9))

    assert beside.last_seq == 5
    assert beside.read(1).payloads() == lines(1, 5)
    assert SegmentLog.open_reader(tmp_path).last_seq == 9
    await log.close()


def test_a_folder_without_a_log_cannot_be_read(tmp_path: Path) -> None:
    with pytest.raises(LogUnavailable):
        SegmentLog.open_reader(tmp_path)
