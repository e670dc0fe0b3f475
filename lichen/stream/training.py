"""Training: a dictionary of 16 kB from what a stream carried, with nothing personal in it.

Events are made anonymous first (`anonymous.py`) and then written in the shapes of both wires, so
that one dictionary serves both. COVER (zstd's ZDICT; Liao, Petri, Moffat and Wirth 2016) chooses
what most events share. The same events, seed and id give the same bytes.
"""

import random
from collections.abc import Iterable
from itertools import islice
from pathlib import Path
from typing import Final

import msgspec
import zstandard

from lichen.kit.errors import Refused
from lichen.stream.anonymous import Plain, Replacing, names_in_use
from lichen.stream.dictionary import LEVEL, OWN_IDS
from lichen.stream.frames import v1_message, v2_message
from lichen.stream.limits import TRAINING_EVENTS_MAX, TRAINING_EVENTS_MIN
from lichen.stream.model import Arrival, Kind

DICTIONARY_BYTES: Final = 16_384  # of 4, 16 and 64 kB the knee: bench/stream_sizes.py
COVER_STEPS: Final = 40  # sizes of a piece that are tried: 1 % smaller than 4, for 8 s of one core
WORDS: Final = Path(__file__).parent / "words.txt"
_SEQ_MAX: Final = 50_000_000_000  # a stream of the whole network has such numbers


class _Message(msgspec.Struct):
    """What is read of a message of the first wire."""

    did: str
    kind: str
    commit: dict[str, object] | None = None
    identity: dict[str, object] | None = None
    account: dict[str, object] | None = None


_MESSAGES: Final = msgspec.json.Decoder(_Message)
_BODIES: Final = msgspec.json.Decoder(dict[str, object])


def train(events: Iterable[Arrival | bytes], *, seed: int, id: int,
          dictionary_bytes: int = DICTIONARY_BYTES, cover_steps: int = COVER_STEPS) -> bytes:
    """Return a dictionary as a file, trained from arrivals or from plain messages of wire one.

    At most `TRAINING_EVENTS_MAX` are looked at, the first ones; 8,000 take some 12 s of one core.
    Raises Refused when there are too few, or too few that many share.
    """
    if id not in OWN_IDS:
        raise ValueError(f"expected an id in {OWN_IDS}, got {id}")
    chance = random.Random(seed)
    samples = samples_of(events, chance)
    if len(samples) < 2 * TRAINING_EVENTS_MIN:
        raise Refused("too_few_events", f"Expected at least {TRAINING_EVENTS_MIN} events with keys "
                      f"and lexicons that several actors use, got {len(samples) // 2}. Train from "
                      f"a stream that has run for longer, or keep the shipped dictionary.")
    trained = zstandard.train_dictionary(
        dictionary_bytes, list(samples), dict_id=id, level=LEVEL, steps=cover_steps, threads=0)
    return trained.as_bytes()


def samples_of(events: Iterable[Arrival | bytes], chance: random.Random) -> tuple[bytes, ...]:
    """Return anonymous messages to train from: each event once in either shape."""
    plain = [_plain(event) for event in islice(events, TRAINING_EVENTS_MAX)]
    replacing = Replacing(chance, words(), names_in_use(plain))
    samples = []
    for event in filter(None, map(replacing.event, plain)):
        kind = Kind[event.kind.upper()]
        v1 = v1_message(b'"%b"' % event.did.encode(), kind, msgspec.json.encode(event.body),
                        seq=chance.randrange(_SEQ_MAX), time_us=replacing.time_us())
        samples += [v1, v2_message(v1, kind)]
    return tuple(samples)


def words() -> list[str]:
    """Return the fixed words, the most frequent first; lines with # say where they are from."""
    lines = WORDS.read_text(encoding="utf-8").splitlines()
    return [word for line in lines if not line.startswith("#") for word in line.split()]


def _plain(event: Arrival | bytes) -> Plain:
    if isinstance(event, Arrival):
        return Plain(event.did, event.kind.word, _BODIES.decode(event.body))
    message = _MESSAGES.decode(event)
    return Plain(message.did, message.kind,
                 message.commit or message.identity or message.account or {})
