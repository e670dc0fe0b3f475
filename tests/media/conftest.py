"""The room on a store, with a folder for its blobs and children of its own."""

import random
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from lichen.events import Event
from lichen.kit.config import Config, Identity, Media, Server
from lichen.kit.ground import Ground, ground_of
from lichen.media import Uploaded, Uploader
from lichen.media.room import Room, build
from lichen.store import Store
from lichen.web import Addresses
from tests.conftest import FakeClock
from tests.media.pictures import made

URL = "https://lichen.example"
SITE_DID = "did:web:lichen.example"
MIRA = Uploader(id=2, did=f"{SITE_DID}:u:mira")
OTTO = Uploader(id=3, did=f"{SITE_DID}:u:otto")
ADMIN = Uploader(id=4, did=f"{SITE_DID}:u:ada", admin=True, may_purge=True)


@dataclass
class Studio:
    """The room, and what its commands emitted."""

    room: Room
    store: Store
    folder: Path
    events: list[Event] = field(default_factory=list)

    async def settle(self, events: Sequence[Event]) -> None:
        self.events.extend(events)

    async def upload(self, content: bytes | None = None, by: Uploader = MIRA) -> Uploaded:
        return await self.room.media.upload(by, made() if content is None else content)

    def files(self) -> list[Path]:
        """Return every file of the folder of pictures, whatever it is."""
        return sorted(path for path in self.folder.rglob("*") if path.is_file())

    def emitted(self) -> list[tuple[str, str]]:
        return [(event.collection, event.operation) for event in self.events]


def settings(**media: object) -> Media:
    return Media(**media)  # type: ignore[arg-type]


@pytest.fixture
def media_settings() -> Media:
    return Media()


@pytest.fixture
def ground(clock: FakeClock, tmp_path: Path, media_settings: Media) -> Ground:
    config = Config(
        server=Server(data=tmp_path), identity=Identity(public_url=URL), media=media_settings
    )
    return ground_of(config, clock=clock, randomness=random.Random(7))


@pytest.fixture
async def studio(store: Store, ground: Ground, tmp_path: Path) -> AsyncIterator[Studio]:
    room = await build(ground, store, addresses=Addresses(URL), site_did=SITE_DID)
    here = Studio(room, store, tmp_path / "pictures")
    store.settle = here.settle
    yield here
    await room.close()
    await ground.outbound.close()
