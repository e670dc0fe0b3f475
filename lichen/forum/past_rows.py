"""Statements over what was written before: of one person lately, and of everybody in order."""

from typing import Any

import sqlalchemy as sa

from lichen.forum.tables import comment, moderator, post
from lichen.store import Statement, any_of

_CREATOR = sa.bindparam("creator_id", type_=sa.BigInteger)
_BEFORE = sa.bindparam("before_us", type_=sa.BigInteger)
_SINCE = sa.bindparam("since_us", type_=sa.BigInteger)
_AFTER = sa.bindparam("after", type_=sa.BigInteger)
_LIMIT = sa.bindparam("limit", type_=sa.Integer)
_COMMUNITY = sa.bindparam("community_id", type_=sa.BigInteger)


def _count(select: sa.Select[Any]) -> sa.ScalarSelect[Any]:
    return sa.select(sa.func.count()).select_from(select.subquery()).scalar_subquery()


def _earlier(table: sa.Table) -> sa.ScalarSelect[Any]:
    """Return how many a person wrote before, counted up to a limit; by (creator_id, id)."""
    return _count(sa.select(table.c.id).where(
        table.c.creator_id == _CREATOR, table.c.published_us < _BEFORE
    ).order_by(table.c.id).limit(sa.bindparam("count_max", type_=sa.Integer)))


def _lately(table: sa.Table) -> sa.ScalarSelect[Any]:
    """Return how many of a person's last ones were written since; by (creator_id, id)."""
    last = sa.select(table.c.published_us).where(
        table.c.creator_id == _CREATOR, table.c.published_us < _BEFORE
    ).order_by(table.c.id.desc()).limit(sa.bindparam("lately_max", type_=sa.Integer)).subquery()
    return sa.select(sa.func.count()).select_from(last).where(
        last.c.published_us >= _SINCE).scalar_subquery()


EARLIER = Statement(
    sa.select(
        _earlier(post).label("posts"), _earlier(comment).label("comments"),
        (_lately(post) + _lately(comment)).label("lately"),
    ),
    name="earlier words",
)


def _counted(table: sa.Table) -> Statement:
    return Statement(
        sa.select(table.c.creator_id, sa.func.count().label("count"))
        .where(any_of(table.c.creator_id, "ids"), table.c.published_us < _BEFORE)
        .group_by(table.c.creator_id),
        name=f"{table.name}s of people before",
    )


POSTS_BEFORE, COMMENTS_BEFORE = _counted(post), _counted(comment)


def _last_before(table: sa.Table) -> Statement:
    # Down the primary key from the newest; stops at the first that is old enough.
    return Statement(
        sa.select(table.c.id).where(table.c.published_us < _SINCE)
        .order_by(table.c.id.desc()).limit(1),
        name=f"last {table.name} before",
    )


LAST_POST_BEFORE, LAST_COMMENT_BEFORE = _last_before(post), _last_before(comment)
NEWEST_IDS = Statement(
    sa.select(sa.select(sa.func.max(post.c.id)).scalar_subquery().label("post"),
              sa.select(sa.func.max(comment.c.id)).scalar_subquery().label("comment")),
    name="newest ids",
)

_HERE = sa.or_(_COMMUNITY == 0, post.c.community_id == _COMMUNITY)

_SINCE_OR_GONE = {
    table.name: sa.or_(table.c.published_us >= _SINCE, table.c.updated_us >= _SINCE,
                       table.c.deleted.is_(True))
    for table in (post, comment)
}


def _changed(table: sa.Table) -> Statement:
    # By the indexes of communities; rare, and read to the end.
    return Statement(
        sa.select(table.c.id, table.c.tid, table.c.published_us, table.c.updated_us,
                  table.c.deleted)
        .where(any_of(table.c.community_id, "communities"), table.c.id > _AFTER,
               _SINCE_OR_GONE[table.name])
        .order_by(table.c.id).limit(_LIMIT),
        name=f"changed {table.name}s",
    )


CHANGED_POSTS, CHANGED_COMMENTS = _changed(post), _changed(comment)

POSTS_AFTER = Statement(
    sa.select(
        post.c.id, post.c.creator_id, post.c.community_id, post.c.published_us, post.c.name,
        post.c.url, post.c.body, post.c.nsfw, post.c.language_id, post.c.deleted, post.c.removed,
        (moderator.c.person_id.is_not(None)).label("moderates"),
    )
    .select_from(post.outerjoin(moderator, sa.and_(
        moderator.c.community_id == post.c.community_id,
        moderator.c.person_id == post.c.creator_id)))
    .where(post.c.id > _AFTER, _HERE)
    .order_by(post.c.id).limit(_LIMIT),
    name="past posts",
)
COMMENTS_AFTER = Statement(
    sa.select(
        comment.c.id, comment.c.creator_id, comment.c.community_id, comment.c.published_us,
        comment.c.content, comment.c.path, comment.c.language_id, comment.c.deleted,
        comment.c.removed, post.c.nsfw,
        (moderator.c.person_id.is_not(None)).label("moderates"),
    )
    .select_from(comment.join(post, post.c.id == comment.c.post_id).outerjoin(
        moderator, sa.and_(moderator.c.community_id == comment.c.community_id,
                           moderator.c.person_id == comment.c.creator_id)))
    .where(comment.c.id > _AFTER, sa.or_(_COMMUNITY == 0, comment.c.community_id == _COMMUNITY))
    .order_by(comment.c.id).limit(_LIMIT),
    name="past comments",
)
