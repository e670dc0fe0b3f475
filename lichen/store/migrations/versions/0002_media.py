"""Pictures: uploads, variants, uses, outside pictures, the blocklist, blobs to be removed."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"

_TABLES = (
    "picture", "picture_variant", "picture_use", "proxied_picture", "blocked_picture", "loose_blob",
)


def upgrade() -> None:
    """Create the tables of the room `media`."""
    _create_picture()
    op.create_table(
        "picture_variant",
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("size", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("form", sa.Text(), nullable=False),
        sa.Column("sha256", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("source", "size", "form"),
    )
    op.create_index("picture_variant_blob", "picture_variant", ["sha256"])
    op.create_table(
        "picture_use",
        sa.Column("did", sa.Text(), nullable=False),
        sa.Column("place", sa.Text(), nullable=False),
        sa.Column("alias", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("did", "place"),
    )
    op.create_index("picture_use_alias", "picture_use", ["alias"])
    op.create_table(
        "proxied_picture",
        sa.Column("url", sa.Text(), nullable=False),
        sa.Column("sha256", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("fetched_us", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("url"),
    )
    op.create_index("proxied_picture_blob", "proxied_picture", ["sha256"])
    op.create_index("proxied_picture_age", "proxied_picture", ["fetched_us"])
    op.create_table(
        "blocked_picture",
        sa.Column("id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("sha256", sa.Text(), nullable=True),
        sa.Column("likeness", sa.BigInteger(), nullable=True),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column("moderator_id", sa.BigInteger(), nullable=False),
        sa.Column("published_us", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_table(
        "loose_blob",
        sa.Column("sha256", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("sha256"),
    )


def downgrade() -> None:
    """Drop them; the files stay in their folder."""
    for name in reversed(_TABLES):
        op.drop_table(name)


def _create_picture() -> None:
    op.create_table(
        "picture",
        sa.Column("alias", sa.Text(), nullable=False),
        sa.Column("tid", sa.Text(), nullable=False),
        sa.Column("token_hash", sa.Text(), nullable=False),
        sa.Column("uploader_id", sa.BigInteger(), nullable=False),
        sa.Column("uploader_did", sa.Text(), nullable=False),
        sa.Column("sha256", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("width", sa.BigInteger(), nullable=False),
        sa.Column("height", sa.BigInteger(), nullable=False),
        sa.Column("bytes", sa.BigInteger(), nullable=False),
        sa.Column("likeness", sa.BigInteger(), nullable=False),
        sa.Column("published_us", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("alias"),
    )
    op.create_index("picture_of", "picture", ["uploader_id", "published_us"])
    op.create_index("picture_newest", "picture", ["published_us"])
    op.create_index("picture_blob", "picture", ["sha256"])
