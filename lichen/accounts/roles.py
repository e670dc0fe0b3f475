"""Roles: single permissions between moderator and administrator, given by administrators."""

from collections.abc import Iterable

import msgspec

from lichen.accounts import standing_rows, tables
from lichen.accounts.actors import Actors
from lichen.accounts.limits import ROLE_TITLE_LENGTH_MAX, ROLES_MAX
from lichen.accounts.model import Actor, Viewer
from lichen.accounts.nouns import actor_from
from lichen.accounts.papers import Role
from lichen.accounts.permissions import check_admin
from lichen.accounts.standing import Permission
from lichen.events import accounts as records
from lichen.events import collection_of, deletion_of, event_of
from lichen.events.accounts import SELF
from lichen.kit import NotFound, Refused, isoformat
from lichen.store import Row, Unit

_ROLE = collection_of(records.Role)
_PERMISSIONS = msgspec.json.Decoder(frozenset[Permission])


def permissions_from(text: str | None) -> frozenset[Permission]:
    """Return the permissions of a role's row, none for none."""
    return _PERMISSIONS.decode(text) if text else frozenset()


class Roles(Actors):
    """Gives and takes roles."""

    def roles(self, unit: Unit, viewer: Viewer) -> list[tuple[Actor, Role]]:
        """Return everybody who has a role; two round trips."""
        check_admin(viewer)
        rows = unit.fetch(standing_rows.ROLES, limit=ROLES_MAX)
        actors = self.actors(unit, [row.person_id for row in rows])
        return [(actors[row.person_id], _role(row)) for row in rows]

    def give_role(
        self, unit: Unit, moderator: Viewer | None, person_id: int, *, title: str,
        permissions: Iterable[Permission],
    ) -> Role:
        """Give a local person a role, or with no permission take it back; twice is once."""
        check_admin(moderator)
        if not title.strip() or len(title) > ROLE_TITLE_LENGTH_MAX:
            raise Refused(
                "invalid_role", f"A role has a title of 1 to {ROLE_TITLE_LENGTH_MAX} characters."
            )
        persons = unit.fetch(tables.ACTORS_LOCKED, ids=[person_id], now_us=unit.clock_us)
        person = actor_from(persons[0]) if persons else None
        if person is None or not person.local or person.deleted:
            raise NotFound("couldnt_find_person", "No such person lives here.")
        role = Role(person_id, title.strip(), frozenset(permissions))
        if not role.permissions:
            unit.stage(standing_rows.DELETE_ROLE, {"person_id": person_id})
            unit.emit(deletion_of(
                _ROLE, id=self._ground.tids.next(), did=person.did, rkey=SELF, row=person_id
            ))
            return role
        unit.stage(standing_rows.KEEP_ROLE, {
            "person_id": person_id, "title": role.title,
            "permissions": msgspec.json.encode(sorted(role.permissions)).decode(),
        })
        record = records.Role(
            title=role.title, permissions=tuple(sorted(role.permissions)),
            updated_at=isoformat(unit.clock_us),
        )
        unit.emit(event_of(
            record, id=self._ground.tids.next(), did=person.did, operation="update", rkey=SELF,
            row=person_id,
        ))
        return role


def _role(row: Row) -> Role:
    return Role(row.person_id, row.title, permissions_from(row.permissions))
