"""What the room remembers: pictures, their variants, who uses which, and what is not taken.

A blob is kept while a row names it. One that no row may name any more is in `loose_blob`, staged
in the transaction that let go of it; a sweep looks again and removes it. So a house that is killed
between the two neither loses a picture nor keeps one for ever.
"""

import sqlalchemy as sa

from lichen.store import Statement, any_of, metadata, upsert

picture = sa.Table(
    "picture",
    metadata,
    sa.Column("alias", sa.Text, primary_key=True),
    sa.Column("tid", sa.Text, nullable=False),
    sa.Column("token_hash", sa.Text, nullable=False),
    # No foreign key: this room does not know the accounts' tables.
    sa.Column("uploader_id", sa.BigInteger, nullable=False),
    sa.Column("uploader_did", sa.Text, nullable=False),
    sa.Column("sha256", sa.Text, nullable=False),
    sa.Column("kind", sa.Text, nullable=False),
    sa.Column("width", sa.BigInteger, nullable=False),
    sa.Column("height", sa.BigInteger, nullable=False),
    sa.Column("bytes", sa.BigInteger, nullable=False),
    sa.Column("likeness", sa.BigInteger, nullable=False),
    sa.Column("published_us", sa.BigInteger, nullable=False),
    sa.Index("picture_of", "uploader_id", "published_us"),
    sa.Index("picture_newest", "published_us"),
    sa.Index("picture_blob", "sha256"),
)

picture_variant = sa.Table(
    "picture_variant",
    metadata,
    sa.Column("source", sa.Text, primary_key=True),
    sa.Column("size", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("form", sa.Text, primary_key=True),
    sa.Column("sha256", sa.Text, nullable=False),
    sa.Index("picture_variant_blob", "sha256"),
)

picture_use = sa.Table(
    "picture_use",
    metadata,
    sa.Column("did", sa.Text, primary_key=True),
    sa.Column("place", sa.Text, primary_key=True),
    sa.Column("alias", sa.Text, nullable=False),
    sa.Index("picture_use_alias", "alias"),
)

proxied_picture = sa.Table(
    "proxied_picture",
    metadata,
    sa.Column("url", sa.Text, primary_key=True),
    sa.Column("sha256", sa.Text, nullable=False),
    sa.Column("kind", sa.Text, nullable=False),
    sa.Column("fetched_us", sa.BigInteger, nullable=False),
    sa.Index("proxied_picture_blob", "sha256"),
    sa.Index("proxied_picture_age", "fetched_us"),
)

blocked_picture = sa.Table(
    "blocked_picture",
    metadata,
    sa.Column("id", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("sha256", sa.Text),
    sa.Column("likeness", sa.BigInteger),
    sa.Column("note", sa.Text, nullable=False),
    sa.Column("moderator_id", sa.BigInteger, nullable=False),
    sa.Column("published_us", sa.BigInteger, nullable=False),
)

loose_blob = sa.Table(
    "loose_blob",
    metadata,
    sa.Column("sha256", sa.Text, primary_key=True),
)

INSERT_PICTURE = Statement(sa.insert(picture).values(
    {column.name: sa.bindparam(column.name) for column in picture.columns}
))
_ALIASES = any_of(picture.c.alias, "aliases")
PICTURES = Statement(sa.select(picture).where(_ALIASES))
PICTURES_LOCKED = Statement(sa.select(picture).where(_ALIASES).with_for_update())
DELETE_PICTURES = Statement(sa.delete(picture).where(_ALIASES))
# picture_of
ALIASES_OF = Statement(
    sa.select(picture.c.alias).where(picture.c.uploader_id == sa.bindparam("uploader_id"))
)
# picture_blob
ALIASES_OF_BLOB = Statement(
    sa.select(picture.c.alias).where(picture.c.sha256 == sa.bindparam("sha256"))
)
# picture_of
USAGE = Statement(
    sa.select(
        sa.func.count().label("count"),
        sa.func.coalesce(sa.func.sum(picture.c.bytes), 0).label("bytes"),
    )
    .where(picture.c.uploader_id == sa.bindparam("uploader_id"))
)
_PAGE = sa.select(picture).limit(sa.bindparam("limit")).offset(sa.bindparam("offset"))
# picture_of
PAGE_OF = Statement(
    _PAGE.where(picture.c.uploader_id == sa.bindparam("uploader_id"))
    .order_by(picture.c.published_us.desc(), picture.c.alias)
)
# picture_newest
PAGE_OF_ALL = Statement(_PAGE.order_by(picture.c.published_us.desc(), picture.c.alias))

KEEP_VARIANT = upsert(picture_variant, keys=["source", "size", "form"], update=["sha256"])
VARIANT = Statement(
    sa.select(picture_variant.c.sha256).where(
        picture_variant.c.source == sa.bindparam("source"),
        picture_variant.c.size == sa.bindparam("size"),
        picture_variant.c.form == sa.bindparam("form"),
    )
)
VARIANTS_OF = Statement(
    sa.select(picture_variant.c.source, picture_variant.c.sha256)
    .where(any_of(picture_variant.c.source, "sources"))
)
DELETE_VARIANTS = Statement(
    sa.delete(picture_variant).where(any_of(picture_variant.c.source, "sources"))
)

USES_OF = Statement(sa.select(picture_use).where(any_of(picture_use.c.did, "dids")))
USES_OF_ALIASES = Statement(sa.select(picture_use).where(any_of(picture_use.c.alias, "aliases")))
KEEP_USE = upsert(picture_use, keys=["did", "place"], update=["alias"])
DELETE_USE = Statement(
    sa.delete(picture_use)
    .where(picture_use.c.did == sa.bindparam("gone_did"),
           picture_use.c.place == sa.bindparam("gone_place"))
)

PROXIED = Statement(
    sa.select(proxied_picture).where(proxied_picture.c.url == sa.bindparam("url"))
)
KEEP_PROXIED = upsert(proxied_picture, keys=["url"], update=["sha256", "kind", "fetched_us"])
# proxied_picture_age
AGED = Statement(
    sa.select(proxied_picture.c.url, proxied_picture.c.sha256)
    .where(proxied_picture.c.fetched_us < sa.bindparam("before_us"))
    .limit(sa.bindparam("limit"))
)
# proxied_picture_blob
PROXIED_OF_BLOB = Statement(
    sa.select(proxied_picture.c.url, proxied_picture.c.sha256)
    .where(proxied_picture.c.sha256 == sa.bindparam("sha256"))
)
DELETE_PROXIED = Statement(
    sa.delete(proxied_picture).where(any_of(proxied_picture.c.url, "urls"))
)

BLOCKED = Statement(
    sa.select(blocked_picture)
    .order_by(blocked_picture.c.id.desc())
    .limit(sa.bindparam("limit")).offset(sa.bindparam("offset"))
)
COUNT_BLOCKED = Statement(sa.select(sa.func.count().label("count")).select_from(blocked_picture))
INSERT_BLOCKED = Statement(sa.insert(blocked_picture).values(
    {column.name: sa.bindparam(column.name) for column in blocked_picture.columns}
))
FIND_BLOCKED = Statement(
    sa.select(blocked_picture).where(blocked_picture.c.id == sa.bindparam("id"))
)
DELETE_BLOCKED = Statement(
    sa.delete(blocked_picture).where(blocked_picture.c.id == sa.bindparam("gone_id"))
)

LOOSEN = upsert(loose_blob, keys=["sha256"], update=[])
LOOSE = Statement(sa.select(loose_blob.c.sha256).limit(sa.bindparam("limit")))
FASTEN = Statement(sa.delete(loose_blob).where(any_of(loose_blob.c.sha256, "names")))
# picture_blob, picture_variant_blob, proxied_picture_blob
NAMED = Statement(
    sa.union(
        sa.select(picture.c.sha256).where(any_of(picture.c.sha256, "in_pictures")),
        sa.select(picture_variant.c.sha256)
        .where(any_of(picture_variant.c.sha256, "in_variants")),
        sa.select(proxied_picture.c.sha256)
        .where(any_of(proxied_picture.c.sha256, "in_proxied")),
    )
)
# picture_blob and the primary key: which sources pictures or outside pictures still have
SOURCES = Statement(
    sa.union(
        sa.select(picture.c.sha256).where(any_of(picture.c.sha256, "in_pictures")),
        sa.select(proxied_picture.c.sha256)
        .where(any_of(proxied_picture.c.sha256, "in_proxied")),
    )
)
