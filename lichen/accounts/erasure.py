"""Erasure: a person is taken out of the rows of accounts, but for number, name and DID."""

from lichen.accounts import erasure_rows
from lichen.accounts.model import Actor, ActorKind
from lichen.accounts.owned import Owned
from lichen.events import accounts as records
from lichen.events import collection_of, deletion_of
from lichen.events.accounts import SELF
from lichen.store import Unit

_PROFILE = collection_of(records.Profile)


class Erasure(Owned):
    """What accounts do when nothing of a person may be left."""

    def erase_person(self, unit: Unit, person_id: int) -> Actor:
        """Empty a person's rows, end their sessions and tell that they are gone.

        Twice is once. The name stays taken. Whether they may still come in, and what they wrote,
        is decided by who calls. Two round trips.
        """
        person = self._locked(unit, person_id, ActorKind.PERSON)
        asked = {"person_id": person_id}
        for statement in erasure_rows.FORGET:
            unit.stage(statement, asked)
        unit.stage(erasure_rows.EMPTY_ACCOUNT, asked)
        unit.stage(erasure_rows.EMPTY_ACTOR, asked)
        if not person.deleted:
            unit.emit(deletion_of(
                _PROFILE, id=self._ground.tids.next(), did=person.did, rkey=SELF, row=person.id
            ))
        return person
