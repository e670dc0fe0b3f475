"""A standby takes the place of its server; and servers of two histories do not follow each other."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from lichen.kit import Conflict, Unavailable
from lichen.log import FileSystem
from lichen.stream import EVERYTHING, Form, pull
from lichen.stream.standby.follower import Doing
from lichen.stream.standby.history import HistoryDiffers
from lichen.stream.standby.promotion import Promotion
from tests.conftest import FakeClock
from tests.stream.archive_events import mixed
from tests.stream.two_servers import House, assert_same, caught_up, quickly, servers

pytestmark = pytest.mark.anyio


@pytest.fixture
async def house(tmp_path: Path, clock: FakeClock) -> AsyncIterator[House]:
    async with servers(tmp_path, clock) as house:
        yield house


@pytest.mark.slow
async def test_its_place_in_the_source_is_never_ahead_of_what_it_holds(house):
    """A standby promoted in the middle of a block reads events twice rather than never."""
    primary, second = await house.store("a"), await house.store("b")
    await house.fill(primary, 300, 300)  # position: the sequence of the last event
    seen = []
    second.subscribe_bell(lambda: seen.append((second.position, second.next_seq - 1)))

    async with house.following(second, "b", await house.ship(primary, record_bytes=5_000)):
        await caught_up(primary, second)
        await primary.append((), position=9_999)
        await caught_up(primary, second)

    assert len(seen) > 10
    assert all(position <= last_seq for position, last_seq in seen[:-1])
    assert seen == sorted(seen), "and never goes back"
    assert second.position == 9_999


@pytest.mark.slow
async def test_a_promoted_standby_goes_on_far_behind_what_was_lost_and_never_follows_again(house):
    primary, second = await house.store("a"), await house.store("b")
    address = await house.ship(primary)
    await house.fill(primary, 300)
    standby = house.standby(second, "b", address)
    task = asyncio.create_task(standby.run())
    await caught_up(primary, second)

    Promotion(house.folder / "b").ask()
    await task
    await house.fill(primary, 10)  # lost to the standby

    assert standby.doing is Doing.PROMOTED
    promoted_at = await Promotion(house.folder / "b").wait(timeout_s=1)
    first = await second.append(mixed(3), position=1_000)
    assert first.first_seq == promoted_at == 301 + 100_000_000 > primary.next_seq
    assert second.seq_at(0) == 1
    pulled = pull(second, 305, EVERYTHING, Form())
    assert b'"cursor":%d,' % promoted_at in bytes(pulled.data), "a cursor in the hole goes on"
    with pytest.raises(Conflict, match="promoted at sequence"):
        house.standby(second, "b", address)
    with pytest.raises(Conflict):
        Promotion(house.folder / "b").ask()


@pytest.mark.slow
async def test_a_promotion_outlives_a_restart_and_is_done_once(house):
    second = await house.store("b")
    await house.fill(second, 10)
    promotion = Promotion(house.folder / "b")
    promotion.ask()
    seq = await promotion.carry_out(second)

    assert await promotion.carry_out(second) == seq == second.next_seq
    await second.close()
    second = await house.store("b")

    assert second.next_seq == Promotion(house.folder / "b").promoted_at_seq == seq
    assert not promotion.is_asked_for


async def test_a_promotion_cut_short_is_asked_for_again_and_never_gives_a_sequence_twice(house):
    """The jump comes first: noted without it, the next event would get a lost one's sequence."""
    class Failing(FileSystem):
        def rename(self, old: Path, new: Path) -> None:
            raise OSError(5, "Input/output error")

    second = await house.store("b")
    await house.fill(second, 10)
    with pytest.raises(OSError):
        await Promotion(house.folder / "b", file_system=Failing()).carry_out(second)

    promotion = Promotion(house.folder / "b")
    assert promotion.promoted_at_seq == 0
    assert second.next_seq > 100_000_000
    assert await promotion.carry_out(second) == second.next_seq > 200_000_000


@pytest.mark.slow
async def test_a_promoted_server_is_followed_as_any_other(house):
    second, third = await house.store("b"), await house.store("c")
    await house.fill(second, 30)
    await Promotion(house.folder / "b").carry_out(second)
    await house.fill(second, 30)

    async with house.following(third, "c", await house.ship(second)):
        await caught_up(second, third)

    assert_same(second, third)


async def test_nobody_promotes_and_it_says_so(house):
    with pytest.raises(Unavailable, match="Nobody promoted"):
        await Promotion(house.folder).wait(timeout_s=0.01, pause=quickly)


@pytest.mark.slow
async def test_the_old_server_cannot_follow_the_promoted_one_with_what_only_it_had(house):
    first, second = await house.store("a"), await house.store("b")
    await house.fill(first, 30)
    async with house.following(second, "b", await house.ship(first)):
        await caught_up(first, second)
    await house.fill(first, 2)  # its lost tail
    await Promotion(house.folder / "b").carry_out(second)

    standby = house.standby(first, "a", await house.ship(second))
    with pytest.raises(HistoryDiffers, match="At sequence 32 the standby holds another event"):
        await standby.run()

    assert standby.doing is Doing.REFUSED
    assert first.next_seq == 33


@pytest.mark.slow
@pytest.mark.parametrize("erased", [(), (39, 40)])
async def test_another_history_is_refused(house, erased):
    primary, second = await house.store("a"), await house.store("b")
    await house.fill(primary, 40)
    house.clock.advance(minutes=1)
    await house.fill(second, 40)
    if erased:
        await primary.erase(erased)

    with pytest.raises(HistoryDiffers, match="another event than this server"):
        await house.standby(second, "b", await house.ship(primary)).run()


async def test_a_standby_that_is_ahead_is_refused(house):
    primary, second = await house.store("a"), await house.store("b")
    await house.fill(second, 4)

    with pytest.raises(HistoryDiffers, match="ahead: it goes on at sequence 5, this server at 1"):
        await house.standby(second, "b", await house.ship(primary)).run()


@pytest.mark.slow
async def test_one_that_fell_behind_what_its_server_keeps_is_refused(house):
    primary, second = await house.store("a", segment_bytes_max=1), await house.store("b")
    await house.fill(primary, 5)
    address = await house.ship(primary)
    async with house.following(second, "b", address):
        await caught_up(primary, second)
    await house.fill(primary, 5, 5, 5)
    await primary.retain(age_us_max=1, bytes_max=0, now_us=house.clock.now_us)

    with pytest.raises(HistoryDiffers, match="ends at sequence 5"):
        await house.standby(second, "b", address).run()
