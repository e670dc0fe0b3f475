"""What federation has received, what waits, and the ids of Follows."""

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"


def upgrade() -> None:
    """Create the tables of what comes in."""
    op.create_table(
        "received",
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("at_us", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("key"),
    )
    op.create_index("ix_received_at_us", "received", ["at_us"])
    op.create_table(
        "parked",
        sa.Column("id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("seq", sa.BigInteger(), nullable=False),
        sa.Column("peer", sa.Text(), nullable=False),
        sa.Column("announcer", sa.Text(), nullable=False),
        sa.Column("raw", sa.Text(), nullable=False),
        sa.Column("needs", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("tries", sa.BigInteger(), nullable=False),
        sa.Column("retry_us", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("ix_parked_needs", "parked", ["needs"])
    op.create_index("ix_parked_subject", "parked", ["subject"])
    op.create_index("parked_due", "parked", ["retry_us", "id"])
    op.create_table(
        "follow",
        sa.Column("person_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("community_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("ap_id", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("person_id", "community_id"),
    )
    op.create_index("ix_follow_ap_id", "follow", ["ap_id"])


def downgrade() -> None:
    """Drop them again."""
    op.drop_table("follow")
    op.drop_table("parked")
    op.drop_table("received")
