"""Logins: signing up, logging in and out, sessions and passwords."""

from abc import abstractmethod
from collections.abc import Callable
from typing import TypeVar

from lichen.accounts import door_rows, link_rows, tables
from lichen.accounts.door import Door
from lichen.accounts.invites import Invites
from lichen.accounts.limits import (
    ADDRESS_LENGTH_MAX,
    AGENT_LENGTH_MAX,
    ANSWER_LENGTH_MAX,
    SESSION_FRESH_US,
    SESSIONS_PER_ACCOUNT_MAX,
)
from lichen.accounts.model import (
    Account,
    AccountDraft,
    ActorDraft,
    ActorKind,
    Login,
    SessionId,
    Settings,
    SiteSettings,
    Viewer,
    check_email,
    check_name,
    check_password,
)
from lichen.accounts.nouns import account_from
from lichen.accounts.papers import Session
from lichen.accounts.roles import permissions_from
from lichen.accounts.tokens import Claims
from lichen.events import accounts as records
from lichen.events import collection_of, deletion_of, event_of
from lichen.kit import (
    Conflict,
    Forbidden,
    NotFound,
    Reason,
    Refused,
    Unavailable,
    isoformat,
)
from lichen.store import Row, Unit

T = TypeVar("T")

_SESSION = collection_of(records.Session)


class Logins(Door, Invites):
    """Who may come in, and how long they stay."""

    async def register(  # noqa: PLR0913 - what somebody says who wants an account
        self, name: str, password: str, *, email: str | None = None, answer: str | None = None,
        address: str | None, agent: str | None, show_nsfw: bool = False,
        invite: str | None = None, captcha: tuple[str, str] = ("", ""),
    ) -> Login:
        """Create an account and log it in, unless the site wants to look at it first.

        `captcha` is the name of one and the answer to it; which of all this is asked is the
        site's choice.
        Refuses by `registration_closed`, `invalid_invite`, `captcha_incorrect`,
        `registration_application_answer_required`, `email_required`, `invalid_name`,
        `invalid_password`, `user_already_exists` and `email_already_exists`. Two round trips, with
        an invitation five.
        """
        site = self.reader.site.settings
        # Whoever was invited is vouched for: nobody has to read an application.
        is_asked = site.registration_mode == "RequireApplication" and not invite
        email = check_email(email)
        check_joining(site, invite=invite, email=email, answer=answer, is_asked=is_asked)
        check_name(name, length_max=site.actor_name_max_length)
        self.reader.screen.check_words(name, answer)
        check_password(password)
        await self._check_proofs(site, invite=invite, captcha=captcha)
        holds = () if is_asked else await self._holds(
            name=name, email=email, answer=answer, address=address
        )
        waits = is_asked or bool(holds)
        draft = AccountDraft(
            actor=ActorDraft(kind=ActorKind.PERSON, name=name),
            password_hash=await self._passwords.hash(password),
            settings=first_settings(site, email=email, show_nsfw=show_nsfw),
            accepted=not waits, answer=(answer or "") if waits else answer,  # who waits is listed
        )
        may_enter = not waits and not site.require_email_verification

        def command(unit: Unit) -> tuple[Account, Claims | None]:
            account = self.create_accounts(unit, [draft])[0]
            if invite:
                self._use_invite(unit, account, invite)
            if not may_enter:
                return account, None
            return account, self._begin_session(unit, account, [], address=address, agent=agent)

        account, claims = await self._create(command)
        if waits and site.application_email_admins:
            await self.tell_admins(account)
        is_sent = email is not None and await self.send_verification(account.id)
        return Login(
            token=None if claims is None else self._token(claims),
            registration_created=claims is None, verify_email_sent=is_sent, holds=holds,
        )

    async def _holds(
        self, *, name: str, email: str | None, answer: str | None, address: str | None
    ) -> tuple[Reason, ...]:
        """Return why plugins want an administrator to look at an account, if they do."""
        check = self._registration_check
        return () if check is None else await check.check_registration(
            name=name, email=email, answer=answer, address=address
        )

    async def _check_proofs(
        self, site: SiteSettings, *, invite: str | None, captcha: tuple[str, str]
    ) -> None:
        if invite:
            await self.check_invite(invite)
        if site.captcha_enabled:
            self.captchas.check(*captcha)

    async def log_in(
        self, name_or_email: str, password: str, *, address: str | None, agent: str | None,
        code: str | None = None,
    ) -> Login:
        """Begin a session; an unknown name takes as long as a wrong password.

        `code` is the second factor's. Refuses by `incorrect_login`, `deleted`, `site_ban`
        (BannedFromSite, with a ticket), `email_not_verified`, `registration_denied`,
        `registration_application_is_pending`, `missing_totp_token` and `incorrect_totp_token`.
        Three round trips.
        """
        row = await self._recognised(name_or_email, password, address=address)
        await self._turn_away(row, name_or_email, address=address, code=code)
        self._check_may_enter(row)
        known, fresh = row.password_hash, None
        if self._passwords.needs_new_hash(known):
            fresh = await self._passwords.hash(password)

        def command(unit: Unit) -> Claims:
            account, (sessions, *factor) = self._locked_account(
                unit, row.account_id, known, *self._factor_queries(row.account_id)
            )
            self._check_factor(unit, account, factor, code)
            if fresh is not None:
                unit.stage(tables.SET_PASSWORD, {"account_id": account.id, "new_hash": fresh})
            return self._begin_session(unit, account, sessions, address=address, agent=agent)

        claims = await self._store.write(command)
        self._succeed(name_or_email, address=address)
        return Login(token=self._token(claims))

    async def viewer(self, token: str | None) -> Viewer | None:
        """Return who a token speaks for; None where it is nobody's, ended, banned or deleted.

        From memory in about 2 µs, after a miss by one read.
        """
        if token is None:
            return None
        sessions = self.reader.sessions
        now_us = self._ground.clock()
        found = sessions.find(token, now_us)
        if found is not None:
            return found
        claims = self._tokens.verify(token)
        if claims is None:
            return None
        drops = sessions.drops
        asked = {"session_id": claims.session_id, "account_id": claims.account_id}
        rows = await self._store.read(
            lambda unit: unit.fetch(link_rows.VIEWER, **asked, now_us=unit.clock_us)
        )
        viewer = self._viewer_from(rows[0], now_us) if rows else None
        if viewer is None:
            return None
        sessions.keep(token, viewer, loaded_us=now_us, drops=drops)
        if now_us - rows[0].used_us > SESSION_FRESH_US:
            await self._note_use(viewer.session_id, now_us)
        return viewer

    def logins(self, unit: Unit, viewer: Viewer) -> list[Session]:
        """Return the sessions of the viewer's account, the newest first; one round trip."""
        return [
            Session(
                id=SessionId(row.id), published_us=row.published_us, address=row.address,
                agent=row.agent, current=row.id == viewer.session_id, through=row.through,
            )
            for row in unit.fetch(door_rows.SESSIONS, account_id=viewer.account_id)
        ]

    def log_out(self, unit: Unit, viewer: Viewer) -> None:
        """End the session that the viewer came by."""
        self._end_sessions(unit, viewer.actor.did, viewer.id, [viewer.session_id])

    def revoke(self, unit: Unit, viewer: Viewer, session_id: str) -> None:
        """End one of the viewer's sessions; refuses those of others by `token_not_found`."""
        rows = unit.fetch(door_rows.SESSIONS, account_id=viewer.account_id)
        if session_id not in {row.id for row in rows}:
            raise NotFound("token_not_found", "You have no such login.")
        self._end_sessions(unit, viewer.actor.did, viewer.id, [session_id])

    async def change_password(self, viewer: Viewer, old: str, new: str) -> Login:
        """Replace the password, end every session and begin a new one like the viewer's."""
        check_password(new)
        rows = await self._store.read(lambda unit: unit.fetch(
            tables.ACCOUNT, account_id=viewer.account_id, now_us=unit.clock_us
        ))
        known = rows[0].password_hash
        await self.check_present(viewer, old)
        fresh = await self._passwords.hash(new)

        def command(unit: Unit) -> Claims:
            account, (sessions,) = self._locked_account(unit, viewer.account_id, known)
            own = next((row for row in sessions if row.id == viewer.session_id), None)
            self._stage_password(unit, account, sessions, fresh)
            return self._begin_session(
                unit, account, [], address=own and own.address, agent=own and own.agent
            )

        return Login(token=self._token(await self._store.write(command)))

    async def set_password(self, name: str, password: str) -> None:
        """Give a local person a new password and end its sessions; for the command line."""
        check_password(password)
        await self._replace_password(name, password)

    @abstractmethod
    async def tell_admins(self, applicant: Account) -> None:
        """Write to the administrators that somebody waits; see letters.py."""

    @abstractmethod
    async def send_verification(self, account_id: int) -> bool:
        """Send a link to an account's address; see letters.py."""

    async def _replace_password(self, name: str, password: str) -> None:
        fresh = await self._passwords.hash(password)

        def command(unit: Unit) -> None:
            rows = unit.fetch(tables.ACCOUNT_BY_NAME, login=name.lower(), now_us=unit.clock_us)
            if not rows:
                raise NotFound("couldnt_find_person", f"There is no account named {name}.")
            account, (sessions,) = self._locked_account(
                unit, rows[0].account_id, rows[0].password_hash
            )
            self._stage_password(unit, account, sessions, fresh)

        await self._store.write(command)

    async def _create(self, command: Callable[[Unit], T]) -> T:
        """Run a command that takes a name, and say so where another took it at the same moment."""
        try:
            return await self._store.write(command)
        except Refused as refusal:
            if refusal.code != "already_exists":
                raise
            raise Conflict("user_already_exists", "This name has just been taken.") from refusal

    def _check_may_enter(self, row: Row) -> None:
        """Refuse whoever may not come in although the password is right."""
        account = account_from(row)
        if account.actor.deleted:
            raise Forbidden("deleted", "This account was deleted.")
        if not account.accepted and row.admin_id is not None:
            raise Forbidden("registration_denied",
                            row.deny_reason or "Your application was not approved.")
        if not account.accepted:
            raise Forbidden("registration_application_is_pending",
                            "An administrator has not yet looked at your application.")
        needs_email = self.reader.site.settings.require_email_verification
        if needs_email and not account.email_verified and not account.actor.admin:
            raise Forbidden("email_not_verified", "Your e-mail address is not verified yet.")

    def _viewer_from(self, row: Row, now_us: int) -> Viewer | None:
        """Return the viewer of a session's row, None where the session counts for nothing."""
        session_us_max = int(self._ground.config.accounts.session_s * 1_000_000)
        is_old = now_us - row.used_us > session_us_max
        if row.deleted or row.banned or not row.accepted or is_old:
            return None
        account = account_from(row)
        return Viewer(
            actor=account.actor, account_id=account.id, settings=account.settings,
            session_id=SessionId(row.session_id), accepted=account.accepted,
            email_verified=account.email_verified,
            permissions=permissions_from(row.permissions), totp_enabled=bool(row.totp_enabled),
            vouched=row.invited, once_banned=row.once_banned, moved=row.moved,
        )

    async def _note_use(self, session_id: SessionId, now_us: int) -> None:
        note = {"session_id": session_id, "new_used_us": now_us}
        try:
            await self._store.write(lambda unit: unit.stage(door_rows.USE_SESSION, note))
        except Unavailable:
            # A full disk must not keep anybody from reading; the next fresh look notes it.
            return

    def _begin_session(
        self, unit: Unit, account: Account, sessions: list[Row], *,
        address: str | None, agent: str | None, through: str | None = None,
    ) -> Claims:
        """Stage a new session; of too many `sessions`, newest first, the oldest end."""
        did = account.actor.did
        too_many = [row.id for row in sessions[SESSIONS_PER_ACCOUNT_MAX - 1:]]
        self._end_sessions(unit, did, account.actor.id, too_many)
        tid = self._ground.tids.next()
        unit.stage(door_rows.INSERT_SESSION, {
            "id": tid, "account_id": account.id,
            "published_us": unit.clock_us, "used_us": unit.clock_us,
            "address": address and address[:ADDRESS_LENGTH_MAX],
            "agent": agent and agent[:AGENT_LENGTH_MAX],
            "through": through,
        })
        record = records.Session(created_at=isoformat(unit.clock_us))
        unit.emit(event_of(
            record, id=tid, did=did, operation="create", rkey=tid, row=account.actor.id
        ))
        return Claims(account.id, SessionId(tid))

    def _end_sessions(self, unit: Unit, did: str, person_id: int, ids: list[str]) -> None:
        if not ids:
            return
        unit.stage(door_rows.END_SESSIONS, {"ids": ids})
        unit.emit(*(
            deletion_of(_SESSION, id=self._ground.tids.next(), did=did, rkey=id, row=person_id)
            for id in ids
        ))

    def _stage_password(
        self, unit: Unit, account: Account, sessions: list[Row], password_hash: str
    ) -> None:
        unit.stage(tables.SET_PASSWORD, {"account_id": account.id, "new_hash": password_hash})
        ids = [row.id for row in sessions]
        self._end_sessions(unit, account.actor.did, account.actor.id, ids)

    def _token(self, claims: Claims) -> str:
        return self._tokens.sign(claims, issued_us=self._ground.clock())


def check_joining(
    site: SiteSettings, *, invite: str | None, email: str | None, answer: str | None,
    is_asked: bool,
) -> None:
    """Refuse whoever does not bring what the site asks for."""
    if site.registration_mode == "Closed":
        raise Refused("registration_closed", "This site takes no new members.")
    if site.invite_only and not invite:
        raise Refused("registration_closed", "One joins this site by an invitation.")
    if is_asked and not (answer or "").strip():
        raise Refused("registration_application_answer_required", "Answer the question first.")
    if answer is not None and len(answer) > ANSWER_LENGTH_MAX:
        raise Refused("invalid_body_field", f"At most {ANSWER_LENGTH_MAX} characters, please.")
    if site.require_email_verification and email is None:
        raise Refused("email_required", "This site asks for an e-mail address.")


def first_settings(site: SiteSettings, *, email: str | None, show_nsfw: bool) -> Settings:
    """Return what a new account begins with: what the site shows to strangers."""
    return Settings(
        email=email, show_nsfw=show_nsfw, theme=site.default_theme,
        default_listing_type=site.default_post_listing_type,
        default_sort_type=site.default_sort_type,
        post_listing_mode=site.default_post_listing_mode,
    )
