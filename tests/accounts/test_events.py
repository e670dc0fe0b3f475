"""The records of the room, byte by byte: events are for ever."""

from pathlib import Path

import msgspec
import pytest

from lichen.events import Record, collection_of, decode_events, encode_event, event_of
from lichen.events import accounts as records
from lichen.events.visibility import PRIVATE, PUBLIC, VISIBILITY

GOLDEN = Path(__file__).parent / "golden" / "events.jsonl"

DID = "did:web:lichen.example:u:mira"
TIME = "2023-11-14T22:13:20.000000Z"
EXAMPLES: list[Record] = [
    records.Profile(
        name="mira", created_at=TIME, display_name="Mira", description="Likes rocks.",
        avatar="https://pictures.example/m.png", banner="https://pictures.example/b.png",
        matrix_user_id="@mira:matrix.example", bot=True, admin=True,
        also_known_as="https://far.example/u/mira", updated_at=TIME,
    ),
    records.Profile(name="mira", created_at=TIME),
    records.Session(created_at=TIME),
    records.Settings(
        choices={"show_nsfw": True, "theme": "darkly", "languages": (32, 37)}, updated_at=TIME
    ),
    records.Block(kind="instance", subject="far.example:8443", created_at=TIME),
    records.SiteSettings(
        name="Rock", created_at=TIME, description="A rock.", sidebar="Be kind.",
        icon="https://pictures.example/i.png", banner="https://pictures.example/b.png",
        choices={"registration_mode": "Closed", "actor_name_max_length": 30}, updated_at=TIME,
    ),
    records.SiteBan(subject=DID, banned=True, created_at=TIME, reason="spam", expires_at=TIME),
    records.SiteFlag(name="live_previews", on=False, updated_at=TIME),
    records.SiteLists(
        updated_at=TIME, taglines=("Grow slowly.",), blocked_urls=("far.example/shop",),
        allowed_instances=("near.example",), blocked_instances=("far.example:8443",),
    ),
    records.SiteEmoji(
        shortcode="moss", image="https://pictures.example/m.png", alt_text="Moss.",
        category="plants", created_at=TIME, keywords=("green", "soft"), updated_at=TIME,
    ),
    records.Away(note="On the mountain.", created_at=TIME, until=TIME),
    records.Application(state="denied", updated_at=TIME),
    records.SecondFactor(on=True, updated_at=TIME),
    records.Invite(uses_max=3, created_at=TIME, expires_at=TIME),
    records.Invited(inviter="did:web:lichen.example:u:root", created_at=TIME),
    records.Role(title="Warden", permissions=("ban", "remove"), updated_at=TIME),
    records.Link(subject="did:web:lichen.example:r:abc", method="message", used_at=TIME),
    records.Move(target="https://far.example/u/mira", created_at=TIME),
]


def lines():
    return [
        encode_event(event_of(
            record, id="3kabcdefghijk", did=DID, operation="create", rkey=records.SELF, row=7
        ))
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


def test_only_what_everybody_may_know_is_public():
    ours = {collection_of(record): VISIBILITY[collection_of(record)] for record in EXAMPLES}

    assert ours == {
        "lichen.actor.profile": PUBLIC,
        "lichen.account.session": PRIVATE,
        "lichen.account.settings": PRIVATE,
        "lichen.account.block": PRIVATE,
        "lichen.site.settings": PUBLIC,
        "lichen.site.ban": PUBLIC,
        "lichen.site.flag": PRIVATE,
        "lichen.site.lists": PUBLIC,
        "lichen.site.emoji": PUBLIC,
        "lichen.actor.away": PUBLIC,
        "lichen.account.application": PRIVATE,
        "lichen.account.secondFactor": PRIVATE,
        "lichen.account.invite": PRIVATE,
        "lichen.account.invited": PRIVATE,
        "lichen.account.role": PRIVATE,
        "lichen.account.link": PRIVATE,
        "lichen.actor.move": PUBLIC,
    }
