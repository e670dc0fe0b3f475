"""Statements over what came in: what was applied, what waits, which Follows stand."""

import hashlib
from collections.abc import Sequence

import sqlalchemy as sa

from lichen.federation.tables import follow, parked, received
from lichen.store import Statement, Unit, any_of, upsert

_NOW = sa.bindparam("now_us", type_=sa.BigInteger)
_LIMIT = sa.bindparam("limit", type_=sa.Integer)
_KEY_LENGTH = 32  # characters of hex, so 128 bits

# By primary key.
KNOWN = Statement(
    sa.select(received.c.key, received.c.about).where(any_of(received.c.key, "keys")),
    name="received before",
)
# What waited is kept a second time, with what it was about.
KEEP = upsert(received, keys=["key"], update=["about"])
# By the index on at_us.
FORGET = Statement(
    sa.delete(received).where(received.c.key.in_(
        sa.select(received.c.key)
        .where(received.c.at_us < sa.bindparam("before_us", type_=sa.BigInteger))
        .order_by(received.c.at_us).limit(_LIMIT)
    )).returning(received.c.key),
    name="forget what was received",
)

# By primary key.
WORKED_OFF = Statement(
    sa.select(received.c.at_us).where(received.c.key == sa.bindparam("received_key")),
    name="when it was worked off",
)

PARK = Statement(sa.insert(parked), name="park")
# By the index on subject.
SUBJECTS = Statement(
    sa.select(parked.c.id, parked.c.subject, parked.c.needs, parked.c.kind)
    .where(any_of(parked.c.subject, "subjects")),
    name="what waits for its turn",
)
# By the index on subject.
PARKED_LINE = Statement(
    sa.select(parked.c.needs, parked.c.tries, parked.c.retry_us).where(
        parked.c.subject == sa.bindparam("of_subject"),
        parked.c.seq == sa.bindparam("of_seq", type_=sa.BigInteger),
    ),
    name="whether an activity waits",
)
COUNT_PARKED = Statement(
    sa.select(sa.func.count().label("count")).select_from(parked), name="how many wait"
)
# A whole look at what waits, which is bounded and mostly nothing.
PARKED_BY_PEER = Statement(
    sa.select(parked.c.peer, sa.func.count().label("count"))
    .where(any_of(parked.c.peer, "authorities")).group_by(parked.c.peer),
    name="how many of each peer wait",
)
PARKED_OF = Statement(
    sa.select(
        parked.c.needs, sa.func.count().label("count"), sa.func.max(parked.c.tries).label("tries"),
        sa.func.min(parked.c.retry_us).label("retry_us"),
    )
    .where(parked.c.peer == sa.bindparam("of_peer"))
    .group_by(parked.c.needs)
    .order_by(sa.func.count().desc(), parked.c.needs)
    .limit(_LIMIT).offset(sa.bindparam("offset", type_=sa.Integer)),
    name="what a peer's activities wait for",
)
# By the index parked_due.
DUE = Statement(
    sa.select(
        parked.c.needs, parked.c.kind, sa.func.max(parked.c.tries).label("tries"),
        sa.func.min(parked.c.retry_us).label("since_us"),
    )
    .where(parked.c.retry_us <= _NOW)
    .group_by(parked.c.needs, parked.c.kind)
    .order_by(sa.func.min(parked.c.id))
    .limit(_LIMIT),
    name="what is due",
)
NEXT_DUE = Statement(
    sa.select(sa.func.min(parked.c.retry_us).label("at_us")), name="when something is due"
)
# By the index on needs.
WAITING_FOR = Statement(
    sa.select(parked).where(parked.c.needs == sa.bindparam("needed"))
    .order_by(parked.c.id).limit(_LIMIT),
    name="who waits for something",
)
DROP = Statement(sa.delete(parked).where(any_of(parked.c.id, "ids")), name="no longer parked")
# Not what has come while it was looked for: CAME has set that before `floor_us`.
_STILL_AWAY = sa.and_(
    parked.c.needs == sa.bindparam("needed"),
    parked.c.retry_us >= sa.bindparam("floor_us", type_=sa.BigInteger),
)
DROP_ALL_OF = Statement(
    sa.delete(parked).where(_STILL_AWAY).returning(parked.c.id, parked.c.seq),
    name="nothing waits for it any more",
)
LATER = Statement(
    sa.update(parked).where(_STILL_AWAY)
    .values(tries=sa.bindparam("more_tries", type_=sa.BigInteger),
            retry_us=sa.bindparam("later_us", type_=sa.BigInteger)),
    name="try again later",
)
CAME_US = -1  # the time at which to look for what has come: before every other
CAME = Statement(
    sa.update(parked).where(any_of(parked.c.needs, "needed"))
    .values(retry_us=sa.literal(CAME_US, sa.BigInteger)),
    name="what came is there",
)

FOLLOWS = Statement(
    sa.select(follow).where(any_of(follow.c.ap_id, "ap_ids")), name="follows by their ids"
)
# By primary key.
FOLLOWS_OF = Statement(
    sa.select(follow)
    .where(any_of(follow.c.person_id, "people"), any_of(follow.c.community_id, "communities")),
    name="follows of people",
)
KEEP_FOLLOW = upsert(follow, keys=["person_id", "community_id"], update=["ap_id"])
DROP_FOLLOW = Statement(
    sa.delete(follow).where(
        follow.c.person_id == sa.bindparam("person_id", type_=sa.BigInteger),
        follow.c.community_id == sa.bindparam("community_id", type_=sa.BigInteger),
    ),
    name="drop follow",
)


def key_of(voucher: str, id: str) -> str:
    """Return the key under which an activity is remembered.

    Who vouches for it is part of it, so that nobody can use up the id of somebody else's.
    """
    return hashlib.sha256(f"{voucher}\n{id}".encode()).hexdigest()[:_KEY_LENGTH]


def gone_key(ap_id: str) -> str:
    """Return the key that remembers that something was deleted before it came."""
    return key_of("gone", ap_id)


def follow_ids(unit: Unit, pairs: Sequence[tuple[int, int]]) -> dict[tuple[int, int], str]:
    """Return the ids of the Follows that stand, by person and community; one round trip."""
    rows = unit.fetch(
        FOLLOWS_OF, people=sorted({person for person, _ in pairs}),
        communities=sorted({community for _, community in pairs}),
    )
    found = {(row.person_id, row.community_id): row.ap_id for row in rows}
    return {pair: found[pair] for pair in pairs if pair in found}
