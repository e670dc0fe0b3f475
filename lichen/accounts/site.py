"""The site: what its administrators decide, who they are, and how the first one comes in."""

import base64
import hashlib
import hmac

import msgspec

from lichen.accounts import site_rows, tables
from lichen.accounts.away import Absences
from lichen.accounts.departures import Departures
from lichen.accounts.model import (
    Account,
    AccountDraft,
    Actor,
    ActorDraft,
    ActorKind,
    Login,
    Site,
    SiteSettings,
    Viewer,
    check_name,
    check_password,
    check_site,
)
from lichen.accounts.nouns import actor_from
from lichen.accounts.permissions import check_admin, check_permission
from lichen.accounts.records import site_settings_of
from lichen.accounts.site_lists import SiteLists, check_lists
from lichen.accounts.standing import Permission
from lichen.accounts.tokens import Claims
from lichen.events import accounts as records
from lichen.events import event_of
from lichen.events.accounts import SELF
from lichen.kit import Forbidden, NotFound, Refused, isoformat
from lichen.kit.flags import Flag, flag_named
from lichen.rules import check_pattern
from lichen.store import Row, Unit, set_stamp, stamp_of

SETUP_TOKEN_BYTES = 20  # 160 bits, 32 characters of base32

_SETUP_STAMP = "accounts.setup_token_hash"


class SiteDesk(Absences, Departures):
    """Where the site's own matters are settled."""

    @property
    def current_site(self) -> Site:
        """The site from memory, current by its events; costs nothing."""
        return self.reader.site

    def site(self, unit: Unit) -> Site:
        """Return the site from its row; one round trip."""
        return site_from(unit.fetch(site_rows.SITE, now_us=unit.clock_us)[0])

    def site_key(self, unit: Unit) -> str:
        """Return the site's public key as PEM; one round trip."""
        return str(unit.fetch(tables.KEYS, actor_id=self.current_site.actor.id)[0].public_key)

    def edit_site(
        self, unit: Unit, viewer: Viewer | None, settings: SiteSettings,
        lists: SiteLists | None = None,
    ) -> Site:
        """Replace the site's settings, and its lists where given, and return the site.

        Two round trips. Refuses a slur filter that cannot be used by `invalid_regex` and
        `permissive_regex`.
        """
        check_permission(viewer, Permission.EDIT_SITE)
        check_site(settings)
        if settings.slur_filter_regex:
            check_pattern(settings.slur_filter_regex)
        rows, lines = unit.fetch_all(
            (site_rows.SITE, {"now_us": unit.clock_us}), (site_rows.LINES, {})
        )
        before = site_from(rows[0])
        if lists is not None:
            self._stage_lists(unit, before.actor, lines, check_lists(lists))
        is_set_up = before.settings.set_up
        return self._stage_site(
            unit, before, msgspec.structs.replace(settings, set_up=is_set_up)
        )

    def flags(self, unit: Unit) -> dict[Flag, bool]:
        """Return the feature flags that were ever set."""
        return {flag_named(row.name): row.is_on for row in unit.fetch(site_rows.FLAGS)}

    def set_flag(self, unit: Unit, viewer: Viewer | None, name: str, *, on: bool) -> None:
        """Switch a feature flag; refuses an unknown one. One round trip."""
        check_admin(viewer)
        flag = flag_named(name)
        now_us = unit.clock_us
        unit.stage(site_rows.SET_FLAG, {"name": flag.value, "is_on": on, "updated_us": now_us})
        site = self.current_site.actor
        record = records.SiteFlag(name=flag.value, on=on, updated_at=isoformat(now_us))
        unit.emit(event_of(
            record, id=self._ground.tids.next(), did=site.did, operation="update",
            rkey=flag.value, row=site.id,
        ))

    def promote(
        self, unit: Unit, moderator: Viewer | None, person_id: int, *, admin: bool
    ) -> Actor:
        """Make a local person an administrator, or no longer one; twice is once."""
        check_admin(moderator)
        persons, admins, sites = unit.fetch_all(
            (tables.ACTORS_LOCKED, {"ids": [person_id], "now_us": unit.clock_us}),
            (tables.ADMINS, {"now_us": unit.clock_us}),
            (site_rows.SITE, {"now_us": unit.clock_us}),
        )
        person = actor_from(persons[0]) if persons else None
        if person is None or person.kind is not ActorKind.PERSON or not person.local:
            raise NotFound("couldnt_find_person", "No such person lives here.")
        if person.admin == admin:
            return person
        if not admin and len(admins) == 1:
            raise Refused("cannot_leave_admin", "A site needs an administrator.")
        if admin:
            self._note_set_up(unit, sites[0])
        return self._stage_profile(unit, msgspec.structs.replace(person, admin=admin))

    def setup_link_token(self, unit: Unit) -> str | None:
        """Return a new one-time token for the set-up page, None once there is an administrator.

        Each replaces the one before; only its hash is kept. Two round trips.
        """
        if unit.fetch(tables.ADMINS, now_us=unit.clock_us):
            return None
        random = self._ground.randomness.randbytes(SETUP_TOKEN_BYTES)
        token = base64.b32encode(random).decode().lower()
        set_stamp(unit, _SETUP_STAMP, _hashed(token))
        return token

    async def setup_token(self) -> str | None:
        """Return `setup_link_token` from a unit of its own; for the start of the house."""
        return await self._store.write(self.setup_link_token)

    async def set_up(
        self, token: str, name: str, password: str, *,
        address: str | None = None, agent: str | None = None,
    ) -> Login:
        """Create the first administrator with the token of the set-up link and log it in.

        Refuses a token that is wrong or used by `invalid_setup_token`.
        """
        check_name(name)
        check_password(password)
        await self._store.read(lambda unit: _check_setup_token(unit, token))
        draft = await self._admin_draft(name, password)

        def command(unit: Unit) -> Claims:
            _check_setup_token(unit, token)
            set_stamp(unit, _SETUP_STAMP, "")
            account = self._create_first_admin(unit, draft)
            return self._begin_session(unit, account, [], address=address, agent=agent)

        return Login(token=self._token(await self._create(command)))

    async def create_admin(self, name: str, password: str) -> Actor:
        """Create an administrator; for the command line, which may give any password."""
        check_name(name)
        draft = await self._admin_draft(name, password)
        return await self._create(lambda unit: self._create_first_admin(unit, draft).actor)

    async def ensure_admin(self, name: str, password: str) -> bool:
        """Make sure that an administrator exists; say whether one had to be made.

        A local person of that name is promoted and given the password, else it is created.
        """
        def look(unit: Unit) -> tuple[bool, Actor | None]:
            person = self.actor_by_name(unit, ActorKind.PERSON, name)
            return bool(self.admins(unit)), person

        has_admin, person = await self._store.read(look)
        if has_admin:
            return False
        if person is None:
            await self.create_admin(name, password)
            return True
        person_id = person.id
        await self._replace_password(name, password)
        await self._store.write(lambda unit: self.promote(unit, None, person_id, admin=True))
        return True

    async def _admin_draft(self, name: str, password: str) -> AccountDraft:
        return AccountDraft(
            actor=ActorDraft(kind=ActorKind.PERSON, name=name, admin=True),
            password_hash=await self._passwords.hash(password),
            email_verified=True,
        )

    def _create_first_admin(self, unit: Unit, draft: AccountDraft) -> Account:
        account = self.create_accounts(unit, [draft])[0]
        self._note_set_up(unit, unit.fetch(site_rows.SITE, now_us=unit.clock_us)[0])
        return account

    def _note_set_up(self, unit: Unit, row: Row) -> None:
        """Stage that the site has an administrator, unless that was known."""
        before = site_from(row)
        if not before.settings.set_up:
            self._stage_site(unit, before, msgspec.structs.replace(before.settings, set_up=True))

    def _stage_site(self, unit: Unit, before: Site, settings: SiteSettings) -> Site:
        site = msgspec.structs.replace(before, settings=settings, updated_us=unit.clock_us)
        unit.stage(site_rows.UPDATE_SITE, {
            "site_id": site.actor.id, "new_updated_us": site.updated_us,
            "new_settings": msgspec.json.encode(settings).decode(),
        })
        record = site_settings_of(
            settings, published_us=site.published_us, updated_us=site.updated_us
        )
        unit.emit(event_of(
            record, id=self._ground.tids.next(), did=site.actor.did, operation="update",
            rkey=SELF, row=site.actor.id,
        ))
        return site


def site_from(row: Row) -> Site:
    """Return the site of its row."""
    return Site(
        actor=actor_from(row),
        settings=msgspec.json.decode(row.settings, type=SiteSettings),
        published_us=row.site_published_us,
        updated_us=row.site_updated_us,
    )


def _check_setup_token(unit: Unit, token: str) -> None:
    kept = stamp_of(unit, _SETUP_STAMP) or ""
    is_right = hmac.compare_digest(kept.encode(), _hashed(token).encode())
    if not is_right or unit.fetch(tables.ADMINS, now_us=unit.clock_us):
        raise Forbidden(
            "invalid_setup_token",
            "This link is used or replaced; start Lichen again for a new one.",
        )


def _hashed(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()
