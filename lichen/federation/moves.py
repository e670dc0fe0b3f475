"""Moves of people between servers, out and in; nobody is moved on one side's word.

    told (Move by the person itself) ─► a row ─► both documents, fetched fresh:
        the old one says movedTo, the new one says alsoKnownAs ─► kept, with what goes along

ActivityPub §7 leaves Move open; this is what Mastodon does. What is against a person goes with it:
bans from the site and from communities, blocks, moderators' notes. Seats of moderators do not, and
what was written stays where it was written.
"""

import asyncio

import structlog

from lichen.accounts import Accounts, Actor, ActorKind, Viewer
from lichen.federation.actors import actor_in
from lichen.federation.fetching import Documents
from lichen.federation.limits import (
    MOVE_LOOK_S,
    MOVES_AT_ONCE_MAX,
    PARKED_RETRY_US_MIN,
    PARKED_TRIES_MAX,
)
from lichen.federation.looking import keep_looking
from lichen.federation.model import authority_of
from lichen.federation.move_rows import DROP_MOVE, DUE_MOVES, LATER_MOVE
from lichen.federation.resolving import Resolver
from lichen.forum import Forum
from lichen.kit import NotFound, Refused, Unavailable
from lichen.moderation import Moderation
from lichen.store import Row, Store, Unit
from lichen.web import Addresses

_log = structlog.get_logger("lichen.federation")


class Moves:
    """Verifies moves that were told, and moves people of ours out."""

    def __init__(
        self, store: Store, accounts: Accounts, forum: Forum, moderation: Moderation, *,
        documents: Documents, resolver: Resolver, addresses: Addresses,
    ) -> None:
        self._store = store
        self._accounts = accounts
        self._forum = forum
        self._moderation = moderation
        self._documents = documents
        self._resolver = resolver
        self._addresses = addresses
        self._wake = asyncio.Event()
        self.outcomes: dict[str, int] = {}

    def wake(self) -> None:
        """Look at once: a move was told."""
        self._wake.set()

    async def run(self) -> None:
        """Verify for ever what is told; a failing database is waited for."""
        await keep_looking(self.look, self._wake, every_s=MOVE_LOOK_S, what="moves")

    async def look(self) -> bool:
        """Verify what is due now; say whether there was anything."""
        due = await self._store.read(lambda unit: unit.fetch(
            DUE_MOVES, now_us=unit.clock_us, limit=MOVES_AT_ONCE_MAX
        ), apart=True)
        for row in due:
            await self._settle(row)
        return bool(due)

    async def out(self, viewer: Viewer, target: Actor) -> None:
        """Move an account of ours to an account elsewhere that says to be it too.

        Whoever calls has seen that the owner is present. Refuses by `not_claimed`; raises
        Unavailable where the other server cannot be asked now.
        """
        if target.local:
            raise Refused("local_person", "Moving is to another server.")
        fresh = await self._claiming(target.ap_id, viewer.actor.ap_id)
        await self._store.write(lambda unit: self._keep(unit, viewer.actor, fresh))

    async def _settle(self, row: Row) -> None:
        """Keep one move that was told, drop it, or look again later."""
        try:
            outcome = await self._verified(row)
        except Refused as refused:
            outcome = refused.code
        except Unavailable:
            if row.tries + 1 < PARKED_TRIES_MAX:
                await self._later(row)
                return
            outcome = "unresolved"
        self.outcomes[outcome] = self.outcomes.get(outcome, 0) + 1
        await self._store.write(lambda unit: unit.stage(
            DROP_MOVE, {"wanted_of": row.person_id, "at": row.target}
        ), apart=True)
        _log.info("move_settled", outcome=outcome)

    async def _verified(self, row: Row) -> str:
        found = await self._store.read(
            lambda unit: self._accounts.actors(unit, [row.person_id])
        )
        person = found[row.person_id]
        if person.deleted:
            raise NotFound("deleted", "Who moved is gone.")
        said = actor_in(await self._documents.fetch(person.ap_id))
        if said.moved_to != row.target:
            raise Refused("not_moved", "The old account does not say that it moved there.")
        target = await self._claiming(row.target, person.ap_id)

        def command(unit: Unit) -> None:
            with unit.coming_from(person.domain):
                # A person that moves on has come back from where it had been before.
                self._accounts.end_move(unit, target)
                self._keep(unit, person, target)

        await self._store.write(command)
        if target.local:
            self._resolver.communities.earlier(person)
        return "moved"

    async def _claiming(self, ap_id: str, old_id: str) -> Actor:
        """Return the actor of an id that says, right now, to be the old one too."""
        if authority_of(ap_id) == self._addresses.authority:
            return await self._claiming_here(ap_id, old_id)
        said = actor_in(await self._documents.fetch(ap_id))
        if said.ap_id != ap_id or said.draft.kind is not ActorKind.PERSON:
            raise Refused("not_a_person", "One moves to a person's account.")
        if old_id not in said.also_known_as:
            raise Refused("not_claimed", "The other account does not say that it is this one too: "
                                         "set its alias there first.")
        if said.moved_to:
            raise Refused("moved_on", "That account has moved away itself.")
        kept = await self._resolver.keep_actors([said])
        return kept[said.ap_id]

    async def _claiming_here(self, ap_id: str, old_id: str) -> Actor:
        def query(unit: Unit) -> Actor:
            found = self._accounts.actors_by_ap_id(unit, [ap_id]).get(ap_id)
            if found is None or found.kind is not ActorKind.PERSON or found.deleted:
                raise NotFound("couldnt_find_person", "Nobody here is called so.")
            known = self._accounts.known_as(unit, [found.id])[found.id]
            if old_id not in known.also_known_as:
                raise Refused("not_claimed", "The account here does not say that it is that one.")
            if known.moved_to:
                raise Refused("moved_on", "That account has moved away itself.")
            return found

        return await self._store.read(query)

    def _keep(self, unit: Unit, person: Actor, target: Actor) -> None:
        self._accounts.keep_move(unit, person, target)
        self._forum.carry_bans(unit, person.id, target)
        self._moderation.carry_remarks(unit, person.id, target)

    async def _later(self, row: Row) -> None:
        wait_us = PARKED_RETRY_US_MIN * 4 ** row.tries
        await self._store.write(lambda unit: unit.stage(LATER_MOVE, {
            "wanted_of": row.person_id, "at": row.target, "new_tries": row.tries + 1,
            "new_retry_us": unit.clock_us + wait_us,
        }), apart=True)
