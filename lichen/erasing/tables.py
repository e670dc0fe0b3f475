"""What erasing remembers: one row for each request, so that a restart goes on where it was."""

import sqlalchemy as sa

from lichen.store import Statement, any_of, metadata, upsert

erasure = sa.Table(
    "erasure",
    metadata,
    sa.Column("id", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("kind", sa.Text, nullable=False),
    sa.Column("subject_id", sa.BigInteger, nullable=False),
    sa.Column("step", sa.Text, nullable=False),
    sa.Column("position", sa.BigInteger, nullable=False),
    sa.Column("things", sa.BigInteger, nullable=False),
    sa.Column("asked_us", sa.BigInteger, nullable=False),
    sa.Column("done_us", sa.BigInteger),
    sa.Index("erasure_open", "id", sqlite_where=sa.text("done_us IS NULL"),
             postgresql_where=sa.text("done_us IS NULL")),
)

_LIMIT = sa.bindparam("limit", type_=sa.Integer)

INSERT = upsert(erasure, keys=["id"], update=[])
# By index erasure_open.
OPEN = Statement(
    sa.select(erasure).where(erasure.c.done_us.is_(None)).order_by(erasure.c.id).limit(_LIMIT),
    name="open erasures",
)
NEWEST = Statement(
    sa.select(erasure).order_by(erasure.c.id.desc()).limit(_LIMIT), name="newest erasures"
)
MOVE = Statement(
    sa.update(erasure).where(erasure.c.id == sa.bindparam("row_id", type_=sa.BigInteger)).values(
        step=sa.bindparam("new_step"), position=sa.bindparam("new_position"),
        things=sa.bindparam("new_things"),
    ),
    name="move an erasure",
)
MOVE_ALL = Statement(
    sa.update(erasure).where(any_of(erasure.c.id, "ids"))
    .values(step=sa.bindparam("new_step"), done_us=sa.bindparam("new_done_us")),
    name="move erasures",
)
