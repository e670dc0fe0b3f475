"""Statements about blocks: whom and what a person does not want to see."""

import sqlalchemy as sa
from sqlalchemy import bindparam

from lichen.accounts.tables import actor, actor_block, instance_block
from lichen.store import Statement, any_of, upsert

_other = actor_block.alias("other")

# By primary key, whose first column is person_id.
ACTOR_BLOCKS = Statement(
    sa.select(actor.c.kind, actor_block.c.target_id, actor_block.c.tid)
    .select_from(actor_block)
    .join(actor, actor_block.c.target_id == actor.c.id)
    .where(actor_block.c.person_id == bindparam("person_id"))
    .order_by(actor_block.c.tid.desc())
)
BLOCKS_OF_PERSONS = Statement(
    sa.select(actor_block.c.person_id, actor_block.c.target_id)
    .where(any_of(actor_block.c.person_id, "person_ids"), any_of(actor_block.c.target_id, "ids"))
)
# By index actor_block_target.
BLOCKERS = Statement(
    sa.select(actor.c.id, actor.c.did)
    .select_from(actor_block).join(actor, actor_block.c.person_id == actor.c.id)
    .where(
        actor_block.c.target_id == bindparam("target_id"), actor.c.id != bindparam("new_id"),
        actor.c.id.not_in(
            sa.select(_other.c.person_id).where(_other.c.target_id == bindparam("new_id"))
        ),
    )
    .order_by(actor_block.c.tid).limit(bindparam("limit"))
)
INSTANCE_BLOCKS = Statement(
    sa.select(instance_block.c.instance_id, instance_block.c.tid)
    .where(instance_block.c.person_id == bindparam("person_id"))
    .order_by(instance_block.c.tid.desc())
)
KEEP_ACTOR_BLOCK = upsert(actor_block, keys=["person_id", "target_id"], update=[])
DELETE_ACTOR_BLOCK = Statement(
    sa.delete(actor_block).where(
        actor_block.c.person_id == bindparam("person_id"),
        actor_block.c.target_id == bindparam("target_id"),
    )
)
KEEP_INSTANCE_BLOCK = upsert(instance_block, keys=["person_id", "instance_id"], update=[])
DELETE_INSTANCE_BLOCK = Statement(
    sa.delete(instance_block).where(
        instance_block.c.person_id == bindparam("person_id"),
        instance_block.c.instance_id == bindparam("instance_id"),
    )
)
