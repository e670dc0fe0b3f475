"""Invitations: codes that let people in, and the tree of who came in by whom."""

import base64

import msgspec

from lichen.accounts import door_rows
from lichen.accounts.actors import Actors
from lichen.accounts.limits import (
    INVITE_AGE_US_MAX,
    INVITE_CODE_BYTES,
    INVITE_USES_MAX,
    INVITES_PER_PERSON_MAX,
    TREE_LENGTH_MAX,
)
from lichen.accounts.model import Account, Viewer
from lichen.accounts.papers import Branch, Invite
from lichen.accounts.permissions import check_permission
from lichen.accounts.standing import Permission
from lichen.events import accounts as records
from lichen.events import collection_of, deletion_of, event_of
from lichen.events.accounts import SELF
from lichen.kit import NotFound, Refused, isoformat
from lichen.store import Row, Unit

_INVITE = collection_of(records.Invite)
_DAY_US = 86_400 * 1_000_000


class Invites(Actors):
    """Makes, lists, revokes and uses invitations."""

    def create_invite(self, unit: Unit, viewer: Viewer, *, uses_max: int, days: int) -> Invite:
        """Return a new invitation; refuses more than a person may hold open. Two round trips."""
        age_us = days * _DAY_US
        if not 1 <= uses_max <= INVITE_USES_MAX or not 0 < age_us <= INVITE_AGE_US_MAX:
            raise Refused(
                "invalid_invite",
                f"An invitation lets 1 to {INVITE_USES_MAX} people in, for 1 to "
                f"{INVITE_AGE_US_MAX // _DAY_US} days.",
            )
        if len(self.invites(unit, viewer)) >= INVITES_PER_PERSON_MAX:
            raise Refused(
                "too_many_items",
                f"One person holds at most {INVITES_PER_PERSON_MAX} invitations; revoke one.",
            )
        random = self._ground.randomness.randbytes(INVITE_CODE_BYTES)
        invite = Invite(
            code=base64.b32encode(random).decode().lower(), uses=0, uses_max=uses_max,
            published_us=unit.clock_us, expires_us=unit.clock_us + age_us,
        )
        tid = self._ground.tids.next()
        row = msgspec.structs.asdict(invite) | {"tid": tid, "inviter_id": viewer.id}
        unit.stage(door_rows.INSERT_INVITE, row)
        record = records.Invite(
            uses_max=uses_max, created_at=isoformat(unit.clock_us),
            expires_at=isoformat(invite.expires_us),
        )
        unit.emit(event_of(
            record, id=tid, did=viewer.actor.did, operation="create", rkey=tid, row=viewer.id
        ))
        return invite

    def invites(self, unit: Unit, viewer: Viewer) -> list[Invite]:
        """Return the invitations of a viewer that still count, the newest first."""
        rows = unit.fetch(door_rows.INVITES, inviter_id=viewer.id)
        return [_invite(row) for row in rows if _counts(row, unit.clock_us)]

    def revoke_invite(self, unit: Unit, viewer: Viewer, code: str) -> None:
        """End one of the viewer's invitations, or anybody's as somebody who approves people."""
        rows = unit.fetch(door_rows.INVITE, code=code)
        if not rows:
            raise _no_invite()
        if rows[0].inviter_id != viewer.id:
            check_permission(viewer, Permission.APPROVE_APPLICATIONS)
        inviter = self.actors(unit, [rows[0].inviter_id])[rows[0].inviter_id]
        unit.stage(door_rows.DELETE_INVITE, {"row_code": code})
        unit.emit(deletion_of(
            _INVITE, id=self._ground.tids.next(), did=inviter.did, rkey=rows[0].tid,
            row=inviter.id,
        ))

    def invite_tree(self, unit: Unit, viewer: Viewer) -> list[Branch]:
        """Return everybody who came by an invitation below who brought them, depth first."""
        check_permission(viewer, Permission.APPROVE_APPLICATIONS)
        rows = unit.fetch(door_rows.INVITED, limit=TREE_LENGTH_MAX)
        brought: dict[int, list[Row]] = {}
        for row in rows:
            brought.setdefault(row.inviter_id, []).append(row)
        came = {row.person_id: row for row in rows}
        actors = self.actors(unit, set(brought) | set(came))
        waiting = [(key, 0) for key in sorted(set(brought) - set(came), reverse=True)]
        tree: list[Branch] = []
        while waiting:
            person_id, depth = waiting.pop()
            row = came.get(person_id)
            tree.append(Branch(actors[person_id], depth, row and row.published_us))
            waiting += [(one.person_id, depth + 1) for one in reversed(brought.get(person_id, []))]
        return tree

    async def check_invite(self, code: str) -> None:
        """Refuse a code that lets nobody in, before a password is hashed for it."""
        await self._store.read(lambda unit: _found(unit, code))

    def _use_invite(self, unit: Unit, account: Account, code: str) -> None:
        """Count an invitation and note who brought whom; refuses by `invalid_invite`."""
        row = _found(unit, code)
        inviter = self.actors(unit, [row.inviter_id])[row.inviter_id]
        unit.stage(door_rows.USE_INVITE, {"row_code": row.code})
        unit.stage(door_rows.INSERT_INVITED, {
            "person_id": account.actor.id, "inviter_id": inviter.id,
            "published_us": unit.clock_us,
        })
        record = records.Invited(inviter=inviter.did, created_at=isoformat(unit.clock_us))
        unit.emit(event_of(
            record, id=self._ground.tids.next(), did=account.actor.did, operation="create",
            rkey=SELF, row=account.actor.id,
        ))


def _found(unit: Unit, code: str) -> Row:
    rows = unit.fetch(door_rows.INVITE, code=code.strip().lower())
    if not rows or not _counts(rows[0], unit.clock_us):
        raise _no_invite()
    return rows[0]


def _counts(row: Row, now_us: int) -> bool:
    return bool(row.uses < row.uses_max and row.expires_us > now_us)


def _invite(row: Row) -> Invite:
    return Invite(
        code=row.code, uses=row.uses, uses_max=row.uses_max, published_us=row.published_us,
        expires_us=row.expires_us,
    )


def _no_invite() -> NotFound:
    return NotFound("invalid_invite", "This invitation was used up, revoked, or is too old.")
