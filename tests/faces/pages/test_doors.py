"""Joining, coming in, going out: and a stranger's words wait for them at the door."""

import re
from html import unescape

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lichen.faces.pages.visit import safe_path
from tests.faces.pages.garden import PASSWORD, Garden, words

pytestmark = pytest.mark.anyio


def first_form(html: str) -> dict[str, str]:
    """Return the hidden fields of the form that joins."""
    form = html.partition('action="/signup"')[2].partition("</form>")[0]
    return {
        name: unescape(value)
        for name, value in re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)"', form)
    }


async def test_joining_takes_a_name_and_a_password(garden: Garden) -> None:
    page = await garden.stranger().see("/signup?next=/communities")

    fields = re.findall(r'<input id="f-\w+" name="(\w+)"', page.text)

    assert ["name", "password"] == fields
    assert "@" not in re.search(r"<main.*</main>", page.text, re.DOTALL)[0]  # type: ignore[index]


async def test_whoever_joins_goes_on_to_where_they_were(garden: Garden) -> None:
    stranger = garden.stranger()
    fields = {"name": "newcomer", "password": PASSWORD, "next": "/communities?sort=New"}

    answer = await stranger.send("/signup", fields)
    inbox = await stranger.see("/inbox")

    assert (303, "/communities?sort=New") == (answer.status_code, answer.headers["location"])
    assert "httponly" in answer.headers["set-cookie"].lower()
    assert "samesite=lax" in answer.headers["set-cookie"].lower()
    assert 200 == inbox.status_code


async def test_a_strangers_comment_is_published_when_they_have_joined(garden: Garden) -> None:
    """Shared link, joining page, their own words: three screens and two fields."""
    path = await garden.post(await garden.person())
    stranger = garden.stranger()

    asked = await stranger.send(f"{path}/comment", {"content": "I *had* to say it."})
    hidden = first_form(asked.text)
    joined = await stranger.send("/signup", hidden | {"name": "sayer", "password": PASSWORD})
    page = await stranger.see(joined.headers["location"].partition("#")[0])

    assert "Join and publish" in asked.text
    assert joined.headers["location"].startswith(f"{path}#c")
    assert "I <em>had</em> to say it." in page.text


async def test_a_strangers_words_survive_a_refused_name(garden: Garden) -> None:
    path = await garden.post(await garden.person())
    stranger = garden.stranger()
    asked = await stranger.send(f"{path}/comment", {"content": "Keep <this>."})
    hidden = first_form(asked.text)

    refused = await stranger.send(
        "/signup", hidden | {"name": "a b", "password": PASSWORD}
    )

    assert 400 == refused.status_code
    assert 'value="Keep &lt;this&gt;."' in refused.text
    assert 'value="a b"' in refused.text
    assert "this one has 3 characters" in words(refused.text)


async def test_an_old_hand_can_log_in_from_the_joining_page_and_keep_their_words(
    garden: Garden,
) -> None:
    person = await garden.person()
    path = await garden.post(person)
    stranger = garden.stranger()
    draft = {"draft": "Me again.", "draft_at": f"{path.rpartition('/')[2]}.0", "next": path}

    asked = await stranger.send("/login", draft | {"ask": "1"})
    entered = await stranger.send(
        "/login", draft | {"name": str(person.name), "password": PASSWORD}
    )

    assert "Log in and publish" in asked.text
    assert entered.headers["location"].startswith(f"{path}#c")


async def test_a_wrong_password_keeps_the_name_and_not_the_password(garden: Garden) -> None:
    person = await garden.person()

    refused = await garden.stranger().send(
        "/login", {"name": str(person.name), "password": "not this one"}
    )

    assert 401 == refused.status_code
    assert f'value="{person.name}"' in refused.text
    assert "not this one" not in refused.text
    assert 'role="alert"' in refused.text


async def test_logging_out_ends_the_session_itself(garden: Garden) -> None:
    person = await garden.person()
    cookie = person.http.cookies["lichen_session"]

    left = await person.send("/logout")
    person.http.cookies.set("lichen_session", cookie)
    inbox = await person.see("/inbox")

    assert 303 == left.status_code
    assert (303, "/login?next=%2Finbox") == (inbox.status_code, inbox.headers["location"])


async def test_the_first_link_is_used_up(garden: Garden) -> None:
    """An administrator exists here, so no link makes another one."""
    page = await garden.stranger().see("/setup/whatever")

    refused = await garden.stranger().send(
        "/setup/whatever", {"name": "usurper", "password": PASSWORD}
    )

    assert "The first stone" in page.text
    assert 403 == refused.status_code


async def test_a_password_changed_ends_every_other_login(garden: Garden) -> None:
    person = await garden.person()
    elsewhere = garden.stranger()
    await elsewhere.send("/login", {"name": str(person.name), "password": PASSWORD})

    changed = await person.send(
        "/settings/password", {"old": PASSWORD, "new": "four quite odd words"}
    )

    assert "/settings?done=password" == changed.headers["location"]
    assert 200 == (await person.see("/inbox")).status_code
    assert 303 == (await elsewhere.see("/inbox")).status_code


async def test_one_of_my_logins_can_be_ended_from_the_list(garden: Garden) -> None:
    person = await garden.person()
    elsewhere = garden.stranger()
    await elsewhere.send("/login", {"name": str(person.name), "password": PASSWORD})
    settings = await person.see("/settings")
    other = re.search(r'name="session" value="([^"]+)"', settings.text)
    assert other is not None

    ended = await person.send("/settings/revoke", {"session": other[1]})

    assert 303 == ended.status_code
    assert 303 == (await elsewhere.see("/inbox")).status_code
    assert 200 == (await person.see("/inbox")).status_code


@given(text=st.one_of(
    st.text(), st.sampled_from(["//evil.example", "/\\evil.example", "https://evil.example", "",
                                "/\t/evil.example", "javascript:alert(1)", "/post/1?sort=New"]),
))
def test_the_way_on_never_leads_elsewhere(text: str) -> None:
    """An open redirect would lend our name to whoever writes the link."""
    path = safe_path(text)

    assert path.startswith("/")
    assert not path.startswith(("//", "/\\"))
    assert path.isprintable()
