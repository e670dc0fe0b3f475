"""My pictures, and pictures in what is written: with forms alone, as a browser without script."""

import re

import pytest

from tests.faces.pages.garden import URL, Garden, Guest, words
from tests.media.pictures import MARKER, drawn, made

pytestmark = [pytest.mark.anyio, pytest.mark.slow]


async def send(
    guest: Guest, path: str, fields: dict[str, str], *, file: bytes | None = None,
    name: str = "picture", **headers: str,
):
    """Send a form as multipart, as its button with `formenctype` does."""
    parts = {key: (None, value) for key, value in fields.items()}
    parts[name] = ("IMG_1.jpg", file) if file is not None else ("", b"")
    return await guest.http.post(path, files=parts, headers={
        "origin": URL, "sec-fetch-site": "same-origin", **headers})


def files(garden: Garden) -> list[str]:
    folder = garden.house.ground.config.server.data / "pictures"
    return sorted(path.name for path in folder.rglob("*") if path.is_file())


async def test_a_picture_is_uploaded_listed_deleted_and_gone_from_disk(garden: Garden) -> None:
    mira = await garden.person()
    before = files(garden)

    answer = await send(mira, "/pictures", {}, file=made("jpg", image=drawn(700, 500)))
    listed = (await mira.see("/pictures")).text
    alias = re.search(r'action="/pictures/([^/"]+)/delete"', listed)
    assert alias is not None
    between = files(garden)
    gone = await mira.send(f"/pictures/{alias[1]}/delete")

    assert (answer.status_code, answer.headers["location"]) == (303, "/pictures")
    assert "700 × 500 · JPG" in words(listed)
    assert len(between) > len(before)
    assert gone.headers["location"] == "/pictures?done=deleted"
    assert files(garden) == before
    assert "No pictures yet" in words((await mira.see("/pictures")).text)


async def test_nobody_sees_or_deletes_anothers_pictures(garden: Garden) -> None:
    mira, otto = await garden.person(), await garden.person()
    await send(mira, "/pictures", {}, file=made("png", image=drawn(hue=11)))
    alias = re.search(r"/pictures/([^/]+)/delete", (await mira.see("/pictures")).text)[1]

    stolen = await otto.send(f"/pictures/{alias}/delete")

    assert stolen.status_code == 404
    assert alias not in (await otto.see("/pictures")).text
    assert (await garden.stranger().see("/pictures")).headers["location"].startswith("/login")
    assert (await mira.see(f"/pictrs/image/{alias}")).status_code == 200


async def test_adding_a_picture_returns_the_form_with_all_that_was_typed(garden: Garden) -> None:
    mira = await garden.person()
    fields = {"community": "moss", "name": "A find", "url": "https://example.org/x",
              "body": "Look:", "picture_alt": "Moss [green]", "picture_add": "1"}

    page = (await send(mira, "/create_post", fields, file=made("jpg"))).text

    assert 'value="A find"' in page
    assert 'value="moss"' in page
    assert re.search(r"Look:\n\n!\[Moss \\\[green\\\]\]\(http://garden.example/pictrs/image/[\w-]+"
                     r"\.jpg\)", page)


async def test_a_post_without_a_link_gets_the_picture_as_what_it_is_about(garden: Garden) -> None:
    mira = await garden.person()
    fields = {"name": "A find", "url": "", "picture_alt": "Moss", "picture_add": "1"}

    page = (await send(mira, "/create_post", fields, file=made("png"))).text

    assert re.search(r'name="url" type="url" value="http://garden.example/pictrs/image/', page)
    assert 'name="alt_text" value="Moss"' in page


async def test_a_picture_waits_for_its_words(garden: Garden) -> None:
    mira = await garden.person()
    path = await garden.post(mira)

    asked = (await send(mira, f"{path}/comment", {"content": "Hm.", "picture_add": "1"},
                        file=made("jpg"))).text
    kept = re.search(r'name="picture_kept" value="([^"]+)"', asked)
    assert kept is not None
    added = (await send(mira, f"{path}/comment", {
        "content": "Hm.", "picture_add": "1", "picture_kept": kept[1], "picture_alt": "A cat",
    })).text

    assert "people who cannot see it" in words(asked)
    assert "Hm." in asked
    assert f"![A cat](http://garden.example/pictrs/image/{kept[1]})" in added


async def test_what_is_no_picture_keeps_what_was_typed(garden: Garden) -> None:
    mira = await garden.person()
    path = await garden.post(mira)

    page = (await send(mira, f"{path}/comment", {
        "content": "My long words.", "picture_add": "1", "picture_alt": "x",
    }, file=b"<svg><script>alert(1)</script></svg>")).text

    assert "My long words." in page
    assert "none of them" in words(page)


async def test_a_comment_with_a_picture_shows_it(garden: Garden) -> None:
    mira = await garden.person()
    path = await garden.post(mira)
    page = (await send(mira, f"{path}/comment", {
        "content": "Here:", "picture_add": "1", "picture_alt": "A cat"}, file=made("jpg"))).text
    content = re.search(r"<textarea[^>]*>(.*?)</textarea>", page, re.DOTALL)[1]

    await garden.comment(mira, path, content)

    assert re.search(r'<img src="http://garden.example/pictrs/image/[^"]+" alt="A cat"',
                     (await mira.see(path)).text)


async def test_a_chosen_avatar_is_shown_and_the_one_before_is_deleted(garden: Garden) -> None:
    mira = await garden.person()
    fields = {"display_name": "Mira", "bio": "", "avatar": "", "banner": ""}

    async def choose(hue: int) -> str:
        answer = await send(mira, "/settings/profile", fields, name="avatar_file",
                            file=made("jpg", image=drawn(hue=hue), secret=True))
        assert answer.status_code == 303, answer.text
        found = re.search(r'name="avatar"[^>]*value="http://garden.example([^"]+)"',
                          (await mira.see("/settings")).text)
        assert found is not None
        return found[1]

    first, second = await choose(5), await choose(50)
    await garden.house.followers.wait_applied(garden.house.log.last_seq, timeout_ms=5_000)
    gone, shown = await mira.http.get(first), await mira.http.get(second)

    assert (gone.status_code, shown.status_code) == (404, 200)
    assert MARKER not in shown.content


async def test_a_community_gets_its_icon(garden: Garden) -> None:
    mira = await garden.person()
    name = await garden.community(mira)

    answer = await send(mira, f"/c/{name}/edit", {"title": "Moss", "icon": "", "banner": ""},
                        name="icon_file", file=made("webp"))

    assert answer.status_code == 303, answer.text
    assert "/pictrs/image/" in (await mira.see(f"/c/{name}")).text


async def test_scripts_are_told_the_address_or_what_is_wrong(garden: Garden) -> None:
    mira = await garden.person()
    asked = {"accept": "application/json"}

    done = await send(mira, "/pictures", {}, file=made("png"), **asked)
    refused = await send(mira, "/pictures", {}, file=b"nothing", **asked)

    assert done.json()["url"].startswith("http://garden.example/pictrs/image/")
    assert refused.status_code == 400
    assert "none of them" in refused.json()["error"]


async def test_another_site_uploads_nothing(garden: Garden) -> None:
    mira = await garden.person()

    answer = await send(mira, "/pictures", {}, file=made("png"), **{
        "origin": "https://evil.example", "sec-fetch-site": "cross-site"})

    assert answer.status_code == 403


async def test_forms_of_strangers_carry_no_file(garden: Garden) -> None:
    mira = await garden.person()
    path = await garden.post(mira)

    answer = await send(garden.stranger(), f"{path}/comment", {"content": "x"}, file=made("png"))

    assert answer.status_code == 415


async def test_forms_without_files_stay_small(garden: Garden) -> None:
    mira = await garden.person()

    answer = await mira.send("/create_post", {"body": "x" * (1 << 20)})

    assert answer.status_code == 413
