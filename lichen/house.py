"""The house: every room, built by plain constructor calls, and the life they share.

    open:  folder ─► log (locks it) ─► migrations ─► store ─► rooms ─► readers ─► relay ─► faces
    close: stop accepting ─► drain the relay ─► wait for the readers ─► rooms ─► store ─► log

Nothing here decides anything; it only says who knows whom.
"""

import asyncio
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from traceback import format_tb

import structlog
from litestar.types import ASGIApp

from lichen.accounts import Accounts
from lichen.accounts.room import build as build_accounts
from lichen.application import Faces, application_of
from lichen.faces.status import Readiness, start_metrics
from lichen.forum import Forum
from lichen.forum.room import Room as ForumRoom
from lichen.forum.room import build as build_forum
from lichen.kit import Unavailable
from lichen.kit.config import Config
from lichen.kit.ground import Ground, ground_of
from lichen.log import Followers, Reader, SegmentLog, tail_of
from lichen.log import Options as LogOptions
from lichen.moderation import Moderation
from lichen.moderation.room import build as build_moderation
from lichen.notifications import Notifications
from lichen.notifications.room import build as build_notifications
from lichen.restore import check_finished
from lichen.search import Search
from lichen.search.room import build as build_search
from lichen.store import Relay, Store, open_store
from lichen.store.migrating import migrate
from lichen.store.relay import SETTLE_MS_MAX
from lichen.web import Addresses

LOG_FOLDER = "log"
COLUMNS_FOLDER = "columns"
DRAIN_S_MAX = 5  # of the 10 s that a stop may take; the rest is the server's

_log = structlog.get_logger("lichen.house")


@dataclass(frozen=True, slots=True)
class Rooms:
    """The services of every room, and their readers of the house's log."""

    accounts: Accounts
    forum: Forum
    search: Search
    notifications: Notifications
    moderation: Moderation
    talk: ForumRoom

    @property
    def readers(self) -> list[Reader]:
        """Every reader of the house's log."""
        return [
            self.accounts.reader, self.talk.standings, self.talk.rank_reader,
            self.talk.link_reader, self.search.reader, self.notifications.reader,
        ]


class House:
    """One running Lichen: ground, log, store, rooms, readers, relay, application."""

    def __init__(self, ground: Ground, log: SegmentLog, store: Store, rooms: Rooms) -> None:
        self.ground = ground
        self.log = log
        self.store = store
        self.rooms = rooms
        self.addresses = Addresses(ground.config.public_url)
        self.followers = Followers(log, rooms.readers)
        self.relay = Relay(
            store, append=log.append, read_back=self._read_back, wait_applied=self._wait_applied
        )
        self.application: ASGIApp = application_of(self._faces(), self._readiness)
        self._start_seq = 0
        self.broken = asyncio.Event()  # a part that never ends has failed: crash
        self._tasks: list[asyncio.Task[None]] = []
        self._stop_metrics: Callable[[], None] = lambda: None

    @classmethod
    async def open(cls, config: Config, *, ground: Ground | None = None) -> "House":
        """Open the data folder and build everything; returns once requests can be served."""
        ground = ground or ground_of(config)
        folder = config.server.data
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        check_finished(folder)
        options = LogOptions(segment_bytes_max=config.log.segment_bytes_max)
        log = SegmentLog.open(folder / LOG_FOLDER, clock=ground.clock, options=options)
        url = config.database.url.reveal()
        await asyncio.to_thread(migrate, url, folder=folder)
        store = open_store(url, folder=folder, clock=ground.clock)
        house = cls(ground, log, store, await _build_rooms(ground, store, log))
        await house._start()
        return house

    async def close(self) -> None:
        """Relay what is committed, let the readers catch up, and close in the order of need."""
        try:
            async with asyncio.timeout(DRAIN_S_MAX):
                await self.relay.drain()
                await self._wait_applied(self.log.last_seq, timeout_ms=DRAIN_S_MAX * 1_000)
        except (TimeoutError, Unavailable) as error:
            # Nothing is lost: the outbox holds it until the next start.
            _log.warning("not_drained", reason=type(error).__name__)
        self._stop_metrics()
        await self.log.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        with suppress(Unavailable):  # the checkpoint stays where it was
            await self.rooms.talk.rank_reader.close()
        await self.rooms.accounts.close()
        await self.ground.outbound.close()
        await self.store.close()
        _log.info("closed", last_seq=self.log.last_seq)

    async def _start(self) -> None:
        await self.relay.start()
        with suppress(Unavailable):  # a full disk: the house reads, and relays once there is room
            await self.relay.catch_up()
        self._start_seq = self.log.last_seq
        self._tasks = [
            asyncio.create_task(self.followers.run(), name="followers"),
            asyncio.create_task(self.relay.run(), name="relay"),
            asyncio.create_task(self._retain(), name="retention"),
        ]
        for task in self._tasks:
            task.add_done_callback(self._note_end)
        config = self.ground.config
        if config.accounts.admin_name:
            await self.rooms.accounts.ensure_admin(
                config.accounts.admin_name, config.accounts.admin_password.reveal()
            )
        if config.server.metrics_port:
            self._stop_metrics = start_metrics(config.server.metrics_port, self._figures)
        await self._welcome()

    async def _welcome(self) -> None:
        """Say where the house is, and how to log in the first time."""
        _log.info("serving", address=self.addresses.public_url)
        token = await self.store.write(self.rooms.accounts.setup_link_token)
        if token is not None:
            _log.info("set_up", link=self.addresses.absolute(f"/setup/{token}"))

    async def _retain(self) -> None:
        """Forget, now and then, what every reader has passed and retention no longer asks for."""
        settings = self.ground.config.log
        while True:
            await asyncio.sleep(settings.retention_interval_s)
            try:
                await self.log.retain(
                    floor_seq=self.followers.low_water(),
                    age_us_max=int(settings.retention_s * 1e6),
                    bytes_max=settings.retention_bytes_max,
                )
            except Unavailable as error:
                _log.warning("retention_waits", reason=error.text)

    def _note_end(self, task: asyncio.Task[None]) -> None:
        error = None if task.cancelled() else task.exception()
        if error is not None:
            # The text of an error may quote what people wrote; its type and its place do not.
            _log.critical("broken", part=task.get_name(), error=type(error).__name__,
                          where=format_tb(error.__traceback__))
            self.broken.set()

    def _read_back(self, count: int) -> bytes:
        return tail_of(self.log, count)

    async def _wait_applied(self, seq: int, timeout_ms: int = SETTLE_MS_MAX) -> None:
        await self.followers.wait_applied(seq, timeout_ms=timeout_ms)

    async def _readiness(self) -> Readiness:
        positions = self.followers.positions()
        serving = {reader.name for reader in self.rooms.readers if reader.serves_pages}
        behind = [name for name in serving if positions[name] < self._start_seq]
        pending = await self.relay.pending()
        waiting = (*(f"reader {name}" for name in sorted(behind)), *(["outbox"] if pending else []))
        return Readiness(
            ready=not waiting, waiting_for=waiting, readers=positions, last_seq=self.log.last_seq
        )

    def _faces(self) -> Faces:
        return Faces(
            store=self.store, accounts=self.rooms.accounts, forum=self.rooms.forum,
            search=self.rooms.search, notifications=self.rooms.notifications,
            moderation=self.rooms.moderation, addresses=self.addresses, config=self.ground.config,
        )

    def _figures(self) -> dict[str, float]:
        lag = {
            f"reader_lag_events_{name}": float(self.log.last_seq - position)
            for name, position in self.followers.positions().items()
        }
        return {
            "log_last_seq": float(self.log.last_seq),
            "relayed_events_total": float(self.relay.relayed),
            "late_answers_total": float(self.relay.late),
            "round_trips_total": float(self.store.round_trips),
            "round_trips_apart_total": float(self.store.round_trips_apart),
            **lag,
        }


async def _build_rooms(ground: Ground, store: Store, log: SegmentLog) -> Rooms:
    addresses = Addresses(ground.config.public_url)
    # A log of which retention has kept nothing begins behind its end.
    first_seq = log.first_seq or log.last_seq + 1
    accounts = await build_accounts(ground, store, addresses=addresses, log_seq=log.last_seq)
    talk = await build_forum(
        ground, store, accounts=accounts, addresses=addresses,
        folder=ground.config.server.data / COLUMNS_FOLDER,
        log_first_seq=first_seq, log_last_seq=log.last_seq,
        activity_age_us_max=int(ground.config.forum.activity_age_s * 1_000_000),
    )
    forum = talk.forum
    return Rooms(
        accounts=accounts,
        forum=forum,
        talk=talk,
        search=await build_search(
            ground, store, forum=forum, accounts=accounts, log_first_seq=first_seq,
            log_last_seq=log.last_seq,
        ),
        notifications=await build_notifications(
            ground, store, forum=forum, accounts=accounts, addresses=addresses,
            log_first_seq=first_seq,
        ),
        moderation=build_moderation(
            ground, forum=forum, accounts=accounts, addresses=addresses
        ),
    )
