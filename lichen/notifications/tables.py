"""What notifications remember: one row for each thing somebody was told of.

Comments and what moderators decided have a table each: a notice has no comment.
"""

import sqlalchemy as sa

from lichen.store import Statement, any_of, metadata, upsert

notification = sa.Table(
    "notification",
    metadata,
    sa.Column("id", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("recipient_id", sa.BigInteger, nullable=False),
    sa.Column("kind", sa.Text, nullable=False),
    sa.Column("comment_id", sa.BigInteger, nullable=False),
    sa.Column("read", sa.Boolean, nullable=False),
    sa.Column("published_us", sa.BigInteger, nullable=False),
    sa.Column("held_until_us", sa.BigInteger),  # its recipient was away until then
    sa.Column("asks", sa.SmallInteger),  # a model.Asks
    # Exactly once, whatever is applied twice.
    sa.UniqueConstraint("recipient_id", "comment_id", name="notification_once"),
    sa.Index("notification_of", "recipient_id", "kind", "published_us"),
    sa.Index("notification_comment", "comment_id"),
    sa.Index("notification_unread", "recipient_id", "kind", sqlite_where=sa.text("read = 0"),
             postgresql_where=sa.text("NOT read")),
)

# What moderators decided about somebody; the words are those of the event, so that nobody is asked.
notice = sa.Table(
    "notice",
    metadata,
    sa.Column("recipient_id", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("action_id", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("kind", sa.Text, nullable=False),
    sa.Column("done", sa.Boolean, nullable=False),
    sa.Column("reason", sa.Text),
    sa.Column("expires_at", sa.Text),
    sa.Column("read", sa.Boolean, nullable=False),
    sa.Column("created_at", sa.Text, nullable=False),
    sa.Column("proposal_id", sa.BigInteger),  # what it is about, where that is a proposal
    sqlite_with_rowid=False,
)

KEEP_NOTICE = upsert(notice, keys=["recipient_id", "action_id"], update=[])
_MY_NOTICES = notice.c.recipient_id == sa.bindparam("person_id", type_=sa.BigInteger)
NOTICES = Statement(
    sa.select(notice).where(_MY_NOTICES).order_by(notice.c.action_id.desc())
    .limit(sa.bindparam("limit")).offset(sa.bindparam("offset"))
)
PROPOSAL_NOTICES = Statement(
    sa.select(notice).where(_MY_NOTICES, notice.c.proposal_id.is_not(None))
    .order_by(notice.c.action_id.desc()).limit(sa.bindparam("limit"))
)
READ_NOTICES = Statement(
    sa.update(notice).where(_MY_NOTICES, ~notice.c.read).values(read=sa.true())
)
KEEP = upsert(notification, keys=["recipient_id", "comment_id"], update=[])
DROP = Statement(sa.delete(notification).where(any_of(notification.c.id, "ids")))
# notification_comment
OF_COMMENTS = Statement(sa.select(notification).where(any_of(notification.c.comment_id, "ids")))

_MINE = notification.c.recipient_id == sa.bindparam("person_id")
_NOW = sa.bindparam("now_us", type_=sa.BigInteger)
# What waits for the return of who is away is not in the inbox yet.
_HERE = sa.or_(notification.c.held_until_us.is_(None), notification.c.held_until_us <= _NOW)

# notification_of (recipient_id, kind, published_us); `all` lets read ones in.
_LISTED = (
    sa.select(notification)
    .where(
        _MINE,
        _HERE,
        notification.c.kind == sa.bindparam("kind"),
        sa.or_(~notification.c.read, sa.bindparam("all", type_=sa.Boolean)),
    )
    .limit(sa.bindparam("limit"))
    .offset(sa.bindparam("offset"))
)
NEWEST = Statement(_LISTED.order_by(notification.c.published_us.desc(), notification.c.id.desc()))
OLDEST = Statement(_LISTED.order_by(notification.c.published_us, notification.c.id))

# notification_once, in the order of the newest
LATEST = Statement(
    sa.select(notification)
    .where(_MINE)
    .order_by(notification.c.id.desc())
    .limit(sa.bindparam("limit"))
)
FIND = Statement(
    sa.select(notification).where(notification.c.id == sa.bindparam("id")).with_for_update()
)
MARK = Statement(
    sa.update(notification)
    .where(notification.c.id == sa.bindparam("marked"))
    .values(read=sa.bindparam("is_read", type_=sa.Boolean))
)
UNREAD = Statement(sa.select(notification.c.id).where(_MINE, _HERE, ~notification.c.read))
MARK_ALL = Statement(
    sa.update(notification)
    .where(_MINE, _HERE, ~notification.c.read)
    .values(read=sa.true())
)
# notification_unread
COUNT_UNREAD = Statement(
    sa.select(notification.c.kind, sa.func.count().label("count"))
    .where(_MINE, _HERE, ~notification.c.read)
    .group_by(notification.c.kind)
    .union_all(
        sa.select(sa.literal("notice"), sa.func.count())
        .where(_MY_NOTICES, ~notice.c.read)
    )
)

# notification_unread: what came while its recipient was away, who asks something first.
DIGEST = Statement(
    sa.select(notification)
    .where(_MINE, ~notification.c.read, notification.c.held_until_us <= _NOW)
    .order_by(notification.c.asks, notification.c.published_us.desc(), notification.c.id.desc())
    .limit(sa.bindparam("limit"))
)
HOLD = Statement(
    sa.update(notification)
    .where(
        notification.c.recipient_id == sa.bindparam("held_id"), notification.c.held_until_us > _NOW
    )
    .values(held_until_us=sa.bindparam("new_until_us", type_=sa.BigInteger))
)
