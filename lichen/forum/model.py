"""The nouns of the forum: communities, posts, comments and what a viewer sees of them.

Pure: nothing here reads a clock, a file or a row. The types that fill pages by the hundred are kept
from the garbage collector (`gc=False`): frozen and made of each other, they can form no cycle.
"""

from enum import IntEnum, StrEnum
from typing import NamedTuple, NewType

import msgspec

from lichen.accounts import Actor
from lichen.forum.limits import PAGE_DEFAULT

PostId = NewType("PostId", int)
CommentId = NewType("CommentId", int)

class SubjectKind(IntEnum):
    """What a vote or a save is about; the values are those of the column `kind`."""

    POST = 0
    COMMENT = 1


class Listing(StrEnum):
    """Which posts a list draws from; the values are those of the Lemmy API."""

    ALL = "All"
    LOCAL = "Local"
    SUBSCRIBED = "Subscribed"
    MODERATOR_VIEW = "ModeratorView"


class Sort(StrEnum):
    """Every order of posts; the values are those of the Lemmy API."""

    ACTIVE = "Active"
    HOT = "Hot"
    NEW = "New"
    OLD = "Old"
    TOP_DAY = "TopDay"
    TOP_WEEK = "TopWeek"
    TOP_MONTH = "TopMonth"
    TOP_YEAR = "TopYear"
    TOP_ALL = "TopAll"
    MOST_COMMENTS = "MostComments"
    NEW_COMMENTS = "NewComments"
    TOP_HOUR = "TopHour"
    TOP_SIX_HOUR = "TopSixHour"
    TOP_TWELVE_HOUR = "TopTwelveHour"
    TOP_THREE_MONTHS = "TopThreeMonths"
    TOP_SIX_MONTHS = "TopSixMonths"
    TOP_NINE_MONTHS = "TopNineMonths"
    CONTROVERSIAL = "Controversial"
    SCALED = "Scaled"


class CommentSort(StrEnum):
    """Every order of comments; the values are those of the Lemmy API."""

    HOT = "Hot"
    TOP = "Top"
    NEW = "New"
    OLD = "Old"
    CONTROVERSIAL = "Controversial"


class Subscribed(StrEnum):
    """How a viewer stands to a community."""

    SUBSCRIBED = "Subscribed"
    NOT_SUBSCRIBED = "NotSubscribed"
    PENDING = "Pending"


class Community(msgspec.Struct, frozen=True, gc=False):
    """A community with its tallies; `actor` carries name, title (display name) and pictures.

    `languages` holds the ids of those that may be written here, empty for all. `users_active_…`
    count who wrote or voted here, and are up to a minute old (see activity.py).
    """

    actor: Actor
    tid: str
    languages: tuple[int, ...]
    nsfw: bool
    hidden: bool
    removed: bool
    deleted: bool
    posting_restricted_to_mods: bool
    local_only: bool
    subscribers: int
    subscribers_local: int
    posts: int
    comments: int
    users_active_day: int = 0
    users_active_week: int = 0
    users_active_month: int = 0
    users_active_half_year: int = 0

    @property
    def id(self) -> int:
        """The community's id, which is its actor's."""
        return self.actor.id


class Link(msgspec.Struct, frozen=True, gc=False):
    """What is known of the page a post points to."""

    url: str
    title: str | None = None
    description: str | None = None
    thumbnail: str | None = None
    embed_video_url: str | None = None
    content_type: str | None = None


class Post(msgspec.Struct, frozen=True, gc=False):
    """A post as stored, with its tallies.

    `newest_comment_us` is the time of the newest comment, or of publication without one.
    `active_us` is what Active looks at: the newest comment by somebody else within two days of
    publication (Lemmy calls it newest_comment_time_necro). `held` waits for a moderator and is
    nobody else's but its author's; `unseen` was never public: its first event is yet to come.
    """

    id: PostId
    tid: str
    ap_id: str
    local: bool
    community_id: int
    creator_id: int
    name: str
    url: str | None
    body: str | None
    alt_text: str | None
    link: Link | None
    nsfw: bool
    language_id: int
    published_us: int
    updated_us: int | None
    deleted: bool
    removed: bool
    locked: bool
    featured_community: bool
    featured_local: bool
    up: int
    down: int
    comments: int
    newest_comment_us: int
    active_us: int
    held: bool = False
    unseen: bool = False

    @property
    def score(self) -> int:
        """Upvotes less downvotes."""
        return self.up - self.down


class Comment(msgspec.Struct, frozen=True, gc=False):
    """A comment as stored, with its tallies; `path` is "0.12.34", root first, itself last.

    `held` and `unseen` are as a post's.
    """

    id: CommentId
    tid: str
    ap_id: str
    local: bool
    post_id: PostId
    creator_id: int
    path: str
    content: str
    language_id: int
    published_us: int
    updated_us: int | None
    deleted: bool
    removed: bool
    distinguished: bool
    up: int
    down: int
    children: int
    held: bool = False
    unseen: bool = False

    @property
    def score(self) -> int:
        """Upvotes less downvotes."""
        return self.up - self.down

    @property
    def parent_id(self) -> CommentId | None:
        """The parent comment, None at the top of the thread."""
        parent = self.path.rsplit(".", 2)[-2]
        return None if parent == "0" else CommentId(int(parent))

    @property
    def depth(self) -> int:
        """1 for a comment right under the post."""
        return self.path.count(".")


class CommunityView(msgspec.Struct, frozen=True, gc=False):
    """A community as one viewer sees it."""

    community: Community
    subscribed: Subscribed
    blocked: bool
    banned: bool
    moderates: bool


class Reaction(msgspec.Struct, frozen=True, gc=False):
    """How many people put one emoji on something, and whether the viewer did."""

    emoji: str
    count: int
    mine: bool


class PostView(msgspec.Struct, frozen=True, gc=False):
    """A post as one viewer sees it; without a viewer the personal fields hold their defaults."""

    post: Post
    creator: Actor
    community: Community
    creator_banned_from_community: bool
    creator_is_moderator: bool
    subscribed: Subscribed = Subscribed.NOT_SUBSCRIBED
    saved: bool = False
    read: bool = False
    hidden: bool = False
    creator_blocked: bool = False
    banned_from_community: bool = False
    my_vote: int | None = None
    unread_comments: int = 0
    reactions: tuple[Reaction, ...] = ()  # on its own page alone


class PostAround(msgspec.Struct, frozen=True, gc=False):
    """A post and what stands around it on its own page."""

    view: PostView
    community: CommunityView
    moderators: list[Actor]
    cross_posts: list[PostView]


class CommentView(msgspec.Struct, frozen=True, gc=False):
    """A comment as one viewer sees it."""

    comment: Comment
    creator: Actor
    post: Post
    community: Community
    creator_banned_from_community: bool
    creator_is_moderator: bool
    subscribed: Subscribed = Subscribed.NOT_SUBSCRIBED
    saved: bool = False
    creator_blocked: bool = False
    banned_from_community: bool = False
    my_vote: int | None = None
    reactions: tuple[Reaction, ...] = ()  # in its thread alone


class PersonView(msgspec.Struct, frozen=True):
    """A person with the tallies of its words here."""

    person: Actor
    posts: int
    comments: int


class Page(msgspec.Struct, frozen=True):
    """Where a list goes on: `next` is an opaque cursor, None at the end."""

    next: str | None = None


class PostQuery(msgspec.Struct, frozen=True):
    """What a list of posts is asked for; `page` counts from 1, `cursor` goes before it.

    What is None follows the viewer's settings. `languages` holds ids, empty for all. `among` are
    the only posts the list may hold, None for all; the forum sets it for saved and voted ones.
    """

    listing: Listing = Listing.LOCAL
    sort: Sort = Sort.ACTIVE
    community_id: int | None = None
    creator_id: int | None = None
    page: int = 1
    cursor: str | None = None
    limit: int = PAGE_DEFAULT
    saved_only: bool = False
    liked_only: bool = False
    disliked_only: bool = False
    show_hidden: bool = False
    show_read: bool | None = None
    show_nsfw: bool | None = None
    show_bots: bool | None = None
    languages: tuple[int, ...] | None = None
    among: tuple[int, ...] | None = None


class CommentQuery(msgspec.Struct, frozen=True):
    """What a list of comments is asked for; with `depth_max` it is a tree without a page."""

    listing: Listing = Listing.ALL
    sort: CommentSort = CommentSort.HOT
    post_id: int | None = None
    parent_id: int | None = None
    community_id: int | None = None
    creator_id: int | None = None
    depth_max: int | None = None
    page: int = 1
    limit: int = PAGE_DEFAULT
    saved_only: bool = False
    liked_only: bool = False
    disliked_only: bool = False


class PostDraft(msgspec.Struct, frozen=True):
    """What a person writes as a post; in an edit None leaves a field as it is and "" empties it."""

    name: str | None = None
    url: str | None = None
    body: str | None = None
    alt_text: str | None = None
    nsfw: bool | None = None
    language_id: int | None = None


class Voter(NamedTuple):
    """Who voted on something, and how; for moderators alone."""

    person: Actor
    value: int
    banned_from_community: bool


class Vote(msgspec.Struct, frozen=True):
    """What a person thinks of a post or comment from now on: 1, -1, or 0 for nothing."""

    person_id: int
    kind: SubjectKind
    subject_id: int
    value: int


class SiteCounts(msgspec.Struct, frozen=True):
    """How much there is, and how many people wrote or voted lately; up to a minute old."""

    communities: int
    posts: int
    comments: int
    users_active_day: int
    users_active_week: int
    users_active_month: int
    users_active_half_year: int


class CommunityDraft(msgspec.Struct, frozen=True):
    """What a moderator says of a community; in an edit None leaves a field, "" empties it."""

    title: str | None = None
    description: str | None = None
    icon: str | None = None
    banner: str | None = None
    nsfw: bool | None = None
    posting_restricted_to_mods: bool | None = None
    languages: tuple[int, ...] | None = None
