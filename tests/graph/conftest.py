"""A graph in a folder, and a model of it: plain sets of pairs."""

import random
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from lichen.graph import Change, ChangeKind, Direction, Graph

LETTERS = "abcdefghijklmnopqrstuvwxyz234567"


def names(count: int, seed: int = 1) -> list[str]:
    """Return DIDs, most of them did:plc."""
    chance = random.Random(seed)
    plc = ["did:plc:" + "".join(chance.choices(LETTERS, k=24)) for _ in range(count)]
    return [f"did:web:example.org%3A{number}" if number % 7 == 3 else name
            for number, name in enumerate(plc)]


class Model:
    """Who follows and blocks whom, as Python says it."""

    def __init__(self) -> None:
        self.follows: set[tuple[str, str]] = set()
        self.blocks: set[tuple[str, str]] = set()

    def apply(self, changes: list[Change]) -> None:
        for actor, target, kind in changes:
            if kind is ChangeKind.FOLLOW and actor != target:
                self.follows.add((actor, target))
            elif kind is ChangeKind.UNFOLLOW:
                self.follows.discard((actor, target))
            elif kind is ChangeKind.BLOCK:
                self.blocks.add((actor, target))
            elif kind is ChangeKind.UNBLOCK:
                self.blocks.discard((actor, target))

    def row(self, name: str, direction: Direction) -> set[str]:
        if direction is Direction.FOLLOWING:
            return {target for actor, target in self.follows if actor == name}
        return {actor for actor, target in self.follows if target == name}

    def blocked_with(self, name: str) -> set[str]:
        return ({target for actor, target in self.blocks if actor == name}
                | {actor for actor, target in self.blocks if target == name})


def agrees(graph: Graph, model: Model, people: list[str]) -> bool:
    """Say whether the graph says of these people what the model says."""
    overlay = graph.overlay
    for name in people:
        number = overlay.number_of(name)
        for direction in Direction:
            found = set() if number is None else set(overlay.names_of(
                overlay.row(number, direction)))
            count = 0 if number is None else overlay.count(number, direction)
            if found != model.row(name, direction) or count != len(found):
                return False
    return overlay.follows == len(model.follows)


@pytest.fixture
async def graph(tmp_path: Path) -> AsyncIterator[Graph]:
    opened = Graph.open(tmp_path / "graph")
    yield opened
    await opened.close()
