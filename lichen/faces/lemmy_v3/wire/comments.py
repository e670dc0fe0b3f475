"""Comments, and what is sent to people's inboxes because of them, as the Lemmy API has them."""

from lichen.faces.lemmy_v3.wire.base import (
    PAGE_LENGTH_DEFAULT,
    Answer,
    Ask,
    Depth,
    Id,
    PageLength,
    PageNumber,
    Prose,
    Score,
    Time,
    Word,
)
from lichen.faces.lemmy_v3.wire.communities import Community
from lichen.faces.lemmy_v3.wire.people import Person
from lichen.faces.lemmy_v3.wire.posts import Post
from lichen.forum import CommentSort, Listing, Subscribed


class Comment(Answer, frozen=True, kw_only=True):
    """A comment; `path` is "0.12.34": the root first, itself last."""

    id: int
    creator_id: int
    post_id: int
    content: str
    removed: bool
    published: Time
    updated: Time | None = None
    deleted: bool
    ap_id: str
    local: bool
    path: str
    distinguished: bool
    language_id: int


class CommentAggregates(Answer, frozen=True, kw_only=True):
    """The tallies of a comment."""

    comment_id: int
    score: int
    upvotes: int
    downvotes: int
    published: Time
    child_count: int


class CommentView(Answer, frozen=True, kw_only=True):
    """A comment as one viewer sees it."""

    comment: Comment
    creator: Person
    post: Post
    community: Community
    counts: CommentAggregates
    creator_banned_from_community: bool
    banned_from_community: bool
    creator_is_moderator: bool
    creator_is_admin: bool
    subscribed: Subscribed
    saved: bool
    creator_blocked: bool
    my_vote: int | None = None


class CommentReply(Answer, frozen=True, kw_only=True):
    """That somebody answered."""

    id: int
    recipient_id: int
    comment_id: int
    read: bool
    published: Time


class CommentReplyView(CommentView, frozen=True, kw_only=True):
    """An answer to somebody's post or comment."""

    comment_reply: CommentReply
    recipient: Person


class PersonMention(Answer, frozen=True, kw_only=True):
    """That somebody was named."""

    id: int
    recipient_id: int
    comment_id: int
    read: bool
    published: Time


class PersonMentionView(CommentView, frozen=True, kw_only=True):
    """A comment that names somebody."""

    person_mention: PersonMention
    recipient: Person


class CreateComment(Ask, frozen=True, kw_only=True):
    """Write a comment."""

    content: Prose
    post_id: Id
    parent_id: Id | None = None
    language_id: Id | None = None


class EditComment(Ask, frozen=True, kw_only=True):
    """Change one's comment; what is left out stays."""

    comment_id: Id
    content: Prose | None = None
    language_id: Id | None = None


class DeleteComment(Ask, frozen=True, kw_only=True):
    """Delete one's comment, or bring it back."""

    comment_id: Id
    deleted: bool


class GetComment(Ask, frozen=True, kw_only=True):
    """Ask for a comment."""

    id: Id


class GetComments(Ask, frozen=True, kw_only=True):
    """Ask for comments: a page, or with `max_depth` a tree."""

    type_: Listing | None = None
    sort: CommentSort = CommentSort.HOT
    max_depth: Depth | None = None
    page: PageNumber = 1
    limit: PageLength = PAGE_LENGTH_DEFAULT
    community_id: Id | None = None
    community_name: Word | None = None
    post_id: Id | None = None
    parent_id: Id | None = None
    saved_only: bool = False
    liked_only: bool = False
    disliked_only: bool = False


class CreateCommentLike(Ask, frozen=True, kw_only=True):
    """Vote on a comment: 1, 0 to take it back, -1."""

    comment_id: Id
    score: Score


class SaveComment(Ask, frozen=True, kw_only=True):
    """Keep a comment for later, or no longer."""

    comment_id: Id
    save: bool


class GetInbox(Ask, frozen=True, kw_only=True):
    """Ask for a page of replies or of mentions."""

    sort: CommentSort = CommentSort.NEW
    page: PageNumber = 1
    limit: PageLength = PAGE_LENGTH_DEFAULT
    unread_only: bool = False


class MarkCommentReplyAsRead(Ask, frozen=True, kw_only=True):
    """Mark a reply as read, or as unread."""

    comment_reply_id: Id
    read: bool


class MarkPersonMentionAsRead(Ask, frozen=True, kw_only=True):
    """Mark a mention as read, or as unread."""

    person_mention_id: Id
    read: bool


class CommentResponse(Answer, frozen=True, kw_only=True):
    """A comment after a change; `recipient_ids` is always empty, as in Lemmy since websockets."""

    comment_view: CommentView
    recipient_ids: tuple[int, ...]


class GetCommentsResponse(Answer, frozen=True, kw_only=True):
    """A page or a tree of comments."""

    comments: list[CommentView]


class GetRepliesResponse(Answer, frozen=True, kw_only=True):
    """A page of replies."""

    replies: list[CommentReplyView]


class GetPersonMentionsResponse(Answer, frozen=True, kw_only=True):
    """A page of mentions."""

    mentions: list[PersonMentionView]


class CommentReplyResponse(Answer, frozen=True, kw_only=True):
    """A reply after a change."""

    comment_reply_view: CommentReplyView


class PersonMentionResponse(Answer, frozen=True, kw_only=True):
    """A mention after a change."""

    person_mention_view: PersonMentionView
