"""Whether a plugin may use the network; names that are never given again."""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"


def upgrade() -> None:
    """Let no plugin use the network until an administrator says so; make the table of names."""
    op.add_column("plugin", sa.Column(
        "may_network", sa.Boolean(), nullable=False, server_default=sa.false()
    ))


    op.create_table(
        "retired_name",
        sa.Column("name_hash", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("name_hash", "kind"),
    )


def downgrade() -> None:
    """Forget who may, and the names."""
    op.drop_table("retired_name")
    op.drop_column("plugin", "may_network")
