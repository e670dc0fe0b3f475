"""The house: every room, built by plain constructor calls, and the life they share.

    open:  folder ─► log (locks it) ─► migrations ─► store ─► rooms ─► readers ─► relay ─► faces
    close: stop accepting ─► drain the relay ─► wait for the readers ─► rooms ─► store ─► log

Nothing here decides anything; it only says who knows whom.
"""

import asyncio
from collections.abc import Callable, Sequence
from contextlib import suppress
from traceback import format_tb

import structlog
from litestar.types import ASGIApp

from lichen.accounts import Keys
from lichen.accounts.keys import generate_keys
from lichen.accounts.passwords import Passwords
from lichen.application import application_of
from lichen.assembly import Rooms, build_rooms, open_inbox, open_log, open_outbox
from lichen.erasing import Copy, Emptied, Eraser, Erasures
from lichen.export import Exports
from lichen.export import Rooms as ExportedRooms
from lichen.faces.given import Given
from lichen.faces.status import Readiness, start_metrics
from lichen.federation import Courses, Standings, Trails
from lichen.federation.entrance import Entrance
from lichen.federation.forgetting import Forgetting
from lichen.federation.incoming import Incoming
from lichen.federation.outgoing_room import OutgoingRoom
from lichen.kit import Unavailable
from lichen.kit.config import Config
from lichen.kit.ground import Ground, ground_of
from lichen.log import Followers, Log, tail_of
from lichen.ports import LettersToErase, PicturesToErase, PicturesToTake
from lichen.restore import check_finished
from lichen.store import Relay, Store, open_store
from lichen.store.migrating import migrate
from lichen.store.relay import SETTLE_MS_MAX
from lichen.stream.room import Room as StreamRoom
from lichen.stream.room import build as build_stream
from lichen.web import Addresses

LOG_FOLDER = "log"
EXPORTS_FOLDER = "exports"
POINTS_FOLDER = "backups"  # what upgrades leave as their way back
SWEEP_INTERVAL_S = 600.0  # of outside pictures that have grown old
FORGETTING_INTERVAL_S = 3_600  # addresses are kept for days; an hour more or less is nothing
DRAIN_S_MAX = 5  # of the 10 s that a stop may take; the rest is the server's

_log = structlog.get_logger("lichen.house")


class House:
    """One running Lichen: ground, log, store, rooms, readers, relay, application."""

    def __init__(
        self, ground: Ground, log: Log, store: Store, rooms: Rooms, *,
        incoming: Incoming, outgoing: OutgoingRoom, stream: StreamRoom | None,
    ) -> None:
        self.ground = ground
        self.log = log
        self.store = store
        self.rooms = rooms
        self.incoming = incoming
        self.outgoing = outgoing
        self.stream = stream
        self.addresses = Addresses(ground.config.public_url)
        streaming = [] if stream is None else [stream.reader]
        self.followers = Followers(log, [*rooms.readers, outgoing.composing, *streaming])
        self.relay = Relay(
            store, append=log.append, read_back=self._read_back, wait_applied=self._wait_applied
        )
        self.exports = Exports(
            ExportedRooms(
                store, rooms.accounts, rooms.forum, rooms.messages, rooms.moderation,
                self.addresses, PicturesToTake(rooms.pictures, store),
            ),
            ground.config.server.data / EXPORTS_FOLDER, randomness=ground.randomness,
        )
        self.eraser = self._eraser(streaming)
        self.courses = Courses(incoming, outgoing, ground.clock)
        self.application: ASGIApp = application_of(
            self._faces(), self._readiness, desk=outgoing.desk)
        self.entrance = Entrance(self.application, incoming.inbox)  # what is served
        self._start_seq = 0
        self.broken = asyncio.Event()  # a part that never ends has failed: crash
        self._tasks: list[asyncio.Task[None]] = []
        self._stop_metrics: Callable[[], None] = lambda: None

    @classmethod
    async def open(
        cls, config: Config, *, ground: Ground | None = None, passwords: Passwords | None = None,
        make_keys: Callable[[], Keys] = generate_keys,
    ) -> "House":
        """Open the data folder and build everything; returns once requests can be served."""
        ground = ground or ground_of(config)
        folder = config.server.data
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        check_finished(folder)
        log = await asyncio.to_thread(open_log, ground, folder / LOG_FOLDER)
        url = config.database.url.reveal()
        await asyncio.to_thread(migrate, url, folder=folder)
        store = open_store(url, folder=folder, clock=ground.clock)
        rooms = await build_rooms(
            ground, store, log, passwords=passwords, make_keys=make_keys)
        incoming = await open_inbox(ground, store, rooms)
        outgoing = await open_outbox(ground, store, rooms, log=log, incoming=incoming)
        addresses = Addresses(ground.config.public_url)
        stream = await build_stream(
            ground, log, authority=addresses.authority, did_of_person=addresses.did_of_person)
        house = cls(ground, log, store, rooms, incoming=incoming, outgoing=outgoing, stream=stream)
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
        if self.stream is not None:
            await self.stream.stop_listening()
        await self.rooms.automod.trials.close()
        await self.log.close()
        await self.incoming.log.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        if self.stream is not None:
            await self.stream.close()
        with suppress(Unavailable):  # the checkpoint stays where it was
            await self.rooms.talk.rank_reader.close()
        await self.rooms.hooked.plugins.close()
        with suppress(Unavailable):  # notes of the last seconds
            await self.outgoing.close()
            await self.rooms.federation.close()
        await self.rooms.accounts.close()
        await self.rooms.pictures.close()
        await self.ground.outbound.close()
        await self.store.close()
        _log.info("closed", last_seq=self.log.last_seq)

    async def _start(self) -> None:
        await self.rooms.hooked.plugins.start()
        await self.relay.start()
        with suppress(Unavailable):  # a full disk: the house reads, and relays once there is room
            await self.relay.catch_up()
        self._start_seq = self.log.last_seq
        self.store.withholds = self._is_for_members
        if self.stream is not None:
            await self.stream.begin(self.store, is_shut=self._is_for_members())
        self._tasks = [
            asyncio.create_task(self.followers.run(), name="followers"),
            asyncio.create_task(self.relay.run(), name="relay"),
            asyncio.create_task(self.incoming.followers.run(), name="ingest"),
            asyncio.create_task(self.incoming.waiting.run(), name="parked"),
            asyncio.create_task(self.outgoing.sending.run(), name="sending"),
            asyncio.create_task(self._retain(), name="retention"),
            asyncio.create_task(self.eraser.run(), name="erasing"),
            asyncio.create_task(self.exports.run(), name="exports"),
            asyncio.create_task(self._sweep(), name="pictures"),
            asyncio.create_task(self._forget(), name="forgetting"),
            asyncio.create_task(self.ground.mail.run(), name="mail"),
            asyncio.create_task(self.rooms.accounts.run_letters(), name="letters"),
            asyncio.create_task(self.rooms.federation.peers.run(), name="peers"),
            asyncio.create_task(self.rooms.federation.moves.run(), name="moves"),
            asyncio.create_task(self.rooms.federation.catching_up.run(), name="catching up"),
            asyncio.create_task(self.courses.run(), name="courses"),
            asyncio.create_task(self.rooms.federation.offers.run(), name="offers"),
        ]
        if self.stream is not None:
            self._tasks.append(asyncio.create_task(self.stream.run(), name="stream"))
        for task in self._tasks:
            task.add_done_callback(self._note_end)
        config = self.ground.config
        if config.accounts.admin_name:
            await self.rooms.accounts.ensure_admin(
                config.accounts.admin_name, config.accounts.admin_password.reveal())
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
                for log, floor_seq in (
                    (self.log, self._floor_seq()),
                    (self.incoming.log, self.incoming.ingest.position()),
                    # Peers that are dead hold nothing back: what they missed is fetched, not sent.
                    (self.outgoing.log, self.outgoing.log.last_seq),
                ):
                    await log.retain(
                        floor_seq=floor_seq, age_us_max=int(settings.retention_s * 1e6),
                        bytes_max=settings.retention_bytes_max,
                    )
                if self.stream is not None:
                    await self.stream.retain()
            except Unavailable as error:
                _log.warning("retention_waits", reason=error.text)

    def _floor_seq(self) -> int:
        """Return the lowest sequence that somebody needs in the log."""
        low_water = self.followers.low_water()
        # An erasure finds in the log what is to go, so the log keeps what the stream serves.
        return low_water if self.stream is None else min(low_water, self.stream.store.first_seq - 1)

    async def _sweep(self) -> None:
        """Remove, at the start and then now and then, pictures that nobody needs any more."""
        while True:
            try:
                await self.rooms.pictures.media.shelf.sweep()
                await self.rooms.pictures.proxy.forget_aged()
            except Unavailable as error:
                _log.warning("pictures_wait", reason=error.text)
            await asyncio.sleep(SWEEP_INTERVAL_S)

    async def _forget(self) -> None:
        """Finish what a stop cut short, and forget now and then what need not be known for long."""
        accounts = self.rooms.accounts
        while True:
            try:
                await accounts.finish_departures()
                await accounts.forget_addresses()
                await self.incoming.forget()
            except Unavailable as error:
                _log.warning("forgetting_waits", reason=error.text)
            await asyncio.sleep(FORGETTING_INTERVAL_S)

    def _eraser(self, copies: Sequence[Copy]) -> Eraser:
        rooms = self.rooms
        return Eraser(
            self.store, self.log, Emptied(
                rooms.accounts, rooms.forum, rooms.messages, rooms.search, rooms.moderation,
                rooms.automod, LettersToErase(
                    Forgetting([self.incoming.log, self.outgoing.log]), rooms.accounts, self.store,
                    self.addresses,
                ), copies,
            ),
            erasures=Erasures(), settle=self._heard,
            points=self.ground.config.server.data / POINTS_FOLDER,
            keepers=[self.exports, PicturesToErase(rooms.pictures, self.store)],
        )

    def _is_for_members(self) -> bool:
        """Say whether members alone may read what is here."""
        return self.rooms.accounts.current_site.settings.private_instance

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

    async def _heard(self, timeout_ms: int) -> bool:
        """Relay what is committed; say whether the readers have heard of it in time."""
        await self.relay.catch_up()
        return await self.followers.wait_applied(self.log.last_seq, timeout_ms=timeout_ms)

    async def _readiness(self) -> Readiness:
        positions = self.followers.positions()
        serving = {reader.name for reader in self.rooms.readers if reader.serves_pages}
        behind = [name for name in serving if positions[name] < self._start_seq]
        pending = await self.relay.pending()
        has_no_port = self.stream is not None and self.stream.waits_for_port
        waiting = (*(f"reader {name}" for name in sorted(behind)), *(["outbox"] if pending else []),
                   *(["stream port"] if has_no_port else []))
        return Readiness(
            ready=not waiting, waiting_for=waiting, readers=positions, last_seq=self.log.last_seq
        )

    def _faces(self) -> Given:
        return Given(
            store=self.store, accounts=self.rooms.accounts, forum=self.rooms.forum,
            messages=self.rooms.messages, search=self.rooms.search,
            notifications=self.rooms.notifications, automod=self.rooms.automod,
            moderation=self.rooms.moderation, plugins=self.rooms.hooked.plugins,
            exports=self.exports, pictures=self.rooms.pictures, addresses=self.addresses,
            gate=self.rooms.gate, config=self.ground.config, flags=self.ground.flags,
            federation=self.rooms.federation, stream=self.stream,
            standings=Standings(
                self.store, self.rooms.federation.peers, incoming=self.incoming,
                outgoing=self.outgoing, clock=self.ground.clock, courses=self.courses,
            ),
            trails=Trails(
                self.store, self.rooms.forum, self.rooms.federation.peers,
                incoming=self.incoming, outgoing=self.outgoing, addresses=self.addresses,
            ),
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
            **self.rooms.hooked.plugins.figures(),
            **self.incoming.figures(),
            **self.courses.figures(),
            **self.rooms.federation.figures(),
            **(self.stream.figures() if self.stream is not None else {}),
            **{f"outbound_{code}_total": float(count)
               for code, count in sorted(self.ground.outbound.outcomes.items())},
            **lag,
        }
