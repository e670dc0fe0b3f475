"""A successor that was founded here is told to who may hold copies of the old community."""

import json

import pytest

from lichen.accounts import Viewer
from lichen.federation.successor_rows import INSERT_OFFER
from lichen.forum import CommunityDraft, NewPost, PostDraft
from tests.federation.outward import Outward, ground, house, mira, otto, outward, stones

__all__ = ["ground", "house", "mira", "otto", "outward", "stones"]

pytestmark = pytest.mark.anyio
FAR_MOSS = "https://far.example/c/moss"


async def test_a_successor_offers_itself_to_whose_people_wrote_in_the_old_community(
    outward: Outward, mira: Viewer
) -> None:
    """Who follows a community elsewhere nobody is told: who wrote there, or keeps it, is known."""
    moss = await outward.remote_community()
    for name, authority in (("ann", "near.example"), ("ben", "far.example")):
        writer = await outward.remote(name, authority)
        await outward.house.write("create_posts", [NewPost(
            writer.id, moss.actor.id, PostDraft(name="Of moss"), local=False,
            ap_id=f"https://{authority}/post/1",
        )])
    keeper = await outward.remote("cleo", "third.example")
    await outward.house.write("seat_moderators", moss.actor.id, [keeper.id])
    await outward.told()
    heirs = await outward.house.write(
        "create_community", mira, "moss", CommunityDraft(title="Moss"))
    heir = heirs.community.actor
    await outward.house.store.write(lambda unit: unit.stage(INSERT_OFFER, {
        "successor_id": heir.id, "community_id": moss.actor.id, "founder_id": mira.id,
        "published_us": 1, "proof": "founded",
    }))

    (record,) = await outward.told()

    assert ("near.example", "third.example") == record.peers, "not the server that is gone"
    assert heir.id == record.sender
    offer = json.loads(bytes(record.activity))
    assert ("Offer", heir.ap_id, heir.ap_id, FAR_MOSS) == (
        offer["type"], offer["actor"], offer["object"], offer["origin"])
    await outward.followed(heirs, ["near.example"])
    await outward.house.write(
        "edit_community", mira, heir.id, CommunityDraft(title="All moss"))
    (update,) = await outward.activities()
    assert FAR_MOSS == update["object"]["object"]["wasDerivedFrom"]
