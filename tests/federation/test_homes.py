"""Coming in by another server's own login, and homes and browsers that cheat."""

import re
from collections.abc import AsyncIterator
from html import unescape

import httpx
import pytest

from tests.federation.neighbours import Browser, Neighbour
from tests.federation.oauth_home import OAuthHome

pytestmark = pytest.mark.anyio


@pytest.fixture
async def masto() -> AsyncIterator[OAuthHome]:
    one = OAuthHome()
    stop = await one.start()
    one.lives_here("anna")
    one.lives_here("eve")
    yield one
    await stop()


async def leads_to(browser: Browser, masto: OAuthHome, name: str = "anna") -> str:
    """Ask to come in, and return the address over there that the browser is led to."""
    answer = await browser.send("/login/elsewhere", address=f"@{name}@{masto.authority}")
    assert 200 == answer.status_code, answer.text
    found = re.search(r'href="([^"]+/oauth/authorize[^"]+)"', answer.text)
    assert found is not None, answer.text
    return unescape(found[1])


async def says_yes(url: str) -> str:
    """Say yes over there, and return where the browser is sent back to."""
    async with httpx.AsyncClient() as there:
        answer = await there.get(url)
    assert 302 == answer.status_code, answer.text
    return answer.headers["location"]


async def test_who_is_logged_in_at_home_comes_in_without_a_code(
    here: Neighbour, masto: OAuthHome
) -> None:
    browser = here.browser()
    back = await says_yes(await leads_to(browser, masto))

    answer = await browser.see(back.removeprefix(here.url))
    entered = await browser.send("/login/elsewhere/enter", name="anna_here")

    assert "/login/elsewhere/enter" == answer.headers.get("location"), answer.text
    assert 303 == entered.status_code, entered.text
    assert "anna_here" == (await here.viewer(browser)).actor.name
    assert {} == masto.tokens
    assert 1 == len(masto.revoked)


async def test_a_home_is_registered_with_once_and_asks_for_the_least(
    here: Neighbour, masto: OAuthHome
) -> None:
    for _ in range(2):
        url = await leads_to(here.browser(), masto)

    assert ["profile"] == [client["scope"] for client in masto.clients.values()]
    assert [f"{here.url}/login/elsewhere/back"] == [
        client["redirect_uri"] for client in masto.clients.values()]
    assert url.startswith(f"{masto.url}/oauth/authorize?")


async def test_a_home_that_names_another_of_its_people_lets_nobody_in(
    here: Neighbour, masto: OAuthHome
) -> None:
    browser = here.browser()
    masto.logged_in = "eve"

    answer = await browser.see((await says_yes(await leads_to(browser, masto))).removeprefix(
        here.url))

    assert 403 == answer.status_code
    assert "somebody else" in answer.text
    assert "address" in answer.text
    assert 401 == (await browser.send("/login/elsewhere/enter", name="eve_here")).status_code
    assert {} == masto.tokens


@pytest.mark.parametrize("account", [
    {"uri": "https://mastodon.example/users/anna"},  # an actor of another server
    {"uri": None, "acct": "anna@mastodon.example"},
    {"uri": None, "acct": "eve"},
    {"uri": None, "acct": None},
    {"uri": ["x"], "acct": {}},
], ids=["other_host", "other_acct", "other_name", "nothing", "nonsense"])
async def test_what_a_home_says_of_others_proves_nothing(
    here: Neighbour, masto: OAuthHome, account: dict[str, object]
) -> None:
    masto.account = account
    browser = here.browser()

    answer = await browser.see((await says_yes(await leads_to(browser, masto))).removeprefix(
        here.url))

    assert 403 == answer.status_code
    assert 401 == (await browser.send("/login/elsewhere/enter", name="nobody_x")).status_code


async def test_older_homes_are_believed_by_the_name_that_webfinger_knows(
    here: Neighbour, masto: OAuthHome
) -> None:
    masto.account = {"uri": None}
    browser = here.browser()

    answer = await browser.see((await says_yes(await leads_to(browser, masto))).removeprefix(
        here.url))

    assert "/login/elsewhere/enter" == answer.headers.get("location"), answer.text


@pytest.mark.parametrize("change", [
    lambda back: back.replace("state=", "state=x"),
    lambda back: re.sub(r"&?state=[^&]*", "", back),
    lambda back: re.sub(r"code=[^&]*", "code=guessed", back),
    lambda back: re.sub(r"code=[^&]*", "error=access_denied", back),
    lambda back: f"{back}&iss=https%3A%2F%2Fevil.example%2F",
], ids=["state", "no_state", "code", "denied", "issuer"])
async def test_a_way_back_that_was_tampered_with_lets_nobody_in(
    here: Neighbour, masto: OAuthHome, change
) -> None:
    browser = here.browser()
    back = await says_yes(await leads_to(browser, masto))

    answer = await browser.see(change(back).removeprefix(here.url))

    assert answer.status_code in (401, 403), answer.text
    assert 401 == (await browser.send("/login/elsewhere/enter", name="nobody_y")).status_code


async def test_a_way_back_counts_once_and_in_the_browser_that_began_alone(
    here: Neighbour, masto: OAuthHome
) -> None:
    """Else a link would log its reader in as whoever made it (login CSRF, RFC 6749 §10.12)."""
    browser, victim = here.browser(), here.browser()
    back = (await says_yes(await leads_to(browser, masto))).removeprefix(here.url)
    await leads_to(victim, masto, "eve")

    planted = await victim.see(back)
    first = await browser.see(back)
    replayed = await browser.see(back)

    assert 401 == planted.status_code
    assert "/login/elsewhere/enter" == first.headers.get("location"), first.text
    assert 401 == replayed.status_code


@pytest.mark.parametrize("endpoint", [
    "authorization_endpoint", "token_endpoint", "app_registration_endpoint",
    "revocation_endpoint",
])
async def test_a_home_that_names_another_server_is_not_followed_there(
    here: Neighbour, masto: OAuthHome, endpoint: str
) -> None:
    """An open redirect, or a way to have secrets posted to others; a code is sent instead."""
    masto.metadata = {endpoint: "https://evil.example/oauth"}

    answer = await here.browser().send("/login/elsewhere", address=f"@anna@{masto.authority}")

    assert "evil.example" not in answer.text
    assert {} == masto.clients
    assert answer.status_code in (303, 400, 503), answer.text


async def test_no_log_and_no_file_but_the_rows_holds_what_a_home_gave(
    here: Neighbour, masto: OAuthHome
) -> None:
    browser = here.browser()
    back = await says_yes(await leads_to(browser, masto))
    await browser.see(back.removeprefix(here.url))
    folder = here.house.ground.config.server.data

    kept = [path.name for path in folder.rglob("*") if path.is_file()
            and not path.name.startswith("lichen.sqlite")
            and any(secret in path.read_bytes() for secret in (b"hush ", b"token "))]

    assert [] == kept
