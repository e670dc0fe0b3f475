"""Everybody's pictures, and those that are not taken: by forms, and by the house's own API."""

import re

import pytest

from lichen.media import tables
from tests.faces.pages.garden import PASSWORD, URL, Garden, Guest, words
from tests.faces.pages.test_pictures import files, send
from tests.media.pictures import drawn, made

pytestmark = [pytest.mark.anyio, pytest.mark.slow]


@pytest.fixture(scope="module")
async def keeper(garden: Garden) -> Guest:
    guest = Guest(garden.house, "gardener")
    await guest.send("/login", {"name": "gardener", "password": PASSWORD})
    return guest


@pytest.fixture(autouse=True)
async def unblocked(garden: Garden):
    """Leave an empty list: what is drawn for these tests is alike."""
    yield
    await garden.house.store.write(lambda unit: [
        unit.stage(tables.DELETE_BLOCKED, {"gone_id": row.id})
        for row in unit.fetch(tables.BLOCKED, limit=100, offset=0)
    ])


async def call(guest: Guest, method: str, path: str, **asked: object):
    """Ask the house's own API in somebody's name."""
    token = guest.http.cookies.get("lichen_session")
    headers = {"authorization": f"Bearer {token}"} if token else {}
    fields = {"params": asked} if method == "GET" else {"json": asked}
    return await guest.http.request(method, f"/api/lichen/picture/{path}", headers=headers, **fields)


async def uploaded(guest: Guest, content: bytes):
    return await send(guest, "/pictures", {}, file=content, accept="application/json")


async def test_a_picture_is_removed_wherever_it_was_uploaded_and_not_taken_again(
    garden: Garden, keeper: Guest
) -> None:
    mira, otto = await garden.person(), await garden.person()
    content = made("jpg", image=drawn(640, 480, hue=31))
    before = files(garden)
    alias = (await uploaded(mira, content)).json()["alias"]
    await uploaded(otto, content)

    shown = (await keeper.see("/admin/pictures")).text
    answer = await keeper.send(
        f"/admin/pictures/{alias}/delete", {"block": "1", "note": "Known from elsewhere"})
    listed = words((await keeper.see("/admin/blocklist?done=added")).text)
    smaller = await uploaded(otto, made("webp", image=drawn(640, 480, hue=31).resize((320, 240))))

    assert mira.name in shown and otto.name in shown
    assert "/admin/pictures?done=blocked" == answer.headers["location"]
    assert before == files(garden), "both uploads are gone from disk"
    assert "Known from elsewhere" in listed and "By its bytes and its looks" in listed
    assert (400, True) == (smaller.status_code, "not taken here" in smaller.json()["error"])


async def test_a_picture_that_is_picked_is_blocked_without_being_kept(
    garden: Garden, keeper: Guest
) -> None:
    mira, before = await garden.person(), files(garden)
    content = made("png", image=drawn(200, 300, hue=77))

    answer = await send(keeper, "/admin/blocklist", {"note": "A trap"}, file=content)
    refused = await uploaded(mira, content)
    line = re.search(r"/admin/blocklist/(\d+)/delete", (await keeper.see("/admin/blocklist")).text)
    await keeper.send(f"/admin/blocklist/{line[1]}/delete")
    taken = await uploaded(mira, content)

    assert "/admin/blocklist?done=added" == answer.headers["location"]
    assert (400, 200) == (refused.status_code, taken.status_code)
    assert len(before) < len(files(garden))


async def test_programs_do_the_same_by_the_api(garden: Garden, keeper: Guest) -> None:
    mira = await garden.person()
    alias = (await uploaded(mira, made("png", image=drawn(90, 90, hue=120)))).json()["alias"]

    by_file = (await call(keeper, "POST", "block", picture=alias, note="x", remove=True)).json()
    by_looks = (await call(keeper, "POST", "block", picture="f0f0f0f0f0f0f0f0")).json()
    page = (await call(keeper, "GET", "blocked", limit=1)).json()
    gone = await mira.see(f"/pictrs/image/{alias}")
    for one in (by_file, by_looks):
        await call(keeper, "POST", "unblock", id=one["blocked"]["id"])

    assert "f0f0f0f0f0f0f0f0" == by_looks["blocked"]["looks"] and "sha256" not in by_looks["blocked"]
    assert 64 == len(by_file["blocked"]["sha256"])
    assert [by_looks["blocked"]] == page["blocked"] and 2 <= page["count"]
    assert 404 == gone.status_code
    assert page["count"] - 2 == (await call(keeper, "GET", "blocked")).json()["count"]


@pytest.mark.parametrize(("fields", "said"), [
    ({}, "Choose a picture, or name one."), ({"named": "nothing.jpg"}, "no picture of this name"),
    ({"named": "no name at all"}, "no picture of this name"),
    ({"named": "a" * 64, "note": "n" * 1_001}, "1000 characters at most"),
])
async def test_what_names_no_picture_is_refused_and_stays_typed(
    keeper: Guest, fields: dict[str, str], said: str
) -> None:
    answer = await keeper.send("/admin/blocklist", fields)

    assert answer.status_code in (400, 404)
    assert said in words(answer.text)
    assert fields.get("named", "") in answer.text


async def test_only_who_may_purge_pictures_does_any_of_it(garden: Garden, keeper: Guest) -> None:
    mira, stranger, helper = await garden.person(), garden.stranger(), await garden.person()
    alias = (await uploaded(mira, made("png", image=drawn(hue=200)))).json()["alias"]
    await keeper.send("/admin/roles", {
        "name": helper.name, "title": "Weeder", "permission": "purge_pictures"})
    pages = (("GET", "/admin/pictures"), ("GET", "/admin/blocklist"), ("POST", "/admin/blocklist"),
             ("POST", f"/admin/pictures/{alias}/delete"), ("POST", "/admin/blocklist/1/delete"))
    calls = (("GET", "blocked", {}), ("POST", "block", {"picture": alias, "remove": True}),
             ("POST", "unblock", {"id": 1}))
    origin = {"origin": URL, "sec-fetch-site": "same-origin"}

    for method, path in pages:
        assert 403 == (await mira.http.request(method, path, headers=origin)).status_code, path
        turned = await stranger.http.request(method, path, headers=origin)
        assert turned.headers["location"].startswith("/login"), path
    for method, path, asked in calls:
        assert "not_an_admin" == (await call(mira, method, path, **asked)).json()["error"]
        assert 401 == (await call(stranger, method, path, **asked)).status_code
    assert 200 == (await mira.see(f"/pictrs/image/{alias}")).status_code
    assert 200 == (await helper.see("/admin/blocklist")).status_code
    assert "Everybody" in (await helper.see("/places")).text
    assert 303 == (await helper.send(f"/admin/pictures/{alias}/delete")).status_code
    assert 404 == (await mira.see(f"/pictrs/image/{alias}")).status_code
