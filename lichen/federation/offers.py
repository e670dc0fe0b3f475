"""Offers: what other servers say of successors, examined before anybody here is asked.

    Offer{a Group elsewhere, origin: the old one} ─┐
    Move{a Group, target: another} ────────────────┴─► a row ─► has the old one ended? ─► documents,
                                                         │  no: again in hours, for weeks   fetched
         whoever follows the old one here is asked once ◄┴───────────────────────────────── fresh

An offer is a claim of one side: it counts while the old community has ended by our own measurement
or our administrator's word, and where the successor's own document names the old one
(`wasDerivedFrom`). A move is what both documents say (`movedTo`, `alsoKnownAs`), as for people.
Nothing said here moves a post, a follow or a name.
"""

import asyncio
from collections import Counter

import structlog

from lichen.accounts import Accounts, Actor, ActorKind, Viewer
from lichen.events import accounts as records
from lichen.events import collection_of, deletion_of, event_of
from lichen.events.accounts import SELF
from lichen.federation import successor_rows as rows
from lichen.federation.actors import actor_in
from lichen.federation.fetching import Documents
from lichen.federation.limits import (
    ALIASES_OF_COMMUNITY_MAX,
    OFFER_AGAIN_US,
    OFFER_LOOK_S,
    OFFER_SETTLED_US_MAX,
    OFFER_WAITS_US_MAX,
    OFFERS_AT_ONCE_MAX,
    OFFERS_KEPT_MAX,
    OFFERS_OF_PEER_A_DAY_MAX,
    PARKED_RETRY_US_MIN,
    PARKED_TRIES_MAX,
)
from lichen.federation.looking import keep_looking
from lichen.federation.model import ActorDocument, authority_of
from lichen.federation.resolving import Resolver
from lichen.federation.succession import Ending, Proof
from lichen.federation.successors import Successors, lineages_of, stage_alive
from lichen.forum import Community, CommunityDraft, Forum
from lichen.kit import Forbidden, NotFound, Refused, TidGenerator, TooMany, Unavailable, isoformat
from lichen.store import Row, Store, Unit
from lichen.web import Addresses

_DAY_US = 86_400_000_000
_MOVE = collection_of(records.Move)

_log = structlog.get_logger("lichen.federation")


def hear(unit: Unit, *, community_id: int, target: str, proof: Proof, peer: str) -> None:
    """Keep what a peer says of a successor until it was examined; twice is once. One round trip.

    Refuses more than one peer may say in a day, and more than are kept.
    """
    counted = unit.fetch(rows.HEARD_SINCE, peer=peer, since_us=unit.clock_us - _DAY_US)[0]
    if counted.of_peer >= OFFERS_OF_PEER_A_DAY_MAX or counted.kept >= OFFERS_KEPT_MAX:
        raise TooMany("too_many_offers", "Enough was said of successors for today.")
    unit.stage(rows.FORGET_HEARD, {"before_us": unit.clock_us - OFFER_SETTLED_US_MAX})
    unit.stage(rows.KEEP_HEARD, {
        "community_id": community_id, "target": target, "proof": proof, "peer": peer,
        "at_us": unit.clock_us, "tries": 0, "retry_us": 0, "outcome": "",
    })


class Offers:
    """Examines what was heard of successors, and moves communities of ours out and in."""

    def __init__(
        self, store: Store, accounts: Accounts, forum: Forum, successors: Successors, *,
        documents: Documents, resolver: Resolver, addresses: Addresses, tids: TidGenerator,
    ) -> None:
        self.outcomes: Counter[str] = Counter()
        self._store = store
        self._accounts = accounts
        self._forum = forum
        self._successors = successors
        self._documents = documents
        self._resolver = resolver
        self._addresses = addresses
        self._tids = tids
        self._wake = asyncio.Event()

    def wake(self) -> None:
        """Look at once: something was heard."""
        self._wake.set()

    async def run(self) -> None:
        """Examine for ever what is heard; a failing database is waited for."""
        await keep_looking(self.look, self._wake, every_s=OFFER_LOOK_S, what="offers")

    async def look(self) -> bool:
        """Examine what is due now; say whether there was anything."""
        due = await self._store.read(lambda unit: unit.fetch(
            rows.DUE_OFFERS, now_us=unit.clock_us, limit=OFFERS_AT_ONCE_MAX
        ), apart=True)
        for row in due:
            await self._settle(row)
        return bool(due)

    async def claim(
        self, viewer: Viewer, community_id: int, text: str, *, claimed: bool = True
    ) -> None:
        """Say that a community of ours is one elsewhere too, or no longer: so that it may move in.

        `text` is `!name@host` or an id. It proves nothing by itself.
        """
        ap_id = (await self._named(text)).ap_id if claimed else text.strip()

        def command(unit: Unit) -> None:
            ours = self._governed(unit, viewer, community_id)
            known = unit.fetch(rows.ALIASES, ids=[ours.id])
            if claimed and len(known) >= ALIASES_OF_COMMUNITY_MAX:
                raise Refused("too_many_items",
                              f"At most {ALIASES_OF_COMMUNITY_MAX} other names, please.")
            row = {"community_id": ours.id}
            if claimed:
                unit.stage(rows.KEEP_ALIAS, {**row, "ap_id": ap_id, "at_us": unit.clock_us})
            else:
                unit.stage(rows.DROP_ALIAS, {**row, "no_longer": ap_id})

        await self._store.write(command)

    async def move_out(self, viewer: Viewer, community_id: int, text: str) -> Actor:
        """Move a community of ours to one elsewhere that says to be it too, and return that.

        What was written stays; who follows it is asked, here and elsewhere. Refuses by
        `not_claimed`; raises Unavailable where the other server cannot be asked now.
        """
        target = await self._named(text)
        ours = await self._store.read(lambda unit: self._governed(unit, viewer, community_id))
        said = await self._claiming(target.ap_id, ours.actor.ap_id)

        def command(unit: Unit) -> None:
            old = self._governed(unit, viewer, community_id).actor
            if lineages_of(unit, self._accounts, [old.id])[old.id].moved_to:
                raise Refused("moved_on", "This community has moved already.")
            self._successors.take(unit, old, said, Proof.MOVED, founder_id=viewer.id)
            unit.emit(event_of(
                records.Move(target=said.ap_id, created_at=isoformat(unit.clock_us)),
                id=self._tids.next(), did=old.did, operation="create", rkey=SELF, row=old.id,
            ))

        await self._store.write(command)
        return said

    async def move_back(self, viewer: Viewer, community_id: int) -> None:
        """Take back that a community of ours moved; its document, told anew, says so."""
        def command(unit: Unit) -> None:
            ours = self._governed(unit, viewer, community_id)
            if not lineages_of(unit, self._accounts, [ours.id])[ours.id].moved_to:
                raise NotFound("couldnt_find_object", "This community has not moved.")
            stage_alive(unit, ours.id)
            unit.emit(deletion_of(
                _MOVE, id=self._tids.next(), did=ours.actor.did, rkey=SELF, row=ours.id
            ))
            self._forum.edit_community(unit, viewer, ours.id, CommunityDraft())

        await self._store.write(command)

    def aliases(self, unit: Unit, community_id: int) -> tuple[str, ...]:
        """Return the ids of what a community of ours says to be too; one round trip."""
        return tuple(row.ap_id for row in unit.fetch(rows.ALIASES, ids=[community_id]))

    def _governed(self, unit: Unit, viewer: Viewer, community_id: int) -> Community:
        """Return a community of ours that the viewer moderates, as an administrator.

        Both: it speaks with the community's key, and to every server.
        """
        view = self._forum.community(unit, viewer, id=community_id)
        if not view.community.actor.local:
            raise Refused("community_is_elsewhere", "Only its own server moves a community.")
        if not viewer.admin or not view.moderates or viewer.actor.banned:
            raise Forbidden("not_a_moderator", "A community is moved by an administrator who "
                                               "moderates it.")
        return view.community

    async def _named(self, text: str) -> Actor:
        found = await self._resolver.find(text.strip())
        if not isinstance(found, Actor) or found.kind is not ActorKind.COMMUNITY:
            raise NotFound("couldnt_find_community", "No community was found there; write "
                                                     "!name@host, as its server shows it.")
        if found.local:
            raise Refused("community_is_local", "Moving is to another server.")
        return found

    async def _settle(self, row: Row) -> None:
        """Examine one thing that was heard: keep it, drop it, or look again later."""
        try:
            outcome = await self._examined(row)
        except Refused as refused:
            outcome = refused.code
        except Unavailable:
            if row.tries + 1 < PARKED_TRIES_MAX:
                await self._note(row, tries=row.tries + 1,
                                 wait_us=PARKED_RETRY_US_MIN * 4 ** row.tries)
                return
            outcome = "unresolved"
        if not outcome:
            await self._note(row, tries=0, wait_us=OFFER_AGAIN_US)
            return
        self.outcomes[outcome] += 1
        await self._note(row, outcome=outcome, tries=row.tries)
        _log.info("offer_settled", peer=row.peer, outcome=outcome)

    async def _examined(self, row: Row) -> str:
        """Return what became of what was heard, "" where it waits for the old one's end."""
        old, ending = await self._store.read(lambda unit: self._old(unit, row))
        if row.proof == Proof.MOVED:
            left = await self._group(old.ap_id)
            if left.moved_to != row.target:
                raise Refused("not_moved", "The old community does not say that it moved there.")
            successor, proof = await self._claiming(row.target, old.ap_id), Proof.MOVED
        elif ending is None:
            self._resolver.look(old)  # so that a 410 is seen, which is an end too
            late_us = self._store.clock() - row.at_us
            return "community_not_gone" if late_us >= OFFER_WAITS_US_MAX else ""
        else:
            successor, proof = await self._derived(row.target, old.ap_id), Proof.OFFERED
        await self._store.write(
            lambda unit: self._successors.take(unit, old, successor, proof)
        )
        return proof.value

    def _old(self, unit: Unit, row: Row) -> tuple[Actor, Ending | None]:
        old = self._accounts.actors(unit, [row.community_id]).get(row.community_id)
        if old is None or old.deleted:
            raise NotFound("couldnt_find_community", "The old community is not kept here.")
        return old, self._successors.ending(unit, old)

    async def _group(self, ap_id: str) -> ActorDocument:
        """Return what a community elsewhere says of itself right now."""
        said = actor_in(await self._documents.fetch(ap_id))
        if said.ap_id != ap_id or said.draft.kind is not ActorKind.COMMUNITY:
            raise Refused("not_a_community", "Only a community continues a community.")
        return said

    async def _derived(self, ap_id: str, old_id: str) -> Actor:
        said = await self._group(ap_id)
        if said.derived_from != old_id:
            raise Refused("not_derived", "Its document does not say that it continues that one.")
        if said.moved_to:
            raise Refused("moved_on", "That community has moved away itself.")
        return (await self._resolver.keep_actors([said]))[said.ap_id]

    async def _claiming(self, ap_id: str, old_id: str) -> Actor:
        """Return the community of an id that says, right now, to be the old one too."""
        if authority_of(ap_id) == self._addresses.authority:
            return await self._store.read(lambda unit: self._claiming_here(unit, ap_id, old_id))
        said = await self._group(ap_id)
        _check_claim(said.also_known_as, said.moved_to, old_id)
        return (await self._resolver.keep_actors([said]))[said.ap_id]

    def _claiming_here(self, unit: Unit, ap_id: str, old_id: str) -> Actor:
        found = self._accounts.actors_by_ap_id(unit, [ap_id]).get(ap_id)
        if found is None or found.deleted or found.kind is not ActorKind.COMMUNITY:
            raise NotFound("couldnt_find_community", "There is no such community here.")
        said = lineages_of(unit, self._accounts, [found.id])[found.id]
        _check_claim(said.also_known_as, said.moved_to, old_id)
        return found

    async def _note(
        self, row: Row, *, tries: int, wait_us: int = 0, outcome: str = ""
    ) -> None:
        await self._store.write(lambda unit: unit.stage(rows.SETTLE_HEARD, {
            "heard_of": row.community_id, "heard_target": row.target, "new_outcome": outcome,
            "new_tries": tries, "new_retry_us": unit.clock_us + wait_us,
        }), apart=True)


def _check_claim(also_known_as: tuple[str, ...], moved_to: str, old_id: str) -> None:
    if old_id not in also_known_as:
        raise Refused("not_claimed", "The other community does not say that it is this one too: "
                                     "set its alias there first.")
    if moved_to:
        raise Refused("moved_on", "That community has moved away itself.")
