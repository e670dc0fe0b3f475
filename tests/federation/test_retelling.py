"""A peer that was away for longer than the log is kept is told again what it missed."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from msgspec import structs

from lichen.accounts import Viewer
from lichen.federation.outgoing import Outgoing
from lichen.federation.retelling import Retelling
from lichen.federation.scenes import Rooms
from lichen.forum import (
    CommentId,
    CommunityDraft,
    CommunityView,
    Following,
    NewComment,
    NewPost,
    PostDraft,
    PostView,
)
from lichen.kit import Reason
from lichen.store import Unit
from tests.federation.neighbours import Neighbour, free_port, neighbour, until
from tests.federation.outward import HERE, Outward, ground, house, mira, otto, outward, post, stones

__all__ = ["ground", "house", "mira", "otto", "outward", "post", "stones"]

pytestmark = pytest.mark.anyio

FAR = "far.example"


async def retold(outward: Outward, since_us: int, authority: str = FAR) -> list[Outgoing]:
    """Return everything that a peer is told again."""
    rooms = Rooms(outward.house.accounts, outward.house.forum, outward.messages,
                  outward.moderation, lambda _unit, _pairs: {})
    retelling = Retelling(
        outward.house.store, rooms, followers=outward.followers, addresses=outward.addresses)
    telling, records = retelling.of(authority, since_us), []
    while page := await telling.page():
        records += page
    return records


def ids(records: list[Outgoing]) -> list[str]:
    return [record.id.removeprefix(f"{HERE}/activities/") for record in records]


def inner(record: Outgoing) -> Any:
    return json.loads(bytes(record.activity))["object"]


async def test_what_is_told_again_has_the_ids_of_the_first_time(
    outward: Outward, mira: Viewer, otto: Viewer, post: PostView, stones: CommunityView,
    clock: Any,
) -> None:
    await outward.followed(stones)
    clock.advance(days=40)
    since_us = clock.now_us
    write, forum = outward.write, outward.house.forum
    fresh = await write(forum, "create_post", mira, stones.community.id, PostDraft(name="Slate"))
    said = await write(forum, "create_comment", otto, fresh.post.id, content="@fan0@far.example")
    await write(forum, "create_comment", otto, post.post.id, content="Old, and spoken of.")
    await write(forum, "delete_comment", otto, said.comment.id, deleted=True)
    await write(outward.moderation, "lock_post", mira, fresh.post.id, locked=True)
    first = [one for one in await outward.told() if FAR in outward.followers.of(one.community)]
    clock.advance(hours=1)
    await write(forum, "edit_post", mira, post.post.id, PostDraft(name="Granite, at last"))
    await write(forum, "create_posts", [NewPost(
        otto.id, stones.community.id, PostDraft(name="Buy!"), holds=(Reason(rule="links"),))])
    await outward.told()

    records = await retold(outward, since_us)

    known, again = ids(first), ids(records)
    # An author's vote, the ruling's own id and the edit are not among what is known.
    assert [one for one in again if one in known] == [
        one for one in known
        if one in again
    ] and len(set(again)) == len(again)
    acts = [(inner(one)["type"], inner(one)["object"]) for one in records
            if isinstance(inner(one), dict)]
    assert [(kind, what if isinstance(what, str) else what.get("name", what["id"]))
            for kind, what in acts] == [
        ("Update", "Granite, at last"), ("Create", "Slate"),
        ("Delete", said.comment.ap_id), ("Create", f"{HERE}/comment/2"),
        ("Lock", fresh.post.ap_id),
    ]
    assert await retold(outward, since_us, "near.example") == []


async def test_words_of_third_servers_are_named_so_that_they_are_fetched(
    outward: Outward, stones: CommunityView
) -> None:
    await outward.followed(stones, (FAR, "near.example"))
    near = await outward.remote("nora", "near.example")
    await outward.house.write("create_posts", [NewPost(
        near.id, stones.community.id, PostDraft(name="From near"), local=False,
        ap_id="https://near.example/post/1")])

    told = {one: await retold(outward, 1, one) for one in (FAR, "near.example")}

    assert [inner(one) for one in told[FAR]] == ["https://near.example/post/1"]
    assert told["near.example"] == []


@pytest.mark.slow
async def test_two_houses_agree_again_after_a_long_absence_and_after_a_gap(
    tmp_path: Path
) -> None:
    """B's log is trimmed while A is away; later A is blocked, and asks for what it missed."""
    port = free_port()
    async with neighbour(tmp_path / "b", LICHEN_LOG_SEGMENT_BYTES_MAX="65536") as home:
        town = Town(home)
        await town.founded()
        async with neighbour(tmp_path / "a", port=port) as away:
            await town.followed_from(away)
            await town.write(2)
            await until(lambda: town.agrees_with(away))
            authority = away.authority
        await town.write(20)
        await town.trims(authority)
        async with neighbour(tmp_path / "a", port=port) as away:
            sending = home.house.outgoing.sending
            sending.resume(authority)

            await until(lambda: town.agrees_with(away))

            await until(lambda: town.is_quiet(authority))
            await town.talks_to((authority,), blocked=True)
            await town.write(3)
            await until(lambda: town.is_quiet(authority))
            await town.talks_to((), blocked=False)
            assert not await town.agrees_with(away)
            catching_up = away.house.rooms.federation.catching_up

            catching_up.ask(await admin_of(away), home.authority)
            await catching_up.settled()

            assert catching_up.state(home.authority).state == "done"
            assert await town.agrees_with(away)


class Town:
    """A community at home, what is written there, and who follows it."""

    def __init__(self, home: Neighbour) -> None:
        self.home = home
        self.gardener: Viewer = None  # type: ignore[assignment]
        self.id = 0
        self.count = 0

    async def founded(self) -> None:
        self.gardener = await admin_of(self.home)
        forum = self.home.house.rooms.forum
        made = await self.home.house.store.write(lambda unit: forum.create_community(
            unit, self.gardener, "stones", CommunityDraft(title="Stones")))
        self.id = made.community.id

    async def followed_from(self, away: Neighbour) -> None:
        """Let somebody there follow the community, and wait until that is known here."""
        rooms, viewer = away.house.rooms, await admin_of(away)
        found = await rooms.federation.resolver.find(f"!stones@{self.home.authority}")
        following = Following(viewer.id, found.id)
        await away.house.store.write(
            lambda unit: rooms.forum.follow_communities(unit, [following]))
        followers = self.home.house.outgoing.sending._street.followers

        async def is_known() -> bool:
            return away.authority in followers(self.id)

        await until(is_known)

    async def write(self, count: int) -> None:
        """Write posts, two comments below each, edit the first and delete the last of these."""
        forum, store = self.home.house.rooms.forum, self.home.house.store
        self.count += count
        words = " ".join(["Long enough that a segment is soon full."] * 40)

        def post(unit: Unit) -> list[Any]:
            return forum.create_posts(unit, [
                NewPost(self.gardener.id, self.id, PostDraft(name=f"Stone {at}", body=words))
                for at in range(count)])

        made = await store.write(post)

        def answer(unit: Unit, text: str, above: Sequence[tuple[int, int | None]]) -> list[int]:
            numbers = [CommentId(one) for one in unit.take_numbers("comment", len(above))]
            forum.create_comments(unit, [
                NewComment(self.gardener.id, post_id, text, parent_id=parent_id, id=number)
                for number, (post_id, parent_id) in zip(numbers, above, strict=True)])
            return numbers

        ids = [one.id for one in made]
        said = await store.write(lambda unit: answer(unit, "Nice.", [(one, None) for one in ids]))
        await store.write(lambda unit: answer(
            unit, "Indeed.", list(zip(ids, said, strict=True))))
        await store.write(lambda unit: forum.edit_post(
            unit, self.gardener, made[0].id, PostDraft(name="Mended", body=words)))
        await store.write(lambda unit: forum.delete_post(
            unit, self.gardener, made[-1].id, deleted=True))

    async def trims(self, authority: str) -> None:
        """Have everything composed and noted, then let retention take the log's beginning."""
        outgoing = self.home.house.outgoing

        async def is_composed() -> bool:
            return outgoing.composing.position() == self.home.house.log.last_seq

        await until(is_composed)
        await outgoing.sending.close()
        (line,) = [one for one in outgoing.sending.states() if one.authority == authority]
        await outgoing.log.retain(
            floor_seq=outgoing.log.last_seq, age_us_max=0, bytes_max=1)
        place = outgoing.log.last_seq - line.behind
        assert outgoing.sending.shelf.first_seq > place + 1, "the log still has it all"

    async def is_quiet(self, authority: str) -> bool:
        """Say whether nothing is on its way to a server."""
        outgoing = self.home.house.outgoing
        line = next(one for one in outgoing.sending.states() if one.authority == authority)
        is_composed = outgoing.composing.position() == self.home.house.log.last_seq
        return is_composed and not (line.behind or line.waiting or line.is_told_again)

    async def talks_to(self, authorities: tuple[str, ...], *, blocked: bool) -> None:
        accounts = self.home.house.rooms.accounts
        lists = structs.replace(
            accounts.current_lists, blocked_instances=authorities if blocked else ())
        await self.home.house.store.write(lambda unit: accounts.edit_site(
            unit, None, accounts.current_site.settings, lists))

    async def agrees_with(self, away: Neighbour) -> bool:
        """Say whether both have the same words."""
        return await words_of(self.home) == await words_of(away)


async def admin_of(house: Neighbour) -> Viewer:
    browser = house.browser()
    answer = await browser.send("/login", name="gardener", password="three odd words")
    assert answer.status_code == 303, answer.text
    viewer: Viewer = await house.viewer(browser)
    return viewer


async def words_of(one: Neighbour) -> set[tuple[Any, ...]]:
    """Return every post and comment of a house as both sides must have it."""
    forum = one.house.rooms.forum

    def read(unit: Unit) -> set[tuple[Any, ...]]:
        posts = [it.id for it in forum.past_posts(unit, after=0, limit=1_000)]
        comments = [it.id for it in forum.past_comments(unit, after=0, limit=1_000)]
        scene = forum.scene_of(unit, None, posts=posts, comments=comments)
        return {
            (it.post.ap_id, it.post.name, it.post.body)
            for it in scene.posts.values() if not it.post.deleted
        } | {
            (it.comment.ap_id, it.comment.content, it.post.ap_id)
            for it in scene.comments.values() if not it.post.deleted
        }

    return await one.house.store.read(read)
