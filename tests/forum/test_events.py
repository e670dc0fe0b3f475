"""The records of the room, byte by byte: events are for ever."""

from pathlib import Path

import msgspec
import pytest

from lichen.events import Record, at_uri, collection_of, decode_events, encode_event, event_of
from lichen.events import forum as records
from lichen.events.visibility import VISIBILITY

GOLDEN = Path(__file__).parent / "golden" / "events.jsonl"

TID = "3kabcdefghijk"
TIME = "2023-11-14T22:13:20.000000Z"
MIRA = "did:web:lichen.example:u:mira"
STONES = "did:web:lichen.example:c:stones"
POST = at_uri(MIRA, "lichen.forum.post", TID)
COMMENT = at_uri(MIRA, "lichen.forum.comment", TID)
EXAMPLES: list[Record] = [
    records.Community(name="stones", created_at=TIME),
    records.Community(
        name="stones", created_at=TIME, title="Stones", description="What grows on them.",
        icon="https://pictures.example/i.png", banner="https://pictures.example/b.png", nsfw=True,
        hidden=True, posting_restricted_to_mods=True, local_only=True, langs=("de", "en"),
        updated_at=TIME,
    ),
    records.Post(name="A lichen", community=STONES, created_at=TIME),
    records.Post(
        name="A lichen", community=STONES, created_at=TIME, url="https://example.org/",
        body="Look at *this*.", alt_text="A lichen.", langs=("en",), nsfw=True, locked=True,
        featured_community=True, featured_local=True, updated_at=TIME,
    ),
    records.Comment(post=POST, content="So it is.", created_at=TIME),
    records.Comment(post=POST, content="So it is.", created_at=TIME, parent=COMMENT,
                    langs=("en",), distinguished=True, updated_at=TIME),
    records.Tally(subject=POST, up=3, down=1, comments=2, newest_comment_at=TIME, active_at=TIME),
    records.Tally(subject=STONES, posts=1, comments=2, subscribers=4, subscribers_local=3),
    records.Vote(subject=POST, value=-1, created_at=TIME),
    records.Subscription(subject=STONES, created_at=TIME, pending=True),
    records.Save(subject=POST, created_at=TIME),
    records.Hide(subject=POST, created_at=TIME),
    records.Read(subject=POST, comments=2, created_at=TIME),
    records.Moderator(subject=MIRA, created_at=TIME),
    records.CommunityBan(subject=MIRA, created_at=TIME, reason="spam", expires_at=TIME),
    records.Held(subject=POST, created_at=TIME),
    records.Held(subject=POST, created_at=TIME, rules=("link on the first day",)),
    records.Reaction(subject=POST, emoji="🌿", created_at=TIME),
    records.ReactionTally(subject=POST, emojis=("🌿", ":moss:"), counts=(2, 1)),
]


def lines():
    return [
        encode_event(event_of(record, id=TID, did=MIRA, operation="create", rkey=TID, row=7))
        for record in EXAMPLES
    ]


def test_every_record_is_written_as_it_always_was():
    assert lines() == GOLDEN.read_bytes().splitlines()


@pytest.mark.parametrize("number", range(len(EXAMPLES)))
def test_every_record_that_was_ever_written_is_read(number):
    record = EXAMPLES[number]

    event = decode_events(GOLDEN.read_bytes())[number]

    assert msgspec.json.decode(event.record, type=type(record)) == record
    assert event.collection == collection_of(record)


def test_every_record_has_an_example_and_a_visibility():
    collections = {collection_of(record) for record in vars(records).values()
                   if isinstance(record, type) and issubclass(record, Record)
                   and record is not Record}

    assert {collection_of(record) for record in EXAMPLES} == collections
    assert collections <= set(VISIBILITY)
