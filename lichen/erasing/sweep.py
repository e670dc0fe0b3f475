"""The sweep: which records of the log are of something that is gone.

Three rules, each decided from the rows as they are:

    of a person who is erased        every record in their name: words, marks, profile, settings
    of a post, comment, message      which is erased, or has no row any more because it was purged
    or proposal
    of a profile, of settings        whose account was deleted, whatever became of its words

A deletion carries no words and stays, so that a late reader still hears of it. An event is in the
log only after its row is committed, so a record without a row is one whose row was dropped.
"""

from collections.abc import Callable, Sequence
from typing import NamedTuple

from lichen.erasing.model import Kind
from lichen.events import Event, collection_of, decode_events
from lichen.events import accounts as account_records
from lichen.events import forum as forum_records
from lichen.events import messages as message_records
from lichen.events import moderation as moderation_records
from lichen.log import Batch

_POST = collection_of(forum_records.Post)
_COMMENT = collection_of(forum_records.Comment)
_MESSAGE = collection_of(message_records.Message)
KINDS = {
    _POST: Kind.POST, _COMMENT: Kind.COMMENT, _MESSAGE: Kind.MESSAGE,
    collection_of(moderation_records.Proposal): Kind.PROPOSAL,
    collection_of(account_records.Profile): Kind.PERSON,
    collection_of(account_records.Settings): Kind.PERSON,
}

# What of these numbers still has words: for each kind the numbers, answered with those that do.
Living = Callable[[dict[Kind, set[int]]], dict[Kind, set[int]]]


class Told(NamedTuple):
    """A record with words, and where it stands in the log."""

    seq: int
    did: str
    kind: Kind | None
    row: int


def told_in(batch: Batch) -> list[Told]:
    """Return the records of a batch, without deletions; about 1 µs each."""
    events = decode_events(batch.lines())
    return [
        Told(seq, event.did, KINDS.get(event.collection), event.row)
        for seq, event in zip(batch.seqs.tolist(), events, strict=True) if _has_words(event)
    ]


def rows_of(told: Sequence[Told]) -> dict[Kind, set[int]]:
    """Return the numbers of what a batch speaks of, by kind."""
    rows: dict[Kind, set[int]] = {kind: set() for kind in KINDS.values()}
    for one in told:
        if one.kind is not None:
            rows[one.kind].add(one.row)
    return rows


def gone_in(
    told: Sequence[Told], *, erased_dids: set[str], living: dict[Kind, set[int]]
) -> list[int]:
    """Return the sequences of what is gone; pure."""
    return [
        one.seq for one in told
        if one.did in erased_dids or (one.kind is not None and one.row not in living[one.kind])
    ]


def _has_words(event: Event) -> bool:
    return bool(bytes(event.record))
