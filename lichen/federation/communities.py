"""Communities that are new here: their moderators, their recent posts, what they pin.

Fetched in the background, once, after the community itself was stored; whoever asked for it does
not wait. What cannot be had is left out: later activities bring the rest.
"""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Iterable
from functools import partial
from typing import Any, Protocol

import structlog

from lichen.accounts import Actor, ActorKind
from lichen.federation.activities import kind_of
from lichen.federation.actors import actor_in, address_of
from lichen.federation.fetching import Documents
from lichen.federation.limits import (
    COLLECTION_PAGES_MAX,
    EARLIER_MAX,
    EARLIER_S_MAX,
    MODERATORS_MAX,
    RECENT_POSTS_MAX,
)
from lichen.federation.model import ActorDocument, authority_of
from lichen.federation.objects import THING_TYPES, Thing, thing_of
from lichen.federation.paging import pages_of
from lichen.federation.remembering import Flights
from lichen.forum import Comment, Forum, Post
from lichen.kit import Refused, Unavailable
from lichen.store import Store, Unit

_WRAPPERS = ("Announce", "Create", "Update", "Add")
_WRAPPED_MAX = 3  # levels of activities around a post in an outbox: Announce{Create{Page}}

_log = structlog.get_logger("lichen.federation")


class Finder(Protocol):
    """Who finds and stores what a community names; the resolver."""

    async def known(self, ap_id: str) -> Post | Comment | Actor | None:
        """Return what is stored and seen under an id."""

    async def actors(self, ap_ids: Iterable[str]) -> dict[str, Actor]:
        """Return actors by id, fetched where they are not known."""

    async def store_thing(self, thing: Thing) -> Post | Comment | Actor | None:
        """Store a thing that its own server served; raises Refused."""


class Communities:
    """Brings what stands around a new community; owns the tasks that do."""

    def __init__(
        self, store: Store, documents: Documents, forum: Forum, finder: Finder
    ) -> None:
        self.outcomes: Counter[str] = Counter()  # of what was not brought, by code
        self._store = store
        self._documents = documents
        self._forum = forum
        self._finder = finder
        self._flights: Flights[None] = Flights()
        self._welcomed: set[int] = set()

    def welcome(self, community: Actor, document: ActorDocument) -> None:
        """Begin to bring what stands around a community, unless that was begun before."""
        if community.id not in self._welcomed and not community.local:
            self._welcomed.add(community.id)
            self._flights.start(community.ap_id, partial(self._bring, community, document))

    def earlier(self, person: Actor) -> None:
        """Begin to bring what a person elsewhere wrote last, posts and comments, from its own
        public outbox; a comment brings what stands above it.
        """
        self._flights.start(person.ap_id, partial(self._bring_person, person))

    async def settled(self) -> None:
        """Wait until nothing is being brought any more."""
        await self._flights.settled()

    async def close(self) -> None:
        """End what is being brought."""
        await self._flights.close()

    async def _bring(self, community: Actor, document: ActorDocument) -> None:
        await self._bring_moderators(community, document.moderators)
        things: list[Thing] = []
        for address in (document.outbox, document.featured):
            try:
                things += [one async for one in self._things_in(address)] if address else []
            except (Refused, Unavailable) as error:
                self._count(error)
                _log.info("nothing_brought", peer=community.domain, reason=str(error))
        await self._keep(community.domain, things, most=RECENT_POSTS_MAX)

    async def _bring_person(self, person: Actor) -> None:
        try:
            async with asyncio.timeout(EARLIER_S_MAX):
                outbox = actor_in(await self._documents.fetch(person.ap_id)).outbox
                things = [one async for one in self._things_in(
                    outbox, most=EARLIER_MAX, has_comments=True
                ) if person.ap_id in one.authors] if outbox else []
                await self._keep(person.domain, things, most=EARLIER_MAX)
        except TimeoutError:
            self.outcomes["earlier_cut"] += 1
        except (Refused, Unavailable) as error:
            _log.info("nothing_brought", peer=person.domain, reason=str(error))

    async def _keep(self, peer: str, things: list[Thing], *, most: int) -> None:
        """Store what is not known yet, the oldest of the newest first."""
        for thing in sorted(things, key=lambda one: one.published_us or 0)[-most:]:
            try:
                if await self._finder.known(thing.ap_id) is None:
                    await self._finder.store_thing(thing)
            except (Refused, Unavailable) as error:
                self._count(error)
                _log.info("post_not_brought", peer=peer, reason=str(error))

    def _count(self, error: Refused | Unavailable) -> None:
        self.outcomes[error.code if isinstance(error, Refused) else "unavailable"] += 1

    async def _bring_moderators(self, community: Actor, address: str) -> None:
        try:
            named = [one async for one in self._items(address)] if address else []
        except (Refused, Unavailable) as error:
            self._count(error)
            _log.info("nothing_brought", peer=community.domain, reason=str(error))
            return
        ids = [found for one in named[:MODERATORS_MAX] if (found := address_of(one))]
        people = await self._finder.actors(ids)
        persons = [people[one].id for one in ids
                   if one in people and people[one].kind is ActorKind.PERSON]

        def write(unit: Unit) -> None:
            with unit.coming_from(community.domain):
                self._forum.seat_moderators(unit, community.id, persons)

        if persons:
            await self._store.write(write)

    async def _things_in(
        self, address: str, *, most: int = RECENT_POSTS_MAX, has_comments: bool = False
    ) -> AsyncIterator[Thing]:
        """Yield the posts in a collection, or comments too, the newest first, whatever is wrapped
        around them.
        """
        count = 0
        async for item in self._items(address):
            if count >= most:
                return
            try:
                thing = await self._thing(item, authority_of(address))
            except (Refused, Unavailable) as error:
                self._count(error)
                continue
            if thing is not None and (has_comments or not thing.replies_to):
                count += 1
                yield thing

    async def _thing(self, item: Any, authority: str) -> Thing | None:
        for _ in range(_WRAPPED_MAX):
            if isinstance(item, dict) and kind_of(item) in _WRAPPERS:
                item = item.get("object")
        if isinstance(item, dict) and kind_of(item) in THING_TYPES:
            thing = thing_of(item)
            # What another server wrote is believed from that server alone.
            if {authority_of(thing.ap_id), *map(authority_of, thing.authors)} == {authority}:
                return thing
        address = address_of(item)
        if not address or await self._finder.known(address) is not None:
            return None
        return thing_of(await self._documents.fetch(address))

    async def _items(self, address: str) -> AsyncIterator[Any]:
        """Yield what a collection holds: its own items, else those of its first pages."""
        async for page in pages_of(
            self._documents, address, pages_max=COLLECTION_PAGES_MAX, cut=self._note_cut
        ):
            for item in page:
                yield item

    def _note_cut(self) -> None:
        self.outcomes["collection_cut"] += 1
