"""Applications: who asks to be let in, and what an administrator decides about it."""

import msgspec

from lichen.accounts import door_rows, tables
from lichen.accounts.actors import Actors
from lichen.accounts.limits import REASON_LENGTH_MAX
from lichen.accounts.model import Account, Viewer
from lichen.accounts.nouns import account_from
from lichen.accounts.papers import Application
from lichen.accounts.permissions import check_permission
from lichen.accounts.standing import Permission
from lichen.kit import NotFound, Refused
from lichen.kit.mail import Letter
from lichen.store import Row, Unit


class Applications(Actors):
    """Reads and decides applications; whoever may approve them does both."""

    def applications(
        self, unit: Unit, viewer: Viewer, *, limit: int, page: int = 1, only_waiting: bool = True
    ) -> list[Application]:
        """Return a page of those that wait, the oldest first, or of all, the newest first."""
        check_permission(viewer, Permission.APPROVE_APPLICATIONS)
        found = door_rows.APPLICATIONS_WAITING if only_waiting else door_rows.APPLICATIONS
        rows = unit.fetch(
            found, limit=limit, offset=(page - 1) * limit, now_us=unit.clock_us
        )
        return [_application(row) for row in rows]

    def applications_waiting(self, unit: Unit, viewer: Viewer) -> int:
        """Return how many applications wait for somebody."""
        check_permission(viewer, Permission.APPROVE_APPLICATIONS)
        return int(unit.fetch(door_rows.COUNT_WAITING)[0].count)

    def application_of(self, unit: Unit, viewer: Viewer, person_id: int) -> Application:
        """Return what a person answered when it joined."""
        check_permission(viewer, Permission.APPROVE_APPLICATIONS)
        rows = unit.fetch(
            door_rows.APPLICATION_OF_PERSON, person_id=person_id, now_us=unit.clock_us
        )
        if not rows:
            raise _no_application()
        return _application(rows[0])

    async def decide(
        self, viewer: Viewer | None, application_id: int, *, approve: bool,
        reason: str | None = None,
    ) -> Application:
        """Let an applicant in or not, and write to it where that is possible; twice is once.

        Whoever was denied may be let in later. Two round trips.
        """
        decided = await self._store.write(
            lambda unit: self.decide_application(
                unit, viewer, application_id, approve=approve, reason=reason
            )
        )
        email = decided.account.settings.email
        if email:
            self._ground.mail.post(_letter(self.reader.site.settings.name, email, decided))
        return decided

    def decide_application(
        self, unit: Unit, viewer: Viewer | None, application_id: int, *, approve: bool,
        reason: str | None = None,
    ) -> Application:
        """Let an applicant in or not, inside an open unit; see `decide`."""
        check_permission(viewer, Permission.APPROVE_APPLICATIONS)
        if reason is not None and len(reason) > REASON_LENGTH_MAX:
            raise Refused(
                "invalid_body_field", f"A reason has at most {REASON_LENGTH_MAX} characters."
            )
        rows = unit.fetch(
            door_rows.APPLICATION_LOCKED, account_id=application_id, now_us=unit.clock_us
        )
        if not rows:
            raise _no_application()
        before = _application(rows[0])
        if before.admin_id is not None and before.account.accepted == approve:
            return before
        account = msgspec.structs.replace(before.account, accepted=approve)
        after = msgspec.structs.replace(
            before, account=account, admin_id=0 if viewer is None else viewer.id,
            deny_reason=None if approve else reason,
        )
        unit.stage(door_rows.DECIDE, {
            "row_account_id": account.id, "new_admin_id": after.admin_id,
            "new_deny_reason": after.deny_reason,
        })
        unit.stage(door_rows.SET_ACCEPTED, {
            "row_account_id": account.id, "new_accepted": approve,
        })
        self._tell_application(unit, account, "approved" if approve else "denied")
        return after

    def accept(self, unit: Unit, viewer: Viewer | None, person_id: int) -> Account:
        """Accept a person, and with it its e-mail address; twice is once. For the command line."""
        check_permission(viewer, Permission.APPROVE_APPLICATIONS)
        rows = unit.fetch(tables.ACCOUNT_OF_PERSON, person_id=person_id, now_us=unit.clock_us)
        if not rows:
            raise NotFound("couldnt_find_registration_application", "This person has no account.")
        account = msgspec.structs.replace(
            account_from(rows[0]), accepted=True, email_verified=True
        )
        unit.stage(door_rows.SET_ACCEPTED, {"row_account_id": account.id, "new_accepted": True})
        unit.stage(door_rows.VERIFY_EMAIL, {"row_account_id": account.id})
        unit.stage(door_rows.DECIDE, {
            "row_account_id": account.id, "new_admin_id": 0 if viewer is None else viewer.id,
            "new_deny_reason": None,
        })
        self._tell_application(unit, account, "approved")
        return account


def _application(row: Row) -> Application:
    return Application(
        account=account_from(row), answer=row.answer, published_us=row.applied_us,
        admin_id=row.admin_id, deny_reason=row.deny_reason, totp_enabled=bool(row.enabled),
    )


def _letter(site: str, email: str, decided: Application) -> Letter:
    name = decided.account.actor.name
    if decided.account.accepted:
        return Letter(email, f"{site}: you are in", f"Hello {name},\n\n"
                      "your application was approved: you can log in now.\n")
    reason = f"\n\nThe reason: {decided.deny_reason}" if decided.deny_reason else ""
    return Letter(email, f"{site}: your application", f"Hello {name},\n\n"
                  f"your application was not approved.{reason}\n")


def _no_application() -> NotFound:
    return NotFound("couldnt_find_registration_application", "There is no such application.")
