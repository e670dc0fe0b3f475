"""The part of deciding about who leaves for elsewhere: people, communities, and their successors.

Nothing is done on what one side says: it is noted, and examined beside the batch (`moves`,
`offers`).
"""

from functools import partial

from lichen.accounts import Actor, ActorKind
from lichen.federation.activities import Deletion, Moving, Offering
from lichen.federation.judging import Judging
from lichen.federation.known import Arrival
from lichen.federation.model import authority_of
from lichen.federation.move_rows import WANT_MOVE
from lichen.federation.offers import hear
from lichen.federation.succession import Proof
from lichen.kit import Forbidden, NotFound, Refused


class Leaving(Judging):
    """Decides about departures, moves, and offers of successors."""

    def _depart(self, arrival: Arrival, act: Deletion) -> None:
        """Note that a remote person is gone for ever, with its words where it says so."""
        person = self._known.actors.get(act.actor)
        if person is None or person.kind is not ActorKind.PERSON or act.announcer:
            raise NotFound("couldnt_find_person", "Nobody here knows that person.")
        if not act.deleted or person.deleted:
            raise Refused("known", "That is known.")
        self._act(arrival, partial(
            self._below.accounts.end_remote, actor=person, content=act.remove_data
        ))

    def _move(self, arrival: Arrival, act: Moving) -> None:
        """Note where an actor says to be now; both sides are asked before anything is done."""
        # Also who is banned here: its ban goes along with it.
        person = self._known.actors.get(act.actor)
        if act.announcer or act.object != act.actor:
            raise Forbidden("foreign_object", "An actor moves itself alone.")
        if person is None or person.deleted or person.kind is ActorKind.SITE:
            raise NotFound("couldnt_find_person", "Nobody here knows that actor.")
        if not authority_of(act.target) or act.target == act.actor:
            raise Refused("invalid_field", "A move leads to the id of another actor.")
        if person.kind is ActorKind.COMMUNITY:
            self._hear(arrival, person, act.target, Proof.MOVED)
            return
        row = {"person_id": person.id, "target": act.target, "tries": 0, "retry_us": 0}
        self._act(arrival, lambda unit: unit.stage(WANT_MOVE, row))
        self.orders.outcomes["move_told"] += 1

    def _offer(self, arrival: Arrival, act: Offering) -> None:
        """Note that a community elsewhere says to continue one that is kept here."""
        if act.announcer or act.object != act.actor:
            raise Forbidden("foreign_object", "A community offers itself alone.")
        old = self._known.actors.get(act.origin)
        if old is None or old.deleted or old.kind is not ActorKind.COMMUNITY:
            raise NotFound("couldnt_find_community", "Nobody here knows what it continues.")
        if old.local or old.domain == arrival.peer:
            raise Refused("community_not_gone", "Who offers it is another server than the old "
                                                "one, and ours lives.")
        self._hear(arrival, old, act.object, Proof.OFFERED)

    def _hear(self, arrival: Arrival, old: Actor, target: str, proof: Proof) -> None:
        self._act(arrival, partial(
            hear, community_id=old.id, target=target, proof=proof, peer=arrival.peer
        ))
        self.orders.outcomes["offer_heard"] += 1
