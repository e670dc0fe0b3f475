"""What happens in the forum: the records of the room `forum`.

A community speaks with its own DID: its record, its moderators, its bans and its tallies are
records of the community. Posts, comments and their tallies belong to their author, votes,
subscriptions and marks to the person who made them. A record key is the TID of the creation; a
tally has the key of what it counts. What is deleted by its author or removed by a moderator is a
deletion here, and what comes back is an update that carries everything again.

`row` on the envelope is the number of the community, post or comment that the record is, or, for
a record about one of these (a vote, a mark, a tally), of its subject. For moderators and bans it is
the person.
"""

from typing import Literal

from lichen.events.envelope import Record


class Community(Record, frozen=True, tag="lichen.forum.community"):
    """A community and its rules; `langs` are language codes, empty for all."""

    name: str
    created_at: str
    title: str | None = None
    description: str | None = None
    icon: str | None = None
    banner: str | None = None
    nsfw: bool = False
    hidden: bool = False
    posting_restricted_to_mods: bool = False
    local_only: bool = False
    langs: tuple[str, ...] = ()
    updated_at: str | None = None


class Post(Record, frozen=True, tag="lichen.forum.post"):
    """A post; `community` is a DID, `langs` holds at most one code.

    `edited` says that with this event its author changed it; a lock or a pin changes no words.
    """

    name: str
    community: str
    created_at: str
    url: str | None = None
    body: str | None = None
    alt_text: str | None = None
    langs: tuple[str, ...] = ()
    nsfw: bool = False
    locked: bool = False
    featured_community: bool = False
    featured_local: bool = False
    updated_at: str | None = None
    edited: bool = False


class Comment(Record, frozen=True, tag="lichen.forum.comment"):
    """A comment; `post` and `parent` are at:// addresses, no parent right under the post.

    `edited` says that with this event its author changed it.
    """

    post: str
    content: str
    created_at: str
    parent: str | None = None
    langs: tuple[str, ...] = ()
    distinguished: bool = False
    updated_at: str | None = None
    edited: bool = False


class Tally(Record, frozen=True, tag="lichen.forum.tally"):
    """The counts of one subject: a post, a comment or a community, by its at:// address.

    A post has votes, comments and the times of its newest comment (`newest_comment_at`, and
    `active_at` by somebody else within two days); a comment has votes; a community has posts,
    comments and subscribers.
    """

    subject: str
    up: int = 0
    down: int = 0
    comments: int | None = None
    newest_comment_at: str | None = None
    active_at: str | None = None
    posts: int | None = None
    subscribers: int | None = None
    subscribers_local: int | None = None


class Held(Record, frozen=True, tag="lichen.forum.held"):
    """A post or comment waits for a moderator and is not public; decided, this is deleted.

    `rules` are the names of those that plugins' hooks gave as their reasons.
    """

    subject: str
    created_at: str
    rules: tuple[str, ...] = ()


class Vote(Record, frozen=True, tag="lichen.forum.vote"):
    """A person's vote on a post or comment; taken back, it is deleted."""

    subject: str
    value: Literal[1, -1]
    created_at: str


class Subscription(Record, frozen=True, tag="lichen.forum.subscription"):
    """A person follows a community, by its DID; pending until a remote community accepts."""

    subject: str
    created_at: str
    pending: bool = False


class Save(Record, frozen=True, tag="lichen.forum.save"):
    """A person keeps a post or comment for later."""

    subject: str
    created_at: str


class Hide(Record, frozen=True, tag="lichen.forum.hide"):
    """A person does not want to see a post in lists."""

    subject: str
    created_at: str


class Read(Record, frozen=True, tag="lichen.forum.read"):
    """A person has read a post when it had so many comments."""

    subject: str
    comments: int
    created_at: str


class Moderator(Record, frozen=True, tag="lichen.forum.moderator"):
    """A person, by DID, moderates the community whose record this is."""

    subject: str
    created_at: str


class CommunityBan(Record, frozen=True, tag="lichen.forum.communityBan"):
    """A line of the moderation log: a person, by DID, may not write in this community.

    Lifted, it is deleted. Who decided it is not said.
    """

    subject: str
    created_at: str
    reason: str | None = None
    expires_at: str | None = None


class Reaction(Record, frozen=True, tag="lichen.forum.reaction"):
    """A person's emoji on a post or comment, `:shortcode:` for one of the site's own."""

    subject: str
    emoji: str
    created_at: str


class ReactionTally(Record, frozen=True, tag="lichen.forum.reactionTally"):
    """How many people reacted to one subject by each emoji, whole, the oldest emoji first."""

    subject: str
    emojis: tuple[str, ...] = ()
    counts: tuple[int, ...] = ()
