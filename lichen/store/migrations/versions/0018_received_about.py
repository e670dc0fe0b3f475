"""What an activity that was received did, for an Undo that names it by its id alone."""

import sqlalchemy as sa
from alembic import op

revision = "0018"
down_revision = "0017"


def upgrade() -> None:
    """Add the column; of what came before, nothing is known."""
    op.add_column("received", sa.Column("about", sa.Text(), nullable=True))


def downgrade() -> None:
    """Drop it; such an Undo is then of nothing that is known."""
    op.drop_column("received", "about")
