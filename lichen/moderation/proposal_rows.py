"""Statements over proposals, their steps and who supports them."""

import msgspec
import sqlalchemy as sa

from lichen.moderation.proposal import (
    OPEN_STATES,
    Proposal,
    ProposalState,
    Step,
    StepRole,
)
from lichen.moderation.tables import proposal, proposal_step, proposal_support
from lichen.store import Row, Statement, any_of, upsert

_LIMIT = sa.bindparam("limit", type_=sa.Integer)
_OFFSET = sa.bindparam("offset", type_=sa.Integer)
_ROW = sa.bindparam("row_id", type_=sa.BigInteger)
_VIEWER = sa.bindparam("viewer_id", type_=sa.BigInteger)
_PERSON = sa.bindparam("person_id", type_=sa.BigInteger)
_COMMUNITY = sa.bindparam("community_id", type_=sa.BigInteger)
_AFTER = sa.bindparam("after_id", type_=sa.BigInteger)
_IDS = any_of(proposal.c.id, "ids")
_IS_OPEN = sa.or_(*(proposal.c.state == state.value for state in sorted(OPEN_STATES)))

INSERT = Statement(sa.insert(proposal), name="insert proposal")
MOVE = Statement(
    sa.update(proposal).where(proposal.c.id == _ROW).values(
        state=sa.bindparam("new_state"),
        queued_us=sa.bindparam("new_queued_us", type_=sa.BigInteger),
        updated_us=sa.bindparam("now_us", type_=sa.BigInteger),
    ),
    name="move a proposal",
)
COUNT = Statement(
    sa.update(proposal).where(proposal.c.id == _ROW).values(
        supports=sa.bindparam("new_supports", type_=sa.BigInteger),
        queued_us=sa.bindparam("new_queued_us", type_=sa.BigInteger),
    ),
    name="count supports",
)
# In the order of ids, so that two batches never wait for each other.
LOCKED = Statement(
    sa.select(proposal).where(_IDS).order_by(proposal.c.id).with_for_update(),
    name="proposals, locked",
)
OF_IDS = Statement(sa.select(proposal).where(_IDS), name="proposals")
# By the index proposal_creator.
COUNT_OPEN = Statement(
    sa.select(sa.func.count().label("count")).select_from(proposal)
    .where(proposal.c.creator_id == _PERSON, proposal.c.community_id == _COMMUNITY, _IS_OPEN),
    name="open proposals of a person",
)

_IS_MINE = sa.exists().where(
    proposal_support.c.person_id == _VIEWER, proposal_support.c.proposal_id == proposal.c.id
).label("is_mine")
_SEEN = sa.select(proposal, _IS_MINE)
SEEN = Statement(_SEEN.where(_IDS), name="proposals as a viewer sees them")
_LISTED = (
    _SEEN.where(proposal.c.community_id == _COMMUNITY, any_of(proposal.c.state, "states"))
    .limit(_LIMIT).offset(_OFFSET)
)
# By the indices proposal_newest and proposal_supported.
NEWEST = Statement(_LISTED.order_by(proposal.c.id.desc()), name="newest proposals")
MOST_SUPPORTED = Statement(
    _LISTED.order_by(proposal.c.supports.desc(), proposal.c.id.desc()),
    name="most supported proposals",
)
# By the index proposal_state.
PASSED_UP = Statement(
    _SEEN.where(proposal.c.state == ProposalState.PASSED_UP.value)
    .order_by(proposal.c.id).limit(_LIMIT).offset(_OFFSET),
    name="proposals that were passed up",
)
OF_PERSON = Statement(
    _SEEN.where(proposal.c.creator_id == _PERSON, proposal.c.id > _AFTER)
    .order_by(proposal.c.id).limit(_LIMIT),
    name="proposals of a person",
)
OF_COMMUNITY = Statement(
    sa.select(proposal).where(proposal.c.community_id == _COMMUNITY)
    .order_by(proposal.c.id).limit(_LIMIT),
    name="proposals of a community",
)

INSERT_STEP = Statement(sa.insert(proposal_step), name="insert step")
# By the index proposal_step_of.
STEPS = Statement(
    sa.select(proposal_step).where(any_of(proposal_step.c.proposal_id, "ids"))
    .order_by(proposal_step.c.id),
    name="steps of proposals",
)

KEEP_SUPPORT = upsert(proposal_support, keys=["person_id", "proposal_id"], update=[])
DROP_SUPPORT = Statement(
    sa.delete(proposal_support).where(
        proposal_support.c.person_id == sa.bindparam("of_person", type_=sa.BigInteger),
        proposal_support.c.proposal_id == sa.bindparam("of_proposal", type_=sa.BigInteger),
    ),
    name="take a support back",
)
# By the primary key; pairs that nobody asked for may come along.
SUPPORTS_AMONG = Statement(
    sa.select(proposal_support).where(
        any_of(proposal_support.c.person_id, "people"),
        any_of(proposal_support.c.proposal_id, "ids"),
    ),
    name="supports among people and proposals",
)
SUPPORTS_OF = Statement(
    sa.select(proposal_support).where(
        proposal_support.c.person_id == _PERSON, proposal_support.c.proposal_id > _AFTER
    )
    .order_by(proposal_support.c.proposal_id).limit(_LIMIT),
    name="supports of a person",
)
# By the index proposal_support_told; locked, so that nobody is told by two.
UNTOLD = Statement(
    sa.select(proposal_support.c.person_id)
    .where(proposal_support.c.proposal_id == sa.bindparam("id", type_=sa.BigInteger),
           ~proposal_support.c.told)
    .order_by(proposal_support.c.person_id).limit(_LIMIT).with_for_update(),
    name="supporters to be told",
)
MARK_TOLD = Statement(
    sa.update(proposal_support).where(
        proposal_support.c.proposal_id == _ROW, any_of(proposal_support.c.person_id, "people")
    ).values(told=sa.true()),
    name="mark supporters told",
)

# What goes for good: words of a person, supports of a person, all of a community.
EMPTY = Statement(
    sa.update(proposal).where(_IDS).values(
        title="", text="",
        state=sa.case((_IS_OPEN, ProposalState.WITHDRAWN.value), else_=proposal.c.state),
    ),
    name="empty proposals",
)
DROP = Statement(sa.delete(proposal).where(_IDS), name="drop proposals")
DROP_STEPS = Statement(
    sa.delete(proposal_step).where(any_of(proposal_step.c.proposal_id, "ids")), name="drop steps"
)
DROP_SUPPORTS = Statement(
    sa.delete(proposal_support).where(any_of(proposal_support.c.proposal_id, "ids")),
    name="drop supports",
)
UNCOUNT_PERSON = Statement(
    sa.update(proposal).where(
        _IS_OPEN,
        proposal.c.id.in_(sa.select(proposal_support.c.proposal_id)
                          .where(proposal_support.c.person_id == _PERSON)),
    ).values(supports=proposal.c.supports - 1),
    name="take a person's supports out of what is open",
)
FORGET_PERSON = Statement(
    sa.delete(proposal_support).where(proposal_support.c.person_id == _PERSON),
    name="forget whom a person supported",
)


def proposal_from(row: Row) -> Proposal:
    """Return the proposal in a row."""
    fields = {name: getattr(row, name) for name in Proposal.__struct_fields__}
    return Proposal(**fields | {"state": ProposalState(row.state)})


def row_of_proposal(one: Proposal) -> dict[str, object]:
    """Return the parameters of INSERT."""
    return msgspec.structs.asdict(one) | {"state": one.state.value}


def step_from(row: Row) -> Step:
    """Return the step in a row."""
    fields = {name: getattr(row, name) for name in Step.__struct_fields__}
    return Step(**fields | {"state": ProposalState(row.state), "role": StepRole(row.role)})


def row_of_step(one: Step) -> dict[str, object]:
    """Return the parameters of INSERT_STEP."""
    return msgspec.structs.asdict(one) | {"state": one.state.value, "role": one.role.value}
