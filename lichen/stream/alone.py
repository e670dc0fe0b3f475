"""The stream alone: one process that follows a source, keeps what it says, and serves it.

    relay ─▶ Upstream ─┐
                       ├▶ Store ─▶ StreamServer: both wires · archive · shipping to standbys
    server ─▶ Standby ─┘   │
                           └ every minute: what is too old or too much goes
                             every few seconds: a line for people

A standby that is promoted goes on with its upstreams, if it has some. Told to stop, it says goodbye
to everybody (1001), finishes the append that is under way and closes.
"""

import asyncio
from collections.abc import Callable, Coroutine
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING, Any

import msgspec

from lichen.kit.clock import Clock
from lichen.kit.errors import Refused, Unavailable
from lichen.stream.archive.routes import ArchiveRoutes
from lichen.stream.archive.shelf import Archive
from lichen.stream.client.sizing import HOUR_US, total_bytes
from lichen.stream.dictionary import Dictionaries
from lichen.stream.engine import Store
from lichen.stream.limits import RETAIN_S, TELL_S
from lichen.stream.predicting import predict, size_told, span_told
from lichen.stream.relayed import Relayed
from lichen.stream.serving.http import Routes
from lichen.stream.serving.server import StreamServer
from lichen.stream.serving.settings import ServerSettings
from lichen.stream.standby.shipping import Shipping

if TYPE_CHECKING:
    from lichen.stream.standby.follower import Standby

__all__ = ["HOUR_US", "Alone", "AloneSettings", "ServerSettings"]

ARCHIVE = "archive"  # the folder of segments that are built for downloads

Tell = Callable[[str], None]


class AloneSettings(msgspec.Struct, frozen=True, kw_only=True):
    """What the stream alone follows, keeps and serves."""

    folder: Path
    upstreams: tuple[str, ...] = ()
    primary: str = ""  # the server that is followed as a standby
    standby_key: str = ""  # what standbys show, here and there; without it nothing is shipped
    first_cursor: int | None = None  # where an empty folder begins: 0 is all that a relay has
    legacy_dictionary: Path | None = None
    age_us_max: int = 36 * HOUR_US
    bytes_max: int = 100 * 10 ** 9
    server: ServerSettings = ServerSettings()


class Alone:
    """One folder, followed and served; `run` is its whole life."""

    def __init__(self, settings: AloneSettings, *, clock: Clock, chance: Random,
                 tell: Tell) -> None:
        if not settings.upstreams and not settings.primary:
            raise Refused("no_source", "There is nothing to follow: name a relay, as --upstream "
                          "wss://relay.example, or a server, as --follow ws://10.0.0.1:6008.")
        self._settings = settings
        self._clock = clock
        self._chance = chance
        self._tell = tell
        self._relayed: Relayed | None = None
        self._standby: Standby | None = None
        self._told = (0, 0, 0)

    async def run(self, stopping: asyncio.Event) -> None:
        """Follow, keep and serve until told to stop.

        Raises Refused and Unavailable where it cannot begin, and what is broken.
        """
        settings = self._settings
        settings.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        dictionaries = Dictionaries(settings.folder)
        if settings.legacy_dictionary is not None:
            dictionaries.add_legacy(settings.legacy_dictionary)
        self._store = Store.open(settings.folder, clock=self._clock, dictionaries=dictionaries)
        try:
            archive = Archive(self._store, settings.folder / ARCHIVE)
            await archive.start()
            self._server = StreamServer({"": self._store}, settings=settings.server,
                                        clock=self._clock, routes=self._routes(archive))
            await self._listen()
            await self._live(stopping, archive)
        finally:
            await self._store.close()

    async def _listen(self) -> None:
        where = self._settings.server
        try:
            await self._server.start()
        except OSError as error:
            raise Unavailable(f"Nothing can listen on {where.host}:{where.port}: "
                              f"{error.strerror or error}. Choose another --port.") from error
        self._tell(f"Serving ws://{where.host}:{self._server.port}/subscribe from "
                   f"{self._settings.folder}: {self._store.sizes().events:,} events are kept, "
                   f"the next one is {self._store.next_seq}.")

    async def _live(self, stopping: asyncio.Event, archive: Archive) -> None:
        """Do everything at once until told to stop, or until something ends that must not."""
        tasks = [asyncio.ensure_future(one) for one in (
            self._follow(), self._often(RETAIN_S, self._retain), self._often(TELL_S, self._report),
            archive.run(), stopping.wait())]
        try:
            done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                task.result()  # raises what is broken
        finally:
            self._tell("Stopping: everybody is told, what is under way is finished.")
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            await self._server.close()

    async def _follow(self) -> None:
        settings = self._settings
        if settings.primary:
            await self._stand_by()
        if not settings.upstreams:
            await asyncio.Event().wait()  # promoted, with nobody to ask: it serves what it has
        self._relayed = Relayed(
            settings.folder, self._store, settings.upstreams, clock=self._clock,
            chance=self._chance, first_cursor=settings.first_cursor)
        await self._relayed.run()

    async def _stand_by(self) -> None:
        from lichen.stream.standby.follower import Standby
        from lichen.stream.standby.promotion import Promotion

        settings = self._settings
        if seq := Promotion(settings.folder).promoted_at_seq:
            self._tell(f"This folder was promoted at sequence {seq}: it follows "
                       f"{settings.primary} no more.")
            return
        self._standby = Standby(self._store, settings.folder, key=settings.standby_key,
                                primary=_over_http(settings.primary))
        await self._standby.run()
        self._standby = None
        self._tell(f"Promoted: the next event is {self._store.next_seq}.")

    def _routes(self, archive: Archive) -> Routes:
        return {**ArchiveRoutes({"": archive}).routes(),
                **Shipping({"": self._store}, key=self._settings.standby_key).routes()}

    async def _often(self, pause_s: float, do: Callable[[], Coroutine[Any, Any, None]]) -> None:
        while True:
            await asyncio.sleep(pause_s)
            await do()

    async def _retain(self) -> None:
        if self._standby is not None:
            return  # it keeps what its server keeps
        try:
            await self._store.retain(age_us_max=self._settings.age_us_max,
                                     bytes_max=self._settings.bytes_max, now_us=self._clock())
        except Unavailable as error:
            self._tell(f"Old events stay for now: {error.text}")

    async def _report(self) -> None:
        """Say how it goes: what came, what went out, who reads, what is kept."""
        counts, tip = self._server.counts, self._store.next_seq
        now = (tip, counts.events_sent, counts.bytes_sent)
        came, sent, sent_bytes = (
            (new - old) / TELL_S for new, old in zip(now, self._told, strict=True))
        if not any(self._told):
            came = sent = sent_bytes = 0.0  # the first line has nothing to compare with
        self._told = now
        readers = sum(len(hub.everybody) for hub in self._server.hubs.values())
        self._tell(f"{came:,.0f} events/s in ({self._source()}); {readers:,} subscribers get "
                   f"{sent:,.0f} events/s, {size_told(int(sent_bytes))}/s; {self._kept()}")

    def _source(self) -> str:
        if self._standby is not None:
            said = f"{self._standby.doing.value}, {self._standby.lag:,} behind"
            return f"standby of {self._settings.primary}: {said}"
        upstream = self._relayed.upstream if self._relayed is not None else None
        if upstream is None or not upstream.address:
            return "no upstream answers; it is tried again"
        if not upstream.time_us:
            return f"{upstream.address}, quiet"
        behind_s = max(0.0, (self._clock() - upstream.time_us) / 1e6)
        return f"{upstream.address}, last event {behind_s:,.1f} s ago"

    def _kept(self) -> str:
        sizes, settings = self._store.sizes(), self._settings
        told = f"{sizes.events:,} kept in {size_told(total_bytes(sizes))}"
        guess = predict(sizes, age_us_max=settings.age_us_max, bytes_max=settings.bytes_max)
        if not guess.is_known:
            return f"{told}."
        return f"{told}, {span_told(guess.kept_us)} will take {size_told(guess.bytes_at_most)}."


def _over_http(address: str) -> str:
    """Return the address of a server as its standbys call it."""
    for scheme, spoken in (("ws://", "http://"), ("wss://", "https://")):
        if address.startswith(scheme):
            return spoken + address.removeprefix(scheme).removesuffix("/subscribe")
    return address if "://" in address else f"http://{address}"
