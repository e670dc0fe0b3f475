"""Statements over the site, its flags, lists and emoji, and who is away."""

import sqlalchemy as sa

from lichen.accounts.tables import (
    ACTOR_COLUMNS,
    actor,
    away,
    emoji,
    instance,
    site,
    site_flag,
    site_line,
)
from lichen.store import Statement, any_of, upsert

# The whole table: at most some thousand short rows, read by who starts a client.
LINES = Statement(sa.select(site_line).order_by(site_line.c.id))
INSERT_LINE = Statement(sa.insert(site_line))
DROP_LINES = Statement(sa.delete(site_line).where(any_of(site_line.c.id, "ids")))

EMOJI = Statement(sa.select(emoji).order_by(emoji.c.category, emoji.c.shortcode))
EMOJI_LOCKED = Statement(sa.select(emoji).order_by(emoji.c.id).with_for_update())
WRITE_EMOJI = upsert(
    emoji, keys=["id"],
    update=["image_url", "alt_text", "category", "keywords", "updated_us"],
)
DROP_EMOJI = Statement(sa.delete(emoji).where(emoji.c.id == sa.bindparam("emoji_id")))

# By primary key.
AWAY = Statement(sa.select(away).where(any_of(away.c.person_id, "ids")))
WRITE_AWAY = upsert(away, keys=["person_id"], update=["note", "since_us", "until_us"])
DROP_AWAY = Statement(sa.delete(away).where(away.c.person_id == sa.bindparam("away_id")))

SITE = Statement(
    sa.select(
        *ACTOR_COLUMNS,
        site.c.settings,
        site.c.published_us.label("site_published_us"),
        site.c.updated_us.label("site_updated_us"),
    )
    .select_from(site)
    .join(actor, site.c.actor_id == actor.c.id)
    .join(instance)
    .limit(1)
)
INSERT_SITE = Statement(sa.insert(site))
UPDATE_SITE = Statement(
    sa.update(site).where(site.c.actor_id == sa.bindparam("site_id")).values(
        settings=sa.bindparam("new_settings"), updated_us=sa.bindparam("new_updated_us"),
    )
)

FLAGS = Statement(sa.select(site_flag.c.name, site_flag.c.is_on).order_by(site_flag.c.name))
SET_FLAG = upsert(site_flag, keys=["name"], update=["is_on", "updated_us"])
