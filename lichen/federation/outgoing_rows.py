"""Statements over what sending remembers: where peers stand, and what may be undone.

    outgoing_line       the peers that are behind, since when, and the head (authority "")
    outgoing_standing   of the record of a vote or a deletion of ours: the activity that stands, so
                        that its Undo names it
"""

import sqlalchemy as sa

from lichen.federation.tables import outgoing_line as line
from lichen.federation.tables import outgoing_standing as standing
from lichen.store import Statement, any_of, upsert

HEAD = ""  # the authority of the row that says how far everybody else is

LINES = Statement(sa.select(line), name="lines of peers")
KEEP_LINE = upsert(line, keys=["authority"], update=["cursor", "since_us"])
DROP_LINES = Statement(sa.delete(line).where(any_of(line.c.authority, "authorities")))

STANDING = Statement(
    sa.select(standing).where(any_of(standing.c.tid, "tids")), name="standing activities"
)
KEEP_STANDING = upsert(
    standing, keys=["tid"], update=["kind", "event_id", "object", "community_id"]
)
DROP_STANDING = Statement(sa.delete(standing).where(any_of(standing.c.tid, "tids")))
