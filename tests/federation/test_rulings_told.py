"""What our administrators and moderators decide about others' people, as other servers hear it."""

import json
from typing import Any

import pytest

from lichen.accounts import Actor, Viewer
from lichen.federation.outgoing import Outgoing
from lichen.forum import CommunityView, NewPost, PostDraft
from lichen.moderation import BanOrder, Sweep, Why
from tests.federation.outward import HERE, Outward, ground, house, mira, otto, outward, post, stones

__all__ = ["ground", "house", "mira", "otto", "outward", "post", "stones"]

pytestmark = pytest.mark.anyio
STONES = f"{HERE}/c/stones"
YEAR_2100_US = 4_102_444_800_000_000
on_sqlite = pytest.mark.parametrize("engine", ["sqlite"], indirect=True)


async def wrote(outward: Outward, community: CommunityView) -> Actor:
    """Return somebody of far.example who wrote in a community of ours, which near.example follows.
    """
    await outward.followed(community, ["near.example"])
    anna = await outward.remote("anna")
    new = NewPost(anna.id, community.community.id, PostDraft(name="Spam"), local=False,
                  ap_id="https://far.example/post/1")
    await outward.house.write("create_posts", [new])
    outward.come_from(dict.fromkeys(("lichen.forum.post", "lichen.forum.vote"), "far.example"))
    assert await outward.told() == []
    return anna


def said(record: Outgoing) -> Any:
    return json.loads(bytes(record.activity))


async def test_a_ban_of_somebody_elsewhere_is_told_by_the_communities_of_ours_it_wrote_in(
    outward: Outward, mira: Viewer, stones: CommunityView
) -> None:
    """A site's word about others' people counts nowhere: nobody was told, and its words stayed."""
    anna = await wrote(outward, stones)
    admin = await outward.promoted(mira)
    await outward.told()
    for on in (True, False):
        order = BanOrder(anna.id, on, expires_us=YEAR_2100_US if on else None,
                         sweep=Sweep(removed=on))
        await outward.write(outward.moderation, "ban", admin, order, why=Why("Spam."))

    banned, directly, freed, freed_directly = await outward.told()

    assert (banned.community, directly.peers) == (stones.community.id, ("far.example",))
    block = said(banned)["object"]
    assert said(directly)["id"] == block["id"]
    assert (block["type"], block["object"], block["target"], block["actor"]) == (
        "Block", anna.ap_id, STONES, mira.actor.ap_id)
    assert (block["removeData"], block["summary"]) == (True, "Spam.")
    assert block["endTime"].startswith("2100-01-01T00:00:00")
    undo = said(freed)["object"]
    assert (undo["type"], undo["object"]["type"], undo["restoreData"]) == ("Undo", "Block", True)
    assert undo["object"]["target"] == STONES and freed_directly.peers == ("far.example",)


@on_sqlite
async def test_a_communitys_own_ban_outlasts_the_sites(
    outward: Outward, mira: Viewer, stones: CommunityView
) -> None:
    anna = await wrote(outward, stones)
    admin = await outward.promoted(mira)
    moderation, place = outward.moderation, stones.community.id
    await outward.write(moderation, "ban", admin, BanOrder(anna.id, True, community_id=place))
    await outward.told()
    order = BanOrder(anna.id, True, expires_us=YEAR_2100_US, sweep=Sweep(removed=True))
    await outward.write(moderation, "ban", admin, order)
    for_all = await outward.told()

    await outward.write(moderation, "ban", admin, BanOrder(anna.id, False))

    assert "endTime" not in said(for_all[0])["object"]
    assert await outward.told() == []


@on_sqlite
async def test_while_the_site_bans_no_community_of_ours_lets_in(
    outward: Outward, mira: Viewer, stones: CommunityView
) -> None:
    anna = await wrote(outward, stones)
    admin = await outward.promoted(mira)
    place = stones.community.id
    for order in (BanOrder(anna.id, True), BanOrder(anna.id, True, community_id=place)):
        await outward.write(outward.moderation, "ban", admin, order)
    await outward.told()

    await outward.write(outward.moderation, "ban", admin,
                        BanOrder(anna.id, False, community_id=place))

    assert await outward.told() == []
