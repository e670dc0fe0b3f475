"""Ties: what a person of ours is elsewhere: accounts proved to be theirs, and names claimed.

    linked  proved: the account elsewhere opens this one, and the profile says so
    alias   claimed: the actor's document says `alsoKnownAs`; it proves nothing by itself

What is linked is an alias too. A local account is always its own actor: nothing here speaks or
acts as the person elsewhere.
"""

from collections.abc import Iterable
from typing import Literal

import msgspec

from lichen.accounts import door_rows, link_rows, tables
from lichen.accounts.departures import Departures
from lichen.accounts.erasure_rows import NO_PASSWORD
from lichen.accounts.limits import ALIASES_MAX, LINKS_MAX
from lichen.accounts.model import Account, Actor, Viewer
from lichen.accounts.nouns import actor_from
from lichen.accounts.persons import Persons
from lichen.events import accounts as records
from lichen.events import collection_of, deletion_of, event_of
from lichen.kit import Conflict, NotFound, Refused, isoformat
from lichen.store import Query, Row, Unit

Method = Literal["message", "oauth"]

_LINK = collection_of(records.Link)


class Link(msgspec.Struct, frozen=True):
    """An account elsewhere that was proved to be a person's of ours: how, since when, last used."""

    actor: Actor
    method: Method
    published_us: int
    used_us: int


class Ties(Persons, Departures):
    """Keeps and finds ties."""

    def links(self, unit: Unit, viewer: Viewer) -> list[Link]:
        """Return the accounts elsewhere that open the viewer's; one round trip."""
        return links_from(unit.fetch(
            link_rows.LINKS, account_id=viewer.account_id, now_us=unit.clock_us
        ))

    def links_of(self, unit: Unit, person_id: int) -> list[Link]:
        """Return what a person of ours proved to be elsewhere; one round trip."""
        return links_from(unit.fetch_all(self.links_query(unit, person_id))[0])

    def links_query(self, unit: Unit, person_id: int) -> Query:
        """Return the query of `links_of`, to ride along; see `links_from`."""
        return link_rows.LINKS_OF_PERSON, {"person_id": person_id, "now_us": unit.clock_us}

    def aliases(self, unit: Unit, ids: Iterable[int]) -> dict[int, tuple[str, ...]]:
        """Return what persons say they are known as too, by person; one round trip."""
        found: dict[int, tuple[str, ...]] = {}
        for row in unit.fetch(link_rows.ALIASES, ids=list(ids)):
            found[row.person_id] = (*found.get(row.person_id, ()), row.ap_id)
        return found

    def add_alias(self, unit: Unit, viewer: Viewer, other: Actor) -> None:
        """Say that the viewer is known as another actor too; twice is once. Two round trips."""
        if other.id == viewer.id:
            raise Refused("cant_alias_yourself", "That is this account itself.")
        self._stage_alias(unit, viewer.actor, other)

    def drop_alias(self, unit: Unit, viewer: Viewer, ap_id: str) -> None:
        """Say it no longer; of what is linked the link goes first. Two round trips."""
        known, links = unit.fetch_all(
            (link_rows.ALIASES, {"ids": [viewer.id]}), self.links_query(unit, viewer.id)
        )
        if ap_id in {row.ap_id for row in links}:
            raise Refused("still_linked", "This account opens yours: remove the link first.")
        if ap_id in {row.ap_id for row in known}:
            self._stage_no_alias(unit, viewer.actor, ap_id)

    def unlink(self, unit: Unit, viewer: Viewer, actor_id: int) -> None:
        """Let an account elsewhere open the viewer's no longer; two round trips.

        Its logins end. Refuses the last way in, `only_way_in`, where there is no password.
        """
        accounts, links, sessions = unit.fetch_all(
            (tables.ACCOUNT_LOCKED, {"account_id": viewer.account_id, "now_us": unit.clock_us}),
            (link_rows.LINKS, {"account_id": viewer.account_id, "now_us": unit.clock_us}),
            (door_rows.SESSIONS, {"account_id": viewer.account_id}),
        )
        link = next((one for one in links_from(links) if one.actor.id == actor_id), None)
        if link is None:
            raise NotFound("couldnt_find_object", "No such account is linked with yours.")
        if len(links) == 1 and accounts[0].password_hash == NO_PASSWORD:
            raise Refused("only_way_in", "Choose a password first: nothing else would let you in.")
        unit.stage(link_rows.DELETE_LINK, {
            "linked_id": actor_id, "account_id": viewer.account_id,
        })
        unit.emit(deletion_of(
            _LINK, id=self._ground.tids.next(), did=viewer.actor.did, rkey=str(actor_id),
            row=actor_id,
        ))
        through = f"@{link.actor.name}@{link.actor.domain}"
        self._end_sessions(unit, viewer.actor.did, viewer.id, [
            row.id for row in sessions if row.through == through and row.id != viewer.session_id
        ])
        self._stage_no_alias(unit, viewer.actor, link.actor.ap_id)

    def link(self, unit: Unit, account: Account, other: Actor, method: Method) -> None:
        """Keep that an account elsewhere, just proved, opens one of ours; two round trips."""
        links, owners = unit.fetch_all(
            (link_rows.LINKS, {"account_id": account.id, "now_us": unit.clock_us}),
            (link_rows.ACCOUNT_LINKED, {"linked_id": other.id, "now_us": unit.clock_us}),
        )
        if owners and owners[0].account_id != account.id:
            raise Conflict("already_linked", f"@{other.name}@{other.domain} opens another "
                                             "account here; remove that link first.")
        if not owners and len(links) >= LINKS_MAX:
            raise Refused("too_many_items", f"At most {LINKS_MAX} accounts are linked with one.")
        self.keep_link(unit, account, other, method)
        if not owners:
            self._stage_alias(unit, account.actor, other)

    def keep_link(self, unit: Unit, account: Account, other: Actor, method: Method) -> None:
        """Stage a link that may be new, or was just used, and tell."""
        unit.stage(link_rows.KEEP_LINK, {
            "actor_id": other.id, "account_id": account.id, "method": method,
            "published_us": unit.clock_us, "used_us": unit.clock_us,
        })
        unit.emit(event_of(
            records.Link(subject=other.did, method=method, used_at=isoformat(unit.clock_us)),
            id=self._ground.tids.next(), did=account.actor.did, operation="create",
            rkey=str(other.id), row=other.id,
        ))

    def _stage_alias(self, unit: Unit, person: Actor, other: Actor) -> None:
        known = self.aliases(unit, [person.id]).get(person.id, ())
        if other.ap_id in known:
            return
        if len(known) >= ALIASES_MAX:
            raise Refused("too_many_items", f"At most {ALIASES_MAX} other names, please.")
        unit.stage(link_rows.KEEP_ALIAS, {
            "person_id": person.id, "ap_id": other.ap_id, "published_us": unit.clock_us,
        })
        self._stage_profile(unit, person)

    def _stage_no_alias(self, unit: Unit, person: Actor, ap_id: str) -> None:
        unit.stage(link_rows.DELETE_ALIAS, {"alias_of": person.id, "alias_ap_id": ap_id})
        self._stage_profile(unit, person)


def links_from(rows: Iterable[Row]) -> list[Link]:
    """Return the links in the rows of `links_query`, the oldest first."""
    return [Link(actor_from(row), row.method, row.linked_us, row.used_us) for row in rows]
