"""Statements over the log of actions."""

import msgspec
import sqlalchemy as sa

from lichen.moderation.model import Act, Action, Before, Kind
from lichen.moderation.tables import moderation_action as action
from lichen.moderation.tables import moderation_taken as taken
from lichen.store import Row, Statement, any_of

_ID = sa.bindparam("id", type_=sa.BigInteger)


def _filter(column: "sa.Column[int]") -> "sa.ColumnElement[bool]":
    """Return a filter that None leaves out."""
    wanted = sa.bindparam(f"only_{column.name}", type_=sa.BigInteger)
    return sa.or_(wanted.is_(None), column == wanted)


INSERT = Statement(sa.insert(action), name="insert action")
# By the index moderation_action_subject: what stood until now is undone by what comes.
CLOSE = Statement(
    sa.update(action)
    .where(
        action.c.kind == sa.bindparam("of_kind"), action.c.subject == sa.bindparam("of_subject"),
        action.c.done != sa.bindparam("now_done", type_=sa.Boolean),
        action.c.undone_by.is_(None),
        action.c.id < sa.bindparam("new_id", type_=sa.BigInteger),
    )
    .values(undone_by=sa.bindparam("new_id", type_=sa.BigInteger)),
    name="close earlier actions",
)
MARK_UNDONE = Statement(
    sa.update(action)
    .where(action.c.id == sa.bindparam("row_id", type_=sa.BigInteger),
           action.c.undone_by.is_(None))
    .values(undone_by=sa.bindparam("new_id", type_=sa.BigInteger)),
    name="mark an action undone",
)
LOCK = Statement(
    sa.select(action.c.id).where(action.c.id == _ID).with_for_update(),
    name="lock action", only_locks=True,
)
FIND = Statement(sa.select(action).where(action.c.id == _ID), name="action")
OF_IDS = Statement(sa.select(action).where(any_of(action.c.id, "ids")), name="actions")
# By primary key from the first that is young enough.
SINCE = Statement(
    sa.select(action.c.id, action.c.tid)
    .where(any_of(action.c.community_id, "communities"),
           action.c.published_us >= sa.bindparam("since_us", type_=sa.BigInteger),
           action.c.id > sa.bindparam("after_id", type_=sa.BigInteger))
    .order_by(action.c.id).limit(sa.bindparam("limit", type_=sa.Integer)),
    name="actions since",
)
_later = action.alias("later")
# By the index moderation_action_subject; of one action, or of those of a page.
_OVERTAKEN = sa.select(action.c.id).where(
    sa.exists().where(
        _later.c.kind == action.c.kind, _later.c.subject == action.c.subject,
        _later.c.id > action.c.id,
    )
)
OVERTAKEN = Statement(_OVERTAKEN.where(any_of(action.c.id, "ids")), name="overtaken actions")
LISTED = Statement(
    sa.select(action)
    .where(
        any_of(action.c.kind, "kinds"), _filter(action.c.moderator_id),
        _filter(action.c.community_id), _filter(action.c.person_id), _filter(action.c.post_id),
        _filter(action.c.comment_id),
    )
    .order_by(action.c.id.desc())
    .limit(sa.bindparam("limit", type_=sa.Integer))
    .offset(sa.bindparam("offset", type_=sa.Integer)),
    name="list of actions",
)
# By the index moderation_action_subject.
OPEN_BANS = Statement(
    sa.select(action)
    .where(action.c.kind == sa.bindparam("of_kind"),
           action.c.subject == sa.bindparam("of_subject"), action.c.undone_by.is_(None),
           action.c.done)
    .order_by(action.c.id.desc()),
    name="bans that stand",
)
COUNTS = Statement(
    sa.select(action.c.kind, action.c.done, sa.func.count().label("count"))
    .where(action.c.community_id == sa.bindparam("community_id", type_=sa.BigInteger))
    .group_by(action.c.kind, action.c.done),
    name="actions by kind",
)
KEEP_TAKEN = Statement(sa.insert(taken), name="keep taken")
TAKEN = Statement(
    sa.select(taken.c.kind, taken.c.subject_id).where(any_of(taken.c.action_id, "ids")),
    name="taken words",
)
SWEEPING = Statement(
    sa.select(taken.c.action_id).where(any_of(taken.c.action_id, "ids")).distinct(),
    name="actions that swept",
)

_BEFORE = msgspec.json.Decoder(Before)


def action_from(row: Row) -> Action:
    """Return the action in a row."""
    return Action(
        id=row.id, tid=row.tid, kind=Kind(row.kind), done=row.done, moderator_id=row.moderator_id,
        person_id=row.person_id, community_id=row.community_id, post_id=row.post_id,
        comment_id=row.comment_id, subject=row.subject, reason=row.reason,
        expires_us=row.expires_us, before=_BEFORE.decode(row.before), undone_by=row.undone_by,
        published_us=row.published_us,
    )


def action_of(act: Act, *, id: int, tid: str, moderator_id: int, now_us: int) -> Action:
    """Return the line that an act becomes."""
    return Action(
        id=id, tid=tid, kind=act.kind, done=act.done, moderator_id=moderator_id,
        person_id=act.person.id if act.person else None,
        community_id=act.community.id if act.community else None,
        post_id=act.post_id, comment_id=act.comment_id, subject=act.key, reason=act.reason,
        expires_us=act.expires_us, before=act.before, undone_by=None, published_us=now_us,
    )


def row_of_action(action: Action) -> dict[str, object]:
    """Return the parameters of INSERT."""
    return msgspec.structs.asdict(action) | {
        "kind": action.kind.value, "before": msgspec.json.encode(action.before).decode()
    }
