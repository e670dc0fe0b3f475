"""New accounts: how many pictures a day they upload, by an app and by forms together."""

from collections.abc import AsyncIterator

import pytest

from tests.faces.pages.garden import PASSWORD, Garden, Guest, opened
from tests.faces.pages.test_pictures import send
from tests.media.pictures import drawn, made

pytestmark = [pytest.mark.anyio, pytest.mark.slow]


@pytest.fixture(scope="module")
async def garden(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Garden]:
    async with opened(
        tmp_path_factory.mktemp("garden"), LICHEN_LIMITS_NEWCOMERS="true",
        LICHEN_NEWCOMERS_PICTURES="2",
    ) as here:
        yield here


async def by_app(guest: Guest, hue: int):
    token = {"authorization": f"Bearer {guest.http.cookies['lichen_session']}"}
    files = {"images[]": ("a.png", made("png", image=drawn(hue=hue)), "image/png")}
    return await guest.http.post("/pictrs/image", files=files, headers=token)


async def test_a_newcomers_third_picture_waits_for_tomorrow(garden: Garden) -> None:
    mira = await garden.person()

    first = await by_app(mira, 10)
    second = await send(mira, "/pictures", {}, file=made("png", image=drawn(hue=20)))
    deleted = first.json()["files"][0]
    await mira.http.get(
        f"/pictrs/image/delete/{deleted['delete_token']}/{deleted['file']}")
    third = await by_app(mira, 30)
    shown = await send(mira, "/pictures", {}, file=made("png", image=drawn(hue=40)))

    assert (201, 303) == (first.status_code, second.status_code)
    assert (429, "rate_limit_error") == (third.status_code, third.json()["error"])
    assert 0 < int(third.headers["retry-after"]) <= 86_400
    assert "at most 2 pictures a day. The next day begins in" in third.json()["message"]
    assert 429 == shown.status_code
    assert "at most 2 pictures a day" in shown.text


async def test_administrators_upload_as_many_as_they_like(garden: Garden) -> None:
    keeper = Guest(garden.house, "gardener")
    await keeper.send("/login", {"name": "gardener", "password": PASSWORD})

    answers = [(await by_app(keeper, hue)).status_code for hue in (50, 60, 70)]

    assert [201] * 3 == answers
