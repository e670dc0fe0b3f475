"""Statements over everything that one person owns here, in the order of ids, a page at a time."""

import sqlalchemy as sa

from lichen.forum.tables import (
    comment,
    community,
    hidden_post,
    moderator,
    post,
    presence,
    read_mark,
    saved,
    subscription,
    vote,
)
from lichen.store import Statement, any_of

ERASED = "—"  # the title of a post that is erased; no title that is typed is so short

_PERSON = sa.bindparam("person_id", type_=sa.BigInteger)
_AFTER = sa.bindparam("after_id", type_=sa.BigInteger)
_KIND = sa.bindparam("kind", type_=sa.SmallInteger)
_LIMIT = sa.bindparam("limit", type_=sa.Integer)

# By the indexes post_creator, comment_creator and comment_post.
POST_IDS = Statement(
    sa.select(post.c.id).where(post.c.creator_id == _PERSON, post.c.id > _AFTER)
    .order_by(post.c.id).limit(_LIMIT),
    name="posts of a person",
)
COMMENT_IDS = Statement(
    sa.select(comment.c.id).where(comment.c.creator_id == _PERSON, comment.c.id > _AFTER)
    .order_by(comment.c.id).limit(_LIMIT),
    name="comments of a person",
)
COMMENT_IDS_BELOW = Statement(
    sa.select(comment.c.id)
    .where(comment.c.post_id == sa.bindparam("post_id", type_=sa.BigInteger), comment.c.id > _AFTER)
    .order_by(comment.c.id).limit(_LIMIT),
    name="comments below a post",
)
# By primary key.
VOTES = Statement(
    sa.select(vote.c.subject_id, vote.c.value, vote.c.published_us)
    .where(vote.c.person_id == _PERSON, vote.c.kind == _KIND, vote.c.subject_id > _AFTER)
    .order_by(vote.c.subject_id).limit(_LIMIT),
    name="votes of a person",
)
SAVES = Statement(
    sa.select(saved.c.subject_id, saved.c.published_us)
    .where(saved.c.person_id == _PERSON, saved.c.kind == _KIND, saved.c.subject_id > _AFTER)
    .order_by(saved.c.subject_id).limit(_LIMIT),
    name="saves of a person",
)
SPEAKING_POSTS = Statement(
    sa.select(post.c.id).where(any_of(post.c.id, "ids"), post.c.name != ERASED),
    name="posts with words",
)
SPEAKING_COMMENTS = Statement(
    sa.select(comment.c.id).where(any_of(comment.c.id, "ids"), comment.c.content != ""),
    name="comments with words",
)

# What nobody else sees of a person, and their subscriptions, counted out of their communities.
_JOINED = (
    sa.select(subscription.c.community_id)
    .where(subscription.c.person_id == _PERSON, subscription.c.pending.is_(False))
)
LEAVE_ALL = Statement(
    sa.update(community).where(community.c.id.in_(_JOINED)).values(
        subscribers=community.c.subscribers - 1,
        subscribers_local=community.c.subscribers_local - 1,
    ),
    name="leave all communities",
)
FORGET = tuple(
    Statement(sa.delete(table).where(table.c.person_id == _PERSON), name=f"forget {table.name}")
    for table in (subscription, moderator, vote, saved, hidden_post, read_mark, presence)
)
