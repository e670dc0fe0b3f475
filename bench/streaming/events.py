"""Events of some 500 bytes, the same for everybody who knows the number: no randomness is shared.

Collections: `COMMON` of them with 2 % each less the rare one, which has 1 % of all. Actors: 10,000,
each as often as any other. Who counts what came asks the same functions what had to come.
"""

import random
from collections.abc import Iterator
from functools import cache
from itertools import islice

from lichen.stream.model import Arrival, Operation

ACTORS = 10_000
COMMON = 49
RARE = "app.bench.rare"
BODIES = 4_001  # distinct records; a prime, so that records, actors and collections mix
TEXT_WORDS = 24
_ACTOR_STEP = 7_919  # a prime: neighbours are different actors, all of them come equally often
_TEXT = ("lichen grows slowly on bare rock and stone where nothing else will stay for long, as it "
         "is two things that live as one, green algae and a pale fungus, under wind and weather; "
         "north of the trees there are fields of it, grey, yellow, orange and red")


def did_of(number: int) -> str:
    """Return the actor of an event."""
    return did_of_actor(number * _ACTOR_STEP % ACTORS)


def did_of_actor(actor: int) -> str:
    """Return the DID of an actor."""
    return f"did:plc:bench{'abcdefghijklmno'}{actor:04d}"


def collection_of(number: int) -> str:
    """Return the collection of an event: each hundredth is rare."""
    place = number % 100
    return RARE if place == 37 else f"app.bench.common{place % COMMON:02d}"


def arrivals(first: int, count: int) -> list[Arrival]:
    """Return events by their numbers; about a microsecond each."""
    return list(islice(_arrivals(first), count))


def _arrivals(first: int) -> Iterator[Arrival]:
    bodies = bodies_once()
    number = first
    while True:
        start, collection = bodies[number % BODIES], collection_of(number)
        body = b'%b"collection":"%b",%b' % (start[0], collection.encode(), start[1])
        yield Arrival(did_of(number), body, operation=Operation.CREATE, collection=collection)
        number += 1


@cache
def bodies_once() -> list[tuple[bytes, bytes]]:
    """Return the distinct records, cut where the collection stands."""
    chance = random.Random(1)
    return [_body(chance) for _ in range(BODIES)]


def _body(chance: random.Random) -> tuple[bytes, bytes]:
    letters = "abcdefghijklmnopqrstuvwxyz234567"
    tid = "3m" + "".join(chance.choices(letters, k=11))
    cid = "bafyrei" + "".join(chance.choices(letters, k=52))
    text = " ".join(chance.choices(_TEXT.split(), k=TEXT_WORDS))
    record = (f'{{"text":"{text}","$type":"app.bench.thing","langs":["en"],'
              '"createdAt":"2026-11-25T14:16:29.123Z"}')
    return (f'{{"rev":"{tid}","operation":"create",'.encode(),
            f'"rkey":"{tid}","record":{record},"cid":"{cid}"}}'.encode())
