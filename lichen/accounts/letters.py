"""Letters: links sent by mail, to verify an address or to choose a new password.

A link holds a token; rows hold its hash, so that who reads them cannot use it. It works once and
not for ever. `ask_reset` answers before anything is looked up, so that neither its words nor its
time say whether an address is known here; `run_letters`, a task of the house, does the rest.
"""

import base64
import hashlib
from typing import Literal

import structlog

from lichen.accounts import door_rows, tables
from lichen.accounts.limits import (
    ADMINS_WRITTEN_TO_MAX,
    EMAIL_LENGTH_MAX,
    MAIL_TOKEN_BYTES,
    MAIL_TOKENS_PER_ACCOUNT_MAX,
    RESET_AGE_US,
    TOKEN_LENGTH_MAX,
    VERIFY_AGE_US,
)
from lichen.accounts.logins import Logins
from lichen.accounts.model import Account, check_password
from lichen.accounts.nouns import account_from
from lichen.kit import NotFound, Refused, TooMany, Unavailable
from lichen.kit.mail import Letter
from lichen.store import Row, Unit

Kind = Literal["verify", "reset"]

_AGES_US: dict[Kind, int] = {"verify": VERIFY_AGE_US, "reset": RESET_AGE_US}

_log = structlog.get_logger("lichen.accounts")


class Letters(Logins):
    """Sends links, and does what they are for."""

    async def send_verification(self, account_id: int) -> bool:
        """Send a link to an address that is not verified; say whether one was sent."""
        def command(unit: Unit) -> Letter | None:
            rows, tokens = self._account_and_tokens(unit, account_id)
            account = account_from(rows[0])
            if account.email_verified or not account.settings.email:
                return None
            return self._stage_letter(unit, account, tokens, "verify")

        if not self._ground.mail.is_on:
            return False
        try:
            letter = await self._store.write(command)
        except TooMany:  # enough letters are on their way: what was saved stays saved
            return False
        if letter is not None:
            self._ground.mail.post(letter)
        return letter is not None

    async def tell_admins(self, applicant: Account) -> None:
        """Write to the administrators, at their verified addresses, that somebody waits."""
        if not self._ground.mail.is_on:
            return
        rows = await self._store.read(
            lambda unit: unit.fetch(door_rows.ADMIN_EMAILS, limit=ADMINS_WRITTEN_TO_MAX)
        )
        site = self.reader.site.settings.name
        link = self._addresses.absolute(self._addresses.applications)
        for row in rows:
            self._ground.mail.post(Letter(
                row.email, f"{site}: {applicant.actor.name} wants to join",
                f"{applicant.actor.name} waits for an answer:\n\n{link}\n",
            ))

    async def verify_email(self, token: str) -> None:
        """Believe an address whose link was followed; refuses by `token_not_found`."""
        def command(unit: Unit) -> None:
            account, found = self._account_of_token(unit, token, "verify")
            if account.settings.email != found.email:
                raise _no_token()
            unit.stage(door_rows.DELETE_MAIL_TOKEN, {"hash": found.hash})
            unit.stage(door_rows.VERIFY_EMAIL, {"row_account_id": account.id})
            self._tell_settings(unit, account, is_new=False)

        await self._store.write(command)

    def ask_reset(self, email: str) -> None:
        """Note that somebody forgot the password of an address; says and costs always the same."""
        if self._resets.full():
            _log.warning("reset_dropped", reason="queue full")
            return
        self._resets.put_nowait(email.strip().lower()[:EMAIL_LENGTH_MAX])

    async def run_letters(self) -> None:
        """Look up who forgot a password and write to them, for as long as the house stands."""
        while True:
            email = await self._resets.get()
            try:
                await self._answer_reset(email)
            except (Unavailable, Refused) as error:
                _log.warning("reset_not_sent", error=type(error).__name__)

    async def reset_password(self, token: str, password: str) -> None:
        """Replace the password by a link's token and end every session."""
        check_password(password)
        await self._store.read(lambda unit: self._account_of_token(unit, token, "reset"))
        fresh = await self._passwords.hash(password)

        def command(unit: Unit) -> None:
            account, _ = self._account_of_token(unit, token, "reset")
            sessions = unit.fetch(door_rows.SESSIONS, account_id=account.id)
            # Every open link ends with the old password: one of them may be a thief's.
            unit.stage(door_rows.DELETE_MAIL_TOKENS, {"account_id": account.id})
            self._stage_password(unit, account, sessions, fresh)

        await self._store.write(command)

    async def _answer_reset(self, email: str) -> None:
        def command(unit: Unit) -> Letter | None:
            rows = unit.fetch(tables.ACCOUNT_BY_EMAIL, login=email, now_us=unit.clock_us)
            if not rows or rows[0].deleted:
                return None
            tokens = unit.fetch(door_rows.MAIL_TOKENS, account_id=rows[0].account_id)
            return self._stage_letter(unit, account_from(rows[0]), tokens, "reset")

        letter = await self._store.write(command)
        if letter is not None:
            self._ground.mail.post(letter)

    def _account_and_tokens(self, unit: Unit, account_id: int) -> list[list[Row]]:
        return unit.fetch_all(
            (tables.ACCOUNT_LOCKED, {"account_id": account_id, "now_us": unit.clock_us}),
            (door_rows.MAIL_TOKENS, {"account_id": account_id}),
        )

    def _account_of_token(self, unit: Unit, token: str, kind: Kind) -> tuple[Account, Row]:
        if len(token) > TOKEN_LENGTH_MAX:
            raise _no_token()
        found = unit.fetch(
            door_rows.MAIL_TOKEN, hash=_hashed(token), kind=kind, now_us=unit.clock_us
        )
        if not found:
            raise _no_token()
        rows, tokens = self._account_and_tokens(unit, found[0].account_id)
        # Whoever was first while we waited for the lock has used it.
        if all(row.hash != found[0].hash for row in tokens) or rows[0].deleted:
            raise _no_token()
        return account_from(rows[0]), found[0]

    def _stage_letter(
        self, unit: Unit, account: Account, tokens: list[Row], kind: Kind
    ) -> Letter:
        """Stage a token and return the letter that holds it."""
        open_now = [row for row in tokens if row.expires_us > unit.clock_us]
        if len(open_now) >= MAIL_TOKENS_PER_ACCOUNT_MAX:
            raise TooMany(text="Several letters are on their way already; look for them first.",
                          retry_after_s=RESET_AGE_US / 1e6)
        random = self._ground.randomness.randbytes(MAIL_TOKEN_BYTES)
        token = base64.urlsafe_b64encode(random).decode()
        email = account.settings.email
        assert email is not None, "a letter goes to an address"
        unit.stage(door_rows.INSERT_MAIL_TOKEN, {
            "hash": _hashed(token), "account_id": account.id, "kind": kind, "email": email,
            "published_us": unit.clock_us, "expires_us": unit.clock_us + _AGES_US[kind],
        })
        return self._letter(kind, account, email, token)

    def _letter(self, kind: Kind, account: Account, email: str, token: str) -> Letter:
        site, name = self.reader.site.settings.name, account.actor.name
        if kind == "verify":
            link = self._addresses.absolute(self._addresses.verify_by(token))
            return Letter(
                email, f"{site}: is this your address?",
                f"Hello {name},\n\nopen this link to say that this address is yours:\n\n{link}\n\n"
                "It works once, for a week. If you did not ask for it, do nothing.\n",
            )
        link = self._addresses.absolute(self._addresses.reset_by(token))
        return Letter(
            email, f"{site}: a new password",
            f"Hello {name},\n\nopen this link to choose a new password:\n\n{link}\n\n"
            "It works once, for an hour. If you did not ask for it, do nothing: the old password "
            "stays.\n",
        )


def _hashed(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()


def _no_token() -> NotFound:
    return NotFound("token_not_found", "This link was used, replaced, or is too old; ask for a "
                                       "new one.")
