"""Statements over what is gone, who continues it, and who was asked."""

import sqlalchemy as sa

from lichen.federation.tables import (
    community_declared_gone,
    successor_answer,
    successor_offer,
)
from lichen.store import Statement, any_of, upsert

_COMMUNITY = sa.bindparam("community_id", type_=sa.BigInteger)
_SUCCESSOR = sa.bindparam("successor_id", type_=sa.BigInteger)
_PERSON = sa.bindparam("person_id", type_=sa.BigInteger)

# By the primary key.
DECLARED = Statement(
    sa.select(community_declared_gone.c.community_id, community_declared_gone.c.at_us)
    .where(any_of(community_declared_gone.c.community_id, "ids")),
    name="declared gone",
)
KEEP_DECLARED = upsert(
    community_declared_gone, keys=["community_id"], update=["person_id", "at_us"]
)
DROP_DECLARED = Statement(
    sa.delete(community_declared_gone).where(community_declared_gone.c.community_id == _COMMUNITY),
    name="drop declared gone",
)

# By the index of the old community.
OFFERS_OF = Statement(
    sa.select(successor_offer).where(any_of(successor_offer.c.community_id, "ids"))
    .order_by(successor_offer.c.successor_id),
    name="offers of communities",
)
# By the primary key.
OFFER = Statement(
    sa.select(successor_offer).where(successor_offer.c.successor_id == _SUCCESSOR), name="offer"
)
# There are few offers: an administrator reads them all.
FOUNDED_SINCE = Statement(
    sa.select(sa.func.count().label("founded")).select_from(successor_offer)
    .where(successor_offer.c.published_us >= sa.bindparam("since_us", type_=sa.BigInteger)),
    name="successors founded since",
)
OFFERS = Statement(
    sa.select(successor_offer).order_by(successor_offer.c.published_us.desc())
    .limit(sa.bindparam("limit")),
    name="offers",
)
INSERT_OFFER = Statement(sa.insert(successor_offer), name="insert offer")

# By the primary key.
ANSWERS = Statement(
    sa.select(successor_answer.c.successor_id, successor_answer.c.accepted)
    .where(successor_answer.c.person_id == _PERSON),
    name="answers about successors",
)
KEEP_ANSWER = upsert(
    successor_answer, keys=["person_id", "successor_id"], update=["accepted", "at_us"]
)
