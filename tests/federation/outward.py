"""A house that speaks to others: forum, messages, moderation, and what it composes.

`far` and `near` are other servers; people of theirs are rows here, as ingest makes them. What is
composed goes to a real log; nothing is sent.
"""

import json
from collections.abc import AsyncIterator, Iterable
from contextlib import suppress
from pathlib import Path
from typing import Any

import msgspec
import pytest

from lichen.accounts import Accounts, Actor, ActorDraft, ActorKind, Keys, Viewer
from lichen.events import Event, encode_event
from lichen.federation.composing import Composing, Followers
from lichen.federation.model import Peer, Style
from lichen.federation.outgoing import Outgoing, Shelf
from lichen.federation.scenes import Rooms
from lichen.forum import CommunityView, Following, NewCommunity
from lichen.kit import Unavailable
from lichen.kit.ground import Ground
from lichen.log import SegmentLog
from lichen.messages import Messages
from lichen.messages.room import build as build_messages
from lichen.moderation import Moderation
from lichen.moderation.room import build as build_moderation
from lichen.web import Addresses
from tests.forum.conftest import House, ground, house, mira, otto, post, stones
from tests.notifications.conftest import batch_of

__all__ = ["ground", "house", "mira", "otto", "outward", "post", "stones"]

HERE = "https://lichen.example"


class Book:
    """Peers as a test wants them; each is made at its first mention."""

    def __init__(self) -> None:
        self.known: dict[str, Peer] = {}
        self.blocked: set[str] = set()
        self.failures: list[tuple[str, str]] = []
        self.cursors: dict[str, int] = {}
        self.away: list[str] = []  # whose row cannot be read, once

    async def peer(self, authority: str) -> Peer:
        if authority in self.away:
            self.away.remove(authority)
            raise Unavailable("The database is away.")
        return self.known.setdefault(authority, Peer(authority))

    def is_allowed(self, authority: str) -> bool:
        return authority not in self.blocked

    def note_success(self, authority: str, *, cursor: int) -> None:
        self.cursors[authority] = cursor

    def prefer(self, authority: str, style: Style) -> None:
        known = self.known.get(authority, Peer(authority))
        self.known[authority] = msgspec.structs.replace(known, style=style)

    def note_failure(self, authority: str, error: str, *, retry_at_us: int) -> None:
        self.failures.append((authority, error))


class Outward:
    """What a house tells others, as it is composed."""

    def __init__(self, house: House, ground: Ground, folder: Path) -> None:
        self.house = house
        self.ground = ground
        self.addresses = Addresses(ground.config.public_url)
        self.folder = folder
        self.book = Book()
        self.follow_ids: dict[tuple[int, int], str] = {}
        self.messages: Messages = build_messages(
            ground, accounts=house.accounts, addresses=self.addresses
        )
        self.moderation: Moderation = build_moderation(
            ground, forum=house.forum, accounts=house.accounts, addresses=self.addresses
        )
        self.inbox = SegmentLog.open(folder / "inbox", clock=ground.clock)
        self.log = SegmentLog.open(folder / "outgoing", clock=ground.clock)
        self.followers = Followers()
        self.composing = self.composer()
        self._seen = 0
        house.accounts._make_keys = lambda: Keys(public="PUBLIC", private="PRIVATE")

    def composer(self, position: int = 0) -> Composing:
        """Return a reader over the same logs, as after a start."""
        return Composing(
            self.house.store, self.log, self.inbox,
            rooms=Rooms(self.house.accounts, self.house.forum, self.messages, self.moderation,
                        lambda _unit, pairs: {
                            pair: self.follow_ids[pair] for pair in pairs
                            if pair in self.follow_ids}),
            peers=self.book, followers=self.followers, addresses=self.addresses,
            position=position,
        )

    async def told(self) -> list[Outgoing]:
        """Compose everything that was committed; return what is new in the log."""
        tail = self.house.events[self.composing.position():]
        if tail:
            first_seq = self.composing.position() + 1
            await self.composing.apply(batch_of(tail, first_seq=first_seq))
        shelf, found = Shelf(self.log), []
        while self._seen < self.log.last_seq:
            entries, next_seq = shelf.entries(self._seen + 1)
            found += [entry.record for entry in entries]
            self._seen = next_seq - 1
        return found

    async def activities(self) -> list[dict[str, Any]]:
        """Return what is new, as JSON."""
        return [json.loads(bytes(record.activity)) for record in await self.told()]

    async def write(self, room: Any, verb: str, /, *arguments: Any, **named: Any) -> Any:
        """Run a command of a room."""
        command = getattr(room, verb)
        return await self.house.store.write(lambda unit: command(unit, *arguments, **named))

    async def remote(
        self, name: str, authority: str = "far.example", kind: ActorKind = ActorKind.PERSON
    ) -> Actor:
        """Return a person of another server, known here."""
        letter = "u" if kind is ActorKind.PERSON else "c"
        ap_id = f"https://{authority}/{letter}/{name}"
        draft = ActorDraft(
            kind=kind, name=name, domain=authority, ap_id=ap_id, inbox=f"{ap_id}/inbox"
        )
        accounts: Accounts = self.house.accounts
        (actor,) = await self.house.store.write(lambda unit: accounts.create_actors(unit, [draft]))
        return actor

    async def remote_community(self, name: str = "moss", authority: str = "far.example") -> Any:
        """Return a community of another server, known here."""
        ap_id = f"https://{authority}/c/{name}"
        draft = ActorDraft(kind=ActorKind.COMMUNITY, name=name, domain=authority, ap_id=ap_id,
                           inbox=f"{ap_id}/inbox")
        (community,) = await self.house.write("create_communities", [NewCommunity(actor=draft)])
        return community

    async def followed(
        self, community: CommunityView, authorities: Iterable[str] = ("far.example",)
    ) -> None:
        """Let somebody of each server follow a community; forget what that told."""
        for authority in authorities:
            fan = await self.remote(f"fan{len(self.house.events)}", authority)
            await self.house.write(
                "follow_communities", [Following(fan.id, community.community.id)]
            )
        self.come_from({"lichen.forum.subscription": "far.example"})
        await self.told()

    def come_from(self, origins: dict[str, str]) -> None:
        """Say of the latest events where they came from, by collection."""
        from msgspec.structs import replace

        position = self.composing.position()
        self.house.events[position:] = [
            replace(event, origin=origins.get(event.collection, event.origin))
            for event in self.house.events[position:]
        ]

    async def promoted(self, viewer: Viewer) -> Viewer:
        """Make somebody an administrator and return its viewer as it is then."""
        accounts = self.house.accounts
        await self.house.store.write(
            lambda unit: accounts.promote(unit, None, viewer.id, admin=True)
        )
        return await self.house.viewer_again(viewer.actor.name)

    async def close(self) -> None:
        """Close the logs."""
        with suppress(Exception):
            await self.log.close()
        await self.inbox.close()


def lines(events: list[Event]) -> bytes:
    """Return events as the log has them."""
    return b"\n".join(map(encode_event, events))


@pytest.fixture
async def outward(house: House, ground: Ground, tmp_path: Path) -> AsyncIterator[Outward]:
    built = Outward(house, ground, tmp_path)
    yield built
    await built.close()
