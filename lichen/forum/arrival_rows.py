"""Statements over what arrives from peers: where things and people stand, by their addresses."""

import sqlalchemy as sa

from lichen.accounts import ACTOR_IDS_BY_AP_ID
from lichen.forum.tables import (
    comment,
    community,
    community_ban,
    moderator,
    post,
    subscription,
)
from lichen.store import Statement, any_of

_POSTS = any_of(post.c.ap_id, "ap_ids")
_COMMENTS = any_of(comment.c.ap_id, "ap_ids")

# By the index post_ap_id.
POSTS_AT = Statement(
    sa.select(
        post.c.id, post.c.ap_id, post.c.community_id, post.c.creator_id, post.c.deleted,
        post.c.removed, post.c.held, post.c.locked, post.c.published_us, post.c.updated_us,
    ).where(_POSTS),
    name="posts at addresses",
)
# By the index comment_ap_id, then the primary key of post.
COMMENTS_AT = Statement(
    sa.select(
        comment.c.id, comment.c.ap_id, comment.c.post_id, comment.c.community_id,
        comment.c.creator_id, comment.c.path, comment.c.deleted, comment.c.removed,
        comment.c.held, comment.c.published_us, comment.c.updated_us, post.c.locked,
    )
    .select_from(comment.join(post, comment.c.post_id == post.c.id))
    .where(_COMMENTS),
    name="comments at addresses",
)
COMMUNITIES_AT = Statement(
    sa.select(
        community.c.id, community.c.local, community.c.removed, community.c.deleted,
        community.c.posting_restricted_to_mods, community.c.local_only, community.c.languages,
        community.c.subscribers_local,
    ).where(community.c.id.in_(sa.union(
        sa.select(post.c.community_id).where(_POSTS),
        sa.select(comment.c.community_id).where(_COMMENTS),
        ACTOR_IDS_BY_AP_ID,
    ))),
    name="communities around addresses",
)
COMMUNITY_ACTORS_AT = sa.union(
    sa.select(post.c.community_id.label("id")).where(_POSTS),
    sa.select(comment.c.community_id).where(_COMMENTS),
)
# By the indices moderator_person and community_ban_person.
SEATS_OF = Statement(
    sa.select(moderator.c.community_id, moderator.c.person_id)
    .where(moderator.c.person_id.in_(ACTOR_IDS_BY_AP_ID)),
    name="what people moderate",
)
BANS_OF = Statement(
    sa.select(community_ban.c.community_id, community_ban.c.person_id)
    .where(
        community_ban.c.person_id.in_(ACTOR_IDS_BY_AP_ID),
        sa.or_(community_ban.c.expires_us.is_(None),
               community_ban.c.expires_us > sa.bindparam("now_us", type_=sa.BigInteger)),
    ),
    name="where people are banned",
)
SUBSCRIPTIONS = Statement(
    sa.select(subscription)
    .where(any_of(subscription.c.person_id, "people"), any_of(subscription.c.community_id, "ids"))
    .with_for_update(),
    name="subscriptions locked",
)
