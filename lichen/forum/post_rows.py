"""Statements over posts.

A view of a post is read by three statements in one round trip: the posts with what one viewer
marked on them, their communities with how the viewer stands to them (`community_rows`), and the
actors of both. `viewer_id` is 0 for nobody: no row has that person.
"""

from collections import namedtuple
from collections.abc import Sequence
from functools import lru_cache
from typing import Any

import msgspec
import sqlalchemy as sa

from lichen.forum.limits import KEPT_LENGTH_MAX, POSTS_KEPT_MAX
from lichen.forum.model import Link, Post, PostId, SubjectKind
from lichen.forum.tables import (
    change,
    comment,
    community_ban,
    hidden_post,
    moderator,
    post,
    read_mark,
    saved,
    vote,
)
from lichen.store import Row, Statement, any_of

_VIEWER = sa.bindparam("viewer_id", type_=sa.BigInteger)
_NOW = sa.bindparam("now_us", type_=sa.BigInteger)

_OF_POSTS = any_of(post.c.id, "ids")

# One primary-key look-up a row for each of the six joins.
POSTS = Statement(
    sa.select(
        *post.c,
        vote.c.value.label("my_vote"),
        vote.c.tid.label("vote_tid"),
        (saved.c.person_id.is_not(None)).label("is_saved"),
        read_mark.c.comments.label("comments_read"),
        (hidden_post.c.person_id.is_not(None)).label("is_hidden"),
        (community_ban.c.person_id.is_not(None)).label("creator_banned"),
        (moderator.c.person_id.is_not(None)).label("creator_moderates"),
    )
    .select_from(
        post.outerjoin(
            vote,
            sa.and_(vote.c.person_id == _VIEWER, vote.c.kind == int(SubjectKind.POST),
                    vote.c.subject_id == post.c.id),
        )
        .outerjoin(
            saved,
            sa.and_(saved.c.person_id == _VIEWER, saved.c.kind == int(SubjectKind.POST),
                    saved.c.subject_id == post.c.id),
        )
        .outerjoin(
            read_mark, sa.and_(read_mark.c.person_id == _VIEWER, read_mark.c.post_id == post.c.id)
        )
        .outerjoin(
            hidden_post,
            sa.and_(hidden_post.c.person_id == _VIEWER, hidden_post.c.post_id == post.c.id),
        )
        .outerjoin(
            community_ban,
            sa.and_(community_ban.c.community_id == post.c.community_id,
                    community_ban.c.person_id == post.c.creator_id,
                    sa.or_(community_ban.c.expires_us.is_(None),
                           community_ban.c.expires_us > _NOW)),
        )
        .outerjoin(
            moderator,
            sa.and_(moderator.c.community_id == post.c.community_id,
                    moderator.c.person_id == post.c.creator_id),
        )
    )
    .where(_OF_POSTS),
    name="posts",
)

# Ascending, so that two commands over the same posts never wait for each other in a circle.
LOCK_POSTS = Statement(
    sa.select(post.c.id).where(_OF_POSTS).order_by(post.c.id).with_for_update(),
    name="lock posts", only_locks=True,
)

COMMUNITY_IDS_OF_POSTS = sa.select(post.c.community_id.label("id")).where(_OF_POSTS)
ACTOR_IDS_OF_POSTS = sa.select(post.c.creator_id.label("id")).where(_OF_POSTS).union(
    COMMUNITY_IDS_OF_POSTS
)

# By the index post_url.
CROSS_POST_IDS = Statement(
    sa.select(post.c.id)
    .where(
        post.c.url_key == sa.select(post.c.url_key)
        .where(post.c.id == sa.bindparam("post_id", type_=sa.BigInteger)).scalar_subquery(),
        post.c.id != sa.bindparam("post_id", type_=sa.BigInteger),
        post.c.deleted.is_(False),
        post.c.removed.is_(False),
        post.c.held.is_(False),
    )
    .order_by(post.c.id.desc())
    .limit(sa.bindparam("limit", type_=sa.Integer)),
    name="cross posts",
)

# By the index post_ap_id.
POST_ID_BY_AP_ID = Statement(
    sa.select(post.c.id).where(post.c.ap_id == sa.bindparam("ap_id")), name="post by ap_id"
)
COMMENT_ID_BY_AP_ID = Statement(
    sa.select(comment.c.id).where(comment.c.ap_id == sa.bindparam("ap_id")), name="comment by ap_id"
)

# What is left to take away (or back) of one person, by the index post_creator.
_TO_END = sa.select(post.c.id).where(post.c.creator_id == sa.bindparam("person_id"))
_LAST = sa.bindparam("limit", type_=sa.Integer)
POSTS_TO_END = {
    "deleted": Statement(
        _TO_END.where(sa.or_(post.c.deleted.is_(False), post.c.name != sa.bindparam("gone_text")))
        .order_by(post.c.id).limit(_LAST), name="posts to delete",
    ),
    "removed": Statement(
        _TO_END.where(post.c.removed.is_(False)).order_by(post.c.id).limit(_LAST),
        name="posts to remove",
    ),
    "restored": Statement(
        _TO_END.where(post.c.removed.is_(True)).order_by(post.c.id).limit(_LAST),
        name="posts to restore",
    ),
}

INSERT_POST = Statement(sa.insert(post), name="insert post")
CHANGE_POST = change(
    post, "name", "url", "url_key", "body", "alt_text", "link", "nsfw", "language_id", "updated_us",
    "deleted", "removed", "locked", "featured_community", "featured_local", "held", "unseen",
)
TALLY_POST = change(post, "up", "down", "comments", "newest_comment_us", "active_us")

_LINK = msgspec.json.Decoder(Link)
_ROW: Any = namedtuple("_ROW", post.c.keys())  # type: ignore[misc]
_WIDTH = len(post.c)  # every statement over posts begins with the table's columns


def post_from(row: Row) -> Post:
    """Return the post in a row of POSTS; the same row gives the same post, from memory."""
    shared = row[:_WIDTH]
    is_short = row.body is None or len(row.body) <= KEPT_LENGTH_MAX
    return _kept_post(shared) if is_short else _post(shared)


def _post(shared: tuple[Any, ...]) -> Post:
    row: Row = _ROW(*shared)
    return Post(
        id=PostId(row.id), tid=row.tid, ap_id=row.ap_id, local=row.local,
        community_id=row.community_id, creator_id=row.creator_id, name=row.name, url=row.url,
        body=row.body, alt_text=row.alt_text,
        link=_LINK.decode(row.link) if row.link else None, nsfw=row.nsfw,
        language_id=row.language_id, published_us=row.published_us, updated_us=row.updated_us,
        deleted=row.deleted, removed=row.removed, locked=row.locked,
        featured_community=row.featured_community, featured_local=row.featured_local,
        up=row.up, down=row.down, comments=row.comments,
        newest_comment_us=row.newest_comment_us, active_us=row.active_us, held=row.held,
        unseen=row.unseen,
    )


_kept_post = lru_cache(maxsize=POSTS_KEPT_MAX)(_post)


def row_of_post(written: Post, *, url_key: int | None) -> dict[str, object]:
    """Return the parameters of INSERT_POST, and more than CHANGE_POST and TALLY_POST ask for."""
    row = msgspec.structs.asdict(written)
    row["link"] = msgspec.json.encode(written.link).decode() if written.link else None
    row["url_key"] = url_key
    row["row_id"] = written.id
    return row


def tallies_of_posts(posts: Sequence[Post]) -> list[dict[str, object]]:
    """Return the parameters of TALLY_POST, in the order of the ids."""
    return [
        {"row_id": one.id, "up": one.up, "down": one.down, "comments": one.comments,
         "newest_comment_us": one.newest_comment_us, "active_us": one.active_us}
        for one in sorted(posts, key=lambda one: one.id)
    ]
