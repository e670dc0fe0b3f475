"""Catching up with a server: what it has and we missed comes, and nothing else does."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest
from msgspec import structs

from lichen.accounts import Actor, Viewer
from lichen.federation.actors import actor_in
from lichen.federation.applying import Applying
from lichen.federation.catching_up import CatchUp, ask_in_rows
from lichen.federation.comparing import in_order
from lichen.federation.decisions import Below
from lichen.federation.ingest import Ingest
from lichen.federation.model import Accepts
from lichen.federation.objects import Thing
from lichen.forum import CommentView, Following, PostView
from lichen.kit import Forbidden, NotFound, Refused
from lichen.messages.room import build as build_messages
from lichen.moderation.room import build as build_moderation
from lichen.store import Unit
from lichen.web import Addresses
from tests.federation.conftest import House
from tests.federation.elsewhere import Elsewhere, Json

pytestmark = pytest.mark.anyio

on_sqlite = pytest.mark.parametrize("engine", ["sqlite"], indirect=True)  # no rows of its own

OUTBOX = "/c/garden/outbox"


class Gap:
    """A house that follows a community elsewhere, and missed what happened there."""

    def __init__(self, house: House, peer: Elsewhere, admin: Viewer) -> None:
        self.house = house
        self.peer = peer
        self.admin = admin
        self.garden: Actor = None  # type: ignore[assignment]

    async def follows(self) -> None:
        """Know the community with what is in its outbox, and follow it."""
        resolver, forum = self.house.room.resolver, self.house.forum
        (self.garden,) = (await resolver.actors([self.peer.at("/c/garden")])).values()
        await resolver.communities.settled()
        following = Following(self.admin.id, self.garden.id)
        await self.house.store.write(lambda unit: forum.follow_communities(unit, [following]))

    def pages(self, items: list[Any], *, size: int = 4) -> None:
        """Let the outbox hold items, on pages of that size, as ours does."""
        cuts = [items[at : at + size] for at in range(0, len(items), size)] or [[]]
        paths = [f"{OUTBOX}?page={at}" for at in range(len(cuts))]
        self.peer.collection(OUTBOX, cuts[0], first=self.peer.at(paths[0]))
        for at, (path, cut) in enumerate(zip(paths, cuts, strict=True)):
            following = {"next": self.peer.at(paths[at + 1])} if at + 1 < len(cuts) else {}
            self.peer.add(path, type="OrderedCollectionPage", orderedItems=cut,
                          partOf=self.peer.at(OUTBOX), **following)

    def thread(self, number: int, notes: list[str], **fields: Any) -> Json:
        """Serve a post whose context names comments."""
        path = f"/post/{number}/context"
        page = self.peer.page(number, context=self.peer.at(path), **fields)
        self.peer.collection(path, [page["id"], *notes])
        return page

    async def catches_up(self) -> CatchUp:
        """Ask, and wait for the end."""
        catching_up = self.house.room.catching_up
        assert catching_up.ask(self.admin, self.peer.authority).is_under_way
        await catching_up.settled()
        ended = catching_up.state(self.peer.authority)
        assert ended is not None and not ended.is_under_way
        return ended

    async def posts(self) -> dict[str, PostView]:
        """Return every post that is here, by its path."""
        forum = self.house.forum

        def read(unit: Unit) -> list[PostView]:
            ids = [one.id for one in forum.past_posts(unit, after=0, limit=500)]
            return list(forum.scene_of(unit, None, posts=ids).posts.values())

        return {one.post.ap_id.removeprefix(self.peer.url): one
                for one in await self.house.store.read(read)}

    async def comments(self) -> dict[str, CommentView]:
        forum = self.house.forum

        def read(unit: Unit) -> list[CommentView]:
            ids = [one.id for one in forum.past_comments(unit, after=0, limit=500)]
            return list(forum.scene_of(unit, None, comments=ids).comments.values())

        return {one.comment.ap_id.removeprefix(self.peer.url): one
                for one in await self.house.store.read(read)}


@pytest.fixture
async def gap(house: House, peer: Elsewhere) -> AsyncIterator[Gap]:
    addresses = Addresses(house.ground.config.public_url)
    below = Below(
        accounts=house.accounts, forum=house.forum, read_actor=actor_in,
        messages=build_messages(house.ground, accounts=house.accounts, addresses=addresses),
        moderation=build_moderation(
            house.ground, forum=house.forum, accounts=house.accounts, addresses=addresses),
        accepts=lambda _authority: Accepts(), own_authority=addresses.authority,
    )
    ingest = Ingest(house.store, Applying(below, house.ground.tids), position=0)
    house.room.catching_up.apply_through(ingest.take)
    admin = await house.sign_up("keeper")
    viewer = structs.replace(admin, actor=structs.replace(admin.actor, admin=True))
    for name in ("anna", "bob"):
        peer.person(name)
    peer.group()
    yield Gap(house, peer, viewer)


def announced(peer: Elsewhere, page: Json) -> Json:
    """Return a post as an outbox of Lemmy's kind has it."""
    group = peer.at("/c/garden")
    return {"type": "Announce", "actor": group, "object": {
        "type": "Create", "actor": page["attributedTo"], "object": page}}


async def test_what_was_written_edited_and_deleted_meanwhile_is_here_afterwards(
    gap: Gap, peer: Elsewhere
) -> None:
    first = [gap.thread(number, []) for number in (1, 2, 3, 4)]
    gap.pages([announced(peer, one) for one in reversed(first)])
    await gap.follows()
    for number, above in ((1, 1), (2, 1), (3, 1)):
        await gap.house.room.resolver.thing(peer.note(number, peer.at(f"/post/{above}"))["id"])
    assert len(await gap.posts()) == 4

    notes = [peer.note(4, peer.at("/comment/2"), by="bob")["id"],
             peer.note(5, peer.at("/comment/4"))["id"]]
    peer.note(2, peer.at("/post/1"), content="<p>Better.</p>", updated="2023-09-01T00:00:00Z")
    peer.documents["/comment/3"] = 410
    below = [peer.at("/comment/1"), *reversed(notes), peer.at("/comment/2")]
    items = [gap.thread(1, below),
             gap.thread(2, [], name="Mended", updated="2023-09-02T00:00:00Z")]
    peer.documents["/post/3"] = 410
    peer.documents["/post/4"] = 404  # a server that is being mended says that, too
    items += [gap.thread(number, []) for number in range(5, 16)]
    gap.pages([*(announced(peer, one) for one in items[:0:-1]), items[0]["id"]])

    ended = await gap.catches_up()

    assert (ended.state, ended.words) == ("done", "")
    assert (ended.communities, ended.communities_done) == (1, 1)
    assert (ended.posts, ended.comments, ended.changed, ended.deleted) == (11, 2, 2, 2)
    posts, comments = await gap.posts(), await gap.comments()
    assert posts.keys() == {f"/post/{number}" for number in range(1, 16)}
    assert posts["/post/2"].post.name == "Mended"
    assert [path for path, one in posts.items() if one.post.deleted] == ["/post/3"]
    assert comments["/comment/2"].comment.content == "Better."
    assert [path for path, one in comments.items() if one.comment.deleted] == ["/comment/3"]
    assert comments["/comment/5"].comment.parent_id == comments["/comment/4"].comment.id

    again = await gap.catches_up()

    assert (again.posts, again.comments, again.changed, again.deleted) == (0, 0, 0, 0)


@on_sqlite
async def test_a_server_is_asked_once_however_many_ask(gap: Gap, peer: Elsewhere) -> None:
    gap.pages([])
    await gap.follows()
    catching_up, before = gap.house.room.catching_up, peer.asked_for(OUTBOX)

    asked = [catching_up.ask(gap.admin, peer.authority) for _ in range(3)]
    await catching_up.settled()

    assert {one.state for one in asked} == {"waiting"}
    assert peer.asked_for(OUTBOX) == before + 1


@on_sqlite
async def test_only_administrators_ask_and_only_servers_that_we_talk_to(
    gap: Gap, peer: Elsewhere, house: House
) -> None:
    gap.pages([])
    await gap.follows()
    anna, catching_up = await house.sign_up("anna"), house.room.catching_up

    with pytest.raises(Forbidden):
        catching_up.ask(anna, peer.authority)
    with pytest.raises(NotFound):
        catching_up.ask(gap.admin, "nobody.example")
    await house.settings(blocked_instances=(peer.authority,))
    with pytest.raises(Refused, match="does not talk"):
        catching_up.ask(gap.admin, peer.authority)

    assert catching_up.state(peer.authority) is None


@on_sqlite
async def test_a_server_that_is_away_is_said_to_be(gap: Gap, peer: Elsewhere) -> None:
    gap.pages([])
    await gap.follows()
    peer.documents["/c/garden"] = 503

    ended = await gap.catches_up()

    assert (ended.state, "answers 503" in ended.words) == ("failed", True)


@on_sqlite
async def test_what_is_asked_in_rows_is_begun_and_what_a_stop_cut_says_so(
    gap: Gap, peer: Elsewhere, house: House
) -> None:
    """The command line cannot speak to the house that serves but by rows."""
    gap.pages([announced(peer, gap.thread(1, []))])
    await gap.follows()
    catching_up = house.room.catching_up
    peers = house.room.peers
    peers.mention("blocked.example")
    await peers.flush()
    await house.store.write(lambda unit: ask_in_rows(unit, peer.authority))
    await house.store.write(lambda unit: ask_in_rows(unit, "blocked.example"))
    await house.settings(blocked_instances=("blocked.example",))

    peer.hold, before = asyncio.Event(), len(peer.asked)
    await catching_up.look()
    while len(peer.asked) == before:  # noqa: ASYNC110 - who is asked rings no bell
        await asyncio.sleep(0)
    asked = catching_up.state(peer.authority)
    await catching_up.close()  # as at a stop
    peer.hold.set()
    catching_up._is_new = True
    await catching_up.look()

    assert asked is not None and asked.state == "running"
    assert catching_up.state("blocked.example").state == "failed"
    cut = catching_up.state(peer.authority)
    assert (cut.state, "stopped meanwhile" in cut.words) == ("cut", True)


def test_what_is_answered_comes_before_its_answers() -> None:
    def thing(number: int, above: int) -> Thing:
        return Thing(ap_id=str(number), kind="Note", authors=(), replies_to=str(above))

    things = [thing(5, 4), thing(4, 2), thing(2, 1), thing(7, 6), thing(6, 7), thing(9, 8)]

    assert [one.ap_id for one in in_order(things, ["1", "3"])] == ["2", "4", "5"]
