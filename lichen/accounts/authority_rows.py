"""Statements over actors by where they are from: what federation asks in batches."""

import sqlalchemy as sa

from lichen.accounts.model import OUR_INSTANCE_ID
from lichen.accounts.tables import ACTOR_ROWS, actor, instance
from lichen.store import Statement, any_of

# By the unique index of did.
ACTORS_BY_DIDS = Statement(ACTOR_ROWS.where(any_of(actor.c.did, "dids")), name="actors by did")
# By index actor_by_name.
ACTORS_BY_NAMES = Statement(
    ACTOR_ROWS.where(
        any_of(actor.c.name_key, "name_keys"), actor.c.kind == sa.bindparam("kind"),
    ),
    name="actors by name",
)

# Which server a remote actor is of: for rooms above to join with ids of their own.
AUTHORITIES = (
    sa.select(actor.c.id, instance.c.domain)
    .select_from(actor.join(instance, actor.c.instance_id == instance.c.id))
    .where(actor.c.instance_id != OUR_INSTANCE_ID, actor.c.deleted.is_(False))
    .subquery("authorities")
)
