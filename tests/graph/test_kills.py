"""kill -9 at each point: what was committed is there, once, under the old base or the new one."""

import asyncio
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from lichen.graph import Change, Direction, Graph
from lichen.graph.base import Base
from lichen.graph.errors import GraphUnavailable
from lichen.kit.crash_points import CRASH_POINTS
from tests.graph.conftest import names

pytestmark = pytest.mark.anyio

POINTS = [point.name for point in CRASH_POINTS if point.name.startswith("graph.")]
CHILD = """
import asyncio, sys
from pathlib import Path
from lichen.graph import Change, Graph
from tests.graph.conftest import names

async def run():
    people, graph = names(9), Graph.open(Path(sys.argv[1]))
    for number in range(1, 9):
        if number == 4:
            await graph.rebuild()
        await graph.commit([Change(people[number], people[0])], position=number)
        print(number, flush=True)

asyncio.run(run())
"""


@pytest.mark.slow
@pytest.mark.parametrize("point", [*POINTS, "graph.after_commit:2"])
def test_what_was_committed_survives_a_kill(tmp_path: Path, point: str) -> None:
    folder = tmp_path / "graph"
    died = subprocess.run(
        [sys.executable, "-c", CHILD, str(folder)], capture_output=True, text=True, check=False,
        env={**os.environ, "LICHEN_CRASH_AT": point, "PYTHONPATH": "."})
    told = len(died.stdout.splitlines())

    async def followers() -> tuple[int, int]:
        graph = Graph.open(folder)
        number = graph.overlay.number_of(names(9)[0])
        assert number is not None
        count, position = graph.overlay.count(number, Direction.FOLLOWERS), graph.position
        await graph.commit([Change(names(9)[8], names(9)[0])], position=9)
        assert graph.overlay.count(number, Direction.FOLLOWERS) >= count
        await graph.close()
        return count, position

    assert died.returncode == -signal.SIGKILL, died.stderr
    count, position = asyncio.run(followers())
    assert count == position >= told
    assert [path.name for path in sorted(folder.glob("base-*"))] == [Base.open(
        folder / (folder / "CURRENT").read_text().strip()).folder.name]


def tear(folder: Path) -> None:
    """Cut the end off the journal, as a power cut may."""
    journal = next(folder.glob("changes-*.log"))
    journal.write_bytes(journal.read_bytes()[:-3])


async def test_a_torn_batch_is_cut_and_the_rest_stands(tmp_path: Path) -> None:
    graph = Graph.open(tmp_path)
    people = names(4)
    await graph.commit([Change(people[0], people[1])], position=1)
    await graph.commit([Change(people[0], people[2])], position=2)
    await graph.close()
    tear(tmp_path)

    graph = Graph.open(tmp_path)

    assert graph.position == 1
    await graph.commit([Change(people[0], people[3])], position=3)
    await graph.close()
    graph = Graph.open(tmp_path)
    number = graph.overlay.number_of(people[0])
    assert number is not None
    assert set(graph.overlay.names_of(graph.overlay.row(number, Direction.FOLLOWING))) == {
        people[1], people[3]}
    await graph.close()


async def test_a_base_that_is_damaged_is_told_and_nothing_is_guessed(tmp_path: Path) -> None:
    graph = Graph.open(tmp_path)
    people = names(40)
    await graph.commit([Change(one, people[0]) for one in people[1:]], position=1)
    path = await graph.rebuild()
    await graph.close()
    rows = path / "followers.rows"
    content = bytearray(rows.read_bytes())
    content[9] ^= 1
    rows.write_bytes(content)

    graph = Graph.open(tmp_path)
    with pytest.raises(GraphUnavailable, match=r"followers\.rows"):
        await graph.verify()
    await graph.close()
