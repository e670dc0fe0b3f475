"""Actors of others, looked at and not asked about for a day: asked anew, beside whoever looks.

    looked at ─▶ memory: due? ─▶ a turn free? ─▶ row: a day old? ─▶ fetch ─▶ row, as an Update does
                    no, nearly always              no ─┐    └─ fails: an hour, two, four … a day
                    └──────────────◀──────────────────┘

Changes come as activities; this brings those that never came. Whoever looks waits for nothing and
costs no statement: what is due is known in memory, and asked at most a few at a time. A person that
is gone says so itself, by a Delete: a server that answers 410 may only be broken. Of a community it
is noted (`succession` says when it counts); a document that is served again ends that.
"""

from collections import OrderedDict
from functools import partial

import structlog

from lichen.accounts import Accounts, Actor, ActorKind
from lichen.federation import peer_rows, successor_rows
from lichen.federation.actors import actor_in, community_draft
from lichen.federation.fetching import Documents, Gone
from lichen.federation.limits import (
    ACTOR_AGE_US_MAX,
    RENEWED_AGAIN_US_MIN,
    RENEWED_KEPT_MAX,
    RENEWING_AT_ONCE_MAX,
)
from lichen.federation.model import ActorDocument, authority_of
from lichen.federation.peers import Peers
from lichen.federation.remembering import Flights
from lichen.federation.succession import Way
from lichen.federation.successors import stage_alive
from lichen.forum import Forum
from lichen.kit import Clock, Refused, Unavailable
from lichen.store import Store, Unit

_log = structlog.get_logger("lichen.federation")


class Renewing:
    """Asks for actors of others anew; owns the tasks that do."""

    def __init__(
        self, store: Store, *, accounts: Accounts, forum: Forum, documents: Documents,
        peers: Peers, clock: Clock,
    ) -> None:
        self._store = store
        self._accounts = accounts
        self._forum = forum
        self._documents = documents
        self._peers = peers
        self._clock = clock
        self._flights: Flights[None] = Flights()
        # By id: when it is looked at next, and the pause that failing has brought it to, in µs.
        self._due: OrderedDict[str, tuple[int, int]] = OrderedDict()
        self._under_way = 0

    def look(self, actor: Actor) -> None:
        """Note that somebody looks at an actor, or names it; what is due is begun."""
        if actor.local or actor.deleted or actor.kind is ActorKind.SITE:
            return
        due_us, _ = self._due.get(actor.ap_id, (0, 0))
        if self._clock() < due_us or self._under_way >= RENEWING_AT_ONCE_MAX:
            return
        if self._peers.is_allowed(authority_of(actor.ap_id)):
            self._under_way += 1
            self._wait(actor.ap_id, ACTOR_AGE_US_MAX, pause_us=0)
            self._flights.start(actor.ap_id, partial(self._renew, actor))

    async def settled(self) -> None:
        """Wait until nobody is asked any more."""
        await self._flights.settled()

    async def close(self) -> None:
        """End what is under way."""
        await self._flights.close()

    async def _renew(self, actor: Actor) -> None:
        try:
            age_us = self._clock() - await self._asked_us(actor.ap_id)
            if age_us < ACTOR_AGE_US_MAX:
                self._wait(actor.ap_id, ACTOR_AGE_US_MAX - age_us, pause_us=0)
                return
            said = actor_in(await self._documents.fetch(actor.ap_id))
            if said.ap_id != actor.ap_id or said.draft.kind is not actor.kind:
                raise Refused("foreign_object", "An actor stays what it is.")
            await self._store.write(partial(self._take_over, actor=actor, said=said), apart=True)
        except (Refused, Unavailable) as error:
            if isinstance(error, Gone) and error.by and actor.kind is ActorKind.COMMUNITY:
                await self._store.write(partial(_note_closed, actor=actor), apart=True)
            _, before_us = self._due.get(actor.ap_id, (0, 0))
            pause_us = min(max(2 * before_us, RENEWED_AGAIN_US_MIN), ACTOR_AGE_US_MAX)
            self._wait(actor.ap_id, pause_us, pause_us=pause_us)
            _log.info("actor_not_renewed", peer=actor.domain, reason=type(error).__name__)
        finally:
            self._under_way -= 1

    async def _asked_us(self, ap_id: str) -> int:
        """Return when an actor's document was fetched last; 0 where no row says so."""
        rows = await self._store.read(
            lambda unit: unit.fetch(peer_rows.ADDRESSES, ap_ids=[ap_id]), apart=True
        )
        return int(rows[0].fetched_us) if rows else 0

    def _take_over(self, unit: Unit, *, actor: Actor, said: ActorDocument) -> None:
        """Store what an actor says of itself now; three round trips."""
        with unit.coming_from(actor.domain, origins={actor.did: actor.domain}):
            if actor.kind is ActorKind.COMMUNITY:
                self._forum.refresh_communities(unit, {actor.id: community_draft(said)})
                if not said.moved_to:
                    stage_alive(unit, actor.id)
            else:
                self._accounts.refresh_persons(unit, {actor.id: said.draft})
        unit.stage(
            peer_rows.KEEP_ADDRESSES, peer_rows.row_of_addresses(said, now_us=unit.clock_us)
        )

    def _wait(self, ap_id: str, for_us: int, *, pause_us: int) -> None:
        """Leave an actor alone for a while; of too many the oldest are forgotten."""
        self._due[ap_id] = (self._clock() + for_us, pause_us)
        self._due.move_to_end(ap_id)
        if len(self._due) > RENEWED_KEPT_MAX:
            self._due.popitem(last=False)


def _note_closed(unit: Unit, *, actor: Actor) -> None:
    unit.stage(successor_rows.KEEP_CLOSED, {
        "community_id": actor.id, "way": Way.CLOSED, "since_us": unit.clock_us,
        "seen_us": unit.clock_us,
    })
