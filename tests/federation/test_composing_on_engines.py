"""Composing on both engines: exactly once over a crash, and as few round trips as promised."""

import json
from typing import Any

import pytest

from lichen.accounts import Viewer
from lichen.federation.composing import load_followers
from lichen.federation.outgoing import last_of
from lichen.federation.scenes import Rooms
from lichen.forum import CommunityView, PostView
from lichen.kit import Unavailable
from tests.federation.outward import Outward, ground, house, mira, otto, outward, post, stones
from tests.federation.test_composing import everything, kinds
from tests.notifications.conftest import batch_of

__all__ = ["ground", "house", "mira", "otto", "outward", "post", "stones"]

pytestmark = pytest.mark.anyio


async def test_after_a_crash_between_log_and_checkpoint_nothing_is_told_twice_or_left_out(
    outward: Outward, mira: Viewer, otto: Viewer, post: PostView, stones: CommunityView,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    await outward.followed(stones)
    position = outward.composing.position()
    await outward.house.write("vote_post", otto, post.post.id, value=1)
    batch = batch_of(outward.house.events[position:], first_seq=position + 1)
    store = outward.house.store

    async def dead(*_arguments: Any, **_named: Any) -> None:
        raise Unavailable("killed")

    with monkeypatch.context() as patch:
        patch.setattr(store, "write", dead)
        with pytest.raises(Unavailable):
            await outward.composing.apply(batch)
    outward.composing = outward.composer(position)
    await outward.composing.apply(batch)
    await outward.house.write("vote_post", otto, post.post.id, value=0)

    told = await outward.told()

    assert kinds([json.loads(bytes(one.activity)) for one in told]) == [
        "Announce Like", "Announce Undo Like"]
    assert last_of(outward.log) == (told[-1].source, told[-1].part)


async def test_composing_takes_round_trips_by_kind_and_not_by_event(
    outward: Outward, mira: Viewer, otto: Viewer, post: PostView, stones: CommunityView
) -> None:
    await outward.followed(stones)

    async def cost(count: int) -> int:
        for number in range(count):
            await outward.house.write("create_comment", otto, post.post.id, content=f"{number}")
            await outward.house.write("vote_post", otto, post.post.id, value=number % 2 * 2 - 1)
        before = outward.house.store.round_trips_apart
        await outward.told()
        return outward.house.store.round_trips_apart - before

    few, many = await cost(2), await cost(20)

    assert many == few <= 12


async def test_followers_servers_are_learnt_at_the_start_and_everything_is_told_once(
    outward: Outward, mira: Viewer, otto: Viewer, post: PostView, stones: CommunityView
) -> None:
    await outward.followed(stones, ["far.example", "near.example"])
    outward.followers.learn({stones.community.id: frozenset()})
    house = outward.house
    rooms = Rooms(house.accounts, house.forum, outward.messages, outward.moderation, dict)

    await load_followers(house.store, rooms, outward.followers)
    await everything(outward, mira, otto, post, stones)

    assert outward.followers.of(stones.community.id) == {"far.example", "near.example"}
    assert sorted(kinds(await outward.activities())) == [
        "Announce Delete", "Announce Dislike", "Announce Like", "Announce Lock"]
