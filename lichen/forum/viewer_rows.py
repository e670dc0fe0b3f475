"""Statements over what one viewer has: subscriptions, blocks, marks."""

from enum import IntEnum

import sqlalchemy as sa

from lichen.forum.model import SubjectKind
from lichen.forum.tables import (
    drop,
    hidden_post,
    moderator,
    read_mark,
    saved,
    subscription,
    write,
)
from lichen.store import Statement, any_of

_VIEWER = sa.bindparam("viewer_id", type_=sa.BigInteger)


class Has(IntEnum):
    """What a row of STANDING says that the viewer has; `id` is of the thing."""

    SUBSCRIPTION = 0
    MODERATES = 1
    HIDDEN = 2
    SAVED_POST = 3
    SAVED_COMMENT = 4


def _has(
    what: Has, thing: "sa.Column[int]", *conditions: "sa.ColumnElement[bool]"
) -> "sa.Select[int, int]":
    kind = sa.literal_column(str(int(what)), sa.Integer)
    return sa.select(kind.label("has"), thing.label("id")).where(
        thing.table.c.person_id == _VIEWER, *conditions
    )


# One statement for everything that list pages ask about a viewer; each part by its own key.
STANDING = Statement(
    sa.union_all(
        _has(Has.SUBSCRIPTION, subscription.c.community_id),
        _has(Has.MODERATES, moderator.c.community_id),
        _has(Has.HIDDEN, hidden_post.c.post_id),
        _has(Has.SAVED_POST, saved.c.subject_id, saved.c.kind == int(SubjectKind.POST)),
        _has(Has.SAVED_COMMENT, saved.c.subject_id, saved.c.kind == int(SubjectKind.COMMENT)),
    ),
    name="standing",
)
READ_IDS = Statement(
    sa.select(read_mark.c.post_id.label("id"))
    .where(read_mark.c.person_id == _VIEWER)
    .order_by(read_mark.c.post_id.desc())
    .limit(sa.bindparam("limit", type_=sa.Integer)),
    name="read posts",
)

HIDDEN_TIDS = Statement(
    sa.select(hidden_post.c.post_id.label("id"), hidden_post.c.tid)
    .where(hidden_post.c.person_id == _VIEWER, any_of(hidden_post.c.post_id, "ids")),
    name="tids of hidden posts",
)
READ_TIDS = Statement(
    sa.select(read_mark.c.post_id.label("id"), read_mark.c.tid)
    .where(read_mark.c.person_id == _VIEWER, any_of(read_mark.c.post_id, "ids")),
    name="tids of read marks",
)
SAVED_TIDS = Statement(
    sa.select(saved.c.subject_id.label("id"), saved.c.tid)
    .where(
        saved.c.person_id == _VIEWER,
        saved.c.kind == sa.bindparam("kind", type_=sa.SmallInteger),
        any_of(saved.c.subject_id, "ids"),
    ),
    name="tids of saved things",
)

WRITE_SAVED = write(saved)
DROP_SAVED = drop(saved)
WRITE_HIDDEN = write(hidden_post)
DROP_HIDDEN = drop(hidden_post)
WRITE_READ = write(read_mark)
DROP_READ = drop(read_mark)
