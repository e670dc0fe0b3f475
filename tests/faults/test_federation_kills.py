"""Killed between two servers: nothing acknowledged is lost, applied twice, or left unsent.

A sample; `make sim` dies at every point, on both sides and both engines, and at random moments.
"""

from pathlib import Path

import pytest

from tests.faults.neighbours import Neighbours
from tests.faults.serving import place_of

pytestmark = [pytest.mark.anyio, pytest.mark.slow]

async def test_two_servers_agree_after_one_has_died(tmp_path: Path) -> None:
    with place_of("sqlite", tmp_path / "a") as a, place_of("sqlite", tmp_path / "b") as b:
        neighbours = Neighbours(a, b, seed=6)
        async with neighbours.living():
            await neighbours.killed_at("inbox.after_append", "a")

            assert len(neighbours.told) > 0
