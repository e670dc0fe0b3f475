"""A whole house whose log is a stream of NATS JetStream."""

import uuid
from pathlib import Path

import msgspec
import pytest

from lichen.backup import back_up
from lichen.events import decode_events
from lichen.house import House
from lichen.kit import Refused, system_clock
from lichen.kit.config import Config, ConfigRefused
from lichen.log import LogLocked, LogUnavailable
from tests.faces.lemmy_v3.town import Town, everybody_heard, opened
from tests.nats import NatsServer

pytestmark = [pytest.mark.anyio, pytest.mark.slow]


@pytest.fixture
def words(nats_server: NatsServer) -> dict[str, str]:
    """Return the settings of a log in a stream of the test's own."""
    return settings(nats_server)


def settings(server: NatsServer) -> dict[str, str]:
    return {"engine": "nats", "nats_url": server.url, "nats_monitor_url": server.monitor_url,
            "nats_stream": f"house{uuid.uuid4().hex[:12]}"}


def titles(house: House) -> list[str]:
    """Return the titles of the posts that the log tells of, read back from its first record on."""
    found: list[str] = []
    seq = max(1, house.log.first_seq)
    while seq <= house.log.last_seq:
        batch = house.log.read(seq)
        found += [msgspec.json.decode(event.record)["name"]
                  for event in decode_events(batch.lines())
                  if event.collection == "lichen.forum.post" and event.record]
        seq = batch.next_seq
    return found


async def write(town: Town, title: str) -> None:
    founder = await town.person()
    await town.post(founder, await town.community(founder), name=title)


async def test_a_house_on_nats_writes_its_events_there_and_goes_on_after_a_stop(
    tmp_path: Path, words: dict[str, str]
) -> None:
    async with opened(tmp_path, "", **words) as town:
        await write(town, "First on NATS")
        await everybody_heard(town.house)
        last_seq = town.house.log.last_seq
        assert ["First on NATS"] == titles(town.house)
    assert not list((tmp_path / "data" / "log").glob("*.log"))

    async with opened(tmp_path, "", **words) as town:
        assert town.house.log.last_seq >= last_seq
        await write(town, "Second on NATS")
        await everybody_heard(town.house)
        found = await town.stranger.get("/search", q="NATS", type_="Posts")
        written = titles(town.house)

    assert ["First on NATS", "Second on NATS"] == written
    assert 2 == len(found.json()["posts"])


async def test_what_is_written_while_nats_is_away_reaches_the_log_once(tmp_path: Path) -> None:
    server = NatsServer(tmp_path / "nats").start()
    try:
        async with opened(tmp_path, "", **settings(server)) as town:
            founder = await town.person()
            community_id = await town.community(founder)
            server.kill()
            await town.post(founder, community_id, name="Written meanwhile")
            with pytest.raises(LogUnavailable):
                await town.house.relay.catch_up()
            server.start()
            await everybody_heard(town.house)

            assert ["Written meanwhile"] == titles(town.house)
    finally:
        server.kill()


async def test_one_house_keeps_to_one_engine_one_stream_and_one_process(
    tmp_path: Path, words: dict[str, str]
) -> None:
    """Sequences would begin anew elsewhere, and every reader pass the events over."""
    async with opened(tmp_path, "", **words):
        with pytest.raises(LogLocked):
            async with opened(tmp_path, "", **words):
                pass

    with pytest.raises(Refused, match="log_elsewhere"):
        async with opened(tmp_path, ""):
            pass
    with pytest.raises(Refused, match="log_elsewhere"):
        async with opened(tmp_path, "", **words | {"nats_stream": "another"}):
            pass
    with pytest.raises(Refused, match="log_elsewhere"):
        back_up(Config.load(words={
            "server.data": tmp_path / "data", **{f"log.{key}": word for key, word in words.items()}
        }), tmp_path / "backup", clock=system_clock)


async def test_a_house_with_segments_does_not_begin_anew_on_nats(
    tmp_path: Path, words: dict[str, str]
) -> None:
    async with opened(tmp_path, ""):
        pass

    with pytest.raises(Refused, match="segment files"):
        async with opened(tmp_path, "", **words):
            pass


def test_settings_that_name_no_server_are_refused() -> None:
    with pytest.raises(ConfigRefused, match=r"log\.nats_url"):
        Config.load(words={"log.engine": "nats"})
    with pytest.raises(ConfigRefused, match=r"log\.nats_stream"):
        Config.load(words={"log.engine": "nats", "log.nats_url": "nats://h", "log.nats_stream": "a.b"})
