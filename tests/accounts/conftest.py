"""The room on a store, with a log that applies what a command committed at once."""

import random
from collections.abc import AsyncIterator, Sequence

import pytest

from lichen.accounts import Accounts, Keys, build
from lichen.accounts.passwords import Passwords
from lichen.events import Event
from lichen.kit.config import Config, Identity
from lichen.kit.ground import Ground, ground_of
from lichen.store import Store
from lichen.web import Addresses

PASSWORD = "correct horse battery"
FROM = {"address": "192.0.2.7", "agent": "a test"}


class Journal:
    """What the commands committed; `follow` hands it to a reader, as the log would."""

    def __init__(self) -> None:
        self.events: list[Event] = []
        self.accounts: Accounts | None = None

    async def settle(self, events: Sequence[Event]) -> None:
        self.events.extend(events)
        if self.accounts is not None:
            for event in events:
                self.accounts.reader.apply_event(event)

    def collections(self) -> list[str]:
        return [f"{event.operation} {event.collection}" for event in self.events]


@pytest.fixture
def ground(clock) -> Ground:
    config = Config(identity=Identity(public_url="https://lichen.example"))
    return ground_of(config, clock=clock, randomness=random.Random(7))


@pytest.fixture
def addresses(ground: Ground) -> Addresses:
    return Addresses(ground.config.public_url)


@pytest.fixture
def journal() -> Journal:
    return Journal()


@pytest.fixture
async def accounts(
    ground: Ground, store: Store, addresses: Addresses, journal: Journal
) -> AsyncIterator[Accounts]:
    store.settle = journal.settle
    built = await build(
        ground, store, addresses=addresses, log_seq=0, passwords=Passwords(memory_kib=64),
        make_keys=lambda: Keys(public="public", private="private"),
    )
    journal.accounts = built
    yield built
    await built.close()


@pytest.fixture
def member(accounts: Accounts):
    """Return a function that signs a person up and returns its viewer."""

    async def sign_up(name: str = "mira", **wishes):
        login = await accounts.register(name, PASSWORD, **FROM, **wishes)
        return await accounts.viewer(login.token)

    return sign_up


@pytest.fixture
async def admin(accounts: Accounts):
    await accounts.create_admin("root", PASSWORD)
    login = await accounts.log_in("root", PASSWORD, **FROM)
    return await accounts.viewer(login.token)
