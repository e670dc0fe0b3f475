"""The gate over HTTP, with its limits on: rates, proxies, failed logins, sessions, forms, ways on."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lichen.house import House
from lichen.kit import TooMany
from lichen.kit.config import Config, Limits, Rates
from lichen.web import Buckets, Gate, network_of
from tests.conftest import FakeClock
from tests.houses import opened_house

pytestmark = pytest.mark.anyio

URL = "http://gate.example"
PASSWORD = "three odd words"
OURS = {"origin": URL, "sec-fetch-site": "same-origin"}


@pytest.fixture
async def house(tmp_path: Path) -> AsyncIterator[House]:
    opened = await opened_house(Config.load(words={
        "server.data": tmp_path / "data", "server.metrics_port": 0, "server.stream_port": 0,
        "identity.public_url": URL, "rates.login": 3, "rates.register": 4,
    }))
    yield opened
    await opened.close()


def client(house: House, address: str = "192.0.2.1") -> httpx.AsyncClient:
    transport = httpx.ASGITransport(app=house.application, client=(address, 5_000))
    return httpx.AsyncClient(transport=transport, base_url=URL)


async def register(http: httpx.AsyncClient, name: str) -> httpx.Response:
    return await http.post("/api/v3/user/register", json={
        "username": name, "password": PASSWORD, "password_verify": PASSWORD,
    })


async def login(
    http: httpx.AsyncClient, name: str, password: str = PASSWORD
) -> httpx.Response:
    return await http.post("/api/v3/user/login", json={
        "username_or_email": name, "password": password,
    })


async def test_too_many_registrations_of_one_address_are_told_when_to_come_back(
    house: House,
) -> None:
    http = client(house)
    first = [await register(http, f"person_{number}") for number in range(4)]

    refused = await register(http, "one_more")
    elsewhere = await register(client(house, "192.0.2.2"), "somebody")

    assert [200] * 4 == [answer.status_code for answer in first]
    assert (429, "rate_limit_error") == (refused.status_code, refused.json()["error"])
    assert 0 < int(refused.headers["retry-after"]) <= 900
    assert 200 == elsewhere.status_code


async def test_pages_count_in_the_same_bucket(house: House) -> None:
    http = client(house)
    for number in range(4):
        await register(http, f"person_{number}")

    refused = await http.post("/signup", headers=OURS, data={"name": "x", "password": "y"})
    looked_at = await http.get("/signup")

    assert 429 == refused.status_code
    assert 200 == looked_at.status_code


async def test_a_stranger_cannot_lock_a_person_out(house: House) -> None:
    """A name tried too often is closed to strangers, and open to where its owner is logged in."""
    home, attacker = client(house, "192.0.2.1"), client(house, "198.51.100.7")
    await register(home, "mira")
    for _ in range(3):
        await login(attacker, "mira", "a wrong password")

    blocked = await login(client(house, "198.51.100.8"), "mira")
    owner = await login(home, "mira")

    assert (429, 200) == (blocked.status_code, owner.status_code)


async def test_a_name_that_nobody_has_is_counted_as_one_that_somebody_has(house: House) -> None:
    await register(client(house), "mira")
    answers = {}
    for name, address in (("mira", "198.51.100.7"), ("nobody", "198.51.100.9")):
        http = client(house, address)
        answers[name] = [(await login(http, name, "a wrong password")).status_code
                         for _ in range(4)]

    assert answers["mira"] == answers["nobody"] == [401, 401, 401, 429]


async def test_a_good_login_is_not_counted(house: House) -> None:
    http = client(house)
    await register(http, "mira")

    answers = [await login(http, "mira") for _ in range(8)]

    assert {200} == {answer.status_code for answer in answers}


async def test_a_session_that_was_planted_is_not_taken_over(house: House) -> None:
    """Session fixation: a login begins a session of its own, whatever cookie came with it."""
    thief, victim = client(house, "198.51.100.7"), client(house)
    await register(victim, "mira")
    planted = (await register(thief, "thief")).json()["jwt"]
    victim.cookies.set("lichen_session", planted)

    answer = await victim.post(
        "/login", headers=OURS, data={"name": "mira", "password": PASSWORD}
    )
    fresh = answer.cookies["lichen_session"]
    thief.cookies.set("lichen_session", planted)
    seen = await thief.get("/settings")

    assert 303 == answer.status_code
    assert fresh != planted
    assert "mira" not in seen.text


@pytest.mark.parametrize("onward", [
    "https://evil.example/", "//evil.example", "/\\evil.example", "/\t/evil.example", "javascript:1",
])
async def test_a_login_leads_to_no_other_site(house: House, onward: str) -> None:
    http = client(house)
    await register(http, "mira")

    answer = await http.post(
        "/login", headers=OURS, data={"name": "mira", "password": PASSWORD, "next": onward}
    )

    assert (303, "/") == (answer.status_code, answer.headers["location"])


@pytest.mark.parametrize("path", [
    "/login", "/signup", "/settings/email", "/settings/delete", "/settings/invites",
    "/settings/second_factor", "/settings/import", "/admin/roles", "/admin/applications/1",
])
async def test_no_form_is_taken_from_another_site(house: House, path: str) -> None:
    http = client(house)
    token = (await register(http, "mira")).json()["jwt"]
    http.cookies.set("lichen_session", token)

    for headers in ({"origin": "https://evil.example"}, {"sec-fetch-site": "cross-site"}):
        answer = await http.post(path, headers=headers, data={"password": PASSWORD})
        assert 403 == answer.status_code

    assert 200 == (await http.get("/settings")).status_code


async def test_old_addresses_and_programs_are_forgotten(house: House) -> None:
    accounts = house.rooms.accounts
    http = client(house)
    token = (await register(http, "mira")).json()["jwt"]
    viewer = await accounts.viewer(token)
    assert viewer is not None
    before = await house.store.read(lambda unit: accounts.logins(unit, viewer))
    kept = await accounts.forget_addresses()
    real, later_us = house.store.clock, house.ground.clock() + 31 * 86_400_000_000
    house.store.clock = lambda: later_us
    try:
        forgotten = await accounts.forget_addresses()
    finally:
        house.store.clock = real
    after = await house.store.read(lambda unit: accounts.logins(unit, viewer))

    assert (before[0].address, kept, forgotten) == ("192.0.2.1", 0, 1)
    assert (after[0].address, after[0].agent) == (None, None)


def gate(proxies: str = "127.0.0.1,10.0.0.0/8") -> Gate:
    return Gate(
        Config(limits=Limits(trusted_proxies=proxies)), clock=FakeClock(),
        rate=lambda kind: (getattr(Rates(), kind), getattr(Rates(), f"{kind}_s")),
    )


@pytest.mark.parametrize(("peer", "said", "found"), [
    ("192.0.2.1", "203.0.113.9", "192.0.2.1"),  # a stranger's word is not believed
    ("127.0.0.1", "203.0.113.9", "203.0.113.9"),
    ("127.0.0.1", "1.2.3.4, 203.0.113.9", "203.0.113.9"),  # only what our own proxy wrote
    ("127.0.0.1", "1.2.3.4, 203.0.113.9, 10.1.2.3", "203.0.113.9"),
    ("127.0.0.1", "not an address", "127.0.0.1"),
    ("127.0.0.1", "", "127.0.0.1"),
])
def test_only_our_own_proxies_are_believed(peer: str, said: str, found: str) -> None:
    assert gate().address(peer, {"x-forwarded-for": said}) == found


@pytest.mark.parametrize(("address", "counted"), [
    ("192.0.2.1", "192.0.2.1"), ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
    ("::ffff:192.0.2.1", "192.0.2.1"), ("testclient", "testclient"),
])
def test_a_customer_of_ipv6_is_counted_once(address: str, counted: str) -> None:
    assert network_of(address) == counted


@given(st.lists(st.floats(0, 30), min_size=1, max_size=80))
def test_no_more_fits_than_the_bucket_and_what_flowed_in(waits: list[float]) -> None:
    """Property: in any time t at most count + t * count / seconds requests are taken."""
    clock = FakeClock()
    buckets, taken, passed = Buckets(clock), 0, 0.0
    for wait in waits:
        clock.advance(seconds=wait)
        passed += wait
        if buckets.wait_s("post", "a", count=6, seconds=600) == 0:
            buckets.take("post", "a", count=6, seconds=600)
            taken += 1

    assert taken <= 6 + passed * 6 / 600 + 1e-6


def test_buckets_are_bounded_and_the_least_used_is_forgotten() -> None:
    buckets = Buckets(FakeClock(), count_max=2)
    for key in ("a", "b", "a", "c"):
        buckets.take("post", key, count=2, seconds=10)

    assert len(buckets) == 2
    assert buckets.wait_s("post", "a", count=2, seconds=10) > 0
    assert buckets.wait_s("post", "b", count=2, seconds=10) == 0


def test_an_account_is_counted_wherever_it_comes_from() -> None:
    one = gate()
    for number in range(6):
        one.check("post", f"192.0.2.{number}", 7)

    with pytest.raises(TooMany) as refused:
        one.check("post", "192.0.2.99", 7)
    one.check("post", "192.0.2.99", 8)

    assert 0 < refused.value.retry_after_s <= 100


async def test_a_house_ends_while_letters_wait(house: House) -> None:
    house.rooms.accounts.ask_reset("nobody@example.org")
    await asyncio.sleep(0)
