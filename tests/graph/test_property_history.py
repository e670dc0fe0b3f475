"""Any history of follows, unfollows, blocks, rebuilds and reopenings agrees with plain sets."""

import asyncio
import tempfile
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lichen.graph import Change, ChangeKind, Direction, Graph, Questions
from tests.graph.conftest import Model, agrees, names

PEOPLE = names(12)
CHANGES = st.lists(st.builds(
    Change, st.sampled_from(PEOPLE), st.sampled_from(PEOPLE), st.sampled_from(ChangeKind)),
    max_size=25)
STEPS = st.lists(st.tuples(CHANGES, st.sampled_from(
    ["commit", "again", "rebuild", "rebuild beside", "reopen"])), min_size=1, max_size=8)


async def play(folder: Path, steps: list[tuple[list[Change], str]]) -> tuple[Graph, Model]:
    """Play a history on a graph and on a model."""
    graph, model = Graph.open(folder), Model()
    for position, (changes, way) in enumerate(steps, 1):
        rebuilding = asyncio.create_task(graph.rebuild()) if way == "rebuild beside" else None
        await asyncio.sleep(0)
        await graph.commit(changes, position=position)
        model.apply(changes)
        if way == "again":
            await graph.commit(changes, position=position)
        elif way == "rebuild":
            await graph.rebuild()
        elif way == "reopen":
            await graph.close()
            graph = Graph.open(folder)
        if rebuilding is not None:
            await rebuilding
        assert graph.position == position
        assert agrees(graph, model, PEOPLE), way
    return graph, model


@pytest.mark.slow
@given(STEPS)
@settings(deadline=None)
def test_any_history_agrees_with_plain_sets(steps: list[tuple[list[Change], str]]) -> None:
    async def run(folder: Path) -> None:
        graph, _ = await play(folder, steps)
        await graph.close()

    with tempfile.TemporaryDirectory() as folder:
        asyncio.run(run(Path(folder)))


@pytest.mark.slow
@given(STEPS, st.lists(st.sampled_from(PEOPLE), min_size=1, max_size=4, unique=True))
@settings(deadline=None)
def test_questions_are_answered_as_sets_answer_them(
    steps: list[tuple[list[Change], str]], asked: list[str]
) -> None:
    async def run(folder: Path) -> None:
        graph, model = await play(folder, steps)
        overlay, questions = graph.overlay, Questions(graph.overlay)
        numbers = [number for name in asked
                   if (number := overlay.number_of(name)) is not None]
        known = [overlay.name_of(number) for number in numbers]
        for direction in Direction:
            rows = [model.row(name, direction) for name in known]
            if rows:
                assert _names(graph, questions.in_all(numbers, direction)) == set.intersection(*rows)
                assert _names(graph, questions.in_any(numbers, direction)) == set.union(*rows)
        for name, number in zip(known, numbers, strict=True):
            following = model.row(name, Direction.FOLLOWING)
            followers = model.row(name, Direction.FOLLOWERS)
            assert _names(graph, questions.mutuals(number)) == following & followers
            assert _names(graph, questions.followers_not_followed(number)) == followers - following
            last = numbers[-1]
            also = following & model.row(known[-1], Direction.FOLLOWERS)
            assert _names(graph, questions.followed_who_follow(number, last)) == also
            shown = questions.followed_by(number, last, first=50)
            assert shown.total == len(also - model.blocked_with(name))
            suggested = {overlay.name_of(one.number)
                         for one in questions.suggestions(number, limit=50)}
            friends_of_friends = {target for friend in following
                                  for target in model.row(friend, Direction.FOLLOWING)}
            assert suggested == (friends_of_friends - following - {name}
                                 - model.blocked_with(name))
        await graph.close()

    with tempfile.TemporaryDirectory() as folder:
        asyncio.run(run(Path(folder)))


@pytest.mark.slow
@given(STEPS)
@settings(deadline=None)
def test_many_pairs_at_once_are_answered_as_one_by_one(
    steps: list[tuple[list[Change], str]]
) -> None:
    async def run(folder: Path) -> None:
        graph, _ = await play(folder, steps)
        overlay = graph.overlay
        everybody = np.arange(overlay.actors, dtype=np.uint32)
        actors, targets = np.repeat(everybody, len(everybody)), np.tile(everybody, len(everybody))

        found = Questions(overlay).follow_many(actors, targets)

        assert found.tolist() == [overlay.does_follow(one, other) for one, other in zip(
            actors.tolist(), targets.tolist(), strict=True)]
        await graph.close()

    with tempfile.TemporaryDirectory() as folder:
        asyncio.run(run(Path(folder)))


def _names(graph: Graph, numbers: "np.ndarray[tuple[int], np.dtype[np.uint32]]") -> set[str]:
    return set(graph.overlay.names_of(numbers))
