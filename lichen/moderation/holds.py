"""Holds: what waits for a moderator, told to whoever wrote it, with the reasons it may know."""

from lichen.accounts import Viewer
from lichen.forum import SubjectKind
from lichen.kit import NotFound
from lichen.moderation import queue_rows
from lichen.moderation.cases import HeldView, ItemState, QueueItem
from lichen.moderation.limits import HELD_SHOWN_MAX
from lichen.moderation.part import Part
from lichen.store import Row, Unit


class Holds(Part):
    """Queries about what is held."""

    def why_held(
        self, unit: Unit, viewer: Viewer, kind: SubjectKind, subject_id: int
    ) -> HeldView:
        """Return why a post or comment waits, to its author and who moderates there.

        Five round trips at most. Raises NotFound for everybody else, and for what does not wait.
        """
        rows = unit.fetch(queue_rows.HELD, subject_kind=kind.name.lower(), subject_id=subject_id)
        item = queue_rows.item_from(rows[0]) if rows else None
        if item is None or not self._may_know(unit, viewer, item):
            raise NotFound("couldnt_find_object", "Nothing of yours waits there.")
        (view,) = self._held_views(unit, viewer, rows)
        return view

    def held_of(self, unit: Unit, viewer: Viewer) -> list[HeldView]:
        """Return what of the viewer waits, the newest first; four round trips at most."""
        rows = unit.fetch(queue_rows.HELD_OF, person_id=viewer.id, limit=HELD_SHOWN_MAX)
        return self._held_views(unit, viewer, rows) if rows else []

    def _may_know(self, unit: Unit, viewer: Viewer, item: QueueItem) -> bool:
        if item.person_id == viewer.id:
            return True
        moderated = self._moderated(unit, viewer)
        return not viewer.actor.banned and (moderated is None or item.community_id in moderated)

    def _held_views(self, unit: Unit, viewer: Viewer, rows: list[Row]) -> list[HeldView]:
        items = [queue_rows.item_from(row) for row in rows]
        scene = self._forum.scene_of(
            unit, viewer,
            posts=[one.subject_id for one in items if one.subject_kind == "post"],
            comments=[one.subject_id for one in items if one.subject_kind == "comment"],
        )
        return [
            HeldView(
                subject_kind=one.subject_kind, subject_id=one.subject_id, since_us=one.since_us,
                reasons=one.reasons, escalated=row.state == ItemState.ESCALATED,
                community=scene.communities.get(one.community_id or 0),
                post=scene.posts.get(one.subject_id) if one.subject_kind == "post" else None,
                comment=scene.comments.get(one.subject_id)
                if one.subject_kind == "comment" else None,
            )
            for one, row in zip(items, rows, strict=True)
        ]
