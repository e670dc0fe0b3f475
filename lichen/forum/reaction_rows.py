"""Statements over reactions and their tallies."""

import sqlalchemy as sa

from lichen.forum.tables import drop, reaction, reaction_tally, write
from lichen.store import Row, Statement, any_of

_VIEWER = sa.bindparam("viewer_id", type_=sa.BigInteger)
_KIND = sa.bindparam("kind", type_=sa.SmallInteger)

# By the primary keys, of both tables; at most REACTION_KINDS_MAX rows a subject.
REACTIONS = Statement(
    sa.select(
        reaction_tally.c.subject_id, reaction_tally.c.emoji, reaction_tally.c.people,
        reaction_tally.c.first_us, reaction.c.tid.label("tid"),
    )
    .select_from(reaction_tally)
    .outerjoin(reaction, sa.and_(
        reaction.c.kind == reaction_tally.c.kind,
        reaction.c.subject_id == reaction_tally.c.subject_id,
        reaction.c.person_id == _VIEWER,
        reaction.c.emoji == reaction_tally.c.emoji,
    ))
    .where(reaction_tally.c.kind == _KIND, any_of(reaction_tally.c.subject_id, "ids"))
    .order_by(reaction_tally.c.subject_id, reaction_tally.c.first_us, reaction_tally.c.emoji),
    name="reactions",
)
WRITE_REACTION = write(reaction)
DROP_REACTION = drop(reaction)
WRITE_TALLY = write(reaction_tally)
DROP_TALLY = drop(reaction_tally)


def by_subject(rows: list[Row]) -> dict[int, list[Row]]:
    """Return the rows of REACTIONS by what they are about."""
    found: dict[int, list[Row]] = {}
    for row in rows:
        found.setdefault(row.subject_id, []).append(row)
    return found
