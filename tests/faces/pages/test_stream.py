"""The page of the public stream without a script: events, filters, commands, headers."""

import re

import pytest
from msgspec import structs

from lichen.faces.pages.streaming import Wanted, address_of
from lichen.kit.config import Config
from lichen.stream import Filter
from lichen.web import Addresses
from tests.faces.lemmy_v3.town import everybody_heard
from tests.faces.pages.garden import Garden, words

pytestmark = [pytest.mark.anyio, pytest.mark.slow]


async def test_what_was_written_is_on_the_page_newest_first(garden: Garden) -> None:
    author = await garden.person()
    path = await garden.post(author, title="Seen by everybody")
    await garden.comment(author, path, "An answer.")
    await everybody_heard(garden.house)

    shown = await garden.stranger().see("/stream")

    said = words(shown.text)
    assert shown.status_code == 200
    assert said.index("An answer.") < said.index("Seen by everybody")
    numbers = [int(one) for one in re.findall(r'data-seq="(\d+)"', shown.text)]
    assert numbers == sorted(numbers, reverse=True) and len(numbers) <= 50


async def test_filters_leave_out_what_is_not_asked_for(garden: Garden) -> None:
    author = await garden.person()
    path = await garden.post(author, title="Only a post")
    await garden.comment(author, path, "Only a comment.")
    await everybody_heard(garden.house)
    stranger = garden.stranger()
    did = garden.house.addresses.did_of_person(author.name or "")

    posts = await stranger.see("/stream?collection=lichen.forum.post")
    theirs = await stranger.see(f"/stream?did={did}&collection=lichen.forum.*")
    nobodys = await stranger.see("/stream?did=did:web:nobody.example")
    roots = await stranger.see("/stream?roots=1")

    assert "Only a post" in posts.text and "Only a comment." not in posts.text
    assert "Only a post" in theirs.text and "Only a comment." in theirs.text
    assert "Nothing yet" in nobodys.text
    assert "Only a post" in roots.text and "Only a comment." not in roots.text


async def test_a_post_of_a_person_links_to_the_person(garden: Garden) -> None:
    author = await garden.person()
    await garden.post(author, title="Who wrote this")
    await everybody_heard(garden.house)

    shown = await garden.stranger().see("/stream?collection=lichen.forum.post")

    assert f'href="/u/{author.name}"' in shown.text


async def test_everybody_finds_the_page_from_the_foot_of_any_other(garden: Garden) -> None:
    shown = await garden.stranger().see("/")

    assert 'href="/stream"' in shown.text


async def test_without_a_port_the_page_says_that_nobody_listens(garden: Garden) -> None:
    shown = await garden.stranger().see("/stream")

    assert "Nobody listens" in words(shown.text)
    assert "data-stream" not in shown.text
    assert "connect-src 'self';" in shown.headers["content-security-policy"]


async def test_strangers_do_not_see_the_stream_of_a_private_site(garden: Garden) -> None:
    accounts, store = garden.house.rooms.accounts, garden.house.store
    site = accounts.current_site.settings
    keeper = next(iter(await store.read(accounts.admins)))
    assert keeper.admin
    shut = structs.replace(site, private_instance=True, federation_enabled=False)
    await store.write(lambda unit: accounts._stage_site(unit, accounts.site(unit), shut))
    try:
        shown = await garden.stranger().http.get("/stream")
    finally:
        await store.write(lambda unit: accounts._stage_site(unit, accounts.site(unit), site))

    assert "Public stream" not in shown.text.split("<footer")[0]


@pytest.mark.parametrize(("asked", "query"), [
    (Wanted(), ""),
    (Wanted(collection="lichen.forum.*"), "?wantedCollections=lichen.forum.*"),
    (Wanted(did="did:web:a", lang="en", roots=True),
     "?wantedDids=did:web:a&wantedLangs=en&rootPostsOnly=true"),
])
def test_the_form_says_it_in_the_streams_own_parameters(asked: Wanted, query: str) -> None:
    assert asked.query() == query


def test_a_prefix_wants_what_begins_with_it_and_no_more() -> None:
    wanted = Wanted(collection="lichen.forum.*").filter()

    assert wanted.wants_collection("lichen.forum.post")
    assert not wanted.wants_collection("lichen.forumx.post")
    assert Wanted().filter() == Filter()


@pytest.mark.parametrize(("words_", "address"), [
    ({"server.stream_port": 0}, ""),
    ({"identity.public_url": "https://forum.example"}, "http://forum.example:6008"),
    ({"stream.public_url": "https://stream.forum.example/"}, "https://stream.forum.example"),
])
def test_the_address_is_the_one_that_is_configured(words_: dict[str, object], address: str) -> None:
    config = Config.load(words=words_)

    assert address_of(config, Addresses(config.public_url)) == address
