"""Whether a plugin may use the network."""

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0008"


def upgrade() -> None:
    """Let no plugin use the network until an administrator says so."""
    op.add_column("plugin", sa.Column(
        "may_network", sa.Boolean(), nullable=False, server_default=sa.false()
    ))


def downgrade() -> None:
    """Forget who may."""
    op.drop_column("plugin", "may_network")
