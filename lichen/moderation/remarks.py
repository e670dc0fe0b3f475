"""Remarks: notes and strikes about people, read by who moderates where they were made."""

from lichen.accounts import ActorKind, Viewer
from lichen.events import collection_of, deletion_of, event_of
from lichen.events import moderation as records
from lichen.forum import check_moderator
from lichen.kit import Forbidden, NotFound, Refused, isoformat
from lichen.moderation import report_rows
from lichen.moderation.cases import Remark, RemarkDraft, RemarkKind
from lichen.moderation.limits import PAGE_MAX, REMARK_LENGTH_MAX, STRIKE_AGE_US_MAX
from lichen.moderation.part import Part
from lichen.store import Unit

_REMARK = collection_of(records.Remark)


class Remarks(Part):
    """Commands and queries about what moderators keep about people."""

    def remark(
        self, unit: Unit, viewer: Viewer, draft: RemarkDraft
    ) -> Remark:
        """Keep a note or a strike about a person, for a community or, as an admin, the site.

        A strike expires, after a year where nobody says. Two round trips.
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
        return made

    def drop_remark(self, unit: Unit, viewer: Viewer, remark_id: int) -> None:
        """Take a note or a strike back, as whoever may make one there."""
        rows = unit.fetch(report_rows.FIND_REMARK, id=remark_id)
        if not rows:
            raise NotFound("couldnt_find_object", "There is no such remark.")
        self._check_place(unit, viewer, rows[0].community_id)
        unit.stage(report_rows.DROP_REMARK, {"row_id": remark_id})
        author = self._accounts.actors(unit, [rows[0].author_id])[rows[0].author_id]
        unit.emit(deletion_of(
            _REMARK, id=self._tids.next(), did=author.did, rkey=rows[0].tid, row=remark_id
        ))

    def remarks(self, unit: Unit, viewer: Viewer, person_id: int) -> list[Remark]:
        """Return what moderators of the viewer's communities keep about a person."""
        moderated = self._judged(unit, viewer)
        rows = unit.fetch(
            report_rows.REMARKS, person_id=person_id, everywhere=moderated is None,
            communities=moderated or [], limit=PAGE_MAX,
        )
        return [report_rows.remark_from(row) for row in rows]

    def _check_place(self, unit: Unit, viewer: Viewer, community_id: int | None) -> None:
        if community_id is None:
            if viewer.actor.banned or not viewer.admin:
                raise Forbidden("not_an_admin", "Only administrators remark for the whole site.")
            return
        views = self._forum.community_views(unit, viewer, [community_id])
        if not views:
            raise NotFound("couldnt_find_community", "There is no such community.")
        check_moderator(viewer, views[0])
