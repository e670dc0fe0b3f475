"""What accounts remember: actors with their keys, accounts with their sessions, blocks, the site.

Every actor of every server has one row in `actor`; `account` adds what only our own persons have.
Keys stand apart because they are long and read by few. Columns that name a row of another room are
plain numbers; foreign keys stay inside the room.
"""

import sqlalchemy as sa
from sqlalchemy import BigInteger, Boolean, Column, ForeignKey, Index, Table, Text, bindparam

from lichen.accounts.model import OUR_INSTANCE_ID
from lichen.store import Statement, any_of, metadata, upsert

instance = Table(
    "instance", metadata,
    Column("id", BigInteger, primary_key=True, autoincrement=False),
    Column("domain", Text, nullable=False, unique=True),  # the authority: host, port if any
    Column("software", Text),
    Column("version", Text),
    Column("published_us", BigInteger, nullable=False),
    Column("updated_us", BigInteger),
)

actor = Table(
    "actor", metadata,
    Column("id", BigInteger, primary_key=True, autoincrement=False),
    Column("kind", Text, nullable=False),  # an ActorKind
    Column("name", Text, nullable=False),
    Column("name_key", Text, nullable=False),  # the name in lower case
    Column("instance_id", BigInteger, ForeignKey("instance.id"), nullable=False),
    Column("ap_id", Text, nullable=False, unique=True),
    Column("did", Text, nullable=False, unique=True),
    Column("display_name", Text),
    Column("summary", Text),
    Column("avatar", Text),
    Column("banner", Text),
    Column("matrix_user_id", Text),
    Column("inbox", Text, nullable=False),
    Column("published_us", BigInteger, nullable=False),
    Column("updated_us", BigInteger),
    Column("deleted", Boolean, nullable=False),
    Column("banned", Boolean, nullable=False),
    Column("ban_expires_us", BigInteger),
    Column("bot", Boolean, nullable=False),
    Column("admin", Boolean, nullable=False),
    Index("actor_by_name", "name_key", "kind", "instance_id"),
)
# A local name is taken once, whatever its case; remote actors are keyed by `ap_id` alone, because
# their servers decide what a name is.
Index(
    "actor_local_name", actor.c.kind, actor.c.name_key, unique=True,
    sqlite_where=actor.c.instance_id == OUR_INSTANCE_ID,
    postgresql_where=actor.c.instance_id == OUR_INSTANCE_ID,
)
Index(
    "actor_admin", actor.c.id,
    sqlite_where=actor.c.admin, postgresql_where=actor.c.admin,
)
Index(
    "actor_banned", actor.c.id,
    sqlite_where=actor.c.banned, postgresql_where=actor.c.banned,
)

actor_key = Table(
    "actor_key", metadata,
    Column("actor_id", BigInteger, ForeignKey("actor.id"), primary_key=True, autoincrement=False),
    Column("public_key", Text, nullable=False),  # PEM
    Column("private_key", Text),  # PEM; null for remote actors
)

account = Table(
    "account", metadata,
    Column("id", BigInteger, primary_key=True, autoincrement=False),
    Column("actor_id", BigInteger, ForeignKey("actor.id"), nullable=False, unique=True),
    Column("password_hash", Text, nullable=False),
    Column("email", Text, unique=True),  # in lower case
    Column("email_verified", Boolean, nullable=False),
    Column("accepted", Boolean, nullable=False),
    Column("settings", Text, nullable=False),  # JSON of Settings, less the e-mail address
)

session = Table(
    "session", metadata,
    Column("id", Text, primary_key=True),  # the TID of the login
    Column("account_id", BigInteger, ForeignKey("account.id"), nullable=False, index=True),
    Column("published_us", BigInteger, nullable=False),
    Column("used_us", BigInteger, nullable=False),  # to about a day
    Column("address", Text),
    Column("agent", Text),
    Column("through", Text),  # the account elsewhere that it came by
)
# What retention looks at: logins whose address or program is still remembered.
Index(
    "session_remembered", session.c.published_us,
    sqlite_where=sa.or_(session.c.address.is_not(None), session.c.agent.is_not(None)),
    postgresql_where=sa.or_(session.c.address.is_not(None), session.c.agent.is_not(None)),
)

# What a person said when asked why they join, and what was decided; no row where none was asked.
application = Table(
    "registration_application", metadata,
    Column("account_id", BigInteger, ForeignKey("account.id"), primary_key=True,
           autoincrement=False),
    Column("answer", Text, nullable=False),
    Column("published_us", BigInteger, nullable=False),
    Column("admin_id", BigInteger),  # who decided; null while it waits
    Column("deny_reason", Text),
)
Index(
    "registration_application_waiting", application.c.account_id,
    sqlite_where=application.c.admin_id.is_(None),
    postgresql_where=application.c.admin_id.is_(None),
)

# A link that was sent by mail: the hash of its token, what it is for, until when.
mail_token = Table(
    "mail_token", metadata,
    Column("hash", Text, primary_key=True),
    Column("account_id", BigInteger, ForeignKey("account.id"), nullable=False, index=True),
    Column("kind", Text, nullable=False),  # "verify" or "reset"
    Column("email", Text, nullable=False),
    Column("published_us", BigInteger, nullable=False),
    Column("expires_us", BigInteger, nullable=False),
)

second_factor = Table(
    "second_factor", metadata,
    Column("account_id", BigInteger, ForeignKey("account.id"), primary_key=True,
           autoincrement=False),
    Column("secret", Text, nullable=False),  # base32
    Column("enabled", Boolean, nullable=False),
    Column("step_used", BigInteger, nullable=False),  # RFC 6238 §5.2: a code is used once
)

recovery_code = Table(
    "recovery_code", metadata,
    Column("account_id", BigInteger, ForeignKey("account.id"), primary_key=True,
           autoincrement=False),
    Column("hash", Text, primary_key=True),
)

invite = Table(
    "invite", metadata,
    Column("code", Text, primary_key=True),
    Column("tid", Text, nullable=False),  # the key of its record
    Column("inviter_id", BigInteger, ForeignKey("actor.id"), nullable=False, index=True),
    Column("uses", BigInteger, nullable=False),
    Column("uses_max", BigInteger, nullable=False),
    Column("published_us", BigInteger, nullable=False),
    Column("expires_us", BigInteger, nullable=False),
)

# The tree: who came in by whose invitation.
invited = Table(
    "invited", metadata,
    Column("person_id", BigInteger, ForeignKey("actor.id"), primary_key=True, autoincrement=False),
    Column("inviter_id", BigInteger, ForeignKey("actor.id"), nullable=False, index=True),
    Column("published_us", BigInteger, nullable=False),
)

role = Table(
    "role", metadata,
    Column("person_id", BigInteger, ForeignKey("actor.id"), primary_key=True, autoincrement=False),
    Column("title", Text, nullable=False),
    Column("permissions", Text, nullable=False),  # JSON list of Permission
)

# How much an account that is still new did on a day.
newcomer_day = Table(
    "newcomer_day", metadata,
    Column("person_id", BigInteger, ForeignKey("actor.id"), primary_key=True, autoincrement=False),
    Column("kind", Text, primary_key=True),  # an Act
    Column("day", BigInteger, primary_key=True, autoincrement=False),  # since the Unix epoch
    Column("count", BigInteger, nullable=False),
)

# Persons who are gone while what they wrote is still being taken away.
departure = Table(
    "departure", metadata,
    Column("person_id", BigInteger, ForeignKey("actor.id"), primary_key=True, autoincrement=False),
    Column("content", Text, nullable=False),  # a ContentEnd
)

actor_block = Table(
    "actor_block", metadata,
    Column("person_id", BigInteger, ForeignKey("actor.id"), primary_key=True, autoincrement=False),
    Column("target_id", BigInteger, ForeignKey("actor.id"), primary_key=True, autoincrement=False),
    Column("tid", Text, nullable=False),  # the key of its record
    Index("actor_block_target", "target_id"),
)

instance_block = Table(
    "instance_block", metadata,
    Column("person_id", BigInteger, ForeignKey("actor.id"), primary_key=True, autoincrement=False),
    Column("instance_id", BigInteger, ForeignKey("instance.id"), primary_key=True,
           autoincrement=False),
    Column("tid", Text, nullable=False),
)

site = Table(
    "site", metadata,
    Column("actor_id", BigInteger, ForeignKey("actor.id"), primary_key=True, autoincrement=False),
    Column("settings", Text, nullable=False),  # JSON of SiteSettings
    Column("published_us", BigInteger, nullable=False),
    Column("updated_us", BigInteger),
)

site_line = Table(
    "site_line", metadata,
    Column("id", BigInteger, primary_key=True, autoincrement=False),
    Column("kind", Text, nullable=False),  # a LineKind
    Column("content", Text, nullable=False),
    Column("published_us", BigInteger, nullable=False),
)

emoji = Table(
    "emoji", metadata,
    Column("id", BigInteger, primary_key=True, autoincrement=False),
    Column("shortcode", Text, nullable=False, unique=True),
    Column("image_url", Text, nullable=False),
    Column("alt_text", Text, nullable=False),
    Column("category", Text, nullable=False),
    Column("keywords", Text, nullable=False),  # JSON list
    Column("published_us", BigInteger, nullable=False),
    Column("updated_us", BigInteger),
)

away = Table(
    "away", metadata,
    Column("person_id", BigInteger, ForeignKey("actor.id"), primary_key=True, autoincrement=False),
    Column("note", Text, nullable=False),
    Column("since_us", BigInteger, nullable=False),
    Column("until_us", BigInteger, nullable=False),
)

site_ban = Table(
    "site_ban", metadata,
    Column("tid", Text, primary_key=True),
    Column("person_id", BigInteger, ForeignKey("actor.id"), nullable=False, index=True),
    Column("moderator_id", BigInteger),  # null: from the command line
    Column("banned", Boolean, nullable=False),
    Column("reason", Text),
    Column("expires_us", BigInteger),
)

site_flag = Table(
    "site_flag", metadata,
    Column("name", Text, primary_key=True),  # a Flag
    Column("is_on", Boolean, nullable=False),
    Column("updated_us", BigInteger, nullable=False),
)

# What an Actor is made of; a ban that has ended at :now_us is none.
ACTOR_COLUMNS = (
    actor.c.id, actor.c.kind, actor.c.name, actor.c.display_name, actor.c.instance_id,
    instance.c.domain, actor.c.ap_id, actor.c.did, actor.c.summary, actor.c.avatar,
    actor.c.banner, actor.c.matrix_user_id, actor.c.inbox, actor.c.published_us,
    actor.c.updated_us, actor.c.deleted, actor.c.ban_expires_us, actor.c.bot, actor.c.admin,
    sa.and_(
        actor.c.banned,
        sa.or_(
            actor.c.ban_expires_us.is_(None),
            actor.c.ban_expires_us > bindparam("now_us", type_=BigInteger),
        ),
    ).label("banned"),
)
ACCOUNT_COLUMNS = (
    account.c.id.label("account_id"), account.c.email, account.c.email_verified,
    account.c.accepted, account.c.settings,
)
ACTOR_ROWS = sa.select(*ACTOR_COLUMNS).select_from(actor).join(instance)
ACCOUNTS = (
    sa.select(*ACTOR_COLUMNS, *ACCOUNT_COLUMNS).select_from(account)
    .join(actor, account.c.actor_id == actor.c.id)
    .join(instance)
)

# By primary key.
ACTORS = Statement(ACTOR_ROWS.where(any_of(actor.c.id, "ids")))
ACTORS_LOCKED = Statement(
    ACTOR_ROWS.where(any_of(actor.c.id, "ids")).with_for_update(of=actor)
)
# By index actor_by_name.
LOCAL_ACTOR_BY_NAME = Statement(ACTOR_ROWS.where(
    actor.c.name_key == bindparam("name_key"),
    actor.c.kind == bindparam("kind"),
    actor.c.instance_id == OUR_INSTANCE_ID,
))
LOCAL_ACTORS_BY_NAME = Statement(ACTOR_ROWS.where(
    any_of(actor.c.name_key, "name_keys"),
    actor.c.kind == bindparam("kind"),
    actor.c.instance_id == OUR_INSTANCE_ID,
))
REMOTE_ACTOR_BY_NAME = Statement(
    ACTOR_ROWS
    .where(
        actor.c.name_key == bindparam("name_key"),
        actor.c.kind == bindparam("kind"),
        instance.c.domain == bindparam("domain"),
    )
    .order_by((actor.c.name == bindparam("name")).desc(), actor.c.id)
    .limit(1)
)
# By the unique index of ap_id, of did.
ACTORS_BY_AP_ID = Statement(ACTOR_ROWS.where(any_of(actor.c.ap_id, "ap_ids")))
ACTOR_IDS_BY_AP_ID = sa.select(actor.c.id).where(any_of(actor.c.ap_id, "actor_ap_ids"))
ACTOR_BY_DID = Statement(ACTOR_ROWS.where(actor.c.did == bindparam("did")))
# By index actor_admin.
ADMINS = Statement(ACTOR_ROWS.where(actor.c.admin, ~actor.c.deleted).order_by(actor.c.id))

TAKEN_AP_IDS = Statement(sa.select(actor.c.ap_id).where(any_of(actor.c.ap_id, "ap_ids")))
TAKEN_EMAILS = Statement(
    sa.select(account.c.email, account.c.actor_id).where(any_of(account.c.email, "emails"))
)
INSERT_ACTOR = Statement(sa.insert(actor))
UPDATE_ACTOR = Statement(
    sa.update(actor).where(actor.c.id == bindparam("actor_id")).values(
        display_name=bindparam("new_display_name"),
        summary=bindparam("new_summary"),
        avatar=bindparam("new_avatar"),
        banner=bindparam("new_banner"),
        matrix_user_id=bindparam("new_matrix_user_id"),
        bot=bindparam("new_bot"),
        admin=bindparam("new_admin"),
        updated_us=bindparam("new_updated_us"),
    )
)
SET_BAN = Statement(
    sa.update(actor).where(actor.c.id == bindparam("actor_id")).values(
        banned=bindparam("new_banned"), ban_expires_us=bindparam("new_expires_us"),
    )
)
# A scan; nobody asks but an administrator.
BANNED_IDS = Statement(
    sa.select(actor.c.id)
    .where(
        actor.c.banned,
        sa.or_(actor.c.ban_expires_us.is_(None),
               actor.c.ban_expires_us > bindparam("now_us", type_=BigInteger)),
    )
    .order_by(actor.c.id)
    .limit(bindparam("limit"))
)
INSERT_BAN = Statement(sa.insert(site_ban))

KEYS = Statement(
    sa.select(actor_key.c.public_key, actor_key.c.private_key)
    .where(actor_key.c.actor_id == bindparam("actor_id"))
)
KEEP_KEYS = upsert(actor_key, keys=["actor_id"], update=[])

INSTANCES = Statement(sa.select(instance).order_by(instance.c.id))
INSTANCES_BY_DOMAIN = Statement(sa.select(instance).where(any_of(instance.c.domain, "domains")))
INSTANCE = Statement(sa.select(instance).where(instance.c.id == bindparam("id")))
INSERT_INSTANCE = Statement(sa.insert(instance))
COUNT_ACCOUNTS = Statement(sa.select(sa.func.count().label("count")).select_from(account))
RENAME_INSTANCE = Statement(
    sa.update(instance).where(instance.c.id == bindparam("instance_id"))
    .values(domain=bindparam("new_domain"))
)

# By index actor_by_name, or by the unique index of email.
_AT_THE_DOOR = (
    ACCOUNTS.add_columns(
        account.c.password_hash, application.c.admin_id, application.c.deny_reason
    )
    .outerjoin(application, application.c.account_id == account.c.id)
)
ACCOUNT_BY_NAME = Statement(
    _AT_THE_DOOR.where(
        actor.c.name_key == bindparam("login"),
        actor.c.kind == "Person",
        actor.c.instance_id == OUR_INSTANCE_ID,
    )
)
ACCOUNT_BY_EMAIL = Statement(
    _AT_THE_DOOR.where(account.c.email == bindparam("login"))
)
# By primary key.
_ACCOUNT_BY_ID = ACCOUNTS.add_columns(account.c.password_hash).where(
    account.c.id == bindparam("account_id")
)
ACCOUNT = Statement(_ACCOUNT_BY_ID)
ACCOUNT_LOCKED = Statement(_ACCOUNT_BY_ID.with_for_update(of=account))
# By the unique index of actor_id.
ACCOUNT_OF_PERSON = Statement(
    ACCOUNTS.where(account.c.actor_id == bindparam("person_id")).with_for_update(of=account)
)
INSERT_ACCOUNT = Statement(sa.insert(account))
SET_PASSWORD = Statement(
    sa.update(account).where(account.c.id == bindparam("account_id"))
    .values(password_hash=bindparam("new_hash"))
)
SET_SETTINGS = Statement(
    sa.update(account).where(account.c.id == bindparam("account_id")).values(
        settings=bindparam("new_settings"),
        email=bindparam("new_email"),
        email_verified=bindparam("new_email_verified"),
    )
)


def actors_among(ids: "sa.SelectBase") -> Statement:
    """Return the statement for actors whose ids a select yields; bind `now_us` and its own."""
    return Statement(ACTOR_ROWS.where(actor.c.id.in_(ids)))
