"""Where sending to other servers stands, and what of ours may be undone there."""

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"


def upgrade() -> None:
    """Create the tables of sending."""
    op.create_table(
        "outgoing_line",
        sa.Column("authority", sa.Text(), nullable=False),
        sa.Column("cursor", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("authority"),
    )
    op.create_table(
        "outgoing_standing",
        sa.Column("tid", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("event_id", sa.Text(), nullable=False),
        sa.Column("object", sa.Text(), nullable=False),
        sa.Column("community_id", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("tid"),
    )


def downgrade() -> None:
    """Drop them; peers are then sent to from the head on, and old votes can not be taken back."""
    op.drop_table("outgoing_standing")
    op.drop_table("outgoing_line")
