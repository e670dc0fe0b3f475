"""What messages remember: every message, and one row for each side of a conversation.

    message        who to whom, the text, the marks; low_id and high_id are its two people in order
    conversation   (owner, other) → the newest message between them, so that the list of
                   conversations costs one look-up a line, however much was written
"""

import sqlalchemy as sa

from lichen.store import Statement, any_of, metadata, upsert

message = sa.Table(
    "message",
    metadata,
    sa.Column("id", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("tid", sa.Text, nullable=False),
    sa.Column("ap_id", sa.Text, nullable=False),
    sa.Column("local", sa.Boolean, nullable=False),
    sa.Column("creator_id", sa.BigInteger, nullable=False),
    sa.Column("recipient_id", sa.BigInteger, nullable=False),
    sa.Column("low_id", sa.BigInteger, nullable=False),
    sa.Column("high_id", sa.BigInteger, nullable=False),
    sa.Column("content", sa.Text, nullable=False),
    sa.Column("deleted", sa.Boolean, nullable=False),
    sa.Column("read", sa.Boolean, nullable=False),
    sa.Column("published_us", sa.BigInteger, nullable=False),
    sa.Column("updated_us", sa.BigInteger),
    sa.Index("message_ap_id", "ap_id", unique=True),
    sa.Index("message_creator", "creator_id", "published_us"),
    sa.Index("message_recipient", "recipient_id", "published_us"),
    sa.Index("message_between", "low_id", "high_id", "published_us"),
    sa.Index("message_unread", "recipient_id", "creator_id",
             sqlite_where=sa.text("read = 0 AND deleted = 0"),
             postgresql_where=sa.text("NOT read AND NOT deleted")),
)

conversation = sa.Table(
    "conversation",
    metadata,
    sa.Column("owner_id", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("other_id", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("message_id", sa.BigInteger, nullable=False),
    sa.Column("published_us", sa.BigInteger, nullable=False),
    sa.Index("conversation_newest", "owner_id", "published_us"),
)

_ME = sa.bindparam("viewer_id", type_=sa.BigInteger)
_OTHER = sa.bindparam("other_id", type_=sa.BigInteger)
_LIMIT = sa.bindparam("limit", type_=sa.Integer)
_OFFSET = sa.bindparam("offset", type_=sa.Integer)
_UNREAD = sa.and_(~message.c.read, ~message.c.deleted)
_NEWEST = (message.c.published_us.desc(), message.c.id.desc())
_OF_IDS = any_of(message.c.id, "ids")
_NOT_BLOCKED = sa.not_(any_of(message.c.creator_id, "blocked"))

INSERT = Statement(sa.insert(message), name="insert message")
CHANGE = Statement(
    sa.update(message)
    .where(message.c.id == sa.bindparam("row_id", type_=sa.BigInteger))
    .values(
        content=sa.bindparam("new_content"), deleted=sa.bindparam("new_deleted"),
        read=sa.bindparam("new_read"), updated_us=sa.bindparam("new_updated_us"),
    ),
    name="change message",
)
KEEP_CONVERSATION = upsert(
    conversation, keys=["owner_id", "other_id"], update=["message_id", "published_us"]
)

# By the unique index message_ap_id.
MESSAGES_AT = Statement(
    sa.select(message.c.id, message.c.ap_id, message.c.creator_id)
    .where(any_of(message.c.ap_id, "ap_ids")),
    name="messages at addresses",
)

# By primary key.
FIND = Statement(sa.select(message).where(_OF_IDS), name="messages")
KNOWN = Statement(sa.select(message.c.id).where(_OF_IDS), name="known messages")
LOCK = Statement(sa.select(message).where(_OF_IDS).with_for_update(), name="lock messages")
PEOPLE_OF_IDS = sa.union(
    sa.select(message.c.creator_id.label("id")).where(_OF_IDS),
    sa.select(message.c.recipient_id).where(_OF_IDS),
)

# By message_creator: how many somebody sent since.
COUNT_SENT = Statement(
    sa.select(sa.func.count().label("count"))
    .where(message.c.creator_id == _ME,
           message.c.published_us > sa.bindparam("since_us", type_=sa.BigInteger)),
    name="count sent",
)


def _newest(*where: sa.ColumnElement[bool]) -> sa.Select[tuple[int]]:
    """Return the ids of the newest messages of one index, no more than a page can reach."""
    return (
        sa.select(message.c.id).where(*where).order_by(*_NEWEST)
        .limit(sa.bindparam("reach", type_=sa.Integer))
    )


def _page(ids: sa.SelectBase) -> Statement:
    return Statement(
        sa.select(message).where(message.c.id.in_(ids)).order_by(*_NEWEST)
        .limit(_LIMIT).offset(_OFFSET),
        name="page of messages",
    )


# By message_recipient and message_creator: two short lists, then the newest of both.
OF_PERSON = _page(sa.union(
    sa.select(_newest(message.c.recipient_id == _ME, _NOT_BLOCKED).subquery().c.id),
    sa.select(_newest(message.c.creator_id == _ME).subquery().c.id),
))
# By message_between.
_BETWEEN = (
    message.c.low_id == sa.bindparam("low_id", type_=sa.BigInteger),
    message.c.high_id == sa.bindparam("high_id", type_=sa.BigInteger),
)
BETWEEN = Statement(
    sa.select(message).where(*_BETWEEN).order_by(*_NEWEST).limit(_LIMIT).offset(_OFFSET),
    name="messages between two",
)
# By message_unread; `any_creator` lets everybody in.
UNREAD = Statement(
    sa.select(message)
    .where(
        message.c.recipient_id == _ME, _UNREAD, _NOT_BLOCKED,
        sa.or_(sa.bindparam("any_creator", type_=sa.Boolean), message.c.creator_id == _OTHER),
    )
    .order_by(*_NEWEST).limit(_LIMIT).offset(_OFFSET),
    name="unread messages",
)
COUNT_UNREAD = Statement(
    sa.select(message.c.creator_id, sa.func.count().label("count"))
    .where(message.c.recipient_id == _ME, _UNREAD)
    .group_by(message.c.creator_id)
    .limit(_LIMIT),
    name="count unread messages",
)
MARK_ALL = Statement(
    sa.update(message).where(message.c.recipient_id == _ME, ~message.c.read).values(read=sa.true()),
    name="mark all messages",
)
MARK_BETWEEN = Statement(
    sa.update(message)
    .where(message.c.recipient_id == _ME, message.c.creator_id == _OTHER, ~message.c.read)
    .values(read=sa.true()),
    name="mark a conversation",
)

# By conversation_newest, then one look-up a line.
CONVERSATIONS = Statement(
    sa.select(
        conversation.c.other_id, conversation.c.published_us.label("last_us"), *message.c
    )
    .select_from(conversation.outerjoin(message, conversation.c.message_id == message.c.id))
    .where(conversation.c.owner_id == _ME,
           sa.not_(any_of(conversation.c.other_id, "blocked")))
    .order_by(conversation.c.published_us.desc(), conversation.c.other_id)
    .limit(_LIMIT).offset(_OFFSET),
    name="conversations",
)

# By primary key: everything of one person, in the order of ids, for an export.
AFTER = Statement(
    sa.select(message)
    .where(
        message.c.id > sa.bindparam("after_id", type_=sa.BigInteger),
        sa.or_(message.c.creator_id == _ME, message.c.recipient_id == _ME),
    )
    .order_by(message.c.id).limit(_LIMIT),
    name="messages of a person",
)
SENT = Statement(
    sa.select(message.c.id).where(message.c.creator_id == _ME).order_by(message.c.id).limit(_LIMIT),
    name="sent messages",
)
ERASE = Statement(sa.delete(message).where(_OF_IDS), name="erase messages")
FORGET_OWNER = Statement(
    sa.delete(conversation).where(conversation.c.owner_id == _ME), name="forget conversations"
)
