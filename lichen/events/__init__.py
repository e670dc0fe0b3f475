"""The vocabulary: everything that can happen, as records in one envelope.

One short file per room holds its records. Events are for ever: fields are only added, and a new
meaning is a new record. `visibility` says of each collection what outsiders may see.
"""

from lichen.events.envelope import (
    LOCAL,
    SEVERAL,
    Event,
    Operation,
    Outside,
    Record,
    at_uri,
    cid_of,
    collection_of,
    decode_events,
    deletion_of,
    encode_event,
    event_of,
)

__all__ = [
    "LOCAL", "SEVERAL", "Event", "Operation", "Outside", "Record", "at_uri", "cid_of",
    "collection_of", "decode_events", "deletion_of", "encode_event", "event_of",
]
