"""Successors that other servers offer, communities that end or move by themselves."""

import sqlalchemy as sa
from alembic import op

revision = "0019"
down_revision = "0018"


def upgrade() -> None:
    """Say of each successor why it is one; create what is heard of others."""
    op.add_column("successor_offer", sa.Column(
        "proof", sa.Text(), nullable=False, server_default="founded"
    ))
    op.create_table(
        "community_ended",
        sa.Column("community_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("way", sa.Text(), nullable=False),
        sa.Column("since_us", sa.BigInteger(), nullable=False),
        sa.Column("seen_us", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("community_id"),
    )
    op.create_table(
        "community_alias",
        sa.Column("community_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("ap_id", sa.Text(), nullable=False),
        sa.Column("at_us", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("community_id", "ap_id"),
    )
    op.create_table(
        "heard_offer",
        sa.Column("community_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("target", sa.Text(), nullable=False),
        sa.Column("proof", sa.Text(), nullable=False),
        sa.Column("peer", sa.Text(), nullable=False),
        sa.Column("at_us", sa.BigInteger(), nullable=False),
        sa.Column("tries", sa.BigInteger(), nullable=False),
        sa.Column("retry_us", sa.BigInteger(), nullable=False),
        sa.Column("outcome", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("community_id", "target"),
    )


def downgrade() -> None:
    """Drop them; successors elsewhere are forgotten, for the older code knows only its own."""
    op.drop_table("heard_offer")
    op.drop_table("community_alias")
    op.drop_table("community_ended")
    op.execute("DELETE FROM successor_offer WHERE proof <> 'founded'")
    op.drop_column("successor_offer", "proof")
