"""What the room remembers: which plugins are on, and each plugin's shelf."""

import sqlalchemy as sa

from lichen.plugins.limits import SHELF_KEYS_MAX
from lichen.store import Statement, metadata, upsert

plugin = sa.Table(
    "plugin",
    metadata,
    sa.Column("name", sa.Text, primary_key=True),
    sa.Column("is_on", sa.Boolean, nullable=False),
    sa.Column("why", sa.Text, nullable=False),
    sa.Column("updated_us", sa.BigInteger, nullable=False),
    sa.Column("may_network", sa.Boolean, nullable=False, server_default=sa.false()),
)

shelf = sa.Table(
    "plugin_shelf",
    metadata,
    sa.Column("plugin", sa.Text, primary_key=True),
    sa.Column("key", sa.Text, primary_key=True),
    sa.Column("value", sa.Text, nullable=False),
)

SWITCHED = Statement(sa.select(plugin).order_by(plugin.c.name))
SWITCH = upsert(plugin, keys=["name"], update=["is_on", "why", "updated_us", "may_network"])

# Each by the primary key (plugin, key).
_MINE = shelf.c.plugin == sa.bindparam("of")
_KEY = shelf.c.key == sa.bindparam("at")
KEPT = Statement(sa.select(shelf.c.value).where(_MINE, _KEY))
COUNT_KEPT = Statement(
    sa.select(sa.func.count().label("count")).select_from(
        sa.select(shelf.c.key).where(_MINE).limit(SHELF_KEYS_MAX + 1).subquery()
    )
)
KEEP = upsert(shelf, keys=["plugin", "key"], update=["value"])
DROP = Statement(sa.delete(shelf).where(_MINE, _KEY))
