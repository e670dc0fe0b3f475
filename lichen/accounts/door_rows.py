"""Statements about the doors: applications, letters, second factors, invitations."""

import sqlalchemy as sa
from sqlalchemy import BigInteger, bindparam

from lichen.accounts.tables import (
    ACCOUNTS,
    account,
    actor,
    application,
    invite,
    invited,
    mail_token,
    recovery_code,
    second_factor,
    session,
)
from lichen.store import Statement, any_of, upsert

_APPLICATIONS = (
    ACCOUNTS.add_columns(
        application.c.answer, application.c.admin_id, application.c.deny_reason,
        application.c.published_us.label("applied_us"), second_factor.c.enabled,
    )
    .join(application, application.c.account_id == account.c.id)
    .outerjoin(second_factor, second_factor.c.account_id == account.c.id)
)
_LIMIT, _OFFSET = bindparam("limit", type_=BigInteger), bindparam("offset", type_=BigInteger)
# By index registration_application_waiting, the oldest first.
APPLICATIONS_WAITING = Statement(
    _APPLICATIONS.where(application.c.admin_id.is_(None)).order_by(application.c.account_id)
    .limit(_LIMIT).offset(_OFFSET)
)
# By primary key, backwards.
APPLICATIONS = Statement(
    _APPLICATIONS.order_by(application.c.account_id.desc())
    .limit(_LIMIT).offset(_OFFSET)
)
APPLICATION_OF_PERSON = Statement(
    _APPLICATIONS.where(account.c.actor_id == bindparam("person_id"))
)
APPLICATION_LOCKED = Statement(
    _APPLICATIONS.where(application.c.account_id == bindparam("account_id"))
    .with_for_update(of=application)
)
COUNT_WAITING = Statement(
    sa.select(sa.func.count().label("count")).select_from(application)
    .where(application.c.admin_id.is_(None))
)
# By index actor_admin.
ADMIN_EMAILS = Statement(
    sa.select(account.c.email)
    .select_from(actor).join(account, account.c.actor_id == actor.c.id)
    .where(actor.c.admin, account.c.email_verified, account.c.email.is_not(None))
    .order_by(actor.c.id)
    .limit(sa.bindparam("limit", type_=BigInteger))
)
INSERT_APPLICATION = Statement(sa.insert(application))
DECIDE = Statement(
    sa.update(application).where(application.c.account_id == bindparam("row_account_id"))
    .values(admin_id=bindparam("new_admin_id"), deny_reason=bindparam("new_deny_reason"))
)
SET_ACCEPTED = Statement(
    sa.update(account).where(account.c.id == bindparam("row_account_id"))
    .values(accepted=bindparam("new_accepted"))
)

# By primary key, and by the unique index of email.
MAIL_TOKEN = Statement(
    sa.select(mail_token).where(
        mail_token.c.hash == bindparam("hash"), mail_token.c.kind == bindparam("kind"),
        mail_token.c.expires_us > bindparam("now_us", type_=BigInteger),
    )
)
MAIL_TOKENS = Statement(
    sa.select(mail_token).where(mail_token.c.account_id == bindparam("account_id"))
)
INSERT_MAIL_TOKEN = Statement(sa.insert(mail_token))
DELETE_MAIL_TOKENS = Statement(
    sa.delete(mail_token).where(mail_token.c.account_id == bindparam("account_id"))
)
DELETE_MAIL_TOKEN = Statement(sa.delete(mail_token).where(mail_token.c.hash == bindparam("hash")))
VERIFY_EMAIL = Statement(
    sa.update(account).where(account.c.id == bindparam("row_account_id"))
    .values(email_verified=sa.true())
)

SECOND_FACTOR = Statement(
    sa.select(second_factor).where(second_factor.c.account_id == bindparam("account_id"))
)
KEEP_SECOND_FACTOR = upsert(
    second_factor, keys=["account_id"], update=["secret", "enabled", "step_used"]
)
DELETE_SECOND_FACTOR = Statement(
    sa.delete(second_factor).where(second_factor.c.account_id == bindparam("account_id"))
)
RECOVERY_CODES = Statement(
    sa.select(recovery_code.c.hash).where(recovery_code.c.account_id == bindparam("account_id"))
)
INSERT_RECOVERY_CODE = Statement(sa.insert(recovery_code))
DELETE_RECOVERY_CODES = Statement(
    sa.delete(recovery_code).where(recovery_code.c.account_id == bindparam("account_id"))
)
DELETE_RECOVERY_CODE = Statement(
    sa.delete(recovery_code).where(
        recovery_code.c.account_id == bindparam("account_id"),
        recovery_code.c.hash == bindparam("hash"),
    )
)

INVITE = Statement(
    sa.select(invite).where(invite.c.code == bindparam("code")).with_for_update(of=invite)
)
# By the index of inviter_id.
INVITES = Statement(
    sa.select(invite).where(invite.c.inviter_id == bindparam("inviter_id"))
    .order_by(invite.c.tid.desc())
)
INSERT_INVITE = Statement(sa.insert(invite))
USE_INVITE = Statement(
    sa.update(invite).where(invite.c.code == bindparam("row_code"))
    .values(uses=invite.c.uses + 1)
)
DELETE_INVITE = Statement(sa.delete(invite).where(invite.c.code == bindparam("row_code")))
INSERT_INVITED = Statement(sa.insert(invited))
# The whole tree, bounded.
INVITED = Statement(
    sa.select(invited).order_by(invited.c.person_id).limit(bindparam("limit"))
)

# By index session_remembered.
FORGET_ADDRESSES = Statement(
    sa.update(session)
    .where(session.c.id.in_(
        sa.select(session.c.id)
        .where(
            sa.or_(session.c.address.is_not(None), session.c.agent.is_not(None)),
            session.c.published_us < bindparam("before_us", type_=BigInteger),
        )
        .order_by(session.c.published_us)
        .limit(bindparam("limit"))
    ))
    .values(address=sa.null(), agent=sa.null())
    .returning(session.c.id)
)
EXPIRED_MAIL_TOKENS = Statement(
    sa.delete(mail_token).where(mail_token.c.hash.in_(
        sa.select(mail_token.c.hash)
        .where(mail_token.c.expires_us < bindparam("now_us", type_=BigInteger))
        .limit(bindparam("limit"))
    ))
)

# By index session.account_id.
SESSIONS = Statement(
    sa.select(session).where(session.c.account_id == bindparam("account_id"))
    .order_by(session.c.id.desc())
)
INSERT_SESSION = Statement(sa.insert(session))
USE_SESSION = Statement(
    sa.update(session).where(session.c.id == bindparam("session_id"))
    .values(used_us=bindparam("new_used_us"))
)
END_SESSIONS = Statement(sa.delete(session).where(any_of(session.c.id, "ids")))
