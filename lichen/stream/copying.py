"""Copying: what of the house's log outsiders see, as the stream carries it. Pure.

    a batch of the log ──► seen_outside? ──► {"rev":…,"operation":…,"collection":…,"rkey":…,
                              │                "record":<the log's own bytes>,"cid":…}
                              └─ no ──► nothing, not even a deletion

`rev` is the event's id, which is a TID. `row` and `origin` are ours and stay behind, and so is what
the site says while only members may read it. Sequence and time are those of the log. A record
is never parsed to be passed on; of the few kinds that name people, languages or the site's door the
fields for that are read, in about a microsecond.
"""

import re
from collections.abc import Callable, Iterable
from typing import Final, NamedTuple

import msgspec

from lichen.events import Event, collection_of, decode_events
from lichen.events import accounts as account_records
from lichen.events import forum as forum_records
from lichen.events import moderation as moderation_records
from lichen.events.visibility import seen_outside
from lichen.log import Batch
from lichen.stream.limits import MENTIONS_MAX
from lichen.stream.model import Arrival, Operation

_SITE: Final = collection_of(account_records.SiteSettings)
_POST: Final = collection_of(forum_records.Post)
# Whose records are looked into: for words, languages, and the people they name.
_READ: Final = frozenset(collection_of(record) for record in (
    forum_records.Post, forum_records.Comment, forum_records.Community, forum_records.Moderator,
    forum_records.CommunityBan, account_records.SiteBan, moderation_records.Action,
    moderation_records.Proposal,
))
_OPERATIONS: Final = {one.word: one for one in Operation}
# Lemmy 0.19, utils/mention.rs: name and host are both there; a bare @name is only text.
_MENTION: Final = re.compile(
    r"(?<![\w@])@(\w(?:[\w.-]{0,62}\w)?)@(\w(?:[\w.-]{0,251}\w)?(?::\d{1,5})?)"
)


class House(NamedTuple):
    """What the copying knows of the house: its authority, and the DIDs of its people by name."""

    authority: str
    did_of_person: Callable[[str], str]


class Copied(NamedTuple):
    """What outsiders see of a batch; `is_closed` says whether only members may read from here on.

    `was_shut` says that the site's door was shut within the batch: what was copied before it is
    nobody's any more.
    """

    arrivals: list[Arrival]
    is_closed: bool
    was_shut: bool


class _Looked(msgspec.Struct, rename="camel"):
    """The fields of records that a filter of the stream asks for."""

    langs: tuple[str, ...] = ()
    name: str | None = None
    title: str | None = None
    body: str | None = None
    content: str | None = None
    text: str | None = None
    description: str | None = None
    post: str | None = None
    parent: str | None = None
    subject: str | None = None


class _Door(msgspec.Struct):
    """What a record of the site's settings says of its door."""

    choices: dict[str, msgspec.Raw] = {}


_LOOK: Final = msgspec.json.Decoder(_Looked)
_LOOK_AT_DOOR: Final = msgspec.json.Decoder(_Door)


def copied_of(batch: Batch, house: House, *, after_seq: int, is_closed: bool) -> Copied:
    """Return what outsiders see of a batch after a sequence; some microseconds an event."""
    arrivals: list[Arrival] = []
    was_shut = False
    events = decode_events(batch.lines())
    places = zip(batch.seqs.tolist(), batch.times_us.tolist(), events, strict=True)
    for seq, time_us, event in places:
        if seq <= after_seq:
            continue
        if event.collection == _SITE and bytes(event.record):
            is_closed = _is_shut(event)
            was_shut = was_shut or is_closed
        if is_closed:
            arrivals.clear()
            continue
        arrival = arrival_of(event, house, seq=seq, time_us=time_us)
        if arrival is not None:
            arrivals.append(arrival)
    return Copied(arrivals, is_closed, was_shut)


def arrival_of(event: Event, house: House, *, seq: int, time_us: int) -> Arrival | None:
    """Return an event as the stream carries it, None where outsiders hear nothing of it."""
    operation = seen_outside(event)
    if operation is None:
        return None
    raw = b"" if operation == "delete" else bytes(event.record)
    looked = _LOOK.decode(raw) if raw and event.collection in _READ else _NOTHING
    return Arrival(
        did=event.did, body=_body(event, operation, raw), operation=_OPERATIONS[operation],
        collection=event.collection, is_root=event.collection == _POST, langs=looked.langs,
        mentions=_named(looked, event.did, house), seq=seq, time_us=time_us,
    )


_NOTHING: Final = _Looked()


def _body(event: Event, operation: str, raw: bytes) -> bytes:
    # A record key may be a shortcode or a name, so it is written as JSON writes it.
    head = b'{"rev":"%b","operation":"%b","collection":"%b","rkey":%b' % (
        event.id.encode(), operation.encode(), event.collection.encode(),
        msgspec.json.encode(event.rkey))
    if not raw:
        return head + b"}"
    assert event.cid is not None, "what has a record has its cid"
    return b'%b,"record":%b,"cid":"%b"}' % (head, raw, event.cid.encode())


def _named(looked: _Looked, did: str, house: House) -> tuple[str, ...]:
    """Return whom a record names: in its text, as its subject, or as whom it answers.

    In texts our own people alone: the DID of others cannot be told from a name.
    """
    if looked is _NOTHING:
        return ()
    named = dict.fromkeys(_did_in(one) for one in (looked.parent or looked.post, looked.subject))
    for text in (looked.name, looked.title, looked.body, looked.content, looked.text,
                 looked.description):
        if text and "@" in text:
            named.update(dict.fromkeys(_people_in(text, house)))
    return tuple(one for one in named if one and one != did)[:MENTIONS_MAX]


def _did_in(address: str | None) -> str:
    """Return the DID of an at:// address, or the DID that it is."""
    # AT URI scheme: at://AUTHORITY/COLLECTION/RKEY
    return (address or "").removeprefix("at://").partition("/")[0]


def _people_in(text: str, house: House) -> Iterable[str]:
    for name, domain in _MENTION.findall(text):
        if domain.lower() == house.authority:
            yield house.did_of_person(name)


def _is_shut(event: Event) -> bool:
    """Say whether the site's settings let members alone read."""
    choices = _LOOK_AT_DOOR.decode(event.record).choices
    return bytes(choices.get("private_instance", b"")) == b"true"
