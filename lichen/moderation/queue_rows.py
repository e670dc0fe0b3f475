"""Statements over what waits, and over what is known of the people it is about."""

import msgspec
import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from lichen.kit import Reason
from lichen.moderation.cases import ItemKind, QueueItem, RemarkKind
from lichen.moderation.limits import SEVERITY_MAX
from lichen.moderation.model import Kind
from lichen.moderation.tables import moderation_action as action
from lichen.moderation.tables import moderation_item as item
from lichen.moderation.tables import remark, report
from lichen.store import Row, Statement, any_of

_NOW = sa.bindparam("now_us", type_=sa.BigInteger)
_CLOSED = "closed"
_NO_REASONS = "[]"


def _wait(engine: str) -> sa.Executable:
    """Insert; what waits grows in severity and keeps its place, what was closed begins anew."""
    inserting = sqlite.insert if engine == "sqlite" else postgresql.insert
    insert = inserting(item).values({name: sa.bindparam(name) for name in dict(item.columns)})
    new = insert.excluded
    is_new = item.c.state == _CLOSED
    grown = sa.case((item.c.severity < SEVERITY_MAX, item.c.severity + new.severity),
                    else_=item.c.severity)
    return insert.on_conflict_do_update(
        index_elements=["kind", "subject_kind", "subject_id"],
        set_={
            "severity": sa.case((is_new, new.severity), else_=grown),
            "since_us": sa.case((is_new, new.since_us), else_=item.c.since_us),
            "state": sa.case((is_new, new.state), else_=item.c.state),
            "evidence": new.evidence,
            "reasons": new.reasons,
        },
    )


WAIT = Statement(_wait, name="wait")
SETTLE = Statement(
    sa.update(item)
    .where(item.c.kind == sa.bindparam("of_kind"),
           item.c.subject_kind == sa.bindparam("of_subject_kind"),
           item.c.subject_id == sa.bindparam("of_subject_id", type_=sa.BigInteger))
    .values(
        state=sa.bindparam("new_state"),
        # What is decided needs no reasons any more; they speak of what a person wrote.
        reasons=sa.case((sa.bindparam("new_state") == _CLOSED, _NO_REASONS), else_=item.c.reasons),
    ),
    name="settle",
)
FIND = Statement(
    sa.select(item).where(item.c.id == sa.bindparam("id", type_=sa.BigInteger)).with_for_update(),
    name="waiting item",
)
_KIND = sa.bindparam("kind", type_=sa.Text)
_SINCE = sa.bindparam("after_us", type_=sa.BigInteger)
_AFTER = sa.bindparam("after_id", type_=sa.BigInteger)
# By the index moderation_item_waiting: a page begins where the one before ended.
PAGE = Statement(
    sa.select(item)
    .where(
        item.c.state == sa.bindparam("state"),
        sa.or_(item.c.since_us > _SINCE, sa.and_(item.c.since_us == _SINCE, item.c.id > _AFTER)),
        item.c.since_us >= _SINCE,
        sa.or_(_KIND.is_(None), item.c.kind == _KIND),
        sa.or_(sa.bindparam("everywhere", type_=sa.Boolean),
               any_of(item.c.community_id, "communities")),
    )
    .order_by(item.c.since_us, item.c.id)
    .limit(sa.bindparam("limit", type_=sa.Integer)),
    name="page of the queue",
)
_WAITS = sa.and_(item.c.kind == ItemKind.HELD.value, item.c.state != _CLOSED)
# By the index moderation_item_once.
HELD = Statement(
    sa.select(item).where(
        _WAITS, item.c.subject_kind == sa.bindparam("subject_kind"),
        item.c.subject_id == sa.bindparam("subject_id", type_=sa.BigInteger),
    ),
    name="something held",
)
# By the index moderation_item_person.
HELD_OF = Statement(
    sa.select(item)
    .where(_WAITS, item.c.person_id == sa.bindparam("person_id", type_=sa.BigInteger))
    .order_by(item.c.since_us.desc(), item.c.id.desc())
    .limit(sa.bindparam("limit", type_=sa.Integer)),
    name="what of a person is held",
)
# By the index moderation_item_waiting.
COUNT_BY_PLACE = Statement(
    sa.select(item.c.community_id, sa.func.count().label("count"))
    .where(
        item.c.state == sa.bindparam("state"), item.c.community_id.is_not(None),
        sa.or_(sa.bindparam("everywhere", type_=sa.Boolean),
               any_of(item.c.community_id, "communities")),
    )
    .group_by(item.c.community_id)
    .order_by(sa.func.count().desc(), item.c.community_id)
    .limit(sa.bindparam("limit", type_=sa.Integer)),
    name="what waits by community",
)
DROP_OF = Statement(
    sa.delete(item).where(item.c.subject_kind == sa.bindparam("of_kind"),
                          any_of(item.c.subject_id, "ids")),
    name="drop what waits of what was purged",
)
_FORGOTTEN = sa.bindparam("of_person_id", type_=sa.BigInteger)
FORGET = Statement(
    sa.update(item).where(sa.or_(
        item.c.person_id == _FORGOTTEN,
        sa.exists().where(  # by the index report_once
            report.c.creator_id == _FORGOTTEN, report.c.kind == item.c.subject_kind,
            report.c.subject_id == item.c.subject_id,
        ),
    )).values(evidence=""),
    name="forget what waits of a person, and what it said",
)

# By the indices remark_person, moderation_action_person and report_once.
_OF_REMARKS = any_of(remark.c.person_id, "ids")
REMARKS = Statement(
    sa.select(remark.c.person_id, remark.c.kind, sa.func.count().label("count"))
    .where(
        _OF_REMARKS,
        sa.or_(remark.c.kind == RemarkKind.NOTE.value, remark.c.expires_us.is_(None),
               remark.c.expires_us > _NOW),
        sa.or_(sa.bindparam("everywhere", type_=sa.Boolean),
               any_of(remark.c.community_id, "communities")),
    )
    .group_by(remark.c.person_id, remark.c.kind),
    name="remarks by person",
)
REMOVALS = Statement(
    sa.select(action.c.person_id, sa.func.count().label("count"))
    .where(any_of(action.c.person_id, "ids"), action.c.done, action.c.undone_by.is_(None),
           sa.or_(action.c.kind == Kind.REMOVE_POST.value,
                  action.c.kind == Kind.REMOVE_COMMENT.value))
    .group_by(action.c.person_id),
    name="removals by person",
)
REPORTS_MADE = Statement(
    sa.select(
        report.c.creator_id, sa.func.count().label("made"),
        sa.func.count(sa.case((report.c.upheld, 1))).label("upheld"),
    )
    .where(any_of(report.c.creator_id, "ids"))
    .group_by(report.c.creator_id),
    name="reports by person",
)


_REASONS = msgspec.json.Decoder(tuple[Reason, ...])


def item_from(row: Row) -> QueueItem:
    """Return the item in a row."""
    return QueueItem(
        kind=ItemKind(row.kind), subject_kind=row.subject_kind, subject_id=row.subject_id,
        community_id=row.community_id, person_id=row.person_id, since_us=row.since_us,
        severity=row.severity, evidence=row.evidence, reasons=_REASONS.decode(row.reasons),
    )


def row_of_item(one: QueueItem, *, id: int) -> dict[str, object]:
    """Return the parameters of WAIT."""
    return msgspec.structs.asdict(one) | {
        "kind": one.kind.value, "id": id, "state": "open",
        "reasons": msgspec.json.encode(one.reasons).decode(),
    }
