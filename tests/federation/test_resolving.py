"""From an id or a handle to rows: fetched once, stored whole, and nothing of what is not theirs."""

import asyncio

import msgspec
import pytest
import sqlalchemy as sa

from lichen.accounts import Actor, ActorKind
from lichen.federation.limits import (
    COLLECTION_PAGES_MAX,
    MISSING_US_MAX,
    PARENTS_MAX,
    RECENT_POSTS_MAX,
)
from lichen.forum import Comment, Listing, Post, PostQuery, Sort
from lichen.store import Unit
from tests.conftest import FakeClock
from tests.federation.conftest import House
from tests.federation.elsewhere import PUBLIC, Elsewhere

pytestmark = pytest.mark.anyio


@pytest.fixture
def garden(peer: Elsewhere) -> Elsewhere:
    """A server with a person, a community, and a thread in it."""
    peer.person()
    peer.person("bob")
    peer.group()
    page = peer.page()
    note = peer.note(1, page["id"], by="bob")
    peer.note(2, note["id"])
    return peer


async def count(house: House, table: str) -> int:
    query = sa.select(sa.func.count().label("count")).select_from(sa.table(table))
    return await house.store.read(lambda unit: unit.fetch(query)[0].count)


async def test_a_crowd_that_names_one_actor_asks_once(house: House, garden: Elsewhere) -> None:
    resolver = house.room.resolver
    garden.hold = asyncio.Event()
    asking = [asyncio.create_task(resolver.actors([garden.at("/u/anna")])) for _ in range(20)]
    await asyncio.sleep(0.05)
    garden.hold.set()

    found = await asyncio.gather(*asking)

    assert garden.asked_for("/u/anna") == 1
    (anna,) = {one[garden.at("/u/anna")].id: one[garden.at("/u/anna")] for one in found}.values()
    assert (anna.name, anna.domain, anna.local) == ("anna", garden.authority, False)
    assert anna.inbox == garden.at("/u/anna/inbox")


async def test_actors_are_stored_with_their_keys_and_their_server(
    house: House, garden: Elsewhere
) -> None:
    ids = [garden.at("/u/anna"), garden.at("/c/garden"), garden.at("/u/nobody"), "rubbish",
           "https://[", "http://lichen.example/u/nobody"]

    found = await house.room.resolver.actors(ids)

    assert found.keys() == set(ids[:2])
    assert found[ids[1]].kind is ActorKind.COMMUNITY
    key = await house.room.keys.public_key(garden.key().key_id)
    assert (key.owner, garden.asked_for("/u/anna")) == (ids[0], 1)
    assert house.room.peers.known(garden.authority).shared_inbox == garden.at("/inbox")


async def test_what_came_from_elsewhere_says_so_in_every_event(
    house: House, garden: Elsewhere
) -> None:
    """Nothing of theirs is sent out again as if it were ours."""
    house.events.clear()

    await house.room.resolver.thing(garden.at("/comment/2"))
    await house.room.resolver.communities.settled()

    assert {event.origin for event in house.events} == {garden.authority}
    assert {event.collection.removeprefix("lichen.") for event in house.events} >= {
        "actor.profile", "forum.community", "forum.post", "forum.comment", "forum.tally"}


async def test_who_was_not_there_is_not_asked_for_again_soon(
    house: House, peer: Elsewhere, clock: FakeClock
) -> None:
    resolver, ap_id = house.room.resolver, peer.at("/u/anna")
    for _ in range(3):
        assert await resolver.actors([ap_id]) == {}
    assert peer.asked == ["/u/anna"]

    peer.person()
    clock.now_us += MISSING_US_MAX + 1_000_000

    assert (await resolver.actors([ap_id])).keys() == {ap_id}


async def test_a_server_that_fails_is_asked_again_at_once(house: House, peer: Elsewhere) -> None:
    resolver, ap_id = house.room.resolver, peer.at("/u/anna")
    peer.documents["/u/anna"] = 503
    assert await resolver.actors([ap_id]) == {}
    peer.person()

    assert (await resolver.actors([ap_id])).keys() == {ap_id}


async def test_a_handle_is_found_and_then_known(house: House, garden: Elsewhere) -> None:
    garden.finger("anna", ("/u/anna", "Person"))
    garden.finger("garden", ("/c/garden", "Group"))
    resolver = house.room.resolver

    anna = await resolver.find(f"@anna@{garden.authority}")
    community = await resolver.find(f"!garden@{garden.authority}")
    await resolver.communities.settled()
    asked = len(garden.asked)

    assert isinstance(anna, Actor)
    assert isinstance(community, Actor)
    assert (anna.kind, community.kind) == (ActorKind.PERSON, ActorKind.COMMUNITY)
    assert await resolver.find(f"@anna@{garden.authority}") == anna
    assert await resolver.find(f"@garden@{garden.authority}") is None
    assert await resolver.find(f"@garden@{garden.authority}") is None
    assert len(garden.asked) == asked + 1, "a person is no community, and that is remembered"


async def test_our_own_are_found_without_asking_anybody(house: House) -> None:
    mira = await house.sign_up("mira")
    find = house.room.resolver.find

    assert (await find("@mira@lichen.example")).id == mira.id
    assert (await find("http://lichen.example/u/mira")).id == mira.id
    assert await find("@nobody@lichen.example") is None
    assert await find("http://lichen.example/post/77") is None
    assert await find("some words") is None


async def test_an_answer_brings_everything_above_it(house: House, garden: Elsewhere) -> None:
    found = await house.room.resolver.thing(garden.at("/comment/2"))
    await house.room.resolver.communities.settled()

    assert isinstance(found, Comment)
    assert (found.content, found.local, found.depth) == ("Answer 2.", False, 2)
    post = await house.room.resolver.thing(garden.at("/post/1"))
    assert isinstance(post, Post)
    assert (post.name, post.body, post.comments) == ("Post 1", "Words of 1.", 2)
    assert (post.ap_id, post.id) == (garden.at("/post/1"), found.post_id)
    assert all(garden.asked_for(path) == 1 for path in ("/post/1", "/comment/1", "/u/anna"))


async def test_a_crowd_that_names_one_answer_stores_it_once(
    house: House, garden: Elsewhere
) -> None:
    resolver = house.room.resolver

    found = await asyncio.gather(*(resolver.thing(garden.at("/comment/2")) for _ in range(10)))

    assert len({one.id for one in found if isinstance(one, Comment)}) == 1
    assert (await count(house, "post"), await count(house, "comment")) == (1, 2)


async def test_a_thread_of_two_servers_is_stored(
    house: House, garden: Elsewhere, other: Elsewhere
) -> None:
    other.person("carl")
    other.note(9, garden.at("/comment/1"), by="carl")

    found = await house.room.resolver.thing(other.at("/comment/9"))

    assert isinstance(found, Comment)
    assert found.depth == 2


async def test_a_page_of_a_post_leads_to_the_post(house: House, garden: Elsewhere) -> None:
    """People paste what their browser shows."""
    garden.documents["/c/garden/p/1/slug"] = garden.documents["/post/1"]

    found = await house.room.resolver.find(garden.at("/c/garden/p/1/slug"))

    assert isinstance(found, Post)
    assert found.ap_id == garden.at("/post/1")
    again = await house.room.resolver.find(garden.at("/c/garden/p/1/slug"))
    assert isinstance(again, Post)
    assert again.id == found.id


async def test_times_to_come_are_now(house: House, garden: Elsewhere, clock: FakeClock) -> None:
    garden.page(2, published="2099-01-01T00:00:00Z")

    found = await house.room.resolver.thing(garden.at("/post/2"))

    assert isinstance(found, Post)
    assert abs(found.published_us - clock()) < 1_000_000


ATTACKS = (
    "author of another server", "thing of another server", "private", "no community",
    "community that is a person", "answer to itself", "a circle of answers", "too deep",
    "answer to nothing", "answer on a blocked server", "nobody wrote it", "banned author",
    "banned from the community", "moderators only", "a tombstone", "a picture", "an activity",
)


@pytest.mark.parametrize("attack", ATTACKS)
async def test_what_may_not_stand_there_is_not_stored(
    house: House, garden: Elsewhere, other: Elsewhere, attack: str
) -> None:
    resolver = house.room.resolver
    page = garden.page(2)
    await _prepare(house, garden, other, page, attack)
    before = await count(house, "post"), await count(house, "comment")

    assert await resolver.thing(garden.at("/post/2")) is None

    assert (await count(house, "post"), await count(house, "comment")) == before
    assert await resolver.thing(garden.at("/post/2")) is None


async def _prepare(
    house: House, garden: Elsewhere, other: Elsewhere, page: dict, attack: str
) -> None:
    """Make the page what the attack makes of it."""
    match attack:
        case "author of another server":
            page["attributedTo"] = other.person("victim")["id"]
        case "thing of another server":
            page["id"] = other.at("/post/2")
        case "private":
            page.update(type="Note", to=["http://lichen.example/u/mira"], audience=None)
        case "no community":
            page.update(to=[PUBLIC], audience=None)
        case "community that is a person":
            page.update(to=[garden.at("/u/bob"), PUBLIC], audience=garden.at("/u/bob"))
        case "answer to itself":
            page["inReplyTo"] = page["id"]
        case "a circle of answers":
            page["inReplyTo"] = garden.note(7, garden.note(8, page["id"])["id"])["id"]
        case "too deep":
            above = garden.at("/post/1")
            for number in range(100, 100 + PARENTS_MAX + 1):
                above = garden.note(number, above)["id"]
            page["inReplyTo"] = above
        case "answer to nothing":
            page["inReplyTo"] = garden.at("/comment/404")
        case "answer on a blocked server":
            await house.settings(blocked_instances=(other.authority,))
            page["inReplyTo"] = other.note(1, garden.at("/post/1"))["id"]
        case "nobody wrote it":
            page["attributedTo"] = garden.at("/u/nobody")
        case "banned author" | "banned from the community":
            await _ban(house, garden, from_site=attack == "banned author")
        case "moderators only":
            # Its own server lets its people in itself.
            group = other.group(postingRestrictedToMods=True)["id"]
            page.update(to=[group, PUBLIC], audience=group)
        case "a tombstone":
            page["type"] = "Tombstone"
        case "a picture":
            page["type"] = "Emoji"
        case "an activity":
            page.update(type="Create", object=dict(page))


async def _ban(house: House, garden: Elsewhere, *, from_site: bool) -> None:
    ids = [garden.at("/u/anna"), garden.at("/c/garden")]
    found = await house.room.resolver.actors(ids)
    anna, community = (found[one] for one in ids)
    mira = await house.sign_up("mira")
    admin = msgspec.structs.replace(mira, actor=msgspec.structs.replace(mira.actor, admin=True))

    def ban(unit: Unit) -> None:
        if from_site:
            house.accounts.ban(unit, None, anna.id, banned=True)
        else:
            house.forum.ban_from_community(unit, admin, community.id, anna.id, banned=True)

    await house.store.write(ban)


async def moderators_of(house: House, community: Actor) -> list[str]:
    people = await house.store.read(lambda unit: house.forum.moderators(unit, community.id))
    return [one.name for one in people]


async def posts_in(house: House, community: Actor) -> list[str]:
    """Return the names of a community's posts, the newest first."""
    query = PostQuery(listing=Listing.ALL, sort=Sort.NEW, community_id=community.id, limit=50)
    views, _ = await house.store.read(lambda unit: house.forum.post_list(unit, None, query))
    return [view.post.name for view in views]


async def test_a_new_community_brings_its_moderators_and_recent_posts(
    house: House, garden: Elsewhere, other: Elsewhere
) -> None:
    """From an outbox as Lemmy, PieFed and Mastodon fill theirs: whole, wrapped, or by address."""
    other.person("carl")
    theirs = other.add("/post/5", **{
        **garden.page(5), "id": other.at("/post/5"), "attributedTo": other.at("/u/carl")})
    del garden.documents["/post/5"]
    forged = {**garden.page(6), "attributedTo": other.at("/u/carl")}
    garden.collection("/c/garden/moderators", [garden.at("/u/bob"), garden.at("/u/anna"), 7])
    garden.collection("/c/garden/featured", [garden.documents["/post/1"]])
    garden.collection("/c/garden/outbox", [
        {"type": "Announce", "actor": garden.at("/c/garden"), "object": {
            "type": "Create", "actor": garden.at("/u/anna"), "object": garden.page(4)}},
        {"type": "Announce", "object": {"type": "Create", "object": theirs}},
        {"type": "Create", "object": garden.page(3)}, garden.at("/post/2"),
        {"type": "Announce", "object": {"type": "Like", "object": garden.at("/post/1")}},
        {"type": "Announce", "object": {"type": "Create", "object": forged}},
        garden.documents["/comment/1"], None, "rubbish", 7,
    ])
    garden.page(2)

    found = await house.room.resolver.actors([garden.at("/c/garden")])
    await house.room.resolver.communities.settled()

    community = found[garden.at("/c/garden")]
    assert await moderators_of(house, community) == ["bob", "anna"]
    assert await posts_in(house, community) == ["Post 6", "Post 5", "Post 4", "Post 3",
                                                "Post 2", "Post 1"]
    six = await house.room.resolver.thing(garden.at("/post/6"))
    anna = (await house.room.resolver.actors([garden.at("/u/anna")]))[garden.at("/u/anna")]
    assert isinstance(six, Post)
    assert six.creator_id == anna.id, "asked where it lives, it says who wrote it"


async def test_an_outbox_without_end_ends(house: House, garden: Elsewhere) -> None:
    pages = [garden.page(number) for number in range(1, 29)]
    garden.collection("/c/garden/outbox", [], first=garden.at("/c/garden/outbox?page=1"))
    del garden.documents["/c/garden/outbox"]["orderedItems"]
    for number in range(1, 9):
        garden.collection(f"/c/garden/outbox?page={number}", pages[number * 3:number * 3 + 3],
                          next=garden.at(f"/c/garden/outbox?page={number % 8 + 1}"))
    garden.collection("/c/garden/featured", pages * 10)

    found = await house.room.resolver.actors([garden.at("/c/garden")])
    await house.room.resolver.communities.settled()

    assert len(await posts_in(house, found[garden.at("/c/garden")])) <= RECENT_POSTS_MAX
    asked = sum("outbox" in path for path in garden.asked)
    assert asked <= COLLECTION_PAGES_MAX


async def test_a_community_without_collections_is_a_community(
    house: House, garden: Elsewhere
) -> None:
    garden.group(outbox=None, featured=7, attributedTo=[], moderators={"id": None})

    found = await house.room.resolver.actors([garden.at("/c/garden")])
    await house.room.resolver.communities.settled()

    assert await posts_in(house, found[garden.at("/c/garden")]) == []
