"""Moderation rules: what is held, the rules, their hits, and traces of what was written lately."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    """Add the flags of what is held, and the tables of the room."""
    for name in ("post", "comment"):
        for flag in ("held", "unseen"):
            op.add_column(name, sa.Column(flag, sa.Boolean(), nullable=False,
                                          server_default=sa.false()))
        op.create_index(f"{name}_held", name, ["published_us"],
                        sqlite_where=sa.text("held IS 1"), postgresql_where=sa.text("held IS true"))


def downgrade() -> None:
    """Take away what upgrade added; what was held becomes removed, never public."""
    for name in ("comment", "post"):
        held = sa.table(name, sa.column("held", sa.Boolean()), sa.column("removed", sa.Boolean()))
        op.execute(sa.update(held).where(held.c.held.is_(True)).values(removed=True))
        op.drop_index(f"{name}_held", name)
        for flag in ("unseen", "held"):
            op.drop_column(name, flag)
