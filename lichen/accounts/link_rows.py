"""Tables and statements of people who have an account elsewhere: proofs, links, aliases, moves.

A *knock* is one try to come in with an account of another server. Its handle, its code and the
state that goes through another server are kept as hashes; the handle, which is in no row, salts
the code.
"""

import sqlalchemy as sa
from sqlalchemy import BigInteger, Boolean, Column, ForeignKey, Index, Table, Text, bindparam

from lichen.accounts.tables import (
    ACCOUNT_COLUMNS,
    ACCOUNTS,
    ACTOR_COLUMNS,
    account,
    actor,
    application,
    instance,
    invited,
    role,
    second_factor,
    session,
    site_ban,
)
from lichen.store import Statement, any_of, metadata, upsert

knock = Table(
    "knock", metadata,
    Column("handle_hash", Text, primary_key=True),
    Column("actor_id", BigInteger, ForeignKey("actor.id"), nullable=False, index=True),
    Column("authority", Text, nullable=False),
    Column("account_id", BigInteger),  # whose link it shall be; null for somebody at the door
    Column("method", Text, nullable=False),  # a Method
    Column("secret_hash", Text, nullable=False),  # of the code, or of the state
    Column("verifier", Text),  # RFC 7636: the secret behind the challenge
    Column("tries", BigInteger, nullable=False),
    Column("proved", Boolean, nullable=False),
    Column("used", Boolean, nullable=False),
    Column("published_us", BigInteger, nullable=False),
    Column("expires_us", BigInteger, nullable=False),
    Index("knock_of_host", "authority", "published_us"),
    Index("knock_by_age", "published_us"),
)

# A remote person and the account here that it proved to be; a person has one account here.
linked = Table(
    "linked_person", metadata,
    Column("actor_id", BigInteger, ForeignKey("actor.id"), primary_key=True, autoincrement=False),
    Column("account_id", BigInteger, ForeignKey("account.id"), nullable=False, index=True),
    Column("method", Text, nullable=False),
    Column("published_us", BigInteger, nullable=False),
    Column("used_us", BigInteger, nullable=False),
)

# What a person of ours says it is known as too: ids of other actors, claimed and not proved.
alias = Table(
    "alias", metadata,
    Column("person_id", BigInteger, ForeignKey("actor.id"), primary_key=True, autoincrement=False),
    Column("ap_id", Text, primary_key=True),
    Column("published_us", BigInteger, nullable=False),
)

# Who has moved where, local or remote; both directions were verified.
move = Table(
    "move", metadata,
    Column("person_id", BigInteger, ForeignKey("actor.id"), primary_key=True, autoincrement=False),
    Column("target_id", BigInteger, ForeignKey("actor.id"), nullable=False, index=True),
    Column("published_us", BigInteger, nullable=False),
)

_NOW = bindparam("now_us", type_=BigInteger)
_KNOCKS = sa.select(*ACTOR_COLUMNS, *(
    column.label(f"knock_{column.name}") for column in knock.c
)).select_from(knock).join(actor, knock.c.actor_id == actor.c.id).join(instance)

# By primary key.
KNOCK_LOCKED = Statement(
    _KNOCKS.where(
        knock.c.handle_hash == bindparam("handle_hash"), knock.c.expires_us > _NOW,
        ~knock.c.used,
    ).with_for_update(of=knock)
)
# By the index of actor_id, and by index knock_of_host.
COUNT_KNOCKS = Statement(sa.select(
    sa.select(sa.func.count()).select_from(knock).where(
        knock.c.actor_id == bindparam("actor_id"), knock.c.published_us > bindparam("since_us")
    ).scalar_subquery().label("of_person"),
    sa.select(sa.func.count()).select_from(knock).where(
        knock.c.authority == bindparam("authority"), knock.c.published_us > bindparam("since_us")
    ).scalar_subquery().label("of_host"),
))
INSERT_KNOCK = Statement(sa.insert(knock))
TRY_KNOCK = Statement(
    sa.update(knock).where(knock.c.handle_hash == bindparam("row_hash"))
    .values(tries=bindparam("new_tries"), proved=bindparam("new_proved"),
            used=bindparam("new_used"), verifier=sa.null())
)
# By index knock_by_age.
FORGET_KNOCKS = Statement(
    sa.delete(knock).where(knock.c.published_us < bindparam("before_us", type_=BigInteger))
)

# By primary key.
ACCOUNT_LINKED = Statement(
    ACCOUNTS.add_columns(
        account.c.password_hash, second_factor.c.enabled.label("totp_enabled"),
        application.c.admin_id, application.c.deny_reason,
    )
    .join(linked, linked.c.account_id == account.c.id)
    .outerjoin(application, application.c.account_id == account.c.id)
    .outerjoin(second_factor, second_factor.c.account_id == account.c.id)
    .where(linked.c.actor_id == bindparam("linked_id"))
)
_LINKED = sa.select(
    *ACTOR_COLUMNS, linked.c.account_id, linked.c.method,
    linked.c.published_us.label("linked_us"), linked.c.used_us,
).select_from(linked).join(actor, linked.c.actor_id == actor.c.id).join(instance)
# By the index of account_id.
LINKS = Statement(
    _LINKED.where(linked.c.account_id == bindparam("account_id")).order_by(linked.c.published_us)
)
LINKS_OF_PERSON = Statement(
    _LINKED.where(linked.c.account_id.in_(
        sa.select(account.c.id).where(account.c.actor_id == bindparam("person_id"))
    )).order_by(linked.c.published_us)
)
KEEP_LINK = upsert(
    linked, keys=["actor_id"], update=["account_id", "method", "used_us"]
)
# Of an account that ends: who it was elsewhere may begin anew.
DELETE_LINKS = Statement(sa.delete(linked).where(linked.c.account_id == bindparam("account_id")))
DELETE_LINK = Statement(sa.delete(linked).where(
    linked.c.actor_id == bindparam("linked_id"), linked.c.account_id == bindparam("account_id")
))

# By primary key.
ALIASES = Statement(
    sa.select(alias).where(any_of(alias.c.person_id, "ids"))
    .order_by(alias.c.person_id, alias.c.published_us, alias.c.ap_id)
)
KEEP_ALIAS = upsert(alias, keys=["person_id", "ap_id"], update=[])
DELETE_ALIAS = Statement(sa.delete(alias).where(
    alias.c.person_id == bindparam("alias_of"), alias.c.ap_id == bindparam("alias_ap_id")
))

_target, _target_instance = actor.alias("target"), instance.alias("target_instance")
_MOVES = (
    sa.select(
        move.c.person_id, move.c.target_id, move.c.published_us,
        _target.c.ap_id.label("target_ap_id"), _target.c.name.label("target_name"),
        _target_instance.c.domain.label("target_domain"),
    )
    .select_from(move).join(_target, move.c.target_id == _target.c.id)
    .join(_target_instance, _target.c.instance_id == _target_instance.c.id)
)
# By primary key, and by the index of target_id.
MOVES = Statement(_MOVES.where(any_of(move.c.person_id, "ids")))
CAME_FROM = Statement(
    sa.select(*ACTOR_COLUMNS).select_from(move).join(actor, move.c.person_id == actor.c.id)
    .join(instance).where(move.c.target_id == bindparam("target_id")).order_by(actor.c.id)
    .limit(bindparam("limit"))
)
# By primary key of session, then of account, actor and instance, and of what stands beside them.
VIEWER = Statement(
    sa.select(
        *ACTOR_COLUMNS, *ACCOUNT_COLUMNS, session.c.id.label("session_id"), session.c.used_us,
        role.c.permissions, second_factor.c.enabled.label("totp_enabled"),
        sa.exists().where(invited.c.person_id == actor.c.id).label("invited"),
        sa.exists().where(site_ban.c.person_id == actor.c.id, site_ban.c.banned)
        .label("once_banned"),
        sa.exists().where(move.c.person_id == actor.c.id).label("moved"),
    )
    .select_from(session)
    .join(account, session.c.account_id == account.c.id)
    .join(actor, account.c.actor_id == actor.c.id)
    .join(instance)
    .outerjoin(role, role.c.person_id == actor.c.id)
    .outerjoin(second_factor, second_factor.c.account_id == account.c.id)
    .where(session.c.id == bindparam("session_id"), account.c.id == bindparam("account_id"))
)
# By the index of ap_id, then by primary key.
MOVED_OF_IDS = Statement(
    sa.select(move.c.person_id).join(actor, actor.c.id == move.c.person_id)
    .where(any_of(actor.c.ap_id, "ap_ids")),
    name="who of these has moved",
)
KEEP_MOVE = upsert(move, keys=["person_id"], update=["target_id", "published_us"])
DELETE_MOVE = Statement(sa.delete(move).where(move.c.person_id == bindparam("moved_id")))
