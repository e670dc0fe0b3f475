"""Departures: accounts that end, and what people wrote that goes with them.

    delete_account ─► ONE unit: sessions end, profile emptied, actor marked ─► first batch
                                        departure row ◄── more to do?
    finish_departures (a task, and at every start) ─► a batch a unit ─► row gone

What somebody wrote belongs to the forum, a floor above: `PersonGone` is handed in by the house.
"""

import msgspec
import structlog

from lichen.accounts import door_rows, link_rows, standing_rows, tables
from lichen.accounts.content import ContentEnd
from lichen.accounts.letters import Letters
from lichen.accounts.limits import FORGOTTEN_BATCH
from lichen.accounts.model import Actor, Viewer
from lichen.events import accounts as records
from lichen.events import collection_of, deletion_of
from lichen.events.accounts import SELF
from lichen.kit import Refused
from lichen.store import Unit

_PROFILE = collection_of(records.Profile)

_log = structlog.get_logger("lichen.accounts")


class Departures(Letters):
    """Ends accounts, and has content taken away until nothing is left."""

    async def delete_account(
        self, viewer: Viewer, password: str, *, delete_content: bool
    ) -> None:
        """End the viewer's account for ever; its name is never given again.

        Refuses a wrong password by `incorrect_login`, the last administrator by
        `cannot_leave_admin`.
        """
        rows = await self._store.read(lambda unit: unit.fetch(
            tables.ACCOUNT, account_id=viewer.account_id, now_us=unit.clock_us
        ))
        known = rows[0].password_hash
        await self.check_present(viewer, password)
        await self._store.write(
            lambda unit: self._delete(unit, viewer, known, delete_content=delete_content)
        )
        if delete_content:
            await self.finish_departures()

    def end_remote(self, unit: Unit, actor: Actor, *, content: bool) -> None:
        """Note that a remote person is gone for ever, and have what it wrote taken away."""
        assert not actor.local, "a local account ends by its own command"
        self._end_actor(unit, actor)
        if content:
            self.take_content(unit, actor, "deleted")

    def take_content(self, unit: Unit, actor: Actor, content: ContentEnd) -> None:
        """Have a person's content taken away or brought back, the first batch in this unit."""
        if self._person_gone(unit, actor, content=content):
            unit.stage(
                standing_rows.KEEP_DEPARTURE, {"person_id": actor.id, "content": content}
            )

    async def finish_departures(self) -> None:
        """Have what is left of people's content taken away, a batch a unit."""
        while await self._store.write(self._take_some_content):
            pass

    async def forget_addresses(self) -> int:
        """Forget the address and program of old logins, a batch a unit; return how many."""
        age_us = int(self._ground.config.accounts.address_retention_s * 1_000_000)

        def command(unit: Unit) -> int:
            unit.stage(door_rows.EXPIRED_MAIL_TOKENS, {
                "now_us": unit.clock_us, "limit": FORGOTTEN_BATCH,
            })
            return len(unit.fetch(
                door_rows.FORGET_ADDRESSES, before_us=unit.clock_us - age_us,
                limit=FORGOTTEN_BATCH,
            ))

        total = 0
        while count := await self._store.write(command):
            total += count
            _log.info("addresses_forgotten", count=count, total=total)
        return total

    def _take_some_content(self, unit: Unit) -> bool:
        rows = unit.fetch(standing_rows.DEPARTURES, limit=1)
        if not rows:
            return False
        actor = self.actors(unit, [rows[0].person_id])[rows[0].person_id]
        if not self._person_gone(unit, actor, content=rows[0].content):
            unit.stage(standing_rows.DELETE_DEPARTURE, {"person_id": actor.id})
        return True

    def _delete(
        self, unit: Unit, viewer: Viewer, known_hash: str, *, delete_content: bool
    ) -> None:
        account, (sessions,) = self._locked_account(unit, viewer.account_id, known_hash)
        if account.actor.admin and len(self.admins(unit)) == 1:
            raise Refused("cannot_leave_admin", "A site needs an administrator.")
        asked = {"account_id": account.id}
        self._end_sessions(
            unit, account.actor.did, account.actor.id, [row.id for row in sessions]
        )
        for statement in (door_rows.DELETE_SECOND_FACTOR, door_rows.DELETE_RECOVERY_CODES,
                          door_rows.DELETE_MAIL_TOKENS, link_rows.DELETE_LINKS):
            unit.stage(statement, asked)
        unit.stage(standing_rows.DELETE_ROLE, {"person_id": account.actor.id})
        unit.stage(standing_rows.EMPTY_ACCOUNT, {"row_account_id": account.id})
        gone = self._end_actor(unit, account.actor)
        if delete_content:
            self.take_content(unit, gone, "deleted")

    def _end_actor(self, unit: Unit, actor: Actor) -> Actor:
        """Empty a person's profile, mark it as gone, tell, and return it."""
        gone = msgspec.structs.replace(
            actor, display_name=None, summary=None, avatar=None, banner=None,
            matrix_user_id=None, admin=False,
        )
        self.change_actor(unit, gone)
        unit.stage(standing_rows.MARK_DELETED, {"actor_id": gone.id})
        unit.emit(deletion_of(
            _PROFILE, id=self._ground.tids.next(), did=gone.did, rkey=SELF, row=gone.id
        ))
        return gone
