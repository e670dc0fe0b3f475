"""A full or failing disk: appends fail cleanly, reads go on, later appends succeed."""

import asyncio
from pathlib import Path

import pytest

from lichen.log import LogUnavailable, Options, SegmentLog
from lichen.log.limits import PENDING_BYTES_MAX
from tests.conftest import FakeClock
from tests.log.faults import FaultyDisk
from tests.log.test_contract import all_records, lines

pytestmark = pytest.mark.anyio


def open_log(tmp_path: Path, clock: FakeClock, disk: FaultyDisk, **options: int) -> SegmentLog:
    return SegmentLog.open(tmp_path / "log", clock=clock, file_system=disk,
                           options=Options(**options))


async def test_appends_that_wait_for_a_sync_share_the_next_one(
    tmp_path: Path, clock: FakeClock, disk: FaultyDisk
) -> None:
    log = open_log(tmp_path, clock, disk)
    before = disk.syncs

    disk.may_sync.clear()
    appends = [asyncio.create_task(log.append(lines(n, n))) for n in range(1_000)]
    await asyncio.sleep(0)
    disk.may_sync.set()
    await asyncio.gather(*appends)

    # One for those that came before the first sync began, one for all the others.
    assert disk.syncs - before <= 2
    assert log.last_seq == 1_000
    await log.close()


async def test_one_append_costs_one_sync(
    tmp_path: Path, clock: FakeClock, disk: FaultyDisk
) -> None:
    log = open_log(tmp_path, clock, disk)
    before = disk.syncs

    for number in range(5):
        await log.append(lines(number, number))

    assert disk.syncs - before == 5
    await log.close()


@pytest.mark.parametrize("room", [0, 1, 60, 100, 5_000])
async def test_a_full_disk_fails_the_append_and_nothing_else(
    tmp_path: Path, clock: FakeClock, disk: FaultyDisk, room: int
) -> None:
    log = open_log(tmp_path, clock, disk)
    await log.append(lines(1, 3))

    disk.room = room
    for _ in range(3):
        with pytest.raises(LogUnavailable):
            await log.append(lines(4, 500))
    seen_meanwhile = all_records(log)
    disk.room = None
    appended = await log.append(lines(4, 6))

    assert seen_meanwhile == dict(enumerate(lines(1, 3), 1))
    assert appended.first_seq == 4
    assert all_records(log) == dict(enumerate(lines(1, 6), 1))
    await log.close()
    assert all_records(open_log(tmp_path, clock, disk)) == dict(enumerate(lines(1, 6), 1))


async def test_a_disk_that_writes_in_small_pieces_is_written_to_the_end(
    tmp_path: Path, clock: FakeClock, disk: FaultyDisk
) -> None:
    log = open_log(tmp_path, clock, disk)
    disk.chunk_bytes = 7

    await log.append(lines(1, 50))

    assert all_records(log) == dict(enumerate(lines(1, 50), 1))
    await log.close()


@pytest.mark.parametrize("failing_truncates", [0, 1])
async def test_a_failed_sync_gives_the_segment_up_and_loses_nothing(
    tmp_path: Path, clock: FakeClock, disk: FaultyDisk, failing_truncates: int
) -> None:
    """Also when what was written cannot be cut off: the next segment says where this one ends."""
    log = open_log(tmp_path, clock, disk)
    await log.append(lines(1, 3))

    disk.failing_syncs, disk.failing_truncates = 1, failing_truncates
    with pytest.raises(LogUnavailable):
        await log.append([b'"never acknowledged"'])
    await log.append(lines(4, 5))

    assert len(list((tmp_path / "log").glob("*.log"))) == 2
    assert all_records(log) == dict(enumerate(lines(1, 5), 1))
    await log.close()
    log = open_log(tmp_path, clock, disk)
    assert all_records(log) == dict(enumerate(lines(1, 5), 1))
    assert await log.verify() == ()
    await log.close()


async def test_a_failed_roll_is_tried_again(
    tmp_path: Path, clock: FakeClock, disk: FaultyDisk
) -> None:
    log = open_log(tmp_path, clock, disk, segment_bytes_max=100)
    await log.append(lines(1, 3))

    disk.failing_syncs = 1
    with pytest.raises(LogUnavailable):
        await log.append(lines(4, 4))
    await log.append(lines(4, 5))
    await log.close()

    assert all_records(open_log(tmp_path, clock, disk)) == dict(enumerate(lines(1, 5), 1))


async def test_a_failed_jump_does_not_cut_off_what_follows(
    tmp_path: Path, clock: FakeClock, disk: FaultyDisk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A segment that was begun but not synced into its folder must not outlive the failure."""
    log = open_log(tmp_path, clock, disk)
    await log.append(lines(1, 3))

    def fail(folder: Path) -> None:
        raise OSError(5, "Input/output error")

    with monkeypatch.context() as patched:
        patched.setattr(disk, "sync_folder", fail)
        with pytest.raises(LogUnavailable):
            await log.skip_to(1_000)
    await log.append(lines(4, 5))
    await log.close()

    assert all_records(open_log(tmp_path, clock, disk)) == dict(enumerate(lines(1, 5), 1))


async def test_a_write_that_fails_after_a_jump_does_not_turn_the_jump_into_damage(
    tmp_path: Path, clock: FakeClock, disk: FaultyDisk
) -> None:
    """The segment that was begun for the jump is replaced; it forgot that it began with a jump."""
    log = open_log(tmp_path, clock, disk)
    await log.append(lines(1, 3))
    await log.skip_to(100)

    disk.failing_syncs = 1
    with pytest.raises(LogUnavailable):
        await log.append(lines(4, 4))
    await log.append(lines(4, 4))

    await log.close()
    log = open_log(tmp_path, clock, disk)
    assert sorted(all_records(log)) == [1, 2, 3, 100]
    assert await log.verify() == ()
    await log.close()


async def test_a_failed_erasure_changes_nothing_and_can_be_repeated(
    tmp_path: Path, clock: FakeClock, disk: FaultyDisk
) -> None:
    log = open_log(tmp_path, clock, disk)
    await log.append(lines(1, 5))

    disk.room = 10
    with pytest.raises(LogUnavailable):
        await log.erase([2])
    left_meanwhile = sorted(all_records(log))
    disk.room = None
    await log.erase([2])

    assert left_meanwhile == [1, 2, 3, 4, 5]
    assert sorted(all_records(log)) == [1, 3, 4, 5]
    await log.close()


async def test_a_disk_that_cannot_be_read_is_unavailable_not_damaged(
    tmp_path: Path, clock: FakeClock, disk: FaultyDisk
) -> None:
    log = open_log(tmp_path, clock, disk)
    await log.append(lines(1, 5))

    disk.failing_reads = 1
    with pytest.raises(LogUnavailable):
        log.read(1)

    assert sorted(all_records(log)) == [1, 2, 3, 4, 5]
    await log.close()


async def test_a_log_with_a_torn_tail_opens_on_a_full_disk(
    tmp_path: Path, clock: FakeClock, disk: FaultyDisk
) -> None:
    """Killed while the disk was full: the next start must not need room to get going."""
    log = open_log(tmp_path, clock, disk)
    await log.append(lines(1, 5))
    await log.append(lines(6, 9))
    await log.close()
    path = next((tmp_path / "log").glob("*.log"))
    with path.open("r+b") as file:
        file.truncate(path.stat().st_size - 1)

    disk.room = 0
    log = open_log(tmp_path, clock, disk)

    assert sorted(all_records(log)) == [1, 2, 3, 4, 5]
    await log.close()


@pytest.mark.slow
async def test_appends_beyond_what_may_wait_are_refused_at_once(
    tmp_path: Path, clock: FakeClock, disk: FaultyDisk
) -> None:
    log = open_log(tmp_path, clock, disk)
    megabyte = [b"x" * 1_000_000]

    answers = await asyncio.gather(
        *(log.append(megabyte) for _ in range(PENDING_BYTES_MAX // 1_000_000 + 20)),
        return_exceptions=True)

    refused = [answer for answer in answers if isinstance(answer, LogUnavailable)]
    assert refused
    assert log.last_seq == len(answers) - len(refused)
    await log.close()
