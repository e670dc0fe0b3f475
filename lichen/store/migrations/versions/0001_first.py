"""The first tables, from an empty database on."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None

# The words of search live in what each engine has for them.
_SEARCH_TEXT = {
    "sqlite": (
        "CREATE VIRTUAL TABLE search_text USING fts5(title, body, "
        "tokenize='unicode61 remove_diacritics 2', prefix='2 3')",
    ),
    "postgresql": (
        "CREATE TABLE search_text (rowid bigint PRIMARY KEY, words tsvector NOT NULL)",
        "CREATE INDEX search_text_words ON search_text USING gin (words)",
    ),
}

_TABLES = (
    "checkpoint",
    "community",
    "community_ban",
    "hidden_post",
    "instance",
    "moderator",
    "notification",
    "number",
    "outbox",
    "person_tally",
    "presence",
    "read_mark",
    "saved",
    "search_document",
    "site_flag",
    "stamp",
    "subscription",
    "vote",
    "actor",
    "post",
    "account",
    "actor_block",
    "actor_key",
    "comment",
    "instance_block",
    "site",
    "site_ban",
    "session",
)


def upgrade() -> None:
    """Create every table."""
    _create_checkpoint()
    _create_community()
    _create_community_ban()
    _create_hidden_post()
    _create_instance()
    _create_moderator()
    _create_notification()
    _create_number()
    _create_outbox()
    _create_person_tally()
    _create_presence()
    _create_read_mark()
    _create_saved()
    _create_search_document()
    _create_site_flag()
    _create_stamp()
    _create_subscription()
    _create_vote()
    _create_actor()
    _create_post()
    _create_account()
    _create_actor_block()
    _create_actor_key()
    _create_comment()
    _create_instance_block()
    _create_site()
    _create_site_ban()
    _create_session()
    for text in _SEARCH_TEXT[op.get_bind().dialect.name]:
        op.execute(text)


def downgrade() -> None:
    """Drop every table."""
    op.drop_table("search_text")
    for table in reversed(_TABLES):
        op.drop_table(table)


def _create_checkpoint() -> None:
    op.create_table(
        "checkpoint",
        sa.Column("reader", sa.Text(), nullable=False),
        sa.Column("seq", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("reader"),
    )


def _create_community() -> None:
    op.create_table(
        "community",
        sa.Column(
            "id",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            autoincrement=False,
            nullable=False,
        ),
        sa.Column("tid", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("local", sa.Boolean(), nullable=False),
        sa.Column("nsfw", sa.Boolean(), nullable=False),
        sa.Column("hidden", sa.Boolean(), nullable=False),
        sa.Column("removed", sa.Boolean(), nullable=False),
        sa.Column("deleted", sa.Boolean(), nullable=False),
        sa.Column("posting_restricted_to_mods", sa.Boolean(), nullable=False),
        sa.Column("local_only", sa.Boolean(), nullable=False),
        sa.Column("languages", sa.Text(), nullable=False),
        sa.Column("subscribers", sa.BigInteger(), nullable=False),
        sa.Column("subscribers_local", sa.BigInteger(), nullable=False),
        sa.Column("posts", sa.BigInteger(), nullable=False),
        sa.Column("comments", sa.BigInteger(), nullable=False),
        sa.Column("published_us", sa.BigInteger(), nullable=False),
        sa.Column("updated_us", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("id"),
    )


def _create_community_ban() -> None:
    op.create_table(
        "community_ban",
        sa.Column("community_id", sa.BigInteger(), nullable=False),
        sa.Column("person_id", sa.BigInteger(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column(
            "expires_us", sa.BigInteger(), nullable=True, comment="null for a ban without end"
        ),
        sa.Column("tid", sa.Text(), nullable=False),
        sa.Column("published_us", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("community_id", "person_id"),
        sqlite_with_rowid=False,
    )
    op.create_index("community_ban_person", "community_ban", ["person_id"], unique=False)


def _create_hidden_post() -> None:
    op.create_table(
        "hidden_post",
        sa.Column("person_id", sa.BigInteger(), nullable=False),
        sa.Column("post_id", sa.BigInteger(), nullable=False),
        sa.Column("tid", sa.Text(), nullable=False),
        sa.Column("published_us", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("person_id", "post_id"),
        sqlite_with_rowid=False,
    )


def _create_instance() -> None:
    op.create_table(
        "instance",
        sa.Column("id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("domain", sa.Text(), nullable=False),
        sa.Column("software", sa.Text(), nullable=True),
        sa.Column("version", sa.Text(), nullable=True),
        sa.Column("published_us", sa.BigInteger(), nullable=False),
        sa.Column("updated_us", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("domain"),
    )


def _create_moderator() -> None:
    op.create_table(
        "moderator",
        sa.Column("community_id", sa.BigInteger(), nullable=False),
        sa.Column("person_id", sa.BigInteger(), nullable=False),
        sa.Column("tid", sa.Text(), nullable=False),
        sa.Column("published_us", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("community_id", "person_id"),
        sqlite_with_rowid=False,
    )
    op.create_index("moderator_person", "moderator", ["person_id"], unique=False)


def _create_notification() -> None:
    op.create_table(
        "notification",
        sa.Column("id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("recipient_id", sa.BigInteger(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("comment_id", sa.BigInteger(), nullable=False),
        sa.Column("read", sa.Boolean(), nullable=False),
        sa.Column("published_us", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("recipient_id", "comment_id", name="notification_once"),
    )
    op.create_index("notification_comment", "notification", ["comment_id"], unique=False)
    op.create_index(
        "notification_of", "notification", ["recipient_id", "kind", "published_us"], unique=False
    )
    op.create_index(
        "notification_unread",
        "notification",
        ["recipient_id", "kind"],
        unique=False,
        sqlite_where=sa.text("read = 0"),
        postgresql_where=sa.text("NOT read"),
    )


def _create_number() -> None:
    op.create_table(
        "number",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("next", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("name"),
    )


def _create_outbox() -> None:
    op.create_table(
        "outbox",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("event_id", sa.Text(), nullable=False),
        sa.Column("payload", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
        sqlite_autoincrement=True,
    )


def _create_person_tally() -> None:
    op.create_table(
        "person_tally",
        sa.Column(
            "person_id",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            autoincrement=False,
            nullable=False,
        ),
        sa.Column("posts", sa.BigInteger(), nullable=False),
        sa.Column("comments", sa.BigInteger(), nullable=False),
        sa.Column("active_us", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("person_id"),
    )
    op.create_index("person_tally_active", "person_tally", ["active_us"], unique=False)


def _create_presence() -> None:
    op.create_table(
        "presence",
        sa.Column("community_id", sa.BigInteger(), nullable=False),
        sa.Column("person_id", sa.BigInteger(), nullable=False),
        sa.Column("active_us", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("community_id", "person_id"),
        sqlite_with_rowid=False,
    )


def _create_read_mark() -> None:
    op.create_table(
        "read_mark",
        sa.Column("person_id", sa.BigInteger(), nullable=False),
        sa.Column("post_id", sa.BigInteger(), nullable=False),
        sa.Column("comments", sa.BigInteger(), nullable=False),
        sa.Column("tid", sa.Text(), nullable=False),
        sa.Column("published_us", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("person_id", "post_id"),
        sqlite_with_rowid=False,
    )


def _create_saved() -> None:
    op.create_table(
        "saved",
        sa.Column("person_id", sa.BigInteger(), nullable=False),
        sa.Column("kind", sa.SmallInteger(), nullable=False),
        sa.Column("subject_id", sa.BigInteger(), nullable=False),
        sa.Column("tid", sa.Text(), nullable=False),
        sa.Column("published_us", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("person_id", "kind", "subject_id"),
        sqlite_with_rowid=False,
    )


def _create_search_document() -> None:
    op.create_table(
        "search_document",
        sa.Column("id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("row", sa.BigInteger(), nullable=False),
        sa.Column("creator_id", sa.BigInteger(), nullable=False),
        sa.Column("community_id", sa.BigInteger(), nullable=False),
        sa.Column("local", sa.Boolean(), nullable=False),
        sa.Column("nsfw", sa.Boolean(), nullable=False),
        sa.Column("published_us", sa.BigInteger(), nullable=False),
        sa.Column("url", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("search_document_url", "search_document", ["url"], unique=False)


def _create_site_flag() -> None:
    op.create_table(
        "site_flag",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("is_on", sa.Boolean(), nullable=False),
        sa.Column("updated_us", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("name"),
    )


def _create_stamp() -> None:
    op.create_table(
        "stamp",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("value", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("name"),
    )


def _create_subscription() -> None:
    op.create_table(
        "subscription",
        sa.Column("person_id", sa.BigInteger(), nullable=False),
        sa.Column("community_id", sa.BigInteger(), nullable=False),
        sa.Column("pending", sa.Boolean(), nullable=False),
        sa.Column("tid", sa.Text(), nullable=False),
        sa.Column("published_us", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("person_id", "community_id"),
        sqlite_with_rowid=False,
    )
    op.create_index("subscription_community", "subscription", ["community_id"], unique=False)


def _create_vote() -> None:
    op.create_table(
        "vote",
        sa.Column("person_id", sa.BigInteger(), nullable=False),
        sa.Column("kind", sa.SmallInteger(), nullable=False),
        sa.Column("subject_id", sa.BigInteger(), nullable=False),
        sa.Column(
            "value", sa.SmallInteger(), nullable=False, comment="1 or -1; no row for no vote"
        ),
        sa.Column("tid", sa.Text(), nullable=False),
        sa.Column("published_us", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("person_id", "kind", "subject_id"),
        sqlite_with_rowid=False,
    )
    op.create_index("vote_subject", "vote", ["kind", "subject_id"], unique=False)


def _create_actor() -> None:
    op.create_table(
        "actor",
        sa.Column("id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("name_key", sa.Text(), nullable=False),
        sa.Column("instance_id", sa.BigInteger(), nullable=False),
        sa.Column("ap_id", sa.Text(), nullable=False),
        sa.Column("did", sa.Text(), nullable=False),
        sa.Column("display_name", sa.Text(), nullable=True),
        sa.Column("summary", sa.Text(), nullable=True),
        sa.Column("avatar", sa.Text(), nullable=True),
        sa.Column("banner", sa.Text(), nullable=True),
        sa.Column("matrix_user_id", sa.Text(), nullable=True),
        sa.Column("inbox", sa.Text(), nullable=False),
        sa.Column("published_us", sa.BigInteger(), nullable=False),
        sa.Column("updated_us", sa.BigInteger(), nullable=True),
        sa.Column("deleted", sa.Boolean(), nullable=False),
        sa.Column("banned", sa.Boolean(), nullable=False),
        sa.Column("ban_expires_us", sa.BigInteger(), nullable=True),
        sa.Column("bot", sa.Boolean(), nullable=False),
        sa.Column("admin", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(
            ["instance_id"],
            ["instance.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("ap_id"),
        sa.UniqueConstraint("did"),
    )
    op.create_index(
        "actor_admin",
        "actor",
        ["id"],
        unique=False,
        sqlite_where=sa.text("admin"),
        postgresql_where=sa.text("admin"),
    )
    op.create_index("actor_by_name", "actor", ["name_key", "kind", "instance_id"], unique=False)
    op.create_index(
        "actor_local_name",
        "actor",
        ["kind", "name_key"],
        unique=True,
        sqlite_where=sa.text("instance_id = 1"),
        postgresql_where=sa.text("instance_id = 1"),
    )


def _create_post() -> None:
    op.create_table(
        "post",
        sa.Column(
            "id",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            autoincrement=False,
            nullable=False,
        ),
        sa.Column("tid", sa.Text(), nullable=False),
        sa.Column("ap_id", sa.Text(), nullable=False),
        sa.Column("local", sa.Boolean(), nullable=False),
        sa.Column(
            "community_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column("creator_id", sa.BigInteger(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("url", sa.Text(), nullable=True),
        sa.Column("url_key", sa.BigInteger(), nullable=True),
        sa.Column("body", sa.Text(), nullable=True),
        sa.Column("alt_text", sa.Text(), nullable=True),
        sa.Column(
            "link",
            sa.Text(),
            nullable=True,
            comment="JSON of model.Link, what is known of the page at url",
        ),
        sa.Column("nsfw", sa.Boolean(), nullable=False),
        sa.Column("language_id", sa.BigInteger(), nullable=False),
        sa.Column("published_us", sa.BigInteger(), nullable=False),
        sa.Column("updated_us", sa.BigInteger(), nullable=True),
        sa.Column("deleted", sa.Boolean(), nullable=False),
        sa.Column("removed", sa.Boolean(), nullable=False),
        sa.Column("locked", sa.Boolean(), nullable=False),
        sa.Column("featured_community", sa.Boolean(), nullable=False),
        sa.Column("featured_local", sa.Boolean(), nullable=False),
        sa.Column("up", sa.BigInteger(), nullable=False),
        sa.Column("down", sa.BigInteger(), nullable=False),
        sa.Column("comments", sa.BigInteger(), nullable=False),
        sa.Column("newest_comment_us", sa.BigInteger(), nullable=False),
        sa.Column("active_us", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["community_id"],
            ["community.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("post_ap_id", "post", ["ap_id"], unique=True)
    op.create_index("post_community", "post", ["community_id", "id"], unique=False)
    op.create_index("post_creator", "post", ["creator_id", "id"], unique=False)
    op.create_index("post_url", "post", ["url_key"], unique=False)


def _create_account() -> None:
    op.create_table(
        "account",
        sa.Column("id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("actor_id", sa.BigInteger(), nullable=False),
        sa.Column("password_hash", sa.Text(), nullable=False),
        sa.Column("email", sa.Text(), nullable=True),
        sa.Column("email_verified", sa.Boolean(), nullable=False),
        sa.Column("accepted", sa.Boolean(), nullable=False),
        sa.Column("answer", sa.Text(), nullable=True),
        sa.Column("settings", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["actor_id"],
            ["actor.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("actor_id"),
        sa.UniqueConstraint("email"),
    )
    op.create_index(
        "account_waiting",
        "account",
        ["id"],
        unique=False,
        sqlite_where=sa.text("accepted = 0"),
        postgresql_where=sa.text("NOT accepted"),
    )


def _create_actor_block() -> None:
    op.create_table(
        "actor_block",
        sa.Column("person_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("target_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("tid", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["person_id"],
            ["actor.id"],
        ),
        sa.ForeignKeyConstraint(
            ["target_id"],
            ["actor.id"],
        ),
        sa.PrimaryKeyConstraint("person_id", "target_id"),
    )


def _create_actor_key() -> None:
    op.create_table(
        "actor_key",
        sa.Column("actor_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("public_key", sa.Text(), nullable=False),
        sa.Column("private_key", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(
            ["actor_id"],
            ["actor.id"],
        ),
        sa.PrimaryKeyConstraint("actor_id"),
    )


def _create_comment() -> None:
    op.create_table(
        "comment",
        sa.Column(
            "id",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            autoincrement=False,
            nullable=False,
        ),
        sa.Column("tid", sa.Text(), nullable=False),
        sa.Column("ap_id", sa.Text(), nullable=False),
        sa.Column("local", sa.Boolean(), nullable=False),
        sa.Column("post_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("community_id", sa.BigInteger(), nullable=False),
        sa.Column("creator_id", sa.BigInteger(), nullable=False),
        sa.Column("parent_id", sa.BigInteger(), nullable=True),
        sa.Column("path", sa.Text(), nullable=False),
        sa.Column("content", sa.Text(), nullable=False),
        sa.Column("language_id", sa.BigInteger(), nullable=False),
        sa.Column("published_us", sa.BigInteger(), nullable=False),
        sa.Column("updated_us", sa.BigInteger(), nullable=True),
        sa.Column("deleted", sa.Boolean(), nullable=False),
        sa.Column("removed", sa.Boolean(), nullable=False),
        sa.Column("distinguished", sa.Boolean(), nullable=False),
        sa.Column("up", sa.BigInteger(), nullable=False),
        sa.Column("down", sa.BigInteger(), nullable=False),
        sa.Column("children", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["post_id"],
            ["post.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("comment_ap_id", "comment", ["ap_id"], unique=True)
    op.create_index("comment_community", "comment", ["community_id", "id"], unique=False)
    op.create_index("comment_creator", "comment", ["creator_id", "id"], unique=False)
    op.create_index("comment_post", "comment", ["post_id", "id"], unique=False)


def _create_instance_block() -> None:
    op.create_table(
        "instance_block",
        sa.Column("person_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("instance_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("tid", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["instance_id"],
            ["instance.id"],
        ),
        sa.ForeignKeyConstraint(
            ["person_id"],
            ["actor.id"],
        ),
        sa.PrimaryKeyConstraint("person_id", "instance_id"),
    )


def _create_site() -> None:
    op.create_table(
        "site",
        sa.Column("actor_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("settings", sa.Text(), nullable=False),
        sa.Column("published_us", sa.BigInteger(), nullable=False),
        sa.Column("updated_us", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(
            ["actor_id"],
            ["actor.id"],
        ),
        sa.PrimaryKeyConstraint("actor_id"),
    )


def _create_site_ban() -> None:
    op.create_table(
        "site_ban",
        sa.Column("tid", sa.Text(), nullable=False),
        sa.Column("person_id", sa.BigInteger(), nullable=False),
        sa.Column("moderator_id", sa.BigInteger(), nullable=True),
        sa.Column("banned", sa.Boolean(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("expires_us", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(
            ["person_id"],
            ["actor.id"],
        ),
        sa.PrimaryKeyConstraint("tid"),
    )
    op.create_index(op.f("ix_site_ban_person_id"), "site_ban", ["person_id"], unique=False)


def _create_session() -> None:
    op.create_table(
        "session",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("account_id", sa.BigInteger(), nullable=False),
        sa.Column("published_us", sa.BigInteger(), nullable=False),
        sa.Column("used_us", sa.BigInteger(), nullable=False),
        sa.Column("address", sa.Text(), nullable=True),
        sa.Column("agent", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(
            ["account_id"],
            ["account.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index(op.f("ix_session_account_id"), "session", ["account_id"], unique=False)
