"""Departures: everything that one person wrote, taken away or brought back, a batch a unit.

`accounts` asks for it when somebody deletes their account with its content, or is banned from the
site with it. A batch costs three round trips, whatever is in it; whoever asks comes again until
there is no more.
"""

from typing import NamedTuple

import msgspec

from lichen.accounts import Actor, ContentEnd
from lichen.events import Operation
from lichen.forum import comment_rows, community_rows, post_rows
from lichen.forum.comments import ACTORS_OF_PARENTS
from lichen.forum.drafts import url_key
from lichen.forum.ledger import Ledger, Place, uri_of_comment, uri_of_post
from lichen.forum.limits import DEPARTURE_BATCH
from lichen.forum.model import Comment, CommentView, Community, Post, PostView
from lichen.forum.part import Part
from lichen.forum.permissions import is_gone
from lichen.forum.posts import stage_communities, tell_post
from lichen.forum.views import comment_queries, post_queries
from lichen.store import Unit

# Lemmy 0.19: what stands where an account was deleted with its content.
DELETED_TEXT = "*Permanently Deleted*"


class Counted(NamedTuple):
    """The posts and communities whose counts a batch changes, by id, as they are so far."""

    posts: dict[int, tuple[Post, str]]
    communities: dict[int, Community]


class Departures(Part):
    """Takes away what people who leave wrote."""

    def person_gone(self, unit: Unit, actor: Actor, *, content: ContentEnd) -> bool:
        """Take a batch of a person's posts and comments away, or back; say whether more is left."""
        asked = {"person_id": actor.id, "limit": DEPARTURE_BATCH}
        posts, comments = unit.fetch_all(
            (post_rows.POSTS_TO_END[content], {**asked, "gone_text": DELETED_TEXT}),
            (comment_rows.COMMENTS_TO_END[content], {**asked, "gone_text": DELETED_TEXT}),
        )
        if posts:
            self._end_posts(unit, [row.id for row in posts], content)
        if comments:
            self._end_comments(unit, [row.id for row in comments], content)
        return DEPARTURE_BATCH in (len(posts), len(comments))

    def _end_posts(self, unit: Unit, ids: list[int], content: ContentEnd) -> None:
        _communities, _posts, *answers = (flush := self._views.fetch(
            unit, None,
            (community_rows.LOCK_COMMUNITIES_OF_POSTS, {"ids": ids}),
            (post_rows.LOCK_POSTS, {"ids": ids}),
            *post_queries(unit, None, ids),
        )).rows
        scene = self._views.posts(answers, flush.standing)
        ledger = self._ledger(unit)
        counted: dict[int, Community] = {}
        for view in scene.views.values():
            post = _ended_post(view.post, content)
            post = msgspec.structs.replace(post, unseen=post.unseen and is_gone(post))
            count_post(ledger, counted, view, post)
            unit.stage(
                post_rows.CHANGE_POST, post_rows.row_of_post(post, url_key=url_key(post.url))
            )
            tell_post(ledger, view, post)
        close_counts(unit, ledger, counted)

    def _end_comments(self, unit: Unit, ids: list[int], content: ContentEnd) -> None:
        asked = {"ids": ids}
        _communities, _posts, _comments, *rows, parents, answered = (flush := self._views.fetch(
            unit, None,
            (community_rows.LOCK_COMMUNITIES_OF_COMMENTS, asked),
            (comment_rows.LOCK_POSTS_OF_COMMENTS, asked),
            (comment_rows.LOCK_COMMENTS, asked),
            *comment_queries(unit, None, ids),
            (comment_rows.PARENTS_OF_COMMENTS, asked),
            (ACTORS_OF_PARENTS, {**asked, "now_us": unit.clock_us}),
        )).rows
        scene = self._views.comments(rows, flush.standing)
        people = self._accounts.actors_from(answered)
        uris = {
            row.id: uri_of_comment(comment_rows.comment_from(row), people[row.creator_id].did)
            for row in parents
        }
        ledger = self._ledger(unit)
        counted = Counted({}, {})
        for view in scene.views.values():
            comment = _ended_comment(view.comment, content)
            comment = msgspec.structs.replace(
                comment, unseen=comment.unseen and is_gone(comment)
            )
            author_did = scene.actors[view.post.creator_id].did
            count_comment(ledger, counted, view, comment, author_did=author_did)
            unit.stage(comment_rows.CHANGE_COMMENT, comment_rows.row_of_comment(
                comment, community_id=view.community.id
            ))
            if not (is_gone(comment) and is_gone(view.comment)):
                operation: Operation = "delete" if is_gone(comment) else "update"
                ledger.comment(
                    comment, Place(view.post, view.community), author_did=view.creator.did,
                    operation=operation, post_uri=uri_of_post(view.post, author_did),
                    parent_uri=uris.get(view.comment.parent_id or 0),
                )
        stage_counts(unit, ledger, counted)


def _ended_post(post: Post, content: ContentEnd) -> Post:
    if content == "deleted":
        return msgspec.structs.replace(
            post, deleted=True, name=DELETED_TEXT, body=None, url=None, alt_text=None, link=None
        )
    return msgspec.structs.replace(post, removed=content == "removed")


def _ended_comment(comment: Comment, content: ContentEnd) -> Comment:
    if content == "deleted":
        return msgspec.structs.replace(comment, deleted=True, content=DELETED_TEXT)
    return msgspec.structs.replace(comment, removed=content == "removed")


def count_post(
    ledger: Ledger, counted: dict[int, Community], view: PostView, post: Post
) -> None:
    """Count a post in or out of its community where it came or went."""
    more = is_gone(view.post) - is_gone(post)
    if not more:
        return
    community = counted.get(view.community.id, view.community)
    counted[community.id] = msgspec.structs.replace(community, posts=community.posts + more)
    ledger.words(post.creator_id, posts=more)


def count_comment(
    ledger: Ledger, counted: Counted, view: CommentView, comment: Comment, *, author_did: str
) -> None:
    """Count a comment in or out of its post and community where it came or went."""
    more = is_gone(view.comment) - is_gone(comment)
    if not more:
        return
    post, _ = counted.posts.get(view.post.id, (view.post, author_did))
    community = counted.communities.get(view.community.id, view.community)
    counted.posts[post.id] = (
        msgspec.structs.replace(post, comments=post.comments + more), author_did
    )
    counted.communities[community.id] = msgspec.structs.replace(
        community, comments=community.comments + more
    )
    ledger.words(comment.creator_id, comments=more)


def stage_counts(unit: Unit, ledger: Ledger, counted: Counted) -> None:
    """Stage what posts and communities count now, tell, and close the ledger."""
    unit.stage(post_rows.TALLY_POST, *post_rows.tallies_of_posts(
        [post for post, _ in counted.posts.values()]
    ))
    for post, author_did in counted.posts.values():
        ledger.tally_post(post, author_did=author_did,
                          community=counted.communities[post.community_id])
    close_counts(unit, ledger, counted.communities)


def close_counts(unit: Unit, ledger: Ledger, counted: dict[int, Community]) -> None:
    """Stage what communities count now, tell, and close the ledger."""
    stage_communities(unit, counted.values())
    for community in counted.values():
        ledger.tally_community(community)
    ledger.close()
