"""Purges: posts, comments and communities taken out of the rows for good, with all that hangs on
them.

Readers learn it from the deletions that are told: what has no row any more is nowhere. Votes and
marks of what is purged go untold; they were private, and their subject is gone.
"""

from collections.abc import Iterable, Sequence

import msgspec

from lichen.accounts import Actor, Viewer
from lichen.forum import comment_rows, post_rows, word_rows
from lichen.forum import community_rows as rows
from lichen.forum.ledger import COMMENT, COMMUNITY, POST, Ledger
from lichen.forum.limits import RULED_WORDS_MAX
from lichen.forum.model import CommentView, Community, Post, PostView
from lichen.forum.outside import traces_outside
from lichen.forum.part import Part
from lichen.forum.permissions import (
    check_admin_of_site,
    is_gone,
    no_such_comment,
    no_such_community,
    no_such_post,
)
from lichen.forum.posts import stage_communities
from lichen.forum.tree import ancestors_of
from lichen.forum.views import comment_queries, post_queries
from lichen.store import Row, Unit


class Purges(Part):
    """Commands for administrators, which nothing undoes."""

    def purge_posts(self, unit: Unit, viewer: Viewer, ids: Sequence[int]) -> list[PostView]:
        """Take posts and every comment below them out of the rows; return them as they were.

        Two round trips.
        """
        check_admin_of_site(viewer)
        asked = {"ids": list(ids), "now_us": unit.clock_us}
        flush = self._views.fetch(
            unit, None,
            (rows.LOCK_COMMUNITIES_OF_POSTS, asked), (post_rows.LOCK_POSTS, asked),
            *post_queries(unit, None, ids),
            (word_rows.COMMENTS_BELOW_POSTS, asked), (word_rows.AUTHORS_BELOW_POSTS, asked),
        )
        *answers, below, authors = flush.rows[2:]
        scene = self._views.posts(answers, flush.standing)
        if len(scene.views) < len(set(ids)):
            raise no_such_post()
        ledger = self._ledger(unit)
        counted = {key: view.community for key, view in scene.communities.items()}
        posts = {int(view.post.id): view.post for view in scene.views.values()}
        self._retract(ledger, below, self._accounts.actors_from(authors), counted, posts=posts)
        for view in scene.views.values():
            post = view.post
            ledger.retract(POST, did=view.creator.did, rkey=post.tid, row=post.id,
                           outside=traces_outside(view.community, post))
            _count(counted, post.community_id, posts=is_gone(post) - 1)
            ledger.words(post.creator_id, posts=is_gone(post) - 1)
        _drop(unit, comments=[row.id for row in below], posts=sorted(scene.views))
        self._recount(unit, ledger, counted)
        return list(scene.views.values())

    def purge_comments(
        self, unit: Unit, viewer: Viewer, ids: Sequence[int]
    ) -> list[CommentView]:
        """Take comments with the branches below them out of the rows; return them as they were.

        Two round trips.
        """
        check_admin_of_site(viewer)
        asked = {"ids": list(ids), "now_us": unit.clock_us}
        flush = self._views.fetch(
            unit, None,
            (rows.LOCK_COMMUNITIES_OF_COMMENTS, asked),
            (comment_rows.LOCK_POSTS_OF_COMMENTS, asked),
            *comment_queries(unit, None, ids),
            (word_rows.COMMENTS_BESIDE, asked), (word_rows.AUTHORS_BESIDE, asked),
        )
        *answers, beside, authors = flush.rows[2:]
        scene = self._views.comments(answers, flush.standing)
        if len(scene.views) < len(set(ids)):
            raise no_such_comment()
        roots = {view.comment.id for view in scene.views.values()}
        branch = [row for row in beside if roots.intersection(_numbers(row.path))]
        ledger = self._ledger(unit)
        counted = {key: view.community for key, view in scene.communities.items()}
        posts = {int(view.post.id): view.post for view in scene.views.values()}
        self._retract(ledger, branch, self._accounts.actors_from(authors), counted, posts=posts)
        self._shrink(unit, ledger, branch, posts=posts, actors=scene.actors, around=counted)
        _drop(unit, comments=[row.id for row in branch])
        self._recount(unit, ledger, counted)
        return list(scene.views.values())

    def purge_words(
        self, unit: Unit, viewer: Viewer, person_id: int
    ) -> tuple[list[PostView], bool]:
        """Purge the newest words of a person; return the posts, and whether there are more."""
        asked = {"person_id": person_id, "limit": RULED_WORDS_MAX}
        posts = unit.fetch(word_rows.ALL_POSTS_OF_PERSON, **asked)
        purged = self.purge_posts(unit, viewer, [row.id for row in posts]) if posts else []
        # Read after the first purge: some were below the posts that are gone now.
        comments = unit.fetch(word_rows.ALL_COMMENTS_OF_PERSON, **asked)
        if comments:
            self.purge_comments(unit, viewer, [row.id for row in comments])
        return purged, RULED_WORDS_MAX in (len(posts), len(comments))

    def purge_community(
        self, unit: Unit, viewer: Viewer, community_id: int
    ) -> tuple[list[PostView], bool]:
        """Purge the newest posts of a community, with the last of them the community itself.

        Returns the posts, and whether there are more. Its name stays taken, for ids are never
        reused.
        """
        check_admin_of_site(viewer)
        lock = (rows.LOCK_COMMUNITIES, {"ids": [community_id]})
        queries = self._views.community_queries(unit, None, [community_id])
        asked = {"community_id": community_id, "limit": RULED_WORDS_MAX}
        flush = self._views.fetch(
            unit, None, lock, *queries, (word_rows.ALL_POSTS_OF_COMMUNITY, asked),
            (rows.MODERATORS, {"ids": [community_id]}),
        )
        _lock, communities, actors, posts, moderators = flush.rows
        found = self._views.communities([communities, actors], flush.standing)
        if community_id not in found:
            raise no_such_community()
        ids = [row.id for row in posts]
        purged = self.purge_posts(unit, viewer, ids) if ids else []
        if len(ids) == RULED_WORDS_MAX:
            return purged, True
        self._drop_community(unit, found[community_id].community, moderators)
        return purged, False

    def _drop_community(self, unit: Unit, community: Community, moderators: list[Row]) -> None:
        did, outside = community.actor.did, traces_outside(community)
        ledger = self._ledger(unit)
        for row in moderators:
            ledger.retract("lichen.forum.moderator", did=did, rkey=row.tid, row=row.person_id,
                           outside=outside)
        ledger.retract(COMMUNITY, did=did, rkey=community.tid, row=community.id, outside=outside)
        self._accounts.change_actor(unit, msgspec.structs.replace(
            community.actor, display_name=None, summary=None, avatar=None, banner=None
        ))
        for statement in word_rows.DROP_COMMUNITY:
            unit.stage(statement, {"community_id": community.id})
        ledger.close()

    def _retract(
        self, ledger: Ledger, comments: Iterable[Row], authors: dict[int, Actor],
        counted: dict[int, Community], *, posts: dict[int, Post],
    ) -> None:
        """Tell that comments are gone, and count them out of their communities."""
        for row in comments:
            author = authors[row.creator_id]
            ledger.retract(
                COMMENT, did=author.did, rkey=row.tid, row=row.id,
                outside=traces_outside(counted[row.community_id], posts[row.post_id], row),
            )
            if not (row.deleted or row.removed):
                _count(counted, row.community_id, comments=-1)
                ledger.words(author.id, comments=-1)

    def _shrink(
        self, unit: Unit, ledger: Ledger, branch: Sequence[Row], *, posts: dict[int, Post],
        actors: dict[int, Actor], around: dict[int, Community],
    ) -> None:
        """Count the comments of branches out of their posts and of who stands above them."""
        gone = {row.id for row in branch}
        children: dict[int, int] = {}
        for row in branch:
            post = posts[row.post_id]
            less = not (row.deleted or row.removed)
            posts[post.id] = msgspec.structs.replace(post, comments=post.comments - less)
            for ancestor in ancestors_of(row.path):
                if ancestor not in gone:
                    children[ancestor] = children.get(ancestor, 0) - 1
        for post in posts.values():
            ledger.tally_post(post, author_did=actors[post.creator_id].did,
                              community=around[post.community_id])
        unit.stage(comment_rows.COUNT_CHILDREN, *(
            {"row_id": key, "more": more} for key, more in sorted(children.items())
        ))
        unit.stage(post_rows.TALLY_POST, *post_rows.tallies_of_posts(list(posts.values())))

    def _recount(self, unit: Unit, ledger: Ledger, counted: dict[int, Community]) -> None:
        for community in counted.values():
            ledger.tally_community(community)
        stage_communities(unit, counted.values())
        ledger.close()


def _count(
    counted: dict[int, Community], community_id: int, *, posts: int = 0, comments: int = 0
) -> None:
    before = counted[community_id]
    counted[community_id] = msgspec.structs.replace(
        before, posts=before.posts + posts, comments=before.comments + comments
    )


def _drop(unit: Unit, *, comments: Sequence[int], posts: Sequence[int] = ()) -> None:
    """Stage the deletions, what refers to others first."""
    for statement in word_rows.DROP_COMMENTS:
        unit.stage(statement, {"ids": comments})
    for statement in word_rows.DROP_POSTS if posts else ():
        unit.stage(statement, {"ids": posts})


def _numbers(path: str) -> set[int]:
    return set(map(int, path.split(".")))
