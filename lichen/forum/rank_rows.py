"""Statements over what the rank columns are made of: posts and communities, in few bytes each."""

import sqlalchemy as sa

from lichen.accounts import actors_among
from lichen.forum.tables import community, post
from lichen.store import Statement, any_of

_POST = sa.select(
    post.c.id, post.c.published_us, post.c.newest_comment_us, post.c.active_us, post.c.up,
    post.c.down, post.c.comments, post.c.community_id, post.c.creator_id, post.c.language_id,
    post.c.nsfw, post.c.deleted, post.c.removed, post.c.held, post.c.featured_community,
    post.c.featured_local,
)
_COMMUNITY = sa.select(
    community.c.id, community.c.local, community.c.nsfw, community.c.hidden, community.c.removed,
    community.c.deleted,
)
_AFTER = sa.bindparam("after", type_=sa.BigInteger)
_LIMIT = sa.bindparam("limit", type_=sa.Integer)

_THESE_POSTS = any_of(post.c.id, "post_ids")
_THESE_COMMUNITIES = sa.or_(
    any_of(community.c.id, "community_ids"),
    community.c.id.in_(sa.select(post.c.community_id).where(_THESE_POSTS)),
)

POSTS = Statement(_POST.where(_THESE_POSTS), name="columns of posts")
COMMUNITIES = Statement(_COMMUNITY.where(_THESE_COMMUNITIES), name="columns of communities")
ACTORS = actors_among(
    sa.union(
        sa.select(post.c.creator_id.label("id")).where(_THESE_POSTS),
        sa.select(community.c.id).where(_THESE_COMMUNITIES),
    )
)

# Each by its own key; one walk over all of them.
POSTS_AFTER = Statement(
    _POST.where(post.c.id > _AFTER).order_by(post.c.id).limit(_LIMIT), name="all posts"
)
COMMUNITIES_AFTER = Statement(
    _COMMUNITY.where(community.c.id > _AFTER).order_by(community.c.id).limit(_LIMIT),
    name="all communities",
)
