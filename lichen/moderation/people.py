"""Acts on people: bans from a community or the site, moderators, administrators."""

from typing import NamedTuple

import msgspec

from lichen.accounts import Actor, ActorKind, Viewer
from lichen.forum import BanTerms, Words
from lichen.kit import NotFound
from lichen.moderation import action_rows
from lichen.moderation.model import Act, BanOrder, Before, Kind, Seat, Sweep, Why, check_reason
from lichen.moderation.part import Part
from lichen.store import Unit

_NO_REASON = Why()


class Banned(NamedTuple):
    """Whom a ban was about, and whether there are more words of theirs to take away."""

    person: Actor
    more: bool


class People(Part):
    """Commands about people; each takes a reason, bans have an end where it is said."""

    def ban(
        self, unit: Unit, viewer: Viewer, order: BanOrder, *, why: Why = _NO_REASON
    ) -> Banned:
        """Ban a person from a community or the site until a time, or let it in again.

        A sweep takes what it wrote there as well, or brings back what the ban took. Of very many
        words the newest go; ask again while there are more. Seven round trips at most.
        """
        reason = check_reason(why.reason)
        if order.community_id is None:
            act, changed = self._ban_from_site(unit, viewer, order, reason)
        else:
            act, changed = self._ban_from_community(unit, viewer, order, reason)
        assert act.person is not None, "a ban is of somebody"
        words = Words() if order.sweep is None else self._swept(
            unit, viewer, order, act=act, sweep=order.sweep
        )
        if changed or words.posts or words.comments:
            action = self._log(unit, viewer, act, undoes=why.undoes)
            self._keep_taken(unit, action.id, words)
        return Banned(act.person, more=words.more)

    def add_moderator(
        self, unit: Unit, viewer: Viewer, seat: Seat, *, added: bool, why: Why = _NO_REASON
    ) -> list[Actor]:
        """Appoint a moderator or dismiss one who came later; return those there are."""
        result = self._forum.add_moderator(
            unit, viewer, seat.community_id, seat.person_id, added=added, since_us=seat.since_us
        )
        if result.changed:
            act = Act(kind=Kind.ADD_MODERATOR, done=added, reason=check_reason(why.reason),
                      before=Before(since_us=result.since_us), outside=result.outside)
            self._log_seat(unit, viewer, seat, act=act, why=why)
        return result.moderators

    def transfer_community(
        self, unit: Unit, viewer: Viewer, seat: Seat, *, why: Why = _NO_REASON
    ) -> list[Actor]:
        """Put a moderator before all others, or back to where it was, and return them in order."""
        result = self._forum.transfer_community(
            unit, viewer, seat.community_id, seat.person_id, since_us=seat.since_us
        )
        if result.changed:
            act = Act(kind=Kind.TRANSFER_COMMUNITY, done=seat.since_us is None,
                      reason=check_reason(why.reason), before=Before(since_us=result.since_us),
                      outside=result.outside)
            self._log_seat(unit, viewer, seat, act=act, why=why)
        return result.moderators

    def add_admin(
        self, unit: Unit, viewer: Viewer, person_id: int, *, added: bool, why: Why = _NO_REASON
    ) -> Actor:
        """Make a local person an administrator, or no longer one."""
        before = self._accounts.actors(unit, [person_id]).get(person_id)
        person = self._accounts.promote(unit, viewer, person_id, admin=added)
        if before is not None and before.admin != added:
            self._log(unit, viewer, Act(
                kind=Kind.ADD_ADMIN, done=added, person=person, subject=person.did,
                reason=check_reason(why.reason),
            ), undoes=why.undoes)
        return person

    def _ban_from_site(
        self, unit: Unit, viewer: Viewer, order: BanOrder, reason: str | None
    ) -> tuple[Act, bool]:
        before = self._accounts.actors(unit, [order.person_id]).get(order.person_id)
        if before is None or before.kind is not ActorKind.PERSON:
            raise NotFound("couldnt_find_person", "There is no such person.")
        person = self._accounts.ban(
            unit, viewer, order.person_id, banned=order.banned, reason=reason,
            expires_us=order.expires_us,
        ).person
        terms = BanTerms(expires_us=before.ban_expires_us) if before.banned else None
        wanted = BanTerms(expires_us=order.expires_us) if order.banned else None
        return Act(
            kind=Kind.BAN, done=order.banned, person=person, subject=person.did, reason=reason,
            expires_us=order.expires_us if order.banned else None, before=Before(ban=terms),
        ), terms != wanted

    def _ban_from_community(
        self, unit: Unit, viewer: Viewer, order: BanOrder, reason: str | None
    ) -> tuple[Act, bool]:
        assert order.community_id is not None, "a ban from a community names it"
        result = self._forum.ban_from_community(
            unit, viewer, order.community_id, order.person_id, banned=order.banned,
            reason=reason, expires_us=order.expires_us,
        )
        return Act(
            kind=Kind.BAN_FROM_COMMUNITY, done=order.banned, person=result.person,
            community=self._community_actor(unit, order.community_id), subject=result.person.did,
            reason=reason, expires_us=order.expires_us if order.banned else None,
            before=Before(ban=result.before), outside=result.outside,
        ), result.changed

    def _swept(
        self, unit: Unit, viewer: Viewer, order: BanOrder, *, act: Act, sweep: Sweep
    ) -> Words:
        """Take the words of a person, or bring back those that the bans that stand took."""
        among = sweep.among
        if among is None and not sweep.removed:
            standing = unit.fetch(
                action_rows.OPEN_BANS, of_kind=act.kind.value, of_subject=act.key
            )
            among = self._taken(unit, [row.id for row in standing])
        return self._forum.rule_words(
            unit, viewer, order.person_id, removed=sweep.removed, among=among,
            community_id=order.community_id,
        )

    def _log_seat(
        self, unit: Unit, viewer: Viewer, seat: Seat, *, act: Act, why: Why
    ) -> None:
        actors = self._accounts.actors(unit, [seat.person_id, seat.community_id])
        person = actors[seat.person_id]
        self._log(unit, viewer, msgspec.structs.replace(
            act, person=person, community=actors[seat.community_id], subject=person.did
        ), undoes=why.undoes)

    def _keep_taken(self, unit: Unit, action_id: int, words: Words) -> None:
        """Keep which words went or came with a ban, for the undo."""
        unit.stage(action_rows.KEEP_TAKEN, *(
            {"action_id": action_id, "kind": kind, "subject_id": subject_id}
            for kind, ids in (("post", words.posts), ("comment", words.comments))
            for subject_id in ids
        ))

    def _taken(self, unit: Unit, action_ids: list[int]) -> Words:
        """Return the words that went or came with bans."""
        rows = unit.fetch(action_rows.TAKEN, ids=action_ids)
        return Words(
            posts=tuple(row.subject_id for row in rows if row.kind == "post"),
            comments=tuple(row.subject_id for row in rows if row.kind == "comment"),
        )
