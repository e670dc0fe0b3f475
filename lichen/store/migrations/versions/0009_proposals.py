"""Proposals of members, with their supports and what became of them; notices about them."""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"

_TABLES = ("proposal", "proposal_step", "proposal_support")


def upgrade() -> None:
    """Make the tables, and the column by which a notice is about a proposal."""
    _create_proposal()
    _create_proposal_step()
    _create_proposal_support()
    op.add_column("notice", sa.Column("proposal_id", sa.BigInteger(), nullable=True))


def downgrade() -> None:
    """Drop them; what people were told of proposals goes along."""
    op.execute("DELETE FROM notice WHERE proposal_id IS NOT NULL")
    op.drop_column("notice", "proposal_id")
    for name in reversed(_TABLES):
        op.drop_table(name)


def _create_proposal() -> None:
    op.create_table(
        "proposal",
        sa.Column("id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("tid", sa.Text(), nullable=False),
        sa.Column("creator_id", sa.BigInteger(), nullable=False),
        sa.Column("community_id", sa.BigInteger(), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("supports", sa.BigInteger(), nullable=False),
        sa.Column("queued_us", sa.BigInteger(), nullable=True),
        sa.Column("published_us", sa.BigInteger(), nullable=False),
        sa.Column("updated_us", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("proposal_newest", "proposal", ["community_id", "state", "id"])
    op.create_index(
        "proposal_supported", "proposal", ["community_id", "state", "supports", "id"]
    )
    op.create_index("proposal_state", "proposal", ["state", "id"])
    op.create_index("proposal_creator", "proposal", ["creator_id", "id"])


def _create_proposal_step() -> None:
    op.create_table(
        "proposal_step",
        sa.Column("id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("proposal_id", sa.BigInteger(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("role", sa.Text(), nullable=False),
        sa.Column("person_id", sa.BigInteger(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("supports", sa.BigInteger(), nullable=False),
        sa.Column("published_us", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("proposal_step_of", "proposal_step", ["proposal_id", "id"])


def _create_proposal_support() -> None:
    op.create_table(
        "proposal_support",
        sa.Column("person_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("proposal_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("tid", sa.Text(), nullable=False),
        sa.Column("told", sa.Boolean(), nullable=False),
        sa.Column("published_us", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("person_id", "proposal_id"),
        sqlite_with_rowid=False,
    )
    op.create_index(
        "proposal_support_told", "proposal_support", ["proposal_id", "told", "person_id"]
    )
