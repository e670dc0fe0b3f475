"""The room over accounts, without a forum: three people who may write to each other."""

from typing import Any

import pytest

from lichen.accounts import Viewer
from lichen.kit.ground import Ground
from lichen.messages import Allowance, Messages, MessageView
from lichen.messages.room import build
from lichen.store import Store
from lichen.web import Addresses
from tests.accounts.conftest import accounts, addresses, admin, ground, journal, member

__all__ = ["accounts", "addresses", "admin", "ground", "journal", "member"]


class Post:
    """The room, and everything it committed."""

    def __init__(self, store: Store, room: Messages, journal: Any, members: Any) -> None:
        self.store = store
        self.room = room
        self.journal = journal
        self.accounts = journal.accounts
        self._members = members

    async def person(self, name: str) -> Viewer:
        viewer: Viewer = await self._members(name)
        return viewer

    async def write(self, verb: str, /, *arguments: Any, **named: Any) -> Any:
        command = getattr(self.room, verb)
        return await self.store.write(lambda unit: command(unit, *arguments, **named))

    async def read(self, noun: str, /, *arguments: Any, **named: Any) -> Any:
        query = getattr(self.room, noun)
        return await self.store.read(lambda unit: query(unit, *arguments, **named))

    async def send(self, viewer: Viewer, to: Viewer, content: str = "Hello.") -> MessageView:
        view: MessageView = await self.write("create_message", viewer, to.id, content=content)
        return view

    async def texts(self, viewer: Viewer, **asked: Any) -> list[str]:
        return [view.message.content for view in await self.read("message_list", viewer, **asked)]

    async def unread(self, viewer: Viewer) -> int:
        return int(await self.read("unread_count", viewer))

    def told(self) -> list[str]:
        told = self.journal.collections()
        self.journal.events.clear()
        return [one for one in told if "lichen.message" in one]


@pytest.fixture
def office(store: Store, ground: Ground, addresses: Addresses, accounts, journal, member) -> Post:
    return Post(store, build(ground, accounts=accounts, addresses=addresses), journal, member)


@pytest.fixture
async def mira(office: Post) -> Viewer:
    return await office.person("mira")


@pytest.fixture
async def otto(office: Post) -> Viewer:
    return await office.person("otto")


@pytest.fixture
async def anna(office: Post) -> Viewer:
    return await office.person("anna")


class Few:
    """An allowance of a few messages for everybody."""

    def __init__(self, count: int) -> None:
        self.count = count

    def messages_per_day(self, viewer: Viewer, *, now_us: int) -> int:
        return self.count


def limited(ground: Ground, accounts: Any, addresses: Addresses, allowance: Allowance) -> Messages:
    return build(ground, accounts=accounts, addresses=addresses, allowance=allowance)
