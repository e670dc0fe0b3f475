"""Killed with -9 under write load: what was acknowledged is there, once, and all agree.

A few deaths on each engine; `make sim` plays a hundred.
"""

from pathlib import Path

import pytest

from tests.faults.ordeal import Ordeal
from tests.faults.serving import place_of

pytestmark = [pytest.mark.anyio, pytest.mark.slow]

DEATHS = {"sqlite": ["both", "parent", "worker"], "postgresql": ["worker", "both"]}
ANSWERS_MIN = 20  # before each of these few deaths: the first dozen people only arrive


async def test_nothing_acknowledged_is_lost_whoever_is_killed(tmp_path: Path, engine: str) -> None:
    with place_of(engine, tmp_path) as place:
        ordeal = Ordeal(place, seed=2)

        for victim in DEATHS[engine]:
            await ordeal.killed_at_random(victim, answers_min=ANSWERS_MIN)
        await ordeal.recover()

        assert len(ordeal.notebook.kept("comment", "post")) > len(DEATHS[engine])
