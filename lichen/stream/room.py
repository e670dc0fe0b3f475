"""How the room is assembled in a house: the store, its reader of the log, and who serves it.

The folder needs no backup: what the stream serves is in the log, and is copied from there where the
folder is missing, or knows more than the log does, as after a restore.
"""

import asyncio
import errno
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Final, NamedTuple

import structlog

from lichen.kit.config import Config
from lichen.kit.config import Stream as Settings
from lichen.kit.ground import Ground
from lichen.log import Log
from lichen.store import Store as Rows
from lichen.store import set_stamp, stamp_of
from lichen.stream.archive.routes import ArchiveRoutes
from lichen.stream.archive.shelf import Archive
from lichen.stream.copying import House
from lichen.stream.dictionary import Dictionaries
from lichen.stream.engine import Store
from lichen.stream.limits import LISTEN_RETRY_S
from lichen.stream.reader import StreamReader
from lichen.stream.relayed import SOURCE, Relayed
from lichen.stream.serving.server import StreamServer
from lichen.stream.serving.settings import ServerSettings
from lichen.stream.standby.shipping import Shipping

FOLDER: Final = "stream"
RELAYED_FOLDER: Final = "stream-atproto"
ARCHIVE_FOLDER: Final = "archive"
DICTIONARIES_FOLDER: Final = "dictionaries"
TELLING_S_MIN: Final = 600.0  # below, a burst at the start would predict gigabytes
SINCE: Final = "stream.since_seq"  # the stamp of the last sequence that says nothing of outsiders

_log = structlog.get_logger("lichen.stream")


class Load(NamedTuple):
    """What the stream keeps and how it grows, as far as the events that are kept tell."""

    events: int
    bytes: int
    span_s: float

    @property
    def is_telling(self) -> bool:
        """Say whether the events came over a time that says something of the next days."""
        return self.span_s >= TELLING_S_MIN

    def bytes_predicted(self, settings: Settings) -> int:
        """Return what will be kept once events have come for as long as they are served."""
        if self.span_s <= 0:
            return self.bytes
        grown = self.bytes * max(1.0, settings.retention_s / self.span_s)
        return int(min(grown, settings.retention_bytes_max))

    @property
    def events_per_s(self) -> float:
        """Return the rate over what is kept."""
        return self.events / self.span_s if self.span_s > 0 else 0.0


class Room:
    """The stream of one house."""

    def __init__(self, ground: Ground, store: Store, reader: StreamReader, log: Log, *,
                 relayed: Relayed | None = None) -> None:
        self.store = store
        self._relayed = relayed
        folder = ground.config.server.data / FOLDER
        self._stores = {"": store} | ({SOURCE: relayed.store} if relayed else {})
        self._archives = {source: Archive(one, folder / f"{ARCHIVE_FOLDER}{source}")
                          for source, one in self._stores.items()}
        self.reader = reader
        self.settings = ground.config.stream
        self.server: StreamServer | None = None  # once it listens
        self._served = server_settings(ground.config)
        self._clock = ground.clock
        self._log = log
        self._was_empty = log.last_seq == 0

    async def begin(self, rows: Rows, *, is_shut: bool) -> None:
        """Learn from which sequence on events say what outsiders hear; called before the reader.

        A house that was begun by an older Lichen copies nothing of what that one wrote.
        """
        known = await rows.read(lambda unit: stamp_of(unit, SINCE), apart=True)
        since_seq = int(known or (0 if self._was_empty else self._log.last_seq))
        if known is None:
            await rows.write(lambda unit: set_stamp(unit, SINCE, str(since_seq)), apart=True)
        self.reader.since_seq = since_seq
        if is_shut:
            await self.reader.shut()

    @property
    def waits_for_port(self) -> bool:
        """Say whether a port is configured on which nobody listens yet."""
        return bool(self._served.port) and self.server is None

    async def run(self) -> None:
        """Listen, follow relays where some are named, and keep the archive in step."""
        for archive in self._archives.values():
            await archive.start()
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._listen())
            for archive in self._archives.values():
                tasks.create_task(archive.run())
            if self._relayed is not None:
                tasks.create_task(self._relayed.run())

    async def _listen(self) -> None:
        """Listen where a port is configured; while it is taken, try again now and then."""
        routes = {**ArchiveRoutes(self._archives).routes(),
                  **Shipping(self._stores, key=self.settings.standby_key.reveal()).routes()}
        while self.waits_for_port:
            server = StreamServer(self._stores, settings=self._served, clock=self._clock,
                                  routes=routes)
            try:
                await server.start()
            except OSError as error:
                for hub in server.hubs.values():
                    hub.close()
                if error.errno not in (errno.EADDRINUSE, errno.EADDRNOTAVAIL, errno.EACCES):
                    raise
                _log.warning("stream_port_busy", host=self._served.host, port=self._served.port,
                             reason=error.strerror, retry_s=LISTEN_RETRY_S)
                await asyncio.sleep(LISTEN_RETRY_S)
            else:
                self.server = server
                _log.info("streaming", host=self._served.host, port=server.port)

    async def stop_listening(self) -> None:
        """Say goodbye to everybody; some seconds at most."""
        if self.server is not None:
            await self.server.close()

    async def retain(self) -> None:
        """Forget what is too old to be served, or too much; raises Unavailable."""
        for store in self._stores.values():
            await store.retain(
                age_us_max=int(self.settings.retention_s * 1e6),
                bytes_max=self.settings.retention_bytes_max, now_us=self._clock(),
            )

    async def close(self) -> None:
        """Close what is open; the reader has ended."""
        for store in self._stores.values():
            await store.close()

    @property
    def lag_events(self) -> int:
        """Return how much of the log is yet to be read, public or not."""
        return max(0, self._log.last_seq - self.reader.reached)

    def load(self) -> Load:
        """Return what is kept, and over which time it came."""
        sizes = self.store.sizes()
        kept = sizes.plain_bytes + sizes.compressed_bytes + sizes.index_bytes
        span_us = sizes.newest_us - sizes.oldest_us if sizes.events else 0
        return Load(sizes.events, kept, span_us / 1e6)

    def figures(self) -> dict[str, float]:
        """Return the numbers for the metrics."""
        sizes, served = self.store.sizes(), {}
        if self.server is not None:
            served = {
                "stream_subscribers": float(sum(
                    len(hub.everybody) for hub in self.server.hubs.values())),
                "stream_sent_events_total": float(self.server.counts.events_sent),
                "stream_sent_bytes_total": float(self.server.counts.bytes_sent),
                "stream_refused_connects_total": float(self.server.counts.refused_connects),
            }
        return served | {
            "stream_events": float(sizes.events),
            "stream_plain_bytes": float(sizes.plain_bytes),
            "stream_compressed_bytes": float(sizes.compressed_bytes),
            "stream_index_bytes": float(sizes.index_bytes),
            "stream_first_seq": float(self.store.first_seq),
            "stream_next_seq": float(self.store.next_seq),
            "stream_copied_events_total": float(self.reader.copied),
            "stream_damaged_blocks": float(self.store.damaged_blocks),
        }


def server_settings(config: Config) -> ServerSettings:
    """Return what the configuration says to the stream's own server."""
    settings = config.stream
    words = (word.strip() for word in settings.keys.reveal().split(","))
    return ServerSettings(
        host=settings.host or config.server.host, port=config.server.stream_port,
        connections_max=settings.subscribers_max,
        subscribers_per_address_max=settings.per_address_max,
        connects_per_minute_max=settings.connects_per_minute,
        keys=tuple(word for word in words if word),
        trusted_proxies=config.limits.trusted_proxies,
    )


async def build(
    ground: Ground, log: Log, *, authority: str, did_of_person: Callable[[str], str]
) -> Room | None:
    """Return the stream of a house, None where it is switched off: then nothing of it is kept.

    `did_of_person` knows the people of the house by their names.
    """
    folder, settings = ground.config.server.data / FOLDER, ground.config.stream
    if not settings.on:
        # An erasure could not reach what nobody has open.
        await asyncio.to_thread(shutil.rmtree, folder, ignore_errors=True)
        return None
    store = await asyncio.to_thread(_open, folder, ground)
    if store.position > log.last_seq:
        _log.warning("stream_begun_anew", position=store.position, log_last_seq=log.last_seq)
        await store.close()
        await asyncio.to_thread(shutil.rmtree, folder)
        store = await asyncio.to_thread(_open, folder, ground)
    reader = StreamReader(store, log, House(authority, did_of_person), clock=ground.clock,
                          age_us_max=int(settings.retention_s * 1e6))
    return Room(ground, store, reader, log, relayed=await _relayed(ground))


def _open(folder: Path, ground: Ground) -> Store:
    return Store.open(folder, clock=ground.clock, dictionaries=_dictionaries(folder, ground))


def _dictionaries(folder: Path, ground: Ground) -> Dictionaries:
    dictionaries = Dictionaries(folder / DICTIONARIES_FOLDER)
    if ground.config.stream.legacy_dictionary:
        dictionaries.add_legacy(Path(ground.config.stream.legacy_dictionary))
    return dictionaries


async def _relayed(ground: Ground) -> Relayed | None:
    """Return the relays that a house follows beside its own stream, None where it names none."""
    upstreams = tuple(word for one in ground.config.stream.upstreams.split(",")
                      if (word := one.strip()))
    if not upstreams:
        return None
    folder = ground.config.server.data / RELAYED_FOLDER
    return await Relayed.open(
        folder, upstreams, clock=ground.clock, chance=ground.randomness,
        dictionaries=await asyncio.to_thread(_dictionaries, folder, ground))
