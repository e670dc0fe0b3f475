"""A community whose server is gone, and one that moves: two houses, over HTTP, and their people."""

from typing import Any

import pytest
import sqlalchemy as sa

from lichen.accounts import Actor
from lichen.federation.tables import heard_offer
from lichen.forum import NewPost, PostDraft, Subscribed
from tests.federation.elsewhere import Elsewhere
from tests.federation.neighbours import PASSWORD, Browser, Neighbour, until

pytestmark = pytest.mark.anyio


async def gardener(house: Neighbour) -> Browser:
    """Return the administrator of a house at a browser."""
    browser = house.browser()
    answer = await browser.send("/login", name="gardener", password=PASSWORD)
    assert 303 == answer.status_code, answer.text
    return browser


async def call(browser: Browser, path: str, **asked: Any) -> dict[str, Any]:
    """Send one of the house's own calls and return what it says."""
    token = browser.http.cookies.get("lichen_session")
    answer = await browser.http.post(
        f"/api/lichen{path}", json=asked, headers={"authorization": f"Bearer {token}"}
    )
    assert 200 == answer.status_code, answer.text
    return dict(answer.json())


async def found(house: Neighbour, address: str) -> Actor:
    actor = await house.house.rooms.federation.resolver.find(address)
    assert isinstance(actor, Actor), address
    return actor


async def group(house: Neighbour, name: str) -> dict[str, Any]:
    answer = await house.browser().http.get(
        f"/c/{name}", headers={"accept": "application/activity+json"}
    )
    return dict(answer.json())


async def waits(house: Neighbour) -> bool:
    """Say whether something was heard of successors, was examined, and waits for an end."""
    waiting = sa.select(heard_offer).where(heard_offer.c.retry_us > 0)
    return bool(await house.house.store.read(lambda unit: unit.fetch(waiting), apart=True))


async def question(browser: Browser) -> tuple[str, str]:
    """Return the page that asks about successors and where its answer goes, once it asks."""
    async def look() -> str:
        text = (await browser.see("/successors")).text
        return text if mark in text else ""

    mark = 'action="/successors/'
    text = await until(look)
    number = text.partition(mark)[2].partition('"')[0]
    return text, f"/successors/{number}"


async def state(house: Neighbour, browser: Browser, community: Actor) -> Subscribed:
    viewer = await house.viewer(browser)
    view = await house.house.store.read(
        lambda unit: house.house.rooms.forum.community(unit, viewer, id=community.id)
    )
    return view.subscribed


async def test_a_successor_is_offered_to_who_followed_the_old_one_on_another_server(
    home: Neighbour, here: Neighbour
) -> None:
    peer = Elsewhere()
    stop = await peer.start()
    peer.group("herbs")
    there = {house.url: await found(house, peer.at("/c/herbs")) for house in (home, here)}
    await stop()
    reader = await here.browser().join("herb_reader")
    await reader.send(f"/c/herbs@{peer.authority}/subscribe", value="1")
    # Somebody of the other server wrote there: so it is known to hold copies.
    writer = await found(home, f"@herb_reader@{here.authority}")
    await home.house.store.write(lambda unit: home.house.rooms.forum.create_posts(unit, [NewPost(
        writer.id, there[home.url].id, PostDraft(name="Of sage"), local=False,
        ap_id=f"{here.url}/post/4711",
    )]))
    founder, admin = await gardener(home), await gardener(here)
    await founder.send(f"/c/herbs@{peer.authority}/gone", value="1")

    made = await founder.send(f"/c/herbs@{peer.authority}/succession", name="herbs", title="Herbs")

    assert "/c/herbs" == made.headers.get("location"), made.text
    assert there[home.url].ap_id == (await group(home, "herbs"))["wasDerivedFrom"]
    await until(lambda: waits(here))
    assert "Nothing to decide" in (await reader.see("/successors")).text, "it lives, as known here"
    await admin.send(f"/c/herbs@{peer.authority}/gone", value="1")
    text, action = await question(reader)
    assert f"{home.authority}, another server, continues" in text
    assert "its old server did not confirm that" in text
    assert 303 == (await reader.send(action, value="1")).status_code
    heir = await found(here, f"!herbs@{home.authority}")

    async def follows() -> bool:
        return await state(here, reader, heir) is Subscribed.SUBSCRIBED

    await until(follows)
    assert "Nothing to decide" in (await reader.see("/successors")).text
    old_page = (await reader.see(f"/c/herbs@{peer.authority}")).text
    assert f"a community of {home.authority}" in old_page
    heir_page = (await reader.see(f"/c/herbs@{home.authority}")).text
    assert "whose server did not confirm it" in heir_page


async def test_a_community_moves_and_who_follows_it_is_asked_on_both_servers(
    home: Neighbour, here: Neighbour
) -> None:
    founder, admin = await gardener(home), await gardener(here)
    await founder.send("/create_community", name="stones", title="Stones")
    await admin.send("/create_community", name="rocks", title="Rocks")
    old, new = await found(home, f"!stones@{home.authority}"), await found(here, "!rocks@" +
                                                                           here.authority)
    there = await found(here, f"!stones@{home.authority}")
    at_home, at_here = await home.browser().join("stone_1"), await here.browser().join("stone_2")
    await at_home.send("/c/stones/subscribe", value="1")
    await at_here.send(f"/c/stones@{home.authority}/subscribe", value="1")

    async def follows() -> bool:
        return await state(here, at_here, there) is Subscribed.SUBSCRIBED

    await until(follows)
    refused = await founder.send("/c/stones/move", address=f"!rocks@{here.authority}")
    assert "does not say that it is this one too" in refused.text
    claimed = await admin.send("/c/rocks/claim", address=f"!stones@{home.authority}")
    assert 303 == claimed.status_code, claimed.text
    assert [old.ap_id] == (await group(here, "rocks"))["alsoKnownAs"]

    await call(founder, "/succession/move", community_id=old.id,
               address=f"!rocks@{here.authority}")

    assert new.ap_id == (await group(home, "stones"))["movedTo"]
    for reader in (at_home, at_here):
        text, action = await question(reader)
        assert "both communities say so" in text
        assert 303 == (await reader.send(action, value="1")).status_code
        assert "Nothing to decide" in (await reader.see("/successors")).text
    target = await found(home, f"!rocks@{here.authority}")

    async def moved() -> bool:
        return await state(home, at_home, target) is Subscribed.SUBSCRIBED

    await until(moved)
    assert await state(here, at_here, new) is Subscribed.SUBSCRIBED
    assert "This community has moved." in (await at_home.see("/c/stones")).text
    assert "has moved here, as both say" in (await at_here.see("/c/rocks")).text

    assert 303 == (await founder.send("/c/stones/move", back="1")).status_code

    assert "movedTo" not in await group(home, "stones")
    assert "This community has moved." not in (await at_home.see("/c/stones")).text

    async def is_back() -> bool:
        return "Moved to" not in (await at_here.see(f"/c/stones@{home.authority}")).text

    await until(is_back)
    assert await state(here, at_here, new) is Subscribed.SUBSCRIBED, "nobody is moved back"
