"""Moderation rules: what is held, the rules, their hits, and traces of what was written lately."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"

_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Add the flags of what is held, and the tables of the room."""
    for name in ("post", "comment"):
        for flag in ("held", "unseen"):
            op.add_column(name, sa.Column(flag, sa.Boolean(), nullable=False,
                                          server_default=sa.false()))
        op.create_index(f"{name}_held", name, ["published_us"],
                        sqlite_where=sa.text("held IS 1"), postgresql_where=sa.text("held IS true"))
    _create_rules()
    _create_hits()
    op.create_table(
        "automod_trace",
        sa.Column("kind", sa.SmallInteger(), nullable=False),
        sa.Column("subject_id", sa.BigInteger(), nullable=False),
        *_numbers("creator_id", "text_key", "published_us"),
        sa.PrimaryKeyConstraint("kind", "subject_id"),
        sqlite_with_rowid=False,
    )
    op.create_index("automod_trace_text", "automod_trace", ["text_key", "published_us"])
    op.create_index("automod_trace_time", "automod_trace", ["published_us"])


def _create_rules() -> None:
    op.create_table(
        "automod_rule",
        sa.Column("id", _ID, autoincrement=False, nullable=False),
        *_texts("tid"), *_numbers("owner_id"), *_texts("name", "program", "action"),
        *_numbers("ban_days", "severity"), *_texts("mode", "note"),
        *_numbers("created_by", "switched_by", "created_us", "updated_us", "version"),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("automod_rule_owner", "automod_rule", ["owner_id", "id"])


def _create_hits() -> None:
    op.create_table(
        "automod_hit",
        sa.Column("id", _ID, autoincrement=False, nullable=False),
        *_texts("tid"), *_numbers("rule_id"), *_texts("rule_name"),
        *_numbers("rule_version", "owner_id", "community_id"),
        sa.Column("kind", sa.SmallInteger(), nullable=False),
        *_numbers("subject_id"), *_texts("subject"), *_numbers("creator_id"), *_texts("mode"),
        sa.Column("done", sa.Text(), comment="what was done; null where the rule was only tried"),
        sa.Column("waiting", sa.Boolean(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False, comment="JSON of kit.Reason"),
        *_numbers("created_us"),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("automod_hit_rule", "automod_hit", ["rule_id", "id"])
    op.create_index("automod_hit_owner", "automod_hit", ["owner_id", "id"])
    op.create_index("automod_hit_subject", "automod_hit", ["kind", "subject_id"])


def _numbers(*names: str) -> "list[sa.Column[int]]":
    return [sa.Column(name, sa.BigInteger(), nullable=False) for name in names]


def _texts(*names: str) -> "list[sa.Column[str]]":
    return [sa.Column(name, sa.Text(), nullable=False) for name in names]


def downgrade() -> None:
    """Take away what upgrade added; what was held becomes removed, never public."""
    for name in ("automod_trace", "automod_hit", "automod_rule"):
        op.drop_table(name)
    for name in ("comment", "post"):
        held = sa.table(name, sa.column("held", sa.Boolean()), sa.column("removed", sa.Boolean()))
        op.execute(sa.update(held).where(held.c.held.is_(True)).values(removed=True))
        op.drop_index(f"{name}_held", name)
        for flag in ("unseen", "held"):
            op.drop_column(name, flag)
