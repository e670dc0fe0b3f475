"""Statements over comments.

A thread is read in two steps. First its skeleton: of every comment only what decides where it
stands (path, tallies, time, author, 60 bytes each), ranked and cut in memory by `tree`. Then the
contents of those that were chosen, with what the viewer marked on them.
"""

from collections import namedtuple
from collections.abc import Sequence
from functools import lru_cache
from typing import Any

import msgspec
import sqlalchemy as sa

from lichen.forum.limits import COMMENTS_KEPT_MAX, KEPT_LENGTH_MAX
from lichen.forum.model import Comment, CommentId, PostId, SubjectKind
from lichen.forum.tables import (
    change,
    comment,
    community_ban,
    moderator,
    post,
    saved,
    subscription,
    vote,
)
from lichen.store import Row, Statement, any_of

_VIEWER = sa.bindparam("viewer_id", type_=sa.BigInteger)
_NOW = sa.bindparam("now_us", type_=sa.BigInteger)

_OF_COMMENTS = any_of(comment.c.id, "ids")

# One primary-key look-up a row for each of the four joins.
COMMENTS = Statement(
    sa.select(
        *comment.c,
        vote.c.value.label("my_vote"),
        vote.c.tid.label("vote_tid"),
        (saved.c.person_id.is_not(None)).label("is_saved"),
        (community_ban.c.person_id.is_not(None)).label("creator_banned"),
        (moderator.c.person_id.is_not(None)).label("creator_moderates"),
    )
    .select_from(
        comment.outerjoin(
            vote,
            sa.and_(vote.c.person_id == _VIEWER, vote.c.kind == int(SubjectKind.COMMENT),
                    vote.c.subject_id == comment.c.id),
        )
        .outerjoin(
            saved,
            sa.and_(saved.c.person_id == _VIEWER, saved.c.kind == int(SubjectKind.COMMENT),
                    saved.c.subject_id == comment.c.id),
        )
        .outerjoin(
            community_ban,
            sa.and_(community_ban.c.community_id == comment.c.community_id,
                    community_ban.c.person_id == comment.c.creator_id,
                    sa.or_(community_ban.c.expires_us.is_(None),
                           community_ban.c.expires_us > _NOW)),
        )
        .outerjoin(
            moderator,
            sa.and_(moderator.c.community_id == comment.c.community_id,
                    moderator.c.person_id == comment.c.creator_id),
        )
    )
    .where(_OF_COMMENTS),
    name="comments",
)

LOCK_COMMENTS = Statement(
    sa.select(comment.c.id).where(_OF_COMMENTS).order_by(comment.c.id).with_for_update(),
    name="lock comments", only_locks=True,
)

PARENTS = Statement(sa.select(*comment.c).where(_OF_COMMENTS), name="parents")
_PARENT_IDS = sa.select(comment.c.parent_id).where(_OF_COMMENTS)
_parent = comment.alias("parent")
PARENTS_OF_COMMENTS = Statement(
    sa.select(*_parent.c).where(_parent.c.id.in_(_PARENT_IDS)), name="parents of comments"
)
CREATOR_IDS_OF_PARENTS = sa.select(_parent.c.creator_id).where(_parent.c.id.in_(_PARENT_IDS))

POST_IDS_OF_COMMENTS = sa.select(comment.c.post_id.label("id")).where(_OF_COMMENTS)
COMMUNITY_IDS_OF_COMMENTS = sa.select(comment.c.community_id.label("id")).where(_OF_COMMENTS)
# The author, the community, and the author of the post.
ACTOR_IDS_OF_COMMENTS = sa.union(
    sa.select(comment.c.creator_id.label("id")).where(_OF_COMMENTS),
    COMMUNITY_IDS_OF_COMMENTS,
    sa.select(post.c.creator_id).where(post.c.id.in_(POST_IDS_OF_COMMENTS)),
)

POSTS_OF_COMMENTS = Statement(
    sa.select(*post.c).where(post.c.id.in_(POST_IDS_OF_COMMENTS)), name="posts of comments"
)

LOCK_POSTS_OF_COMMENTS = Statement(
    sa.select(post.c.id).where(post.c.id.in_(POST_IDS_OF_COMMENTS)).order_by(post.c.id)
    .with_for_update(),
    name="lock posts of comments", only_locks=True,
)

_SKELETON = sa.select(
    comment.c.id, comment.c.path, comment.c.creator_id, comment.c.up, comment.c.down,
    comment.c.published_us,
)
_LIMIT = sa.bindparam("limit", type_=sa.Integer)

# By the index comment_post; the oldest are kept where a thread is longer than the limit, because
# a comment is younger than its parent, so no branch is cut from its trunk.
SKELETON_OF_POST = Statement(
    _SKELETON.where(comment.c.post_id == sa.bindparam("post_id", type_=sa.BigInteger))
    .order_by(comment.c.id).limit(_LIMIT),
    name="skeleton of a post",
)
SKELETON_OF_PARENT = Statement(
    _SKELETON.where(
        comment.c.post_id == sa.select(comment.c.post_id)
        .where(comment.c.id == sa.bindparam("parent_id", type_=sa.BigInteger)).scalar_subquery()
    )
    .order_by(comment.c.id).limit(_LIMIT),
    name="skeleton of a branch's post",
)

_VISIBLE = sa.and_(comment.c.deleted.is_(False), comment.c.removed.is_(False),
                   comment.c.held.is_(False))
_NEWEST_FIRST = comment.c.id.desc()

# Lists without a thread: the newest by one index each.
NEWEST = Statement(
    _SKELETON.where(_VISIBLE).order_by(_NEWEST_FIRST).limit(_LIMIT), name="newest comments"
)
NEWEST_LOCAL = Statement(
    _SKELETON.where(_VISIBLE, comment.c.local.is_(True)).order_by(_NEWEST_FIRST).limit(_LIMIT),
    name="newest local comments",
)
NEWEST_OF_COMMUNITY = Statement(
    _SKELETON.where(
        _VISIBLE, comment.c.community_id == sa.bindparam("community_id", type_=sa.BigInteger)
    )
    .order_by(_NEWEST_FIRST).limit(_LIMIT),
    name="newest comments of a community",
)
# By the index comment_post.
NEWER_OF_POST = Statement(
    sa.select(comment.c.id).where(
        comment.c.post_id == sa.bindparam("post_id", type_=sa.BigInteger),
        comment.c.id > sa.bindparam("after_id", type_=sa.BigInteger),
        comment.c.published_us > sa.bindparam("after_us", type_=sa.BigInteger),
    )
    .order_by(comment.c.id).limit(_LIMIT),
    name="newer comments of a post",
)
NEWEST_OF_CREATOR = Statement(
    _SKELETON.where(
        _VISIBLE, comment.c.creator_id == sa.bindparam("creator_id", type_=sa.BigInteger)
    )
    .order_by(_NEWEST_FIRST).limit(_LIMIT),
    name="newest comments of a person",
)
NEWEST_OF_SUBSCRIPTIONS = Statement(
    _SKELETON.where(
        _VISIBLE,
        comment.c.community_id.in_(
            sa.select(subscription.c.community_id).where(subscription.c.person_id == _VIEWER)
        ),
    )
    .order_by(_NEWEST_FIRST).limit(_LIMIT),
    name="newest comments of subscriptions",
)
NEWEST_SAVED = Statement(
    _SKELETON.join(
        saved,
        sa.and_(saved.c.person_id == _VIEWER, saved.c.kind == int(SubjectKind.COMMENT),
                saved.c.subject_id == comment.c.id),
    )
    .where(_VISIBLE).order_by(_NEWEST_FIRST).limit(_LIMIT),
    name="newest saved comments",
)
NEWEST_VOTED = Statement(
    _SKELETON.join(
        vote,
        sa.and_(vote.c.person_id == _VIEWER, vote.c.kind == int(SubjectKind.COMMENT),
                vote.c.subject_id == comment.c.id,
                vote.c.value == sa.bindparam("value", type_=sa.SmallInteger)),
    )
    .where(_VISIBLE).order_by(_NEWEST_FIRST).limit(_LIMIT),
    name="newest voted comments",
)

# What is left to take away (or back) of one person, by the index comment_creator.
_TO_END = sa.select(comment.c.id).where(comment.c.creator_id == sa.bindparam("person_id"))
COMMENTS_TO_END = {
    "deleted": Statement(
        _TO_END.where(sa.or_(
            comment.c.deleted.is_(False), comment.c.content != sa.bindparam("gone_text")
        ))
        .order_by(comment.c.id).limit(_LIMIT), name="comments to delete",
    ),
    "removed": Statement(
        _TO_END.where(comment.c.removed.is_(False)).order_by(comment.c.id).limit(_LIMIT),
        name="comments to remove",
    ),
    "restored": Statement(
        _TO_END.where(comment.c.removed.is_(True)).order_by(comment.c.id).limit(_LIMIT),
        name="comments to restore",
    ),
}

INSERT_COMMENT = Statement(sa.insert(comment), name="insert comment")
CHANGE_COMMENT = change(
    comment, "content", "language_id", "updated_us", "deleted", "removed", "distinguished", "held",
    "unseen",
)
TALLY_COMMENT = change(comment, "up", "down")
# The ancestors' own rows are not locked before: an addition needs no knowledge of the old value.
COUNT_CHILDREN = Statement(
    sa.update(comment)
    .where(comment.c.id == sa.bindparam("row_id", type_=sa.BigInteger))
    .values(children=comment.c.children + sa.bindparam("more", type_=sa.BigInteger)),
    name="count children",
)


_ROW: Any = namedtuple("_ROW", comment.c.keys())  # type: ignore[misc]
_WIDTH = len(comment.c)  # every statement over whole comments begins with the table's columns


def comment_from(row: Row) -> Comment:
    """Return the comment in a row of COMMENTS; the same row gives the same one, from memory."""
    shared = row[:_WIDTH]
    return _kept_comment(shared) if len(row.content) <= KEPT_LENGTH_MAX else _comment(shared)


def _comment(shared: tuple[Any, ...]) -> Comment:
    row: Row = _ROW(*shared)
    return Comment(
        id=CommentId(row.id), tid=row.tid, ap_id=row.ap_id, local=row.local,
        post_id=PostId(row.post_id), creator_id=row.creator_id, path=row.path,
        content=row.content, language_id=row.language_id, published_us=row.published_us,
        updated_us=row.updated_us, deleted=row.deleted, removed=row.removed,
        distinguished=row.distinguished, up=row.up, down=row.down, children=row.children,
        held=row.held, unseen=row.unseen,
    )


_kept_comment = lru_cache(maxsize=COMMENTS_KEPT_MAX)(_comment)


def row_of_comment(written: Comment, *, community_id: int) -> dict[str, object]:
    """Return the parameters of INSERT_COMMENT, and more than CHANGE_COMMENT asks for."""
    row = msgspec.structs.asdict(written)
    row["parent_id"] = written.parent_id
    row["community_id"] = community_id
    row["row_id"] = written.id
    return row


def tallies_of_comments(comments: Sequence[Comment]) -> list[dict[str, object]]:
    """Return the parameters of TALLY_COMMENT, in the order of the ids."""
    return [
        {"row_id": one.id, "up": one.up, "down": one.down}
        for one in sorted(comments, key=lambda one: one.id)
    ]
