"""Composing: the reader that makes activities out of events, each once.

    house's log ──► events that concern others ──► rows they are about, looked up together
                                                      │
        outgoing ◄── append what is not in it yet ◄── what they are to others (`telling`)
            │
            └──► then, in one transaction: what stands for a later Undo, and the checkpoint

The log `outgoing` is its own witness: it ends with the event that was told last. After a crash
between append and checkpoint the same events make the same activities, and those that are in it
are not appended again: exactly once.
"""

from bisect import bisect_left
from collections.abc import Iterator, Sequence
from functools import partial

import msgspec

from lichen.accounts import Actor
from lichen.events import LOCAL, Event, decode_events
from lichen.events.federation import Accepted
from lichen.federation import outgoing_rows
from lichen.federation.limits import (
    APPEND_BYTES_MAX,
    APPEND_RECORDS_MAX,
    ORIGINALS_AT_ONCE_MAX,
    UNMARKED_EVENTS_MAX,
)
from lichen.federation.lines import PeerBook
from lichen.federation.outgoing import Outgoing, encode, last_of
from lichen.federation.scenes import (
    ACCEPTED,
    COMMUNITY,
    PROFILE,
    Rooms,
    Scene,
    gather,
)
from lichen.federation.telling import Telling, is_told
from lichen.federation.tracks import Composed, Told
from lichen.kit.crash_points import crash_point
from lichen.log import Batch, Log, LogTrimmed
from lichen.store import Store, Unit, advance_checkpoint, checkpoint_of
from lichen.web import Addresses

NAME = "composing"


class Followers:
    """Which servers follow each community of ours; from rows, renewed as subscriptions change."""

    def __init__(self) -> None:
        self._known: dict[int, frozenset[str]] = {}

    def of(self, community_id: int) -> frozenset[str]:
        """Return the servers of a community's followers, as far as they were learnt."""
        return self._known.get(community_id, frozenset())

    def followed_from(self, authority: str) -> list[int]:
        """Return the communities that people of a server follow."""
        return [one for one, authorities in self._known.items() if authority in authorities]

    def learn(self, followers: dict[int, frozenset[str]]) -> None:
        """Keep what was read of some communities."""
        self._known.update(followers)


class Composing:
    """Follows the house's log and appends to `outgoing`."""

    name = NAME
    serves_pages = False

    def __init__(
        self, store: Store, outgoing: Log, inbox: Log | None, *, rooms: Rooms, peers: PeerBook,
        followers: Followers, addresses: Addresses, position: int,
    ) -> None:
        """Take the logs; `inbox` holds the bytes of what came, None where nothing comes."""
        self._store = store
        self._outgoing = outgoing
        self._inbox = inbox
        self._rooms = rooms
        self._peers = peers
        self._followers = followers
        self._addresses = addresses
        self._position = position
        self._marked = position
        self._last = last_of(outgoing)
        self.composed = 0
        self.tracks = Told()

    def position(self) -> int:
        """Return the last sequence applied."""
        return self._position

    async def apply(self, batch: Batch) -> None:
        """Tell other servers of a batch of events."""
        last = batch.next_seq - 1
        numbered = [
            (seq, event)
            for seq, event in zip(batch.seqs.tolist(), decode_events(batch.lines()), strict=True)
            if seq > self._position and is_told(event)
        ]
        site = self._rooms.accounts.current_site.settings
        if numbered and site.federation_enabled:
            await self._tell(numbered, last)
        elif last - self._marked > UNMARKED_EVENTS_MAX:
            await self._store.write(partial(_mark, last=last), apart=True)
            self._marked = last
        self._position = last

    async def _tell(self, numbered: Sequence[tuple[int, Event]], last: int) -> None:
        events = [event for _, event in numbered]
        began_us = self._store.clock()
        scene, trips = await self._store.read(
            lambda unit: (gather(unit, self._rooms, events), unit.round_trips), apart=True)
        self._followers.learn(scene.followers)
        await self._complete(scene, events)
        telling = Telling(scene, self._addresses)
        records = []
        for seq, event in numbered:
            for part, told in enumerate(telling.tell(event), 1):
                if (seq, part) > self._last:
                    records.append(msgspec.structs.replace(told, source=seq, part=part))
        first_seq = self._outgoing.last_seq + 1
        for chunk in _chunks(records):
            crash_point("composing.before_append")
            await self._outgoing.append([encode(record) for record in chunk])
            crash_point("composing.after_append")
            self._last = (chunk[-1].source, chunk[-1].part)
        self.composed += len(records)
        if records or telling.kept:
            await self._store.write(partial(_keep, telling=telling, last=last), apart=True)
            crash_point("composing.after_checkpoint")
            self._marked = last
            # What is written travels in one flush with COMMIT; on SQLite nothing travels.
            self.tracks.note(Composed(
                first_seq, self._outgoing.last_seq, len(numbered), began_us,
                trips + (self._store.engine != "sqlite"),
            ))

    async def _complete(self, scene: Scene, events: Sequence[Event]) -> None:
        """Add what is not in rows of one unit: keys, the bytes that came, recipients' software."""
        for actor_id in _described(scene, events):
            scene.keys[actor_id] = (await self._rooms.accounts.keys(actor_id)).public
        for view in scene.messages.values():
            if not view.recipient.local:
                domain = view.recipient.domain
                scene.software[domain] = (await self._peers.peer(domain)).software
        scene.originals |= self._originals({
            msgspec.json.decode(event.record, type=Accepted).activity
            for event in events
            if event.collection == ACCEPTED and event.operation != "delete"
        })

    def _originals(self, seqs: set[int]) -> dict[int, bytes]:
        """Return lines of the inbox, those that stand close together by one reading.

        What retention or an erasure took is not among them.
        """
        found: dict[int, bytes] = {}
        wanted = sorted(seqs)
        while wanted and self._inbox is not None:
            limit = min(wanted[-1] - wanted[0] + 1, ORIGINALS_AT_ONCE_MAX)
            try:
                batch = self._inbox.read(wanted[0], limit=limit)
            except LogTrimmed as error:
                wanted = wanted[bisect_left(wanted, error.floor_seq):]
                continue
            lines = zip(batch.seqs.tolist(), batch.payloads(), strict=True)
            found |= {seq: line for seq, line in lines if seq in seqs}
            wanted = wanted[bisect_left(wanted, max(batch.next_seq, wanted[0] + 1)):]
        return found


async def load_followers(store: Store, rooms: Rooms, followers: Followers) -> None:
    """Learn which servers follow each community of ours; two round trips."""
    def load(unit: Unit) -> dict[int, frozenset[str]]:
        return rooms.forum.all_follower_authorities(unit)

    followers.learn(await store.read(load, apart=True))


def _described(scene: Scene, events: Sequence[Event]) -> list[int]:
    """Return the actors whose documents, and so whose keys, are told."""
    wanted: dict[int, Actor | None] = {}
    for event in events:
        if event.origin != LOCAL or event.operation != "update":
            continue
        if event.collection == PROFILE:
            wanted[event.row] = scene.actors.get(event.row)
        elif event.collection == COMMUNITY and event.row in scene.communities:
            wanted[event.row] = scene.communities[event.row].actor
    return [id_ for id_, actor in wanted.items() if actor is not None and actor.local]


def _chunks(records: Sequence[Outgoing]) -> Iterator[list[Outgoing]]:
    """Yield records in runs that one append takes."""
    chunk: list[Outgoing] = []
    size = 0
    for record in records:
        if chunk and (len(chunk) >= APPEND_RECORDS_MAX
                      or size + len(record.activity) > APPEND_BYTES_MAX):
            yield chunk
            chunk, size = [], 0
        chunk.append(record)
        size += len(record.activity)
    if chunk:
        yield chunk


def _mark(unit: Unit, *, last: int) -> None:
    if checkpoint_of(unit, NAME) < last:
        advance_checkpoint(unit, NAME, last)


def _keep(unit: Unit, *, telling: Telling, last: int) -> None:
    """Write what stands now, what fell, and the checkpoint."""
    kept = {tid: one for tid, one in telling.kept.items() if one is not None}
    fallen = [tid for tid, one in telling.kept.items() if one is None]
    unit.stage(outgoing_rows.DROP_STANDING, {"tids": fallen})
    unit.stage(outgoing_rows.KEEP_STANDING, *(
        {"tid": tid, **one._asdict()} for tid, one in kept.items()
    ))
    advance_checkpoint(unit, NAME, last)
