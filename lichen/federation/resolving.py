"""From an id or a handle to a row of ours: known, or fetched and stored.

    @anna@peer · !garden@peer ─▶ WebFinger ─▶ id ─┐
    https://peer/… ──────────────────────────────┴▶ rows? ─▶ fetch ─▶ author, community, what it
                                                             answers (up to 50 above) ─▶ one write

A community that is new here brings its moderators and recent posts, in the background. What could
not be found is not looked for again for ten minutes; what many ask for at once is fetched once.
"""

import asyncio
from collections import Counter, OrderedDict
from collections.abc import Callable, Iterable, Mapping
from functools import partial
from typing import TypeVar

import structlog

from lichen.accounts import Accounts, Actor, ActorKind, remote_did
from lichen.federation.actors import KINDS, actor_in
from lichen.federation.communities import Communities
from lichen.federation.fetching import Document, Documents
from lichen.federation.keys import KeyRing
from lichen.federation.limits import (
    ACTORS_AT_ONCE_MAX,
    ADDRESSEES_TRIED_MAX,
    MISSING_KEPT_MAX,
    MISSING_US_MAX,
    PARENTS_MAX,
    RECENT_ACTORS_MAX,
)
from lichen.federation.model import ActorDocument, authority_of
from lichen.federation.objects import Thing, thing_of
from lichen.federation.peers import Peers
from lichen.federation.remembering import Absences, Flights
from lichen.federation.storing import Written, origins_of, stage_actors, stage_thread
from lichen.federation.webfinger import Handle, fetch_ids, handle_in
from lichen.forum import Comment, Forum, Places, Post
from lichen.kit import Clock, Conflict, Refused, Unavailable
from lichen.store import Store, Unit
from lichen.web import Addresses

T = TypeVar("T")
Found = Post | Comment | Actor

_log = structlog.get_logger("lichen.federation")


class Resolver:
    """Finds what an id or a handle names, here or elsewhere."""

    def __init__(
        self, store: Store, *, accounts: Accounts, forum: Forum, documents: Documents,
        keys: KeyRing, peers: Peers, addresses: Addresses, clock: Clock,
    ) -> None:
        self.outcomes: Counter[str] = Counter()  # of what was found and not kept, by code
        self._store = store
        self._accounts = accounts
        self._forum = forum
        self._documents = documents
        self._keys = keys
        self._peers = peers
        self._addresses = addresses
        self.look: Callable[[Actor], None] = lambda _actor: None  # told of who is named
        self._absent = Absences(clock, age_us_max=MISSING_US_MAX, kept_max=MISSING_KEPT_MAX)
        self._actor_flights: Flights[ActorDocument | None] = Flights()
        self._thing_flights: Flights[Found | None] = Flights()
        self._recent: OrderedDict[str, ActorDocument] = OrderedDict()
        self._storing = asyncio.Lock()  # all look first what is known
        self.communities = Communities(store, documents, forum, self)

    async def find(self, text: str, *, asks: bool = True) -> Found | None:
        """Return what `@name@host`, `!name@host` or an address names, None for nothing.

        `asks` is whether others may be asked; else only what is here is found. Raises Unavailable
        where its server cannot be asked now.
        """
        handle = handle_in(text)
        if handle is None:
            ask = self.thing if asks else self.known
            return await ask(text) if authority_of(text) else None
        domain = handle.authority
        known = await self._store.read(lambda unit: self._accounts.actor_by_name(
            unit, handle.kind, handle.name, domain
        ))
        if known is not None:
            self.look(known)
        if known is not None or domain == self._addresses.authority or not asks:
            return known
        return await self._by_handle(handle)

    async def actors(self, ap_ids: Iterable[str]) -> dict[str, Actor]:
        """Return actors by id, fetched and stored where they are not known; others are missing.

        One read; with unknown ones their fetches, all at once, and one write.
        """
        wanted = list(dict.fromkeys(ap_ids))[:ACTORS_AT_ONCE_MAX]
        known = await self._store.read(
            lambda unit: self._accounts.actors_by_ap_id(unit, wanted)
        )
        missing = [one for one in wanted if one not in known and self._may_ask(one)]
        if not missing:
            return known
        fetched = await asyncio.gather(*(self._actor_document(one) for one in missing))
        asked = {one: found for one, found in zip(missing, fetched, strict=True) if found}
        stored = await self.keep_actors(list(asked.values()))
        return known | {one: stored[found.ap_id] for one, found in asked.items()
                        if found.ap_id in stored}

    async def thing(self, ap_id: str) -> Found | None:
        """Return what an id names, fetched and stored with what stands above it; None for nothing.

        Raises Unavailable where its server cannot be asked now.
        """
        known, is_known = await self._store.read(lambda unit: self._known(unit, ap_id))
        if isinstance(known, Actor):
            self.look(known)
        if is_known or not self._may_ask(ap_id):
            return known
        return await self._thing_flights.join(ap_id, partial(self._fetch_thing, ap_id))

    async def known(self, ap_id: str) -> Found | None:
        """Return what is stored and seen under an id; one read."""
        return (await self._store.read(lambda unit: self._known(unit, ap_id)))[0]

    async def keep_actors(self, documents: list[ActorDocument]) -> dict[str, Actor]:
        """Store actors that are not known yet, and return all of them by id; one write."""
        if not documents:
            return {}
        stored = await self._write(partial(self._stage_actors, documents=documents))
        for one in documents:
            self._peers.mention(authority_of(one.ap_id))
            if one.shared_inbox:
                self._peers.note_inbox(one.shared_inbox)
            actor = stored.get(one.ap_id)
            if actor is not None and actor.kind is ActorKind.COMMUNITY:
                self.communities.welcome(actor, one)
        return stored

    async def close(self) -> None:
        """End what is under way."""
        await self._actor_flights.close()
        await self._thing_flights.close()
        await self.communities.close()

    def _may_ask(self, ap_id: str) -> bool:
        authority = authority_of(ap_id)
        return (bool(authority) and not self._absent.has(ap_id)
                and self._peers.is_allowed(authority))

    async def _by_handle(self, handle: Handle) -> Actor | None:
        handle_text = f"{handle.kind.value} {handle.name}@{handle.authority}"
        if self._absent.has(handle_text) or not self._peers.is_allowed(handle.authority):
            return None
        try:
            ids = await fetch_ids(self._documents, self._addresses.scheme, handle)
        except Refused:
            ids = []
        found = await self.actors(ids)
        right = [actor for actor in found.values() if actor.kind is handle.kind]
        if not right:
            self._absent.note(handle_text)
            return None
        return right[0]

    async def _actor_document(self, ap_id: str) -> ActorDocument | None:
        return await self._actor_flights.join(ap_id, partial(self._fetch_actor, ap_id))

    async def _fetch_actor(self, ap_id: str) -> ActorDocument | None:
        """Return an actor's document, None where there is none or its server cannot be asked.

        What was fetched a moment ago is not fetched again: whoever asks may have looked at the rows
        just before it was stored.
        """
        if ap_id in self._recent:
            return self._recent[ap_id]
        try:
            found = actor_in(await self._documents.fetch(ap_id))
            self._recent[ap_id] = found
            if len(self._recent) > RECENT_ACTORS_MAX:
                self._recent.popitem(last=False)
            return found
        except Refused as refused:
            self._absent.note(ap_id)
            self.outcomes[refused.code] += 1
            _log.info("no_actor", peer=authority_of(ap_id), reason=refused.code)
        except Unavailable as error:
            _log.info("peer_unavailable", peer=authority_of(ap_id), reason=error.text)
        return None

    def _stage_actors(self, unit: Unit, documents: list[ActorDocument]) -> dict[str, Actor]:
        ours = self._addresses.authority
        origins = {remote_did(ours, one.ap_id): authority_of(one.ap_id)
                   for one in documents}
        with unit.coming_from(authority_of(documents[0].ap_id), origins=origins):
            return stage_actors(unit, documents, accounts=self._accounts, forum=self._forum)

    def _known(self, unit: Unit, ap_id: str) -> tuple[Found | None, bool]:
        """Return what is known under an id, and whether anything is; two round trips."""
        places = self._places(unit, ap_id)
        if ap_id in places.posts:
            posts = self._forum.post_views(unit, None, [places.posts[ap_id].id])
            return (posts[0].post if posts else None), True
        if ap_id in places.comments:
            comments = self._forum.comment_views(unit, None, [places.comments[ap_id].id])
            return (comments[0].comment if comments else None), True
        actor = self._accounts.actors_by_ap_id(unit, [ap_id]).get(ap_id)
        return actor, actor is not None

    def _places(self, unit: Unit, ap_id: str) -> Places:
        queries = self._forum.places_queries(unit, [ap_id], [])
        return self._forum.places_from(unit.fetch_all(*queries))[0]

    async def _fetch_thing(self, ap_id: str) -> Found | None:
        try:
            return await self._stored(await self._documents.fetch(ap_id), ap_id)
        except Refused as refused:
            self._absent.note(ap_id)
            self.outcomes[refused.code] += 1
            _log.info("nothing_found", peer=authority_of(ap_id), reason=refused.code)
            return None

    async def _stored(self, document: Document, asked: str) -> Found | None:
        if _is_actor(document):
            described = actor_in(document)
            return (await self.keep_actors([described])).get(described.ap_id)
        thing = thing_of(document)
        if thing.ap_id != asked:
            # It was asked for by its page's address.
            known, is_known = await self._store.read(lambda unit: self._known(unit, thing.ap_id))
            if is_known:
                return known
        return await self.store_thing(thing)

    async def store_thing(self, thing: Thing) -> Found | None:
        """Store a thing that its own server served, with what stands above it, and return it as
        everybody may see it: None where it is held back. Raises Refused, Unavailable.
        """
        chain = [thing]
        while chain[-1].replies_to:
            above = chain[-1].replies_to
            places = await self._store.read(partial(self._places, ap_id=above))
            if above in places.posts or above in places.comments:
                break
            if len(chain) > PARENTS_MAX or any(one.ap_id == above for one in chain):
                raise Refused("too_deep", f"At most {PARENTS_MAX} answers above are fetched.")
            if not self._may_ask(above):
                raise Refused("not_there", "What this answers cannot be asked for.")
            chain.append(thing_of(await self._documents.fetch(above)))
        chain.reverse()
        people = await self.actors(_named_in(chain))
        written = [Written(one, _author(one, people)) for one in chain]
        community = None if chain[0].replies_to else _community(chain[0], people)
        authority = authority_of(thing.ap_id)

        def write(unit: Unit) -> None:
            with unit.coming_from(authority, origins=origins_of(people)):
                stage_thread(unit, written, community=community, forum=self._forum)

        await self._write(write)
        return await self.known(thing.ap_id)

    async def _write(self, command: Callable[[Unit], T]) -> T:
        """Run a command that stores what is not known yet: one at a time, for all look before."""
        async with self._storing:
            try:
                return await self._store.write(command)
            except Refused as refused:
                if refused.status != Conflict.status:
                    raise
                # The inbox's reader stored some of it in between; now it is known.
                return await self._store.write(command)


def _is_actor(document: Document) -> bool:
    kinds = document.get("type")
    return any(one in KINDS for one in (kinds if isinstance(kinds, list) else [kinds])
               if isinstance(one, str))


def _named_in(chain: list[Thing]) -> list[str]:
    """Return whom a thread names: its authors, and who may be the community of its post."""
    authors = [author for one in chain for author in one.authors[:2]]
    return [*authors, *([] if chain[0].replies_to else chain[0].addressees[:ADDRESSEES_TRIED_MAX])]


def _author(thing: Thing, people: Mapping[str, Actor]) -> Actor:
    """Return who wrote a thing: a person of the server that served it."""
    if not thing.is_public:
        raise Refused("not_there", "This is a private message.")
    for author in thing.authors:
        actor = people.get(author)
        if actor is not None and actor.kind is not ActorKind.COMMUNITY:
            if authority_of(actor.ap_id) != authority_of(thing.ap_id):
                raise Refused("wrong_host", "A thing and its author are on one server.")
            return actor
    raise Refused("not_there", "Nobody is known who wrote this.")


def _community(thing: Thing, people: Mapping[str, Actor]) -> Actor:
    """Return the community that a post is in: the first that it names."""
    for addressee in thing.addressees:
        actor = people.get(addressee)
        if actor is not None and actor.kind is ActorKind.COMMUNITY:
            return actor
    raise Refused("no_community", "This post is in no community.")
