"""Actors of others are asked about anew when they are looked at and a day old."""

import pytest

from lichen.federation import peer_rows
from tests.federation.conftest import House
from tests.federation.elsewhere import Elsewhere

pytestmark = pytest.mark.anyio
DAY_US = 86_400 * 1_000_000


@pytest.fixture
def engine() -> str:
    """One engine is enough: its statements run on both elsewhere."""
    return "sqlite"


async def test_who_is_looked_at_after_a_day_is_asked_anew_once(
    house: House, peer: Elsewhere, clock
) -> None:
    peer.person(name="anna")
    await house.room.resolver.find(peer.at("/u/anna"))
    found = await house.room.resolver.known(peer.at("/u/anna"))
    peer.person(name="anna", summary="<p>New here</p>")
    house.room.renewing.look(found)
    await house.room.renewing.settled()
    assert peer.asked_for("/u/anna") == 1, "it is fresh"

    rows = await house.store.read(
        lambda unit: unit.fetch(peer_rows.ADDRESSES, ap_ids=[found.ap_id])
    )
    clock.now_us = rows[0].fetched_us + DAY_US + 1
    for _ in range(3):
        house.room.renewing.look(found)
    await house.room.renewing.settled()

    assert peer.asked_for("/u/anna") == 2
    again = await house.room.resolver.find(peer.at("/u/anna"))
    assert again.summary == "New here"
