"""Why something waits, and what of one person waits."""

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"


def upgrade() -> None:
    """Add the reasons of what waits, and the way from a person to it."""
    op.add_column("moderation_item", sa.Column(
        "reasons", sa.Text(), nullable=False, server_default="[]"))
    op.create_index("moderation_item_person", "moderation_item", ["person_id", "kind"])


def downgrade() -> None:
    """Drop them again."""
    op.drop_index("moderation_item_person", table_name="moderation_item")
    op.drop_column("moderation_item", "reasons")
