"""Reports of posts, comments and private messages, as the Lemmy API takes and shows them."""

from lichen.faces.lemmy_v3.wire.base import (
    PAGE_LENGTH_DEFAULT,
    Answer,
    Ask,
    Id,
    PageLength,
    PageNumber,
    Prose,
    Time,
)
from lichen.faces.lemmy_v3.wire.comments import Comment, CommentAggregates
from lichen.faces.lemmy_v3.wire.communities import Community
from lichen.faces.lemmy_v3.wire.messages import PrivateMessage
from lichen.faces.lemmy_v3.wire.people import Person
from lichen.faces.lemmy_v3.wire.posts import Post, PostAggregates
from lichen.forum import Subscribed


class PostReport(Answer, frozen=True, kw_only=True):
    """A report of a post, with its text as it was then."""

    id: int
    creator_id: int
    post_id: int
    original_post_name: str
    original_post_url: str | None = None
    original_post_body: str | None = None
    reason: str
    resolved: bool
    resolver_id: int | None = None
    published: Time
    updated: Time | None = None


class PostReportView(Answer, frozen=True, kw_only=True):
    """A report of a post with all that is needed to decide about it."""

    post_report: PostReport
    post: Post
    community: Community
    creator: Person
    post_creator: Person
    creator_banned_from_community: bool
    creator_is_moderator: bool
    creator_is_admin: bool
    subscribed: Subscribed
    saved: bool
    read: bool
    hidden: bool
    creator_blocked: bool
    my_vote: int | None = None
    unread_comments: int
    counts: PostAggregates
    resolver: Person | None = None


class CommentReport(Answer, frozen=True, kw_only=True):
    """A report of a comment, with its text as it was then."""

    id: int
    creator_id: int
    comment_id: int
    original_comment_text: str
    reason: str
    resolved: bool
    resolver_id: int | None = None
    published: Time
    updated: Time | None = None


class CommentReportView(Answer, frozen=True, kw_only=True):
    """A report of a comment with all that is needed to decide about it."""

    comment_report: CommentReport
    comment: Comment
    post: Post
    community: Community
    creator: Person
    comment_creator: Person
    counts: CommentAggregates
    creator_banned_from_community: bool
    creator_is_moderator: bool
    creator_is_admin: bool
    creator_blocked: bool
    subscribed: Subscribed
    saved: bool
    my_vote: int | None = None
    resolver: Person | None = None


class CreatePostReport(Ask, frozen=True, kw_only=True):
    """Report a post."""

    post_id: Id
    reason: Prose


class CreateCommentReport(Ask, frozen=True, kw_only=True):
    """Report a comment."""

    comment_id: Id
    reason: Prose


class ResolvePostReport(Ask, frozen=True, kw_only=True):
    """Mark a report as dealt with, or open it again."""

    report_id: Id
    resolved: bool


class ResolveCommentReport(Ask, frozen=True, kw_only=True):
    """Mark a report as dealt with, or open it again."""

    report_id: Id
    resolved: bool


class ListPostReports(Ask, frozen=True, kw_only=True):
    """Ask for a page of reports of posts."""

    page: PageNumber = 1
    limit: PageLength = PAGE_LENGTH_DEFAULT
    unresolved_only: bool = False
    community_id: Id | None = None
    post_id: Id | None = None


class ListCommentReports(Ask, frozen=True, kw_only=True):
    """Ask for a page of reports of comments."""

    comment_id: Id | None = None
    page: PageNumber = 1
    limit: PageLength = PAGE_LENGTH_DEFAULT
    unresolved_only: bool = False
    community_id: Id | None = None


class PrivateMessageReport(Answer, frozen=True, kw_only=True):
    """A report of a private message, with its text as it was then."""

    id: int
    creator_id: int
    private_message_id: int
    original_pm_text: str
    reason: str
    resolved: bool
    resolver_id: int | None = None
    published: Time
    updated: Time | None = None


class PrivateMessageReportView(Answer, frozen=True, kw_only=True):
    """A report of a private message with its people."""

    private_message_report: PrivateMessageReport
    private_message: PrivateMessage
    private_message_creator: Person
    creator: Person
    resolver: Person | None = None


class CreatePrivateMessageReport(Ask, frozen=True, kw_only=True):
    """Report a private message that one got."""

    private_message_id: Id
    reason: Prose


class ResolvePrivateMessageReport(Ask, frozen=True, kw_only=True):
    """Mark a report as dealt with, or open it again."""

    report_id: Id
    resolved: bool


class ListPrivateMessageReports(Ask, frozen=True, kw_only=True):
    """Ask for a page of reports of private messages."""

    page: PageNumber = 1
    limit: PageLength = PAGE_LENGTH_DEFAULT
    unresolved_only: bool = False


class PrivateMessageReportResponse(Answer, frozen=True, kw_only=True):
    """A report after a change."""

    private_message_report_view: PrivateMessageReportView


class ListPrivateMessageReportsResponse(Answer, frozen=True, kw_only=True):
    """A page of reports of private messages."""

    private_message_reports: list[PrivateMessageReportView]


class PostReportResponse(Answer, frozen=True, kw_only=True):
    """A report after a change."""

    post_report_view: PostReportView


class CommentReportResponse(Answer, frozen=True, kw_only=True):
    """A report after a change."""

    comment_report_view: CommentReportView


class ListPostReportsResponse(Answer, frozen=True, kw_only=True):
    """A page of reports of posts."""

    post_reports: list[PostReportView]


class ListCommentReportsResponse(Answer, frozen=True, kw_only=True):
    """A page of reports of comments."""

    comment_reports: list[CommentReportView]
