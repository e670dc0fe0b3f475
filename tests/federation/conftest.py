"""A house with its forum on a store, and other servers that it can ask."""

import random
from collections.abc import AsyncIterator, Sequence
from pathlib import Path

import msgspec
import pytest

from lichen.accounts import Accounts, Viewer
from lichen.accounts.passwords import Passwords
from lichen.accounts.room import build as build_accounts
from lichen.events import Event
from lichen.federation.room import Room, build
from lichen.forum import Forum
from lichen.forum.room import Room as ForumRoom
from lichen.forum.room import build as build_forum
from lichen.kit.config import Config, Identity, Limits
from lichen.kit.config import Outbound as OutboundSettings
from lichen.kit.ground import Ground, ground_of
from lichen.moderation.room import build as build_moderation
from lichen.store import Store
from lichen.web import Addresses
from tests.federation.elsewhere import Elsewhere
from tests.federation.neighbours import Neighbour, neighbour
from tests.federation.signing import keys

PASSWORD = "correct horse battery"


class House:
    """What federation stands on, and the events that were committed."""

    def __init__(self, ground: Ground, store: Store) -> None:
        self.ground = ground
        self.store = store
        self.events: list[Event] = []
        self.accounts: Accounts = None  # type: ignore[assignment]
        self.forum: Forum = None  # type: ignore[assignment]
        self.room: Room = None  # type: ignore[assignment]
        self.forum_room: ForumRoom | None = None

    async def settle(self, events: Sequence[Event]) -> None:
        self.events.extend(events)
        for event in events:
            self.accounts.reader.apply_event(event)
        if self.forum_room is not None:
            self.forum_room.standings.follow(events)
            await self.forum_room.rank_reader.follow(events)

    async def sign_up(self, name: str) -> Viewer:
        login = await self.accounts.register(name, PASSWORD, address="192.0.2.7", agent="a test")
        viewer = await self.accounts.viewer(login.token)
        assert viewer is not None
        return viewer

    async def settings(self, **changes: object) -> None:
        """Change the site's settings and lists."""
        lists = {key: changes.pop(key) for key in ("allowed_instances", "blocked_instances")
                 if key in changes}
        settings = msgspec.structs.replace(self.accounts.current_site.settings, **changes)
        listed = msgspec.structs.replace(self.accounts.current_lists, **lists)
        await self.store.write(
            lambda unit: self.accounts.edit_site(unit, None, settings, listed))


@pytest.fixture
def ground(clock) -> Ground:
    config = Config(
        identity=Identity(public_url="http://lichen.example"), limits=Limits(newcomers=False),
        outbound=OutboundSettings(private_addresses=True, plain_http=True, per_host_max=64),
    )
    return ground_of(config, clock=clock, randomness=random.Random(7))


@pytest.fixture
async def house(ground: Ground, store: Store, tmp_path: Path) -> AsyncIterator[House]:
    addresses = Addresses(ground.config.public_url)
    built = House(ground, store)
    built.accounts = await build_accounts(
        ground, store, addresses=addresses, log_seq=0, passwords=Passwords(memory_kib=64),
        make_keys=lambda: keys("the house"),  # made once a run: they take a third of a second
    )
    store.settle = built.settle
    built.forum_room = await build_forum(
        ground, store, accounts=built.accounts, addresses=addresses, folder=tmp_path,
        log_first_seq=0, log_last_seq=0, activity_age_us_max=0,
    )
    built.forum = built.forum_room.forum
    built.room = await build(
        ground, store, accounts=built.accounts, forum=built.forum, addresses=addresses,
        moderation=build_moderation(
            ground, forum=built.forum, accounts=built.accounts, addresses=addresses
        ),
    )
    yield built
    await built.room.close()
    await ground.outbound.close()
    await built.forum_room.rank_reader.close()
    await built.accounts.close()


@pytest.fixture
async def peer() -> AsyncIterator[Elsewhere]:
    """A server elsewhere."""
    one = Elsewhere()
    stop = await one.start()
    yield one
    await stop()


@pytest.fixture
async def other() -> AsyncIterator[Elsewhere]:
    """A second server: another port, so another peer."""
    one = Elsewhere()
    stop = await one.start()
    yield one
    await stop()


@pytest.fixture(scope="session")
async def home(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Neighbour]:
    """A whole house that others reach, one for all tests."""
    async with neighbour(tmp_path_factory.mktemp("home")) as house:
        yield house


@pytest.fixture(scope="session")
async def here(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Neighbour]:
    """Another one, to which people of the first come."""
    async with neighbour(tmp_path_factory.mktemp("here")) as house:
        yield house
