"""A Move that is told: who may tell it, and what is made of it before anybody is asked."""

import pytest

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


@pytest.mark.parametrize(("activity", "code"), [
    (act("Move", BEN, ANN, target=TARGET), "foreign_object"),  # of somebody else
    (announced(MOSS, act("Move", ANN, ANN, target=TARGET)), "foreign_object"),  # a group's word
    (act("Move", ANN, ANN, target=ANN), "invalid_field"),  # to itself
    (act("Move", ANN, ANN, target="javascript:alert(1)"), "invalid_field"),
    (act("Move", ANN, ANN), "invalid_field"),
    (act("Move", MOSS, MOSS, target=TARGET), "couldnt_find_person"),  # a community
    (act("Move", f"{ANN}_unknown", f"{ANN}_unknown", target=TARGET), "couldnt_find_person"),
], ids=["another", "announced", "itself", "no_address", "nowhere", "community", "unknown"])
async def test_a_move_that_cannot_be_is_refused_and_counted(
    town: Town, activity, code: str  # noqa: F811
) -> None:
    await town.hear(activity)

    assert 1 == town.outcomes.get(code), town.outcomes
    assert [] == await town.rows("wanted_move")
