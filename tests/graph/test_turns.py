"""Large changes leave others their turn, and nobody's going away leaves half of one behind."""

import asyncio
from pathlib import Path

import pytest

from lichen.graph import Change, Direction, Graph, GraphUnavailable
from lichen.graph.engine import overlay_of
from lichen.graph.overlay import APPLIED_AT_ONCE
from tests.graph.conftest import names

PARTS = 6
PEOPLE = names(PARTS * APPLIED_AT_ONCE)
STORM = [Change(one, PEOPLE[0]) for one in PEOPLE[1:]]

pytestmark = pytest.mark.anyio


def damage(path: Path) -> None:
    """Turn one bit of a batch, or turn it back."""
    content = bytearray(path.read_bytes())
    content[60] ^= 1
    path.write_bytes(content)


async def turns_while(work: "asyncio.Task[object]") -> int:
    """Return how often others had their turn while something worked."""
    turns = 0
    while not work.done():
        turns += 1
        await asyncio.sleep(0)
    await work
    return turns


@pytest.mark.slow
async def test_a_storm_of_follows_is_taken_in_parts_between_which_others_come(
    graph: Graph
) -> None:
    loud = asyncio.create_task(graph.commit(STORM))
    # Names are looked up in parts, then changes applied in parts.
    assert await turns_while(loud) >= 2 * PARTS

    assert graph.overlay.follows == len(STORM)


@pytest.mark.slow
async def test_changes_during_a_rebuild_are_shown_in_parts_by_the_next_base(graph: Graph) -> None:
    await graph.commit(STORM[: APPLIED_AT_ONCE])
    rebuilding = asyncio.create_task(graph.rebuild())
    await asyncio.sleep(0)
    await graph.commit(STORM)
    seen = set()
    while not rebuilding.done():
        seen.add(graph.overlay.follows)
        await asyncio.sleep(0)

    assert await rebuilding == graph.base.folder
    assert seen <= {len(STORM)}, "nothing that was seen disappears for a while"
    assert graph.overlay.follows == len(STORM)


async def test_who_asked_may_go_away_and_the_change_is_whole(graph: Graph) -> None:
    asked = [asyncio.create_task(graph.commit([Change(one, PEOPLE[0])])) for one in PEOPLE[1:9]]
    for turn, task in enumerate(asked):
        await asyncio.sleep(0)
        if turn % 2:
            task.cancel()
    await asyncio.gather(*asked, return_exceptions=True)
    await graph.commit([Change(PEOPLE[9], PEOPLE[0])])

    number = graph.overlay.number_of(PEOPLE[0])
    assert number is not None
    seen = graph.overlay.count(number, Direction.FOLLOWERS)
    # A task that was cancelled before its first turn has begun nothing.
    assert 5 <= seen <= 9
    again = overlay_of(graph.folder)
    assert again.count(number, Direction.FOLLOWERS) == seen


async def test_damage_in_the_middle_of_a_journal_is_told_and_nothing_is_cut(tmp_path: Path) -> None:
    graph = Graph.open(tmp_path)
    for position, one in enumerate(PEOPLE[1:5], 1):
        await graph.commit([Change(one, PEOPLE[0])], position=position)
    await graph.close()
    damage(graph._journal.path)
    damaged = graph._journal.path.read_bytes()

    with pytest.raises(GraphUnavailable, match=r"byte 0 of .*changes-"):
        Graph.open(tmp_path)

    assert graph._journal.path.read_bytes() == damaged
    damage(graph._journal.path)
    graph = Graph.open(tmp_path)
    assert graph.overlay.follows == 4, "and the folder is locked by nobody"
    await graph.close()


async def test_a_damaged_base_is_not_built_upon(graph: Graph) -> None:
    await graph.commit(STORM[:50])
    path = await graph.rebuild()
    rows = path / "following.rows"
    content = bytearray(rows.read_bytes())
    content[8] ^= 1
    rows.write_bytes(content)

    with pytest.raises(GraphUnavailable, match=r"following\.rows"):
        await graph.rebuild()

    assert graph.base.folder == path
