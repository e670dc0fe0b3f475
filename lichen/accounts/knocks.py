"""Knocks: coming in with an account on another server.

    begin_knock ─► a code by message, or a way through the home's own login (`federation.proving`)
         │
    prove_by_code · prove_by_state ─► proved: it is the person elsewhere, and nobody else
         │
    enter ─┬─ known: a session of the account that is linked, its second factor asked as ever
           └─ new:   an account of its own here, under the site's rules for joining, linked with it

The handle is the browser's alone; rows hold hashes. A proof counts once, for ten minutes.
"""

import base64
import hashlib
import hmac
from typing import NamedTuple

from lichen.accounts import door_rows, link_rows, tables
from lichen.accounts.erasure_rows import NO_PASSWORD
from lichen.accounts.limits import (
    HANDLE_BYTES,
    KNOCK_AGE_US,
    KNOCK_TRIES_MAX,
    KNOCK_WINDOW_US,
    KNOCKS_PER_HOST_MAX,
    KNOCKS_PER_PERSON_MAX,
)
from lichen.accounts.logins import check_joining, first_settings
from lichen.accounts.model import (
    Account,
    AccountDraft,
    Actor,
    ActorDraft,
    ActorKind,
    Login,
    Viewer,
    check_email,
    check_name,
)
from lichen.accounts.moves import Moves
from lichen.accounts.nouns import account_from, actor_from
from lichen.accounts.ties import Method
from lichen.accounts.tokens import Claims
from lichen.kit import Forbidden, NotFound, Reason, TooMany, Unauthenticated
from lichen.store import Row, Unit, set_stamp, stamp_of

_CODE_BYTES = 7  # 56 bits, of which ten characters are kept: 50 bits
_CODE_LENGTH = 10
_KEEPER = "accounts.doorkeeper"  # the stamp that names the actor who sends codes
KEEPER_NAME = "doorkeeper"
_KEEPER_SUMMARY = (
    "I am a program: I send codes to people who sign in here with an account elsewhere, and read "
    "nothing."
)


class Knock(NamedTuple):
    """One try to come in: by whom, how, how far it is, and the account here that it opens.

    `for_account` is whose link it shall be, None at the door; `opens` is the name of the account
    here that it opens, once it is proved. `verifier` is PKCE's secret.
    """

    person: Actor
    method: Method
    proved: bool
    for_account: int | None
    opens: str = ""
    asks_code: bool = False
    verifier: str = ""

    @property
    def is_known(self) -> bool:
        """Whether an account here is linked with the person."""
        return bool(self.opens)


class Wishes(NamedTuple):
    """What somebody says who comes in: a second factor's code, or what joining asks for."""

    name: str = ""
    code: str = ""
    email: str = ""
    answer: str = ""
    invite: str = ""
    captcha: tuple[str, str] = ("", "")


class Knocks(Moves):
    """Lets people in who have an account elsewhere."""

    def new_code(self) -> str:
        """Return a fresh code as people read it."""
        letters = base64.b32encode(self._ground.randomness.randbytes(_CODE_BYTES)).decode()
        return f"{letters[:5]}-{letters[5:_CODE_LENGTH]}"

    def new_secret(self) -> str:
        """Return a fresh handle, state or verifier; RFC 7636 §4.1 takes it too."""
        secret = self._ground.randomness.randbytes(HANDLE_BYTES)
        return base64.urlsafe_b64encode(secret).decode().rstrip("=")

    def begin_knock(
        self, unit: Unit, person: Actor, *, method: Method, secret: str, verifier: str = "",
        viewer: Viewer | None = None,
    ) -> str:
        """Keep that somebody says to be a person elsewhere, and return the handle of the try.

        `secret` is the code or the state that will prove it. Refuses who is banned here, and more
        than so many tries, by `rate_limit_error`. Two round trips.
        """
        if person.local or person.kind is not ActorKind.PERSON or person.deleted:
            raise NotFound("couldnt_find_person", "No such person of another server is known.")
        if person.banned:
            raise Forbidden("site_ban", f"@{person.name}@{person.domain} is banned from this site.")
        since_us = unit.clock_us - KNOCK_WINDOW_US
        count = unit.fetch(
            link_rows.COUNT_KNOCKS, actor_id=person.id, authority=person.domain, since_us=since_us
        )[0]
        if count.of_person >= KNOCKS_PER_PERSON_MAX or count.of_host >= KNOCKS_PER_HOST_MAX:
            raise TooMany(retry_after_s=KNOCK_WINDOW_US / 1e6,
                          text="Too many codes were asked for; try again in an hour.")
        handle = self.new_secret()
        unit.stage(link_rows.FORGET_KNOCKS, {"before_us": since_us})
        unit.stage(link_rows.INSERT_KNOCK, {
            "handle_hash": _hashed(handle), "actor_id": person.id, "authority": person.domain,
            "account_id": None if viewer is None else viewer.account_id, "method": method,
            "secret_hash": _hashed(handle, _plain(secret, method)), "verifier": verifier or None,
            "tries": 0, "proved": False, "used": False, "published_us": unit.clock_us,
            "expires_us": unit.clock_us + KNOCK_AGE_US,
        })
        return handle

    async def prove(self, handle: str, secret: str, *, method: Method) -> Knock:
        """Take the code or the state that was sent, and return the knock; its verifier once.

        Refuses by `invalid_code`; after five wrong ones the try is over. A state alone proves
        nothing yet: `confirm` does, once the home has said who came.
        """
        def command(unit: Unit) -> Knock | None:
            row = self._found_knock(unit, handle)
            is_right = (
                row.knock_method == method and not row.knock_proved
                and (method == "message" or not row.knock_tries)  # a state goes once
                and hmac.compare_digest(
                    row.knock_secret_hash, _hashed(handle, _plain(secret, method))
                )
            )
            tries = row.knock_tries + 1
            unit.stage(link_rows.TRY_KNOCK, {
                "row_hash": row.knock_handle_hash,
                "new_tries": KNOCK_TRIES_MAX if method == "oauth" else tries,
                "new_proved": is_right and method == "message",
                "new_used": not is_right and tries >= KNOCK_TRIES_MAX,
            })
            if not is_right:
                return None
            return self._knock(unit, row, proved=method == "message")

        found = await self._store.write(command)
        if found is None:
            raise Unauthenticated("invalid_code", "This is not the code that was sent to you.")
        return found

    async def confirm(self, handle: str) -> Knock:
        """Note that the home has said who came; only after its state was taken."""
        def command(unit: Unit) -> Knock:
            row = self._found_knock(unit, handle)
            assert row.knock_method == "oauth" and row.knock_tries, "its state came first"
            self._mark(unit, row, used=False)
            return self._knock(unit, row, proved=True)

        return await self._store.write(command)

    async def knock(self, handle: str) -> Knock:
        """Return how far a try is; refuses by `invalid_code` what has ended or never was."""
        def query(unit: Unit) -> Knock:
            row = self._found_knock(unit, handle)
            return self._knock(unit, row, proved=row.knock_proved)

        return await self._store.write(query)

    async def link_proved(self, viewer: Viewer, handle: str) -> Actor:
        """Link an account elsewhere, just proved, with the viewer's who asked for it."""
        def command(unit: Unit) -> Actor:
            row = self._proved(unit, handle)
            if row.knock_account_id != viewer.account_id:
                raise _no_knock()
            account = account_from(unit.fetch(
                tables.ACCOUNT_LOCKED, account_id=viewer.account_id, now_us=unit.clock_us
            )[0])
            self._mark(unit, row, used=True)
            person = actor_from(row)
            self.link(unit, account, person, row.knock_method)
            return person

        return await self._store.write(command)

    async def enter(
        self, handle: str, wishes: Wishes, *, address: str | None, agent: str | None
    ) -> Login:
        """Begin a session for whoever proved to be a person elsewhere, joining where it is new.

        Refuses as a login does, or as joining does; the proof then stands until its time is over.
        """
        known = await self.knock(handle)
        if known.is_known:
            if known.asks_code:  # six digits can be guessed: wrong ones count as failed logins
                await self._attempts.begin(known.opens, address, _nobody)
            claims = await self._store.write(lambda unit: self._enter_known(
                unit, handle, wishes, address=address, agent=agent
            ))
            if known.asks_code:
                self._attempts.succeed(known.opens, address)
            return Login(token=self._token(claims))
        return await self._join(handle, known.person, wishes, address=address, agent=agent)

    def doorkeeper(self, unit: Unit) -> Actor:
        """Return the actor of ours that sends codes, made at the first need.

        A bot of its own and not the site: Lemmy takes private messages from persons alone.
        """
        stamp = stamp_of(unit, _KEEPER)
        if stamp is not None:
            return self.actors(unit, [int(stamp)])[int(stamp)]
        taken = {one.name.lower() for one in self.local_persons_named(unit, _keeper_names())}
        name = next(one for one in _keeper_names() if one not in taken)
        keeper = self.create_actors(unit, [ActorDraft(
            kind=ActorKind.PERSON, name=name, bot=True, summary=_KEEPER_SUMMARY,
        )])[0]
        set_stamp(unit, _KEEPER, str(keeper.id))
        return keeper

    def _enter_known(
        self, unit: Unit, handle: str, wishes: Wishes, *, address: str | None, agent: str | None
    ) -> Claims:
        row = self._proved(unit, handle)
        person = actor_from(row)
        found = unit.fetch(link_rows.ACCOUNT_LINKED, linked_id=person.id, now_us=unit.clock_us)
        if not found:
            raise _no_knock()
        sessions, *factor = unit.fetch_all(
            (door_rows.SESSIONS, {"account_id": found[0].account_id}),
            *self._factor_queries(found[0].account_id),
        )
        account = account_from(found[0])
        if account.actor.banned and not account.actor.deleted:
            raise Forbidden("site_ban", "You are banned from this site.")
        self._check_may_enter(found[0])
        self._check_factor(unit, account, factor, wishes.code or None)
        self._mark(unit, row, used=True)
        self.keep_link(unit, account, person, row.knock_method)
        return self._begin_session(unit, account, sessions, address=address, agent=agent,
                                   through=_through(person))

    async def _join(
        self, handle: str, person: Actor, wishes: Wishes, *, address: str | None,
        agent: str | None,
    ) -> Login:
        """Make an account for a person who has none here, under the site's rules."""
        site = self.reader.site.settings
        invite = wishes.invite or None
        draft, holds = await self._draft(wishes, address=address)
        waits, email = not draft.accepted, draft.settings.email

        def command(unit: Unit) -> tuple[Account, Claims | None]:
            row = self._proved(unit, handle)
            if row.knock_account_id is not None or row.id != person.id:
                raise _no_knock()
            account = self.create_accounts(unit, [draft])[0]
            if invite:
                self._use_invite(unit, account, invite)
            self._mark(unit, row, used=True)
            self.link(unit, account, person, row.knock_method)
            if waits or site.require_email_verification:
                return account, None
            return account, self._begin_session(
                unit, account, [], address=address, agent=agent, through=_through(person)
            )

        account, claims = await self._create(command)
        if waits and site.application_email_admins:
            await self.tell_admins(account)
        is_sent = email is not None and await self.send_verification(account.id)
        return Login(
            token=None if claims is None else self._token(claims),
            registration_created=claims is None, verify_email_sent=is_sent, holds=holds,
        )

    async def _draft(
        self, wishes: Wishes, *, address: str | None
    ) -> tuple[AccountDraft, tuple[Reason, ...]]:
        """Return the account that somebody asks for, and why it has to wait, if plugins say so."""
        site = self.reader.site.settings
        invite = wishes.invite or None
        is_asked = site.registration_mode == "RequireApplication" and not invite
        email = check_email(wishes.email or None)
        check_joining(site, invite=invite, email=email, answer=wishes.answer or None,
                      is_asked=is_asked)
        check_name(wishes.name, length_max=site.actor_name_max_length)
        self.reader.screen.check_words(wishes.name, wishes.answer)
        await self._check_proofs(site, invite=invite, captcha=wishes.captcha)
        holds = () if is_asked else await self._holds(
            name=wishes.name, email=email, answer=wishes.answer or None, address=address
        )
        waits = is_asked or bool(holds)
        return AccountDraft(
            actor=ActorDraft(kind=ActorKind.PERSON, name=wishes.name), password_hash=NO_PASSWORD,
            settings=first_settings(site, email=email, show_nsfw=False), accepted=not waits,
            answer=wishes.answer if waits else wishes.answer or None,
        ), holds

    def _found_knock(self, unit: Unit, handle: str) -> Row:
        rows = unit.fetch(
            link_rows.KNOCK_LOCKED, handle_hash=_hashed(handle), now_us=unit.clock_us
        )
        if not rows or (rows[0].knock_tries >= KNOCK_TRIES_MAX
                        and rows[0].knock_method == "message" and not rows[0].knock_proved):
            raise _no_knock()
        return rows[0]

    def _proved(self, unit: Unit, handle: str) -> Row:
        row = self._found_knock(unit, handle)
        if not row.knock_proved:
            raise _no_knock()
        if row.banned or row.deleted:
            raise Forbidden("site_ban", "This account is banned from this site.")
        return row

    def _knock(self, unit: Unit, row: Row, *, proved: bool) -> Knock:
        person = actor_from(row)
        # Whom it opens is told to nobody who has not proved it.
        found = unit.fetch(
            link_rows.ACCOUNT_LINKED, linked_id=person.id, now_us=unit.clock_us
        ) if proved else []
        return Knock(
            person, row.knock_method, proved, row.knock_account_id,
            opens=found[0].name.lower() if found else "",
            asks_code=bool(found and found[0].totp_enabled), verifier=row.knock_verifier or "",
        )

    def _mark(self, unit: Unit, row: Row, *, used: bool) -> None:
        unit.stage(link_rows.TRY_KNOCK, {
            "row_hash": row.knock_handle_hash, "new_tries": row.knock_tries, "new_proved": True,
            "new_used": used,
        })


async def _nobody() -> bool:
    return False


def _no_knock() -> Unauthenticated:
    return Unauthenticated("invalid_code", "This has ended; begin again.")


def _through(person: Actor) -> str:
    return f"@{person.name}@{person.domain}"


def _plain(secret: str, method: Method) -> str:
    """Return a code without what people type around it."""
    return secret if method == "oauth" else "".join(filter(str.isalnum, secret)).upper()


def _hashed(handle: str, secret: str = "") -> str:
    return hashlib.sha256(f"{handle} {secret}".encode()).hexdigest()


def _keeper_names() -> list[str]:
    return [KEEPER_NAME, *(f"{KEEPER_NAME}_{number}" for number in range(2, 20))]
