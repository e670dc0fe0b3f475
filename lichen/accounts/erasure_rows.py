"""Statements that take a person out of the rows of accounts; the number and the name stay."""

import sqlalchemy as sa

from lichen.accounts.link_rows import alias, knock, linked, move
from lichen.accounts.tables import (
    account,
    actor,
    actor_block,
    actor_key,
    application,
    away,
    instance_block,
    mail_token,
    newcomer_day,
    recovery_code,
    role,
    second_factor,
    session,
)
from lichen.store import Statement

_PERSON = sa.bindparam("person_id", type_=sa.BigInteger)
_ACCOUNT_IDS = sa.select(account.c.id).where(account.c.actor_id == _PERSON)
NO_PASSWORD = "!"  # a hash that no password fits

# The name is kept: an id that was born with it is never given to somebody else.
EMPTY_ACTOR = Statement(
    sa.update(actor).where(actor.c.id == _PERSON).values(
        display_name=None, summary=None, avatar=None, banner=None, matrix_user_id=None,
        deleted=sa.true(), admin=sa.false(),
    )
)
EMPTY_ACCOUNT = Statement(
    sa.update(account).where(account.c.actor_id == _PERSON).values(
        password_hash=NO_PASSWORD, email=None, email_verified=sa.false(),
        settings="{}",
    )
)
# A tomb: the number stays taken, and nothing says whose it was.
BURY_ACTOR = Statement(
    sa.update(actor).where(actor.c.id == _PERSON).values(
        name=sa.bindparam("tomb"), name_key=sa.bindparam("tomb_key"),
        ap_id=sa.bindparam("tomb_ap_id"), did=sa.bindparam("tomb_did"),
        inbox=sa.bindparam("tomb_inbox"), bot=sa.false(), updated_us=sa.null(),
    )
)
BURY_ACCOUNT = Statement(sa.delete(account).where(account.c.actor_id == _PERSON))
FORGET = (
    Statement(sa.delete(linked).where(linked.c.account_id.in_(_ACCOUNT_IDS))),
    Statement(sa.delete(knock).where(knock.c.account_id.in_(_ACCOUNT_IDS))),
    Statement(sa.delete(linked).where(linked.c.actor_id == _PERSON)),
    Statement(sa.delete(knock).where(knock.c.actor_id == _PERSON)),
    Statement(sa.delete(alias).where(alias.c.person_id == _PERSON)),
    Statement(sa.delete(move).where(move.c.person_id == _PERSON)),
    *(
        Statement(sa.delete(table).where(table.c.account_id.in_(_ACCOUNT_IDS)))
        for table in (session, application, mail_token, second_factor, recovery_code)
    ),
    *(
        Statement(sa.delete(table).where(table.c.person_id == _PERSON))
        for table in (role, away, newcomer_day)
    ),
    Statement(sa.delete(actor_key).where(actor_key.c.actor_id == _PERSON)),
    Statement(sa.delete(actor_block).where(actor_block.c.person_id == _PERSON)),
    Statement(sa.delete(instance_block).where(instance_block.c.person_id == _PERSON)),
)
