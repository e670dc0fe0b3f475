"""Coming in with an account on another server by a code: two houses, over HTTP."""

import pytest

from tests.federation.neighbours import Browser, Neighbour, code_in

pytestmark = pytest.mark.anyio


class Traveller:
    """Somebody with an account at home, at a browser here."""

    def __init__(self, home: Neighbour, here: Neighbour, name: str) -> None:
        self.home, self.here, self.name = home, here, name
        self.at_home, self.browser = home.browser(), here.browser()
        self.letters = 0

    @property
    def address(self) -> str:
        return f"@{self.name}@{self.home.authority}"

    async def asks(self, browser: Browser | None = None) -> str:
        """Ask for a code here, and read it at home."""
        answer = await (browser or self.browser).send("/login/elsewhere", address=self.address)
        assert 303 == answer.status_code, answer.text
        assert "/login/elsewhere/code" == answer.headers["location"]
        self.letters += 1
        letter = await self.home.letter(self.at_home, number=self.letters)
        assert "doorkeeper" == letter.creator.name
        assert "ignore it" in letter.message.content
        return code_in(letter)

    async def comes_in(self, name: str) -> None:
        """Ask, prove it, and choose a name."""
        answer = await self.browser.send("/login/elsewhere/code", code=await self.asks())
        assert "/login/elsewhere/enter" == answer.headers.get("location"), answer.text
        answer = await self.browser.send("/login/elsewhere/enter", name=name)
        assert 303 == answer.status_code, answer.text


@pytest.fixture
async def traveller(home: Neighbour, here: Neighbour, request: pytest.FixtureRequest) -> Traveller:
    one = Traveller(home, here, f"t{abs(hash(request.node.name)) % 10**8}")
    await one.at_home.join(one.name)
    return one


async def test_who_proves_an_account_elsewhere_has_one_of_its_own_here(
    traveller: Traveller, here: Neighbour
) -> None:
    await traveller.comes_in("wanderer")

    viewer = await here.viewer(traveller.browser)
    accounts = here.house.rooms.accounts
    links, aliases = await here.house.store.read(
        lambda unit: (accounts.links(unit, viewer), accounts.aliases(unit, [viewer.id]))
    )
    assert "wanderer" == viewer.actor.name
    assert viewer.actor.local
    assert [traveller.name] == [link.actor.name for link in links]
    assert (links[0].actor.ap_id,) == aliases[viewer.id]
    settings = (await traveller.browser.see("/settings")).text
    assert f"signed in through {traveller.address}" in settings


async def test_the_next_time_the_same_account_is_entered_without_a_name(
    traveller: Traveller, here: Neighbour
) -> None:
    await traveller.comes_in("returning")
    again = here.browser()

    answer = await again.send("/login/elsewhere/code", code=await traveller.asks(again))

    assert "/" == answer.headers.get("location"), answer.text
    assert "returning" == (await here.viewer(again)).actor.name


async def test_a_code_counts_once(traveller: Traveller) -> None:
    code = await traveller.asks()
    handle = traveller.browser.http.cookies["lichen_knock"]
    await traveller.browser.send("/login/elsewhere/code", code=code)
    again = await traveller.browser.send("/login/elsewhere/code", code=code)
    await traveller.browser.send("/login/elsewhere/enter", name="once_only")
    traveller.browser.http.cookies.set("lichen_knock", handle, path="/login/elsewhere")

    used = await traveller.browser.send("/login/elsewhere/enter", name="once_more")

    assert 401 == again.status_code
    assert 401 == used.status_code


async def test_a_code_is_worth_nothing_in_another_browser(
    traveller: Traveller, here: Neighbour
) -> None:
    code = await traveller.asks()
    thief = here.browser()

    answer = await thief.send("/login/elsewhere/code", code=code)

    assert 401 == answer.status_code


async def test_five_wrong_codes_end_the_try(traveller: Traveller) -> None:
    code = await traveller.asks()

    wrong = [await traveller.browser.send("/login/elsewhere/code", code="AAAAA-AAAAA")
             for _ in range(5)]
    right = await traveller.browser.send("/login/elsewhere/code", code=code)

    assert [401] * 5 == [answer.status_code for answer in wrong]
    assert 401 == right.status_code
    assert "begin again" in right.text


async def test_nobody_has_a_strangers_inbox_filled(traveller: Traveller, here: Neighbour) -> None:
    answers = [await here.browser().send("/login/elsewhere", address=traveller.address)
               for _ in range(6)]

    assert [303] * 5 + [429] == [answer.status_code for answer in answers]


async def test_an_account_is_linked_by_who_is_logged_in_and_opens_it(
    traveller: Traveller, here: Neighbour
) -> None:
    await traveller.browser.join("settled")

    answer = await traveller.browser.send("/login/elsewhere/code", code=await traveller.asks())

    assert "/settings/elsewhere?done=linked" == answer.headers.get("location"), answer.text
    assert traveller.address in (await traveller.browser.see("/settings/elsewhere")).text
    other = here.browser()
    await other.send("/login/elsewhere/code", code=await traveller.asks(other))
    assert "settled" == (await here.viewer(other)).actor.name


async def test_a_link_asked_for_by_one_is_not_finished_by_another(
    traveller: Traveller, here: Neighbour
) -> None:
    """Else a browser with a planted cookie would link its account with a thief's."""
    await traveller.browser.join("first_one")
    code = await traveller.asks()
    victim = await here.browser().join("second_one")
    victim.http.cookies.set(
        "lichen_knock", traveller.browser.http.cookies["lichen_knock"], path="/login/elsewhere"
    )

    answer = await victim.send("/login/elsewhere/code", code=code)

    assert 401 == answer.status_code
    assert traveller.address not in (await victim.see("/settings/elsewhere")).text


async def test_the_last_way_in_is_not_removed(traveller: Traveller, here: Neighbour) -> None:
    await traveller.comes_in("without_password")
    viewer = await here.viewer(traveller.browser)
    links = await here.house.store.read(
        lambda unit: here.house.rooms.accounts.links(unit, viewer)
    )

    kept = await traveller.browser.send(
        "/settings/elsewhere/remove", link=str(links[0].actor.id)
    )
    changed = await traveller.browser.send("/settings/password", old="", new=PASSWORD_NEW)
    removed = await traveller.browser.send(
        "/settings/elsewhere/remove", link=str(links[0].actor.id)
    )

    assert "Choose a password first" in kept.text
    assert 303 == changed.status_code, changed.text
    assert 303 == removed.status_code, removed.text


async def test_no_log_holds_a_code_nor_a_handle(traveller: Traveller, here: Neighbour) -> None:
    code = await traveller.asks()
    handle = traveller.browser.http.cookies["lichen_knock"]
    folder = here.house.ground.config.server.data

    kept = [path for path in folder.rglob("*") if path.is_file()
            and (code.encode() in (held := path.read_bytes()) or handle.encode() in held)]

    assert [] == kept


async def test_a_banned_person_is_not_let_in_by_its_home(
    traveller: Traveller, here: Neighbour
) -> None:
    await traveller.comes_in("to_be_banned")
    viewer = await here.viewer(traveller.browser)
    again = here.browser()
    code = await traveller.asks(again)
    await here.house.store.write(
        lambda unit: here.house.rooms.accounts.ban(unit, None, viewer.id, banned=True)
    )

    answer = await again.send("/login/elsewhere/code", code=code)

    assert 403 == answer.status_code
    assert await here.viewer(again) is None


async def test_a_closed_site_takes_nobody_new_by_this_door(
    traveller: Traveller, here: Neighbour
) -> None:
    import msgspec

    accounts = here.house.rooms.accounts
    code = await traveller.asks()
    await traveller.browser.send("/login/elsewhere/code", code=code)
    before = accounts.current_site.settings
    closed = msgspec.structs.replace(before, registration_mode="Closed")
    await here.house.store.write(lambda unit: accounts.edit_site(unit, None, closed))
    try:
        answer = await traveller.browser.send("/login/elsewhere/enter", name="too_late")
    finally:
        await here.house.store.write(lambda unit: accounts.edit_site(unit, None, before))

    assert 400 == answer.status_code
    assert "takes no new members" in answer.text


@pytest.mark.parametrize(
    "address", ["nonsense", "@nobody@{home}", "@x@127.0.0.1:1", "@gardener@{here}"]
)
async def test_who_is_not_there_is_told_so(
    home: Neighbour, here: Neighbour, address: str
) -> None:
    answer = await here.browser().send("/login/elsewhere", address=address.format(
        home=home.authority, here=here.authority
    ))

    assert answer.status_code in (400, 404, 503)
    assert "Go on" in answer.text


async def test_apps_come_in_by_the_api(traveller: Traveller, here: Neighbour) -> None:
    app = here.browser().http
    begun = await app.post("/api/lichen/user/elsewhere", json={"address": traveller.address})
    handle = begun.json()["handle"]
    code = code_in(await traveller.home.letter(traveller.at_home))

    proof = await app.post("/api/lichen/user/elsewhere/code", json={
        "handle": handle, "code": code.lower().replace("-", " ")})
    entered = await app.post("/api/lichen/user/elsewhere/enter", json={
        "handle": handle, "username": "by_app"})
    links = await app.get("/api/lichen/user/links", headers={
        "authorization": f"Bearer {entered.json()['jwt']}"})

    assert {"known": False, "asks_totp": False, "linked": False} == {
        name: proof.json()[name] for name in ("known", "asks_totp", "linked")}
    assert [begun.json()["actor_id"]] == [one["actor_id"] for one in links.json()["links"]]


PASSWORD_NEW = "four rather odd words"
