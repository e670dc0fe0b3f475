"""The store's own tables: the outbox, the numbers, the checkpoints, the stamps."""

import sqlalchemy as sa

from lichen.store.statement import Statement, any_of, metadata, upsert

outbox = sa.Table(
    "outbox",
    metadata,
    # PostgreSQL: the identity is drawn when the row is inserted, last in its transaction.
    sa.Column("id", sa.BigInteger().with_variant(sa.Integer, "sqlite"), primary_key=True),
    sa.Column("event_id", sa.Text, nullable=False),
    sa.Column("payload", sa.Text, nullable=False),
    sqlite_autoincrement=True,
)

number = sa.Table(
    "number",
    metadata,
    sa.Column("name", sa.Text, primary_key=True),
    sa.Column("next", sa.BigInteger, nullable=False),
)

checkpoint = sa.Table(
    "checkpoint",
    metadata,
    sa.Column("reader", sa.Text, primary_key=True),
    sa.Column("seq", sa.BigInteger, nullable=False),
)

stamp = sa.Table(
    "stamp",
    metadata,
    sa.Column("name", sa.Text, primary_key=True),
    sa.Column("value", sa.Text, nullable=False),
)

INSERT_OUTBOX = Statement(
    sa.insert(outbox).values(
        event_id=sa.bindparam("event_id"), payload=sa.bindparam("payload")
    )
)
TAKE_OUTBOX = Statement(sa.select(outbox).order_by(outbox.c.id).limit(sa.bindparam("limit")))
DELETE_OUTBOX = Statement(sa.delete(outbox).where(any_of(outbox.c.id, "ids")))
FIND_OUTBOX_EVENTS = Statement(sa.select(outbox.c.id).where(any_of(outbox.c.event_id, "ids")))
COUNT_OUTBOX = Statement(sa.select(sa.func.count().label("count")).select_from(outbox))

TAKE_NUMBERS = Statement(
    sa.update(number)
    .where(number.c.name == sa.bindparam("named"))
    .values(next=number.c.next + sa.bindparam("count", type_=sa.BigInteger))
    .returning(number.c.next)
)
READ_NUMBER = Statement(sa.select(number.c.next).where(number.c.name == sa.bindparam("named")))
FIRST_NUMBERS = upsert(number, keys=["name"], update=[])
GIVE_BACK_NUMBERS = Statement(
    sa.update(number)
    .where(number.c.name == sa.bindparam("named"), number.c.next == sa.bindparam("end"))
    .values(next=sa.bindparam("unused"))
)

READ_CHECKPOINT = Statement(
    sa.select(checkpoint.c.seq).where(checkpoint.c.reader == sa.bindparam("reader"))
)
SET_CHECKPOINT = upsert(checkpoint, keys=["reader"], update=["seq"])

READ_STAMP = Statement(sa.select(stamp.c.value).where(stamp.c.name == sa.bindparam("name")))
SET_STAMP = upsert(stamp, keys=["name"], update=["value"])
