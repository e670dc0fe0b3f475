"""The sweep: which records of the log are of something that is gone.

Four rules, each decided from the rows as they are:

    of a person who is erased        every record in their name: words, marks, profile, settings
    of a post, comment, message      which is erased, or has no row any more because it was purged
    or proposal
    of a rule's hit                  which quotes a post or comment of which the same is true
    of a profile, settings, a remark whose account was deleted, whose row was dropped

A deletion carries no words and stays, so that a late reader still hears of it. An event is in the
log only after its row is committed, so a record without a row is one whose row was dropped.
"""

from collections.abc import Callable, Sequence
from enum import Enum, auto
from typing import NamedTuple

import msgspec

from lichen.events import Event, collection_of, decode_events
from lichen.events import accounts as account_records
from lichen.events import automod as automod_records
from lichen.events import forum as forum_records
from lichen.events import messages as message_records
from lichen.events import moderation as moderation_records
from lichen.log import Batch


class Thing(Enum):
    """What a record of the log is of, so that it goes with it."""

    POST = auto()
    COMMENT = auto()
    MESSAGE = auto()
    PROPOSAL = auto()
    PERSON = auto()
    REMARK = auto()


_COMMENT = collection_of(forum_records.Comment)
_HIT = collection_of(automod_records.Hit)
THINGS = {
    collection_of(forum_records.Post): Thing.POST, _COMMENT: Thing.COMMENT,
    collection_of(message_records.Message): Thing.MESSAGE,
    collection_of(moderation_records.Proposal): Thing.PROPOSAL,
    collection_of(account_records.Profile): Thing.PERSON,
    collection_of(account_records.Settings): Thing.PERSON,
    collection_of(moderation_records.Remark): Thing.REMARK,
}

# What of these numbers still has words: for each kind the numbers, answered with those that do.
Living = Callable[[dict[Thing, set[int]]], dict[Thing, set[int]]]


class Told(NamedTuple):
    """A record with words, and where it stands in the log."""

    seq: int
    did: str
    thing: Thing | None
    row: int


def told_in(batch: Batch) -> list[Told]:
    """Return the records of a batch, without deletions; about 1 µs each."""
    events = decode_events(batch.lines())
    return [
        Told(seq, event.did, _thing_of(event), event.row)
        for seq, event in zip(batch.seqs.tolist(), events, strict=True) if _has_words(event)
    ]


def rows_of(told: Sequence[Told]) -> dict[Thing, set[int]]:
    """Return the numbers of the things that a batch speaks of."""
    rows: dict[Thing, set[int]] = {thing: set() for thing in Thing}
    for one in told:
        if one.thing is not None:
            rows[one.thing].add(one.row)
    return rows


def gone_in(
    told: Sequence[Told], *, erased_dids: set[str], living: dict[Thing, set[int]]
) -> list[int]:
    """Return the sequences of what is gone; pure."""
    return [
        one.seq for one in told
        if one.did in erased_dids or (one.thing is not None and one.row not in living[one.thing])
    ]


def _thing_of(event: Event) -> Thing | None:
    if event.collection != _HIT:
        return THINGS.get(event.collection)
    # Its row is the number of what was hit, its address says what that is.
    subject = msgspec.json.decode(event.record, type=automod_records.Hit).subject
    return Thing.COMMENT if f"/{_COMMENT}/" in subject else Thing.POST


def _has_words(event: Event) -> bool:
    return bool(bytes(event.record))
