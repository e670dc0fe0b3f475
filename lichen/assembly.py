"""The rooms of a house: each built by one constructor call, from the ground floor up.

Nothing here decides anything; it only says who knows whom. What a lower room must ask a higher one
it asks through a port that is filled here (`ports.py`, `enforcing.py`).
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import NamedTuple

from lichen.accounts import SITE_RATES, Accounts, Actor, ContentEnd, Keys, site_did
from lichen.accounts.keys import generate_keys
from lichen.accounts.passwords import Passwords
from lichen.accounts.room import build as build_accounts
from lichen.automod import Automod, RuleCheck
from lichen.automod.room import build as build_automod
from lichen.automod.room import build_check
from lichen.enforcing import ModerationEnforcement, RulesPlugin
from lichen.erasing import Erasures, Kind
from lichen.federation import Peer
from lichen.federation.actors import actor_in
from lichen.federation.decisions import Below
from lichen.federation.incoming import Incoming, open_incoming
from lichen.federation.ingest_rows import follow_ids
from lichen.federation.outgoing_room import Below as Told
from lichen.federation.outgoing_room import Neighbours, OutgoingRoom, open_outgoing
from lichen.federation.room import Room as FederationRoom
from lichen.federation.room import build as build_federation
from lichen.forum import Forum
from lichen.forum.room import Room as ForumRoom
from lichen.forum.room import build as build_forum
from lichen.kit import Refused
from lichen.kit.ground import Ground
from lichen.log import JetStreamLog, JetStreamOptions, Log, Reader, SegmentLog
from lichen.log import Options as LogOptions
from lichen.media import Uploader
from lichen.media.room import Room as MediaRoom
from lichen.media.room import build as build_media
from lichen.messages import Messages
from lichen.messages.room import build as build_messages
from lichen.moderation import Moderation
from lichen.moderation.room import build as build_moderation
from lichen.moderation.room import build_reader as build_proposals_reader
from lichen.notifications import Notifications
from lichen.notifications.room import build as build_notifications
from lichen.plugins import PictureChecks, PictureDoor
from lichen.plugins.room import Room as PluginsRoom
from lichen.plugins.room import build as build_plugins
from lichen.ports import BlockedPictures, MessagesToJudge, PicturesToPurge, TrustByAge
from lichen.search import Search
from lichen.search.room import build as build_search
from lichen.store import Store, Unit
from lichen.web import Addresses, Gate, Rate

COLUMNS_FOLDER = "columns"
ON_NATS = ".nats"  # a file in the log's folder is named for the stream that holds the log


@dataclass(frozen=True, slots=True)
class Rooms:
    """The services of every room, and their readers of the house's log."""

    hooked: PluginsRoom
    accounts: Accounts
    gate: Gate
    pictures: MediaRoom
    talk: ForumRoom
    messages: Messages
    moderation: Moderation
    proposals_reader: Reader
    automod: Automod
    search: Search
    notifications: Notifications
    federation: FederationRoom

    @property
    def forum(self) -> Forum:
        """The service of the forum."""
        return self.talk.forum

    @property
    def readers(self) -> list[Reader]:
        """Every reader of the house's log."""
        return [
            self.accounts.reader, self.talk.standings, self.talk.rank_reader,
            self.talk.link_reader, self.talk.live, self.automod.check.rulebook, self.search.reader,
            self.proposals_reader, self.notifications.reader, self.pictures.reader,
            *self.hooked.readers,
        ]


class _Base(NamedTuple):
    """What every room is built on, and the bounds of the log."""

    ground: Ground
    store: Store
    addresses: Addresses
    first_seq: int
    last_seq: int


class _Lower(NamedTuple):
    """The rooms below the forum."""

    hooked: PluginsRoom
    accounts: Accounts
    gate: Gate
    pictures: MediaRoom


class _Check(NamedTuple):
    """Who is asked before anything is published: the rules, and the queue behind them."""

    rules: RuleCheck
    plugin: RulesPlugin


def open_log(ground: Ground, folder: Path) -> Log:
    """Open the house's log where the settings say; `folder` is locked by whoever appends.

    Blocks on disk and network. A log is not moved from one engine to the other: which one it is on
    stands in the folder.
    """
    settings = ground.config.log
    streams = [path.name.removesuffix(ON_NATS) for path in folder.glob(f"*{ON_NATS}")]
    if settings.engine == "segments":
        if streams:
            raise Refused("log_elsewhere", f"This house's log is in the stream {streams[0]} on "
                          "NATS; set `log.engine` to nats.")
        options = LogOptions(segment_bytes_max=settings.segment_bytes_max)
        return SegmentLog.open(folder, clock=ground.clock, options=options)
    if any(folder.glob("*.log")) or streams not in ([], [settings.nats_stream]):
        place = f"in the stream {streams[0]} on NATS" if streams else "in segment files"
        raise Refused("log_elsewhere", f"This house's log is {place}; set `log.engine` and "
                      "`log.nats_stream` to that.")
    where = JetStreamOptions(
        settings.nats_url.reveal(), settings.nats_stream, settings.nats_monitor_url,
        settings.durability, settings.nats_replicas,
    )
    log = JetStreamLog.open(where, clock=ground.clock, folder=folder)
    (folder / f"{settings.nats_stream}{ON_NATS}").touch()
    return log


async def build_rooms(
    ground: Ground, store: Store, log: Log, *, passwords: Passwords | None = None,
    make_keys: Callable[[], Keys] = generate_keys,
) -> Rooms:
    """Return every room, from the ground floor up."""
    # A log of which retention has kept nothing begins behind its end.
    first_seq = log.first_seq or log.last_seq + 1
    base = _Base(ground, store, Addresses(ground.config.public_url), first_seq, log.last_seq)
    later: list[ForumRoom] = []

    def person_gone(unit: Unit, actor: Actor, *, content: ContentEnd) -> bool:
        # The forum is built upon accounts, which asks it back only once both stand.
        more = later[0].forum.person_gone(unit, actor, content=content)
        if content == "deleted" and not more:
            Erasures().ask(unit, Kind.PERSON, actor.id)  # hidden now, for good a little later
        return more

    hooked = await build_plugins(
        ground, store, site_did=site_did(base.addresses.authority), log_first_seq=first_seq,
        log_last_seq=log.last_seq,
    )
    accounts = await build_accounts(
        ground, store, addresses=base.addresses, log_seq=log.last_seq,
        passwords=passwords, make_keys=make_keys, registration_check=hooked.plugins.hooks,
        person_gone=person_gone,
    )
    gate = _gate(ground, accounts)
    pictures = await build_media(
        ground, store, addresses=base.addresses, site_did=accounts.current_site.actor.did,
        gate=partial(_check_upload, gate), checks=[PictureDoor(hooked.plugins.hooks)],
        tally=accounts.newcomers.count_picture,
        log_first_seq=first_seq, log_last_seq=log.last_seq,
    )
    lower = _Lower(hooked, accounts, gate, pictures)
    rules = build_check(ground, log_last_seq=log.last_seq, trust=TrustByAge(accounts))
    check = _Check(rules, RulesPlugin(rules))
    _join_own(lower, check)
    talk = await _forum(base, lower)
    later.append(talk)
    return await _upper(base, lower, talk, check)


def _join_own(lower: _Lower, check: _Check) -> None:
    """Let our own checks into the register of plugins, before any of others: the first two."""
    plugins = lower.hooked.plugins
    plugins.join(check.plugin)
    plugins.join(PictureChecks(
        "picture-blocklist", BlockedPictures(lower.pictures.blocklist),
        "Refuses pictures that are on the list of administrators, by their bytes or by their "
        "looks.",
    ))


async def _forum(base: _Base, lower: _Lower) -> ForumRoom:
    config = base.ground.config
    return await build_forum(
        base.ground, base.store, accounts=lower.accounts, addresses=base.addresses,
        folder=config.server.data / COLUMNS_FOLDER, log_first_seq=base.first_seq,
        log_last_seq=base.last_seq, hooks=lower.hooked.plugins.hooks,
        activity_age_us_max=int(config.forum.activity_age_s * 1_000_000),
        previews=lower.pictures.proxy.kept_preview,
    )


async def _upper(base: _Base, lower: _Lower, talk: ForumRoom, check: _Check) -> Rooms:
    """Build what stands beside the forum and above it."""
    ground, store, addresses = base.ground, base.store, base.addresses
    accounts, forum = lower.accounts, talk.forum
    messages = build_messages(
        ground, accounts=accounts, addresses=addresses, allowance=accounts.newcomers
    )
    moderation = build_moderation(
        ground, forum=forum, accounts=accounts, addresses=addresses,
        messages=MessagesToJudge(messages), pictures=PicturesToPurge(lower.pictures),
        erase=lambda unit, person_id: Erasures().ask(unit, Kind.PURGED, person_id),
    )
    check.plugin.queue_with(moderation)
    enforcement = ModerationEnforcement(accounts=accounts, moderation=moderation)
    return Rooms(
        *lower, talk=talk, messages=messages, moderation=moderation,
        proposals_reader=await build_proposals_reader(
            store, moderation, log_first_seq=base.first_seq
        ),
        automod=build_automod(
            ground, store, accounts=accounts, forum=forum, check=check.rules,
            addresses=addresses, enforcement=enforcement,
        ),
        search=await build_search(
            ground, store, forum=forum, accounts=accounts, log_first_seq=base.first_seq,
            log_last_seq=base.last_seq,
        ),
        notifications=await build_notifications(
            ground, store, forum=forum, accounts=accounts, addresses=addresses,
            log_first_seq=base.first_seq,
        ),
        federation=await build_federation(
            ground, store, accounts=accounts, forum=forum, moderation=moderation,
            addresses=addresses,
        ),
    )


async def open_inbox(ground: Ground, store: Store, rooms: Rooms) -> Incoming:
    """Return what takes in and applies what peers send."""
    out = rooms.federation
    below = Below(
        accounts=rooms.accounts, forum=rooms.forum, messages=rooms.messages,
        moderation=rooms.moderation, read_actor=actor_in,
        accepts=lambda authority: (out.peers.known(authority) or Peer(authority)).accepts,
        own_authority=Addresses(ground.config.public_url).authority,
    )
    incoming = await open_incoming(
        ground, store, below, folder=ground.config.server.data, keys=out.keys,
        is_allowed=out.peers.is_allowed, resolver=out.resolver,
        note_received=out.peers.note_received,
    )
    incoming.ingest.when_moved(out.told)
    out.catching_up.apply_through(incoming.ingest.take)
    return incoming


async def open_outbox(
    ground: Ground, store: Store, rooms: Rooms, *, log: Log, incoming: Incoming
) -> OutgoingRoom:
    """Return what tells peers of what happens here; `log` is the house's."""
    out = rooms.federation
    return await open_outgoing(
        ground, store, incoming.log, folder=ground.config.server.data,
        rooms=Told(rooms.accounts, rooms.forum, rooms.messages, rooms.moderation),
        neighbours=Neighbours(out.peers, out.keys, follow_ids, out.peers.authorities),
        addresses=Addresses(ground.config.public_url), house_log=(log.first_seq, log.last_seq),
    )


def _gate(ground: Ground, accounts: Accounts) -> Gate:
    """Return the gate, which counts by what administrators chose, else by the configuration."""
    rates = ground.config.rates

    def rate(kind: Rate) -> tuple[int, float]:
        if kind in SITE_RATES:
            return accounts.current_site.settings.rate(kind)
        return getattr(rates, kind), getattr(rates, f"{kind}_s")

    return Gate(ground.config, clock=ground.clock, rate=rate)


def _check_upload(gate: Gate, uploader: Uploader, address: str) -> None:
    gate.check("image", address, uploader.id)
