"""Sweeps: many words of one person taken away, or brought back, by one command."""

from collections.abc import Sequence
from typing import NamedTuple

import msgspec

from lichen.accounts import Viewer
from lichen.forum import comment_rows, post_rows, word_rows
from lichen.forum import community_rows as rows
from lichen.forum.comments import ACTORS_OF_PARENTS
from lichen.forum.drafts import url_key
from lichen.forum.judges import Judges
from lichen.forum.ledger import Ledger, Place, uri_of_comment, uri_of_post
from lichen.forum.limits import RULED_WORDS_MAX
from lichen.forum.model import CommentView, Community, CommunityView, Post, PostView
from lichen.forum.permissions import check_admin_of_site, check_moderator, is_gone
from lichen.forum.posts import stage_communities
from lichen.forum.rulings import Words
from lichen.forum.views import comment_queries, post_queries
from lichen.store import Row, Unit


class Sweeps(Judges):
    """The command over many words at once."""

    def rule_words(
        self, unit: Unit, viewer: Viewer, person_id: int, *, removed: bool,
        community_id: int | None = None, among: Words | None = None,
    ) -> Words:
        """Remove the newest words of a person, or bring some back; return which it changed.

        In one community, which the viewer moderates, or everywhere, for administrators. Of `among`
        where it is given. Three round trips, however many there are.
        """
        if community_id is None:
            check_admin_of_site(viewer)
        found = self._words(unit, person_id, community_id=community_id, among=among)
        scene = self._all_locked(unit, viewer, found)
        for view in scene.communities.values():
            check_moderator(viewer, view)
        ledger = self._ledger(unit)
        posts = self._rule_posts(unit, ledger, scene, found, removed=removed)
        comments = self._rule_comments(unit, ledger, scene, found, removed=removed)
        ledger.close()
        return Words(posts=tuple(posts), comments=tuple(comments), more=found.more)

    def _words(
        self, unit: Unit, person_id: int, *, community_id: int | None, among: Words | None
    ) -> "_Found":
        if among is not None:
            posts, comments = unit.fetch_all(
                (word_rows.PLACES_OF_POSTS, {"ids": list(among.posts)}),
                (word_rows.PLACES_OF_COMMENTS, {"ids": list(among.comments)}),
            )
            return _Found(posts, comments, more=False)
        asked = {"person_id": person_id, "community_id": community_id or 0,
                 "everywhere": community_id is None, "limit": RULED_WORDS_MAX}
        posts, comments = unit.fetch_all(
            (word_rows.POSTS_OF_PERSON, asked), (word_rows.COMMENTS_OF_PERSON, asked)
        )
        full = len(posts) == RULED_WORDS_MAX or len(comments) == RULED_WORDS_MAX
        return _Found(posts, comments, more=full)

    def _all_locked(self, unit: Unit, viewer: Viewer | None, found: "_Found") -> "_Whole":
        """Return everything found and what is around it, locked in the order of the ids."""
        posts = sorted(found.post_ids | {row.post_id for row in found.comments})
        comments = sorted(row.id for row in found.comments)
        communities = sorted({row.community_id for row in (*found.posts, *found.comments)})
        flush = self._views.fetch(
            unit, viewer,
            (rows.LOCK_COMMUNITIES, {"ids": communities}),
            (post_rows.LOCK_POSTS, {"ids": posts}),
            (comment_rows.LOCK_COMMENTS, {"ids": comments}),
            *post_queries(unit, viewer, posts), *comment_queries(unit, viewer, comments),
            (comment_rows.PARENTS_OF_COMMENTS, {"ids": comments}),
            (ACTORS_OF_PARENTS, {"ids": comments, "now_us": unit.clock_us}),
        )
        answers = flush.rows[3:]
        below = self._views.posts(answers[:3], flush.standing)
        above = self._views.comments(answers[3:7], flush.standing)
        people = self._accounts.actors_from(answers[8])
        parents = {
            row.id: uri_of_comment(comment_rows.comment_from(row), people[row.creator_id].did)
            for row in answers[7]
        }
        return _Whole(
            below.views, above.views, below.communities | above.communities, parents,
            {key: view.post for key, view in below.views.items()},
            {key: view.community for key, view in (below.communities | above.communities).items()},
        )

    def _rule_posts(
        self, unit: Unit, ledger: Ledger, scene: "_Whole", found: "_Found", *, removed: bool
    ) -> list[int]:
        changed = []
        for key in sorted(found.post_ids):
            view = scene.posts[key]
            if view.post.removed == removed:
                continue
            post = msgspec.structs.replace(view.post, removed=removed)
            post = msgspec.structs.replace(post, unseen=post.unseen and is_gone(post))
            changed.append(key)
            scene.now[key] = post
            unit.stage(
                post_rows.CHANGE_POST, post_rows.row_of_post(post, url_key=url_key(post.url))
            )
            more = is_gone(view.post) - is_gone(post)
            scene.recount(post.community_id, posts=more)
            if more:
                ledger.words(post.creator_id, posts=more)
                ledger.post(post, author_did=view.creator.did,
                            community=view.community,
                            operation="delete" if removed else "update")
                ledger.tally_community(scene.counted[post.community_id])
        return changed

    def _rule_comments(
        self, unit: Unit, ledger: Ledger, scene: "_Whole", found: "_Found", *, removed: bool
    ) -> list[int]:
        changed = []
        for key in sorted(row.id for row in found.comments):
            view = scene.comments[key]
            if view.comment.removed == removed:
                continue
            comment = msgspec.structs.replace(view.comment, removed=removed)
            comment = msgspec.structs.replace(
                comment, unseen=comment.unseen and is_gone(comment)
            )
            changed.append(key)
            community_id = view.community.id
            unit.stage(comment_rows.CHANGE_COMMENT,
                       comment_rows.row_of_comment(comment, community_id=community_id))
            more = is_gone(view.comment) - is_gone(comment)
            if not more:
                continue
            scene.recount(community_id, comments=more)
            post = scene.now[comment.post_id]
            scene.now[post.id] = msgspec.structs.replace(post, comments=post.comments + more)
            author = scene.posts[post.id].creator.did
            ledger.words(comment.creator_id, comments=more)
            ledger.tally_post(scene.now[post.id], author_did=author, community=view.community)
            ledger.comment(
                comment, Place(post, view.community), author_did=view.creator.did,
                post_uri=uri_of_post(post, author),
                parent_uri=scene.parents.get(comment.parent_id or 0),
                operation="delete" if removed else "update",
            )
            ledger.tally_community(scene.counted[community_id])
        unit.stage(post_rows.TALLY_POST, *post_rows.tallies_of_posts(list(scene.now.values())))
        stage_communities(unit, scene.counted.values())
        return changed


class _Found(NamedTuple):
    """Rows of words: posts with their community, comments with their post too."""

    posts: Sequence[Row]
    comments: Sequence[Row]
    more: bool

    @property
    def post_ids(self) -> set[int]:
        return {row.id for row in self.posts}


class _Whole(NamedTuple):
    """What a ruling over many words works on; `now` and `counted` change as it goes."""

    posts: dict[int, PostView]
    comments: dict[int, CommentView]
    communities: dict[int, CommunityView]
    parents: dict[int, str]
    now: dict[int, Post]
    counted: dict[int, Community]

    def recount(self, community_id: int, *, posts: int = 0, comments: int = 0) -> None:
        before = self.counted[community_id]
        self.counted[community_id] = msgspec.structs.replace(
            before, posts=before.posts + posts, comments=before.comments + comments
        )
