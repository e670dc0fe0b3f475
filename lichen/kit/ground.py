"""The ground every room stands on: what comes from outside, handed in by constructor.

Time, randomness, network and settings come from here and from nowhere else, so that a whole house
can run in a deterministic simulation: same seed, same clock, same answers.
"""

import random
from dataclasses import dataclass

from lichen.kit.clock import Clock, monotone, system_clock
from lichen.kit.config import Config
from lichen.kit.flags import Flags
from lichen.kit.ids import TidGenerator
from lichen.kit.mail import Mail
from lichen.kit.outbound import Outbound

CLOCK_ID_BITS = 10  # AT Protocol, TID: the clock id


@dataclass(frozen=True, slots=True)
class Ground:
    """What `build(ground, …)` of each room is given.

    `randomness` is the system's in a real house and a seeded one in a simulation; secrets are
    drawn from it by `randbytes`.
    """

    config: Config
    clock: Clock
    tids: TidGenerator
    randomness: random.Random
    outbound: Outbound
    flags: Flags
    mail: Mail


def ground_of(config: Config, *, clock: Clock | None = None,
              randomness: random.Random | None = None) -> Ground:
    """Return the ground for a configuration: the real world, or the given clock and randomness."""
    time = monotone(clock or system_clock)
    chance = randomness or random.SystemRandom()
    tids = TidGenerator(time, clock_id=chance.getrandbits(CLOCK_ID_BITS))
    return Ground(
        config=config,
        clock=time,
        tids=tids,
        randomness=chance,
        outbound=Outbound(config.outbound, sender=config.public_url),
        flags=Flags(),
        mail=Mail(config.mail, clock=time, tids=tids, site_url=config.public_url),
    )
