"""The room on a store, with a log that applies what a command committed at once."""

import random
from collections.abc import AsyncIterator, Callable, Sequence
from pathlib import Path
from typing import Any, TypeVar

import pytest

from lichen.accounts import Accounts, Viewer
from lichen.accounts.passwords import Passwords
from lichen.accounts.room import build as build_accounts
from lichen.events import Event
from lichen.forum import CommunityDraft, CommunityView, Forum, PostDraft, PostView
from lichen.forum.room import Room, build
from lichen.kit.config import Config, Identity, Limits
from lichen.kit.ground import Ground, ground_of
from lichen.store import Store, Unit
from lichen.web import Addresses
from tests.federation.signing import keys

T = TypeVar("T")
PASSWORD = "correct horse battery"
FROM = {"address": "192.0.2.7", "agent": "a test"}


class House:
    """A forum with its readers; `read` and `write` run queries and commands on it."""

    def __init__(self, store: Store, accounts: Accounts) -> None:
        self.store = store
        self.accounts = accounts
        self.room: Room | None = None
        self.events: list[Event] = []
        store.settle = self.settle

    @property
    def forum(self) -> Forum:
        assert self.room is not None
        return self.room.forum

    async def settle(self, events: Sequence[Event]) -> None:
        self.events.extend(events)
        for event in events:
            self.accounts.reader.apply_event(event)
        if self.room is not None:
            self.room.standings.follow(events)
            await self.room.rank_reader.follow(events)

    async def write(self, verb: str, /, *arguments: Any, **named: Any) -> Any:
        """Run a command of the forum by name."""
        command = getattr(self.forum, verb)
        return await self.store.write(lambda unit: command(unit, *arguments, **named))

    async def read(self, noun: str, /, *arguments: Any, **named: Any) -> Any:
        """Run a query of the forum by name."""
        query = getattr(self.forum, noun)
        return await self.store.read(lambda unit: query(unit, *arguments, **named))

    async def round_trips(self, of: Callable[[Unit], Any], *, is_command: bool = False) -> int:
        """Return how many flushes a query or a command waits for."""
        units: list[Unit] = []

        def counted(unit: Unit) -> None:
            units.append(unit)
            of(unit)

        await (self.store.write(counted) if is_command else self.store.read(counted))
        return units[-1].round_trips

    async def sign_up(self, name: str, **wishes: Any) -> Viewer:
        """Return the viewer of a fresh account."""
        login = await self.accounts.register(name, PASSWORD, **FROM, **wishes)
        viewer = await self.accounts.viewer(login.token)
        assert viewer is not None
        return viewer

    async def viewer_again(self, name: str) -> Viewer:
        """Return the viewer of an account as it is now."""
        login = await self.accounts.log_in(name, PASSWORD, **FROM)
        viewer = await self.accounts.viewer(login.token)
        assert viewer is not None
        return viewer

    def told(self) -> list[str]:
        """Return operation and collection of every event since the last call."""
        told = [f"{event.operation} {event.collection.removeprefix('lichen.')}"
                for event in self.events]
        self.events.clear()
        return told


@pytest.fixture
def ground(clock) -> Ground:
    config = Config(
        identity=Identity(public_url="https://lichen.example"), limits=Limits(newcomers=False)
    )
    return ground_of(config, clock=clock, randomness=random.Random(7))


@pytest.fixture
async def house(ground: Ground, store: Store, tmp_path: Path) -> AsyncIterator[House]:
    addresses = Addresses(ground.config.public_url)
    accounts = await build_accounts(
        ground, store, addresses=addresses, log_seq=0, passwords=Passwords(memory_kib=64),
        make_keys=keys,  # made once a run: they take a tenth of a second
    )
    built = House(store, accounts)
    built.room = await build(
        ground, store, accounts=accounts, addresses=addresses, folder=tmp_path, log_first_seq=0,
        log_last_seq=0, activity_age_us_max=0,
    )
    yield built
    await built.room.rank_reader.close()
    await accounts.close()


@pytest.fixture
async def mira(house: House) -> Viewer:
    return await house.sign_up("mira")


@pytest.fixture
async def otto(house: House) -> Viewer:
    return await house.sign_up("otto")


@pytest.fixture
async def stones(house: House, mira: Viewer) -> CommunityView:
    """A community that mira founded."""
    return await house.write("create_community", mira, "stones", CommunityDraft(title="Stones"))


@pytest.fixture
async def post(house: House, mira: Viewer, stones: CommunityView) -> PostView:
    """A post of mira's in her community."""
    draft = PostDraft(name="A lichen on granite", body="Look at *this*.")
    return await house.write("create_post", mira, stones.community.id, draft)
