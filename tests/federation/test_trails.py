"""One activity is followed through every step, on the server that sends it and where it comes."""

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from lichen.doctor.trail import ask_trail, lines_of
from lichen.federation import tracing
from lichen.federation.tracks import Try
from lichen.kit import NotFound, Refused, Unavailable
from lichen.kit.config import Config
from tests.federation.incoming import (
    ANN,
    BEN,
    MOSS,
    STONES,
    Town,
    act,
    announced,
    ground,
    house,
    mira,
    note,
    otto,
    page,
    stones,
    town,
)
from tests.federation.neighbours import Browser, Neighbour, until
from tests.federation.road import Road

pytestmark = pytest.mark.anyio
__all__ = ["ground", "house", "mira", "otto", "stones", "town"]
TID = "3kdzzzzzzzz22"


@pytest.fixture
def admin(mira: Any) -> Any:
    """Somebody who may see everything; a trail asks for nothing but that word."""
    return msgspec.structs.replace(
        mira, actor=msgspec.structs.replace(mira.actor, admin=True))


@pytest.fixture
async def road(town: Town, tmp_path: Path) -> AsyncIterator[Road]:
    built = Road(town, tmp_path)
    yield built
    await built.close()


def kinds(found: Any) -> list[str]:
    return [one.kind for one in found.steps]


async def test_a_batch_is_shared_and_what_is_refused_says_why(road: Road, admin: Any) -> None:
    written = page(ANN, MOSS)
    like = announced(MOSS, act("Like", BEN, written["id"]))
    alien = announced(MOSS, act("Like", BEN, "https://lichen.example/post/77"))
    await road.accept(announced(MOSS, act("Create", ANN, written)), like, alien,
                      form="rfc9421", tookUs=4_000)
    before = await road.trails.of(None, like["object"]["id"])
    await road.apply()

    liked = await road.trails.of(None, like["object"]["id"])
    refused = await road.trails.of(None, alien["id"])
    brought = await road.trails.of(None, written["id"])

    assert ["came", "verified", "kept", "waits"] == kinds(before)
    assert "behind 1 others" in before.steps[-1].words
    assert ["came", "verified", "kept", "taken_up", "applied"] == kinds(liked) == kinds(brought)
    assert 3 == liked.steps[-1].shared_by and 3 >= liked.steps[-1].round_trips / 2 > 0
    assert "RFC 9421" in liked.steps[1].words and 4_000 == liked.steps[1].after_us
    assert "refused" == refused.steps[-1].kind and "no such thing" in refused.steps[-1].words
    assert "Like, passed on by its community" == liked.kind


async def test_what_waits_is_told_with_what_it_needs_and_when_it_is_looked_for(
    road: Road
) -> None:
    like = act("Like", "https://far.example/u/cid", "https://far.example/post/5")
    road.town.elsewhere.away = True
    await road.hear(like)
    fresh = await road.trails.of(None, like["id"])
    await road.town.waiting.look()
    later = await road.trails.of(None, like["id"])

    assert ["came", "kept", "taken_up", "parked", "waits"] == kinds(fresh) == kinds(later)
    assert "far.example" in fresh.steps[3].words
    assert "not looked for yet; it is looked for now" in fresh.steps[-1].words
    assert "looked for once; looked for again in 2 min" in later.steps[-1].words


async def test_what_comes_twice_says_so_and_what_is_forgotten_too(road: Road) -> None:
    like = announced(MOSS, act("Like", BEN, page(ANN, MOSS)["id"]))
    written = page(ANN, MOSS)
    create = announced(MOSS, act("Create", ANN, written))
    await road.hear(create, create)
    twice = await road.trails.of(None, create["id"])
    tracks = road.town.ingest.tracks
    tracks.__init__(since_us=1)  # type: ignore[misc]  # as after a start
    forgotten = await road.trails.of(None, create["id"])

    assert "duplicate" == twice.steps[-1].kind
    assert "worked_off" == forgotten.steps[-1].kind and forgotten.steps[-1].at_us > 0
    assert "older than what is remembered" in forgotten.steps[-1].words
    with pytest.raises(NotFound, match="No such activity"):
        await road.trails.of(None, like["id"])


async def test_reports_and_private_messages_are_followed_by_administrators_alone(
    road: Road, mira: Any, otto: Any, admin: Any
) -> None:
    letter = note(ANN, "", to=[f"https://lichen.example/u/{mira.actor.name}"])
    create = act("Create", ANN, letter, to=letter["to"])
    flag = act("Flag", ANN, "https://lichen.example/post/1", to=[STONES])
    await road.hear(create, flag)
    await road.tell(id=f"https://lichen.example/activities/create/{TID}", public=False,
                    peers=("far.example",), activity=msgspec.Raw(b'{"type":"Create"}'))
    hidden = (create["id"], letter["id"], flag["id"],
              f"https://lichen.example/activities/create/{TID}")

    for id in hidden:
        assert "kept" in kinds(await road.trails.of(admin, id)) or id == hidden[-1]
        for viewer in (None, otto):
            with pytest.raises(NotFound, match="No such activity"):
                await road.trails.of(viewer, id)
    for wrong in ("", "moss", "javascript:1", "https://" + "x" * 3_000):
        with pytest.raises(Refused):
            await road.trails.of(None, wrong)


async def test_a_look_goes_back_so_far_and_no_further(
    road: Road, monkeypatch: pytest.MonkeyPatch, admin: Any
) -> None:
    """Also across blocks, and where PHP has escaped the slashes."""
    monkeypatch.setattr("lichen.federation.trails.FOLLOWED_BY_ANYBODY_MAX", 40)
    monkeypatch.setattr(tracing, "_BLOCK", 7)
    likes = [announced(MOSS, act("Like", BEN, f"https://peer.example/post/{n}"))
             for n in range(60)]
    php = json.dumps(likes[0]).replace("/", r"\/")
    await road.inbox.append([b'{"peer":"peer.example","receivedUs":5,"activity":%b}' % php.encode()])
    await road.accept(*likes[1:])

    found = [await road.trails.of(None, one["id"]) for one in (likes[-1], likes[20], likes[30])]
    assert all("waits" == one.steps[-1].kind for one in found)
    with pytest.raises(NotFound, match="The last 40"):
        await road.trails.of(None, likes[0]["object"]["id"])
    assert "peer.example" == (await road.trails.of(admin, likes[0]["object"]["id"])).server


async def test_for_every_server_it_is_said_how_far_an_activity_got(road: Road) -> None:
    like = act("Like", ANN, STONES)
    await road.hear(like)
    road.followers = {"had.example", "no.example", "away.example", "new.example", "shut.example"}
    road.book.blocked = {"shut.example"}
    announce = f"https://lichen.example/activities/announce/{TID}"
    await road.tell(id=announce, community=7, but="peer.example", activity=msgspec.Raw(
        msgspec.json.encode({"type": "Announce", "object": like})))
    for server, verdict, error in (("had.example", "taken", ""), ("no.example", "refused", "400"),
                                   ("away.example", "failed", "no answer")):
        road.sending.tries.note([1], Try(server, 1_000, 3_500, verdict, error, 1))

    (way,) = (await road.trails.of(None, announce)).passages

    assert {"had.example": "taken", "no.example": "refused", "away.example": "failed",
            "new.example": "behind", "shut.example": "blocked"} == {
        one.server: one.state for one in way.deliveries}
    assert "Announce of Like" == way.kind
    assert "taken" == way.deliveries[-1].state and 2_500 == way.deliveries[-1].took_us
    assert {""} == {one.error for one in way.deliveries}  # they are for administrators


async def trail(browser: Browser, id: str) -> Any:
    answer = await browser.http.get("/api/lichen/federation/activity", params={"id": id})
    return answer.json() if answer.status_code == 200 else None


@pytest.mark.slow
async def test_a_post_is_followed_from_where_it_is_written_to_where_it_is_applied(
    home: Neighbour, here: Neighbour
) -> None:
    founder = await home.browser().join("cartographer")
    await founder.send("/create_community", name="trails", title="Trails")
    writer = await here.browser().join("walker")
    place = f"/c/trails@{home.authority}"
    assert (await writer.see(f"/search?q=!trails@{home.authority}")).status_code == 200
    await until(lambda: _is_there(writer, place))
    post = await _posted(writer, here, home, "Up the scree")

    out = await until(lambda: _taken(writer, post))
    came = await until(lambda: _applied(founder, post))
    second = await _posted(writer, here, home, "And down again")
    known = await until(lambda: _applied(founder, second))

    assert ["written", "composed"] == [one["kind"] for one in out["steps"]]
    (way,) = out["passages"]
    assert ("Create", {"taken": 1}) == (way["kind"], way["counts"])
    assert (home.authority, 1) == (way["deliveries"][0]["server"], way["deliveries"][0]["tries"])
    # Who wrote it was not known there yet, and was asked about.
    assert ["came", "verified", "kept", "taken_up", "parked", "taken_up", "applied"] == [
        one["kind"] for one in came["steps"]][:7]
    assert ["came", "verified", "kept", "taken_up", "applied"] == [
        one["kind"] for one in known["steps"]][:5]
    times = [one["at_us"] for one in known["steps"]]
    assert times == sorted(times) and known["steps"][4]["round_trips"] > 0
    assert here.authority == came["server"] == known["server"]
    assert (await trail(founder, way["id"]))["steps"][:7] == came["steps"][:7]
    lines = list(lines_of(msgspec.json.encode(came)))
    assert f"Create from {here.authority}" == lines[0]
    assert lines[7].endswith("round trips]") and "It was applied." in lines[7]
    assert any(f"{home.authority}: It took it. (" in line
               for line in lines_of(msgspec.json.encode(out)))


@pytest.mark.slow
async def test_the_command_line_asks_the_house_that_runs(home: Neighbour) -> None:
    said = []
    for port in (int(home.authority.rpartition(":")[2]), 9):  # RFC 863: nobody listens there
        config = Config.load(None, {"LICHEN_HOST": "127.0.0.1", "LICHEN_PORT": str(port)})
        with pytest.raises((Refused, Unavailable)) as error:
            await asyncio.to_thread(ask_trail, config, "https://peer.example/1", token="")
        said.append(str(error.value))

    assert "No such activity is known here." in said[0]
    assert "No house answers at http://127.0.0.1:9" in said[1]


async def _posted(writer: Browser, here: Neighbour, home: Neighbour, name: str) -> str:
    wrote = await writer.send(
        "/create_post", community=f"trails@{home.authority}", name=name)
    assert 303 == wrote.status_code, wrote.text
    return here.url + wrote.headers["location"]


async def _is_there(browser: Browser, path: str) -> bool:
    return (await browser.see(path)).status_code == 200


async def _taken(browser: Browser, id: str) -> Any:
    found = await trail(browser, id)
    return found if found and "taken" in found["passages"][0]["counts"] else None


async def _applied(browser: Browser, id: str) -> Any:
    found = await trail(browser, id)
    return found if found and "applied" in [one["kind"] for one in found["steps"]] else None
