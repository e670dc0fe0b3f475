"""Marks: what a person keeps, hides and has read. Nobody else sees them."""

from collections.abc import Mapping, Sequence

import msgspec

from lichen.accounts import Viewer
from lichen.events import Record, collection_of, forum
from lichen.forum import viewer_rows
from lichen.forum.ledger import uri_of_comment, uri_of_post
from lichen.forum.limits import MARKS_MAX
from lichen.forum.model import CommentView, PostView, SubjectKind
from lichen.forum.part import Part
from lichen.forum.permissions import check_visible, no_such_comment, no_such_post
from lichen.forum.views import comment_queries, post_queries, shown
from lichen.kit import Refused, isoformat
from lichen.store import Query, Statement, Unit


class Marks(Part):
    """Commands about marks; each is idempotent and takes two round trips."""

    def save_post(self, unit: Unit, viewer: Viewer, post_id: int, *, save: bool) -> PostView:
        """Keep a post for later, or stop keeping it, and return it."""
        asked = {"viewer_id": viewer.id, "kind": int(SubjectKind.POST), "ids": [post_id]}
        flush = self._views.fetch(
            unit, viewer, *post_queries(unit, viewer, [post_id]),
            (viewer_rows.SAVED_TIDS, asked),
        )
        *answers, kept = flush.rows
        scene = self._views.posts(answers, flush.standing)
        view = scene.views.get(post_id)
        if view is None:
            raise no_such_post()
        check_visible(viewer, view.post, scene.communities[view.community.id])
        uri = uri_of_post(view.post, view.creator.did)
        self._save(unit, viewer, SubjectKind.POST, post_id, uri=uri, save=save,
                   tid=kept[0].tid if kept else None)
        return msgspec.structs.replace(view, saved=save)

    def save_comment(
        self, unit: Unit, viewer: Viewer, comment_id: int, *, save: bool
    ) -> CommentView:
        """Keep a comment for later, or stop keeping it, and return it."""
        asked = {"viewer_id": viewer.id, "kind": int(SubjectKind.COMMENT), "ids": [comment_id]}
        flush = self._views.fetch(
            unit, viewer, *comment_queries(unit, viewer, [comment_id]),
            (viewer_rows.SAVED_TIDS, asked),
        )
        *answers, kept = flush.rows
        scene = self._views.comments(answers, flush.standing)
        view = scene.views.get(comment_id)
        if view is None:
            raise no_such_comment()
        community = scene.communities[view.community.id]
        check_visible(viewer, view.post, community)
        if shown(view, viewer, moderates=community.moderates) is None:
            raise no_such_comment()
        uri = uri_of_comment(view.comment, view.creator.did)
        self._save(unit, viewer, SubjectKind.COMMENT, comment_id, uri=uri, save=save,
                   tid=kept[0].tid if kept else None)
        return msgspec.structs.replace(view, saved=save)

    def hide_posts(
        self, unit: Unit, viewer: Viewer, ids: Sequence[int], *, hide: bool
    ) -> None:
        """Hide posts from one's lists, or show them again."""
        views, tids = self._marked(
            unit, viewer, ids, (viewer_rows.HIDDEN_TIDS, {"viewer_id": viewer.id, "ids": ids})
        )
        for view in views:
            post = view.post
            record = forum.Hide(subject=uri_of_post(post, view.creator.did),
                                created_at=isoformat(unit.clock_us))
            row = {"person_id": viewer.id, "post_id": post.id, "published_us": unit.clock_us}
            self._mark(unit, viewer, record, row=row, mark=hide, tid=tids.get(post.id),
                       subject_id=post.id)

    def mark_posts_read(
        self, unit: Unit, viewer: Viewer, ids: Sequence[int], *, read: bool
    ) -> None:
        """Note that posts have been read with the comments they have now, or forget it."""
        views, tids = self._marked(
            unit, viewer, ids, (viewer_rows.READ_TIDS, {"viewer_id": viewer.id, "ids": ids})
        )
        for view in views:
            post = view.post
            if read and view.read and not view.unread_comments:
                continue
            record = forum.Read(subject=uri_of_post(post, view.creator.did),
                                comments=post.comments, created_at=isoformat(unit.clock_us))
            row = {"person_id": viewer.id, "post_id": post.id, "comments": post.comments,
                   "published_us": unit.clock_us}
            self._mark(unit, viewer, record, row=row, mark=read, tid=tids.get(post.id),
                       subject_id=post.id)

    def _marked(
        self, unit: Unit, viewer: Viewer, ids: Sequence[int], tids: Query
    ) -> tuple[list[PostView], dict[int, str]]:
        """Return the posts to be marked, and the keys of the marks there are."""
        if len(ids) > MARKS_MAX:
            raise Refused("too_many_items", f"At most {MARKS_MAX} posts are marked at once.")
        flush = self._views.fetch(unit, viewer, *post_queries(unit, viewer, ids), tids)
        *answers, kept = flush.rows
        scene = self._views.posts(answers, flush.standing)
        if len(scene.views) < len(set(ids)):
            raise no_such_post()
        return list(scene.views.values()), {row.id: row.tid for row in kept}

    def _save(
        self, unit: Unit, viewer: Viewer, kind: SubjectKind, subject_id: int, *, uri: str,
        save: bool, tid: str | None,
    ) -> None:
        if save and tid is not None:
            return
        record = forum.Save(subject=uri, created_at=isoformat(unit.clock_us))
        row = {"person_id": viewer.id, "kind": int(kind), "subject_id": subject_id,
               "published_us": unit.clock_us}
        self._mark(unit, viewer, record, row=row, mark=save, tid=tid, subject_id=subject_id)

    def _mark(
        self, unit: Unit, viewer: Viewer, record: Record, *, row: Mapping[str, object], mark: bool,
        tid: str | None, subject_id: int,
    ) -> None:
        """Stage one mark or its end, and tell; `tid` is the key of the mark there is."""
        collection = collection_of(record)
        keep, drop = _STATEMENTS[collection]
        ledger = self._ledger(unit)
        if mark:
            key = tid or self._tids.next()
            unit.stage(keep, {**row, "tid": key})
            ledger.say(record, did=viewer.actor.did, operation="update" if tid else "create",
                       rkey=key, row=subject_id)
        elif tid is not None:
            unit.stage(drop, row)
            ledger.retract(collection, did=viewer.actor.did, rkey=tid, row=subject_id)


_STATEMENTS: dict[str, tuple[Statement, Statement]] = {
    collection_of(forum.Save): (viewer_rows.WRITE_SAVED, viewer_rows.DROP_SAVED),
    collection_of(forum.Hide): (viewer_rows.WRITE_HIDDEN, viewer_rows.DROP_HIDDEN),
    collection_of(forum.Read): (viewer_rows.WRITE_READ, viewer_rows.DROP_READ),
}
