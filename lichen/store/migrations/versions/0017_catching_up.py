"""With whom to catch up, and since when a peer that is behind has not everything."""

import sqlalchemy as sa
from alembic import op

revision = "0017"
down_revision = "0016"


def upgrade() -> None:
    """Create the table of what is asked, and let lines say from when they are."""
    op.create_table(
        "catch_up",
        sa.Column("authority", sa.Text(), nullable=False),
        sa.Column("asked_us", sa.BigInteger(), nullable=False),
        sa.Column("begun", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("authority"),
    )
    op.add_column("outgoing_line", sa.Column(
        "since_us", sa.BigInteger(), nullable=False, server_default="0"))


def downgrade() -> None:
    """Drop both; who missed something is no longer told again."""
    op.drop_column("outgoing_line", "since_us")
    op.drop_table("catch_up")
