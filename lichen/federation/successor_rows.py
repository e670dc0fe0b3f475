"""Statements over what is gone, who continues it, what was heard of that, and who was asked."""

import sqlalchemy as sa

from lichen.federation.succession import Proof
from lichen.federation.tables import (
    community_alias,
    community_declared_gone,
    community_ended,
    heard_offer,
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

# By the primary key.
ENDED = Statement(
    sa.select(community_ended).where(any_of(community_ended.c.community_id, "ids")),
    name="ended by itself",
)
KEEP_CLOSED = upsert(community_ended, keys=["community_id"], update=["seen_us"])
KEEP_MOVED = upsert(community_ended, keys=["community_id"], update=["way", "since_us", "seen_us"])
DROP_ENDED = Statement(
    sa.delete(community_ended).where(community_ended.c.community_id == sa.bindparam(
        "lives_id", type_=sa.BigInteger)),
    name="drop ended",
)
# A move that the old community no longer says is none: nobody is shown or asked about it.
DROP_MOVED = Statement(
    sa.delete(successor_offer).where(
        successor_offer.c.community_id == sa.bindparam("lives_id", type_=sa.BigInteger),
        successor_offer.c.proof == Proof.MOVED,
    ),
    name="drop moved",
)

# By the primary key.
ALIASES = Statement(
    sa.select(community_alias).where(any_of(community_alias.c.community_id, "ids"))
    .order_by(community_alias.c.at_us, community_alias.c.ap_id),
    name="aliases of communities",
)
KEEP_ALIAS = upsert(community_alias, keys=["community_id", "ap_id"], update=[])
DROP_ALIAS = Statement(
    sa.delete(community_alias).where(
        community_alias.c.community_id == _COMMUNITY,
        community_alias.c.ap_id == sa.bindparam("no_longer"),
    ),
    name="drop alias of a community",
)

# By the index of the old community.
OFFERS_OF = Statement(
    sa.select(successor_offer).where(any_of(successor_offer.c.community_id, "ids"))
    .order_by(successor_offer.c.published_us, successor_offer.c.successor_id),
    name="offers of communities",
)
# By the primary key.
OFFER = Statement(
    sa.select(successor_offer).where(successor_offer.c.successor_id == _SUCCESSOR), name="offer"
)
FOUNDED = Statement(
    sa.select(successor_offer).where(
        any_of(successor_offer.c.successor_id, "ids"), successor_offer.c.proof == Proof.FOUNDED,
    ),
    name="offers founded here",
)
# There are few offers: an administrator reads them all.
FOUNDED_SINCE = Statement(
    sa.select(sa.func.count().label("founded")).select_from(successor_offer)
    .where(
        successor_offer.c.published_us >= sa.bindparam("since_us", type_=sa.BigInteger),
        successor_offer.c.proof == Proof.FOUNDED,
    ),
    name="successors founded since",
)
OFFERS = Statement(
    sa.select(successor_offer).order_by(successor_offer.c.published_us.desc())
    .limit(sa.bindparam("limit")),
    name="offers",
)
INSERT_OFFER = Statement(sa.insert(successor_offer), name="insert offer")
# What was founded or offered may be moved to later: the stronger proof counts.
KEEP_OFFER = upsert(successor_offer, keys=["successor_id"], update=[])
KEEP_MOVE = upsert(successor_offer, keys=["successor_id"], update=["community_id", "proof"])

# Scans: `OFFERS_KEPT_MAX` bounds them.
HEARD_SINCE = Statement(
    sa.select(
        sa.func.coalesce(sa.func.sum(sa.case((sa.or_(
            heard_offer.c.outcome == "",
            heard_offer.c.at_us >= sa.bindparam("since_us", type_=sa.BigInteger),
        ), 1), else_=0)), 0).label("kept"),
        sa.func.coalesce(sa.func.sum(sa.case((sa.and_(
            heard_offer.c.peer == sa.bindparam("peer"),
            heard_offer.c.at_us >= sa.bindparam("since_us", type_=sa.BigInteger),
        ), 1), else_=0)), 0).label("of_peer"),
    ),
    name="offers heard",
)
DUE_OFFERS = Statement(
    sa.select(heard_offer)
    .where(heard_offer.c.outcome == "",
           heard_offer.c.retry_us <= sa.bindparam("now_us", type_=sa.BigInteger))
    .order_by(heard_offer.c.at_us, heard_offer.c.community_id, heard_offer.c.target)
    .limit(sa.bindparam("limit")),
    name="offers that are due",
)
COUNT_WAITING = Statement(
    sa.select(sa.func.count().label("count")).select_from(heard_offer)
    .where(heard_offer.c.outcome == "", heard_offer.c.retry_us == 0),
    name="offers not examined yet",
)
KEEP_HEARD = upsert(heard_offer, keys=["community_id", "target"], update=[])
_HEARD = (heard_offer.c.community_id == sa.bindparam("heard_of", type_=sa.BigInteger),
          heard_offer.c.target == sa.bindparam("heard_target"))
SETTLE_HEARD = Statement(
    sa.update(heard_offer).where(*_HEARD).values(
        outcome=sa.bindparam("new_outcome"), tries=sa.bindparam("new_tries"),
        retry_us=sa.bindparam("new_retry_us", type_=sa.BigInteger),
    ),
    name="settle offer",
)
# An end was declared: what waited for one is due.
DUE_NOW = Statement(
    sa.update(heard_offer)
    .where(heard_offer.c.community_id == _COMMUNITY, heard_offer.c.outcome == "")
    .values(retry_us=0),
    name="offers are due",
)
FORGET_HEARD = Statement(
    sa.delete(heard_offer).where(
        heard_offer.c.outcome != "",
        heard_offer.c.at_us < sa.bindparam("before_us", type_=sa.BigInteger),
    ),
    name="forget offers",
)

# By the primary key.
ANSWERS = Statement(
    sa.select(successor_answer.c.successor_id, successor_answer.c.accepted)
    .where(successor_answer.c.person_id == _PERSON),
    name="answers about successors",
)
KEEP_ANSWER = upsert(
    successor_answer, keys=["person_id", "successor_id"], update=["accepted", "at_us"]
)
