"""Statements over whom we are asked to catch up with, and what was begun."""

import sqlalchemy as sa

from lichen.federation.tables import catch_up, peer
from lichen.store import Statement, any_of, upsert

ASKED = Statement(sa.select(catch_up).order_by(catch_up.c.asked_us), name="catching up asked")
ASK = upsert(catch_up, keys=["authority"], update=["asked_us", "begun"])
PEER = Statement(
    sa.select(peer.c.authority).where(peer.c.authority == sa.bindparam("authority")),
    name="is a peer known",
)
FORGET = Statement(
    sa.delete(catch_up).where(any_of(catch_up.c.authority, "authorities")), name="caught up"
)
