"""The ground is all that comes from outside; the same seed and clock give the same world."""

import itertools
import random

from lichen.kit.config import Config
from lichen.kit.ground import Ground, ground_of


def simulated() -> Ground:
    ticks = itertools.count(1_700_000_000_000_000)
    return ground_of(Config(), clock=lambda: next(ticks), randomness=random.Random(7))


def test_the_same_seed_and_clock_give_the_same_ids_and_the_same_chance() -> None:
    first, second = simulated(), simulated()

    assert [first.tids.next() for _ in range(3)] == [second.tids.next() for _ in range(3)]
    assert first.randomness.randbytes(8) == second.randomness.randbytes(8)


def test_the_real_ground_draws_from_the_system() -> None:
    ground = ground_of(Config())

    assert isinstance(ground.randomness, random.SystemRandom)
    assert ground.clock() < ground.clock()
