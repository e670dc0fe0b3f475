"""Choices taken over: from Lemmy's export, from an archive of ours, and from whoever is up to no good."""

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from lichen.cli import main
from lichen.export.importing import read_export
from lichen.export.limits import IMPORT_BYTES_MAX, IMPORT_ITEMS_MAX
from lichen.kit import Refused
from tests.faces.lemmy_v3.town import Person, Town, browse, opened

pytestmark = [pytest.mark.anyio, pytest.mark.slow]

Place = tuple[Town, Path, str]


async def send(person: Person, content: object) -> Any:
    raw = content if isinstance(content, bytes) else json.dumps(content).encode()
    return await browse(person, "POST", "/settings/import", files={"file": ("settings.json", raw)})


async def test_follows_saves_blocks_and_choices_are_taken_over(place: Place) -> None:
    town, _, _ = place
    reader, author = await town.person(), await town.person()
    community = await town.community(author)
    post = await town.post(author, community)
    comment = await town.comment(author, post)
    base = town.house.addresses.public_url
    ap_ids = (await reader.get("/community", id=community)).json()["community_view"]["community"]

    answer = await send(reader, {
        "display_name": "Reader", "bio": "Moved here.",
        "settings": {"show_nsfw": True, "default_sort_type": "New", "theme": "dark",
                     "a_choice_of_later": 5, "email": "mallory@example.org"},
        "followed_communities": [ap_ids["actor_id"], "https://far.example/c/gone"],
        "saved_posts": [f"{base}/post/{post}"], "saved_comments": [f"{base}/comment/{comment}"],
        "blocked_users": [f"{base}/u/{author.name}"], "blocked_instances": ["far.example"],
        "blocked_communities": [], "later_list": [1, 2],
    })

    assert answer.status_code == 200, answer.text
    assert "4 follows, saves and blocks were taken over; 2 are" in answer.text
    assert "https://far.example/c/gone" in answer.text
    mine = (await reader.get("/site")).json()["my_user"]
    assert [one["community"]["id"] for one in mine["follows"]] == [community]
    assert [one["target"]["name"] for one in mine["person_blocks"]] == [author.name]
    user = mine["local_user_view"]
    assert user["person"]["display_name"] == "Reader"
    assert (user["local_user"]["show_nsfw"], user["local_user"]["default_sort_type"]) == (True, "New")
    assert "email" not in user["local_user"], "an address is never taken from a file"


async def test_what_we_export_we_can_import(place: Place) -> None:
    from lichen.export import Collection

    town, _, _ = place
    mover, newcomer, author = [await town.person() for _ in range(3)]
    community = await town.community(author)
    await mover.post("/community/follow", community_id=community, follow=True)
    await mover.put("/user/save_user_settings", bio="I move.", show_nsfw=True)
    rooms = town.house.exports.rooms
    number = (await mover.get("/site")).json()["my_user"]["local_user_view"]["person"]["id"]
    owner = await rooms.store.read(lambda unit: rooms.accounts.owner_of(unit, number))
    settings = await Collection(rooms, owner).settings()

    answer = await send(newcomer, settings)

    assert answer.status_code == 200, answer.text
    mine = (await newcomer.get("/site")).json()["my_user"]
    assert [one["community"]["id"] for one in mine["follows"]] == [community]
    assert mine["local_user_view"]["person"]["bio"] == "I move."


async def test_an_app_takes_over_by_the_same_way_and_limits(place: Place) -> None:
    """Lemmy's call was a way of its own.

    A person's address was once kept as the post of its number, and an order that only another
    server has broke every page of whoever brought it along.
    """
    town, _, _ = place
    reader, author = await town.person(), await town.person()
    community = await town.community(author)
    base = town.house.addresses.public_url
    told = (await reader.get("/community", id=community)).json()["community_view"]["community"]

    report = await reader.post(
        "/user/import_settings", display_name="Reader", bot_account=True,
        settings={"show_nsfw": True, "theme": "dark", "a_choice_of_later": 5,
                  "default_sort_type": "Sideways"},
        followed_communities=[told["actor_id"], f"{base}/u/{author.name}"],
        saved_posts=[f"{base}/u/{author.name}", told["actor_id"]], blocked_users=[told["actor_id"]],
        blocked_instances=["far.example"],
    )
    many = await reader.post("/user/import_settings", saved_posts=["a"] * 1_001,
                             saved_comments=["a"] * 1_000)
    nul = await reader.post("/user/import_settings", blocked_users=["a\0b"])
    odd = await reader.post("/user/import_settings", settings={"post_listing_mode": "Sideways"})

    assert report.json() == {"success": True, "skipped": [
        f"{base}/u/{author.name}", f"{base}/u/{author.name}", told["actor_id"], told["actor_id"],
        "far.example"]}
    mine = (await reader.get("/site")).json()["my_user"]
    assert [one["community"]["id"] for one in mine["follows"]] == [community]
    assert "Active" == mine["local_user_view"]["local_user"]["default_sort_type"]
    assert (True, "Reader") == (mine["local_user_view"]["person"]["bot_account"],
                                mine["local_user_view"]["person"]["display_name"])
    assert ["too_many_items", "invalid_text"] == [one.json()["error"] for one in (many, nul)]
    assert {400} == {one.status_code for one in (many, nul)}
    # Another server's choice that is none of ours leaves ours as it is.
    assert {"success": True, "skipped": []} == odd.json()
    assert "List" == mine["local_user_view"]["local_user"]["post_listing_mode"]


@pytest.mark.parametrize(("content", "code"), [
    (b"", "invalid_json"), (b"{", "invalid_json"), (b"[]", "invalid_json"), (b"null", "invalid_json"),
    (b"\xff\xfe", "invalid_json"), (b"[" * 100_000, "invalid_json"),
    (b'{"settings":' * 100_000, "invalid_json"),
    (b'{"followed_communities":"all"}', "invalid_json"),
    (b'{"followed_communities":[1]}', "invalid_json"),
    (b'{"bio":"a\\u0000b"}', "invalid_text"),
    (json.dumps({"saved_posts": ["a"] * (IMPORT_ITEMS_MAX + 1)}).encode(), "too_many_items"),
    (b" " * (IMPORT_BYTES_MAX + 1), "body_too_large"),
])
async def test_what_is_no_export_is_refused(content: bytes, code: str) -> None:
    with pytest.raises(Refused) as caught:
        read_export(content)

    assert caught.value.code == code


async def test_a_refused_import_changes_nothing(place: Place) -> None:
    town, _, _ = place
    reader = await town.person()
    before = town.house.log.last_seq

    answers = [
        await send(reader, b"{"),
        await send(reader, {"display_name": "a" * 51}),
        await send(reader, {"settings": {"show_nsfw": "perhaps"}}),
        await send(reader, {"settings": {"theme": "a" * 10_000}}),
        await browse(reader, "POST", "/settings/import", data={"file": "no file"}),
        await town.stranger.client.post("/settings/import", files={"file": ("a", b"{}")}),
    ]

    assert [answer.status_code for answer in answers[:5]] == [400] * 5
    assert answers[5].status_code in (303, 403)
    assert town.house.log.last_seq == before


async def found(folder: Path) -> tuple[str, str, int]:
    async with opened(folder, "") as town:
        author, reader = await town.person("author"), await town.person("reader")
        community = await town.community(author)
        await town.post(author, community, name="About lichens")
        return author.name, reader.name, community


def test_the_command_line_exports_and_imports(tmp_path: Path) -> None:
    author, reader, _ = asyncio.run(found(tmp_path))
    data, out = str(tmp_path / "data"), tmp_path / "words.zip"
    runner = CliRunner()

    said = runner.invoke(main, ["export", author, "--out", str(out), "--data", data])
    again = runner.invoke(main, ["export", author, "--out", str(out), "--data", data])
    nobody = runner.invoke(main, ["export", "nobody", "--out", str(tmp_path / "n.zip"), "--data", data])
    import zipfile

    settings = tmp_path / "settings.json"
    settings.write_bytes(zipfile.ZipFile(out).read("settings.json"))
    taken = runner.invoke(main, ["import", reader, str(settings), "--data", data])

    assert said.exit_code == 0, said.output
    assert "About lichens" in zipfile.ZipFile(out).read("posts.html").decode()
    assert again.exit_code == 1 and "exists already" in again.output
    assert "Nobody here is called nobody." in nobody.output
    assert not (tmp_path / "n.zip").exists()
    assert "1 follows, saves and blocks taken over" in taken.output


@pytest.mark.parametrize("door", ["page", "api"])
async def test_a_choice_that_is_none_of_ours_leaves_ours_and_breaks_nothing(
    place: Place, door: str
) -> None:
    """An unknown sort of another server was kept, and the front page and every list broke for good."""
    town, _, _ = place
    reader = await town.person()
    choices = {"default_sort_type": "Newest", "default_listing_type": "Nearby",
               "post_listing_mode": "Wall", "show_scores": False}

    answer = await (send(reader, {"settings": choices}) if door == "page"
                    else reader.post("/user/import_settings", settings=choices))
    front = await browse(reader, "GET", "/")
    user = (await reader.get("/site")).json()["my_user"]["local_user_view"]["local_user"]

    assert (answer.status_code, front.status_code) == (200, 200)
    assert (await reader.get("/post/list")).status_code == 200
    assert [user[name] for name in choices] == ["Active", "Local", "List", False]
