"""Votes, saves, hides, joins: by plain forms, and by htmx as fragments."""

import re

import pytest

from tests.faces.pages.garden import Garden, words

pytestmark = pytest.mark.anyio


async def test_a_vote_without_a_script_leads_back_to_where_it_was_cast(garden: Garden) -> None:
    path = await garden.post(await garden.person())
    voter = await garden.person()

    answer = await voter.send(f"{path}/vote", {"value": "1"}, came_from="/?sort=New")

    assert (303, "/?sort=New") == (answer.status_code, answer.headers["location"])


async def test_a_vote_by_htmx_answers_with_the_vote_pair(garden: Garden) -> None:
    path = await garden.post(await garden.person())
    voter = await garden.person()

    up = await voter.send(f"{path}/vote", {"value": "1"}, htmx=True)
    down = await voter.send(f"{path}/vote", {"value": "-1"}, htmx=True)
    none = await voter.send(f"{path}/vote", {"value": "0"}, htmx=True)

    assert ["2 points", "0 points", "1 points"] == [
        re.sub(r"\s+", " ", words(answer.text)).strip() for answer in (up, down, none)
    ]
    assert "find .v" == up.headers["hx-retarget"]
    assert up.text.startswith('<span class="v">')
    assert 'class="up" name="value" value="0"' in up.text, "pressing again takes it back"


async def test_a_comment_is_voted_on_and_kept_the_same_way(garden: Garden) -> None:
    person, other = await garden.person(), await garden.person()
    comment = await garden.comment(person, await garden.post(person), "Here I am.")

    voted = await other.send(f"/comment/{comment}/vote", {"value": "1"}, htmx=True)
    kept = await other.send(f"/comment/{comment}/save", {"value": "1"}, htmx=True)

    assert "2 points" in words(voted.text)
    assert "saved" == words(kept.text).strip()


@pytest.mark.parametrize("value", ["2", "-2", "up", "", "9" * 40, "١"])
async def test_a_vote_that_is_none_is_refused(garden: Garden, value: str) -> None:
    path = await garden.post(await garden.person())

    answer = await (await garden.person()).send(f"{path}/vote", {"value": value})

    assert 400 == answer.status_code


async def test_a_stranger_who_votes_is_shown_the_door_and_the_way_back(garden: Garden) -> None:
    path = await garden.post(await garden.person())
    stranger = garden.stranger()

    plain = await stranger.send(f"{path}/vote", {"value": "1"}, came_from=path)
    htmx = await stranger.send(f"{path}/vote", {"value": "1"}, came_from=path, htmx=True)

    door = f"/login?next={path.replace('/', '%2F')}"
    assert (303, door) == (plain.status_code, plain.headers["location"])
    assert (200, door) == (htmx.status_code, htmx.headers["hx-redirect"])


async def test_a_form_from_another_site_changes_nothing(garden: Garden) -> None:
    person = await garden.person()
    path = await garden.post(person)

    by_site = await person.send(f"{path}/delete", {"value": "1"}, **{
        "sec-fetch-site": "cross-site", "origin": "https://evil.example"
    })
    by_origin = await person.http.post(
        f"{path}/delete", data={"value": "1"}, headers={"origin": "https://evil.example"}
    )
    page = await garden.stranger().see(path)

    assert [403, 403] == [by_site.status_code, by_origin.status_code]
    assert 200 == page.status_code


async def test_a_hidden_post_leaves_my_lists_and_comes_back(garden: Garden) -> None:
    person = await garden.person()
    path = await garden.post(await garden.person(), title="Not for me")
    before = await person.see("/?listing=All&sort=New")

    await person.send(f"{path}/hide", {"value": "1"})
    hidden = await person.see("/?listing=All&sort=New")
    await person.send(f"{path}/hide", {"value": "0"})
    after = await person.see("/?listing=All&sort=New")

    found = [f'href="{path}"' in page.text for page in (before, hidden, after)]
    assert [True, False, True] == found


async def test_a_community_is_joined_and_left(garden: Garden) -> None:
    community = await garden.community(await garden.person())
    person = await garden.person()

    joined = await person.send(f"/c/{community}/subscribe", {"value": "1"}, htmx=True)
    left = await person.send(f"/c/{community}/subscribe", {"value": "0"}, came_from="/communities")

    assert "Leave" in words(joined.text)
    assert "closest .j" == joined.headers["hx-retarget"]
    assert "/communities" == left.headers["location"]


async def test_my_own_post_can_be_taken_away_and_brought_back(garden: Garden) -> None:
    person = await garden.person()
    path = await garden.post(person)

    await person.send(f"{path}/delete", {"value": "1"})
    gone = await garden.stranger().see(path)
    await person.send(f"{path}/delete", {"value": "0"})
    back = await garden.stranger().see(path)

    assert [404, 200] == [gone.status_code, back.status_code]


async def test_what_else_can_be_done_depends_on_who_asks(garden: Garden) -> None:
    author, other = await garden.person(), await garden.person()
    path = await garden.post(author)

    mine, theirs = await author.see(f"{path}/more"), await other.see(f"{path}/more")
    nobodys = await garden.stranger().see(f"{path}/more")

    offers = [
        ["Edit" in words(page.text), "Hide" in words(page.text)]
        for page in (mine, theirs, nobodys)
    ]
    assert [[True, True], [False, True], [False, False]] == offers


async def test_blocking_a_person_can_be_undone(garden: Garden) -> None:
    person, pest = await garden.person(), await garden.person()

    await person.send(f"/u/{pest.name}/block", {"value": "1"})
    blocked = await person.see(f"/u/{pest.name}")
    await person.send(f"/u/{pest.name}/block", {"value": "0"})
    free = await person.see(f"/u/{pest.name}")

    assert "Unblock" in words(blocked.text)
    assert "Unblock" not in words(free.text)


async def test_why_a_post_is_here_is_a_page_and_a_fragment(garden: Garden) -> None:
    person = await garden.person()
    path = await garden.post(person)

    page = await person.see(f"{path}/why?sort=Hot")
    piece = await person.see(f"{path}/why?sort=Hot", **{"HX-Request": "true"})

    assert "<h1>Why is this here?</h1>" in page.text
    assert '<tr><th scope="row">' in piece.text
    assert "next .u" == piece.headers["hx-retarget"]
