"""Erasure: a person is taken out of the rows of accounts, but for number, name and DID.

Who was purged loses name and DID too: what is left is a tomb with a number.
"""

from lichen.accounts import erasure_rows, name_rows
from lichen.accounts.model import Actor, ActorKind
from lichen.accounts.nouns import retired_hash
from lichen.accounts.owned import Owned
from lichen.events import accounts as records
from lichen.events import collection_of, deletion_of
from lichen.events.accounts import SELF
from lichen.store import Unit

TOMB = "gone-{}"  # a name that nobody can choose, because of its hyphen

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

    def bury_person(self, unit: Unit, person_id: int) -> None:
        """Leave nothing of an erased person but a number that is never given again.

        For who was purged, once the log is swept: until then the DID says which records are theirs.
        The name is kept as a hash, so that nobody comes back under it by chance. Of people of other
        servers the id stays, or they would come back unbanned. Twice is once; two round trips.
        """
        person = self._locked(unit, person_id, ActorKind.PERSON)
        tomb = TOMB.format(person.id)
        if not person.local or person.name == tomb:
            return
        addresses = self._addresses
        unit.stage(name_rows.RETIRE_NAME, {
            "kind": person.kind.value, "name_hash": retired_hash(person.name.lower()),
        })
        unit.stage(erasure_rows.BURY_ACCOUNT, {"person_id": person_id})
        ap_id = addresses.actor_id_of_person(tomb)
        unit.stage(erasure_rows.BURY_ACTOR, {
            "person_id": person_id, "tomb": tomb, "tomb_key": tomb, "tomb_ap_id": ap_id,
            "tomb_did": addresses.did_of_person(tomb), "tomb_inbox": f"{ap_id}/inbox",
        })
