"""The envelope every event travels in, and its two encodings.

One event is one line of JSON in the log; the log adds the sequence and the time. `record` is kept
as raw JSON, so that whoever only passes it on never parses it. `cid` is the CIDv1 of the record's
DAG-CBOR, as in AT Protocol repositories.
"""

import hashlib
from typing import Literal

import libipld
import msgspec

from lichen.kit import Tid

Operation = Literal["create", "update", "delete"]

# What outsiders hear of a public collection's event: the event, nothing, or that the record is gone
# because it is not public any more.
Outside = Literal["shown", "withheld", "ended"]

LOCAL = ""  # the origin of what happened here; else the authority of the peer it came from

# The origin of what the words of several peers changed together in one batch, as a tally.
SEVERAL = "*"

NOTHING = msgspec.Raw()  # the record of a deletion

# Multiformats: CIDv1, codec dag-cbor (0x71), multihash sha2-256 (0x12) of 32 bytes.
_CID_PREFIX = bytes((0x01, 0x71, 0x12, 0x20))


class Record(msgspec.Struct, frozen=True, rename="camel", tag_field="$type", omit_defaults=True):
    """The base of all records: camelCase fields and a `$type` that is the collection."""


class Event(msgspec.Struct, frozen=True, omit_defaults=True):
    """The new state of one object.

    `row` is the object's number in our own rows, `origin` where it came from, `outside` what
    outsiders hear of it; all three are ours alone and never streamed. `record` is empty for a
    deletion.
    """

    id: Tid
    did: str
    collection: str
    operation: Operation
    rkey: str
    record: msgspec.Raw = NOTHING
    cid: str | None = None
    origin: str = LOCAL
    row: int = 0
    outside: Outside = "shown"


_ENCODER = msgspec.json.Encoder()
_DECODER = msgspec.json.Decoder(Event)


def cid_of(record: Record) -> str:
    """Return the CIDv1 of a record's DAG-CBOR form, in base32."""
    # DAG-CBOR spec: map keys sorted by length, then bytes; the library keeps that rule.
    # By way of JSON, because the library takes lists alone and records hold tuples.
    cbor = libipld.encode_dag_cbor(msgspec.json.decode(_ENCODER.encode(record)))
    return str(libipld.encode_cid(_CID_PREFIX + hashlib.sha256(cbor).digest()))


def encode_event(event: Event) -> bytes:
    """Return the event as one line of JSON, without the line's end."""
    return _ENCODER.encode(event)


def decode_events(lines: bytes | memoryview) -> list[Event]:
    """Return the events of newline-separated JSON; about 0.5 µs each."""
    return _DECODER.decode_lines(lines)


def at_uri(did: str, collection: str, rkey: str) -> str:
    """Return the address of a record, as records refer to each other."""
    # AT URI scheme: at://AUTHORITY/COLLECTION/RKEY
    return f"at://{did}/{collection}/{rkey}"


def collection_of(record: Record | type[Record]) -> str:
    """Return the collection of a record: its `$type`."""
    return str(record.__struct_config__.tag)


def event_of(
    record: Record, *, id: Tid, did: str, operation: Operation, rkey: str,
    row: int = 0, origin: str = LOCAL, outside: Outside = "shown",
) -> Event:
    """Return the event that carries a record's whole new state."""
    return Event(
        id=id, did=did, collection=collection_of(record), operation=operation, rkey=rkey,
        record=msgspec.Raw(_ENCODER.encode(record)), cid=cid_of(record), origin=origin, row=row,
        outside=outside,
    )


def deletion_of(
    collection: str, *, id: Tid, did: str, rkey: str, row: int = 0, origin: str = LOCAL,
    outside: Outside = "shown",
) -> Event:
    """Return the event that says a record is gone."""
    return Event(
        id=id, did=did, collection=collection, operation="delete", rkey=rkey, origin=origin,
        row=row, outside=outside,
    )
