"""Statements over votes."""

import sqlalchemy as sa

from lichen.forum.model import SubjectKind
from lichen.forum.tables import drop, vote, write
from lichen.store import Statement, any_of

# What the voters of a batch thought before, by the primary key; some pairs nobody asked for come
# along where people voted on more than one subject of the batch.
PREVIOUS_VOTES = Statement(
    sa.select(vote.c.person_id, vote.c.kind, vote.c.subject_id, vote.c.value, vote.c.tid).where(
        any_of(vote.c.person_id, "people"),
        vote.c.kind == sa.bindparam("kind", type_=sa.SmallInteger),
        any_of(vote.c.subject_id, "ids"),
    ),
    name="previous votes",
)
# By the index vote_subject.
VOTE_SUMS = Statement(
    sa.select(
        vote.c.subject_id,
        sa.func.count(sa.case((vote.c.value == 1, 1))).label("up"),
        sa.func.count(sa.case((vote.c.value == -1, 1))).label("down"),
    )
    .where(
        vote.c.kind == sa.bindparam("kind", type_=sa.SmallInteger), any_of(vote.c.subject_id, "ids")
    )
    .group_by(vote.c.subject_id),
    name="sums of votes",
)
VOTED_POST_IDS = Statement(
    sa.select(vote.c.subject_id.label("id"))
    .where(
        vote.c.person_id == sa.bindparam("viewer_id", type_=sa.BigInteger),
        vote.c.kind == int(SubjectKind.POST),
        vote.c.value == sa.bindparam("value", type_=sa.SmallInteger),
    )
    .order_by(vote.c.subject_id.desc())
    .limit(sa.bindparam("limit", type_=sa.Integer)),
    name="voted posts",
)
# By the index vote_subject.
VOTERS = Statement(
    sa.select(vote.c.person_id, vote.c.value)
    .where(
        vote.c.kind == sa.bindparam("kind", type_=sa.SmallInteger),
        vote.c.subject_id == sa.bindparam("subject_id", type_=sa.BigInteger),
    )
    .order_by(vote.c.published_us.desc(), vote.c.person_id.desc())
    .limit(sa.bindparam("limit", type_=sa.Integer))
    .offset(sa.bindparam("offset", type_=sa.Integer)),
    name="voters",
)

WRITE_VOTE = write(vote)
DROP_VOTE = drop(vote)
