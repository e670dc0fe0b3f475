"""Torn tails are cut, damage is quarantined, nothing is skipped in silence."""

import asyncio
from collections.abc import Callable
from pathlib import Path

import pytest

from lichen.log import LogDamaged, Options, SegmentLog
from tests.conftest import FakeClock
from tests.log.test_contract import all_records, lines

pytestmark = pytest.mark.anyio

HEAD, BLOCK, ROW = 64, 56, 32
OpenLog = Callable[[], SegmentLog]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "log"


@pytest.fixture
def open_log(folder: Path, clock: FakeClock) -> OpenLog:
    return lambda: SegmentLog.open(folder, clock=clock, options=Options(segment_bytes_max=800))


async def written(open_log: OpenLog, *batches: tuple[int, int]) -> None:
    log = open_log()
    for first, last in batches:
        await log.append(lines(first, last))
    await log.close()


def segment(folder: Path, number: int = 0) -> Path:
    return sorted(folder.glob("*.log"))[number]


def flip(path: Path, offset: int) -> None:
    content = bytearray(path.read_bytes())
    content[offset] ^= 0x55
    path.write_bytes(content)


def aside(folder: Path) -> list[str]:
    return sorted(path.name.partition("@")[0].replace("0" * 19, "")
                  for path in folder.glob("aside/*"))


def block_bytes(first: int, last: int) -> int:
    return BLOCK + sum(ROW + len(line) + 1 for line in lines(first, last))


@pytest.mark.parametrize("lost_bytes", range(1, block_bytes(4, 6) + 1, 7))
async def test_a_torn_tail_is_cut_after_its_last_whole_record(
    folder: Path, open_log: OpenLog, lost_bytes: int
) -> None:
    await written(open_log, (1, 3), (4, 6))
    path = segment(folder)
    size = path.stat().st_size
    with path.open("r+b") as file:
        file.truncate(size - lost_bytes)

    log = open_log()

    line_bytes = len(lines(4, 4)[0]) + 1
    last = max(3, 6 - -(-lost_bytes // line_bytes))
    assert all_records(log) == dict(enumerate(lines(1, last), 1))
    if lost_bytes < block_bytes(4, 6):
        assert log.report.tail is not None
        assert log.report.tail.last_seq == last
    assert aside(folder) == []
    assert (await log.append(lines(last + 1, 9))).first_seq == last + 1
    await log.close()
    assert all_records(open_log()) == dict(enumerate(lines(1, 9), 1))


async def test_a_tail_of_zeros_is_cut(folder: Path, open_log: OpenLog) -> None:
    """After a power cut a file may be longer than what was written into it."""
    await written(open_log, (1, 3))
    with segment(folder).open("ab") as file:
        file.write(bytes(700))

    log = open_log()

    assert log.report.tail is not None and log.report.tail.is_short
    assert sorted(all_records(log)) == [1, 2, 3]
    await log.close()


async def test_a_torn_tail_after_damage_is_cut_and_not_kept(
    folder: Path, open_log: OpenLog
) -> None:
    """Only what had been durable is kept aside; a torn write is written again by whoever failed."""
    await written(open_log, (1, 3), (4, 6), (7, 8))
    path = segment(folder)
    flip(path, HEAD + block_bytes(1, 3))
    path.write_bytes(path.read_bytes()[:-5])

    log = open_log()

    assert aside(folder) == ["4-6"]
    assert sorted(all_records(log, 7)) == [7]
    await log.close()


async def test_the_last_block_rotten_is_cut_but_kept_aside(
    folder: Path, open_log: OpenLog
) -> None:
    """It has its full length, so it may have been acknowledged: its bytes are not thrown away."""
    await written(open_log, (1, 3), (4, 6))
    flip(segment(folder), segment(folder).stat().st_size - 20)

    log = open_log()

    assert sorted(all_records(log)) == [1, 2, 3, 4]
    assert len(aside(folder)) == 1
    await log.erase([5])
    assert aside(folder) == []
    await log.close()


async def test_one_bad_record_in_the_middle_is_the_only_one_lost(
    folder: Path, open_log: OpenLog
) -> None:
    await written(open_log, (1, 3), (4, 6), (7, 8))
    flip(segment(folder), HEAD + block_bytes(1, 3) + BLOCK + 3 * ROW + len(lines(4, 4)[0]) + 3)

    log = open_log()

    assert [damage[:2] for damage in log.report.damages] == [(5, 5)]
    assert aside(folder) == ["5-5"]
    assert log.read(1).seqs.tolist() == [1, 2, 3, 4]
    with pytest.raises(LogDamaged) as damaged:
        log.read(5)
    assert (damaged.value.first_seq, damaged.value.last_seq) == (5, 5)
    assert sorted(all_records(log, 6)) == [6, 7, 8]
    await log.close()
    assert open_log().report.damages == ()


async def test_a_lost_newline_is_damage_though_both_its_lines_are_whole(
    folder: Path, open_log: OpenLog
) -> None:
    """Decoders would take the two lines for one."""
    await written(open_log, *((n, n + 4) for n in range(1, 41, 5)))
    flip(segment(folder), HEAD + BLOCK + 5 * ROW + 3 * (len(lines(1, 1)[0]) + 1) - 1)
    log = open_log()

    before = log.read(1)
    with pytest.raises(LogDamaged) as met:
        log.read(3)
    after = log.read(4, limit=2)

    assert (before.payloads(), before.next_seq) == (lines(1, 2), 3)
    assert (met.value.first_seq, met.value.last_seq) == (3, 3)
    assert after.payloads() == lines(4, 5)
    await log.close()


async def test_a_block_that_went_missing_is_damage(folder: Path, open_log: OpenLog) -> None:
    """Each block left is sound; only their sequences show that one is not there."""
    await written(open_log, *((n, n + 1) for n in range(1, 41, 2)))
    path = segment(folder)
    content = path.read_bytes()
    start = HEAD + block_bytes(1, 2)
    path.write_bytes(content[:start] + content[start + block_bytes(3, 4) :])
    log = open_log()

    met_at = log.read(1).next_seq
    damages = await log.verify()

    assert met_at == 3
    assert [damage[:2] for damage in damages] == [(3, 4)]
    assert sorted(all_records(log, 5)) == list(range(5, 41))
    await log.close()


@pytest.mark.parametrize("offset", [0, 8, 17, 30, 40, 50, BLOCK + 3])
async def test_a_bad_header_loses_its_block_and_no_other(
    folder: Path, open_log: OpenLog, offset: int
) -> None:
    await written(open_log, (1, 3), (4, 6), (7, 8))
    flip(segment(folder), HEAD + block_bytes(1, 3) + offset)

    log = open_log()

    assert [damage[:2] for damage in log.report.damages] == [(4, 6)]
    assert sorted(all_records(log, 7)) == [7, 8]
    with pytest.raises(LogDamaged):
        log.read(5)
    await log.close()


async def test_damage_in_a_closed_segment_is_met_by_the_read_and_quarantined(
    folder: Path, open_log: OpenLog
) -> None:
    await written(open_log, *((n, n + 4) for n in range(1, 41, 5)))
    flip(segment(folder), HEAD + BLOCK + 5 * ROW + 3)
    log = open_log()
    assert log.report.damages == ()

    with pytest.raises(LogDamaged) as met:
        log.read(1)
    await log.append(lines(41, 41))  # The mending waits in the same queue, before this.

    assert (met.value.first_seq, met.value.quarantined) == (1, False)
    assert aside(folder) == ["1-1"]
    with pytest.raises(LogDamaged) as met:
        log.read(1)
    assert (met.value.last_seq, met.value.quarantined) == (1, True)
    assert sorted(all_records(log, 2)) == list(range(2, 42))
    await log.close()


async def test_retention_removes_the_copies_of_what_it_passed(
    folder: Path, open_log: OpenLog
) -> None:
    await written(open_log, *((n, n + 4) for n in range(1, 41, 5)))
    flip(segment(folder), HEAD + 9)
    log = open_log()
    await log.verify()
    kept = aside(folder)

    await log.retain(floor_seq=40, age_us_max=1 << 60, bytes_max=0)

    assert (kept, aside(folder)) == (["1-5"], [])
    await log.close()


async def test_erasing_what_is_damaged_lets_readers_pass(folder: Path, open_log: OpenLog) -> None:
    await written(open_log, *((n, n + 4) for n in range(1, 41, 5)))
    flip(segment(folder), HEAD + 9)
    log = open_log()
    damages = await log.verify()

    await log.erase([1, 2])
    still_damaged = log.first_seq
    with pytest.raises(LogDamaged):
        log.read(1)
    await log.erase(range(1, 6))

    assert [damage[:2] for damage in damages] == [(1, 5)]
    assert still_damaged == 1
    assert sorted(all_records(log)) == list(range(6, 41))
    assert aside(folder) == []
    assert await log.verify() == ()
    await log.close()


async def test_a_lost_segment_is_damage_not_a_hole(folder: Path, open_log: OpenLog) -> None:
    await written(open_log, *((n, n + 9) for n in range(1, 61, 10)))
    second = int(segment(folder, 1).stem)
    third = int(segment(folder, 2).stem)
    segment(folder, 1).unlink()

    log = open_log()
    damages = await log.verify()

    assert [damage[:2] for damage in damages] == [(second, third - 1)]
    assert log.read(1).next_seq == second
    with pytest.raises(LogDamaged):
        log.read(second)
    assert sorted(all_records(log, third)) == list(range(third, 61))
    await log.close()


async def test_a_closed_segment_cut_short_is_damage(folder: Path, open_log: OpenLog) -> None:
    await written(open_log, *((n, n + 4) for n in range(1, 41, 5)))
    path = segment(folder)
    last = int(segment(folder, 1).stem) - 1
    with path.open("r+b") as file:
        file.truncate(path.stat().st_size - 3)

    log = open_log()
    damages = await log.verify()

    assert [damage[:2] for damage in damages] == [(last, last)]
    assert sorted(all_records(log, last + 1)) == list(range(last + 1, 41))
    await log.close()


async def test_a_bad_segment_header_is_reported_and_costs_no_record(
    folder: Path, open_log: OpenLog
) -> None:
    await written(open_log, *((n, n + 4) for n in range(1, 61, 5)))
    names = [segment(folder, 1).name, segment(folder, 2).name]
    flip(segment(folder, 1), 33)
    flip(segment(folder, 2), 33)

    log = open_log()

    assert log.report.heads_damaged == tuple(names)
    assert sorted(all_records(log)) == list(range(1, 61))
    times = [entry.time_us for seq in range(1, 61) for entry in log.read(seq, limit=1).entries()]
    assert [log.seq_at(time_us) for time_us in times] == list(range(1, 61))
    await log.close()


async def test_damage_does_not_stop_other_parts_from_being_erased(
    folder: Path, open_log: OpenLog
) -> None:
    await written(open_log, *((n, n + 4) for n in range(1, 41, 5)))
    flip(segment(folder), HEAD + 9)
    log = open_log()

    await log.erase([6, 7])

    assert sorted(all_records(log, 6)) == list(range(8, 41))
    await log.close()


async def test_a_follower_meets_damage_and_is_told(folder: Path, open_log: OpenLog) -> None:
    await written(open_log, (1, 3), (4, 6), (7, 8))
    flip(segment(folder), HEAD + block_bytes(1, 3))
    log = open_log()
    seen: list[int] = []

    with pytest.raises(LogDamaged):
        async with asyncio.timeout(10):
            async for batch in log.follow(1):
                seen += batch.seqs.tolist()

    assert seen == [1, 2, 3]
    await log.close()
