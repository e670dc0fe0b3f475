"""What moderation rules remember: the rules, what they hit, and the words of the last days.

    automod_rule 1──n automod_hit      a rule, and each thing it was true of, with its Reason
    automod_trace                      a hash of the words of each thing, for a week
"""

import msgspec
import sqlalchemy as sa

from lichen.automod.model import Action, Hit, Mode, Rule
from lichen.kit import Reason
from lichen.store import Row, Statement, any_of, metadata, upsert

_Id = sa.BigInteger().with_variant(sa.Integer, "sqlite")


def _number(name: str) -> "sa.Column[int]":
    return sa.Column(name, sa.BigInteger, nullable=False)


def _text(name: str) -> "sa.Column[str]":
    return sa.Column(name, sa.Text, nullable=False)


rule = sa.Table(
    "automod_rule",
    metadata,
    sa.Column("id", _Id, primary_key=True, autoincrement=False),
    _text("tid"),
    _number("owner_id"),  # the community, 0 for the whole site
    _text("name"),
    _text("program"),
    _text("action"),
    _number("ban_days"),
    _number("severity"),
    _text("mode"),
    _text("note"),
    _number("created_by"),
    _number("switched_by"),  # who said last what it does; it acts in their name
    _number("created_us"),
    _number("updated_us"),
    _number("version"),
    sa.Index("automod_rule_owner", "owner_id", "id"),
)

hit = sa.Table(
    "automod_hit",
    metadata,
    sa.Column("id", _Id, primary_key=True, autoincrement=False),
    _text("tid"),
    _number("rule_id"),
    _text("rule_name"),
    _number("rule_version"),
    _number("owner_id"),
    _number("community_id"),
    sa.Column("kind", sa.SmallInteger, nullable=False),
    _number("subject_id"),
    _text("subject"),
    _number("creator_id"),
    _text("mode"),
    sa.Column("done", sa.Text, comment="what was done; null where the rule was only tried"),
    sa.Column("waiting", sa.Boolean, nullable=False),
    sa.Column("reason", sa.Text, nullable=False, comment="JSON of kit.Reason"),
    _number("created_us"),
    sa.Index("automod_hit_rule", "rule_id", "id"),
    sa.Index("automod_hit_owner", "owner_id", "id"),
    sa.Index("automod_hit_subject", "kind", "subject_id"),
)

trace = sa.Table(
    "automod_trace",
    metadata,
    sa.Column("kind", sa.SmallInteger, primary_key=True),
    sa.Column("subject_id", sa.BigInteger, primary_key=True),
    _number("creator_id"),
    _number("text_key"),
    _number("published_us"),
    sa.Index("automod_trace_text", "text_key", "published_us"),
    sa.Index("automod_trace_time", "published_us"),
    sqlite_with_rowid=False,
)


def _bound(column: sa.Column[int], name: str = "") -> sa.ColumnElement[bool]:
    return column == sa.bindparam(name or column.name, type_=column.type)


_LIMIT = sa.bindparam("limit", type_=sa.Integer)
_OFFSET = sa.bindparam("offset", type_=sa.Integer)

RULE = Statement(sa.select(rule).where(_bound(rule.c.id)), name="rule")
LOCK_RULE = Statement(
    sa.select(rule.c.id).where(_bound(rule.c.id)).with_for_update(), name="lock rule",
    only_locks=True,
)
RULES_OF = Statement(
    sa.select(rule).where(_bound(rule.c.owner_id)).order_by(rule.c.id), name="rules of an owner"
)
# Those of the site and of one community, in the order they are asked.
RULES_FOR = Statement(
    sa.select(rule).where(
        sa.or_(rule.c.owner_id == 0, _bound(rule.c.owner_id)), rule.c.mode != Mode.OFF.value
    ).order_by(rule.c.owner_id, rule.c.id),
    name="rules for a community",
)
_columns = [column.name for column in rule.columns if column.name != "id"]
WRITE_RULE = upsert(rule, keys=["id"], update=_columns)
DROP_RULE = Statement(sa.delete(rule).where(_bound(rule.c.id)), name="drop rule")
DROP_HITS_OF_RULE = Statement(
    sa.delete(hit).where(_bound(hit.c.rule_id)), name="drop hits of a rule"
)

WRITE_HIT = upsert(hit, keys=["id"], update=["waiting", "done"])
HIT = Statement(sa.select(hit).where(_bound(hit.c.id)), name="hit")
HITS_OF_RULE = Statement(
    sa.select(hit).where(_bound(hit.c.rule_id))
    .order_by(hit.c.id.desc()).limit(_LIMIT).offset(_OFFSET),
    name="hits of a rule",
)
HITS_OF_OWNER = Statement(
    sa.select(hit).where(
        _bound(hit.c.owner_id),
        sa.or_(hit.c.waiting.is_(True), sa.bindparam("all", type_=sa.Boolean)),
    ).order_by(hit.c.id.desc()).limit(_LIMIT).offset(_OFFSET),
    name="hits of an owner",
)
HITS_ON = Statement(
    sa.select(hit).where(_bound(hit.c.kind), _bound(hit.c.subject_id)).order_by(hit.c.id),
    name="hits on a thing",
)
COUNT_HITS = Statement(
    sa.select(hit.c.rule_id, sa.func.count().label("count"),
              sa.func.max(hit.c.created_us).label("last_us"))
    .where(_bound(hit.c.owner_id)).group_by(hit.c.rule_id),
    name="count hits",
)
NUMBER_OF_RULES = Statement(
    sa.select(sa.func.count().label("count")).where(_bound(rule.c.owner_id)), name="count rules"
)

WRITE_TRACE = upsert(trace, keys=["kind", "subject_id"], update=["text_key"])
DROP_TRACES = Statement(
    sa.delete(trace).where(trace.c.published_us < sa.bindparam("before_us", type_=sa.BigInteger)),
    name="drop old traces",
)

DROP_OF_SUBJECTS = tuple(
    Statement(sa.delete(table).where(_bound(table.c.kind), any_of(table.c.subject_id, "ids")),
              name=f"forget things in {table.name}")
    for table in (hit, trace)
)
DROP_OF_CREATOR = tuple(
    Statement(sa.delete(table).where(_bound(table.c.creator_id)), name=f"forget in {table.name}")
    for table in (hit, trace)
)


def _same(*more: sa.ColumnElement[bool]) -> sa.ScalarSelect[int]:
    """Return how often the same words were written lately; by automod_trace_text."""
    found = sa.select(trace.c.subject_id).where(
        _bound(trace.c.text_key),
        trace.c.published_us >= sa.bindparam("since_us", type_=sa.BigInteger),
        trace.c.published_us < sa.bindparam("before_us", type_=sa.BigInteger),
        *more,
    ).limit(_LIMIT).subquery()
    return sa.select(sa.func.count()).select_from(found).scalar_subquery()


DUPLICATES = Statement(
    sa.select(_same().label("by_anybody"), _same(_bound(trace.c.creator_id)).label("own")),
    name="duplicates",
)

_REASON = msgspec.json.Decoder(Reason)


def rule_from(row: Row) -> Rule:
    """Return the rule in a row."""
    return Rule(
        id=row.id, tid=row.tid, owner_id=row.owner_id, name=row.name, program=row.program,
        action=Action(row.action), ban_days=row.ban_days, severity=row.severity,
        mode=Mode(row.mode), note=row.note, created_by=row.created_by,
        switched_by=row.switched_by, created_us=row.created_us, updated_us=row.updated_us,
        version=row.version,
    )


def row_of_rule(written: Rule) -> dict[str, object]:
    """Return the parameters of WRITE_RULE."""
    return msgspec.structs.asdict(written) | {
        "action": written.action.value, "mode": written.mode.value}


def hit_from(row: Row) -> Hit:
    """Return the hit in a row."""
    return Hit(
        id=row.id, rule_id=row.rule_id, rule_name=row.rule_name, rule_version=row.rule_version,
        owner_id=row.owner_id, community_id=row.community_id, kind=row.kind,
        subject_id=row.subject_id, subject=row.subject, creator_id=row.creator_id,
        mode=Mode(row.mode), done=Action(row.done) if row.done else None, waiting=row.waiting,
        reason=_REASON.decode(row.reason), created_us=row.created_us,
    )


def row_of_hit(written: Hit, *, tid: str) -> dict[str, object]:
    """Return the parameters of WRITE_HIT."""
    return msgspec.structs.asdict(written) | {
        "mode": written.mode.value, "done": written.done.value if written.done else None,
        "reason": msgspec.json.encode(written.reason).decode(), "tid": tid,
    }
