"""From the house's nouns to the Lemmy API's.

Pure, and on the hot path: a page of twenty posts is a hundred of these structs. Most of them were
on the page before, and the rooms give the same noun for the same row, so translations are kept:
hashing a frozen struct costs a sixth of translating it.
"""

from collections.abc import Iterable
from functools import lru_cache
from typing import TypedDict

from lichen import forum
from lichen.accounts import Actor, Emoji, Instance, SiteLine
from lichen.faces.lemmy_v3 import wire
from lichen.federation import Peer
from lichen.messages import MessageView
from lichen.notifications import Notification

OUR_SITE_ID = 1  # Lemmy numbers its sites; ours is the first and only local one

PEOPLE_KEPT_MAX = 4_096  # translations kept; each about 1 kB beside the noun that it is of
COMMUNITIES_KEPT_MAX = 2_048  # as above
POSTS_KEPT_MAX = 4_096  # as above
COMMENTS_KEPT_MAX = 8_192  # as above: those of a dozen long threads


@lru_cache(maxsize=PEOPLE_KEPT_MAX)
def person(actor: Actor) -> wire.Person:
    """Return a person."""
    return wire.Person(
        id=actor.id, name=actor.name, display_name=actor.display_name, avatar=actor.avatar,
        banned=actor.banned, published=wire.time_of(actor.published_us),
        updated=wire.maybe_time_of(actor.updated_us), actor_id=actor.ap_id, bio=actor.summary,
        local=actor.local, banner=actor.banner, deleted=actor.deleted,
        matrix_user_id=actor.matrix_user_id, bot_account=actor.bot,
        ban_expires=wire.maybe_time_of(actor.ban_expires_us), instance_id=actor.instance_id,
    )


def person_view(view: forum.PersonView) -> wire.PersonView:
    """Return a person with its tallies."""
    return wire.PersonView(
        person=person(view.person), is_admin=view.person.admin,
        counts=wire.PersonAggregates(
            person_id=view.person.id, post_count=view.posts, comment_count=view.comments
        ),
    )


@lru_cache(maxsize=COMMUNITIES_KEPT_MAX)
def community(one: forum.Community) -> wire.Community:
    """Return a community."""
    actor = one.actor
    return wire.Community(
        id=actor.id, name=actor.name, title=actor.shown_name, description=actor.summary,
        removed=one.removed, published=wire.time_of(actor.published_us),
        updated=wire.maybe_time_of(actor.updated_us), deleted=one.deleted, nsfw=one.nsfw,
        actor_id=actor.ap_id, local=actor.local, icon=actor.avatar, banner=actor.banner,
        hidden=one.hidden, posting_restricted_to_mods=one.posting_restricted_to_mods,
        instance_id=actor.instance_id, visibility="LocalOnly" if one.local_only else "Public",
    )


def community_view(view: forum.CommunityView) -> wire.CommunityView:
    """Return a community as its viewer sees it."""
    one = view.community
    return wire.CommunityView(
        community=community(one), subscribed=view.subscribed, blocked=view.blocked,
        banned_from_community=view.banned,
        counts=wire.CommunityAggregates(
            community_id=one.id, subscribers=one.subscribers, posts=one.posts,
            comments=one.comments, published=wire.time_of(one.actor.published_us),
            users_active_day=one.users_active_day, users_active_week=one.users_active_week,
            users_active_month=one.users_active_month,
            users_active_half_year=one.users_active_half_year,
            subscribers_local=one.subscribers_local,
        ),
    )


def moderator_views(
    one: forum.Community, moderators: Iterable[Actor]
) -> list[wire.CommunityModeratorView]:
    """Return the moderators of one community."""
    shown = community(one)
    return [
        wire.CommunityModeratorView(community=shown, moderator=person(moderator))
        for moderator in moderators
    ]


@lru_cache(maxsize=POSTS_KEPT_MAX)
def post(one: forum.Post) -> wire.Post:
    """Return a post."""
    link = one.link
    return wire.Post(
        id=one.id, name=one.name, url=one.url, body=one.body, creator_id=one.creator_id,
        community_id=one.community_id, removed=one.removed, locked=one.locked,
        published=wire.time_of(one.published_us), updated=wire.maybe_time_of(one.updated_us),
        deleted=one.deleted, nsfw=one.nsfw,
        embed_title=link.title if link else None,
        embed_description=link.description if link else None,
        thumbnail_url=link.thumbnail if link else None,
        embed_video_url=link.embed_video_url if link else None,
        url_content_type=link.content_type if link else None,
        ap_id=one.ap_id, local=one.local, language_id=one.language_id,
        featured_community=one.featured_community, featured_local=one.featured_local,
        alt_text=one.alt_text,
    )


def post_views(views: Iterable[forum.PostView]) -> list[wire.PostView]:
    """Return posts as their viewer sees them."""
    return list(map(post_view, views))


def post_view(view: forum.PostView) -> wire.PostView:
    """Return a post as its viewer sees it."""
    one = view.post
    return wire.PostView(
        post=post(one), creator=person(view.creator),
        community=community(view.community),
        creator_banned_from_community=view.creator_banned_from_community,
        banned_from_community=view.banned_from_community,
        creator_is_moderator=view.creator_is_moderator, creator_is_admin=view.creator.admin,
        counts=wire.PostAggregates(
            post_id=one.id, comments=one.comments, score=one.score, upvotes=one.up,
            downvotes=one.down, published=wire.time_of(one.published_us),
            newest_comment_time=wire.time_of(one.newest_comment_us),
        ),
        subscribed=view.subscribed, saved=view.saved, read=view.read, hidden=view.hidden,
        creator_blocked=view.creator_blocked, my_vote=view.my_vote,
        unread_comments=view.unread_comments,
    )


class _CommentFields(TypedDict):
    """The fields that a comment, a reply and a mention have in common."""

    comment: wire.Comment
    creator: wire.Person
    post: wire.Post
    community: wire.Community
    counts: wire.CommentAggregates
    creator_banned_from_community: bool
    banned_from_community: bool
    creator_is_moderator: bool
    creator_is_admin: bool
    subscribed: forum.Subscribed
    saved: bool
    creator_blocked: bool
    my_vote: int | None


def comment_view(view: forum.CommentView) -> wire.CommentView:
    """Return a comment as its viewer sees it."""
    return wire.CommentView(**_comment_fields(view))


def comment_views(views: Iterable[forum.CommentView]) -> list[wire.CommentView]:
    """Return comments as their viewer sees them."""
    return list(map(comment_view, views))


def reply_view(view: Notification) -> wire.CommentReplyView:
    """Return an answer to somebody's words."""
    return wire.CommentReplyView(
        **_comment_fields(view.comment), recipient=person(view.recipient),
        comment_reply=wire.CommentReply(
            id=view.id, recipient_id=view.recipient.id, comment_id=view.comment.comment.id,
            read=view.read, published=wire.time_of(view.published_us),
        ),
    )


def mention_view(view: Notification) -> wire.PersonMentionView:
    """Return a comment that names somebody."""
    return wire.PersonMentionView(
        **_comment_fields(view.comment), recipient=person(view.recipient),
        person_mention=wire.PersonMention(
            id=view.id, recipient_id=view.recipient.id, comment_id=view.comment.comment.id,
            read=view.read, published=wire.time_of(view.published_us),
        ),
    )


def private_message_view(view: MessageView) -> wire.PrivateMessageView:
    """Return a private message with both its people."""
    one = view.message
    return wire.PrivateMessageView(
        private_message=wire.PrivateMessage(
            id=one.id, creator_id=one.creator_id, recipient_id=one.recipient_id,
            content=one.content, deleted=one.deleted, read=one.read,
            published=wire.time_of(one.published_us), updated=wire.maybe_time_of(one.updated_us),
            ap_id=one.ap_id, local=one.local,
        ),
        creator=person(view.creator), recipient=person(view.recipient),
    )


def instance(one: Instance, peer: Peer | None = None) -> wire.InstanceWithFederationState:
    """Return a server: what it runs, and how deliveries to it go."""
    state = None
    if peer is not None:
        state = wire.ReadableFederationState(
            instance_id=one.id, last_successful_id=peer.cursor or None,
            last_successful_published_time=wire.maybe_time_of(peer.last_success_us or None),
            fail_count=peer.fail_count, next_retry=wire.maybe_time_of(peer.retry_at_us or None),
        )
    return wire.InstanceWithFederationState(
        id=one.id, domain=one.domain, published=wire.time_of(one.published_us),
        updated=wire.maybe_time_of(one.updated_us),
        software=(peer.software if peer else "") or one.software,
        version=(peer.version if peer else "") or one.version, federation_state=state,
    )


def tagline(line: SiteLine) -> wire.Tagline:
    """Return a line shown at the top of the site."""
    return wire.Tagline(
        id=line.id, local_site_id=OUR_SITE_ID, content=line.content,
        published=wire.time_of(line.published_us),
    )


def blocked_url(line: SiteLine) -> wire.LocalSiteUrlBlocklist:
    """Return an address that may not be posted."""
    return wire.LocalSiteUrlBlocklist(
        id=line.id, url=line.content, published=wire.time_of(line.published_us)
    )


def custom_emoji(one: Emoji) -> wire.CustomEmojiView:
    """Return an emoji with its keywords."""
    return wire.CustomEmojiView(
        custom_emoji=wire.CustomEmoji(
            id=one.id, local_site_id=OUR_SITE_ID, shortcode=one.shortcode,
            image_url=one.image_url, alt_text=one.alt_text, category=one.category,
            published=wire.time_of(one.published_us), updated=wire.maybe_time_of(one.updated_us),
        ),
        keywords=[
            wire.CustomEmojiKeyword(custom_emoji_id=one.id, keyword=word) for word in one.keywords
        ],
    )


def _comment_fields(view: forum.CommentView) -> _CommentFields:
    one = view.comment
    return _CommentFields(
        comment=_comment(one), creator=person(view.creator),
        post=post(view.post), community=community(view.community),
        counts=wire.CommentAggregates(
            comment_id=one.id, score=one.score, upvotes=one.up, downvotes=one.down,
            published=wire.time_of(one.published_us), child_count=one.children,
        ),
        creator_banned_from_community=view.creator_banned_from_community,
        banned_from_community=view.banned_from_community,
        creator_is_moderator=view.creator_is_moderator, creator_is_admin=view.creator.admin,
        subscribed=view.subscribed, saved=view.saved, creator_blocked=view.creator_blocked,
        my_vote=view.my_vote,
    )


@lru_cache(maxsize=COMMENTS_KEPT_MAX)
def _comment(one: forum.Comment) -> wire.Comment:
    return wire.Comment(
        id=one.id, creator_id=one.creator_id, post_id=one.post_id, content=one.content,
        removed=one.removed, published=wire.time_of(one.published_us),
        updated=wire.maybe_time_of(one.updated_us), deleted=one.deleted, ap_id=one.ap_id,
        local=one.local, path=one.path, distinguished=one.distinguished,
        language_id=one.language_id,
    )
