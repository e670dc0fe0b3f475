"""Events are for ever: what was ever written is read, and would be written the same today.

`golden/version_1.jsonl` holds the bytes as the log keeps them. A record that gains a field gains a
line in `version_2.jsonl`; lines that are there are never changed.
"""

from pathlib import Path

import msgspec
import pytest

from docs.generate import records_of
from lichen.events import (
    Event,
    Record,
    cid_of,
    collection_of,
    decode_events,
    encode_event,
    event_of,
)

LINES = [
    line for path in sorted((Path(__file__).parent / "golden").glob("version_*.jsonl"))
    for line in path.read_bytes().splitlines()
]
CLASSES = {collection_of(record): record for record in records_of()}


def event_in(line: bytes) -> Event:
    return decode_events(line)[0]


def record_in(line: bytes) -> Record:
    event = event_in(line)
    return msgspec.json.decode(event.record, type=CLASSES[event.collection])


@pytest.mark.parametrize("line", LINES, ids=lambda line: event_in(line).collection)
def test_what_was_written_is_written_the_same_today(line: bytes) -> None:
    """Fields that came later have defaults, and defaults are not written."""
    event = event_in(line)

    again = event_of(record_in(line), id=event.id, did=event.did, operation=event.operation,
                     rkey=event.rkey, row=event.row, origin=event.origin, outside=event.outside)

    assert encode_event(again) == line


@pytest.mark.parametrize("line", LINES, ids=lambda line: event_in(line).collection)
def test_the_cid_is_that_of_the_record(line: bytes) -> None:
    assert event_in(line).cid == cid_of(record_in(line))


@pytest.mark.parametrize("collection", CLASSES)
def test_every_field_of_every_record_has_golden_bytes(collection: str) -> None:
    written = {
        name for line in LINES if event_in(line).collection == collection
        for name in msgspec.json.decode(event_in(line).record) if name != "$type"
    }

    assert written == {field.encode_name for field in msgspec.structs.fields(CLASSES[collection])}


def test_unknown_fields_of_a_later_version_are_passed_over() -> None:
    """A house that was brought back one release reads what the later one wrote."""
    line = LINES[0].replace(b'"name":"mira"', b'"name":"mira","laterField":{"a":[1]}')

    assert record_in(line) == record_in(LINES[0])


def test_a_deletion_carries_no_record() -> None:
    line = (b'{"id":"3kabcdefghijk","did":"did:web:lichen.example:u:mira",'
            b'"collection":"lichen.forum.post","operation":"delete","rkey":"3kabcdefghijk","row":7}')

    assert encode_event(event_in(line)) == line
    assert not bytes(event_in(line).record)


def test_a_deletion_that_outsiders_hear_nothing_of_has_golden_bytes() -> None:
    line = (b'{"id":"3kabcdefghijk","did":"did:web:lichen.example:u:mira",'
            b'"collection":"lichen.forum.post","operation":"delete","rkey":"3kabcdefghijk","row":7,'
            b'"outside":"withheld"}')

    assert encode_event(event_in(line)) == line
