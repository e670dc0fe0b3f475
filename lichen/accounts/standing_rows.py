"""Statements about standings: roles, what new accounts did today, who is leaving, who is banned."""

import sqlalchemy as sa
from sqlalchemy import bindparam

from lichen.accounts.tables import account, actor, departure, newcomer_day, role
from lichen.store import Statement, upsert

# By primary key.
ROLE = Statement(sa.select(role).where(role.c.person_id == bindparam("person_id")))
ROLES = Statement(sa.select(role).order_by(role.c.person_id).limit(bindparam("limit")))
KEEP_ROLE = upsert(role, keys=["person_id"], update=["title", "permissions"])
DELETE_ROLE = Statement(sa.delete(role).where(role.c.person_id == bindparam("person_id")))

NEWCOMER_DAY = Statement(
    sa.select(newcomer_day.c.count).where(
        newcomer_day.c.person_id == bindparam("person_id"),
        newcomer_day.c.kind == bindparam("kind"),
        newcomer_day.c.day == bindparam("day"),
    )
)
KEEP_NEWCOMER_DAY = upsert(newcomer_day, keys=["person_id", "kind", "day"], update=["count"])

DEPARTURES = Statement(
    sa.select(departure).order_by(departure.c.person_id).limit(bindparam("limit"))
)
KEEP_DEPARTURE = upsert(departure, keys=["person_id"], update=["content"])
DELETE_DEPARTURE = Statement(
    sa.delete(departure).where(departure.c.person_id == bindparam("person_id"))
)

# By primary key.
MARK_DELETED = Statement(
    sa.update(actor).where(actor.c.id == bindparam("actor_id"))
    .values(deleted=sa.true(), admin=sa.false())
)
EMPTY_ACCOUNT = Statement(
    sa.update(account).where(account.c.id == bindparam("row_account_id")).values(
        password_hash=sa.literal(""), email=sa.null(), email_verified=sa.false(),
        settings=sa.literal("{}"),
    )
)
