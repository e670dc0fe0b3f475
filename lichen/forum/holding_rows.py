"""Statements over what is held; few rows, each kind by an index that holds nothing else."""

from typing import Any

import sqlalchemy as sa

from lichen.forum.model import SubjectKind
from lichen.forum.tables import comment, post
from lichen.store import Statement, any_of

_EVERYWHERE = sa.bindparam("everywhere", type_=sa.Boolean)
_KIND = sa.bindparam("of_kind", type_=sa.Integer)
_CREATOR = sa.bindparam("of_creator", type_=sa.BigInteger)


def _waiting(
    table: sa.Table, kind: SubjectKind, *columns: sa.ColumnElement[Any]
) -> sa.Select[Any]:
    """Return a select over what is held of one kind, by the index post_held or comment_held."""
    return sa.select(sa.literal(int(kind), sa.Integer).label("kind"), *columns).where(
        table.c.held.is_(True),
        table.c.deleted.is_(False),
        sa.or_(_KIND == -1, sa.literal(int(kind), sa.Integer) == _KIND),
        sa.or_(_CREATOR == 0, table.c.creator_id == _CREATOR),
        sa.or_(_EVERYWHERE.is_(True), any_of(table.c.community_id, "communities")),
    )


_TABLES = ((post, SubjectKind.POST), (comment, SubjectKind.COMMENT))
_ALL = sa.union_all(*(
    _waiting(table, kind, table.c.id.label("id"), table.c.published_us.label("published_us"))
    for table, kind in _TABLES
)).subquery()

HELD = Statement(
    sa.select(_ALL.c.kind, _ALL.c.id)
    .order_by(_ALL.c.published_us, _ALL.c.kind, _ALL.c.id)
    .limit(sa.bindparam("limit", type_=sa.Integer))
    .offset(sa.bindparam("offset", type_=sa.Integer)),
    name="held",
)

COUNT_HELD = Statement(
    sa.union_all(*(
        _waiting(table, kind, sa.func.count().label("count"),
                 sa.func.min(table.c.published_us).label("oldest_us"))
        for table, kind in _TABLES
    )),
    name="count held",
)
