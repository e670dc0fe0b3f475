"""Moves of remote persons that were told and are not verified yet."""

import sqlalchemy as sa
from sqlalchemy import BigInteger, Column, Table, Text, bindparam

from lichen.store import Statement, metadata, upsert

wanted_move = Table(
    "wanted_move", metadata,
    Column("person_id", BigInteger, primary_key=True, autoincrement=False),
    Column("target", Text, nullable=False),
    Column("tries", BigInteger, nullable=False),
    Column("retry_us", BigInteger, nullable=False),
)

# The last word counts: a person goes to one place.
WANT_MOVE = upsert(wanted_move, keys=["person_id"], update=["target", "tries", "retry_us"])
# A scan: there are few, and each is gone soon.
DUE_MOVES = Statement(
    sa.select(wanted_move)
    .where(wanted_move.c.retry_us <= bindparam("now_us", type_=BigInteger))
    .order_by(wanted_move.c.person_id).limit(bindparam("limit"))
)
COUNT_WANTED = Statement(sa.select(sa.func.count().label("count")).select_from(wanted_move))
DROP_MOVE = Statement(sa.delete(wanted_move).where(
    wanted_move.c.person_id == bindparam("wanted_of"), wanted_move.c.target == bindparam("at")
))
LATER_MOVE = Statement(
    sa.update(wanted_move)
    .where(wanted_move.c.person_id == bindparam("wanted_of"),
           wanted_move.c.target == bindparam("at"))
    .values(tries=bindparam("new_tries"), retry_us=bindparam("new_retry_us"))
)
