"""Reports: made once by a person about a thing, seen by who moderates there, resolved."""

from collections.abc import Sequence
from typing import NamedTuple

import msgspec

from lichen.accounts import Actor, Viewer
from lichen.events import event_of
from lichen.events import moderation as records
from lichen.forum import CommentView, PostView, check_moderator
from lichen.kit import Forbidden, NotFound, Refused, isoformat
from lichen.moderation import report_rows
from lichen.moderation.cases import ItemKind, ItemState, QueueItem
from lichen.moderation.limits import PAGE_MAX, PAGE_NUMBER_MAX, REPORTS_TOLD_MAX
from lichen.moderation.model import (
    Report,
    ReportCounts,
    ReportedMessage,
    ReportKind,
    ReportQuery,
    ReportView,
    check_report,
)
from lichen.moderation.part import Part
from lichen.store import Unit


class _Subject(NamedTuple):
    """What is reported, as it is now."""

    kind: ReportKind
    id: int
    author_id: int
    community_id: int | None
    text: str | None
    name: str | None = None
    url: str | None = None


class Reports(Part):
    """Commands and queries about reports."""

    def report_post(self, unit: Unit, viewer: Viewer, post_id: int, reason: str) -> ReportView:
        """Report a post that the viewer can see; twice is refused; three round trips."""
        reason = check_report(reason)
        view, subject = self._post_seen(unit, viewer, post_id)
        made = self._report(unit, viewer, subject, reason)
        return ReportView(report=made, creator=viewer.actor, resolver=None, post=view)

    def report_comment(
        self, unit: Unit, viewer: Viewer, comment_id: int, reason: str
    ) -> ReportView:
        """Report a comment that the viewer can see; twice is refused; three round trips."""
        reason = check_report(reason)
        view, subject = self._comment_seen(unit, viewer, comment_id)
        made = self._report(unit, viewer, subject, reason)
        return ReportView(report=made, creator=viewer.actor, resolver=None, comment=view)

    def report_message(
        self, unit: Unit, viewer: Viewer, message_id: int, reason: str
    ) -> ReportView:
        """Report a private message to the administrators, as who got it."""
        reason = check_report(reason)
        found = self._reported(unit, [message_id]).get(message_id)
        # Lemmy 0.19, private_message_report/create.rs: who sent it cannot tell that it exists.
        if found is None or found.recipient.id != viewer.id:
            raise NotFound("couldnt_find_private_message", "You got no such message.")
        made = self._report(
            unit, viewer, _Subject(
                ReportKind.MESSAGE, message_id, found.creator.id, None, text=found.content
            ), reason,
        )
        return ReportView(report=made, creator=viewer.actor, resolver=None, message=found)

    def reports(self, unit: Unit, viewer: Viewer, query: ReportQuery) -> list[ReportView]:
        """Return a page of reports, the newest first: of one's communities, or all for admins.

        Three round trips, whatever its length.
        """
        moderated = self._judged(unit, viewer)
        if query.kind is ReportKind.MESSAGE and not viewer.admin:
            raise Forbidden("not_an_admin", "Only administrators read reported messages.")
        wanted = moderated
        if query.community_id is not None:
            is_ours = moderated is None or query.community_id in moderated
            wanted = [query.community_id] if is_ours else []
        if not 1 <= query.limit <= PAGE_MAX or not 1 <= query.page <= PAGE_NUMBER_MAX:
            raise Refused("invalid_page", f"A page has 1 to {PAGE_MAX} entries; count from 1.")
        rows = unit.fetch(
            report_rows.LISTED, kind=query.kind.value, all=not query.unresolved_only,
            everywhere=wanted is None, communities=wanted or [], subject_id=query.subject_id,
            limit=query.limit, offset=(query.page - 1) * query.limit,
        )
        return self._report_views(unit, viewer, [report_rows.report_from(row) for row in rows])

    def resolve_report(
        self, unit: Unit, viewer: Viewer, kind: ReportKind, report_id: int, *, resolved: bool
    ) -> ReportView:
        """Mark a report as dealt with, or open it again; twice is once."""
        rows = unit.fetch(report_rows.FIND, id=report_id, kind=kind.value)
        if not rows:
            raise NotFound("couldnt_find_report", "There is no such report.")
        report = report_rows.report_from(rows[0])
        self._check_judge_of(unit, viewer, report.community_id)
        if report.resolved != resolved:
            reporter = self._accounts.actors(unit, [report.creator_id])[report.creator_id]
            report = self._conclude(unit, viewer, report, reporter, resolved=resolved)
        return self._report_views(unit, viewer, [report])[0]

    def resolve_report_of(
        self, unit: Unit, viewer: Viewer, reporter: Viewer, kind: ReportKind, subject_id: int, *,
        resolved: bool,
    ) -> None:
        """Mark the report that somebody made of something as dealt with, or open it again.

        For what another server says. A report from elsewhere that has not come yet is kept as dealt
        with and without words, which come with it: so the two may come in either order. Twice is
        once.
        """
        found = unit.fetch(report_rows.MINE, creator_id=reporter.id, kind=kind.value,
                           subject_id=subject_id)
        if not found and (reporter.actor.local or not resolved):
            raise NotFound("couldnt_find_report", "There is no such report.")
        if found:
            report = report_rows.report_from(found[0])
            self._check_judge_of(unit, viewer, report.community_id)
        else:
            seen = self._post_seen if kind is ReportKind.POST else self._comment_seen
            _, subject = seen(unit, reporter, subject_id)
            self._check_judge_of(unit, viewer, subject.community_id)
            report = self._keep_report(unit, reporter, subject, "")
        if report.resolved != resolved:
            self._conclude(unit, viewer, report, reporter.actor, resolved=resolved)

    def reports_by_id(self, unit: Unit, ids: Sequence[int]) -> dict[int, Report]:
        """Return reports; one round trip.

        For whoever tells other servers: nothing in it may be shown to people as it is.
        """
        return {row.id: report_rows.report_from(row)
                for row in unit.fetch(report_rows.OF_IDS, ids=list(ids))}

    def dismiss_reports(self, unit: Unit, viewer: Viewer, kind: str, subject_id: int) -> None:
        """Mark all reports of something as dealt with, and tell of each; two round trips."""
        rows = unit.fetch(
            report_rows.LISTED, kind=kind, all=False, everywhere=True, communities=[],
            subject_id=subject_id, limit=REPORTS_TOLD_MAX, offset=0,
        )
        reporters = self._accounts.actors(unit, sorted({row.creator_id for row in rows}))
        for row in rows:
            report = msgspec.structs.replace(report_rows.report_from(row), resolved=True)
            self._tell_report(unit, report, reporter=reporters[row.creator_id], is_new=False)
        unit.stage(report_rows.DISMISS_ALL, {
            "of_kind": kind, "of_subject_id": subject_id, "judge_id": viewer.id,
            "now_us": unit.clock_us,
        })

    def report_counts(
        self, unit: Unit, viewer: Viewer, *, community_id: int | None = None
    ) -> ReportCounts:
        """Return how many reports wait on the viewer; one round trip."""
        moderated = self._judged(unit, viewer)
        wanted = moderated
        if community_id is not None:
            is_ours = moderated is None or community_id in moderated
            wanted = [community_id] if is_ours else []
        rows = unit.fetch(
            report_rows.WAITING, everywhere=wanted is None, communities=wanted or []
        )
        counts = {row.kind: int(row.count) for row in rows}
        sees_messages = viewer.admin and community_id is None
        return ReportCounts(
            posts=counts.get(ReportKind.POST, 0), comments=counts.get(ReportKind.COMMENT, 0),
            messages=counts.get(ReportKind.MESSAGE, 0) if sees_messages else None,
        )

    def _report(
        self, unit: Unit, viewer: Viewer, about: _Subject, reason: str
    ) -> Report:
        found = unit.fetch(
            report_rows.MINE, creator_id=viewer.id, kind=about.kind.value, subject_id=about.id
        )
        if found and (found[0].reason or viewer.actor.local):
            # Lemmy 0.19: the unique key of reports, answered so.
            raise Refused("couldnt_create_report", "You have reported that already.")
        if found:  # it was dealt with before it came
            report = msgspec.structs.replace(report_rows.report_from(found[0]), reason=reason)
            unit.stage(report_rows.GIVE_REASON, {"row_id": report.id, "new_reason": reason})
        else:
            report = self._keep_report(unit, viewer, about, reason)
        if not report.resolved:
            self.wait(unit, QueueItem(
                kind=ItemKind.REPORT, subject_kind=about.kind.value, subject_id=about.id,
                community_id=about.community_id, person_id=about.author_id,
                since_us=unit.clock_us, evidence=reason,
            ))
        return report

    def _keep_report(self, unit: Unit, viewer: Viewer, about: _Subject, reason: str) -> Report:
        (number,) = unit.take_numbers("report")
        report = Report(
            id=number, tid=self._tids.next(), kind=about.kind, creator_id=viewer.id,
            subject_id=about.id, community_id=about.community_id, original_name=about.name,
            original_url=about.url, original_text=about.text, reason=reason, resolved=False,
            resolver_id=None, published_us=unit.clock_us, updated_us=None,
        )
        unit.stage(report_rows.KEEP, report_rows.row_of_report(report))
        self._tell_report(unit, report, reporter=viewer.actor, is_new=True)
        return report

    def _conclude(
        self, unit: Unit, viewer: Viewer, report: Report, reporter: Actor, *, resolved: bool
    ) -> Report:
        """Mark a report as dealt with, or open it again, and return it as it is then."""
        report = msgspec.structs.replace(
            report, resolved=resolved, resolver_id=viewer.id, updated_us=unit.clock_us
        )
        unit.stage(report_rows.RESOLVE, {
            "row_id": report.id, "is_resolved": resolved, "judge_id": viewer.id,
            "now_us": unit.clock_us,
        })
        self._tell_report(unit, report, reporter=reporter, is_new=False)
        # The item stands for all reports of the thing: it goes with the last of them.
        waits = unit.fetch(
            report_rows.LISTED, kind=report.kind.value, all=False, everywhere=True, communities=[],
            subject_id=report.subject_id, limit=1, offset=0,
        )
        state = ItemState.OPEN if waits else ItemState.CLOSED
        self.settle(unit, ItemKind.REPORT, report.kind.value, report.subject_id, state=state)
        return report

    def _post_seen(
        self, unit: Unit, viewer: Viewer, post_id: int
    ) -> tuple[PostView, _Subject]:
        """Return a post that the viewer may report, and what of it a report keeps."""
        view = self._forum.post_view(unit, viewer, post_id)
        _check_reporter(viewer, view)
        post = view.post
        if post.deleted or post.removed:
            raise Refused("deleted", "That post is gone already.")
        return view, _Subject(
            ReportKind.POST, post_id, view.creator.id, view.community.id, text=post.body,
            name=post.name, url=post.url,
        )

    def _comment_seen(
        self, unit: Unit, viewer: Viewer, comment_id: int
    ) -> tuple[CommentView, _Subject]:
        """Return a comment that the viewer may report, and what of it a report keeps."""
        view = self._forum.comment_view(unit, viewer, comment_id)
        _check_reporter(viewer, view)
        comment = view.comment
        if comment.deleted or comment.removed:
            raise Refused("deleted", "That comment is gone already.")
        return view, _Subject(
            ReportKind.COMMENT, comment_id, view.creator.id, view.community.id,
            text=comment.content,
        )

    def _tell_report(
        self, unit: Unit, report: Report, *, reporter: Actor, is_new: bool
    ) -> None:
        record = records.Report(
            kind=report.kind.value, subject=report.subject_id, reason=report.reason,
            created_at=isoformat(report.published_us), resolved=report.resolved,
        )
        unit.emit(event_of(
            record, id=self._tids.next(), did=reporter.did,
            operation="create" if is_new else "update", rkey=report.tid, row=report.id,
        ))

    def _check_judge_of(self, unit: Unit, viewer: Viewer, community_id: int | None) -> None:
        if community_id is None:
            if viewer.actor.banned or not viewer.admin:
                raise Forbidden("not_an_admin", "Only administrators read reported messages.")
            return
        views = self._forum.community_views(unit, viewer, [community_id])
        if not views:
            raise NotFound("couldnt_find_report", "There is no such report.")
        check_moderator(viewer, views[0])

    def _report_views(
        self, unit: Unit, viewer: Viewer, reports: Sequence[Report]
    ) -> list[ReportView]:
        """Return reports with what they are about; a report of what was purged is left out."""
        if not reports:
            return []
        by_kind = {
            kind: sorted({one.subject_id for one in reports if one.kind is kind})
            for kind in ReportKind
        }
        scene = self._forum.scene_of(
            unit, viewer, posts=by_kind[ReportKind.POST], comments=by_kind[ReportKind.COMMENT]
        )
        messages = self._reported(unit, by_kind[ReportKind.MESSAGE])
        people = self._accounts.actors(unit, sorted(
            {one.creator_id for one in reports}
            | {one.resolver_id for one in reports if one.resolver_id is not None}
        ))
        views = [
            ReportView(
                report=one, creator=people[one.creator_id],
                resolver=people.get(one.resolver_id or 0),
                post=scene.posts.get(one.subject_id) if one.kind is ReportKind.POST else None,
                comment=(
                    scene.comments.get(one.subject_id) if one.kind is ReportKind.COMMENT else None
                ),
                message=messages.get(one.subject_id) if one.kind is ReportKind.MESSAGE else None,
            )
            for one in reports
        ]
        return [view for view in views if view.post or view.comment or view.message]

    def _reported(self, unit: Unit, ids: list[int]) -> dict[int, ReportedMessage]:
        if self._messages is None or not ids:
            return {}
        return self._messages.reported(unit, ids)


def _check_reporter(viewer: Viewer, view: PostView | CommentView) -> None:
    """Refuse whoever may not speak in the community."""
    # Lemmy 0.19, post_report/create.rs: check_community_user_action.
    if viewer.actor.banned:
        raise Forbidden("site_ban", "You are banned from this site.")
    if view.banned_from_community:
        raise Forbidden("banned_from_community", "You are banned from this community.")
