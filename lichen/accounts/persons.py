"""Persons: what they say of themselves, what they choose, whom they block, and their bans."""

from collections.abc import Iterable, Mapping
from typing import Literal

import msgspec

from lichen.accounts import block_rows, tables
from lichen.accounts.actors import Actors
from lichen.accounts.limits import BANNED_MAX, BLOCKS_MAX, REASON_LENGTH_MAX
from lichen.accounts.model import (
    OUR_INSTANCE_ID,
    Actor,
    ActorDraft,
    ActorKind,
    ProfileDraft,
    Settings,
    Viewer,
    check_profile,
    check_settings,
    site_did,
)
from lichen.accounts.nouns import account_from, actor_from, stored_settings
from lichen.accounts.papers import Ban, Blocks
from lichen.accounts.permissions import check_permission
from lichen.accounts.standing import Permission
from lichen.events import accounts as records
from lichen.events import collection_of, deletion_of, event_of
from lichen.kit import Conflict, Forbidden, NotFound, Refused, Tid, isoformat
from lichen.store import Query, Row, Statement, Unit

_BLOCK = collection_of(records.Block)

BlockKind = Literal["person", "community", "instance"]


class Persons(Actors):
    """What a person does to its own account, and an administrator to a person."""

    def save_profile(self, unit: Unit, viewer: Viewer, draft: ProfileDraft) -> Actor:
        """Change what a person says of itself and return the person; two round trips."""
        check_profile(draft)
        self.reader.screen.check_words(draft.display_name, draft.bio)
        rows = unit.fetch(tables.ACTORS_LOCKED, ids=[viewer.id], now_us=unit.clock_us)
        before = actor_from(rows[0])
        after = msgspec.structs.replace(
            before,
            display_name=_changed(before.display_name, draft.display_name),
            summary=_changed(before.summary, draft.bio),
            avatar=_changed(before.avatar, draft.avatar),
            banner=_changed(before.banner, draft.banner),
            matrix_user_id=_changed(before.matrix_user_id, draft.matrix_user_id),
            bot=before.bot if draft.bot is None else draft.bot,
        )
        return before if after == before else self._stage_profile(unit, after)

    def refresh_persons(self, unit: Unit, drafts: Mapping[int, ActorDraft]) -> None:
        """Take over what remote persons say of themselves now, by actor id; two round trips."""
        rows = unit.fetch(tables.ACTORS_LOCKED, ids=list(drafts), now_us=unit.clock_us)
        for before in map(actor_from, rows):
            assert not before.local, "a local person's profile is its own"
            draft = drafts[before.id]
            after = msgspec.structs.replace(
                before, display_name=draft.display_name, summary=draft.summary,
                avatar=draft.avatar, banner=draft.banner,
                matrix_user_id=draft.matrix_user_id, bot=draft.bot,
            )
            if after != before:
                self._stage_profile(unit, after)

    def save_settings(self, unit: Unit, viewer: Viewer, settings: Settings) -> Settings:
        """Replace a person's settings and return them; two round trips.

        A new e-mail address is not verified. Refuses one that another account has.
        """
        settings = check_settings(settings)
        if self.reader.site.settings.require_email_verification and not settings.email:
            raise Refused("email_required", "This site asks for an e-mail address.")
        rows, taken = unit.fetch_all(
            (tables.ACCOUNT_LOCKED, {"account_id": viewer.account_id, "now_us": unit.clock_us}),
            (tables.TAKEN_EMAILS, {"emails": [settings.email] if settings.email else []}),
        )
        if any(row.actor_id != viewer.id for row in taken):
            raise Conflict("email_already_exists", "Another account has this e-mail address.")
        account = account_from(rows[0])
        unit.stage(tables.SET_SETTINGS, {
            "account_id": account.id,
            "new_settings": stored_settings(settings),
            "new_email": settings.email,
            "new_email_verified": account.email_verified
            and settings.email == account.settings.email,
        })
        self._tell_settings(
            unit, msgspec.structs.replace(account, settings=settings), is_new=False
        )
        return settings

    def blocks_queries(self, viewer: Viewer) -> tuple[Query, Query]:
        """Return the queries for what a person blocks, to ride along; see `blocks_from`."""
        asked = {"person_id": viewer.id}
        return (block_rows.ACTOR_BLOCKS, asked), (block_rows.INSTANCE_BLOCKS, asked)

    def blocks_from(self, actors: list[Row], instances: list[Row]) -> Blocks:
        """Return what the rows of the two `blocks_queries` say."""
        return Blocks(
            persons=tuple(row.target_id for row in actors if row.kind == ActorKind.PERSON),
            communities=tuple(row.target_id for row in actors if row.kind == ActorKind.COMMUNITY),
            instances=tuple(row.instance_id for row in instances),
        )

    def blocks(self, unit: Unit, viewer: Viewer) -> Blocks:
        """Return whom and what a person blocks; one round trip."""
        return self.blocks_from(*unit.fetch_all(*self.blocks_queries(viewer)))

    def blocks_among(
        self, unit: Unit, person_ids: Iterable[int], target_ids: Iterable[int]
    ) -> set[tuple[int, int]]:
        """Return which of the persons blocks which of the targets; one round trip."""
        (rows,) = unit.fetch_all(self.blocks_among_query(person_ids, target_ids))
        return {(row.person_id, row.target_id) for row in rows}

    def blocks_among_query(
        self, person_ids: Iterable[int], target_ids: Iterable[int]
    ) -> Query:
        """Return the query of `blocks_among`, to ride along; a row for each block that stands."""
        asked = {"person_ids": list(person_ids), "ids": list(target_ids)}
        return block_rows.BLOCKS_OF_PERSONS, asked

    def block_person(self, unit: Unit, viewer: Viewer, person_id: int, *, blocked: bool) -> Actor:
        """Block a person or stop it, and return the person; twice is once."""
        if person_id == viewer.id:
            raise Refused("cant_block_yourself", "You cannot block yourself.")
        return self._block_actor(unit, viewer, person_id, kind=ActorKind.PERSON, blocked=blocked)

    def block_community(
        self, unit: Unit, viewer: Viewer, community_id: int, *, blocked: bool
    ) -> Actor:
        """Block a community or stop it, and return the community; twice is once."""
        return self._block_actor(
            unit, viewer, community_id, kind=ActorKind.COMMUNITY, blocked=blocked
        )

    def block_instance(
        self, unit: Unit, viewer: Viewer, instance_id: int, *, blocked: bool
    ) -> None:
        """Block everything of an instance or stop it; twice is once."""
        if instance_id == OUR_INSTANCE_ID:
            raise Refused("cant_block_local_instance", "You cannot block your own instance.")
        instances, actors, blocks = unit.fetch_all(
            (tables.INSTANCE, {"id": instance_id}), *self.blocks_queries(viewer)
        )
        if not instances:
            raise NotFound("couldnt_find_object", "No such instance is known.")
        tid = next((row.tid for row in blocks if row.instance_id == instance_id), None)
        keys = {"person_id": viewer.id, "instance_id": instance_id}
        self._stage_block(
            unit, viewer, kind="instance", subject=instances[0].domain, row=instance_id, keys=keys,
            tid=tid, blocked=blocked, count=len(actors) + len(blocks),
        )

    def ban(
        self, unit: Unit, moderator: Viewer | None, person_id: int, *, banned: bool,
        reason: str | None = None, expires_us: int | None = None,
    ) -> Ban:
        """Ban a person from the site until a time, or let it in again; return what was done.

        A banned person's sessions count for nothing while the ban lasts. Two round trips. Without
        a moderator it is the command line that asks, which alone may ban an administrator.
        """
        check_permission(moderator, Permission.BAN)
        if reason is not None and len(reason) > REASON_LENGTH_MAX:
            raise Refused(
                "invalid_body_field", f"A reason has at most {REASON_LENGTH_MAX} characters."
            )
        if banned and expires_us is not None and expires_us <= unit.clock_us:
            raise Refused("ban_expiration_in_past", "A ban ends in the future.")
        person = self._locked(unit, person_id, ActorKind.PERSON)
        if moderator is not None and person.admin:
            raise Forbidden("not_higher_admin", "Administrators do not ban each other.")
        expires_us = expires_us if banned else None
        tid = self._ground.tids.next()
        unit.stage(tables.SET_BAN, {
            "actor_id": person.id, "new_banned": banned, "new_expires_us": expires_us,
        })
        unit.stage(tables.INSERT_BAN, {
            "tid": tid, "person_id": person.id,
            "moderator_id": None if moderator is None else moderator.id,
            "banned": banned, "reason": reason, "expires_us": expires_us,
        })
        record = records.SiteBan(
            subject=person.did, banned=banned, created_at=isoformat(unit.clock_us), reason=reason,
            expires_at=None if expires_us is None else isoformat(expires_us),
        )
        unit.emit(event_of(
            record, id=tid, did=site_did(self._addresses.authority), operation="create", rkey=tid,
            row=person.id,
        ))
        person = msgspec.structs.replace(person, banned=banned, ban_expires_us=expires_us)
        return Ban(person, banned=banned, reason=reason, expires_us=expires_us, tid=tid)

    def banned_ids(self, unit: Unit) -> list[int]:
        """Return who is banned from the site now, as far as one list goes; one round trip."""
        rows = unit.fetch(tables.BANNED_IDS, now_us=unit.clock_us, limit=BANNED_MAX)
        return [int(row.id) for row in rows]

    def _stage_profile(self, unit: Unit, actor: Actor) -> Actor:
        """Stage a person's columns that a profile holds, tell of them and return the person."""
        actor = self.change_actor(unit, actor)
        self._tell_profile(unit, actor, is_new=False)
        return actor

    def _locked(self, unit: Unit, actor_id: int, kind: ActorKind) -> Actor:
        rows = unit.fetch(tables.ACTORS_LOCKED, ids=[actor_id], now_us=unit.clock_us)
        return _found(rows, kind)

    def _block_actor(
        self, unit: Unit, viewer: Viewer, target_id: int, *, kind: ActorKind, blocked: bool
    ) -> Actor:
        targets, actors, instances = unit.fetch_all(
            self.actors_query(unit, [target_id]), *self.blocks_queries(viewer)
        )
        target = _found(targets, kind)
        if target.admin and blocked:
            raise Refused("cant_block_admin", "An administrator cannot be blocked.")
        self._stage_block(
            unit, viewer, kind="person" if kind is ActorKind.PERSON else "community",
            subject=target.did, row=target.id,
            keys={"person_id": viewer.id, "target_id": target.id},
            tid=next((row.tid for row in actors if row.target_id == target.id), None),
            blocked=blocked, count=len(actors) + len(instances),
        )
        return target

    def _stage_block(  # noqa: PLR0913 - what a block is made of
        self, unit: Unit, viewer: Viewer, *, kind: BlockKind, subject: str, row: int,
        keys: dict[str, int], tid: Tid | None, blocked: bool, count: int,
    ) -> None:
        """Stage a block or its end; `tid` is the one that stands, None where none does."""
        if blocked == (tid is not None):
            return
        keep, delete = _BLOCK_STATEMENTS[kind]
        did = viewer.actor.did
        if tid is not None:
            unit.stage(delete, keys)
            unit.emit(deletion_of(_BLOCK, id=self._ground.tids.next(), did=did, rkey=tid, row=row))
            return
        if count >= BLOCKS_MAX:
            raise Refused("too_many_items", f"One person blocks at most {BLOCKS_MAX}.")
        fresh = self._ground.tids.next()
        unit.stage(keep, keys | {"tid": fresh})
        record = records.Block(kind=kind, subject=subject, created_at=isoformat(unit.clock_us))
        unit.emit(event_of(record, id=fresh, did=did, operation="create", rkey=fresh, row=row))


_BLOCK_STATEMENTS: dict[BlockKind, tuple[Statement, Statement]] = {
    "person": (block_rows.KEEP_ACTOR_BLOCK, block_rows.DELETE_ACTOR_BLOCK),
    "community": (block_rows.KEEP_ACTOR_BLOCK, block_rows.DELETE_ACTOR_BLOCK),
    "instance": (block_rows.KEEP_INSTANCE_BLOCK, block_rows.DELETE_INSTANCE_BLOCK),
}


def _changed(before: str | None, wish: str | None) -> str | None:
    """Return a field after a wish: None leaves it, an empty text empties it."""
    return before if wish is None else wish or None


def _found(rows: list[Row], kind: ActorKind) -> Actor:
    actor = actor_from(rows[0]) if rows else None
    if actor is None or actor.kind is not kind:
        noun = "community" if kind is ActorKind.COMMUNITY else "person"
        raise NotFound(f"couldnt_find_{noun}", f"No such {noun} is known.")
    return actor
