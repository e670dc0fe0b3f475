"""Everything of one person in one archive: whole, its owner's alone, safe to open."""

import asyncio
import json
import re
import stat
import zipfile
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest

from lichen.erasing import Kind
from lichen.export import Collection, Picture, Rooms, tables, write_export
from lichen.forum import NewComment
from tests.erasing.test_erasing import MARKER, id_of, write_everything
from tests.faces.lemmy_v3.town import Person, Town, browse, everybody_heard

pytestmark = [pytest.mark.anyio, pytest.mark.slow]

Place = tuple[Town, Path, str]


async def fetched(town: Town, person: Person) -> zipfile.ZipFile:
    """Ask for an archive by the settings page, have it made, and fetch it."""
    await browse(person, "POST", "/settings/export")
    await town.house.exports.work()
    page = await browse(person, "GET", "/settings/export")
    link = re.search(r'href="(/settings/export/[^"]+)"', page.text)
    assert link is not None, page.text
    answer = await browse(person, "GET", link[1])
    assert answer.status_code == 200
    assert "attachment" in answer.headers["content-disposition"]
    assert answer.headers["cache-control"] == "private, no-store"
    return zipfile.ZipFile(BytesIO(answer.content))


def listed(archive: zipfile.ZipFile, name: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(archive.read(name))
    return found


async def test_everything_of_a_person_is_in_the_archive(place: Place) -> None:
    town, _, _ = place
    author, other = await town.person(), await town.person()
    made = await write_everything(town, author, other)

    archive = await fetched(town, author)

    assert archive.testzip() is None
    posts, comments = listed(archive, "posts.json"), listed(archive, "comments.json")
    assert len(posts) == 2 and [one.get("deleted", False) for one in posts] == [False, True]
    assert all(MARKER in one["title"] + one["body"] for one in posts), "also what was deleted"
    assert posts[0]["address"].endswith(f"/post/{made['post']}")
    assert [MARKER in one["content"] for one in comments] == [True]
    votes = {(one["kind"], one["address"].rpartition("/")[2]) for one in listed(archive, "votes.json")}
    assert ("post", str(made["theirs"])) in votes
    assert [one["address"].rpartition("/")[2] for one in listed(archive, "saves.json")] == [
        str(made["theirs"])]
    (proposal,) = listed(archive, "proposals.json")
    assert (proposal["state"], proposal["supports"]) == ("passedUp", 1)
    assert MARKER in proposal["title"] and MARKER in proposal["text"]
    assert proposal["answer"] == "Look at it."
    assert MARKER in archive.read("proposals.html").decode()
    assert [one["address"].rpartition("/")[2] for one in listed(archive, "supports.json")] == [
        str(made["wish"])]
    messages = listed(archive, "messages.json")
    assert [one["sender"].rpartition("/")[2] for one in messages] == [author.name, other.name]
    assert len(listed(archive, "follows.json")) == 1
    assert len(listed(archive, "logins.json")) == 1
    profile = json.loads(archive.read("profile.json"))
    settings = json.loads(archive.read("settings.json"))
    assert (profile["name"], MARKER in profile["bio"]) == (author.name, True)
    assert settings["settings"]["email"].startswith(MARKER)
    assert len(settings["followed_communities"]) == len(settings["saved_posts"]) == 1


async def test_the_pages_of_an_archive_need_no_network_and_run_no_script(place: Place) -> None:
    town, _, _ = place
    author = await town.person()
    community = await town.community(author)
    evil = "<script>alert(1)</script> ![x](https://evil.example/x.png) [y](javascript:alert(1))"
    await author.put("/user/save_user_settings", bio=evil, display_name="<img src=x onerror=y>")
    post = await town.post(author, community, name="<script>alert(2)</script>", body=evil)
    await town.comment(author, post, content=evil)
    await author.post("/private_message", recipient_id=await id_of(author), content=evil)

    archive = await fetched(town, author)

    for name in ("index.html", "posts.html", "comments.html", "messages.html"):
        text = archive.read(name).decode()
        assert 'http-equiv="Content-Security-Policy" content="default-src \'none\'' in text
        assert not re.search(r"<script|onerror=y>|href=.javascript", text), name
        for link in re.findall(r'<(?:link|nav>.*?<a) [^>]*href="([^"]+)"', text):
            assert link in archive.namelist()
    assert "alert(2)" in archive.read("posts.html").decode()


async def test_an_archive_is_its_owners_alone(place: Place) -> None:
    town, folder, _ = place
    author, other = await town.person(), await town.person()
    await fetched(town, author)
    (file,) = (folder / "exports").iterdir()
    address = f"/settings/export/{file.stem}"

    assert len(file.stem) >= 43, "256 bits"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert (await browse(other, "GET", address)).status_code == 404
    assert (await browse(author, "GET", address[:-1] + "_")).status_code == 404
    assert (await browse(author, "GET", "/settings/export/..%2F..%2Flichen.sqlite")).status_code == 404
    stranger = await town.stranger.client.get(address)
    assert (stranger.status_code, "location" in stranger.headers) == (303, True)
    ended = await author.post("/user/logout")
    assert ended.status_code == 200
    assert (await browse(author, "GET", address)).status_code == 303


async def test_asked_twice_there_is_one_archive_and_a_day_later_none(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    town, folder, _ = place
    author = await town.person()
    await fetched(town, author)
    await browse(author, "POST", "/settings/export")
    assert await town.house.exports.work() == 0
    now_us = town.house.store.clock()

    monkeypatch.setattr(town.house.store, "clock", lambda: now_us + 86_400_000_001)
    page = await browse(author, "GET", "/settings/export")
    await town.house.exports.work()

    assert "Make an archive" in page.text
    assert list((folder / "exports").iterdir()) == []


async def test_what_a_restart_cut_off_is_made_anew(place: Place) -> None:
    town, folder, _ = place
    author = await town.person()
    await town.comment(author, await town.post(author, await town.community(author)))
    await browse(author, "POST", "/settings/export")
    rooms = town.house.exports
    (asked,) = await town.house.store.read(lambda unit: unit.fetch(tables.WAITING, limit=5))
    (folder / "exports").mkdir()
    (folder / "exports" / f"{asked.token}.zip").write_bytes(b"half of an archive")

    waiting = await browse(author, "GET", "/settings/export")
    assert await rooms.work() == 1

    assert 'http-equiv="refresh"' in waiting.text
    archive = zipfile.ZipFile(folder / "exports" / f"{asked.token}.zip")
    assert archive.testzip() is None


async def test_an_erased_persons_archive_is_gone(place: Place) -> None:
    town, folder, _ = place
    author = await town.person()
    number = await id_of(author)
    await fetched(town, author)

    await town.house.store.write(
        lambda unit: town.house.eraser.erasures.ask(unit, Kind.PERSON, number))
    await town.house.eraser.work()

    assert list((folder / "exports").iterdir()) == []


async def test_pictures_come_along(place: Place, tmp_path: Path) -> None:
    town, _, _ = place
    author = await town.person()
    picture = tmp_path / "stored"
    picture.write_bytes(b"\x89PNG" * 40_000)

    class Shelf:
        async def of_person(self, person_id: int):
            yield Picture("../../lichen.png", picture)

    old = town.house.exports.rooms
    rooms = Rooms(old.store, old.accounts, old.forum, old.messages, old.moderation, old.addresses,
        Shelf())
    number = await id_of(author)
    owner = await old.store.read(lambda unit: old.accounts.owner_of(unit, number))

    async def tell(_: object) -> None:
        await asyncio.sleep(0)

    out = tmp_path / "out.zip"
    await write_export(
        out, Collection(rooms, owner), addresses=old.addresses, made_us=old.store.clock(), tell=tell)

    archive = zipfile.ZipFile(out)
    assert archive.read("pictures/lichen.png") == picture.read_bytes()
    assert not [name for name in archive.namelist() if ".." in name]


async def test_memory_does_not_grow_with_what_there_is(place: Place, tmp_path: Path) -> None:
    import tracemalloc

    town, _, _ = place
    author = await town.person()
    post = await town.post(author, await town.community(author))
    number = await id_of(author)
    for _ in range(3):
        new = [NewComment(creator_id=number, post_id=post, content="word " * 1_500)
               for _ in range(400)]
        await town.house.store.write(
            lambda unit: town.house.rooms.forum.create_comments(unit, new))
    await everybody_heard(town.house)  # or what the readers hold of it would be counted
    rooms = town.house.exports.rooms
    owner = await rooms.store.read(lambda unit: rooms.accounts.owner_of(unit, number))

    async def tell(_: object) -> None:
        await asyncio.sleep(0)

    tracemalloc.start()
    count = await write_export(
        tmp_path / "out.zip", Collection(rooms, owner), addresses=rooms.addresses,
        made_us=rooms.store.clock(), tell=tell)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()

    assert count > 2_400
    assert peak < 16 << 20, "9 MB of comments are written twice, in batches of 200"
