"""People with accounts elsewhere: tries to come in, links, aliases, moves."""

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0014"


def upgrade() -> None:
    """Create the tables, and say of a login through which server it came."""
    op.create_table(
        "knock",
        sa.Column("handle_hash", sa.Text(), nullable=False),
        sa.Column("actor_id", sa.BigInteger(), nullable=False),
        sa.Column("authority", sa.Text(), nullable=False),
        sa.Column("account_id", sa.BigInteger(), nullable=True),
        sa.Column("method", sa.Text(), nullable=False),
        sa.Column("secret_hash", sa.Text(), nullable=False),
        sa.Column("verifier", sa.Text(), nullable=True),
        sa.Column("tries", sa.BigInteger(), nullable=False),
        sa.Column("proved", sa.Boolean(), nullable=False),
        sa.Column("used", sa.Boolean(), nullable=False),
        sa.Column("published_us", sa.BigInteger(), nullable=False),
        sa.Column("expires_us", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["actor_id"], ["actor.id"]),
        sa.PrimaryKeyConstraint("handle_hash"),
    )
    op.create_index("ix_knock_actor_id", "knock", ["actor_id"])
    op.create_index("knock_of_host", "knock", ["authority", "published_us"])
    op.create_index("knock_by_age", "knock", ["published_us"])
    op.create_table(
        "linked_person",
        sa.Column("actor_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("account_id", sa.BigInteger(), nullable=False),
        sa.Column("method", sa.Text(), nullable=False),
        sa.Column("published_us", sa.BigInteger(), nullable=False),
        sa.Column("used_us", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"]),
        sa.ForeignKeyConstraint(["actor_id"], ["actor.id"]),
        sa.PrimaryKeyConstraint("actor_id"),
    )
    op.create_index("ix_linked_person_account_id", "linked_person", ["account_id"])
    op.create_table(
        "alias",
        sa.Column("person_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("ap_id", sa.Text(), nullable=False),
        sa.Column("published_us", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["person_id"], ["actor.id"]),
        sa.PrimaryKeyConstraint("person_id", "ap_id"),
    )
    op.create_table(
        "move",
        sa.Column("person_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("target_id", sa.BigInteger(), nullable=False),
        sa.Column("published_us", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["person_id"], ["actor.id"]),
        sa.ForeignKeyConstraint(["target_id"], ["actor.id"]),
        sa.PrimaryKeyConstraint("person_id"),
    )
    op.create_index("ix_move_target_id", "move", ["target_id"])
    op.create_table(
        "wanted_move",
        sa.Column("person_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("target", sa.Text(), nullable=False),
        sa.Column("tries", sa.BigInteger(), nullable=False),
        sa.Column("retry_us", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("person_id"),
    )
    op.create_table(
        "oauth_client",
        sa.Column("authority", sa.Text(), nullable=False),
        sa.Column("client_id", sa.Text(), nullable=False),
        sa.Column("client_secret", sa.Text(), nullable=False),
        sa.Column("redirect_uri", sa.Text(), nullable=False),
        sa.Column("scope", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("authority"),
    )
    op.create_index("actor_block_target", "actor_block", ["target_id"])
    op.add_column("session", sa.Column("through", sa.Text(), nullable=True))


def downgrade() -> None:
    """Drop them; who has no password then needs a new one by mail."""
    op.drop_column("session", "through")
    op.drop_index("actor_block_target", "actor_block")
    for table in ("oauth_client", "wanted_move", "move", "alias", "linked_person", "knock"):
        op.drop_table(table)
