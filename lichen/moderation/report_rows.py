"""Statements over reports, appeals and remarks."""

import msgspec
import sqlalchemy as sa

from lichen.moderation.cases import Appeal, AppealState, Remark, RemarkKind
from lichen.moderation.model import Report, ReportKind
from lichen.moderation.tables import appeal, remark, report
from lichen.store import Row, Statement, any_of, upsert

_ID = sa.bindparam("id", type_=sa.BigInteger)
_NOW = sa.bindparam("now_us", type_=sa.BigInteger)
_LIMIT = sa.bindparam("limit", type_=sa.Integer)
_OFFSET = sa.bindparam("offset", type_=sa.Integer)
_EVERYWHERE = sa.bindparam("everywhere", type_=sa.Boolean)
_COMMUNITY = sa.bindparam("community_id", type_=sa.BigInteger)
_SUBJECT = sa.bindparam("subject_id", type_=sa.BigInteger)

KEEP = upsert(report, keys=["creator_id", "kind", "subject_id"], update=[])
# By the index report_once.
MINE = Statement(
    sa.select(report).where(
        report.c.creator_id == sa.bindparam("creator_id", type_=sa.BigInteger),
        report.c.kind == sa.bindparam("kind"), report.c.subject_id == _SUBJECT,
    ),
    name="my report of something",
)
GIVE_REASON = Statement(
    sa.update(report).where(report.c.id == sa.bindparam("row_id", type_=sa.BigInteger))
    .values(reason=sa.bindparam("new_reason")),
    name="give a report its reason",
)
OF_IDS = Statement(sa.select(report).where(any_of(report.c.id, "ids")), name="reports")
FIND = Statement(
    sa.select(report).where(report.c.id == _ID, report.c.kind == sa.bindparam("kind"))
    .with_for_update(),
    name="report",
)
LISTED = Statement(
    sa.select(report)
    .where(
        report.c.kind == sa.bindparam("kind"),
        sa.or_(sa.bindparam("all", type_=sa.Boolean), ~report.c.resolved),
        sa.or_(_EVERYWHERE, any_of(report.c.community_id, "communities")),
        sa.or_(_SUBJECT.is_(None), report.c.subject_id == _SUBJECT),
    )
    .order_by(report.c.id.desc()).limit(_LIMIT).offset(_OFFSET),
    name="list of reports",
)
WAITING = Statement(
    sa.select(report.c.kind, sa.func.count().label("count"))
    .where(~report.c.resolved,
           sa.or_(_EVERYWHERE, any_of(report.c.community_id, "communities")))
    .group_by(report.c.kind),
    name="reports that wait",
)
RESOLVE = Statement(
    sa.update(report).where(report.c.id == sa.bindparam("row_id", type_=sa.BigInteger))
    .values(
        resolved=sa.bindparam("is_resolved", type_=sa.Boolean),
        resolver_id=sa.bindparam("judge_id", type_=sa.BigInteger), updated_us=_NOW,
    ),
    name="resolve a report",
)
# By the index report_subject.
_ABOUT = sa.and_(
    report.c.kind == sa.bindparam("of_kind"),
    report.c.subject_id == sa.bindparam("of_subject_id", type_=sa.BigInteger),
    ~report.c.resolved,
)
_JUDGE = sa.bindparam("judge_id", type_=sa.BigInteger)
RESOLVE_ALL = Statement(
    sa.update(report).where(_ABOUT)
    .values(resolved=True, upheld=True, resolver_id=_JUDGE, updated_us=_NOW),
    name="resolve what was reported rightly",
)
DISMISS_ALL = Statement(
    sa.update(report).where(_ABOUT).values(resolved=True, resolver_id=_JUDGE, updated_us=_NOW),
    name="resolve what is left as it is",
)
DROP_OF = Statement(
    sa.delete(report).where(report.c.kind == sa.bindparam("of_kind"),
                            any_of(report.c.subject_id, "ids")),
    name="drop reports of what was purged",
)
ANSWERED = Statement(
    sa.select((report.c.updated_us - report.c.published_us).label("answer_us"))
    .where(report.c.community_id == _COMMUNITY, report.c.resolved)
    .order_by(report.c.id.desc()).limit(_LIMIT),
    name="times to answer",
)
COUNT_OF_COMMUNITY = Statement(
    sa.select(report.c.resolved, sa.func.count().label("count"))
    .where(report.c.community_id == _COMMUNITY).group_by(report.c.resolved),
    name="reports of a community",
)

INSERT_APPEAL = upsert(appeal, keys=["action_id"], update=[])
FIND_APPEAL = Statement(sa.select(appeal).where(appeal.c.id == _ID).with_for_update(),
                        name="appeal")
APPEALS = Statement(sa.select(appeal).where(any_of(appeal.c.id, "ids")), name="appeals")
APPEALS_OF = Statement(
    sa.select(appeal).where(any_of(appeal.c.action_id, "ids")), name="appeals against actions"
)
DECIDE_APPEAL = Statement(
    sa.update(appeal).where(appeal.c.id == sa.bindparam("row_id", type_=sa.BigInteger))
    .values(state=sa.bindparam("new_state"), answer=sa.bindparam("new_answer"), judge_id=_JUDGE,
            updated_us=_NOW),
    name="decide an appeal",
)
APPEALS_OF_COMMUNITY = Statement(
    sa.select(appeal.c.state, sa.func.count().label("count"))
    .where(appeal.c.community_id == _COMMUNITY).group_by(appeal.c.state),
    name="appeals of a community",
)

INSERT_REMARK = Statement(sa.insert(remark), name="insert remark")
DROP_REMARK = Statement(
    sa.delete(remark).where(remark.c.id == sa.bindparam("row_id", type_=sa.BigInteger)),
    name="drop remark",
)
FIND_REMARK = Statement(sa.select(remark).where(remark.c.id == _ID), name="remark")
# By the index remark_person.
REMARKS = Statement(
    sa.select(remark)
    .where(remark.c.person_id == sa.bindparam("person_id", type_=sa.BigInteger),
           sa.or_(_EVERYWHERE, any_of(remark.c.community_id, "communities")))
    .order_by(remark.c.id.desc()).limit(_LIMIT),
    name="remarks about a person",
)

_PERSON = sa.bindparam("of_person_id", type_=sa.BigInteger)
FORGET_REPORTS = Statement(  # by the index report_once
    sa.update(report).where(report.c.creator_id == _PERSON).values(reason=""),
    name="forget the words of a reporter",
)
FORGET_APPEALS = Statement(
    sa.update(appeal).where(appeal.c.person_id == _PERSON).values(text="", answer=None),
    name="forget the appeals of a person",
)
FORGET_REMARKS = Statement(
    sa.delete(remark).where(remark.c.person_id == _PERSON), name="forget the remarks on a person"
)
REMARKS_AMONG = Statement(
    sa.select(remark.c.id).where(any_of(remark.c.id, "ids")), name="remarks that are there"
)


def report_from(row: Row) -> Report:
    """Return the report in a row."""
    return Report(
        id=row.id, tid=row.tid, kind=ReportKind(row.kind), creator_id=row.creator_id,
        subject_id=row.subject_id, community_id=row.community_id,
        original_name=row.original_name, original_url=row.original_url,
        original_text=row.original_text, reason=row.reason, resolved=row.resolved,
        resolver_id=row.resolver_id, published_us=row.published_us, updated_us=row.updated_us,
    )


def row_of_report(one: Report) -> dict[str, object]:
    """Return the parameters of KEEP."""
    return msgspec.structs.asdict(one) | {"kind": one.kind.value, "upheld": False}


def appeal_from(row: Row) -> Appeal:
    """Return the appeal in a row."""
    fields = {name: getattr(row, name) for name in Appeal.__struct_fields__}
    return Appeal(**fields | {"state": AppealState(row.state)})


def remark_from(row: Row) -> Remark:
    """Return the remark in a row."""
    fields = {name: getattr(row, name) for name in Remark.__struct_fields__}
    return Remark(**fields | {"kind": RemarkKind(row.kind)})


def row_of_remark(one: Remark) -> dict[str, object]:
    """Return the parameters of INSERT_REMARK."""
    return msgspec.structs.asdict(one) | {"kind": one.kind.value}
