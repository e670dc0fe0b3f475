"""What search remembers: one document a thing, and its words in the engine's own index.

    search_document   what filters and orders: kind, row, creator, community, time, address
    search_text       the words: FTS5 on SQLite, a tsvector with a GIN index on PostgreSQL
"""

import sqlalchemy as sa

from lichen.store import Statement, any_of, metadata, upsert

document = sa.Table(
    "search_document",
    metadata,
    sa.Column("id", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("kind", sa.Text, nullable=False),
    sa.Column("row", sa.BigInteger, nullable=False),
    sa.Column("creator_id", sa.BigInteger, nullable=False),
    sa.Column("community_id", sa.BigInteger, nullable=False),
    sa.Column("local", sa.Boolean, nullable=False),
    sa.Column("nsfw", sa.Boolean, nullable=False),
    sa.Column("published_us", sa.BigInteger, nullable=False),
    sa.Column("url", sa.Text),
    sa.Index("search_document_url", "url"),
)

# The words are in no table that SQLAlchemy could describe; migrations run the same texts.
CREATE_TEXT = {
    "sqlite": (
        "CREATE VIRTUAL TABLE search_text USING fts5(title, body, "
        "tokenize='unicode61 remove_diacritics 2', prefix='2 3')",
    ),
    "postgresql": (
        "CREATE TABLE search_text (rowid bigint PRIMARY KEY, words tsvector NOT NULL)",
        "CREATE INDEX search_text_words ON search_text USING gin (words)",
    ),
}
DROP_TEXT = "DROP TABLE search_text"

for _engine, _texts in CREATE_TEXT.items():
    for _text in _texts:
        _ddl: sa.DDL = sa.DDL(_text)  # type: ignore[no-untyped-call]
        sa.event.listen(document, "after_create", _ddl.execute_if(dialect=_engine))
_drop: sa.DDL = sa.DDL(DROP_TEXT)  # type: ignore[no-untyped-call]
sa.event.listen(document, "before_drop", _drop)


def _text_table() -> sa.TableClause:
    return sa.table("search_text", sa.column("rowid", sa.BigInteger), sa.column("words"))


KEEP = upsert(document, keys=["id"], update=[
    "creator_id", "community_id", "local", "nsfw", "published_us", "url",
])
DROP = Statement(sa.delete(document).where(any_of(document.c.id, "ids")))
DROP_WORDS = Statement(sa.delete(_text_table()).where(any_of(_text_table().c.rowid, "ids")))
KEEP_WORDS = {
    "sqlite": Statement(sa.text(
        "INSERT INTO search_text (rowid, title, body) VALUES (:id, :title, :body)"
    )),
    # PostgreSQL §12.4.1: weight A counts ten times D.
    "postgresql": Statement(sa.text(
        "INSERT INTO search_text (rowid, words) VALUES (:id, "
        "setweight(to_tsvector('simple', :title), 'A') || to_tsvector('simple', :body))"
    )),
}

_TEXT_MATCH = {
    "sqlite": "search_text MATCH :words",
    "postgresql": "words @@ to_tsquery('simple', :words)",
}
# sqlite.org/fts5.html §5.1.1: bm25 is smaller for better matches.
_TEXT_ORDER = {
    "sqlite": "bm25(search_text, 8.0, 1.0)",
    "postgresql": "-ts_rank(words, to_tsquery('simple', :words))",
}
_ORDERS = {
    "relevance": "{rank}, d.published_us DESC",
    "new": "d.published_us DESC",
    "old": "d.published_us",
}


def _find(engine: str, order: str) -> Statement:
    """Return the search for one kind: words, then filters, then the order, then the page."""
    text = sa.text(f"""
        SELECT d.row
        FROM search_text
        JOIN search_document d ON d.id = search_text.rowid
        WHERE {_TEXT_MATCH[engine]}
          AND d.kind = :kind
          AND (:any_nsfw OR NOT d.nsfw)
          AND (NOT :only_local OR d.local)
          AND (:community_id = 0 OR d.community_id = :community_id)
          AND (:creator_id = 0 OR d.creator_id = :creator_id)
        ORDER BY {_ORDERS[order].format(rank=_TEXT_ORDER[engine])}, d.id
        LIMIT :limit OFFSET :offset
    """).bindparams(
        sa.bindparam("any_nsfw", type_=sa.Boolean, required=True),
        sa.bindparam("only_local", type_=sa.Boolean, required=True),
        sa.bindparam("community_id", type_=sa.BigInteger, required=True),
        sa.bindparam("creator_id", type_=sa.BigInteger, required=True),
    ).columns(sa.column("row", sa.BigInteger))
    return Statement(text)


FIND = {
    engine: {order: _find(engine, order) for order in _ORDERS} for engine in CREATE_TEXT
}

# search_document_url
FIND_ADDRESS = Statement(
    sa.select(document.c.row)
    .where(document.c.url == sa.bindparam("url"))
    .order_by(document.c.published_us.desc(), document.c.id)
    .limit(sa.bindparam("limit"))
    .offset(sa.bindparam("offset"))
)
EMPTY = Statement(sa.delete(document))
EMPTY_WORDS = Statement(sa.delete(_text_table()))
OPTIMIZE = {
    # sqlite.org/fts5.html §6.5: merges the index, so that deleted words are gone from the file.
    "sqlite": Statement(sa.text("INSERT INTO search_text(search_text) VALUES ('optimize')")),
    "postgresql": Statement(sa.text("SELECT gin_clean_pending_list('search_text_words')")),
}
