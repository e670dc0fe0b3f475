"""The forum's tables: what is.

    community 1──n post 1──n comment            content, each row with its tallies
        │            │          │
    subscription     └── vote, saved ──┘        one row per (person, thing)
    moderator, community_ban
    hidden_post, read_mark                      one row per (person, post)
    reaction, reaction_tally                    one row per (person, thing, emoji); their counts
    presence, person_tally                      who was last active where; how much a person wrote

A community's id is its actor's. Tallies live in the row they count, so that one lock and one write
keep both. Tables of pairs have no number of their own: their key is the pair. The column `kind` is
a `model.SubjectKind`. The statements over these tables are in `post_rows`, `comment_rows`,
`community_rows`, `vote_rows` and `viewer_rows`.
"""

import sqlalchemy as sa

from lichen.store import Statement, metadata, upsert

_Id = sa.BigInteger().with_variant(sa.Integer, "sqlite")  # INTEGER is SQLite's own row number


def _flag(name: str) -> "sa.Column[bool]":
    return sa.Column(name, sa.Boolean, nullable=False)


def _number(name: str) -> "sa.Column[int]":
    return sa.Column(name, sa.BigInteger, nullable=False)


def _text(name: str) -> "sa.Column[str]":
    return sa.Column(name, sa.Text, nullable=False)


community = sa.Table(
    "community",
    metadata,
    sa.Column("id", _Id, primary_key=True, autoincrement=False),
    _text("tid"),
    _text("name"),  # as its actor's, for lists in alphabetical order
    _flag("local"),
    _flag("nsfw"),
    _flag("hidden"),
    _flag("removed"),
    _flag("deleted"),
    _flag("posting_restricted_to_mods"),
    _flag("local_only"),
    _text("languages"),  # JSON list of language ids, [] for all
    _number("subscribers"),
    _number("subscribers_local"),
    _number("posts"),
    _number("comments"),
    _number("published_us"),
    sa.Column("updated_us", sa.BigInteger),
)

post = sa.Table(
    "post",
    metadata,
    sa.Column("id", _Id, primary_key=True, autoincrement=False),
    _text("tid"),
    _text("ap_id"),
    _flag("local"),
    sa.Column("community_id", sa.ForeignKey("community.id"), nullable=False),
    _number("creator_id"),
    _text("name"),
    sa.Column("url", sa.Text),
    # A 64-bit hash of the address, because an index entry holds fewer bytes than an address may.
    sa.Column("url_key", sa.BigInteger),
    sa.Column("body", sa.Text),
    sa.Column("alt_text", sa.Text),
    sa.Column("link", sa.Text, comment="JSON of model.Link, what is known of the page at url"),
    _flag("nsfw"),
    _number("language_id"),
    _number("published_us"),
    sa.Column("updated_us", sa.BigInteger),
    _flag("deleted"),
    _flag("removed"),
    _flag("locked"),
    _flag("featured_community"),
    _flag("featured_local"),
    _number("up"),
    _number("down"),
    _number("comments"),
    _number("newest_comment_us"),  # of any comment; the time of publication without one
    _number("active_us"),  # of comments by others within two days; what Active looks at
    _flag("held"),  # waits for a moderator; seen by its author and the moderators only
    _flag("unseen"),  # was never public
    sa.Index("post_ap_id", "ap_id", unique=True),
    sa.Index("post_community", "community_id", "id"),
    sa.Index("post_creator", "creator_id", "id"),
    sa.Index("post_url", "url_key"),
)
# Few rows wait: the queue reads them all, whatever else there is.
sa.Index("post_held", post.c.published_us, sqlite_where=post.c.held.is_(True),
         postgresql_where=post.c.held.is_(True))

comment = sa.Table(
    "comment",
    metadata,
    sa.Column("id", _Id, primary_key=True, autoincrement=False),
    _text("tid"),
    _text("ap_id"),
    _flag("local"),
    sa.Column("post_id", sa.ForeignKey("post.id"), nullable=False),
    _number("community_id"),  # its post's, for lists of a community's comments
    _number("creator_id"),
    sa.Column("parent_id", sa.BigInteger),  # null right under the post
    _text("path"),  # "0.12.34": from the root down to itself
    _text("content"),
    _number("language_id"),
    _number("published_us"),
    sa.Column("updated_us", sa.BigInteger),
    _flag("deleted"),
    _flag("removed"),
    _flag("distinguished"),
    _number("up"),
    _number("down"),
    _number("children"),  # all comments below it, however deep
    _flag("held"),  # as a post's
    _flag("unseen"),
    sa.Index("comment_ap_id", "ap_id", unique=True),
    sa.Index("comment_post", "post_id", "id"),
    sa.Index("comment_community", "community_id", "id"),
    sa.Index("comment_creator", "creator_id", "id"),
)
sa.Index("comment_held", comment.c.published_us, sqlite_where=comment.c.held.is_(True),
         postgresql_where=comment.c.held.is_(True))

vote = sa.Table(
    "vote",
    metadata,
    sa.Column("person_id", sa.BigInteger, primary_key=True),
    sa.Column("kind", sa.SmallInteger, primary_key=True),
    sa.Column("subject_id", sa.BigInteger, primary_key=True),
    sa.Column("value", sa.SmallInteger, nullable=False, comment="1 or -1; no row for no vote"),
    _text("tid"),
    _number("published_us"),
    sa.Index("vote_subject", "kind", "subject_id"),
    sqlite_with_rowid=False,
)

saved = sa.Table(
    "saved",
    metadata,
    sa.Column("person_id", sa.BigInteger, primary_key=True),
    sa.Column("kind", sa.SmallInteger, primary_key=True),
    sa.Column("subject_id", sa.BigInteger, primary_key=True),
    _text("tid"),
    _number("published_us"),
    sqlite_with_rowid=False,
)

hidden_post = sa.Table(
    "hidden_post",
    metadata,
    sa.Column("person_id", sa.BigInteger, primary_key=True),
    sa.Column("post_id", sa.BigInteger, primary_key=True),
    _text("tid"),
    _number("published_us"),
    sqlite_with_rowid=False,
)

read_mark = sa.Table(
    "read_mark",
    metadata,
    sa.Column("person_id", sa.BigInteger, primary_key=True),
    sa.Column("post_id", sa.BigInteger, primary_key=True),
    _number("comments"),  # how many the post had when it was read last
    _text("tid"),
    _number("published_us"),
    sqlite_with_rowid=False,
)

subscription = sa.Table(
    "subscription",
    metadata,
    sa.Column("person_id", sa.BigInteger, primary_key=True),
    sa.Column("community_id", sa.BigInteger, primary_key=True),
    _flag("pending"),
    _text("tid"),
    _number("published_us"),
    sa.Index("subscription_community", "community_id"),
    sqlite_with_rowid=False,
)

moderator = sa.Table(
    "moderator",
    metadata,
    sa.Column("community_id", sa.BigInteger, primary_key=True),
    sa.Column("person_id", sa.BigInteger, primary_key=True),
    _text("tid"),
    _number("published_us"),
    sa.Index("moderator_person", "person_id"),
    sqlite_with_rowid=False,
)

community_ban = sa.Table(
    "community_ban",
    metadata,
    sa.Column("community_id", sa.BigInteger, primary_key=True),
    sa.Column("person_id", sa.BigInteger, primary_key=True),
    sa.Column("reason", sa.Text),
    sa.Column("expires_us", sa.BigInteger, comment="null for a ban without end"),
    _text("tid"),
    _number("published_us"),
    sa.Index("community_ban_person", "person_id"),
    sqlite_with_rowid=False,
)

presence = sa.Table(
    "presence",
    metadata,
    sa.Column("community_id", sa.BigInteger, primary_key=True),
    sa.Column("person_id", sa.BigInteger, primary_key=True),
    _number("active_us"),  # when the person last wrote or voted there
    sqlite_with_rowid=False,
)

person_tally = sa.Table(
    "person_tally",
    metadata,
    sa.Column("person_id", _Id, primary_key=True, autoincrement=False),
    _number("posts"),
    _number("comments"),
    _number("active_us"),  # when the person last wrote or voted here
    sa.Index("person_tally_active", "active_us"),
)

reaction = sa.Table(
    "reaction",
    metadata,
    sa.Column("kind", sa.SmallInteger, primary_key=True),
    sa.Column("subject_id", sa.BigInteger, primary_key=True),
    sa.Column("person_id", sa.BigInteger, primary_key=True),
    sa.Column("emoji", sa.Text, primary_key=True),  # itself, or :shortcode: of a custom one
    _text("tid"),
    _number("published_us"),
    sqlite_with_rowid=False,
)

reaction_tally = sa.Table(
    "reaction_tally",
    metadata,
    sa.Column("kind", sa.SmallInteger, primary_key=True),
    sa.Column("subject_id", sa.BigInteger, primary_key=True),
    sa.Column("emoji", sa.Text, primary_key=True),
    _number("people"),
    _number("first_us"),  # when it was first used there, which is the order it is shown in
    sqlite_with_rowid=False,
)


def change(table: sa.Table, *columns: str) -> Statement:
    """Return UPDATE of the named columns of the row whose id is bound as `row_id`."""
    return Statement(
        sa.update(table)
        .where(table.c.id == sa.bindparam("row_id", type_=sa.BigInteger))
        .values({name: sa.bindparam(name, type_=table.c[name].type) for name in columns}),
        name=f"change {table.name}",
    )


def drop(table: sa.Table) -> Statement:
    """Return DELETE of the row whose key is bound by the names of its columns."""
    keys = [column == sa.bindparam(column.name, type_=column.type) for column in table.primary_key]
    return Statement(sa.delete(table).where(*keys), name=f"drop {table.name}")


def write(table: sa.Table) -> Statement:
    """Return INSERT of a whole row that replaces the row of the same key, should there be one."""
    keys = [column.name for column in table.primary_key]
    rest = [column.name for column in table.columns if column.name not in keys]
    return upsert(table, keys=keys, update=rest)
