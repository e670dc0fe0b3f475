"""Remarks: notes and strikes about people, read by who moderates where they were made.

A note is for moderators alone. A strike is also an act: a line of the log that only the person it
is about reads there, told to it and appealed against as any other. Undone or upheld, it is gone.
"""

import msgspec

from lichen.accounts import Actor, ActorKind, Viewer
from lichen.events import collection_of, deletion_of, event_of
from lichen.events import moderation as records
from lichen.forum import CommunityView, check_moderator
from lichen.kit import Forbidden, NotFound, Refused, isoformat
from lichen.moderation import report_rows
from lichen.moderation.cases import Remark, RemarkDraft, RemarkKind, RemarkView
from lichen.moderation.limits import PAGE_MAX, REMARK_LENGTH_MAX, STRIKE_AGE_US_MAX
from lichen.moderation.model import Act, Kind, Why, check_reason
from lichen.moderation.part import Part
from lichen.store import Unit

_REMARK = collection_of(records.Remark)
_NO_REASON = Why()


class Remarks(Part):
    """Commands and queries about what moderators keep about people."""

    def remark(
        self, unit: Unit, viewer: Viewer, draft: RemarkDraft
    ) -> Remark:
        """Keep a note or a strike about a person, for a community or, as an admin, the site.

        A strike expires, after a year where nobody says, and the person is told. Nobody remarks
        about itself. Four round trips at most.
        """
        text, kind, expires_us = draft.text.strip(), draft.kind, draft.expires_us
        if not 1 <= len(text) <= REMARK_LENGTH_MAX:
            raise Refused(
                "invalid_body_field", f"A remark has 1 to {REMARK_LENGTH_MAX} characters."
            )
        self._check_place(unit, viewer, draft.community_id)
        person = self._accounts.actors(unit, [draft.person_id]).get(draft.person_id)
        if person is None or person.kind is not ActorKind.PERSON:
            raise NotFound("couldnt_find_person", "There is no such person.")
        if person.id == viewer.id:
            raise Refused("cant_remark_yourself", "Somebody else keeps notes and strikes on you.")
        if kind is RemarkKind.STRIKE and expires_us is None:
            expires_us = unit.clock_us + STRIKE_AGE_US_MAX
        if expires_us is not None and expires_us <= unit.clock_us:
            raise Refused("ban_expiration_in_past", "A strike ends in the future.")
        (number,) = unit.take_numbers("remark")
        made = Remark(
            id=number, tid=self._tids.next(), kind=kind, community_id=draft.community_id,
            person_id=person.id, author_id=viewer.id, text=text, expires_us=expires_us,
            published_us=unit.clock_us,
        )
        unit.stage(report_rows.INSERT_REMARK, report_rows.row_of_remark(made))
        record = records.Remark(
            kind=kind.value, subject=person.did, text=text, created_at=isoformat(unit.clock_us),
            expires_at=None if expires_us is None else isoformat(expires_us),
        )
        unit.emit(event_of(
            record, id=self._tids.next(), did=viewer.actor.did, operation="create", rkey=made.tid,
            row=made.id,
        ))
        self._tell_strike(unit, viewer, made, person, done=True, why=Why(text))
        return made

    def drop_remark(
        self, unit: Unit, viewer: Viewer, remark_id: int, *, why: Why = _NO_REASON
    ) -> None:
        """Take a note or a strike back, as whoever may make one there."""
        rows = unit.fetch(report_rows.FIND_REMARK, id=remark_id)
        if not rows:
            raise NotFound("couldnt_find_object", "There is no such remark.")
        gone = report_rows.remark_from(rows[0])
        self._check_place(unit, viewer, gone.community_id)
        if gone.person_id == viewer.id:
            raise Forbidden("cant_remark_yourself", "Somebody else takes back what is about you.")
        unit.stage(report_rows.DROP_REMARK, {"row_id": remark_id})
        people = self._accounts.actors(unit, [gone.author_id, gone.person_id])
        unit.emit(deletion_of(
            _REMARK, id=self._tids.next(), did=people[gone.author_id].did, rkey=gone.tid,
            row=remark_id,
        ))
        self._tell_strike(unit, viewer, gone, people[gone.person_id], done=False, why=why)

    def remarks(self, unit: Unit, viewer: Viewer, person_id: int) -> list[RemarkView]:
        """Return what moderators of the viewer's communities keep about somebody else.

        The newest come first. Four round trips at most.
        """
        moderated = self._judged(unit, viewer)
        if person_id == viewer.id:
            return []
        rows = unit.fetch(
            report_rows.REMARKS, person_id=person_id, everywhere=moderated is None,
            communities=moderated or [], limit=PAGE_MAX,
        )
        found = [report_rows.remark_from(row) for row in rows]
        authors = self._accounts.actors(unit, {one.author_id for one in found})
        places = {view.community.id: view for view in self._forum.community_views(
            unit, viewer, sorted({one.community_id for one in found if one.community_id})
        )} if found else {}
        return [
            RemarkView(one, authors.get(one.author_id), places.get(one.community_id or 0))
            for one in found
        ]

    def carry_remarks(self, unit: Unit, person_id: int, to: Actor) -> None:
        """Keep about somebody what was noted about the account that it was before; two round trips.

        What expired is left. The one they are about is told nothing new.
        """
        rows = unit.fetch(report_rows.REMARKS, person_id=person_id, everywhere=True,
                          communities=[], limit=PAGE_MAX)
        found = [one for one in map(report_rows.remark_from, rows)
                 if one.expires_us is None or one.expires_us > unit.clock_us]
        if not found:
            return
        authors = self._accounts.actors(unit, {one.author_id for one in found})
        numbers = unit.take_numbers("remark", len(found))
        for one, number in zip(reversed(found), numbers, strict=True):
            made = msgspec.structs.replace(
                one, id=number, tid=self._tids.next(), person_id=to.id
            )
            unit.stage(report_rows.INSERT_REMARK, report_rows.row_of_remark(made))
            record = records.Remark(
                kind=made.kind.value, subject=to.did, text=made.text,
                created_at=isoformat(made.published_us),
                expires_at=None if made.expires_us is None else isoformat(made.expires_us),
            )
            unit.emit(event_of(
                record, id=self._tids.next(), did=authors[made.author_id].did,
                operation="create", rkey=made.tid, row=made.id,
            ))

    def judged_places(self, unit: Unit, viewer: Viewer) -> list[CommunityView]:
        """Return the communities that the viewer moderates by its own seat, by name."""
        ids = self._forum.standings.of(unit, viewer).moderates
        views = self._forum.community_views(unit, viewer, sorted(ids)) if ids else []
        return sorted(views, key=lambda view: view.community.actor.name.lower())

    def _tell_strike(
        self, unit: Unit, viewer: Viewer, strike: Remark, person: Actor, *, done: bool, why: Why
    ) -> None:
        """Write a strike or its end into the log, and tell the person; a note is told to nobody."""
        if strike.kind is not RemarkKind.STRIKE:
            return
        place = strike.community_id
        act = Act(
            kind=Kind.STRIKE, done=done, person=person, remark_id=strike.id,
            community=None if place is None else self._community_actor(unit, place),
            subject=person.did, reason=check_reason(why.reason),
            expires_us=strike.expires_us if done else None,
        )
        self._tell(unit, viewer, act, self._write(unit, viewer, act, undoes=why.undoes))

    def _check_place(self, unit: Unit, viewer: Viewer, community_id: int | None) -> None:
        if community_id is None:
            if viewer.actor.banned or not viewer.admin:
                raise Forbidden("not_an_admin", "Only administrators remark for the whole site.")
            return
        views = self._forum.community_views(unit, viewer, [community_id])
        if not views:
            raise NotFound("couldnt_find_community", "There is no such community.")
        check_moderator(viewer, views[0])
