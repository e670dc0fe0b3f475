"""What exports remember: one row for each that was asked for, so that a restart begins it again."""

import sqlalchemy as sa

from lichen.store import Statement, any_of, metadata, upsert

export = sa.Table(
    "export",
    metadata,
    sa.Column("id", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("person_id", sa.BigInteger, nullable=False),
    sa.Column("token", sa.Text, nullable=False),  # of its address, for its owner alone
    sa.Column("state", sa.Text, nullable=False),
    sa.Column("part", sa.Text, nullable=False),
    sa.Column("things", sa.BigInteger, nullable=False),
    sa.Column("bytes", sa.BigInteger, nullable=False),
    sa.Column("asked_us", sa.BigInteger, nullable=False),
    sa.Column("done_us", sa.BigInteger),
    sa.Index("export_person", "person_id", "id"),
    sa.Index("export_state", "state", "id"),
)

_LIMIT = sa.bindparam("limit", type_=sa.Integer)

INSERT = upsert(export, keys=["id"], update=[])
# By index export_person.
OF_PERSON = Statement(
    sa.select(export).where(export.c.person_id == sa.bindparam("person_id", type_=sa.BigInteger))
    .order_by(export.c.id.desc()).limit(_LIMIT),
    name="exports of a person",
)
# By index export_state.
WAITING = Statement(
    sa.select(export).where(export.c.state == "waiting").order_by(export.c.id).limit(_LIMIT),
    name="waiting exports",
)
OLD = Statement(
    sa.select(export).where(
        export.c.state != "waiting",
        export.c.asked_us < sa.bindparam("before_us", type_=sa.BigInteger),
    )
    .order_by(export.c.id).limit(_LIMIT),
    name="old exports",
)
MOVE = Statement(
    sa.update(export).where(export.c.id == sa.bindparam("row_id", type_=sa.BigInteger)).values(
        state=sa.bindparam("new_state"), part=sa.bindparam("new_part"),
        things=sa.bindparam("new_things"), bytes=sa.bindparam("new_bytes"),
        done_us=sa.bindparam("new_done_us"),
    ),
    name="move an export",
)
DROP = Statement(sa.delete(export).where(any_of(export.c.id, "ids")), name="drop exports")
