"""Servers of a test that follow each other, and what they must have in common."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from pathlib import Path

from lichen.stream import (
    EVERYTHING,
    Dictionaries,
    Filter,
    Form,
    Options,
    Store,
    Wire,
    pull,
)
from lichen.stream.standby.follower import Standby
from lichen.stream.standby.shipping import Shipping
from tests.conftest import FakeClock
from tests.stream.archive_events import DIDS, LIKE, mixed
from tests.stream.served_routes import served

KEY = "a key for standbys"
BOUND_S = 20


async def quickly(_: float) -> None:
    await asyncio.sleep(0.002)


class House:
    """Stores and standbys of a test, all closed at its end."""

    def __init__(self, folder: Path, clock: FakeClock, stack: AsyncExitStack) -> None:
        self.folder, self.clock, self.stack = folder, clock, stack

    async def store(self, name: str, **options: int) -> Store:
        store = Store.open(self.folder / name, clock=self.clock, options=Options(**options),
                           dictionaries=Dictionaries(self.folder / "dictionaries"))
        self.stack.push_async_callback(store.close)
        return store

    async def fill(self, store: Store, *counts: int) -> None:
        """Append so many events as a block each."""
        for count in counts:
            events = [one._replace(langs=("en", f"x{number % 200}"), mentions=tuple(DIDS[:number % 3]))
                      for number, one in enumerate(mixed(count))]
            self.clock.advance(hours=2)  # which seals the block before
            half = count // 2
            for portion in filter(None, (events[:half], events[half:])):
                self.clock.advance(seconds=1)
                await store.append(portion, position=store.next_seq + len(portion) - 1)

    async def ship(self, store: Store, *, port: int = 0, record_bytes: int = 100_000) -> str:
        shipping = Shipping({"": store}, key=KEY, heartbeat_s=0.02, record_bytes=record_bytes)
        return await self.stack.enter_async_context(served(shipping.routes(), port=port))

    def standby(self, store: Store, name: str, primary: str, key: str = KEY) -> Standby:
        return Standby(store, self.folder / name, primary=primary, key=key, pause=quickly, silence_s=5)

    @asynccontextmanager
    async def following(self, store: Store, name: str, primary: str) -> AsyncIterator[Standby]:
        standby = self.standby(store, name, primary)
        task = asyncio.create_task(standby.run())
        try:
            yield standby
        finally:
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task


@asynccontextmanager
async def servers(folder: Path, clock: FakeClock) -> AsyncIterator[House]:
    """Open a house for a test, which ends in some seconds or fails."""
    async with AsyncExitStack() as stack, asyncio.timeout(BOUND_S):
        yield House(folder, clock, stack)


async def until(store: Store, is_so: Callable[[], bool]) -> None:
    """Wait for something that comes with an append, an erasure or a heartbeat."""
    while not is_so():
        await quickly(0)


async def caught_up(primary: Store, standby: Store) -> None:
    await until(standby, lambda: standby.next_seq == primary.next_seq
                and standby.position == primary.position)


def everything(store: Store, wanted: Filter, form: Form) -> bytes:
    parts, seq = [], 1
    while True:
        pulled = pull(store, seq, wanted, form, bytes_max=1 << 20)
        if not pulled.data and pulled.next_seq >= store.next_seq:
            return b"".join(parts)
        parts.append(bytes(pulled.data))
        seq = pulled.next_seq


def forms(store: Store) -> list[Form]:
    number = store.v1_dictionary
    return [Form(Wire.V1), Form(Wire.V1, number), Form(Wire.V2), Form(Wire.V2, number),
            Form(Wire.V1, 0, is_framed=False)]


FILTERS = (EVERYTHING, Filter(collections=frozenset({LIKE})), Filter(dids=frozenset(DIDS[2:4])),
           Filter(langs=frozenset({"x7"})), Filter(mentions=frozenset({DIDS[1]})))


def assert_same(primary: Store, standby: Store) -> None:
    """Every byte that readers get is the same, in each form and with each filter."""
    assert (standby.first_seq, standby.next_seq) == (primary.first_seq, primary.next_seq)
    for form in forms(primary):
        for wanted in FILTERS:
            assert everything(primary, wanted, form) == everything(standby, wanted, form)
