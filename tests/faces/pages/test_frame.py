"""The frame: safe headers on every page, small pages, errors that keep the search box."""

import gzip
import re

import pytest

from tests.faces.pages.garden import URL, Garden, words

pytestmark = pytest.mark.anyio

PAGE_BYTES_MAX = 60_000  # look.md: HTML and CSS of a page, compressed
SCRIPT_BYTES_MAX = 30_000  # look.md: scripts of a page, compressed
STRANGERS_PAGES = (
    "/", "/communities", "/login", "/signup", "/search", "/search?q=moss", "/shortcuts", "/places",
)
MEMBERS_PAGES = (
    "/create_post", "/create_community", "/inbox", "/inbox?show=mention", "/saved", "/settings",
    "/?listing=Subscribed",
)
FILE = re.compile(r'(?:src|href)="(/static/[^"]+)"')


@pytest.mark.parametrize("path", [*STRANGERS_PAGES, *MEMBERS_PAGES, "/nothing-here"])
async def test_every_page_has_one_heading_and_runs_nothing_of_others(
    garden: Garden, path: str
) -> None:
    person = await garden.person()

    page = await person.see(path)

    policy = page.headers["content-security-policy"]
    assert 1 == len(re.findall(r"<h1[ >]", page.text))
    assert "default-src 'none'; script-src 'self'; style-src 'self'" in policy
    assert "unsafe" not in policy and "frame-ancestors 'none'" in policy
    assert "nosniff" == page.headers["x-content-type-options"]
    assert "private, no-cache" == page.headers["cache-control"]
    assert not re.search(r"<script(?![^>]* src=)|<style|\son\w+=|\sstyle=", page.text)
    assert f"· {garden.house.rooms.accounts.current_site.settings.name}</title>" in page.text


@pytest.mark.parametrize("path", MEMBERS_PAGES)
async def test_a_members_page_shows_strangers_the_door(garden: Garden, path: str) -> None:
    page = await garden.stranger().see(path)

    assert 303 == page.status_code
    assert page.headers["location"].startswith("/login?next=%2F")


async def test_a_page_and_its_scripts_are_light(garden: Garden) -> None:
    person = await garden.person()
    path = await garden.post(person, body="Words. " * 300)
    for number in range(20):
        await garden.comment(person, path, f"Comment number {number} " * 10)
    page = await person.see(path)

    files = {
        file: gzip.compress((await person.see(file)).content)
        for file in FILE.findall(page.text)
    }
    styles = sum(len(body) for file, body in files.items() if file.endswith(".css"))
    scripts = sum(len(body) for file, body in files.items() if file.endswith(".js"))

    assert len(gzip.compress(page.content)) + styles <= PAGE_BYTES_MAX
    assert scripts <= SCRIPT_BYTES_MAX
    assert len(files) >= 4


async def test_what_stands_still_is_kept_for_ever_and_changes_its_name(garden: Garden) -> None:
    stranger = garden.stranger()
    file = FILE.findall((await stranger.see("/")).text)[0]

    packed = await stranger.see(file, **{"accept-encoding": "gzip"})
    plain = await stranger.see(file, **{"accept-encoding": "identity"})
    unknown = await stranger.see(re.sub(r"\.[0-9a-f]{10}\.", ".0000000000.", file))

    assert re.search(r"\.[0-9a-f]{10}\.css$", file)
    assert "immutable" in packed.headers["cache-control"]
    assert "gzip" == packed.headers["content-encoding"]
    assert "content-encoding" not in plain.headers
    assert packed.content == plain.content
    assert 404 == unknown.status_code


@pytest.mark.parametrize("path", [
    "/nothing-here", "/post/999999999", "/comment/999999",
    "/c/nowhere", "/u/nobody", "/static/x.css", "/grown/x.png", "/feeds/none.xml",
])
async def test_what_is_not_here_is_said_in_the_frame(garden: Garden, path: str) -> None:
    page = await garden.stranger().see(path)

    assert 404 == page.status_code
    assert 'role="search"' in page.text
    assert "Nothing grows here" in words(page.text)


@pytest.mark.parametrize("path", [f"/post/{1 << 64}", f"/comment/{1 << 64}", "/?cursor=nonsense"])
async def test_an_address_that_no_row_can_have_is_refused(garden: Garden, path: str) -> None:
    page = await garden.stranger().see(path)

    assert 400 == page.status_code
    assert 'role="search"' in page.text


async def test_programs_are_told_in_their_own_words(garden: Garden) -> None:
    answer = await garden.stranger().see("/.well-known/nothing")

    assert 404 == answer.status_code
    assert "couldnt_find_page" == answer.json()["error"]


async def test_what_we_break_is_a_500_in_the_frame_without_its_secrets(
    garden: Garden, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object, **__: object) -> None:
        raise RuntimeError("the password is moss")

    monkeypatch.setattr(type(garden.house.rooms.forum), "communities", broken)
    page = await garden.stranger().see("/communities")

    assert 500 == page.status_code
    assert 'role="search"' in page.text
    assert "moss" not in words(page.text)


async def test_an_error_by_htmx_is_a_notice_and_leaves_the_page_alone(garden: Garden) -> None:
    person = await garden.person()

    answer = await person.send("/post/999999/vote", {"value": "1"}, htmx=True)

    assert 404 == answer.status_code
    assert ("#notice", "innerHTML") == (
        answer.headers["hx-retarget"], answer.headers["hx-reswap"]
    )
    assert "<html" not in answer.text


@pytest.mark.parametrize("fields", [
    {f"field{number}": "x" for number in range(500)}, {"density": "x" * 70_000},
    {"density": "a\x00b"},
])
async def test_a_form_that_is_none_is_refused(garden: Garden, fields: dict[str, str]) -> None:
    answer = await garden.stranger().send("/look", fields)

    assert 400 == answer.status_code


async def test_a_theme_that_was_chosen_is_on_every_page(garden: Garden) -> None:
    person = await garden.person()
    look = {"theme": "dark", "density": "card", "listing": "All", "sort": "New", "serif": "1", "blur_nsfw": "1",
            "languages": "37"}

    answer = await person.send("/settings/look", look)
    page = await person.see("/")

    assert "/settings?done=look" == answer.headers["location"]
    assert '<html lang="en" data-theme="dark" data-serif>' in page.text
    assert "All posts" in words(page.text)


async def test_a_refused_setting_changes_nothing_and_says_so(garden: Garden) -> None:
    person = await garden.person()
    look = {"theme": "dark", "density": "card", "listing": "All", "sort": "Sideways"}

    answer = await person.send("/settings/look", look)

    assert 400 == answer.status_code
    assert "sort is one of" in words(answer.text)
    assert "data-theme" not in (await person.see("/")).text


async def test_the_search_box_can_be_added_to_a_browser(garden: Garden) -> None:
    answer = await garden.stranger().see("/opensearch.xml")

    assert "application/opensearchdescription+xml" in answer.headers["content-type"]
    assert f'template="{URL}/search?q={{searchTerms}}"' in answer.text
