"""A relay of our own: a real WebSocket server that serves frames with cursors, well or badly."""

import asyncio
from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from random import Random
from urllib.parse import parse_qs, urlsplit

import libipld
import msgspec
from websockets.asyncio.server import ServerConnection, serve
from websockets.exceptions import ConnectionClosed

from bench.firehose import Framed, error_frame, message
from lichen.kit import Clock, isoformat, system_clock
from lichen.stream import EVERYTHING, Dictionaries, Form, Store, Wire, pull
from lichen.stream.upstream import Cursors, Decoder, Upstream

WAIT_S_MAX = 20  # nothing here takes as long; a test that waits for nothing fails


class FakeRelay:
    """Serves a history from a cursor on, then what is added; closed, it keeps its history.

    `floor_seq`: what is older was forgotten. `drop_after`: how many frames each of the next
    connections is sent before it is cut, without a close.
    """

    def __init__(self, framed: Iterable[Framed] = ()) -> None:
        self.history: list[tuple[int, bytes]] = []
        self.cursors: list[int | None] = []
        self.drop_after: list[int] = []
        self.floor_seq = 0
        self.sent = 0
        self.port = 0
        self.sockets: list[ServerConnection] = []
        self._grown = asyncio.Condition()
        self.history += [(one.seq, one.frame) for one in framed]

    @property
    def address(self) -> str:
        return f"ws://127.0.0.1:{self.port}"

    async def add(self, *framed: Framed) -> None:
        for one in framed:
            await self.add_bytes(one.seq, one.frame)

    async def add_bytes(self, seq: int, frame: bytes) -> None:
        async with self._grown:
            self.history.append((seq, frame))
            self._grown.notify_all()

    async def until_followed(self) -> None:
        async with asyncio.timeout(WAIT_S_MAX), self._grown:
            await self._grown.wait_for(lambda: len(self.sockets) > 0)

    @asynccontextmanager
    async def serving(self) -> AsyncIterator["FakeRelay"]:
        async with serve(self._speak, "127.0.0.1", self.port, compression=None,
                         close_timeout=0.1) as server:
            self.port = next(iter(server.sockets)).getsockname()[1]
            yield self

    async def _speak(self, socket: ServerConnection) -> None:
        words = parse_qs(urlsplit(socket.request.path).query)
        cursor = int(words["cursor"][0]) if "cursor" in words else None
        self.cursors.append(cursor)
        drop_after = self.drop_after.pop(0) if self.drop_after else None
        try:
            async with self._grown:
                self.sockets.append(socket)
                self._grown.notify_all()
            await self._serve(socket, cursor, drop_after)
        except ConnectionClosed:
            pass
        finally:
            self.sockets.remove(socket)

    async def _serve(self, socket: ServerConnection, cursor: int | None,
                     drop_after: int | None) -> None:
        last = max((seq for seq, _ in self.history), default=0)
        if cursor is not None and cursor > last:
            await socket.send(error_frame("FutureCursor"))
            return
        if cursor is not None and cursor < self.floor_seq:
            await socket.send(message("#info", {"name": "OutdatedCursor"}))
            cursor = self.floor_seq
        at = len(self.history) if cursor is None else next(
            (at for at, (seq, _) in enumerate(self.history) if seq > cursor), len(self.history))
        sent = 0
        while True:
            while at < len(self.history):
                if sent == drop_after:
                    socket.transport.abort()
                    return
                await socket.send(self.history[at][1])
                at, sent = at + 1, sent + 1
                self.sent += 1
            async with self._grown:
                growing = asyncio.create_task(self._wait_beyond(at))
            gone = asyncio.create_task(socket.wait_closed())
            _, waiting = await asyncio.wait({growing, gone}, return_when="FIRST_COMPLETED")
            for task in waiting:
                task.cancel()
            if gone.done():
                return

    async def _wait_beyond(self, count: int) -> None:
        async with self._grown:
            await self._grown.wait_for(lambda: len(self.history) > count)


def renumbered(framed: Framed, seq: int, *, time_us: int | None = None) -> Framed:
    """Return the same event as another relay sends it: with a sequence, and a time, of its own."""
    header, body = libipld.decode_dag_cbor_multi(framed.frame)
    body["seq"] = seq
    if time_us is not None:
        body["time"] = isoformat(time_us)
    return framed._replace(seq=seq, frame=message(header["t"], body))


class House:
    """A store with its upstream, as `lichen stream --upstream` puts them together."""

    def __init__(self, folder: Path, *, words: Sequence[str] | None = None,
                 clock: Clock = system_clock) -> None:
        self.folder = folder
        self.clock = clock
        self.store = Store.open(folder, clock=clock, dictionaries=Dictionaries(folder))
        self.decoder = Decoder(words=words) if words else Decoder()
        self.pauses: list[float] = []
        self._paused = asyncio.Condition()

    def upstream(self, *relays: FakeRelay, first_cursor: int | None = 0,
                 addresses: Sequence[str] = ()) -> Upstream:
        return Upstream(
            [*(one.address for one in relays), *addresses], self.store, decoder=self.decoder,
            cursors=Cursors(self.folder, clock=self.clock), chance=Random(1),
            first_cursor=first_cursor, pause=self._pause, probe_s_max=0.3)

    @asynccontextmanager
    async def following(self, *relays: FakeRelay, first_cursor: int | None = 0,
                        addresses: Sequence[str] = ()) -> AsyncIterator[Upstream]:
        upstream = self.upstream(*relays, first_cursor=first_cursor, addresses=addresses)
        task = asyncio.create_task(upstream.run())
        try:
            yield upstream
        finally:
            assert not task.done() or task.result() is None
            task.cancel()
            await asyncio.wait([task])

    async def until_stored(self, events: int) -> None:
        """Wait for so many events; the store numbers from 1 without holes."""
        async with asyncio.timeout(WAIT_S_MAX):
            await self.store.wait_beyond(self.store.first_seq + events - 1)

    async def until_position(self, position: int) -> None:
        rung = asyncio.Event()
        leave = self.store.subscribe_bell(rung.set)
        async with asyncio.timeout(WAIT_S_MAX):
            while self.store.position != position:
                rung.clear()
                await rung.wait()
        leave()

    async def until_paused(self, times: int) -> None:
        async with asyncio.timeout(WAIT_S_MAX), self._paused:
            await self._paused.wait_for(lambda: len(self.pauses) >= times)

    async def _pause(self, seconds: float) -> None:
        async with self._paused:
            self.pauses.append(seconds)
            self._paused.notify_all()

    async def close(self) -> None:
        await self.decoder.close()
        await self.store.close()


@asynccontextmanager
async def house_in(folder: Path, *, words: Sequence[str] | None = None,
                   clock: Clock = system_clock) -> AsyncIterator[House]:
    """Open a house, and close it."""
    house = House(folder, words=words, clock=clock)
    try:
        yield house
    finally:
        await house.close()


def told(store: Store) -> list[dict]:
    """Return all events of a store as the second wire tells them, oldest first."""
    found, seq = [], store.first_seq
    while seq < store.next_seq:
        pulled = pull(store, seq, EVERYTHING, Form(Wire.V2, is_framed=False))
        found += [msgspec.json.decode(line.partition(b"data: ")[2])["payload"]
                  for line in bytes(pulled.data).split(b"\n\n") if line]
        seq = pulled.next_seq
    return found


def named(event: dict) -> tuple:
    """Return what an event is known by, whichever relay it came from."""
    kind = event["$type"].partition("#")[2]
    if kind == "commit":
        return kind, event["did"], event["rev"], event["operation"], event["collection"], event["rkey"]
    return kind, event["did"], event[kind].get("rev", ""), event[kind].get("seq", 0)


def expected(framed: Iterable[Framed]) -> list[tuple]:
    """Return the same of what was sent."""
    names = []
    for one in framed:
        if one.kind == "commit":
            names += [("commit", one.did, one.rev, write.operation.word, write.collection, write.rkey)
                      for write in one.writes]
        else:
            names.append((one.kind, one.did, one.rev, one.seq))
    return names
