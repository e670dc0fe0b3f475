"""What notifications promise: lists of replies and mentions, read marks, unread counts."""

from collections.abc import Iterable

import msgspec

from lichen.accounts import Viewer
from lichen.events import event_of
from lichen.events.notifications import Read
from lichen.forum import CommentSort, Forum
from lichen.kit import NotFound, TidGenerator, isoformat
from lichen.notifications import tables
from lichen.notifications.limits import DIGEST_MAX, PAGE_MAX
from lichen.notifications.model import Counts, Kind, Notice, Notification
from lichen.notifications.reader import NotificationsReader
from lichen.store import Query, Row, Unit


class Notifications:
    """Lists, marks and counts what people were told; the reader writes it."""

    def __init__(
        self, *, reader: NotificationsReader, forum: Forum, tids: TidGenerator
    ) -> None:
        self.reader = reader
        self._forum = forum
        self._tids = tids

    def replies(
        self, unit: Unit, viewer: Viewer, *, unread_only: bool = False,
        sort: CommentSort = CommentSort.NEW, page: int = 1, limit: int = 10,
    ) -> list[Notification]:
        """Return a page of answers to the viewer's posts and comments; two round trips."""
        return self._list(
            unit, viewer, kind=Kind.REPLY, unread_only=unread_only, sort=sort, page=page,
            limit=limit,
        )

    def mentions(
        self, unit: Unit, viewer: Viewer, *, unread_only: bool = False,
        sort: CommentSort = CommentSort.NEW, page: int = 1, limit: int = 10,
    ) -> list[Notification]:
        """Return a page of comments that name the viewer; two round trips."""
        return self._list(
            unit, viewer, kind=Kind.MENTION, unread_only=unread_only, sort=sort, page=page,
            limit=limit,
        )

    def digest(self, unit: Unit, viewer: Viewer) -> list[Notification]:
        """Return what came while the viewer was away and is unread; two round trips.

        Who asks something comes first, then who answered, then who only named them.
        """
        rows = unit.fetch(
            tables.DIGEST, person_id=viewer.id, now_us=unit.clock_us, limit=DIGEST_MAX
        )
        return self._shown(unit, viewer, rows)

    def mark_read(
        self, unit: Unit, viewer: Viewer, notification_id: int, *, read: bool
    ) -> Notification:
        """Mark one of the viewer's notifications, and return it; twice is once."""
        rows = unit.fetch(tables.FIND, id=notification_id)
        if not rows or rows[0].recipient_id != viewer.id:
            raise NotFound("couldnt_find_comment", "You have no such notification.")
        (row,) = rows
        shown = self._shown(unit, viewer, rows)
        if row.read != read:
            unit.stage(tables.MARK, {"marked": row.id, "is_read": read})
            self._tell(unit, viewer, row.id, read=read)
        if not shown:
            raise NotFound("couldnt_find_comment", "That comment is gone.")
        return msgspec.structs.replace(shown[0], read=read)

    def mark_all_read(self, unit: Unit, viewer: Viewer) -> None:
        """Mark everything the viewer was told of as read."""
        now = {"person_id": viewer.id, "now_us": unit.clock_us}
        unread, waiting = unit.fetch_all((tables.UNREAD, now), self.unread_query(unit, viewer))
        if unread or self.counts_from(waiting).notices:
            unit.stage(tables.READ_NOTICES, {"person_id": viewer.id})
            unit.stage(tables.MARK_ALL, now)
            self._tell(unit, viewer, 0, read=True)

    def unread_counts(self, unit: Unit, viewer: Viewer) -> Counts:
        """Return how much of each kind is unread; one round trip."""
        return self.counts_from(unit.fetch_all(self.unread_query(unit, viewer))[0])

    def unread_query(self, unit: Unit, viewer: Viewer) -> Query:
        """Return the query for how much is unread, to ride along; see `counts_from`."""
        return tables.COUNT_UNREAD, {"person_id": viewer.id, "now_us": unit.clock_us}

    def counts_from(self, rows: Iterable[Row]) -> Counts:
        """Return the counts in the rows of `unread_query`."""
        counts = {row.kind: int(row.count) for row in rows}
        return Counts(
            replies=counts.get(Kind.REPLY, 0), mentions=counts.get(Kind.MENTION, 0),
            notices=counts.get("notice", 0),
        )

    def notices(
        self, unit: Unit, viewer: Viewer, *, page: int = 1, limit: int = 20
    ) -> list[Notice]:
        """Return a page of what moderators decided about the viewer, the newest first."""
        limit = max(1, min(limit, PAGE_MAX))
        rows = unit.fetch(
            tables.NOTICES, person_id=viewer.id, limit=limit, offset=(max(1, page) - 1) * limit
        )
        return [_notice(row) for row in rows]

    def proposal_notices(
        self, unit: Unit, viewer: Viewer, *, limit: int = 20
    ) -> list[Notice]:
        """Return the newest of what became of proposals that the viewer made or supports."""
        rows = unit.fetch(
            tables.PROPOSAL_NOTICES, person_id=viewer.id, limit=max(1, min(limit, PAGE_MAX))
        )
        return [_notice(row) for row in rows]

    def mark_notices_read(self, unit: Unit, viewer: Viewer) -> None:
        """Mark every notice as read; told as all of the viewer's things are."""
        unit.stage(tables.READ_NOTICES, {"person_id": viewer.id})
        self._tell(unit, viewer, 0, read=True)

    def _list(
        self, unit: Unit, viewer: Viewer, *, kind: Kind, unread_only: bool, sort: CommentSort,
        page: int, limit: int,
    ) -> list[Notification]:
        limit = max(1, min(limit, PAGE_MAX))
        statement = tables.OLDEST if sort is CommentSort.OLD else tables.NEWEST
        rows = unit.fetch(
            statement, person_id=viewer.id, kind=kind.value, all=not unread_only,
            now_us=unit.clock_us, limit=limit, offset=(max(1, page) - 1) * limit,
        )
        return self._shown(unit, viewer, rows) if rows else []

    def _shown(self, unit: Unit, viewer: Viewer, rows: list[Row]) -> list[Notification]:
        """Return the rows with their comments; what is gone, or blocked now, is left out."""
        views = self._forum.comment_views(unit, viewer, [row.comment_id for row in rows])
        by_id = {view.comment.id: view for view in views}
        return [
            Notification(
                id=row.id, kind=Kind(row.kind), recipient=viewer.actor, read=row.read,
                published_us=row.published_us, comment=by_id[row.comment_id],
            )
            for row in rows
            if row.comment_id in by_id and not by_id[row.comment_id].creator_blocked
        ]

    def _tell(self, unit: Unit, viewer: Viewer, number: int, *, read: bool) -> None:
        tid = self._tids.next()
        record = Read(notification=number, read=read, created_at=isoformat(unit.clock_us))
        unit.emit(event_of(
            record, id=tid, did=viewer.actor.did, operation="create", rkey=tid, row=number
        ))


def _notice(row: Row) -> Notice:
    return Notice(
        action_id=row.action_id, kind=row.kind, done=row.done, reason=row.reason,
        expires_at=row.expires_at, read=row.read, created_at=row.created_at,
        proposal_id=row.proposal_id,
    )
