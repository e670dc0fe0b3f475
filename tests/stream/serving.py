"""A stream's server over a real store, in this process, and events of every kind for it."""

import asyncio
import base64
import hashlib
import random
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import msgspec
import zstandard

from lichen.kit import Clock, encode_tid, isoformat, system_clock
from lichen.stream import Arrival, Dictionaries, Kind, Operation, Options, Store, portions
from lichen.stream.serving.http import Routes
from lichen.stream.serving.server import StreamServer
from lichen.stream.serving.settings import ServerSettings

COLLECTIONS = ("app.bsky.feed.post", "app.bsky.feed.like", "app.bsky.graph.follow",
               "app.bsky.feed.repost", "lichen.forum.post")
WORDS = "moss bark stone rain light spore rock slate water north wind winter".split()
DICTIONARY_ID = 40_001
WITHIN_S = 10.0


@dataclass
class Served:
    """A running server, its stores, and addresses for clients."""

    server: StreamServer
    store: Store

    @property
    def http(self) -> str:
        return f"http://127.0.0.1:{self.server.port}"

    @property
    def ws(self) -> str:
        return f"ws://127.0.0.1:{self.server.port}"

    @property
    def v1(self) -> str:
        return f"{self.ws}/subscribe"

    @property
    def v2(self) -> str:
        return f"{self.ws}/xrpc/network.bsky.jetstream.subscribeEvents"

    async def append(self, arrivals: Sequence[Arrival]) -> None:
        for portion in portions(arrivals):
            await self.store.append(portion, position=self.store.position)

    @property
    def subscribers(self) -> list[Any]:
        return [one for hub in self.server.hubs.values() for one in hub.everybody]


class TrainedDictionaries(Dictionaries):
    """One dictionary, trained on events of this file."""

    def __init__(self, number: int = DICTIONARY_ID) -> None:
        self._number = number
        self._trained = trained(number)

    @property
    def ids(self) -> tuple[int, ...]:
        return (self._number,)

    @property
    def current(self) -> int:
        return self._number

    @property
    def stored(self) -> int:
        return self._number

    def bytes_of(self, number: int) -> bytes:
        assert number == self._number
        return self._trained.as_bytes()

    def compressor(self, number: int) -> zstandard.ZstdCompressor:
        assert number == self._number
        # A new one for each caller: the writing thread and the loop in one compressor at once are a
        # segmentation fault.
        return zstandard.ZstdCompressor(level=1, dict_data=self._trained)

    def new_compressor(self, number: int) -> zstandard.ZstdCompressor:
        assert number == self._number
        return zstandard.ZstdCompressor(level=1, dict_data=self._trained)

    def decompressor(self, number: int) -> zstandard.ZstdDecompressor:
        return zstandard.ZstdDecompressor(dict_data=self._trained)


@cache
def trained(number: int) -> zstandard.ZstdCompressionDict:
    samples = [b'{"did":"%b","time_us":1,"cursor":%d,"kind":"commit","commit":%b}'
               % (one.did.encode(), at, one.body) for at, one in enumerate(events(800, seed=9))]
    found = zstandard.train_dictionary(4_096, samples, dict_id=number, level=1)
    found.precompute_compress(level=1)
    return found


@asynccontextmanager
async def serving(
    folder: Path, *, clock: Clock = system_clock, routes: Routes | None = None,
    others: Sequence[str] = (), options: Options | None = None, **settings: Any,
) -> AsyncIterator[Served]:
    """Open a store, serve it on a free port, close both."""
    dictionaries = TrainedDictionaries()
    stores = {name: Store.open(folder / (name or "house"), clock=clock, options=options,
                               dictionaries=dictionaries) for name in ("", *others)}
    chosen = ServerSettings(**({
        "port": 0, "beat_s": 0.02, "connects_per_minute_max": 100_000,
        "subscribers_per_address_max": 10_000} | settings))
    server = StreamServer(stores, settings=chosen, clock=clock, routes=routes)
    await server.start()
    try:
        yield Served(server, stores[""])
    finally:
        await server.close()
        for store in stores.values():
            await store.close()


def did_of(number: int) -> str:
    return "did:plc:" + base64.b32encode(
        hashlib.sha256(b"%d" % number).digest())[:24].decode().lower()


def cid_of(content: bytes) -> str:
    digest = hashlib.sha256(content).digest()
    return "b" + base64.b32encode(b"\x01\x71\x12\x20" + digest).decode().lower().rstrip("=")


def events(count: int, *, seed: int = 1, actors: int = 40, has_sync: bool = True,
           ) -> list[Arrival]:
    """Return events of all kinds; each seed gives its own."""
    chance = random.Random(seed)
    return [_event(number, chance, actors, has_sync) for number in range(count)]


def _event(number: int, chance: random.Random, actors: int, has_sync: bool) -> Arrival:
    did = did_of(chance.randrange(actors))
    time_us = 1_700_000_000_000_000 + number * 1_000
    what = chance.random()
    if what < 0.04:
        return Arrival(did, _json({"did": did, "handle": "moss.example.com", "seq": number,
                                   "time": isoformat(time_us)}), Kind.IDENTITY)
    if what < 0.08:
        return Arrival(did, _json({"active": True, "did": did, "seq": number,
                                   "time": isoformat(time_us)}), Kind.ACCOUNT)
    if what < 0.1 and has_sync:
        return Arrival(did, _json({"did": did, "rev": encode_tid(time_us, 1), "seq": number,
                                   "time": isoformat(time_us), "blocks": {"$bytes": "AAAA"}}),
                       Kind.SYNC)
    return _commit(number, chance, did)


def _commit(number: int, chance: random.Random, did: str) -> Arrival:
    time_us = 1_700_000_000_000_000 + number * 1_000
    collection = chance.choice(COLLECTIONS)
    operation = chance.choices([Operation.CREATE, Operation.UPDATE, Operation.DELETE],
                               [0.8, 0.1, 0.1])[0]
    body: dict[str, Any] = {
        "rev": encode_tid(time_us, 1), "operation": operation.word, "collection": collection,
        "rkey": encode_tid(time_us, 2)}
    if operation == Operation.DELETE:
        return Arrival(did, _json(body), Kind.COMMIT, operation, collection)
    langs = tuple(chance.sample(("en", "de", "pt"), chance.randrange(3)))
    mentioned = (did_of(chance.randrange(40)),) if chance.random() < 0.1 else ()
    record = {
        "$type": collection, "createdAt": isoformat(time_us), "langs": list(langs),
        "text": " ".join(chance.choices(WORDS, k=chance.randrange(3, 60))),
        "facets": [{"did": one} for one in mentioned]}
    is_root = collection.endswith(".post") and chance.random() < 0.5
    if not is_root:
        record["reply"] = {"parent": {"cid": cid_of(b"parent")}}
    body |= {"record": record, "cid": cid_of(b"%d" % number)}
    return Arrival(did, _json(body), Kind.COMMIT, operation, collection, is_root=is_root,
                   mentions=mentioned, langs=langs)


def _json(value: Any) -> bytes:
    return msgspec.json.encode(value)


async def until(holds: Callable[[], bool | Awaitable[bool]], *, within_s: float = WITHIN_S) -> None:
    """Wait until something holds; fails when it does not in time."""
    async with asyncio.timeout(within_s):
        while True:
            found = holds()
            if isinstance(found, Awaitable):
                found = await found
            if found:
                return
            await asyncio.sleep(0.002)
