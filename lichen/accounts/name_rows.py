"""Which names are taken: those that actors have, and those that nobody is given again."""

import sqlalchemy as sa
from sqlalchemy import Column, Table, Text

from lichen.accounts.model import OUR_INSTANCE_ID
from lichen.accounts.tables import actor
from lichen.store import Statement, any_of, metadata, upsert

# Names that nobody is given again although no row holds them: of people who were purged. A hash
# says whether a name is one of them, and tells none.
retired_name = Table(
    "retired_name", metadata,
    Column("name_hash", Text, primary_key=True),
    Column("kind", Text, primary_key=True),
)

# By index actor_by_name.
TAKEN_NAMES = Statement(
    sa.select(actor.c.kind, actor.c.name_key)
    .where(any_of(actor.c.name_key, "name_keys"), actor.c.instance_id == OUR_INSTANCE_ID)
    .union_all(
        sa.select(retired_name.c.kind, retired_name.c.name_hash)
        .where(any_of(retired_name.c.name_hash, "name_hashes"))
    )
)
RETIRE_NAME = upsert(retired_name, keys=["name_hash", "kind"], update=[])
