"""People who move between two houses, over HTTP, and those who would move others."""

from typing import Any

import pytest

from lichen.federation.move_rows import COUNT_WANTED, WANT_MOVE
from tests.federation.neighbours import PASSWORD, Browser, Neighbour, until

pytestmark = pytest.mark.anyio


async def claims(browser: Browser, address: str) -> None:
    """Say in the settings that one is somebody elsewhere too."""
    answer = await browser.send("/settings/elsewhere/alias", address=address)
    assert 303 == answer.status_code, answer.text


async def moves(browser: Browser, address: str, password: str = PASSWORD) -> Any:
    return await browser.send("/settings/elsewhere/move", address=address, password=password)


async def document(house: Neighbour, name: str) -> dict[str, Any]:
    answer = await house.browser().http.get(
        f"/u/{name}", headers={"accept": "application/activity+json"}
    )
    return dict(answer.json())


async def actor(house: Neighbour, name: str, domain: str | None = None) -> Any:
    from lichen.accounts import ActorKind

    accounts = house.house.rooms.accounts
    return await house.house.store.read(
        lambda unit: accounts.actor_by_name(unit, ActorKind.PERSON, name, domain)
    )


async def moved(house: Neighbour, person: Any) -> Any:
    accounts = house.house.rooms.accounts
    found = await house.house.store.read(
        lambda unit: accounts.moves_among(unit, [person.id])
    )
    return found.get(person.id)


async def settled(house: Neighbour) -> None:
    """Wait until no move that was told waits to be verified."""
    async def look() -> bool:
        rows = await house.house.store.read(lambda unit: unit.fetch(COUNT_WANTED), apart=True)
        return not rows[0].count

    await until(look)


async def test_who_moves_is_shown_where_it_went_on_both_sides(
    home: Neighbour, here: Neighbour
) -> None:
    old, new = await home.browser().join("mover"), await here.browser().join("moved_in")
    await claims(new, f"@mover@{home.authority}")

    answer = await moves(old, f"@moved_in@{here.authority}")

    assert "/settings/elsewhere?done=moved" == answer.headers.get("location"), answer.text
    stranger = await actor(here, "mover", home.authority)
    found = await until(lambda: moved(here, stranger))
    assert "moved_in" == found.target_name
    assert f"{here.url}/u/moved_in" == (await document(home, "mover"))["movedTo"]
    assert [f"{home.url}/u/mover"] == (await document(here, "moved_in"))["alsoKnownAs"]
    assert f"@moved_in@{here.authority}" in (await home.browser().see("/u/mover")).text
    assert "Came from" in (await here.browser().see("/u/moved_in")).text


async def test_what_one_wrote_before_is_shown_with_the_address_where_it_was_written(
    home: Neighbour, here: Neighbour
) -> None:
    old, new = await home.browser().join("author_1"), await here.browser().join("author_2")
    await old.send("/create_community", name="shelf", title="Shelf")
    written = await old.send("/create_post", community="shelf", name="Of lichens and stones")
    address = home.url + written.headers["location"]
    other = await home.browser().join("author_3")
    theirs = await other.send("/create_post", community="shelf", name="What is this?")
    answer = await old.send(f"{theirs.headers['location']}/comment", content="It is a *lichen*.")
    assert 303 == answer.status_code, answer.text
    await claims(new, f"@author_1@{home.authority}")

    await moves(old, f"@author_2@{here.authority}")

    async def shown() -> str:
        stranger = await actor(here, "author_1", home.authority)
        answer = await here.browser().see(f"/u/author_2?show=earlier-{stranger.id}")
        text = answer.text
        return text if address in text and f"{home.url}/comment/" in text else ""

    page = await until(shown)
    assert "Of lichens and stones" in page
    assert "It is a <em>lichen</em>." in page, "comments come along, with what stands above them"
    assert "What is this?" in page
    assert "Written as" in page
    own = (await here.browser().see("/u/author_2")).text
    assert "Of lichens and stones" not in own
    outbox = (await here.browser().http.get("/u/author_2/outbox", headers={
        "accept": "application/activity+json"})).text
    assert "Of lichens" not in outbox


async def test_nobodys_profile_shows_what_strangers_wrote(
    home: Neighbour, here: Neighbour
) -> None:
    await here.browser().join("plain_one")
    gardener = await actor(here, "gardener")

    answer = await here.browser().see(f"/u/plain_one?show=earlier-{gardener.id}")

    assert "Written as" not in answer.text


async def test_who_moved_writes_nothing_more_until_it_is_back(
    home: Neighbour, here: Neighbour
) -> None:
    old, new = await home.browser().join("writer"), await here.browser().join("writer_2")
    await old.send("/create_community", name="desk", title="Desk")
    await claims(new, f"@writer@{home.authority}")
    await moves(old, f"@writer_2@{here.authority}")

    refused = await old.send("/create_post", community="desk", name="Still me")
    await old.send("/settings/elsewhere/move", back="1")
    written = await old.send("/create_post", community="desk", name="Back again")

    assert "This account has moved" in refused.text
    assert 303 == written.status_code, written.text
    assert "movedTo" not in await document(home, "writer")
    stranger = await actor(here, "writer", home.authority)

    async def is_back() -> bool:
        return await moved(here, stranger) is None

    await until(is_back)


async def test_nobody_moves_where_it_is_not_claimed(home: Neighbour, here: Neighbour) -> None:
    old = await home.browser().join("unclaimed")
    await here.browser().join("somebody_else")

    answer = await moves(old, f"@somebody_else@{here.authority}")

    assert "does not say that it is this one too" in answer.text
    assert "movedTo" not in await document(home, "unclaimed")


async def test_a_move_needs_the_password(home: Neighbour, here: Neighbour) -> None:
    old, new = await home.browser().join("hasty"), await here.browser().join("hasty_2")
    await claims(new, f"@hasty@{home.authority}")

    answer = await moves(old, f"@hasty_2@{here.authority}", password="something else")

    assert 401 == answer.status_code
    assert "movedTo" not in await document(home, "hasty")


async def test_what_stands_against_somebody_moves_along_but_no_seat_does(
    home: Neighbour, here: Neighbour
) -> None:
    """A ban is not escaped by moving."""
    old, new = await home.browser().join("rude"), await here.browser().join("rude_2")
    friend = await here.browser().join("blocker")
    await friend.send("/create_community", name="salon", title="Salon")
    await claims(new, f"@rude@{home.authority}")
    rude, salon = await actor(here, "rude", home.authority), "salon"
    rooms, viewer = here.house.rooms, await here.viewer(friend)
    from lichen.accounts import ActorKind

    def before(unit: Any) -> None:
        place = rooms.accounts.actor_by_name(unit, ActorKind.COMMUNITY, salon)
        assert place is not None
        rooms.accounts.block_person(unit, viewer, rude.id, blocked=True)
        rooms.accounts.ban(unit, None, rude.id, banned=True, reason="rude")
        rooms.forum.ban_from_community(unit, viewer, place.id, rude.id, banned=True)

    await here.house.store.write(before)

    await moves(old, f"@rude_2@{here.authority}")
    await until(lambda: moved(here, rude))

    again = await actor(here, "rude_2")
    blocks = await here.house.store.read(lambda unit: rooms.accounts.blocks(unit, viewer))
    assert again.banned
    assert again.id in blocks.persons
    from lichen.forum.community_rows import BANS_OF_BOTH

    bans = await here.house.store.read(lambda unit: unit.fetch(
        BANS_OF_BOTH, people=[again.id], now_us=unit.clock_us, limit=10
    ))
    assert 1 == len(bans)


async def told(house: Neighbour, person: Any, target: str) -> None:
    """Have the house hear that somebody moved, as the reader of its inbox would note it."""
    row = {"person_id": person.id, "target": target, "tries": 0, "retry_us": 0}
    await house.house.store.write(lambda unit: unit.stage(WANT_MOVE, row), apart=True)
    house.house.rooms.federation.moves.wake()
    await settled(house)


@pytest.mark.parametrize(("claimed", "says"), [
    (False, True),  # the new account knows nothing of it
    (True, False),  # the old one does not say so: a replay of a move that was taken back
])
async def test_a_move_that_one_side_denies_moves_nobody(
    home: Neighbour, here: Neighbour, claimed: bool, says: bool
) -> None:
    mark = f"d{int(claimed)}{int(says)}"
    old, new = await home.browser().join(f"{mark}_old"), await here.browser().join(f"{mark}_new")
    await claims(new, f"@{mark}_old@{home.authority}")
    if says:
        await moves(old, f"@{mark}_new@{here.authority}")
        await until(lambda: moved_of(here, f"{mark}_old", home))
        await new.send("/settings/elsewhere/alias", drop=f"{home.url}/u/{mark}_old")
    person = await actor(here, f"{mark}_old", home.authority)
    accounts = here.house.rooms.accounts
    await here.house.store.write(lambda unit: accounts.end_move(unit, person))

    await told(here, person, f"{here.url}/u/{mark}_new")

    assert await moved(here, person) is None


async def moved_of(house: Neighbour, name: str, home: Neighbour) -> Any:
    return await moved(house, await actor(house, name, home.authority))


async def test_two_who_move_to_each_other_make_no_circle(
    home: Neighbour, here: Neighbour
) -> None:
    one, two = await home.browser().join("circle_1"), await here.browser().join("circle_2")
    await claims(two, f"@circle_1@{home.authority}")
    await claims(one, f"@circle_2@{here.authority}")
    await moves(one, f"@circle_2@{here.authority}")
    await until(lambda: moved_of(here, "circle_1", home))

    answer = await moves(two, f"@circle_1@{home.authority}")

    assert "has moved away itself" in answer.text


async def test_a_move_to_a_server_that_is_blocked_is_not_made(
    home: Neighbour, here: Neighbour
) -> None:
    old, new = await home.browser().join("to_blocked"), await here.browser().join("behind")
    await claims(new, f"@to_blocked@{home.authority}")
    await home.house.rooms.federation.proving.person(f"@behind@{here.authority}")
    accounts = home.house.rooms.accounts
    import msgspec

    lists = accounts.current_lists
    settings = accounts.current_site.settings
    blocked = msgspec.structs.replace(lists, blocked_instances=(here.authority,))
    await home.house.store.write(lambda unit: accounts.edit_site(unit, None, settings, blocked))
    try:
        answer = await moves(old, f"@behind@{here.authority}")
    finally:
        await home.house.store.write(lambda unit: accounts.edit_site(unit, None, settings, lists))

    assert 403 == answer.status_code
