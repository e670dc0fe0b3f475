"""What one person owns: the account as its owner would see it, for whoever acts on their behalf."""

from lichen.accounts import tables
from lichen.accounts.model import SessionId, Viewer
from lichen.accounts.nouns import account_from
from lichen.accounts.persons import Persons
from lichen.kit import NotFound
from lichen.store import Unit


class Owned(Persons):
    """Finds the owner of an account where nobody is logged in: exports, the command line."""

    def owner_of(self, unit: Unit, person_id: int) -> Viewer:
        """Return the viewer that a local person would be, of no session; one round trip."""
        rows = unit.fetch(
            tables.ACCOUNT_OF_PERSON, person_id=person_id, now_us=unit.clock_us
        )
        if not rows:
            raise NotFound("couldnt_find_person", "This person has no account here.")
        account = account_from(rows[0])
        return Viewer(
            actor=account.actor, account_id=account.id, settings=account.settings,
            session_id=SessionId(""), accepted=account.accepted,
            email_verified=account.email_verified,
        )
