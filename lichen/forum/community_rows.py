"""Statements over communities, their moderators, their bans and who is active in them."""

from functools import lru_cache

import msgspec
import sqlalchemy as sa

from lichen.accounts import AUTHORITIES, Actor
from lichen.forum.comment_rows import COMMUNITY_IDS_OF_COMMENTS
from lichen.forum.limits import ACQUAINTED_MAX, COMMUNITIES_KEPT_MAX
from lichen.forum.model import Community
from lichen.forum.post_rows import COMMUNITY_IDS_OF_POSTS
from lichen.forum.tables import (
    change,
    comment,
    community,
    community_ban,
    drop,
    moderator,
    person_tally,
    post,
    presence,
    subscription,
    write,
)
from lichen.store import Row, Statement, any_of, upsert

_VIEWER = sa.bindparam("viewer_id", type_=sa.BigInteger)
_NOW = sa.bindparam("now_us", type_=sa.BigInteger)
_LIMIT = sa.bindparam("limit", type_=sa.Integer)
_ACTIVE = sa.bindparam("active_us", type_=sa.BigInteger)

# A community with how one viewer stands to it; viewer_id is 0 for nobody.
_COMMUNITIES = sa.select(
    *community.c,
    subscription.c.pending.label("pending"),
    (community_ban.c.person_id.is_not(None)).label("is_banned"),
    (moderator.c.person_id.is_not(None)).label("is_moderator"),
).select_from(
    community.outerjoin(
        subscription,
        sa.and_(subscription.c.person_id == _VIEWER,
                subscription.c.community_id == community.c.id),
    )
    .outerjoin(
        community_ban,
        sa.and_(community_ban.c.community_id == community.c.id,
                community_ban.c.person_id == _VIEWER,
                sa.or_(community_ban.c.expires_us.is_(None), community_ban.c.expires_us > _NOW)),
    )
    .outerjoin(
        moderator,
        sa.and_(moderator.c.community_id == community.c.id, moderator.c.person_id == _VIEWER),
    )
)

COMMUNITIES = Statement(_COMMUNITIES.where(any_of(community.c.id, "ids")), name="communities")
COMMUNITIES_OF_POSTS = Statement(
    _COMMUNITIES.where(community.c.id.in_(COMMUNITY_IDS_OF_POSTS)), name="communities of posts"
)
COMMUNITIES_OF_COMMENTS = Statement(
    _COMMUNITIES.where(community.c.id.in_(COMMUNITY_IDS_OF_COMMENTS)),
    name="communities of comments",
)

_LOCK = sa.select(community.c.id).order_by(community.c.id).with_for_update()
LOCK_COMMUNITIES = Statement(
    _LOCK.where(any_of(community.c.id, "ids")), name="lock communities", only_locks=True
)
LOCK_COMMUNITIES_OF_POSTS = Statement(
    _LOCK.where(community.c.id.in_(COMMUNITY_IDS_OF_POSTS)), name="lock communities of posts",
    only_locks=True,
)
LOCK_COMMUNITIES_OF_COMMENTS = Statement(
    _LOCK.where(community.c.id.in_(COMMUNITY_IDS_OF_COMMENTS)),
    name="lock communities of comments", only_locks=True,
)

# Every community in few bytes: lists of communities are ordered and cut in memory.
CATALOGUE = Statement(
    sa.select(
        community.c.id, community.c.name, community.c.local, community.c.nsfw, community.c.hidden,
        community.c.removed, community.c.deleted, community.c.subscribers, community.c.posts,
        community.c.comments, community.c.published_us,
    ).order_by(community.c.id.desc()).limit(_LIMIT),
    name="catalogue of communities",
)

# By the primary key of subscription, by the index moderator_person.
SUBSCRIBED_IDS = sa.select(subscription.c.community_id.label("id")).where(
    subscription.c.person_id == _VIEWER
)
MODERATED_IDS = sa.select(moderator.c.community_id.label("id")).where(
    moderator.c.person_id == sa.bindparam("person_id", type_=sa.BigInteger)
)
COMMUNITIES_SUBSCRIBED = Statement(
    _COMMUNITIES.where(community.c.id.in_(SUBSCRIBED_IDS)).order_by(community.c.name),
    name="subscribed communities",
)
COMMUNITIES_MODERATED = Statement(
    _COMMUNITIES.where(community.c.id.in_(MODERATED_IDS)).order_by(community.c.name),
    name="moderated communities",
)
# By the index on the domain, then one look-up a community.
COMMUNITIES_FOLLOWED_OF = Statement(
    sa.select(community.c.id)
    .select_from(community.join(AUTHORITIES, community.c.id == AUTHORITIES.c.id))
    .where(
        AUTHORITIES.c.domain == sa.bindparam("domain"), community.c.local.is_(False),
        community.c.subscribers_local > 0, community.c.removed.is_(False),
    )
    .order_by(community.c.subscribers_local.desc(), community.c.id).limit(_LIMIT),
    name="followed communities of a server",
)
FOLLOWINGS = Statement(
    sa.select(subscription.c.person_id, subscription.c.community_id, subscription.c.tid,
              subscription.c.published_us)
    .where(any_of(subscription.c.person_id, "people"), any_of(subscription.c.community_id, "ids")),
    name="followings",
)
# By the index subscription_community.
SUBSCRIBER_IDS = Statement(
    sa.select(subscription.c.person_id.label("id"))
    .where(subscription.c.community_id == sa.bindparam("community_id", type_=sa.BigInteger)),
    name="subscribers",
)
# By the index subscription_community, then one look-up a subscriber.
_FOLLOWER_AUTHORITIES = (
    sa.select(subscription.c.community_id, AUTHORITIES.c.domain)
    .select_from(
        subscription.join(AUTHORITIES, subscription.c.person_id == AUTHORITIES.c.id)
        .join(community, subscription.c.community_id == community.c.id)
    )
    .where(subscription.c.pending.is_(False), community.c.local.is_(True))
    .distinct()
)
FOLLOWER_AUTHORITIES = Statement(
    _FOLLOWER_AUTHORITIES.where(any_of(subscription.c.community_id, "ids")),
    name="servers of followers",
)
ALL_FOLLOWER_AUTHORITIES = Statement(_FOLLOWER_AUTHORITIES, name="servers of all followers")
_OF = sa.bindparam("community_id", type_=sa.BigInteger)
# By the indexes post_community and comment_community, the newest first, then one look-up a person.
ACQUAINTED_AUTHORITIES = Statement(
    sa.select(AUTHORITIES.c.domain).where(AUTHORITIES.c.id.in_(sa.union(
        *(
            sa.select(
                sa.select(words.c.creator_id).where(words.c.community_id == _OF)
                .order_by(words.c.id.desc()).limit(ACQUAINTED_MAX).subquery().c.creator_id
            )
            for words in (post, comment)
        ),
        sa.select(moderator.c.person_id).where(moderator.c.community_id == _OF),
    ))).distinct(),
    name="servers that know a community",
)
_MODERATORS = sa.select(
    moderator.c.community_id, moderator.c.person_id, moderator.c.tid, moderator.c.published_us
).order_by(moderator.c.community_id, moderator.c.published_us, moderator.c.tid)
_MODERATES = any_of(moderator.c.community_id, "ids")
_MODERATES_POSTS = moderator.c.community_id.in_(COMMUNITY_IDS_OF_POSTS)
MODERATORS = Statement(_MODERATORS.where(_MODERATES), name="moderators")
MODERATORS_OF_POSTS = Statement(_MODERATORS.where(_MODERATES_POSTS), name="moderators of posts")
MODERATOR_IDS = sa.select(moderator.c.person_id.label("id")).where(_MODERATES)
MODERATOR_IDS_OF_POSTS = sa.select(moderator.c.person_id.label("id")).where(_MODERATES_POSTS)
BANS = Statement(
    sa.select(community_ban).where(
        any_of(community_ban.c.community_id, "ids"), any_of(community_ban.c.person_id, "people")
    ),
    name="bans",
)

# By the index community_ban_person.
BANS_OF_BOTH = Statement(
    sa.select(community_ban)
    .where(
        any_of(community_ban.c.person_id, "people"),
        sa.or_(community_ban.c.expires_us.is_(None),
               community_ban.c.expires_us > sa.bindparam("now_us", type_=sa.BigInteger)),
    )
    .order_by(community_ban.c.community_id).limit(sa.bindparam("limit", type_=sa.BigInteger)),
    name="bans of both",
)

INSERT_COMMUNITY = Statement(sa.insert(community), name="insert community")
CHANGE_COMMUNITY = change(
    community, "nsfw", "hidden", "removed", "deleted", "posting_restricted_to_mods", "local_only",
    "languages", "updated_us",
)
TALLY_COMMUNITY = change(
    community, "subscribers", "subscribers_local", "posts", "comments"
)
WRITE_SUBSCRIPTION = write(subscription)
DROP_SUBSCRIPTION = drop(subscription)
WRITE_MODERATOR = write(moderator)
DROP_MODERATOR = drop(moderator)
WRITE_COMMUNITY_BAN = write(community_ban)
DROP_COMMUNITY_BAN = drop(community_ban)

# The first act makes the row; a later one moves its time, an earlier one told late does not.
FIRST_PRESENCE = upsert(presence, keys=["community_id", "person_id"], update=[])
LATER_PRESENCE = Statement(
    sa.update(presence)
    .where(
        presence.c.community_id == sa.bindparam("community_id", type_=sa.BigInteger),
        presence.c.person_id == sa.bindparam("person_id", type_=sa.BigInteger),
        presence.c.active_us < _ACTIVE,
    )
    .values(active_us=_ACTIVE),
    name="later presence",
)
FIRST_WORDS = upsert(person_tally, keys=["person_id"], update=[])
MORE_WORDS = Statement(
    sa.update(person_tally)
    .where(person_tally.c.person_id == sa.bindparam("person_id", type_=sa.BigInteger))
    .values(
        posts=person_tally.c.posts + sa.bindparam("posts", type_=sa.BigInteger),
        comments=person_tally.c.comments + sa.bindparam("comments", type_=sa.BigInteger),
        active_us=sa.case(
            (person_tally.c.active_us < _ACTIVE, _ACTIVE), else_=person_tally.c.active_us
        ),
    ),
    name="more words",
)
PERSON_TALLIES = Statement(
    sa.select(person_tally).where(any_of(person_tally.c.person_id, "ids")), name="person tallies"
)


def _active_since(column: "sa.Column[int]", name: str) -> "sa.Label[int]":
    since = sa.bindparam(f"{name}_us", type_=sa.BigInteger)
    return sa.func.count(sa.case((column > since, 1))).label(name)


# A scan of presence in the order of its key: about 0.1 µs a row.
ACTIVITY = Statement(
    sa.select(
        presence.c.community_id,
        *(_active_since(presence.c.active_us, name)
          for name in ("day", "week", "month", "half_year")),
    ).group_by(presence.c.community_id),
    name="activity by community",
)
# By the index person_tally_active.
SITE_ACTIVITY = Statement(
    sa.select(
        *(_active_since(person_tally.c.active_us, name)
          for name in ("day", "week", "month", "half_year")),
    ).where(person_tally.c.active_us > sa.bindparam("half_year_us", type_=sa.BigInteger)),
    name="activity of the site",
)
SITE_TALLIES = Statement(
    sa.select(
        sa.func.count().label("communities"),
        sa.func.coalesce(sa.func.sum(community.c.posts), 0).label("posts"),
        sa.func.coalesce(sa.func.sum(community.c.comments), 0).label("comments"),
    )
    .select_from(community)
    .where(community.c.local.is_(True), community.c.removed.is_(False),
           community.c.deleted.is_(False)),
    name="tallies of the site",
)

_LANGUAGES = msgspec.json.Decoder(tuple[int, ...])


@lru_cache(maxsize=COMMUNITIES_KEPT_MAX)
def community_from(row: Row, actor: Actor, active: tuple[int, int, int, int]) -> Community:
    """Return the community in a row of COMMUNITIES, with who was active by day … half year.

    The same row gives the same community, from memory.
    """
    day, week, month, half_year = active
    return Community(
        actor=actor, tid=row.tid, languages=_LANGUAGES.decode(row.languages), nsfw=row.nsfw,
        hidden=row.hidden, removed=row.removed, deleted=row.deleted,
        posting_restricted_to_mods=row.posting_restricted_to_mods, local_only=row.local_only,
        subscribers=row.subscribers, subscribers_local=row.subscribers_local, posts=row.posts,
        comments=row.comments, users_active_day=day, users_active_week=week,
        users_active_month=month, users_active_half_year=half_year,
    )


def row_of_community(written: Community) -> dict[str, object]:
    """Return the parameters of INSERT_COMMUNITY, CHANGE_COMMUNITY and TALLY_COMMUNITY."""
    return {
        "id": written.id, "row_id": written.id, "tid": written.tid, "name": written.actor.name,
        "local": written.actor.local, "nsfw": written.nsfw, "hidden": written.hidden,
        "removed": written.removed, "deleted": written.deleted,
        "posting_restricted_to_mods": written.posting_restricted_to_mods,
        "local_only": written.local_only,
        "languages": msgspec.json.encode(written.languages).decode(),
        "subscribers": written.subscribers, "subscribers_local": written.subscribers_local,
        "posts": written.posts, "comments": written.comments,
        "published_us": written.actor.published_us, "updated_us": written.actor.updated_us,
    }
