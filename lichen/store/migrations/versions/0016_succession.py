"""Which communities have ended with their server, who continues them, and who was asked."""

import sqlalchemy as sa
from alembic import op

revision = "0016"
down_revision = "0015"


def upgrade() -> None:
    """Create the tables of succession."""
    op.create_table(
        "community_declared_gone",
        sa.Column("community_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("person_id", sa.BigInteger(), nullable=False),
        sa.Column("at_us", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("community_id"),
    )
    op.create_table(
        "successor_offer",
        sa.Column("successor_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("community_id", sa.BigInteger(), nullable=False),
        sa.Column("founder_id", sa.BigInteger(), nullable=False),
        sa.Column("published_us", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("successor_id"),
    )
    op.create_index("ix_successor_offer_community_id", "successor_offer", ["community_id"])
    op.create_table(
        "successor_answer",
        sa.Column("person_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("successor_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("accepted", sa.Boolean(), nullable=False),
        sa.Column("at_us", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("person_id", "successor_id"),
    )


def downgrade() -> None:
    """Drop them; successors are then communities like any other, and people are asked again."""
    op.drop_table("successor_answer")
    op.drop_table("successor_offer")
    op.drop_table("community_declared_gone")
