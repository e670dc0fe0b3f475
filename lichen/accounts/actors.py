"""Actors and accounts: found, created, given keys. The part that the others stand on."""

import asyncio
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Literal, Protocol

import msgspec

from lichen.accounts import authority_rows, door_rows, name_rows, tables
from lichen.accounts.attempts import Attempts
from lichen.accounts.captchas import Captchas
from lichen.accounts.content import PersonGone, nothing_to_take
from lichen.accounts.keys import generate_keys
from lichen.accounts.limits import BATCH_MAX, RESETS_WAITING_MAX
from lichen.accounts.model import (
    OUR_INSTANCE_ID,
    Account,
    AccountDraft,
    Actor,
    ActorDraft,
    ActorId,
    ActorKind,
    Instance,
    Keys,
    Settings,
    remote_did,
    site_did,
)
from lichen.accounts.newcomers import NewcomerLimits
from lichen.accounts.nouns import (
    actor_from,
    actor_row,
    instance_from,
    kept_actor,
    retired_hash,
    stored_settings,
)
from lichen.accounts.passwords import Passwords
from lichen.accounts.reader import AccountsReader
from lichen.accounts.records import profile_of, settings_of
from lichen.accounts.taken import check_draft, check_ids
from lichen.accounts.tokens import Tokens
from lichen.events import LOCAL, event_of
from lichen.events import accounts as records
from lichen.events.accounts import SELF
from lichen.kit import Conflict, NotFound, Reason, isoformat
from lichen.kit.ground import Ground
from lichen.store import Query, Row, Store, Unit
from lichen.web import Addresses

SITE_ITSELF = 0  # the decider of an application that nobody had to read


class RegistrationCheck(Protocol):
    """Who is asked before an account is made; the house hands in the plugins' hooks."""

    async def check_registration(
        self, *, name: str, email: str | None, answer: str | None, address: str | None
    ) -> tuple[Reason, ...]:
        """Return why the account has to wait for an administrator, if at all; raises Refused."""


class Actors:
    """Finds and creates actors, local and remote, persons and communities alike."""

    def __init__(  # noqa: PLR0913 - what all parts of the room share
        self, ground: Ground, store: Store, *, addresses: Addresses, reader: AccountsReader,
        passwords: Passwords, tokens: Tokens, make_keys: Callable[[], Keys] = generate_keys,
        registration_check: RegistrationCheck | None = None,
        person_gone: PersonGone = nothing_to_take,
    ) -> None:
        self.reader = reader
        self._ground = ground
        self._store = store
        self._addresses = addresses
        self._passwords = passwords
        self._tokens = tokens
        self._make_keys = make_keys
        self._registration_check = registration_check
        self._person_gone = person_gone
        self._attempts = Attempts(ground.config, ground.clock)
        self.newcomers = NewcomerLimits(ground.config)
        self.captchas = Captchas(ground.clock, ground.randomness)
        self._resets: asyncio.Queue[str] = asyncio.Queue(RESETS_WAITING_MAX)

    async def close(self) -> None:
        """End the threads that hash passwords, after what they are doing."""
        await asyncio.to_thread(self._passwords.close)

    def actors_query(self, unit: Unit, ids: Iterable[int]) -> Query:
        """Return the query for actors by id, to ride along in a `fetch_all`; see `actors_from`."""
        return tables.ACTORS, {"ids": list(ids), "now_us": unit.clock_us}

    def actors_from(self, rows: Iterable[Row]) -> dict[int, Actor]:
        """Return the actors of the rows that `actors_query` fetched, by id."""
        return {row.id: kept_actor(row) for row in rows}

    def actors(self, unit: Unit, ids: Iterable[int]) -> dict[int, Actor]:
        """Return actors by id; unknown ids are missing. One round trip."""
        return self.actors_from(unit.fetch_all(self.actors_query(unit, ids))[0])

    def actor_by_name(
        self, unit: Unit, kind: ActorKind, name: str, domain: str | None = None
    ) -> Actor | None:
        """Return a local actor by name, or a remote one by name and authority; case is ignored.

        Among remote actors whose names differ by case alone the exact one wins.
        """
        asked = {"kind": kind.value, "name_key": name.lower(), "now_us": unit.clock_us}
        if domain in (None, self._addresses.authority):
            rows = unit.fetch(tables.LOCAL_ACTOR_BY_NAME, **asked)
        else:
            rows = unit.fetch(tables.REMOTE_ACTOR_BY_NAME, **asked, name=name, domain=domain)
        return actor_from(rows[0]) if rows else None

    def local_persons_named(self, unit: Unit, names: Iterable[str]) -> list[Actor]:
        """Return the local persons of these names; case is ignored, unknown ones are missing."""
        rows = unit.fetch(
            tables.LOCAL_ACTORS_BY_NAME, kind=ActorKind.PERSON.value, now_us=unit.clock_us,
            name_keys=[name.lower() for name in names],
        )
        return [actor_from(row) for row in rows]

    def actor_by_did(self, unit: Unit, did: str) -> Actor | None:
        """Return the actor that events name by this DID."""
        rows = unit.fetch(tables.ACTOR_BY_DID, did=did, now_us=unit.clock_us)
        return actor_from(rows[0]) if rows else None

    def actors_by_dids(self, unit: Unit, dids: Iterable[str]) -> dict[str, Actor]:
        """Return actors by the DIDs that events name them by; unknown ones are missing."""
        rows = unit.fetch(authority_rows.ACTORS_BY_DIDS, dids=list(dids), now_us=unit.clock_us)
        return {row.did: actor_from(row) for row in rows}

    def persons_named(
        self, unit: Unit, names: Iterable[tuple[str, str]]
    ) -> dict[tuple[str, str], Actor]:
        """Return persons by name and authority, local or remote; case of the name is ignored."""
        asked = {(name.lower(), domain) for name, domain in names}
        rows = unit.fetch(
            authority_rows.ACTORS_BY_NAMES, kind=ActorKind.PERSON.value, now_us=unit.clock_us,
            name_keys=sorted({name for name, _ in asked}),
        )
        found = map(actor_from, rows)
        pairs = {(person.name.lower(), person.domain): person for person in found}
        return {pair: person for pair, person in pairs.items() if pair in asked}

    def actors_by_ap_id(self, unit: Unit, ap_ids: Iterable[str]) -> dict[str, Actor]:
        """Return actors by their ActivityPub id; unknown ones are missing."""
        rows = unit.fetch(tables.ACTORS_BY_AP_ID, ap_ids=list(ap_ids), now_us=unit.clock_us)
        return {row.ap_id: actor_from(row) for row in rows}

    def actors_by_ap_id_query(self, unit: Unit, ap_ids: Iterable[str]) -> Query:
        """Return the query for actors by ActivityPub id, to ride along; see `actors_from`."""
        return tables.ACTORS_BY_AP_ID, {"ap_ids": list(ap_ids), "now_us": unit.clock_us}

    def admins(self, unit: Unit) -> list[Actor]:
        """Return the administrators, the longest-serving account first."""
        return [actor_from(row) for row in unit.fetch(tables.ADMINS, now_us=unit.clock_us)]

    def instances(self, unit: Unit) -> list[Instance]:
        """Return every known instance, ours first."""
        return [instance_from(row) for row in unit.fetch(tables.INSTANCES)]

    def accounts_count(self, unit: Unit) -> int:
        """Return how many people have an account here; one round trip."""
        return int(unit.fetch(tables.COUNT_ACCOUNTS)[0].count)

    def create_actors(self, unit: Unit, drafts: Sequence[ActorDraft]) -> list[Actor]:
        """Create actors and return them in the order of the drafts; one round trip.

        Persons are told in events; of communities their own room tells. Local actors get their
        keys when first asked for. Refuses a local name that is taken and an ActivityPub id that
        is known.
        """
        return self._stage_actors(unit, drafts, *unit.fetch_all(*self._asked_before(drafts)))

    def create_accounts(self, unit: Unit, drafts: Sequence[AccountDraft]) -> list[Account]:
        """Create local persons with their accounts; one round trip.

        Refuses a name or an e-mail address that is taken.
        """
        emails = [draft.settings.email for draft in drafts if draft.settings.email]
        actor_drafts = [draft.actor for draft in drafts]
        assert all(draft.kind is ActorKind.PERSON for draft in actor_drafts)
        taken_emails, *before = unit.fetch_all(
            (tables.TAKEN_EMAILS, {"emails": emails}), *self._asked_before(actor_drafts)
        )
        if taken_emails or len(set(emails)) < len(emails):
            raise Conflict("email_already_exists", "Another account has this e-mail address.")
        actors = self._stage_actors(unit, actor_drafts, *before)
        return self._stage_accounts(unit, drafts, actors)

    async def keys(self, actor_id: int) -> Keys:
        """Return an actor's keys; a local actor's are made, outside any unit, at the first need."""
        found = await self._store.read(lambda unit: self._found_keys(unit, actor_id))
        if found is not None:
            return found
        fresh = await asyncio.to_thread(self._make_keys)
        await self._store.write(lambda unit: _stage_keys(unit, {actor_id: fresh}))
        # Whoever else made keys meanwhile may have been first: what is kept counts.
        kept = await self._store.read(lambda unit: self._found_keys(unit, actor_id))
        assert kept is not None, "keys were kept"
        return kept

    def _found_keys(self, unit: Unit, actor_id: int) -> Keys | None:
        rows, actors = unit.fetch_all(
            (tables.KEYS, {"actor_id": actor_id}), self.actors_query(unit, [actor_id])
        )
        if rows:
            return Keys(public=rows[0].public_key, private=rows[0].private_key)
        if not actors or not actor_from(actors[0]).local:
            raise NotFound("couldnt_find_object", "No keys are known of this actor.")
        return None

    def _asked_before(self, drafts: Sequence[ActorDraft]) -> tuple[Query, Query, Query]:
        """Return what must be known before actors are created."""
        assert len(drafts) <= BATCH_MAX
        names = [draft.name.lower() for draft in drafts if draft.domain is None]
        ap_ids = [self._ap_id(draft) for draft in drafts]
        domains = list({draft.domain for draft in drafts if draft.domain is not None})
        return (
            (name_rows.TAKEN_NAMES, {
                "name_keys": names, "name_hashes": [retired_hash(name) for name in names],
            }),
            (tables.TAKEN_AP_IDS, {"ap_ids": ap_ids}),
            (tables.INSTANCES_BY_DOMAIN, {"domains": domains}),
        )

    def _stage_actors(
        self, unit: Unit, drafts: Sequence[ActorDraft],
        taken_names: list[Row], taken_ap_ids: list[Row], instances: list[Row],
    ) -> list[Actor]:
        taken = {(row.kind, row.name_key) for row in taken_names}
        for draft in drafts:
            check_draft(draft, taken)
            if draft.domain is None:
                taken.add((draft.kind.value, draft.name.lower()))
        check_ids(drafts, {row.ap_id for row in taken_ap_ids}, ap_id=self._ap_id)
        known = self._stage_instances(unit, drafts, instances)
        missing = sum(draft.id is None for draft in drafts)
        fresh = iter(unit.take_numbers("actor", missing))
        actors = [
            self._actor(unit, draft, id=next(fresh) if draft.id is None else draft.id,
                        instance_id=known[draft.domain])
            for draft in drafts
        ]
        unit.stage(tables.INSERT_ACTOR, *map(actor_row, actors))
        keys = zip(actors, drafts, strict=True)
        _stage_keys(unit, {actor.id: draft.keys for actor, draft in keys if draft.keys})
        for actor in actors:
            if actor.kind is ActorKind.PERSON:
                self._tell_profile(unit, actor, is_new=True)
        return actors

    def _stage_instances(
        self, unit: Unit, drafts: Sequence[ActorDraft], rows: list[Row]
    ) -> dict[str | None, int]:
        """Return instance ids by domain, None for ours, staging those not known yet."""
        known: dict[str | None, int] = {None: OUR_INSTANCE_ID}
        known.update((row.domain, row.id) for row in rows)
        missing = sorted({draft.domain for draft in drafts if draft.domain} - set(known))
        numbers = unit.take_numbers("instance", len(missing))
        for domain, number in zip(missing, numbers, strict=True):
            known[domain] = OUR_INSTANCE_ID + number
            unit.stage(tables.INSERT_INSTANCE, {
                "id": known[domain], "domain": domain, "software": None, "version": None,
                "published_us": unit.clock_us, "updated_us": None,
            })
        return known

    def _stage_accounts(
        self, unit: Unit, drafts: Sequence[AccountDraft], actors: Sequence[Actor]
    ) -> list[Account]:
        missing = sum(draft.id is None for draft in drafts)
        fresh = iter(unit.take_numbers("account", missing))
        accounts = []
        for draft, actor in zip(drafts, actors, strict=True):
            account = Account(
                id=next(fresh) if draft.id is None else draft.id, actor=actor,
                settings=draft.settings, accepted=draft.accepted,
                email_verified=draft.email_verified,
            )
            accounts.append(account)
            if stored_settings(draft.settings) != stored_settings(Settings()):
                self._tell_settings(unit, account, is_new=True)
        rows = [
            {
                "id": account.id, "actor_id": account.actor.id,
                "password_hash": draft.password_hash, "email": draft.settings.email,
                "email_verified": draft.email_verified, "accepted": draft.accepted,
                "settings": stored_settings(draft.settings),
            }
            for account, draft in zip(accounts, drafts, strict=True)
        ]
        unit.stage(tables.INSERT_ACCOUNT, *rows)
        self._stage_applications(unit, zip(accounts, drafts, strict=True))
        return accounts

    def _stage_applications(
        self, unit: Unit, pairs: Iterable[tuple[Account, AccountDraft]]
    ) -> None:
        """Stage what applicants said; who is accepted at once does not wait for anybody."""
        answers = [(account, draft.answer) for account, draft in pairs if draft.answer is not None]
        unit.stage(door_rows.INSERT_APPLICATION, *(
            {
                "account_id": account.id, "answer": answer, "published_us": unit.clock_us,
                "admin_id": SITE_ITSELF if account.accepted else None, "deny_reason": None,
            }
            for account, answer in answers
        ))
        for account, _ in answers:
            if not account.accepted:
                self._tell_application(unit, account, "waiting")

    def _tell_application(
        self, unit: Unit, account: Account, state: Literal["waiting", "approved", "denied"]
    ) -> None:
        record = records.Application(state=state, updated_at=isoformat(unit.clock_us))
        unit.emit(event_of(
            record, id=self._ground.tids.next(), did=account.actor.did,
            operation="create" if state == "waiting" else "update", rkey=SELF,
            row=account.actor.id,
        ))

    def change_actor(self, unit: Unit, actor: Actor) -> Actor:
        """Stage the columns that a profile holds and return the actor, told of by nobody."""
        actor = msgspec.structs.replace(actor, updated_us=unit.clock_us)
        unit.stage(tables.UPDATE_ACTOR, {
            "actor_id": actor.id,
            "new_display_name": actor.display_name,
            "new_summary": actor.summary,
            "new_avatar": actor.avatar,
            "new_banner": actor.banner,
            "new_matrix_user_id": actor.matrix_user_id,
            "new_bot": actor.bot,
            "new_admin": actor.admin,
            "new_updated_us": actor.updated_us,
        })
        return actor

    def _tell_profile(self, unit: Unit, actor: Actor, *, is_new: bool) -> None:
        unit.emit(event_of(
            profile_of(actor), id=self._ground.tids.next(), did=actor.did,
            operation="create" if is_new else "update", rkey=SELF, row=actor.id,
            origin=LOCAL if actor.local else actor.domain,
        ))

    def _tell_settings(self, unit: Unit, account: Account, *, is_new: bool) -> None:
        unit.emit(event_of(
            settings_of(account.settings, unit.clock_us), id=self._ground.tids.next(),
            did=account.actor.did, operation="create" if is_new else "update", rkey=SELF,
            row=account.actor.id,
        ))

    def _actor(self, unit: Unit, draft: ActorDraft, *, id: int, instance_id: int) -> Actor:
        ap_id = self._ap_id(draft)
        return Actor(
            id=ActorId(id), kind=draft.kind, name=draft.name, display_name=draft.display_name,
            instance_id=instance_id, domain=draft.domain or self._addresses.authority,
            local=draft.domain is None, ap_id=ap_id, did=self._did(draft, ap_id),
            summary=draft.summary, avatar=draft.avatar, banner=draft.banner,
            matrix_user_id=draft.matrix_user_id, inbox=draft.inbox or ap_id.rstrip("/") + "/inbox",
            published_us=draft.published_us or unit.clock_us, updated_us=None, deleted=False,
            banned=False, ban_expires_us=None, bot=draft.bot, admin=draft.admin,
        )

    def _ap_id(self, draft: ActorDraft) -> str:
        if draft.ap_id is not None:
            return draft.ap_id
        if draft.kind is ActorKind.PERSON:
            return self._addresses.actor_id_of_person(draft.name)
        if draft.kind is ActorKind.COMMUNITY:
            return self._addresses.actor_id_of_community(draft.name)
        return self._addresses.absolute("/")

    def _did(self, draft: ActorDraft, ap_id: str) -> str:
        if draft.domain is not None:
            return remote_did(self._addresses.authority, ap_id)
        if draft.kind is ActorKind.PERSON:
            return self._addresses.did_of_person(draft.name)
        if draft.kind is ActorKind.COMMUNITY:
            return self._addresses.did_of_community(draft.name)
        return site_did(self._addresses.authority)


def _stage_keys(unit: Unit, keys: Mapping[int, Keys]) -> None:
    unit.stage(tables.KEEP_KEYS, *(
        {"actor_id": actor_id, "public_key": one.public, "private_key": one.private}
        for actor_id, one in keys.items()
    ))
