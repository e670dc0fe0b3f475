"""Applications, keys and letters on pages, by forms as browsers send them without a script."""

import re
from collections.abc import AsyncIterator
from html import unescape

import msgspec
import pytest

from lichen.accounts import SiteSettings
from lichen.accounts.totp import code_at
from tests.faces.pages.garden import PASSWORD, Garden, Guest, opened

pytestmark = pytest.mark.anyio


@pytest.fixture
async def garden(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Garden]:
    async with opened(tmp_path_factory.mktemp("reception")) as here:
        yield here


async def ask(garden: Garden, **choices: object) -> SiteSettings:
    """Change what the site asks of newcomers."""
    house = garden.house
    settings = msgspec.structs.replace(house.rooms.accounts.current_site.settings, **choices)
    await house.store.write(lambda unit: house.rooms.accounts.edit_site(unit, None, settings))
    return settings


async def admin(garden: Garden) -> Guest:
    guest = garden.stranger()
    await garden.house.rooms.accounts.create_admin("root", PASSWORD)
    answer = await guest.send("/login", {"name": "root", "password": PASSWORD})
    assert 303 == answer.status_code
    return guest


async def test_an_application_waits_is_denied_and_says_why(garden: Garden) -> None:
    root, stranger = await admin(garden), garden.stranger()
    await ask(garden, registration_mode="RequireApplication", application_question="Why moss?")

    form = await stranger.see("/signup")
    waiting = await stranger.send("/signup", {
        "name": "mira", "password": PASSWORD, "answer": "It is <soft>.",
    })
    listed = await root.see("/admin/applications")
    path = re.search(r'action="(/admin/applications/\d+)"', listed.text)
    assert path
    denied = await root.send(path[1], {"approve": "0", "reason": "Say more."})
    door = await stranger.send("/login", {"name": "mira", "password": PASSWORD})
    empty = await root.see("/admin/applications")

    assert "Why moss?" in form.text
    assert (202, True) == (waiting.status_code, "waiting for approval" in waiting.text)
    assert "It is &lt;soft&gt;." in listed.text
    assert 303 == denied.status_code
    assert (403, True) == (door.status_code, "Say more." in door.text)
    assert "Nobody waits" in empty.text


async def test_only_who_may_approve_sees_applications_roles_and_the_tree(garden: Garden) -> None:
    person = await garden.person()

    answers = [await person.see(path) for path in
               ("/admin/applications", "/admin/roles", "/admin/invites")]

    assert [403] * 3 == [answer.status_code for answer in answers]


async def test_the_joining_page_asks_only_what_the_site_asks(garden: Garden) -> None:
    stranger = garden.stranger()
    plain = await stranger.see("/signup")
    await ask(garden, captcha_enabled=True, invite_only=True, require_email_verification=True)

    full = await stranger.see("/signup?invite=abc")

    for name in ("email", "invite", "captcha"):
        assert f'name="{name}"' not in plain.text
        assert f'name="{name}"' in full.text
    assert "data:image/png;base64," in full.text
    assert "data:audio/wav;base64," in full.text


async def test_an_invitation_made_on_a_page_lets_somebody_in(garden: Garden) -> None:
    root, stranger = await admin(garden), garden.stranger()
    await ask(garden, invite_only=True)
    made = await root.send("/settings/invites", {"uses": "1", "days": "7"})
    page = await root.see("/settings/invites")
    code = re.search(r"signup\?invite=(\w+)", page.text)
    assert code

    joined = await stranger.send(
        "/signup", {"name": "mira", "password": PASSWORD, "invite": code[1]}
    )
    tree = await root.see("/admin/invites")

    assert (303, 303) == (made.status_code, joined.status_code)
    assert "mira" in tree.text


async def test_a_second_factor_is_set_up_on_its_page_and_asked_at_the_door(
    garden: Garden,
) -> None:
    person = await garden.person()
    begun = await person.send("/settings/second_factor", {"step": "begin"})
    address = unescape(re.search(r'name="address" value="([^"]+)"', begun.text)[1])  # type: ignore[index]
    secret = address.partition("secret=")[2].partition("&")[0]
    now = garden.house.ground.clock() // 30_000_000

    done = await person.send("/settings/second_factor", {
        "step": "on", "address": address, "code": code_at(secret, now),
    })
    codes = re.findall(r"<code>([a-z2-7]{8})</code>", done.text)
    fields = {"name": str(person.name), "password": PASSWORD}
    asked = await garden.stranger().send("/login", fields)
    entered = await garden.stranger().send("/login", fields | {"code": codes[0]})

    assert 10 == len(codes)
    assert 'name="code"' in asked.text
    assert 303 == entered.status_code


async def test_an_account_is_deleted_with_what_it_wrote(garden: Garden) -> None:
    """Sessions end, the name is not given again, posts and comments are gone."""
    person = await garden.person()
    path = await garden.post(person, title="Words that go")
    await garden.comment(person, path, "These go too.")

    wrong = await person.send("/settings/delete", {"password": "not it at all"})
    gone = await person.send(
        "/settings/delete", {"password": PASSWORD, "delete_content": "1"}
    )
    post = await garden.stranger().see(path)
    again = await garden.stranger().send(
        "/signup", {"name": str(person.name), "password": PASSWORD}
    )

    assert 401 == wrong.status_code
    assert (303, "/") == (gone.status_code, gone.headers["location"])
    assert 404 == post.status_code
    assert 409 == again.status_code
    house = garden.house
    rows = await house.store.read(lambda unit: house.rooms.accounts.local_persons_named(
        unit, [str(person.name)]
    ))
    assert rows[0].deleted


async def test_a_forgotten_password_says_the_same_to_everybody(garden: Garden) -> None:
    stranger = garden.stranger()

    known = await stranger.send("/forgotten", {"email": "mira@example.org"})
    unknown = await stranger.send("/forgotten", {"email": "nobody@example.org"})

    assert 200 == known.status_code == unknown.status_code
    assert known.text == unknown.text


async def test_a_wrong_link_says_what_to_do(garden: Garden) -> None:
    stranger = garden.stranger()

    verify = await stranger.send("/verify_email/nothing", {})
    change = await stranger.send("/password_change/nothing", {"password": PASSWORD})

    assert (404, 404) == (verify.status_code, change.status_code)
    assert "ask for a new one" in verify.text
    assert "Ask for a new link" in change.text
