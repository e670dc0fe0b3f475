"""Other servers, their keys, and where their actors keep what."""

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"


def upgrade() -> None:
    """Create the tables of peers."""
    op.create_table(
        "peer",
        sa.Column("authority", sa.Text(), nullable=False),
        sa.Column("software", sa.Text(), nullable=False),
        sa.Column("version", sa.Text(), nullable=False),
        sa.Column("capabilities", sa.Text(), nullable=False),
        sa.Column("shared_inbox", sa.Text(), nullable=False),
        sa.Column("style", sa.Text(), nullable=False),
        sa.Column("accepts", sa.Text(), nullable=False),
        sa.Column("first_seen_us", sa.BigInteger(), nullable=False),
        sa.Column("asked_us", sa.BigInteger(), nullable=False),
        sa.Column("fail_count", sa.BigInteger(), nullable=False),
        sa.Column("retry_at_us", sa.BigInteger(), nullable=False),
        sa.Column("last_success_us", sa.BigInteger(), nullable=False),
        sa.Column("last_received_us", sa.BigInteger(), nullable=False),
        sa.Column("last_error", sa.Text(), nullable=False),
        sa.Column("cursor", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("authority"),
    )
    op.create_table(
        "peer_key",
        sa.Column("key_id", sa.Text(), nullable=False),
        sa.Column("owner", sa.Text(), nullable=False),
        sa.Column("public_key", sa.Text(), nullable=False),
        sa.Column("fetched_us", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("key_id"),
    )
    op.create_index("ix_peer_key_owner", "peer_key", ["owner"])
    op.create_table(
        "peer_actor",
        sa.Column("ap_id", sa.Text(), nullable=False),
        sa.Column("shared_inbox", sa.Text(), nullable=False),
        sa.Column("outbox", sa.Text(), nullable=False),
        sa.Column("followers", sa.Text(), nullable=False),
        sa.Column("featured", sa.Text(), nullable=False),
        sa.Column("moderators", sa.Text(), nullable=False),
        sa.Column("moved_to", sa.Text(), nullable=False),
        sa.Column("fetched_us", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("ap_id"),
    )
    op.create_index("ix_peer_actor_featured", "peer_actor", ["featured"])
    op.create_index("ix_peer_actor_moderators", "peer_actor", ["moderators"])


def downgrade() -> None:
    """Drop them again."""
    op.drop_table("peer_actor")
    op.drop_table("peer_key")
    op.drop_table("peer")
