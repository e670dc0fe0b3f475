"""Feeds: RSS and Atom that readers can read, and that cost nothing when nothing is new."""

from collections.abc import AsyncIterator
from xml.etree import ElementTree as Xml

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lichen.faces.feeds import Entry, Feed, atom, is_known, rss
from tests.faces.pages.garden import URL, Garden, opened

pytestmark = pytest.mark.anyio

ATOM = "{http://www.w3.org/2005/Atom}"
NOW_US = 1_700_000_000_000_000


@pytest.fixture(scope="module")
async def garden(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Garden]:
    async with opened(tmp_path_factory.mktemp("garden")) as here:
        yield here


@pytest.fixture(scope="module")
async def paths(garden: Garden) -> list[str]:
    """Plant a post with a comment, and return the feeds it stands in, without their endings."""
    person = await garden.person()
    path = await garden.post(person, title="Moss & <stone>", body="Some *words*.")
    await garden.comment(person, path, "A comment")
    community = f"place_{garden._names}"
    return ["/feeds/all", "/feeds/local", f"/feeds/c/{community}", f"/feeds/u/{person.name}",
            f"/feeds{path}"]


async def test_every_list_is_a_feed_in_both_kinds(garden: Garden, paths: list[str]) -> None:
    stranger = garden.stranger()

    for path in paths:
        by_rss = await stranger.see(f"{path}.xml")
        by_atom = await stranger.see(f"{path}.atom")

        items = Xml.fromstring(by_rss.content).findall("channel/item")
        entries = Xml.fromstring(by_atom.content).findall(f"{ATOM}entry")
        assert 1 == len(items) == len(entries), path
        assert items[0].findtext("title") == entries[0].findtext(f"{ATOM}title")
        assert "application/rss+xml" in by_rss.headers["content-type"]
        assert "application/atom+xml" in by_atom.headers["content-type"]


async def test_an_entry_says_who_what_and_where(garden: Garden, paths: list[str]) -> None:
    answer = await garden.stranger().see(f"{paths[0]}.atom?sort=New")

    entry = Xml.fromstring(answer.content).find(f"{ATOM}entry")
    assert entry is not None
    link = entry.find(f"{ATOM}link")
    assert "Moss & <stone>" == entry.findtext(f"{ATOM}title")
    assert "<p>Some <em>words</em>.</p>" in (entry.findtext(f"{ATOM}content") or "")
    assert "person_1" == entry.findtext(f"{ATOM}author/{ATOM}name")
    assert link is not None and f"{URL}/post/1" == link.get("href")


async def test_a_reader_that_knows_a_feed_is_told_so(garden: Garden, paths: list[str]) -> None:
    stranger = garden.stranger()
    first = await stranger.see(f"{paths[0]}.xml")

    by_tag = await stranger.see(f"{paths[0]}.xml", **{"if-none-match": first.headers["etag"]})
    by_time = await stranger.see(
        f"{paths[0]}.xml", **{"if-modified-since": first.headers["last-modified"]}
    )
    other = await stranger.see(f"{paths[0]}.xml", **{"if-none-match": '"else"'})

    assert [304, 304, 200] == [one.status_code for one in (by_tag, by_time, other)]
    assert b"" == by_tag.content


@pytest.mark.parametrize("path", [
    "/feeds/subscribed.xml", "/feeds/all.json", "/feeds/all", "/feeds/c/nowhere.xml",
    "/feeds/u/nobody.atom", "/feeds/post/none.xml", "/feeds/post/99999.xml", "/feeds/c/.xml",
])
async def test_a_feed_that_is_none_is_not_found(garden: Garden, path: str) -> None:
    answer = await garden.stranger().see(path)

    assert 404 == answer.status_code


@given(text=st.text(alphabet=st.characters(exclude_categories=["Cs"])))
def test_any_text_of_people_makes_a_document_that_can_be_read(text: str) -> None:
    """XML cannot hold most control characters, not even escaped."""
    entry = Entry("id", "/", text, text, text, published_us=NOW_US, updated_us=NOW_US)
    feed = Feed(text, "/", "/", [entry])

    for written in (rss(feed), atom(feed)):
        Xml.fromstring(written)


@pytest.mark.parametrize(("headers", "known"), [
    ({}, False),
    ({"if-none-match": '"tag"'}, True),
    ({"if-none-match": 'W/"tag", "other"'}, True),
    ({"if-none-match": "*"}, True),
    ({"if-none-match": '"other"', "if-modified-since": "Wed, 15 Nov 2023 22:13:20 GMT"}, False),
    ({"if-modified-since": "Tue, 14 Nov 2023 22:13:20 GMT"}, True),
    ({"if-modified-since": "Tue, 14 Nov 2023 22:13:19 GMT"}, False),
    ({"if-modified-since": "yesterday"}, False),
])
def test_the_conditions_of_http_are_kept(headers: dict[str, str], known: bool) -> None:
    assert known == is_known(headers, '"tag"', NOW_US)
