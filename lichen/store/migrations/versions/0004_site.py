"""The site's lists and emoji, who is away, reactions, and what waits for those who are away."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"

_TABLES = ("site_line", "emoji", "away", "reaction", "reaction_tally")


def upgrade() -> None:
    """Create the tables."""
    op.create_table(
        "site_line",
        sa.Column("id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("content", sa.Text(), nullable=False),
        sa.Column("published_us", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_table(
        "emoji",
        sa.Column("id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("shortcode", sa.Text(), nullable=False),
        sa.Column("image_url", sa.Text(), nullable=False),
        sa.Column("alt_text", sa.Text(), nullable=False),
        sa.Column("category", sa.Text(), nullable=False),
        sa.Column("keywords", sa.Text(), nullable=False),
        sa.Column("published_us", sa.BigInteger(), nullable=False),
        sa.Column("updated_us", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("shortcode"),
    )
    op.create_table(
        "away",
        sa.Column("person_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column("since_us", sa.BigInteger(), nullable=False),
        sa.Column("until_us", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["person_id"], ["actor.id"]),
        sa.PrimaryKeyConstraint("person_id"),
    )
    _create_reactions()
    op.add_column("notification", sa.Column("held_until_us", sa.BigInteger(), nullable=True))
    op.add_column("notification", sa.Column("asks", sa.SmallInteger(), nullable=True))


def downgrade() -> None:
    """Drop them again."""
    op.drop_column("notification", "asks")
    op.drop_column("notification", "held_until_us")
    for table in _TABLES:
        op.drop_table(table)


def _create_reactions() -> None:
    op.create_table(
        "reaction",
        sa.Column("kind", sa.SmallInteger(), nullable=False),
        sa.Column("subject_id", sa.BigInteger(), nullable=False),
        sa.Column("person_id", sa.BigInteger(), nullable=False),
        sa.Column("emoji", sa.Text(), nullable=False),
        sa.Column("tid", sa.Text(), nullable=False),
        sa.Column("published_us", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("kind", "subject_id", "person_id", "emoji"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "reaction_tally",
        sa.Column("kind", sa.SmallInteger(), nullable=False),
        sa.Column("subject_id", sa.BigInteger(), nullable=False),
        sa.Column("emoji", sa.Text(), nullable=False),
        sa.Column("people", sa.BigInteger(), nullable=False),
        sa.Column("first_us", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("kind", "subject_id", "emoji"),
        sqlite_with_rowid=False,
    )
