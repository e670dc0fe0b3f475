"""The stream in a house: its port, readiness, restores, and being switched off."""

import asyncio
import socket
from itertools import islice
from pathlib import Path

import httpx
import msgspec
import pytest
import websockets
import zstandard

from bench.firehose import frames
from lichen.house import House
from lichen.kit.config import Config
from tests.faces.lemmy_v3.town import Person, Town, everybody_heard
from tests.houses import opened_house
from tests.stream.kept import kept
from tests.stream.relay import FakeRelay

pytestmark = [pytest.mark.anyio, pytest.mark.slow]
SOON_S = 10


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


async def opened(folder: Path, **words: object) -> House:
    return await opened_house(Config.load(words={
        "server.data": folder, "server.profile": "testbed", **words}))


def town_of(house: House) -> Town:
    transport = httpx.ASGITransport(app=house.application)
    return Town(house, Person(httpx.AsyncClient(transport=transport, base_url="http://lichen.test")))


async def until_listening(house: House) -> None:
    assert house.stream is not None
    async with asyncio.timeout(SOON_S):
        while house.stream.waits_for_port:  # noqa: ASYNC110 - what is waited for rings no bell
            await asyncio.sleep(0.01)


async def test_a_post_reaches_a_subscriber_and_the_end_is_said(tmp_path: Path) -> None:
    port = free_port()
    house = await opened(tmp_path, **{"server.stream_port": port})
    await until_listening(house)
    town = town_of(house)
    author = await town.person()
    community = await town.community(author)

    async with websockets.connect(
        f"ws://127.0.0.1:{port}/subscribe?wantedCollections=lichen.forum.post"
    ) as subscriber:
        await town.post(author, community, name="As it happens")
        async with asyncio.timeout(SOON_S):
            event = msgspec.json.decode(await subscriber.recv())
        figures = house._figures()
        await house.close()
        async with asyncio.timeout(SOON_S):
            await subscriber.wait_closed()

    assert event["commit"]["record"]["name"] == "As it happens"
    assert event["cursor"] <= house.log.last_seq
    assert figures["stream_subscribers"] == 1
    assert subscriber.close_code == 1001  # RFC 6455 §7.4.1: going away


async def test_a_relay_is_served_beside_the_house_and_never_mixed_with_it(tmp_path: Path) -> None:
    port, (first, *later) = free_port(), list(islice(frames(1), 4))
    async with FakeRelay([first]).serving() as relay:
        house = await opened(tmp_path, **{"server.stream_port": port,
                                          "stream.upstreams": relay.address})
        await until_listening(house)
        await relay.until_followed()
        town = town_of(house)
        await town.community(await town.person())
        address = f"ws://127.0.0.1:{port}/subscribe?cursor=1"
        async with (websockets.connect(address) as own,
                    websockets.connect(f"{address}&source=atproto") as other):
            await relay.add(*later)
            async with asyncio.timeout(SOON_S):
                ours = [msgspec.json.decode(await own.recv()) for _ in range(2)]
                theirs = [msgspec.json.decode(await other.recv()) for _ in range(2)]
        await house.close()

    assert {event["did"].rpartition(":")[0] for event in theirs} == {"did:plc"}
    assert all(event["did"].startswith("did:web:") for event in ours)
    assert relay.cursors == [None], "an empty store begins with now"


async def test_a_house_gives_its_archive_and_ships_to_who_has_the_key(tmp_path: Path) -> None:
    port = free_port()
    house = await opened(tmp_path, **{"server.stream_port": port, "stream.standby_key": "a word"})
    await until_listening(house)
    async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}") as client:
        listed = await client.get("/xrpc/network.bsky.jetstream.listSegments")
        refused = await client.get("/stream/ship?cursor=1")
        async with client.stream("GET", "/stream/ship?cursor=1", headers={
                "Authorization": "Bearer a word"}) as shipped:
            status = shipped.status_code
    await house.close()

    assert (listed.status_code, listed.json()["segments"]) == (200, [])
    assert (refused.status_code, status) == (401, 200)


async def test_the_dictionary_of_an_operator_is_what_the_first_wire_gets(tmp_path: Path) -> None:
    port, samples = free_port(), [b'{"did":"did:plc:%d","kind":"commit"}' % n for n in range(5_000)]
    file = tmp_path / "legacy.zdict"
    file.write_bytes(zstandard.train_dictionary(2_048, samples, dict_id=1_612_007_021).as_bytes())
    house = await opened(tmp_path / "data", **{"server.stream_port": port,
                                               "stream.legacy_dictionary": str(file)})
    await until_listening(house)
    async with websockets.connect(f"ws://127.0.0.1:{port}/subscribe?compress=true",
                                  compression=None) as subscriber:
        assert subscriber.response is not None
        told = subscriber.response.headers["Lichen-Zstd-Dictionary"]
    await house.close()

    assert told == "1612007021"


async def test_a_house_is_not_ready_while_its_stream_port_is_taken(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        house = await opened(tmp_path, **{"server.stream_port": port})
        try:
            readiness = await house._readiness()
        finally:
            await house.close()

    assert not readiness.ready
    assert readiness.waiting_for == ("stream port",)


async def test_without_a_port_the_stream_is_kept_and_nobody_listens(tmp_path: Path) -> None:
    house = await opened(tmp_path)
    town = town_of(house)
    await town.person()
    await everybody_heard(house)

    assert (await house._readiness()).ready
    assert house.stream is not None and house.stream.server is None
    assert kept(house.stream.store)
    await house.close()


async def test_a_stream_that_knows_more_than_the_log_is_begun_anew(tmp_path: Path) -> None:
    """A restore in place brings an older log under a stream that was not in the backup."""
    house = await opened(tmp_path / "old")
    town = town_of(house)
    for _ in range(3):
        await town.person()
    await everybody_heard(house)
    await house.close()
    (tmp_path / "new").mkdir()
    (tmp_path / "old" / "stream").rename(tmp_path / "new" / "stream")

    again = await opened(tmp_path / "new")
    await everybody_heard(again)

    assert again.stream is not None
    assert [one["commit"]["collection"] for one in kept(again.stream.store)] == [
        "lichen.site.settings"]
    await again.close()


async def test_a_stream_whose_folder_is_gone_is_copied_from_the_log(tmp_path: Path) -> None:
    house = await opened(tmp_path)
    await town_of(house).person()
    await everybody_heard(house)
    assert house.stream is not None
    before = kept(house.stream.store)
    await house.close()
    (tmp_path / "stream").rename(tmp_path / "gone")

    again = await opened(tmp_path)
    await everybody_heard(again)

    assert again.stream is not None
    assert kept(again.stream.store)[:len(before)] == before
    await again.close()


async def test_switched_off_nothing_is_kept_that_an_erasure_could_not_reach(tmp_path: Path) -> None:
    house = await opened(tmp_path)
    await town_of(house).person()
    await everybody_heard(house)
    await house.close()

    off = await opened(tmp_path, **{"stream.on": False})
    shown = await httpx.AsyncClient(
        transport=httpx.ASGITransport(app=off.application), base_url="http://lichen.test"
    ).get("/stream")

    assert off.stream is None and not (tmp_path / "stream").exists()
    assert shown.status_code == 200 and "switched off" in shown.text
    await off.close()


async def test_the_log_keeps_what_the_stream_still_serves(tmp_path: Path) -> None:
    """An erasure finds in the log what is to go, so the log may not forget it first."""
    house = await opened(tmp_path, **{"log.retention_s": 0.0})
    await town_of(house).person()
    await everybody_heard(house)
    assert house.stream is not None

    assert house._floor_seq() < house.stream.store.first_seq
    await house.close()
