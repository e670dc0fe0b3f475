"""What outsiders may ever see: law 6 of docs/invariants.md, one line for each record."""

import re

import msgspec
import pytest

from docs.generate import records_of
from lichen.events import Event, Outside, Record, collection_of
from lichen.events.visibility import PRIVATE, PUBLIC, VISIBILITY, seen_outside
from lichen.kit import Tid

# Decided here a second time, on purpose: nothing becomes public by a slip in one place.
EXPECTED = {
    "lichen.actor.profile": PUBLIC,
    "lichen.account.session": PRIVATE,
    "lichen.account.settings": PRIVATE,
    "lichen.account.application": PRIVATE,
    "lichen.account.secondFactor": PRIVATE,
    "lichen.account.invite": PRIVATE,
    "lichen.account.invited": PRIVATE,
    "lichen.account.role": PRIVATE,
    "lichen.account.link": PRIVATE,
    "lichen.actor.move": PUBLIC,
    "lichen.account.block": PRIVATE,
    "lichen.site.settings": PUBLIC,
    "lichen.site.ban": PUBLIC,
    "lichen.site.flag": PRIVATE,
    "lichen.site.lists": PUBLIC,
    "lichen.site.emoji": PUBLIC,
    "lichen.actor.away": PUBLIC,
    "lichen.forum.reaction": PRIVATE,
    "lichen.forum.reactionTally": PUBLIC,
    "lichen.forum.community": PUBLIC,
    "lichen.forum.post": PUBLIC,
    "lichen.forum.comment": PUBLIC,
    "lichen.forum.tally": PUBLIC,
    "lichen.forum.held": PRIVATE,
    "lichen.forum.vote": PRIVATE,
    "lichen.forum.subscription": PRIVATE,
    "lichen.forum.save": PRIVATE,
    "lichen.forum.hide": PRIVATE,
    "lichen.forum.read": PRIVATE,
    "lichen.forum.moderator": PUBLIC,
    "lichen.forum.communityBan": PUBLIC,
    "lichen.message.message": PRIVATE,
    "lichen.message.read": PRIVATE,
    "lichen.media.picture": PRIVATE,
    "lichen.media.blocking": PRIVATE,
    "lichen.moderation.action": PUBLIC,
    "lichen.moderation.report": PRIVATE,
    "lichen.moderation.notice": PRIVATE,
    "lichen.moderation.appeal": PRIVATE,
    "lichen.moderation.remark": PRIVATE,
    "lichen.moderation.proposal": PUBLIC,
    "lichen.moderation.support": PRIVATE,
    "lichen.notification.read": PRIVATE,
    "lichen.plugin.switch": PRIVATE,
    "lichen.automod.rule": PRIVATE,
    "lichen.automod.hit": PRIVATE,
    "lichen.federation.accepted": PRIVATE,
}
SECRETS = re.compile(r"password|token|secret|hash|mail|address|agent|(^|_)ip($|_)|cookie|key$")
# Who did it belongs to the moderators, who are people with neighbours.
DEEDS_BY_NAME = re.compile(r"voter|moderator_?(id|did|name)|reporter|blocked_by")


def test_every_record_has_the_visibility_that_was_decided() -> None:
    assert VISIBILITY == EXPECTED


def test_every_record_is_listed() -> None:
    assert set(VISIBILITY) == {collection_of(record) for record in records_of()}


@pytest.mark.parametrize("record", records_of(), ids=collection_of)
def test_no_record_has_a_field_for_a_secret(record: type[Record]) -> None:
    names = [field.name for field in msgspec.structs.fields(record)]

    assert [name for name in names if SECRETS.search(name)] == []


@pytest.mark.parametrize("record", [one for one in records_of()
                                    if VISIBILITY[collection_of(one)] is PUBLIC], ids=collection_of)
def test_no_public_record_says_who_voted_reported_or_decided(record: type[Record]) -> None:
    names = [field.name for field in msgspec.structs.fields(record)]

    assert [name for name in names if DEEDS_BY_NAME.search(name)] == []


@pytest.mark.parametrize("record", records_of(), ids=collection_of)
def test_collections_are_named_for_a_room_and_a_noun(record: type[Record]) -> None:
    # AT Protocol, NSID: reversed authority, then a name in lowerCamelCase.
    assert re.fullmatch(r"lichen\.[a-z]+\.[a-z][A-Za-z]*", collection_of(record))


@pytest.mark.parametrize(("outside", "seen"), [
    ("shown", "update"), ("withheld", None), ("ended", "delete"),
])
def test_outsiders_see_what_the_writer_of_a_public_event_lets_them_see(
    outside: Outside, seen: str | None
) -> None:
    public = Event(id=Tid("3kabcdefghijk"), did="did:web:a", collection="lichen.actor.profile",
                   operation="update", rkey="self", outside=outside)
    private = msgspec.structs.replace(public, collection="lichen.account.settings")

    assert seen_outside(public) == seen
    assert seen_outside(private) is None


def test_a_collection_of_a_later_version_is_private() -> None:
    unknown = Event(id=Tid("3kabcdefghijk"), did="did:web:a", collection="lichen.later.thing",
                    operation="create", rkey="self")

    assert seen_outside(unknown) is None
