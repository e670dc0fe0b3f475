"""What stands at the doors: applications, letters, second factors, invitations, roles, limits."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"

_TABLES = (
    "registration_application",
    "mail_token",
    "second_factor",
    "recovery_code",
    "invite",
    "invited",
    "role",
    "newcomer_day",
    "departure",
)


def upgrade() -> None:
    """Create the tables and move the answers of applicants into theirs."""
    _create_doors()
    _create_invitations()
    _create_standings()
    op.create_index(
        "session_remembered", "session", ["published_us"],
        sqlite_where=sa.text("address IS NOT NULL OR agent IS NOT NULL"),
        postgresql_where=sa.text("address IS NOT NULL OR agent IS NOT NULL"),
    )
    op.create_index(
        "actor_banned", "actor", ["id"],
        sqlite_where=sa.text("banned"), postgresql_where=sa.text("banned"),
    )
    op.execute(
        "INSERT INTO registration_application (account_id, answer, published_us) "
        "SELECT account.id, account.answer, actor.published_us FROM account "
        "JOIN actor ON actor.id = account.actor_id WHERE account.answer IS NOT NULL"
    )
    # Who was accepted already does not wait for anybody: the site itself decided.
    op.execute(
        "UPDATE registration_application SET admin_id = 0 "
        "WHERE account_id IN (SELECT id FROM account WHERE accepted)"
    )
    op.drop_index("account_waiting", "account")
    op.drop_column("account", "answer")


def downgrade() -> None:
    """Move the answers back and drop the tables."""
    op.add_column("account", sa.Column("answer", sa.Text()))
    op.execute(
        "UPDATE account SET answer = (SELECT answer FROM registration_application "
        "WHERE account_id = account.id)"
    )
    op.create_index(
        "account_waiting", "account", ["id"],
        sqlite_where=sa.text("NOT accepted"), postgresql_where=sa.text("NOT accepted"),
    )
    op.drop_index("session_remembered", "session")
    op.drop_index("actor_banned", "actor")
    for table in reversed(_TABLES):
        op.drop_table(table)


def _number(name: str, *, nullable: bool = False) -> "sa.Column[int]":
    return sa.Column(name, sa.BigInteger(), nullable=nullable)


def _text(name: str, *, nullable: bool = False) -> "sa.Column[str]":
    return sa.Column(name, sa.Text(), nullable=nullable)


def _create_doors() -> None:
    op.create_table(
        "registration_application",
        sa.Column("account_id", sa.BigInteger(), autoincrement=False, nullable=False),
        _text("answer"), _number("published_us"), _number("admin_id", nullable=True),
        _text("deny_reason", nullable=True),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"]),
        sa.PrimaryKeyConstraint("account_id"),
    )
    op.create_index(
        "registration_application_waiting", "registration_application", ["account_id"],
        sqlite_where=sa.text("admin_id IS NULL"), postgresql_where=sa.text("admin_id IS NULL"),
    )
    op.create_table(
        "mail_token",
        _text("hash"), _number("account_id"), _text("kind"), _text("email"),
        _number("published_us"), _number("expires_us"),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"]),
        sa.PrimaryKeyConstraint("hash"),
    )
    op.create_index("ix_mail_token_account_id", "mail_token", ["account_id"])
    op.create_table(
        "second_factor",
        sa.Column("account_id", sa.BigInteger(), autoincrement=False, nullable=False),
        _text("secret"), sa.Column("enabled", sa.Boolean(), nullable=False), _number("step_used"),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"]),
        sa.PrimaryKeyConstraint("account_id"),
    )
    op.create_table(
        "recovery_code",
        sa.Column("account_id", sa.BigInteger(), autoincrement=False, nullable=False),
        _text("hash"),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"]),
        sa.PrimaryKeyConstraint("account_id", "hash"),
    )


def _create_invitations() -> None:
    op.create_table(
        "invite",
        _text("code"), _text("tid"), _number("inviter_id"), _number("uses"), _number("uses_max"),
        _number("published_us"), _number("expires_us"),
        sa.ForeignKeyConstraint(["inviter_id"], ["actor.id"]),
        sa.PrimaryKeyConstraint("code"),
    )
    op.create_index("ix_invite_inviter_id", "invite", ["inviter_id"])
    op.create_table(
        "invited",
        sa.Column("person_id", sa.BigInteger(), autoincrement=False, nullable=False),
        _number("inviter_id"), _number("published_us"),
        sa.ForeignKeyConstraint(["person_id"], ["actor.id"]),
        sa.ForeignKeyConstraint(["inviter_id"], ["actor.id"]),
        sa.PrimaryKeyConstraint("person_id"),
    )
    op.create_index("ix_invited_inviter_id", "invited", ["inviter_id"])


def _create_standings() -> None:
    op.create_table(
        "role",
        sa.Column("person_id", sa.BigInteger(), autoincrement=False, nullable=False),
        _text("title"), _text("permissions"),
        sa.ForeignKeyConstraint(["person_id"], ["actor.id"]),
        sa.PrimaryKeyConstraint("person_id"),
    )
    op.create_table(
        "newcomer_day",
        sa.Column("person_id", sa.BigInteger(), autoincrement=False, nullable=False),
        _text("kind"),
        sa.Column("day", sa.BigInteger(), autoincrement=False, nullable=False),
        _number("count"),
        sa.ForeignKeyConstraint(["person_id"], ["actor.id"]),
        sa.PrimaryKeyConstraint("person_id", "kind", "day"),
    )
    op.create_table(
        "departure",
        sa.Column("person_id", sa.BigInteger(), autoincrement=False, nullable=False),
        _text("content"),
        sa.ForeignKeyConstraint(["person_id"], ["actor.id"]),
        sa.PrimaryKeyConstraint("person_id"),
    )
