"""The door: who stands at it with the right name and password, and what those turned away may do.

    name, password ──► recognised ──┬─► a session (logins)
                                    └─► banned from the site: a ticket ──► appellant

A ticket is a signed paper for somebody who is banned from the site. It lasts an hour and is good
for reading what was decided and for an appeal: it is no session, begins none, and ends with the ban
or with a new password.
"""

from typing import NoReturn

from lichen.accounts import door_rows, tables
from lichen.accounts.erasure_rows import NO_PASSWORD
from lichen.accounts.errors import BannedFromSite
from lichen.accounts.factors import Factors
from lichen.accounts.limits import FRESH_ENTRY_US, PASSWORD_TRIED_LENGTH_MAX
from lichen.accounts.model import Account, Actor, Viewer
from lichen.accounts.nouns import account_from
from lichen.kit import Conflict, Unauthenticated
from lichen.store import Query, Row, Statement, Unit


class Door(Factors):
    """Recognises people, and lets those who are banned from the site say something."""

    async def ban_ticket(
        self, name_or_email: str, password: str, *, address: str | None, code: str | None = None
    ) -> str:
        """Return the ticket of somebody who is banned from the site; begins no session.

        Refuses as a login does, by `site_ban` where a second factor's code is missing or wrong, and
        by `not_banned` whoever may log in. Three round trips.
        """
        row = await self._recognised(name_or_email, password, address=address)
        try:
            await self._turn_away(row, name_or_email, address=address, code=code)
        except BannedFromSite as banned:
            if banned.ticket is None:
                raise
            return banned.ticket
        raise Conflict("not_banned", "This account is not banned from this site: log in.")

    async def check_present(self, viewer: Viewer, password: str) -> None:
        """Refuse, by `incorrect_login`, unless it is surely the owner who asks.

        The password says so, or having come in through another server a few minutes ago: whoever
        came so may have no password. Two round trips.
        """
        rows, sessions = await self._store.read(lambda unit: tuple(unit.fetch_all(
            (tables.ACCOUNT, {"account_id": viewer.account_id, "now_us": unit.clock_us}),
            (door_rows.SESSIONS, {"account_id": viewer.account_id}),
        )))
        now_us = self._ground.clock()
        if any(row.id == viewer.session_id and row.through
               and now_us - row.published_us <= FRESH_ENTRY_US for row in sessions):
            return
        if not await self._verified(rows[0].password_hash, password):
            raise _not_surely(rows[0])

    def appellant(self, unit: Unit, ticket: str) -> Actor:
        """Return whose ticket it is, as long as it is banned; one round trip."""
        claimed = self._tokens.verify_ticket(ticket, now_us=unit.clock_us)
        rows = [] if claimed is None else unit.fetch(
            tables.ACCOUNT, account_id=claimed.account_id, now_us=unit.clock_us
        )
        person = account_from(rows[0]).actor if rows else None
        is_whole = claimed is not None and rows and claimed.fits(rows[0].password_hash)
        if person is None or not is_whole or person.deleted or not person.banned:
            raise Unauthenticated(
                "invalid_ticket", "This page is too old, or the ban has ended: log in again."
            )
        return person

    async def _recognised(
        self, name_or_email: str, password: str, *, address: str | None
    ) -> Row:
        """Return whose name and password these are; an unknown name takes as long as a wrong one.

        The attempt counts as failed until `succeed`. One round trip.
        """
        login = _login_of(name_or_email)
        by = tables.ACCOUNT_BY_EMAIL if "@" in login else tables.ACCOUNT_BY_NAME
        await self._attempts.begin(
            login, address, lambda: self._is_known_address(by, login, address)
        )
        rows = await self._store.read(
            lambda unit: unit.fetch(by, login=login, now_us=unit.clock_us)
        )
        known: str | None = rows[0].password_hash if rows else None
        if not await self._verified(known, password):
            refuse_login()
        return rows[0]

    def _succeed(self, name_or_email: str, *, address: str | None) -> None:
        self._attempts.succeed(_login_of(name_or_email), address)

    async def _turn_away(
        self, row: Row, name_or_email: str, *, address: str | None, code: str | None
    ) -> None:
        """Refuse whoever is banned from the site, with a ticket where the second factor fits."""
        account = account_from(row)
        if account.actor.deleted or not account.actor.banned:
            return
        ticket = await self._ticket(account, row.password_hash, code)
        if ticket is not None:
            self._succeed(name_or_email, address=address)
        raise BannedFromSite(expires_us=account.actor.ban_expires_us, ticket=ticket)

    async def _ticket(self, account: Account, known: str, code: str | None) -> str | None:
        def command(unit: Unit) -> None:
            found, (_sessions, *factor) = self._locked_account(
                unit, account.id, known, *self._factor_queries(account.id)
            )
            self._check_factor(unit, found, factor, code)

        try:
            await self._store.write(command)
        except Unauthenticated:
            return None
        return self._tokens.sign_ticket(account.id, known, issued_us=self._ground.clock())

    async def _verified(self, password_hash: str | None, password: str) -> bool:
        if len(password) > PASSWORD_TRIED_LENGTH_MAX:
            return False
        return await self._passwords.verify(password_hash, password)

    async def _is_known_address(self, by: Statement, login: str, address: str | None) -> bool:
        """Say whether a session of somebody has this address."""
        def query(unit: Unit) -> bool:
            rows = unit.fetch(by, login=login, now_us=unit.clock_us)
            account_id = rows[0].account_id if rows else 0
            sessions = unit.fetch(door_rows.SESSIONS, account_id=account_id)
            return any(row.address == address for row in sessions)

        return await self._store.read(query)

    def _locked_account(
        self, unit: Unit, account_id: int, known_hash: str | None, *riding: Query
    ) -> tuple[Account, list[list[Row]]]:
        """Return an account, its sessions and what else was asked, unless its password changed."""
        rows, *found = unit.fetch_all(
            (tables.ACCOUNT_LOCKED, {"account_id": account_id, "now_us": unit.clock_us}),
            (door_rows.SESSIONS, {"account_id": account_id}),
            *riding,
        )
        if not rows or rows[0].password_hash != known_hash:
            refuse_login()
        return account_from(rows[0]), found


def _not_surely(account: Row) -> Unauthenticated:
    text = "This is not your password."
    if account.password_hash == NO_PASSWORD:
        text = "Log in through your other account again, then do this within ten minutes."
    return Unauthenticated("incorrect_login", text)


def refuse_login() -> NoReturn:
    """Refuse a name and a password, whichever of the two is wrong."""
    raise Unauthenticated("incorrect_login", "Name and password do not belong together.")


def _login_of(name_or_email: str) -> str:
    return name_or_email.strip().lower()
