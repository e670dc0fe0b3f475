"""A Move that is told: who may tell it, and what is made of it before anybody is asked."""

import pytest

from lichen.accounts import ActorKind
from lichen.moderation import RemarkDraft, RemarkKind
from lichen.store import Unit
from tests.federation.incoming import (  # noqa: F401
    ANN,
    BEN,
    MOSS,
    Town,
    act,
    announced,
    ground,
    house,
    mira,
    otto,
    stones,
    town,
)

pytestmark = pytest.mark.anyio

TARGET = "https://far.example/u/ann"


async def test_a_move_waits_as_a_row_until_both_sides_were_asked(town: Town) -> None:  # noqa: F811
    await town.hear(act("Move", ANN, ANN, target=TARGET))

    rows = await town.rows("wanted_move")
    assert [TARGET] == [row.target for row in rows]
    assert [] == await town.rows("move")


async def test_told_twice_it_is_one_and_the_last_word_counts(town: Town) -> None:  # noqa: F811
    await town.hear(act("Move", ANN, ANN, target=TARGET))
    await town.hear(act("Move", ANN, ANN, target=f"{TARGET}_2"))

    assert [f"{TARGET}_2"] == [row.target for row in await town.rows("wanted_move")]


async def test_what_moderators_decided_and_noted_goes_along(
    town: Town, mira, stones  # noqa: F811
) -> None:
    """Bans from communities, notes; where the new account has a ban of its own, that stays."""
    forum, moderation, accounts = town.house.forum, town.moderation, town.house.accounts
    store = town.house.store
    known = await store.read(lambda unit: accounts.actors_by_ap_id(unit, [ANN, BEN]))
    ann, ben = known[ANN], known[BEN]
    group = await store.read(lambda unit: accounts.actor_by_name(
        unit, ActorKind.COMMUNITY, "stones"))

    def decide(unit: Unit) -> None:
        forum.ban_from_community(unit, mira, group.id, ann.id, banned=True, reason="Rude.")
        moderation.remark(unit, mira, RemarkDraft(
            person_id=ann.id, kind=RemarkKind.NOTE, text="Look twice.", community_id=group.id))

    def carry(unit: Unit) -> None:
        forum.carry_bans(unit, ann.id, ben)
        moderation.carry_remarks(unit, ann.id, ben)

    await store.write(decide)

    await store.write(carry)
    await store.write(lambda unit: forum.carry_bans(unit, ann.id, ben))  # twice is once

    bans = {row.person_id: row.reason for row in await town.rows("community_ban")}
    notes = {row.person_id: row.text for row in await town.rows("remark")}
    assert {ann.id: "Rude.", ben.id: "Rude."} == bans
    assert {ann.id: "Look twice.", ben.id: "Look twice."} == notes


async def test_what_a_community_or_its_heir_says_is_kept_to_be_examined(
    town: Town  # noqa: F811
) -> None:
    den = "https://evil.example/c/den"
    await town.hear(
        act("Move", MOSS, MOSS, target=TARGET), act("Offer", den, den, origin=MOSS),
        act("Offer", den, {"type": "Group", "id": den}, origin={"id": MOSS}),
    )

    heard = await town.rows("heard_offer")
    assert [(TARGET, "moved", "peer.example"), (den, "offered", "evil.example")] == sorted(
        (row.target, row.proof, row.peer) for row in heard)[::-1]
    assert [] == await town.rows("successor_offer")


@pytest.mark.parametrize(("activity", "code"), [
    (act("Move", BEN, ANN, target=TARGET), "foreign_object"),  # of somebody else
    (announced(MOSS, act("Move", ANN, ANN, target=TARGET)), "foreign_object"),  # a group's word
    (act("Move", ANN, ANN, target=ANN), "invalid_field"),  # to itself
    (act("Move", ANN, ANN, target="javascript:alert(1)"), "invalid_field"),
    (act("Move", ANN, ANN), "invalid_field"),
    (act("Move", f"{ANN}_unknown", f"{ANN}_unknown", target=TARGET), "couldnt_find_person"),
], ids=["another", "announced", "itself", "no_address", "nowhere", "unknown"])
async def test_a_move_that_cannot_be_is_refused_and_counted(
    town: Town, activity, code: str  # noqa: F811
) -> None:
    await town.hear(activity)

    assert 1 == town.outcomes.get(code), town.outcomes
    assert [] == await town.rows("wanted_move")
