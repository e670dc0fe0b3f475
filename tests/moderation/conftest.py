"""The room above a forum, with an administrator and moderators in it."""

from typing import Any

import pytest

from lichen.accounts import Viewer
from lichen.events import Event, collection_of, encode_event
from lichen.events.moderation import Notice
from lichen.forum import CommunityView
from lichen.kit.ground import Ground
from lichen.moderation import Moderation, ReportedMessage
from lichen.moderation.room import build
from lichen.store import Unit
from lichen.web import Addresses
from tests.forum.conftest import House, ground, house, mira, otto, post, stones

__all__ = ["ground", "house", "mira", "otto", "post", "stones"]

NOTICE = collection_of(Notice)


class Letters:
    """Private messages, as the room of messages will hand them in."""

    def __init__(self) -> None:
        self.kept: dict[int, ReportedMessage] = {}

    def reported(self, _unit: Unit, ids: list[int]) -> dict[int, ReportedMessage]:
        return {key: self.kept[key] for key in ids if key in self.kept}


class Bench:
    """The room, spoken to by the names of its commands and queries."""

    def __init__(self, house: House, moderation: Moderation, letters: Letters) -> None:
        self.house = house
        self.moderation = moderation
        self.letters = letters

    async def write(self, verb: str, /, *arguments: Any, **named: Any) -> Any:
        """Run a command."""
        command = getattr(self.moderation, verb)
        return await self.house.store.write(lambda unit: command(unit, *arguments, **named))

    async def read(self, noun: str, /, *arguments: Any, **named: Any) -> Any:
        """Run a query."""
        query = getattr(self.moderation, noun)
        return await self.house.store.read(lambda unit: query(unit, *arguments, **named))

    async def promoted(self, viewer: Viewer) -> Viewer:
        """Make somebody an administrator and return its viewer as it is then."""
        accounts = self.house.accounts
        await self.house.store.write(
            lambda unit: accounts.promote(unit, None, viewer.id, admin=True)
        )
        return await self.house.viewer_again(viewer.actor.name)

    def notices(self) -> list[Event]:
        """Return what people were told so far."""
        return [event for event in self.house.events if event.collection == NOTICE]

    def written(self) -> bytes:
        """Return everything that was told so far, as the log has it."""
        return b"\n".join(encode_event(event) for event in self.house.events)


@pytest.fixture
def bench(house: House, ground: Ground) -> Bench:
    letters = Letters()
    moderation = build(
        ground, forum=house.forum, accounts=house.accounts,
        addresses=Addresses(ground.config.public_url), messages=letters,
    )
    return Bench(house, moderation, letters)


@pytest.fixture
async def admin(house: House, bench: Bench) -> Viewer:
    return await bench.promoted(await house.sign_up("ada"))


@pytest.fixture
async def second(house: House, mira: Viewer, stones: CommunityView) -> Viewer:
    """A second moderator of mira's community."""
    person = await house.sign_up("sven")
    await house.write("add_moderator", mira, stones.community.id, person.id, added=True)
    return person
