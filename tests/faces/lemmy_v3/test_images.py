"""Uploaded pictures in the Lemmy API, and pictures of others by mode."""

import pytest

from tests.faces.lemmy_v3.town import PASSWORD, Person, Town
from tests.media.pictures import drawn, made

pytestmark = [pytest.mark.anyio, pytest.mark.slow]


async def upload(person: Person, content: bytes) -> dict[str, str]:
    answer = await person.client.post(
        "/pictrs/image", files={"images[]": ("a.png", content)}, headers=person.headers
    )
    assert answer.status_code == 201, answer.text
    file: dict[str, str] = answer.json()["files"][0]
    return file


async def test_people_list_their_pictures_and_delete_them_by_the_tokens_listed(town: Town) -> None:
    mira, otto = await town.person(), await town.person()
    files = [await upload(mira, made("png", image=drawn(hue=hue))) for hue in (0, 40)]
    await upload(otto, made("jpg"))

    images = (await mira.get("/account/list_media", limit=10)).json()["images"]
    one = images[0]["local_image"]
    gone = await mira.client.get(
        f"/pictrs/image/delete/{one['pictrs_delete_token']}/{one['pictrs_alias']}")
    after = (await mira.get("/account/list_media")).json()["images"]

    assert {image["local_image"]["pictrs_alias"] for image in images} == {
        file["file"] for file in files}
    assert {image["local_image"]["pictrs_delete_token"] for image in images} == {
        file["delete_token"] for file in files}
    assert {image["person"]["name"] for image in images} == {mira.name}
    assert gone.status_code == 204
    assert len(after) == 1


async def test_only_administrators_list_everybodys(town: Town) -> None:
    mira = await town.person()
    await upload(mira, made("png"))

    answers = [await who.get("/admin/list_all_media") for who in (town.stranger, mira)]

    assert [(one.status_code, one.json()["error"]) for one in answers] == [
        (401, "not_logged_in"), (403, "not_an_admin")]


async def test_an_administrator_lists_everybodys_and_deletes_any(town: Town) -> None:
    mira = await town.person()
    file = await upload(mira, made("png", image=drawn(hue=77)))
    await town.house.rooms.accounts.ensure_admin("gardener", PASSWORD)
    login = await town.stranger.post("/user/login", username_or_email="gardener", password=PASSWORD)
    admin = Person(mira.client, "gardener", {"authorization": f"Bearer {login.json()['jwt']}"})

    images = (await admin.get("/admin/list_all_media", limit=50)).json()["images"]
    listed = {one["local_image"]["pictrs_alias"]: one for one in images}[file["file"]]
    token = listed["local_image"]["pictrs_delete_token"]
    gone = await admin.client.get(f"/pictrs/image/delete/{token}/{file['file']}")

    assert listed["person"]["name"] == mira.name
    assert gone.status_code == 204


async def test_strangers_have_no_pictures(town: Town) -> None:
    answer = await town.stranger.get("/account/list_media")

    assert (answer.status_code, answer.json()["error"]) == (401, "not_logged_in")
