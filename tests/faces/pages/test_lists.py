"""Lists: every listing, every order, every density, page after page."""

import re

import pytest

from lichen.faces.pages.lists import POSTS_PER_PAGE
from lichen.forum import Listing, Sort
from tests.faces.pages.garden import HTMX, Garden, Guest, words

pytestmark = pytest.mark.anyio


@pytest.fixture(scope="module")
async def reader(garden: Garden) -> Guest:
    """Somebody who is in a community with more posts than one page holds."""
    person = await garden.person()
    community = await garden.community(person)
    for number in range(POSTS_PER_PAGE + 3):
        await person.send("/create_post", {"community": community, "name": f"Post no {number}"})
    person.community = community  # type: ignore[attr-defined]
    return person


def titles(html: str) -> list[str]:
    return re.findall(r'<h2 dir="auto"><a href="/post/\d+">([^<]*)</a>', html)


@pytest.mark.parametrize("sort", list(Sort))
@pytest.mark.parametrize("listing", [Listing.ALL, Listing.LOCAL, Listing.SUBSCRIBED])
async def test_every_listing_in_every_order_is_a_page(
    reader: Guest, listing: Listing, sort: Sort
) -> None:
    page = await reader.see(f"/?listing={listing}&sort={sort}")

    assert 200 == page.status_code
    assert f'href="/?listing={listing}&amp;sort={sort}" aria-current="true"' in page.text


async def test_more_brings_the_rest_without_repeating(reader: Guest) -> None:
    path = f"/c/{reader.community}?sort=New"  # type: ignore[attr-defined]
    page = await reader.see(path)
    more = re.search(r'<a class="more" hx-boost="true" href="([^"]+)"', page.text)
    assert more is not None

    rest = await reader.see(more[1].replace("&amp;", "&"), **HTMX)

    assert "<html" not in rest.text
    assert ".more" == rest.headers["hx-retarget"]
    found = titles(page.text) + titles(rest.text)
    assert [f"Post no {n}" for n in reversed(range(POSTS_PER_PAGE + 3))] == found


async def test_an_unknown_order_is_refused_in_the_frame(garden: Garden) -> None:
    page = await garden.stranger().see("/?sort=Sideways")

    assert 400 == page.status_code
    assert 'role="search"' in page.text


async def test_strangers_have_no_subscribed_list(garden: Garden) -> None:
    page = await garden.stranger().see("/?listing=Subscribed")

    assert 303 == page.status_code
    assert page.headers["location"].startswith("/login?next=")


async def test_a_density_is_remembered_for_strangers_and_with_an_account(garden: Garden) -> None:
    stranger, person = garden.stranger(), await garden.person()

    for guest in (stranger, person):
        answer = await guest.send("/look", {"density": "list", "next": "/?listing=All"})
        assert "/?listing=All" == answer.headers["location"]

    assert 'class="stack as-list"' in (await stranger.see("/?listing=All")).text
    assert 'class="stack as-list"' in (await person.see("/?listing=All")).text
    assert "set-cookie" not in (await person.send("/look", {"density": "card"})).headers


async def test_an_unknown_density_is_refused(garden: Garden) -> None:
    answer = await garden.stranger().send("/look", {"density": "huge"})

    assert 400 == answer.status_code


async def test_an_empty_list_says_what_will_be_here_and_offers_the_first_step(
    garden: Garden,
) -> None:
    person = await garden.person()
    community = await garden.community(person)

    page = await person.see(f"/c/{community}")

    assert "No posts yet" in words(page.text)
    assert f'href="/create_post?community={community}">Write the first</a>' in page.text


async def test_a_profile_shows_posts_and_comments(garden: Garden) -> None:
    person = await garden.person()
    path = await garden.post(person, title="A post of mine")
    await garden.comment(person, path, "A comment of mine")

    posts = await person.see(f"/u/{person.name}")
    comments = await person.see(f"/u/{person.name}?show=comments")

    assert ["A post of mine"] == titles(posts.text)
    assert "<p>A comment of mine</p>" in comments.text


async def test_what_i_keep_is_under_saved(garden: Garden) -> None:
    person = await garden.person()
    path = await garden.post(person, title="Worth keeping")
    comment = await garden.comment(person, path, "Also worth it")
    await person.send(f"{path}/save", {"value": "1"})
    await person.send(f"/comment/{comment}/save", {"value": "1"})

    posts, comments = await person.see("/saved"), await person.see("/saved?show=comments")

    assert ["Worth keeping"] == titles(posts.text)
    assert "<p>Also worth it</p>" in comments.text


async def test_what_grows_here_can_be_found_by_its_words(garden: Garden) -> None:
    person = await garden.person()
    await garden.post(person, title="Xanthoria on the harbour wall")

    found = await person.see("/search?q=xanthoria+harbour")
    places = await person.see("/search?q=password")

    assert ["Xanthoria on the harbour wall"] == titles(found.text)
    assert 'href="/settings"' in re.search(r"<main.*</main>", places.text, re.DOTALL)[0]  # type: ignore[index]
