"""A sample of a stream: what is in it that filters may ask for."""

import re
from collections import Counter
from typing import Final

from lichen.kit.clock import Clock
from lichen.stream.client.consuming import Subscription
from lichen.stream.client.replaying import LOOK_S, Tip, place_of

SHARE_MAX: Final = 0.02  # of all events: what is asked for by a filter
CHOSEN_MAX: Final = 50  # collections, and actors
_HEAD: Final = re.compile(rb'\{"did":"([^"]+)"')
_COLLECTION: Final = re.compile(rb'"kind":"commit","commit":\{[^{}]*?"collection":"([^"]+)"')


def sampled(subscription: Subscription, tip: Tip, *, clock: Clock, for_s: float,
            events_max: int) -> tuple[list[str], list[str]]:
    """Return collections and actors that make at most 2 % of what comes, the most frequent first.

    Listens until enough came, until the time is over, or up to the tip.
    """
    collections: Counter[bytes] = Counter()
    actors: Counter[bytes] = Counter()
    events, cursor, time_us, end_us = 0, 0, 0, clock() + int(for_s * 1e6)
    while events < events_max and clock() < end_us:
        subscription.fill(LOOK_S)
        before = events
        for message in map(bytes, subscription.messages()):
            events += 1
            cursor, time_us = place_of(message)
            if actor := _HEAD.match(message):
                actors[actor[1]] += 1
            if collection := _COLLECTION.search(message):
                collections[collection[1]] += 1
        if tip.is_reached(came=events - before, cursor=cursor, time_us=time_us):
            break
    return _rare(collections, events), _rare(actors, events)


def _rare(counts: Counter[bytes], events: int) -> list[str]:
    return [name.decode() for name, count in counts.most_common()
            if count <= events * SHARE_MAX][:CHOSEN_MAX]
