"""The calls about reports of posts, comments and private messages."""

from collections.abc import Callable

from lichen.faces.hooked import ask_before_report
from lichen.faces.lemmy_v3 import views, wire
from lichen.faces.lemmy_v3.asking import Caller, Parts
from lichen.moderation import ReportKind, ReportQuery, ReportView
from lichen.store import Unit


async def create_post_report(
    parts: Parts, caller: Caller, asked: wire.CreatePostReport
) -> wire.PostReportResponse:
    """Report a post to who moderates there."""
    viewer = caller.person()
    await ask_before_report(parts, viewer, "post", asked.post_id, asked.reason)
    made = await parts.store.write(
        lambda unit: parts.moderation.report_post(unit, viewer, asked.post_id, asked.reason)
    )
    return wire.PostReportResponse(post_report_view=_post_report(made))


async def resolve_post_report(
    parts: Parts, caller: Caller, asked: wire.ResolvePostReport
) -> wire.PostReportResponse:
    """Mark a report of a post as dealt with, or open it again."""
    resolve = _resolving(parts, caller, ReportKind.POST, asked)
    return wire.PostReportResponse(post_report_view=_post_report(await parts.store.write(resolve)))


async def list_post_reports(
    parts: Parts, caller: Caller, asked: wire.ListPostReports
) -> wire.ListPostReportsResponse:
    """Return a page of reports of posts that wait on the caller."""
    viewer = caller.person()
    query = ReportQuery(
        ReportKind.POST, unresolved_only=asked.unresolved_only, community_id=asked.community_id,
        subject_id=asked.post_id, page=asked.page, limit=asked.limit,
    )
    found = await parts.store.read(lambda unit: parts.moderation.reports(unit, viewer, query))
    return wire.ListPostReportsResponse(post_reports=[_post_report(one) for one in found])


async def create_comment_report(
    parts: Parts, caller: Caller, asked: wire.CreateCommentReport
) -> wire.CommentReportResponse:
    """Report a comment to who moderates there."""
    viewer = caller.person()
    await ask_before_report(parts, viewer, "comment", asked.comment_id, asked.reason)
    made = await parts.store.write(
        lambda unit: parts.moderation.report_comment(unit, viewer, asked.comment_id, asked.reason)
    )
    return wire.CommentReportResponse(comment_report_view=_comment_report(made))


async def resolve_comment_report(
    parts: Parts, caller: Caller, asked: wire.ResolveCommentReport
) -> wire.CommentReportResponse:
    """Mark a report of a comment as dealt with, or open it again."""
    resolve = _resolving(parts, caller, ReportKind.COMMENT, asked)
    resolved = await parts.store.write(resolve)
    return wire.CommentReportResponse(comment_report_view=_comment_report(resolved))


async def list_comment_reports(
    parts: Parts, caller: Caller, asked: wire.ListCommentReports
) -> wire.ListCommentReportsResponse:
    """Return a page of reports of comments that wait on the caller."""
    viewer = caller.person()
    query = ReportQuery(
        ReportKind.COMMENT, unresolved_only=asked.unresolved_only,
        community_id=asked.community_id, subject_id=asked.comment_id, page=asked.page,
        limit=asked.limit,
    )
    found = await parts.store.read(lambda unit: parts.moderation.reports(unit, viewer, query))
    return wire.ListCommentReportsResponse(comment_reports=[_comment_report(one) for one in found])


async def create_private_message_report(
    parts: Parts, caller: Caller, asked: wire.CreatePrivateMessageReport
) -> wire.PrivateMessageReportResponse:
    """Report a private message that the caller got."""
    viewer = caller.person()
    await ask_before_report(parts, viewer, "message", asked.private_message_id, asked.reason)
    made = await parts.store.write(lambda unit: parts.moderation.report_message(
        unit, viewer, asked.private_message_id, asked.reason
    ))
    return wire.PrivateMessageReportResponse(private_message_report_view=_message_report(made))


async def resolve_private_message_report(
    parts: Parts, caller: Caller, asked: wire.ResolvePrivateMessageReport
) -> wire.PrivateMessageReportResponse:
    """Mark a report of a private message as dealt with, or open it again."""
    resolved = await parts.store.write(_resolving(parts, caller, ReportKind.MESSAGE, asked))
    return wire.PrivateMessageReportResponse(private_message_report_view=_message_report(resolved))


async def list_private_message_reports(
    parts: Parts, caller: Caller, asked: wire.ListPrivateMessageReports
) -> wire.ListPrivateMessageReportsResponse:
    """Return a page of reports of private messages, for administrators."""
    viewer = caller.person()
    query = ReportQuery(
        ReportKind.MESSAGE, unresolved_only=asked.unresolved_only, page=asked.page,
        limit=asked.limit,
    )
    found = await parts.store.read(lambda unit: parts.moderation.reports(unit, viewer, query))
    return wire.ListPrivateMessageReportsResponse(
        private_message_reports=[_message_report(one) for one in found]
    )


async def get_report_count(
    parts: Parts, caller: Caller, asked: wire.GetReportCount
) -> wire.GetReportCountResponse:
    """Return how many reports wait on the caller."""
    viewer = caller.person()
    counts = await parts.store.read(lambda unit: parts.moderation.report_counts(
        unit, viewer, community_id=asked.community_id
    ))
    return wire.GetReportCountResponse(
        community_id=asked.community_id, comment_reports=counts.comments,
        post_reports=counts.posts, private_message_reports=counts.messages,
    )


def _resolving(
    parts: Parts, caller: Caller, kind: ReportKind,
    asked: (
        wire.ResolvePostReport | wire.ResolveCommentReport | wire.ResolvePrivateMessageReport
    ),
) -> Callable[[Unit], ReportView]:
    viewer = caller.person()
    return lambda unit: parts.moderation.resolve_report(
        unit, viewer, kind, asked.report_id, resolved=asked.resolved
    )


def _post_report(view: ReportView) -> wire.PostReportView:
    assert view.post is not None, "a report of a post has one"
    report, seen = view.report, views.post_view(view.post)
    return wire.PostReportView(
        post_report=wire.PostReport(
            id=report.id, creator_id=report.creator_id, post_id=report.subject_id,
            original_post_name=report.original_name or "",
            original_post_url=report.original_url, original_post_body=report.original_text,
            reason=report.reason, resolved=report.resolved, resolver_id=report.resolver_id,
            published=wire.time_of(report.published_us),
            updated=wire.maybe_time_of(report.updated_us),
        ),
        post=seen.post, community=seen.community, creator=views.person(view.creator),
        post_creator=seen.creator,
        creator_banned_from_community=seen.creator_banned_from_community,
        creator_is_moderator=seen.creator_is_moderator, creator_is_admin=seen.creator_is_admin,
        subscribed=seen.subscribed, saved=seen.saved, read=seen.read, hidden=seen.hidden,
        creator_blocked=seen.creator_blocked, my_vote=seen.my_vote,
        unread_comments=seen.unread_comments, counts=seen.counts,
        resolver=views.person(view.resolver) if view.resolver else None,
    )


def _comment_report(view: ReportView) -> wire.CommentReportView:
    assert view.comment is not None, "a report of a comment has one"
    report, seen = view.report, views.comment_view(view.comment)
    return wire.CommentReportView(
        comment_report=wire.CommentReport(
            id=report.id, creator_id=report.creator_id, comment_id=report.subject_id,
            original_comment_text=report.original_text or "", reason=report.reason,
            resolved=report.resolved, resolver_id=report.resolver_id,
            published=wire.time_of(report.published_us),
            updated=wire.maybe_time_of(report.updated_us),
        ),
        comment=seen.comment, post=seen.post, community=seen.community,
        creator=views.person(view.creator), comment_creator=seen.creator, counts=seen.counts,
        creator_banned_from_community=seen.creator_banned_from_community,
        creator_is_moderator=seen.creator_is_moderator, creator_is_admin=seen.creator_is_admin,
        creator_blocked=seen.creator_blocked, subscribed=seen.subscribed, saved=seen.saved,
        my_vote=seen.my_vote, resolver=views.person(view.resolver) if view.resolver else None,
    )


def _message_report(view: ReportView) -> wire.PrivateMessageReportView:
    assert view.message is not None, "a report of a message has one"
    report, one = view.report, view.message
    return wire.PrivateMessageReportView(
        private_message_report=wire.PrivateMessageReport(
            id=report.id, creator_id=report.creator_id, private_message_id=report.subject_id,
            original_pm_text=report.original_text or "", reason=report.reason,
            resolved=report.resolved, resolver_id=report.resolver_id,
            published=wire.time_of(report.published_us),
            updated=wire.maybe_time_of(report.updated_us),
        ),
        private_message=wire.PrivateMessage(
            id=one.id, creator_id=one.creator.id, recipient_id=one.recipient.id,
            content=one.content, deleted=one.deleted, read=one.read,
            published=wire.time_of(one.published_us), updated=wire.maybe_time_of(one.updated_us),
            ap_id=one.ap_id, local=one.local,
        ),
        private_message_creator=views.person(one.creator), creator=views.person(view.creator),
        resolver=views.person(view.resolver) if view.resolver else None,
    )
