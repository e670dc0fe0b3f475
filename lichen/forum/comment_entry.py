"""How a new comment enters its thread: told, counted, voted for by its author.

Works on what a batch has read; what it changes is written by who calls.
"""

from collections.abc import Iterable

import msgspec

from lichen.accounts import Actor
from lichen.forum.ledger import Ledger, Place, uri_of_comment, uri_of_post
from lichen.forum.limits import NECRO_AGE_US_MAX
from lichen.forum.model import Comment, CommunityView, Post, PostView, SubjectKind
from lichen.kit import Reason
from lichen.store import Row


class Thread(msgspec.Struct):
    """What a batch of comments is written into, changing as it goes."""

    posts: dict[int, Post]
    views: dict[int, PostView]
    communities: dict[int, CommunityView]
    actors: dict[int, Actor]
    parents: dict[int, Comment]
    beside: list[list[Row]]  # the answers to what rode along

    def tally_posts(self, ledger: Ledger, posts: Iterable[Post]) -> None:
        """Tell what the posts count now, but for those that were never public."""
        for post in (one for one in posts if not one.unseen):
            ledger.tally_post(post, author_did=self.actors[post.creator_id].did,
                              community=self.communities[post.community_id].community)


def enter(
    ledger: Ledger, thread: Thread, comment: Comment, holds: tuple[Reason, ...]
) -> dict[str, object]:
    """Enter a new comment into the ledger and the thread's counts; return its own vote's row.

    Of one that is held nobody hears, and it counts nowhere.
    """
    author = thread.actors[comment.creator_id]
    post = thread.posts[comment.post_id]
    if comment.held:
        ledger.held(comment, author_did=author.did, holds=holds)
    else:
        _count_in(ledger, thread, comment)
    uri = uri_of_comment(comment, author.did)
    tid = ledger.vote(1, voter_did=author.did, subject_uri=uri, tid=None, row=comment.id)
    ledger.act(author.id, post.community_id, at_us=comment.published_us)
    return {
        "person_id": author.id, "kind": int(SubjectKind.COMMENT), "subject_id": comment.id,
        "value": 1, "tid": tid, "published_us": comment.published_us,
    }


def _count_in(ledger: Ledger, thread: Thread, comment: Comment) -> None:
    """Tell of a new comment that everybody may see, and count it in."""
    author = thread.actors[comment.creator_id]
    post = thread.posts[comment.post_id]
    view = thread.communities[post.community_id]
    parent = None if comment.parent_id is None else thread.parents[comment.parent_id]
    place = Place(post, view.community)
    ledger.comment(
        comment, place, author_did=author.did,
        post_uri=uri_of_post(post, thread.actors[post.creator_id].did),
        parent_uri=uri_of_comment(parent, thread.actors[parent.creator_id].did) if parent else None,
        operation="create",
    )
    ledger.tally_comment(comment, place, author_did=author.did)
    ledger.words(author.id, comments=1)
    thread.posts[post.id] = bumped(post, comment)
    thread.communities[post.community_id] = msgspec.structs.replace(
        view, community=msgspec.structs.replace(
            view.community, comments=view.community.comments + 1
        )
    )


def bumped(post: Post, comment: Comment) -> Post:
    """Return the post with one more comment counted and its times moved."""
    newest_us = max(post.newest_comment_us, comment.published_us)
    # Lemmy 0.19, newest_comment_time_necro: by somebody else, and not long after publication.
    bumps = (comment.creator_id != post.creator_id
             and comment.published_us - post.published_us <= NECRO_AGE_US_MAX)
    return msgspec.structs.replace(
        post, comments=post.comments + 1, newest_comment_us=newest_us,
        active_us=max(post.active_us, comment.published_us) if bumps else post.active_us,
    )
