"""Empty places for a house on either engine, for tests that need more than one."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path

from lichen.events import Event, decode_events
from lichen.kit import TidGenerator, monotone, system_clock
from lichen.kit.config import Config
from lichen.log import SegmentLog
from lichen.store import Relay, Store, Unit, open_store, set_stamp, stamp_of
from lichen.store.migrating import migrate
from tests.databases import databases, furnish


@contextmanager
def place(engine: str, folder: Path, *, furnished: bool = False) -> Iterator[Config]:
    """Yield the configuration of a house that has not been built yet, or has tables alone."""
    words: dict[str, object] = {
        "server.data": folder, "server.stream_port": 0, "limits.rates": False,
        "limits.newcomers": False,
    }
    if engine == "sqlite":
        if furnished:
            furnish(folder)
        yield Config.load(words=words)
        return
    with databases.furnished() if furnished else databases.bare() as url:
        yield Config.load(words=words | {"database.url": url})


@dataclass
class Core:
    """The floor of a house: rows, log and relay, and a command that uses all three."""

    store: Store
    log: SegmentLog
    relay: Relay
    tids: TidGenerator

    async def note(self, name: str) -> int:
        """Write a row and its event; return a fresh number."""

        def command(unit: Unit) -> int:
            (number,) = unit.take_numbers("note")
            set_stamp(unit, f"note {name}", str(number))
            unit.emit(Event(
                id=self.tids.next(), did="did:web:a", collection="lichen.test.note",
                operation="create", rkey=name, row=number))
            return number

        return await self.store.write(command)

    def events(self) -> list[Event]:
        """Return every event of the log."""
        found: list[Event] = []
        seq = max(1, self.log.first_seq)
        while seq <= self.log.last_seq:
            batch = self.log.read(seq)
            found += decode_events(batch.lines()) if len(batch) else []
            seq = batch.next_seq
        return found

    async def noted(self, name: str) -> str | None:
        """Return what the rows say of a note."""
        return await self.store.read(lambda unit: stamp_of(unit, f"note {name}"))


@asynccontextmanager
async def core(config: Config) -> AsyncIterator[Core]:
    """Open the floor of a house and relay until the end."""
    url, data = config.database.url.reveal(), config.server.data
    data.mkdir(parents=True, exist_ok=True)
    clock = monotone(system_clock)
    log = SegmentLog.open(data / "log", clock=clock)
    await asyncio.to_thread(migrate, url, folder=data)
    store = open_store(url, folder=data, clock=clock)

    def read_back(count: int) -> bytes:
        first = max(log.first_seq, log.last_seq - count + 1)
        return log.read(first, limit=count).lines() if first else b""

    async def applied(seq: int) -> None:
        """Nobody reads."""

    relay = Relay(store, append=log.append, read_back=read_back, wait_applied=applied)
    await relay.start()
    running = asyncio.create_task(relay.run())
    try:
        yield Core(store, log, relay, TidGenerator(clock, clock_id=1))
    finally:
        await relay.drain()
        await running
        await store.close()
        await log.close()
