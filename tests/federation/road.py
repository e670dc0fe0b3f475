"""A house whose logs are real: what comes in and goes out of it can be followed."""

from typing import Any, NamedTuple

import msgspec

from lichen.federation.incoming import Incoming
from lichen.federation.model import authority_of
from lichen.federation.outgoing import Outgoing, encode
from lichen.federation.outgoing_room import OutgoingRoom
from lichen.federation.sending import Sending
from lichen.federation.tracks import Told
from lichen.federation.trails import Trails
from lichen.log import SegmentLog
from lichen.web import Addresses
from tests.federation.incoming import Json, Town
from tests.federation.outward import Book


class Composer(NamedTuple):
    """What a trail asks of composing."""

    tracks: Told


class Road:
    """A town, its logs, and the trails through them; nothing is sent."""

    def __init__(self, town: Town, folder: Any) -> None:
        ground = town.ground
        self.town = town
        self.book = Book()
        self.inbox = SegmentLog.open(folder / "inbox", clock=ground.clock)
        self.outgoing = SegmentLog.open(folder / "outgoing", clock=ground.clock)
        addresses = Addresses(ground.config.public_url)
        self.sending = Sending(
            ground, town.house.store, self.outgoing, peers=self.book, posting=None,  # type: ignore[arg-type]
            followers=lambda _community: frozenset(self.followers),
            everybody=lambda: self.followers, addresses=addresses,
        )
        self.followers: set[str] = set()
        self.trails = Trails(
            town.house.store, town.house.forum, self.book,  # type: ignore[arg-type]
            incoming=Incoming(self.inbox, None, town.ingest, town.waiting, None),  # type: ignore[arg-type]
            outgoing=OutgoingRoom(
                self.outgoing, Composer(Told()), self.sending, None, None),  # type: ignore[arg-type]
            addresses=addresses,
        )

    async def accept(self, *activities: Json, **marks: object) -> None:
        """Write lines as the door does; nothing is applied yet."""
        await self.inbox.append([msgspec.json.encode({
            "peer": authority_of(one["actor"]), "receivedUs": self.town.ground.clock(),
            **marks, "activity": one,
        }) for one in activities])

    async def apply(self) -> None:
        """Apply what was accepted."""
        position = self.town.ingest.position()
        if position < self.inbox.last_seq:
            await self.town.ingest.apply(self.inbox.read(position + 1))

    async def hear(self, *activities: Json) -> None:
        """Accept and apply."""
        await self.accept(*activities)
        await self.apply()

    async def tell(self, **fields: Any) -> None:
        """Append an activity to `outgoing`, as composing does."""
        await self.outgoing.append([encode(Outgoing(
            source=self.outgoing.last_seq + 1, part=1, sender=1, **fields))])

    async def close(self) -> None:
        await self.inbox.close()
        await self.outgoing.close()
