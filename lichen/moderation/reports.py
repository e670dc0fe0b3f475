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
from lichen.moderation.limits import PAGE_MAX, PAGE_NUMBER_MAX
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
        view = self._forum.post_view(unit, viewer, post_id)
        _check_reporter(viewer, view)
        if view.post.deleted or view.post.removed:
            raise Refused("deleted", "That post is gone already.")
        post = view.post
        made = self._report(
            unit, viewer, _Subject(
                ReportKind.POST, post_id, view.creator.id, view.community.id, text=post.body,
                name=post.name, url=post.url,
            ), reason,
        )
        return ReportView(report=made, creator=viewer.actor, resolver=None, post=view)

    def report_comment(
        self, unit: Unit, viewer: Viewer, comment_id: int, reason: str
    ) -> ReportView:
        """Report a comment that the viewer can see; twice is refused; three round trips."""
        reason = check_report(reason)
        view = self._forum.comment_view(unit, viewer, comment_id)
        _check_reporter(viewer, view)
        if view.comment.deleted or view.comment.removed:
            raise Refused("deleted", "That comment is gone already.")
        made = self._report(
            unit, viewer, _Subject(
                ReportKind.COMMENT, comment_id, view.creator.id, view.community.id,
                text=view.comment.content,
            ), reason,
        )
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
        self._check_judge_of(unit, viewer, report)
        if report.resolved != resolved:
            report = msgspec.structs.replace(
                report, resolved=resolved, resolver_id=viewer.id, updated_us=unit.clock_us
            )
            unit.stage(report_rows.RESOLVE, {
                "row_id": report.id, "is_resolved": resolved, "judge_id": viewer.id,
                "now_us": unit.clock_us,
            })
            self._tell_report(unit, report, reporter=self._accounts.actors(
                unit, [report.creator_id])[report.creator_id], is_new=False)
            # The item stands for all reports of the thing: it goes with the last of them.
            waits = unit.fetch(
                report_rows.LISTED, kind=kind.value, all=False, everywhere=True, communities=[],
                subject_id=report.subject_id, limit=1, offset=0,
            )
            state = ItemState.OPEN if waits else ItemState.CLOSED
            self.settle(unit, ItemKind.REPORT, kind.value, report.subject_id, state=state)
        return self._report_views(unit, viewer, [report])[0]

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
        if unit.fetch(
            report_rows.MINE, creator_id=viewer.id, kind=about.kind.value,
            subject_id=about.id,
        ):
            # Lemmy 0.19: the unique key of reports, answered so.
            raise Refused("couldnt_create_report", "You have reported that already.")
        (number,) = unit.take_numbers("report")
        report = Report(
            id=number, tid=self._tids.next(), kind=about.kind, creator_id=viewer.id,
            subject_id=about.id, community_id=about.community_id, original_name=about.name,
            original_url=about.url, original_text=about.text, reason=reason, resolved=False,
            resolver_id=None, published_us=unit.clock_us, updated_us=None,
        )
        unit.stage(report_rows.KEEP, report_rows.row_of_report(report))
        self._tell_report(unit, report, reporter=viewer.actor, is_new=True)
        self.wait(unit, QueueItem(
            kind=ItemKind.REPORT, subject_kind=about.kind.value, subject_id=about.id,
            community_id=about.community_id, person_id=about.author_id, since_us=unit.clock_us,
            evidence=reason,
        ))
        return report

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

    def _check_judge_of(self, unit: Unit, viewer: Viewer, report: Report) -> None:
        if report.community_id is None:
            if viewer.actor.banned or not viewer.admin:
                raise Forbidden("not_an_admin", "Only administrators read reported messages.")
            return
        views = self._forum.community_views(unit, viewer, [report.community_id])
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
