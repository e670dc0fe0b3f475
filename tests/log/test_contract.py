"""What every engine of the log promises; written against `Log` alone."""

import asyncio
from collections.abc import Iterator

import pytest

from lichen.kit import Refused
from lichen.log import Batch, Log, LogTrimmed, LogUnavailable, PayloadRefused
from lichen.log.limits import (
    APPEND_RECORDS_MAX,
    BLOCK_BYTES_MAX,
    PAYLOAD_BYTES_MAX,
    READ_BYTES_ENOUGH,
)
from tests.conftest import START_US, FakeClock
from tests.log.conftest import MakeLog

pytestmark = pytest.mark.anyio

DAY_US = 86_400_000_000


def lines(first: int, last: int) -> list[bytes]:
    return [b'{"number":%d}' % number for number in range(first, last + 1)]


def batches(log: Log, from_seq: int = 1, limit: int = 4_096) -> Iterator[Batch]:
    while from_seq <= log.last_seq:
        batch = log.read(from_seq, limit=limit)
        yield batch
        from_seq = batch.next_seq


def all_records(log: Log, from_seq: int = 1, limit: int = 4_096) -> dict[int, bytes]:
    return {entry.seq: entry.payload for batch in batches(log, from_seq, limit)
            for entry in batch.entries()}


async def test_an_empty_log_has_no_sequence_and_reads_as_nothing(log: Log) -> None:
    batch = log.read(1)

    assert (log.first_seq, log.last_seq) == (0, 0)
    assert (len(batch), batch.next_seq, batch.lines(), batch.payloads()) == (0, 1, b"", [])


async def test_sequences_start_at_one_and_are_dense(log: Log) -> None:
    first = await log.append(lines(1, 3))
    second = await log.append(lines(4, 4))

    assert first[:2] == (1, 3)
    assert second[:2] == (4, 4)
    assert (log.first_seq, log.last_seq) == (1, 4)
    assert all_records(log) == dict(enumerate(lines(1, 4), 1))


async def test_times_strictly_increase_even_when_the_clock_goes_back(
    log: Log, clock: FakeClock
) -> None:
    first = await log.append(lines(1, 3))
    clock.advance(hours=-1)
    second = await log.append(lines(4, 5))

    assert first[2:] == (START_US, START_US + 2)
    assert second[2:] == (START_US + 3, START_US + 4)
    assert log.read(1).times_us.tolist() == [START_US + n for n in range(5)]


async def test_a_batch_gives_its_records_as_lines_and_one_by_one(log: Log) -> None:
    await log.append(lines(1, 3))

    batch = log.read(2)

    assert batch.lines() == b'{"number":2}\n{"number":3}\n'
    assert batch.payloads() == lines(2, 3)
    assert [tuple(entry) for entry in batch.entries()] == [
        (2, START_US + 1, b'{"number":2}'), (3, START_US + 2, b'{"number":3}')]
    assert (batch.first_seq, batch.next_seq, len(batch)) == (2, 4, 2)


@pytest.mark.parametrize("limit", [1, 2, 3, 7, 100])
async def test_a_read_returns_at_most_what_it_was_asked_for(log: Log, limit: int) -> None:
    for first in range(1, 21, 5):
        await log.append(lines(first, first + 4))

    sizes = [len(batch) for batch in batches(log, limit=limit)]

    assert max(sizes) <= limit
    assert all_records(log, limit=limit) == dict(enumerate(lines(1, 20), 1))


async def test_a_batch_of_large_records_is_bounded_in_bytes(log: Log) -> None:
    large = b'"' + b"x" * (PAYLOAD_BYTES_MAX - 2) + b'"'
    for _ in range(4):
        await log.append([large] * 5)

    sizes = [len(batch.lines()) for batch in batches(log)]

    assert len(sizes) > 1
    assert max(sizes) <= READ_BYTES_ENOUGH + BLOCK_BYTES_MAX + PAYLOAD_BYTES_MAX + 5


async def test_appends_that_wait_together_keep_their_own_records_together(log: Log) -> None:
    places = await asyncio.gather(*(log.append(lines(n, n + 2)) for n in range(0, 300, 3)))

    records = all_records(log)
    for number, place in zip(range(0, 300, 3), places, strict=True):
        assert [records[seq] for seq in range(place.first_seq, place.last_seq + 1)] == lines(
            number, number + 2)
    assert sorted(records) == list(range(1, 301))


async def test_what_was_appended_is_there_after_opening_again(make_log: MakeLog) -> None:
    log = await make_log()
    await log.append(lines(1, 5))

    log = await make_log()
    appended = await log.append(lines(6, 6))

    assert appended.first_seq == 6
    assert appended.first_time_us == START_US + 5
    assert all_records(log) == dict(enumerate(lines(1, 6), 1))


@pytest.mark.parametrize("payloads", [
    [], [b""], [b"{}", b'{"a":\n1}'], [b"x" * (PAYLOAD_BYTES_MAX + 1)],
    [b"{}"] * (APPEND_RECORDS_MAX + 1), [b"x" * PAYLOAD_BYTES_MAX] * 9,
], ids=["nothing", "empty", "newline", "too large", "too many", "too much"])
async def test_payloads_that_do_not_fit_are_refused_and_leave_nothing(
    log: Log, payloads: list[bytes]
) -> None:
    with pytest.raises(PayloadRefused):
        await log.append(payloads)

    assert log.last_seq == 0


async def test_a_follower_gets_the_past_and_then_what_comes_with_no_seam(log: Log) -> None:
    await log.append(lines(1, 1_000))
    seen: list[int] = []

    async def follow() -> None:
        async for batch in log.follow(1, limit=64):
            seen.extend(batch.seqs.tolist())
            if seen[-1] == 1_300:
                return

    async with asyncio.timeout(10), asyncio.TaskGroup() as tasks:
        tasks.create_task(follow())
        for first in range(1_001, 1_301):
            await log.append(lines(first, first))

    assert seen == list(range(1, 1_301))


async def test_followers_end_when_the_log_is_closed(log: Log) -> None:
    await log.append(lines(1, 2))

    async def follow() -> list[int]:
        return [seq async for batch in log.follow(1) for seq in batch.seqs.tolist()]

    following = asyncio.create_task(follow())
    await asyncio.sleep(0)
    await log.close()

    assert await following == [1, 2]


async def test_a_closed_log_takes_nothing_but_can_be_read(log: Log) -> None:
    await log.append(lines(1, 2))

    await log.close()
    await log.close()

    with pytest.raises(LogUnavailable):
        await log.append(lines(3, 3))
    assert all_records(log) == dict(enumerate(lines(1, 2), 1))


async def test_a_record_is_found_by_its_time(log: Log, clock: FakeClock) -> None:
    for number in range(1, 11):
        await log.append(lines(number, number))
        clock.advance(minutes=1)

    minute_us = 60_000_000
    assert log.seq_at(0) == 1
    assert log.seq_at(START_US + 3 * minute_us) == 4
    assert log.seq_at(START_US + 3 * minute_us + 1) == 5
    assert log.seq_at(START_US + 10 * minute_us) == 11


async def test_records_are_found_in_a_long_log(log: Log, clock: FakeClock) -> None:
    """Long enough for look-ups to start in the middle of a file."""
    text = b"x" * 10_000
    times = []
    for _ in range(30):
        times.append((await log.append([b'"%s"' % text] * 2)).first_time_us)
        clock.advance(seconds=1)

    assert [log.seq_at(time_us) for time_us in times] == list(range(1, 61, 2))
    assert [log.read(seq, limit=1).first_seq for seq in range(1, 61)] == list(range(1, 61))


async def test_erased_records_are_holes_that_readers_pass(make_log: MakeLog) -> None:
    log = await make_log()
    await log.append(lines(1, 5))
    await log.append(lines(6, 10))

    await log.erase([2, 3, 10, 99])

    left = {seq: line for seq, line in enumerate(lines(1, 10), 1) if seq not in (2, 3, 10)}
    assert all_records(log) == left
    assert (log.read(2, limit=1).seqs.tolist(), log.read(10).next_seq) == ([4], 11)
    log = await make_log()
    assert all_records(log) == left
    assert (await log.append(lines(11, 11))).first_seq == 11


async def test_erasing_twice_changes_nothing(log: Log) -> None:
    await log.append(lines(1, 5))

    await log.erase([1, 5])
    await log.erase([1, 5])
    await log.erase([])

    assert sorted(all_records(log)) == [2, 3, 4]


async def test_times_increase_past_an_erased_last_record(
    make_log: MakeLog, clock: FakeClock
) -> None:
    log = await make_log()
    last = await log.append(lines(1, 5))
    await log.erase([4, 5])
    clock.advance(hours=-1)

    log = await make_log()
    appended = await log.append(lines(6, 6))

    assert appended.first_time_us == last.last_time_us + 1


async def test_readers_read_on_while_others_erase_and_append(log: Log) -> None:
    await log.append(lines(1, 1_000))

    async def erase() -> None:
        for seq in range(1, 200, 20):
            await log.erase([seq])
            await log.append(lines(0, 0))

    def read() -> None:
        for _ in range(30):
            found = all_records(log, limit=100)
            assert set(range(200, 1_001)) <= set(found)
            assert all(found[seq] == b'{"number":%d}' % seq for seq in found if seq <= 1_000)

    async with asyncio.timeout(30), asyncio.TaskGroup() as tasks:
        tasks.create_task(erase())
        tasks.create_task(asyncio.to_thread(read))
        tasks.create_task(asyncio.to_thread(read))

    assert len(all_records(log)) == 1_000


async def test_a_jump_is_a_hole_that_readers_pass(make_log: MakeLog) -> None:
    log = await make_log()
    await log.append(lines(1, 2))

    await log.skip_to(1_000_000)

    assert log.last_seq == 999_999
    assert log.read(3).next_seq == 1_000_000
    log = await make_log()
    assert (await log.append(lines(3, 3))).first_seq == 1_000_000
    assert sorted(all_records(log)) == [1, 2, 1_000_000]


async def test_a_jump_back_is_refused(log: Log) -> None:
    await log.append(lines(1, 2))

    with pytest.raises(Refused):
        await log.skip_to(2)


async def test_followers_pass_a_jump_without_a_record(log: Log) -> None:
    await log.append(lines(1, 2))
    following = log.follow(3)
    waiting = asyncio.ensure_future(anext(following))
    await asyncio.sleep(0)

    await log.skip_to(100)

    assert (await waiting).next_seq == 100


async def test_retention_forgets_what_is_old_and_was_read_by_all(
    make_log: MakeLog, clock: FakeClock
) -> None:
    log = await make_log()
    for first in range(1, 31, 10):
        await log.append(lines(first, first + 9))
        clock.advance(days=2)

    first_seq = await log.retain(floor_seq=25, age_us_max=3 * DAY_US, bytes_max=1 << 40)

    assert first_seq == log.first_seq == 21
    assert sorted(all_records(log, 21)) == list(range(21, 31))
    with pytest.raises(LogTrimmed) as trimmed:
        log.read(20)
    assert trimmed.value.floor_seq == 21
    assert (await make_log()).first_seq == 21


async def test_retention_by_bytes_forgets_the_oldest_first(log: Log, clock: FakeClock) -> None:
    for _ in range(3):
        await log.append([b'"%s"' % (b"x" * 1_000)] * 10)
        clock.advance(days=2)

    assert await log.retain(floor_seq=30, age_us_max=99 * DAY_US, bytes_max=25_000) == 11
    assert await log.retain(floor_seq=30, age_us_max=99 * DAY_US, bytes_max=1) == 21


async def test_retention_never_passes_the_slowest_reader(log: Log, clock: FakeClock) -> None:
    for first in range(1, 31, 10):
        await log.append(lines(first, first + 9))
        clock.advance(days=2)

    assert await log.retain(floor_seq=9, age_us_max=0, bytes_max=0) == 1
    assert sorted(all_records(log)) == list(range(1, 31))


async def test_a_quiet_log_is_forgotten_whole_and_goes_on(
    make_log: MakeLog, clock: FakeClock
) -> None:
    log = await make_log()
    last = await log.append(lines(1, 10))
    clock.advance(days=40)

    assert await log.retain(floor_seq=10, age_us_max=30 * DAY_US, bytes_max=1 << 40) == 0
    clock.advance(days=-41)
    log = await make_log()

    assert (log.first_seq, log.last_seq) == (0, 10)
    appended = await log.append(lines(11, 11))
    assert (appended.first_seq, appended.first_time_us) == (11, last.last_time_us + 1)
