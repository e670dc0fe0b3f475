"""Statements over all the words of a person or a community, for who takes them away."""

import sqlalchemy as sa

from lichen.accounts import actors_among
from lichen.forum.comment_rows import POST_IDS_OF_COMMENTS
from lichen.forum.model import SubjectKind
from lichen.forum.tables import (
    comment,
    community,
    community_ban,
    hidden_post,
    moderator,
    post,
    presence,
    read_mark,
    saved,
    subscription,
    vote,
)
from lichen.store import Statement, any_of

_PERSON = sa.bindparam("person_id", type_=sa.BigInteger)
_COMMUNITY = sa.bindparam("community_id", type_=sa.BigInteger)
_EVERYWHERE = sa.bindparam("everywhere", type_=sa.Boolean)
_LIMIT = sa.bindparam("limit", type_=sa.Integer)

_POST_PLACES = sa.select(post.c.id, post.c.community_id)
_COMMENT_PLACES = sa.select(comment.c.id, comment.c.post_id, comment.c.community_id)
# By the indices post_creator and comment_creator.
POSTS_OF_PERSON = Statement(
    _POST_PLACES.where(
        post.c.creator_id == _PERSON, post.c.removed.is_(False),
        sa.or_(_EVERYWHERE, post.c.community_id == _COMMUNITY),
    ).order_by(post.c.id.desc()).limit(_LIMIT),
    name="posts of a person",
)
COMMENTS_OF_PERSON = Statement(
    _COMMENT_PLACES.where(
        comment.c.creator_id == _PERSON, comment.c.removed.is_(False),
        sa.or_(_EVERYWHERE, comment.c.community_id == _COMMUNITY),
    ).order_by(comment.c.id.desc()).limit(_LIMIT),
    name="comments of a person",
)
PLACES_OF_POSTS = Statement(_POST_PLACES.where(any_of(post.c.id, "ids")), name="places of posts")
PLACES_OF_COMMENTS = Statement(
    _COMMENT_PLACES.where(any_of(comment.c.id, "ids")), name="places of comments"
)

# By the indices post_creator and comment_creator.
_WRITTEN = sa.union(*(
    sa.select(table.c.creator_id, table.c.community_id)
    .join(community, community.c.id == table.c.community_id)
    .where(any_of(table.c.creator_id, "people"), community.c.local.is_(True))
    for table in (post, comment)
)).subquery("written")
OUR_PLACES_OF_PEOPLE = Statement(
    sa.select(
        _WRITTEN.c.creator_id, _WRITTEN.c.community_id, community_ban.c.person_id,
        community_ban.c.reason, community_ban.c.expires_us,
    )
    .outerjoin(community_ban, sa.and_(
        community_ban.c.community_id == _WRITTEN.c.community_id,
        community_ban.c.person_id == _WRITTEN.c.creator_id,
        sa.or_(community_ban.c.expires_us.is_(None),
               community_ban.c.expires_us > sa.bindparam("now_us", type_=sa.BigInteger)),
    ))
    .order_by(_WRITTEN.c.creator_id, _WRITTEN.c.community_id).limit(_LIMIT),
    name="communities of ours in which people wrote",
)

# Purges: what is there whether removed or not, and then everything that hangs on it.
ALL_POSTS_OF_PERSON = Statement(
    _POST_PLACES.where(post.c.creator_id == _PERSON).order_by(post.c.id.desc()).limit(_LIMIT),
    name="all posts of a person",
)
ALL_COMMENTS_OF_PERSON = Statement(
    _COMMENT_PLACES.where(comment.c.creator_id == _PERSON)
    .order_by(comment.c.id.desc()).limit(_LIMIT),
    name="all comments of a person",
)
ALL_POSTS_OF_COMMUNITY = Statement(
    _POST_PLACES.where(post.c.community_id == _COMMUNITY).order_by(post.c.id.desc()).limit(_LIMIT),
    name="all posts of a community",
)
_BELOW = sa.select(
    comment.c.id, comment.c.tid, comment.c.post_id, comment.c.community_id, comment.c.creator_id,
    comment.c.path, comment.c.deleted, comment.c.removed, comment.c.unseen,
)
_UNDER_POSTS = any_of(comment.c.post_id, "ids")
_BESIDE_COMMENTS = comment.c.post_id.in_(POST_IDS_OF_COMMENTS)
COMMENTS_BELOW_POSTS = Statement(_BELOW.where(_UNDER_POSTS), name="comments below posts")
COMMENTS_BESIDE = Statement(_BELOW.where(_BESIDE_COMMENTS), name="comments beside comments")
AUTHORS_BELOW_POSTS = actors_among(sa.select(comment.c.creator_id.label("id")).where(_UNDER_POSTS))
AUTHORS_BESIDE = actors_among(sa.select(comment.c.creator_id.label("id")).where(_BESIDE_COMMENTS))

_POST_KIND, _COMMENT_KIND = int(SubjectKind.POST), int(SubjectKind.COMMENT)
DROP_COMMENTS = tuple(
    Statement(core, name="purge") for core in (
        sa.delete(vote).where(vote.c.kind == _COMMENT_KIND, any_of(vote.c.subject_id, "ids")),
        sa.delete(saved).where(saved.c.kind == _COMMENT_KIND, any_of(saved.c.subject_id, "ids")),
        sa.delete(comment).where(any_of(comment.c.id, "ids")),
    )
)
DROP_POSTS = tuple(
    Statement(core, name="purge") for core in (
        sa.delete(vote).where(vote.c.kind == _POST_KIND, any_of(vote.c.subject_id, "ids")),
        sa.delete(saved).where(saved.c.kind == _POST_KIND, any_of(saved.c.subject_id, "ids")),
        sa.delete(hidden_post).where(any_of(hidden_post.c.post_id, "ids")),
        sa.delete(read_mark).where(any_of(read_mark.c.post_id, "ids")),
        sa.delete(post).where(any_of(post.c.id, "ids")),
    )
)
DROP_COMMUNITY = tuple(
    Statement(core, name="purge") for core in (
        sa.delete(subscription).where(subscription.c.community_id == _COMMUNITY),
        sa.delete(moderator).where(moderator.c.community_id == _COMMUNITY),
        sa.delete(community_ban).where(community_ban.c.community_id == _COMMUNITY),
        sa.delete(presence).where(presence.c.community_id == _COMMUNITY),
        sa.delete(community).where(community.c.id == _COMMUNITY),
    )
)
