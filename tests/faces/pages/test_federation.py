"""Where the other servers stand, as pages and as calls: one that is away is seen to fall behind."""

import asyncio
from collections.abc import AsyncIterator, Callable

import pytest
from msgspec import structs

from lichen.faces.pages.wording import per_second
from lichen.federation import CatchUp
from lichen.federation.standing import condition_of
from tests.faces.pages.garden import PASSWORD, Garden, Guest, words

pytestmark = [pytest.mark.anyio, pytest.mark.slow]
AWAY = "127.0.0.1:9"  # RFC 863: the port where nobody listens here


@pytest.fixture(scope="module")
async def keeper(garden: Garden) -> Guest:
    guest = Guest(garden.house, "gardener")
    await guest.send("/login", {"name": "gardener", "password": PASSWORD})
    return guest


@pytest.fixture(scope="module")
async def away(garden: Garden) -> AsyncIterator[str]:
    """A server that is known, follows nothing and does not answer."""
    peers = garden.house.rooms.federation.peers
    peers.mention(AWAY)
    yield AWAY


async def call(guest: Guest, method: str, path: str, **asked: object):
    token = guest.http.cookies.get("lichen_session")
    headers = {"authorization": f"Bearer {token}"} if token else {}
    fields = {"params": asked} if method == "GET" else {"json": asked}
    return await guest.http.request(
        method, f"/api/lichen/federation/{path}", headers=headers, **fields)


async def until(is_true: Callable[[], bool]) -> None:
    async with asyncio.timeout(10):
        while not is_true():  # noqa: ASYNC110 - what is waited for rings no bell
            await asyncio.sleep(0.01)


async def test_strangers_see_every_server_and_that_all_are_up_to_date(
    garden: Garden, away: str
) -> None:
    stranger = garden.stranger()

    shown = await stranger.see("/federation")
    one = await stranger.see(f"/federation/{away}")
    listed = (await call(stranger, "GET", "servers")).json()

    assert 200 == shown.status_code == one.status_code
    assert away in shown.text and "Up to date." in words(shown.text)
    assert "Try now" not in one.text
    assert [away] == [server["server"] for server in listed["servers"]]
    assert 0 == listed["behind"] == listed["inbox_waiting"]


async def test_a_server_that_is_away_is_said_to_be_behind_and_by_how_much(
    garden: Garden, keeper: Guest, away: str
) -> None:
    """A private message is for one server alone, and that one does not answer."""
    house = garden.house
    await house.outgoing.log.append([_letter(away)])
    await until(lambda: any(one.failures for one in house.outgoing.sending.states()))

    seen = words((await garden.stranger().see("/federation")).text)
    told = words((await keeper.see(f"/federation/{away}")).text)
    answer = (await call(keeper, "GET", "server", server=away)).json()["server"]
    hidden = (await call(garden.stranger(), "GET", "server", server=away)).json()["server"]

    assert "1 server of 1 behind." in seen
    assert "It does not answer, and is behind by 1 activity" in seen
    assert "Its last words" in told and "does not answer" in told
    assert ("pausing", 1) == (answer["condition"], answer["missing"])
    assert answer["last_error"] and hidden.get("last_error") is None


async def test_an_hour_is_drawn_and_said_in_words_and_figures(
    garden: Garden, keeper: Guest, away: str
) -> None:
    courses = garden.house.courses
    before = (await keeper.see(f"/federation/{away}")).text
    for _ in range(2):
        await courses.sample()

    one = (await keeper.see(f"/federation/{away}")).text
    whole = (await garden.stranger().see("/federation")).text
    told = (await call(garden.stranger(), "GET", "server", server=away)).json()["course"]
    listed = (await call(garden.stranger(), "GET", "servers")).json()["course"]

    assert 'aria-label="Missing there over the last' in one and "The same as a table" in one
    assert "now 1, at most 1" in whole
    assert "in memory since" in words(before) and "The same as a table" not in before
    assert [1, 1] == [minute["missing"] for minute in told["minutes"]]
    assert (1, 0.0) == (told["missing"], told["sent_per_s"]) and told["missing_us"] > 0
    assert [1, 1] == [minute["missing"] for minute in listed["minutes"]]


@pytest.mark.parametrize(("rate", "said"), [
    (0.0, "0"), (0.0002, "0.012/min"), (0.2, "12/min"), (3.21, "3.2/s"), (1_234.5, "1,234.5/s"),
])
def test_a_rate_is_said_as_people_say_it(rate: float, said: str) -> None:
    assert said == per_second(rate)


async def test_an_activity_is_followed_and_a_private_one_by_administrators_alone(
    garden: Garden, keeper: Guest, away: str
) -> None:
    letter = "http://garden.example/activities/create/3ke6kg3wk2oef"

    page = await keeper.ask("/federation/activity", id=letter)
    told = (await call(keeper, "GET", "activity", id=letter)).json()
    hidden = [await call(garden.stranger(), "GET", "activity", id=one)
              for one in (letter, letter[:-1] + "g")]

    assert "1 tried again" in words(page.text) and "It did not take it yet" in words(page.text)
    assert ["written", "composed"] == [one["kind"] for one in told["steps"]]
    assert {"failed": 1} == told["passages"][0]["counts"]
    assert away == told["passages"][0]["deliveries"][0]["server"]
    assert told["passages"][0]["deliveries"][0]["error"]
    assert [404, 404] == [one.status_code for one in hidden]
    assert hidden[0].json() == hidden[1].json()
    assert 404 == (await garden.stranger().ask("/federation/activity", id=letter)).status_code


async def test_what_is_no_id_is_explained_and_kept_in_the_field(garden: Garden) -> None:
    shown = await garden.stranger().ask("/federation/activity", id="moss")
    empty = await garden.stranger().ask("/federation/activity")

    assert 400 == shown.status_code and "https://" in words(shown.text)
    assert 'value="moss"' in shown.text
    assert 200 == empty.status_code


async def test_an_administrator_tries_again_sends_again_and_chooses_what_is_taken(
    garden: Garden, keeper: Guest, away: str
) -> None:
    house = garden.house
    before = _failures(garden)
    tried = await keeper.send(f"/federation/{away}/try")
    await until(lambda: _failures(garden) > before)
    again = await keeper.send(f"/federation/{away}/resend", {"since": "2026-01-01T00:00"})
    chosen = await keeper.send(f"/federation/{away}/accepts", {"pictures": "1"})
    accepts = house.rooms.federation.peers.known(away).accepts  # type: ignore[union-attr]

    assert f"/federation/{away}?done=tried" == tried.headers["location"]
    assert again.headers["location"].startswith(f"/federation/{away}?done=")
    assert f"/federation/{away}?done=saved" == chosen.headers["location"]
    assert (False, True, False) == (accepts.dislikes, accepts.pictures, accepts.messages)
    assert "checked" in (await keeper.see(f"/federation/{away}")).text


async def test_an_administrator_catches_up_and_sees_how_it_goes(
    garden: Garden, keeper: Guest, away: str
) -> None:
    catching_up = garden.house.rooms.federation.catching_up
    asked = await keeper.send(f"/federation/{away}/catch-up")
    await catching_up.settled()
    ended = (await keeper.see(f"/federation/{away}")).text
    running = CatchUp(authority=away, state="running", asked_us=1, communities=3,
                      communities_done=1, posts=1, comments=12)
    catching_up._keep(running)
    seen = (await keeper.see(f"/federation/{away}?done=asked")).text
    answer = (await call(keeper, "GET", "server", server=away)).json()["catch_up"]
    joined = (await call(keeper, "POST", "catch-up", server=away)).json()
    stranger = garden.stranger()
    hidden = (await call(stranger, "GET", "server", server=away)).json()
    refused = await call(stranger, "POST", "catch-up", server=away)
    catching_up._keep(structs.replace(running, state="cut", words="Enough."))

    assert f"/federation/{away}?done=asked" == asked.headers["location"]
    assert "Nobody here follows a community of that server." in words(ended)
    assert "every 2s" not in ended and "Catch up" in ended
    assert "1 of 3 communities; 1 post, 12 comments so far." in words(seen)
    assert "every 2s" in seen and f'action="/federation/{away}/catch-up"' not in seen
    assert ("running", 3, 1, 12) == (answer["state"], answer["communities"],
                                     answer["communities_done"], answer["comments"])
    assert answer == joined and hidden.get("catch_up") is None
    assert 401 == refused.status_code
    assert "Cut short" in words((await keeper.see(f"/federation/{away}")).text)


async def test_nobody_else_may_and_wrong_words_are_explained(
    garden: Garden, keeper: Guest, away: str
) -> None:
    mira = await garden.person()

    for path, fields in (("try", {}), ("resend", {"since": "2026-01-01T00:00"}), ("accepts", {})):
        assert 403 == (await mira.send(f"/federation/{away}/{path}", fields)).status_code, path
    assert 404 == (await mira.see("/federation/nobody.example")).status_code
    wrong = await keeper.send(f"/federation/{away}/resend", {"since": "yesterday"})
    future = await call(keeper, "POST", "resend", server=away, since_us=1 << 60)

    assert 400 == wrong.status_code and "2026-11-25T08:30" in words(wrong.text)
    assert "invalid_time" == future.json()["error"]


@pytest.mark.parametrize(("allowed", "missing", "failures", "condition"), [
    (True, 0, 0, "well"), (True, 3, 0, "behind"), (True, 3, 2, "pausing"), (False, 3, 2, "blocked"),
])
def test_a_server_is_called_by_what_holds_it_up(
    allowed: bool, missing: int, failures: int, condition: str
) -> None:
    assert condition == condition_of(is_allowed=allowed, missing=missing, failures=failures)


def _failures(garden: Garden) -> int:
    return sum(one.failures for one in garden.house.outgoing.sending.states())


def _letter(authority: str) -> bytes:
    """Return an activity for one server alone, as composing appends it."""
    import msgspec

    from lichen.federation.outgoing import Outgoing, encode

    return encode(Outgoing(
        source=1 << 40, part=1, id="http://garden.example/activities/create/3ke6kg3wk2oef",
        sender=1, activity=msgspec.Raw(b'{"type":"Create"}'), peers=(authority,),
        inbox=f"http://{authority}/inbox", public=False,
    ))
