"""What one person owns in the forum: found page by page, and erased for good.

Erasing empties the texts and keeps the rows: answers of others hang below them, and ids are never
reused. Whoever drops rows altogether (a purge) needs nothing of this.
"""

from collections.abc import Iterable, Sequence

import msgspec

from lichen.accounts import Viewer
from lichen.forum import comment_rows, community_rows, owned_rows, post_rows
from lichen.forum.ledger import Ledger, Place
from lichen.forum.limits import BATCH_MAX
from lichen.forum.model import (
    CommentId,
    CommentView,
    Community,
    PostId,
    PostView,
    SubjectKind,
)
from lichen.forum.part import Part
from lichen.forum.permissions import is_gone
from lichen.forum.posts import stage_communities
from lichen.forum.views import comment_queries, post_queries
from lichen.store import Row, Unit


class Owned(Part):
    """Queries about all that a person wrote and marked; commands that erase it."""

    def post_ids_of(
        self, unit: Unit, person_id: int, *, after_id: int, limit: int
    ) -> list[PostId]:
        """Return the ids of a person's posts, gone or not, in their order; one round trip."""
        rows = unit.fetch(
            owned_rows.POST_IDS, person_id=person_id, after_id=after_id, limit=limit
        )
        return [PostId(row.id) for row in rows]

    def comment_ids_of(
        self, unit: Unit, person_id: int, *, after_id: int, limit: int
    ) -> list[CommentId]:
        """Return the ids of a person's comments, gone or not, in their order; one round trip."""
        rows = unit.fetch(
            owned_rows.COMMENT_IDS, person_id=person_id, after_id=after_id, limit=limit
        )
        return [CommentId(row.id) for row in rows]

    def posts_of(
        self, unit: Unit, viewer: Viewer, *, after_id: int, limit: int
    ) -> list[PostView]:
        """Return a page of the viewer's own posts, gone or not, in their order; two round trips."""
        ids = self.post_ids_of(unit, viewer.id, after_id=after_id, limit=limit)
        flush = self._views.fetch(unit, viewer, *post_queries(unit, viewer, ids))
        views = self._views.posts(flush.rows, flush.standing).views
        return [views[id_] for id_ in ids]

    def comments_of(
        self, unit: Unit, viewer: Viewer, *, after_id: int, limit: int
    ) -> list[CommentView]:
        """Return a page of the viewer's own comments with their words, wherever they stand.

        Gone or not, in their order; two round trips. Of a post that the viewer cannot see any more
        nothing but its title may be shown.
        """
        ids = self.comment_ids_of(unit, viewer.id, after_id=after_id, limit=limit)
        flush = self._views.fetch(unit, viewer, *comment_queries(unit, viewer, ids))
        views = self._views.comments(flush.rows, flush.standing).views
        return [views[id_] for id_ in ids]

    def comment_ids_below(
        self, unit: Unit, post_id: int, *, after_id: int, limit: int
    ) -> list[CommentId]:
        """Return the ids of a post's comments in their order; one round trip."""
        rows = unit.fetch(
            owned_rows.COMMENT_IDS_BELOW, post_id=post_id, after_id=after_id, limit=limit
        )
        return [CommentId(row.id) for row in rows]

    def votes_of(
        self, unit: Unit, person_id: int, kind: SubjectKind, *, after_id: int, limit: int
    ) -> list[Row]:
        """Return subject_id, value and published_us of a person's votes; one round trip."""
        return unit.fetch(
            owned_rows.VOTES, person_id=person_id, kind=int(kind), after_id=after_id, limit=limit
        )

    def saves_of(
        self, unit: Unit, person_id: int, kind: SubjectKind, *, after_id: int, limit: int
    ) -> list[Row]:
        """Return subject_id and published_us of what a person keeps; one round trip."""
        return unit.fetch(
            owned_rows.SAVES, person_id=person_id, kind=int(kind), after_id=after_id, limit=limit
        )

    def speaking_among(
        self, unit: Unit, posts: Iterable[int], comments: Iterable[int]
    ) -> tuple[set[int], set[int]]:
        """Return which of the posts and of the comments are in the rows with their words.

        One round trip. The others were erased, or purged.
        """
        found = unit.fetch_all(
            (owned_rows.SPEAKING_POSTS, {"ids": list(posts)}),
            (owned_rows.SPEAKING_COMMENTS, {"ids": list(comments)}),
        )
        of_posts, of_comments = ({row.id for row in rows} for rows in found)
        return of_posts, of_comments

    def erase_posts(self, unit: Unit, ids: Sequence[int]) -> None:
        """Empty posts for good and tell that they are gone; two round trips; twice is once."""
        assert len(ids) <= BATCH_MAX
        asked = {"ids": list(ids)}
        flush = self._views.fetch(
            unit, None, (community_rows.LOCK_COMMUNITIES_OF_POSTS, asked),
            (post_rows.LOCK_POSTS, asked), *post_queries(unit, None, ids),
        )
        scene = self._views.posts(flush.rows[2:], flush.standing)
        ledger = self._ledger(unit)
        counted: dict[int, Community] = {}
        rows = []
        for view in sorted(scene.views.values(), key=lambda view: view.post.id):
            post = view.post
            if not is_gone(post):
                ledger.post(post, author_did=view.creator.did, operation="delete",
                            community=view.community)
                ledger.words(post.creator_id, posts=-1)
                around = counted.get(post.community_id, view.community)
                counted[around.id] = msgspec.structs.replace(around, posts=around.posts - 1)
            empty = msgspec.structs.replace(
                post, name=owned_rows.ERASED, url=None, body=None, alt_text=None, link=None,
                deleted=True,
            )
            rows.append(post_rows.row_of_post(empty, url_key=None))
        unit.stage(post_rows.CHANGE_POST, *rows)
        self._recount_communities(unit, ledger, counted)

    def erase_comments(self, unit: Unit, ids: Sequence[int]) -> None:
        """Empty comments for good and tell that they are gone; two round trips; twice is once."""
        assert len(ids) <= BATCH_MAX
        asked = {"ids": list(ids)}
        flush = self._views.fetch(
            unit, None, (community_rows.LOCK_COMMUNITIES_OF_COMMENTS, asked),
            (comment_rows.LOCK_POSTS_OF_COMMENTS, asked), (comment_rows.LOCK_COMMENTS, asked),
            *comment_queries(unit, None, ids),
        )
        scene = self._views.comments(flush.rows[3:], flush.standing)
        ledger = self._ledger(unit)
        counted: dict[int, Community] = {}
        posts = {view.post.id: view.post for view in scene.views.values()}
        rows = []
        for view in sorted(scene.views.values(), key=lambda view: view.comment.id):
            comment = view.comment
            if not is_gone(comment):
                ledger.comment(comment, Place(view.post, view.community),
                               author_did=view.creator.did, post_uri="", parent_uri=None,
                               operation="delete")
                ledger.words(comment.creator_id, comments=-1)
                post = posts[comment.post_id]
                posts[post.id] = msgspec.structs.replace(post, comments=post.comments - 1)
                around = counted.get(view.community.id, view.community)
                counted[around.id] = msgspec.structs.replace(around, comments=around.comments - 1)
            empty = msgspec.structs.replace(comment, content="", deleted=True)
            rows.append(comment_rows.row_of_comment(empty, community_id=view.community.id))
        unit.stage(comment_rows.CHANGE_COMMENT, *rows)
        unit.stage(post_rows.TALLY_POST, *post_rows.tallies_of_posts(list(posts.values())))
        for post in posts.values():
            ledger.tally_post(post, author_did=scene.actors[post.creator_id].did,
                              community=scene.communities[post.community_id].community)
        self._recount_communities(unit, ledger, counted)

    def forget_marks(self, unit: Unit, person_id: int) -> None:
        """Forget what a person voted, kept, hid, read and joined; the tallies of votes stay."""
        asked = {"person_id": person_id}
        unit.stage(owned_rows.LEAVE_ALL, asked)
        for statement in owned_rows.FORGET:
            unit.stage(statement, asked)

    def _recount_communities(
        self, unit: Unit, ledger: Ledger, counted: dict[int, Community]
    ) -> None:
        stage_communities(unit, counted.values())
        for one in counted.values():
            ledger.tally_community(one)
        ledger.close()
