"""Two servers in one process: one follows the other, byte for byte."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from lichen.stream import EVERYTHING, ArrivalRefused, Form, Wire
from lichen.stream.serving.http import Request, Response
from lichen.stream.standby.follower import Doing
from lichen.stream.standby.parcels import RECORD, Parcel, Standing, erased_parcel, state_parcel
from lichen.stream.standby.shipping import Shipping
from tests.conftest import FakeClock
from tests.stream.served_routes import served
from tests.stream.two_servers import KEY, House, assert_same, caught_up, everything, servers, until

pytestmark = pytest.mark.anyio


@pytest.fixture
async def house(tmp_path: Path, clock: FakeClock) -> AsyncIterator[House]:
    async with servers(tmp_path, clock) as house:
        yield house


@pytest.mark.slow
async def test_an_empty_standby_catches_up_and_serves_the_same_bytes(house):
    primary, second = await house.store("a"), await house.store("b")
    await primary.skip_to(500)
    await house.fill(primary, 700, 3, 2_000, 40)

    async with house.following(second, "b", await house.ship(primary)):
        await caught_up(primary, second)

    assert_same(primary, second)
    assert len(everything(second, EVERYTHING, Form())) > 100_000


@pytest.mark.slow
async def test_what_is_appended_while_it_follows_arrives(house):
    primary, second = await house.store("a"), await house.store("b")
    async with house.following(second, "b", await house.ship(primary)) as standby:
        for count in (1, 20, 300, 2):
            await house.fill(primary, count)
            await caught_up(primary, second)
            assert standby.doing is Doing.FOLLOWING

    assert_same(primary, second)


@pytest.mark.slow
async def test_a_time_means_the_same_sequence_on_both(house):
    primary, second = await house.store("a"), await house.store("b", block_age_us_max=1)
    await house.fill(primary, 300, 300)
    async with house.following(second, "b", await house.ship(primary, record_bytes=5_000)):
        await caught_up(primary, second)

    times = range(house.clock.now_us - 8_000_000_000, house.clock.now_us + 2_000_000, 250_000)
    asked = [*times, *(time_us + 50 for time_us in times)]
    assert [second.seq_at(one) for one in asked] == [primary.seq_at(one) for one in asked]
    assert len(second.blocks()) > len(primary.blocks()), "their blocks are cut differently"


@pytest.mark.slow
async def test_many_languages_do_not_cut_its_blocks_short(house):
    primary, second = await house.store("a"), await house.store("b")
    await house.fill(primary, 1_000)

    async with house.following(second, "b", await house.ship(primary, record_bytes=5_000)):
        await caught_up(primary, second)

    assert len(second.blocks()) == 1


@pytest.mark.slow
async def test_a_server_killed_in_the_middle_is_followed_on_when_it_is_back(house):
    primary, second = await house.store("a"), await house.store("b")
    await house.fill(primary, 600)
    shipping = Shipping({"": primary}, key=KEY, heartbeat_s=0.02, record_bytes=10_000)
    async with served(shipping.routes()) as address:
        port = int(address.rpartition(":")[2])
        task = asyncio.create_task(house.standby(second, "b", address).run())
        await second.wait_beyond(1)
    await house.fill(primary, 500)  # while it cannot be reached

    await house.ship(primary, port=port)
    await caught_up(primary, second)

    assert_same(primary, second)
    task.cancel()


@pytest.mark.slow
async def test_a_standby_started_again_goes_on_from_what_it_holds(house):
    primary, second = await house.store("a"), await house.store("b")
    address = await house.ship(primary, record_bytes=10_000)
    await house.fill(primary, 600)
    async with house.following(second, "b", address):
        await second.wait_beyond(1)
    await second.close()
    held = second.next_seq
    await house.fill(primary, 10)

    second = await house.store("b")
    assert second.next_seq == held
    async with house.following(second, "b", address):
        await caught_up(primary, second)

    assert_same(primary, second)


@pytest.mark.slow
async def test_an_erasure_reaches_the_standby_at_once_and_later(house):
    primary, second = await house.store("a"), await house.store("b")
    address = await house.ship(primary)
    await house.fill(primary, 300, 300)
    async with house.following(second, "b", address):
        await caught_up(primary, second)
        await primary.erase([5, 7, 451, 600])
        await until(second, lambda: b'"cursor":451,' not in everything(second, EVERYTHING, Form()))
        await primary.erase([101])
        await until(second, lambda: b'"cursor":101,' not in everything(second, EVERYTHING, Form()))
    assert_same(primary, second)

    await primary.erase([8, 599])  # while nobody follows; the last that is there
    await house.fill(primary, 5)
    async with house.following(second, "b", address):
        await caught_up(primary, second)
        await until(second, lambda: b'"cursor":8,' not in everything(second, EVERYTHING, Form()))

    assert_same(primary, second)


@pytest.mark.slow
async def test_an_erasure_that_comes_before_its_event_is_kept_in_mind(house):
    """It is noted before segments are rewritten: a record read in between still holds it."""
    primary, second = await house.store("a"), await house.store("b")
    await house.fill(primary, 20)
    record = primary.record_from(1, bytes_max=1 << 20)

    connects = []

    async def ship(request: Request) -> Response:
        connects.append(request)

        async def parcels() -> AsyncIterator[bytes]:
            yield state_parcel(Standing(1, 1, 21, 0)).tobytes()
            yield erased_parcel([4, 17]).tobytes()
            yield Parcel(RECORD, record).tobytes()
            await asyncio.Event().wait()
        return Response(200, (), parcels())

    async with (served({"GET /stream/ship": ship}) as address,
                house.following(second, "b", address)):
        await until(second, lambda: second.next_seq == 21
                    and b'"cursor":17,' not in everything(second, EVERYTHING, Form()))

    assert len(connects) == 1, "nor is it told again"
    text = everything(second, EVERYTHING, Form(Wire.V2))
    assert [seq for seq in range(1, 21) if b'"seq":%d,' % seq in text] == [
        seq for seq in range(1, 21) if seq not in (4, 17)]


@pytest.mark.slow
@pytest.mark.parametrize("segment_bytes_max", [1, 64 << 20])
async def test_what_its_server_keeps_no_more_it_does_not_keep(house, segment_bytes_max):
    primary = await house.store("a", segment_bytes_max=1)
    second = await house.store("b", segment_bytes_max=segment_bytes_max)
    address = await house.ship(primary)
    await house.fill(primary, 50, 50, 50, 50)
    async with house.following(second, "b", address):
        await caught_up(primary, second)
    await primary.retain(age_us_max=3 * 3_600_000_000, bytes_max=1 << 40,
                         now_us=house.clock.now_us)
    assert 1 < primary.first_seq

    async with house.following(second, "b", address):
        await until(second, lambda: b'"cursor":%d,' % (primary.first_seq - 1)
                    not in everything(second, EVERYTHING, Form()))

    assert everything(second, EVERYTHING, Form()) == everything(primary, EVERYTHING, Form())
    # Whole files are forgotten; of one that holds more, the events are erased.
    assert second.first_seq == (primary.first_seq if segment_bytes_max == 1 else 1)


async def test_a_jump_of_its_server_is_one_here(house):
    primary, second = await house.store("a"), await house.store("b")
    await house.fill(primary, 3)
    async with house.following(second, "b", await house.ship(primary)):
        await caught_up(primary, second)
        await primary.skip_to(5_000)
        await until(second, lambda: second.next_seq == 5_000)
        await house.fill(primary, 3)
        await caught_up(primary, second)

    assert_same(primary, second)


@pytest.mark.slow
async def test_a_damaged_block_is_a_hole_in_the_standby_too(house):
    primary, second = await house.store("a", segment_bytes_max=1), await house.store("b")
    await house.fill(primary, 50, 50, 50)
    path = sorted((house.folder / "a").glob("0*.stream"))[0]
    content = bytearray(path.read_bytes())
    content[content.index(b'"cursor":20,') + 10] ^= 1
    path.write_bytes(content)

    async with house.following(second, "b", await house.ship(primary)):
        await caught_up(primary, second)

    assert second.first_seq == 51
    assert everything(second, EVERYTHING, Form()) == everything(primary, EVERYTHING, Form())


@pytest.mark.parametrize("key, server_key, said", [
    ("another", KEY, "401"), ("", KEY, "401"), (KEY, "", "403")])
async def test_without_the_key_nothing_is_shipped(house, key, server_key, said):
    primary, second = await house.store("a"), await house.store("b")
    await house.fill(primary, 3)
    async with served(Shipping({"": primary}, key=server_key).routes()) as address:
        standby = house.standby(second, "b", address, key)
        task = asyncio.create_task(standby.run())
        await until(second, lambda: standby.reason != "")
        task.cancel()

    assert said in standby.reason
    assert second.next_seq == 1


GOOD = state_parcel(Standing(1, 1, 1, 0)).tobytes()


@pytest.mark.parametrize("sent", [
    b"HTTP is not a parcel at all", GOOD[:-1], GOOD[:-1] + b"]", GOOD[:4] + b"\xff" * 4 + GOOD[8:],
    GOOD.replace(b'"position":0', b'"position":9'),  # its checksum is another's
    Parcel(RECORD, b"no record").tobytes(), Parcel(b"STAT", b"{}").tobytes(),
    Parcel(b"ERAS", b'["1"]').tobytes(), Parcel(b"ELSE", b"").tobytes()])
async def test_what_is_no_parcel_is_stored_nowhere_and_asked_for_again(house, sent):
    second = await house.store("b")
    asked = []

    async def ship(request: Request) -> Response:
        asked.append(request.first_of("cursor"))
        return Response(200, (), sent)

    async with (served({"GET /stream/ship": ship}) as address,
                house.following(second, "b", address)):
        await until(second, lambda: len(asked) >= 2)

    assert (second.next_seq, second.position, set(asked)) == (1, 0, {"1"})


async def test_a_record_is_not_stored_twice(house):
    primary, second = await house.store("a"), await house.store("b")
    await house.fill(primary, 3)
    record = primary.record_from(1)
    await second.append_record(record)

    with pytest.raises(ArrivalRefused):
        await second.append_record(record)


async def test_more_standbys_than_the_limit_are_refused(house):
    primary = await house.store("a")
    shipping = Shipping({"": primary}, key=KEY)
    shipping.standbys = 4

    answer = shipping.ship(Request("GET", "/stream/ship", headers=(("authorization", f"Bearer {KEY}"),)))

    with pytest.raises(Exception, match="4 standbys follow already"):
        await answer
