"""The queue: everything that waits on a moderator, one list, with all that is needed to decide.

    reports, appeals, what rooms hand in (rows) ─┐
    applications (accounts keep them)           ─┴─► by time, cut ─► contents ─► histories

Whatever the length of a page, it takes the same number of round trips.
"""

from collections.abc import Sequence
from typing import NamedTuple

from lichen.accounts import Actor, Application, Viewer
from lichen.forum import CommentView, Scene, SubjectKind
from lichen.kit import NotFound, Refused
from lichen.moderation import action_rows, proposal_rows, queue_rows, report_rows
from lichen.moderation.appeals import Appeals
from lichen.moderation.cases import (
    Appeal,
    History,
    ItemKind,
    ItemState,
    PlaceCount,
    QueueItem,
    QueuePage,
    QueueQuery,
    RemarkKind,
    Waiting,
)
from lichen.moderation.limits import APPLICATIONS_MAX, PAGE_MAX, PLACES_MAX
from lichen.moderation.model import Action, ReportedMessage
from lichen.moderation.proposal import Proposal
from lichen.moderation.proposals import Proposals
from lichen.moderation.reports import Reports
from lichen.store import Row, Unit


class Queue(Appeals, Reports, Proposals):
    """The query for what waits, and the commands that end the waiting without an act."""

    def queue(self, unit: Unit, viewer: Viewer, query: QueueQuery) -> QueuePage:
        """Return a page of what waits on the viewer, the longest-waiting first.

        Moderators see what is their communities', administrators all. Ten round trips at most.
        """
        moderated = self._judged(unit, viewer)
        if not 1 <= query.limit <= PAGE_MAX:
            raise Refused("invalid_limit", f"A page has 1 to {PAGE_MAX} entries.")
        wanted = moderated
        if query.community_id is not None:
            is_ours = moderated is None or query.community_id in moderated
            wanted = [query.community_id] if is_ours else []
        after_us, after_id = _place(query.after)
        rows = unit.fetch(
            queue_rows.PAGE, state=query.state.value, kind=query.kind,
            after_us=after_us, after_id=after_id, everywhere=wanted is None,
            communities=wanted or [], limit=query.limit + 1,
        )
        found = [_Found(queue_rows.item_from(row), row.id, row.state) for row in rows]
        if wanted is None and query.kind in (None, ItemKind.APPLICATION):
            found += self._applications(unit, viewer, query, (after_us, after_id))
            found.sort(key=_Found.place)
        page = found[:query.limit]
        last = page[-1] if len(found) > query.limit else None
        return QueuePage(
            items=tuple(self._waiting(unit, viewer, page, moderated)),
            next=f"{last.item.since_us}-{last.id}" if last else None,
        )

    def places(
        self, unit: Unit, viewer: Viewer, state: ItemState = ItemState.OPEN
    ) -> list[PlaceCount]:
        """Return where things wait on the viewer and how many, most first; three round trips."""
        moderated = self._judged(unit, viewer)
        rows = unit.fetch(
            queue_rows.COUNT_BY_PLACE, state=state.value, everywhere=moderated is None,
            communities=moderated or [], limit=PLACES_MAX,
        )
        views = {view.community.id: view for view in self._forum.community_views(
            unit, viewer, [row.community_id for row in rows]
        )} if rows else {}
        return [
            PlaceCount(views[row.community_id], int(row.count))
            for row in rows if row.community_id in views
        ]

    def waiting(self, unit: Unit, viewer: Viewer, item_id: int) -> Waiting:
        """Return an item that the viewer may decide about, locked, with its contents."""
        row = self._waiting_row(unit, viewer, item_id)
        page = [_Found(queue_rows.item_from(row), int(row.id), str(row.state))]
        return self._waiting(unit, viewer, page, self._moderated(unit, viewer))[0]

    def dismiss(self, unit: Unit, viewer: Viewer, item_id: int) -> None:
        """Leave what waits as it is: reports are resolved, what was held becomes public."""
        row = self._waiting_row(unit, viewer, item_id)
        if row.kind == ItemKind.HELD:
            kind = SubjectKind[row.subject_kind.upper()]
            self._forum.approve_held(unit, viewer, kind, row.subject_id)
        if row.kind == ItemKind.APPEAL:
            raise Refused("couldnt_dismiss", "An appeal is upheld or denied.")
        if row.kind == ItemKind.PROPOSAL:
            raise Refused("couldnt_dismiss", "A proposal is accepted or declined, with a reason.")
        self.dismiss_reports(unit, viewer, row.subject_kind, row.subject_id)
        self.settle(unit, ItemKind(row.kind), row.subject_kind, row.subject_id)

    def escalate(
        self, unit: Unit, viewer: Viewer, item_id: int, *, reason: str = ""
    ) -> None:
        """Hand something up to the administrators; of a proposal its members are told why."""
        row = self._waiting_row(unit, viewer, item_id)
        if row.kind == ItemKind.PROPOSAL:
            self.pass_up_proposal(unit, viewer, row.subject_id, reason=reason)
            return
        self.settle(
            unit, ItemKind(row.kind), row.subject_kind, row.subject_id, state=ItemState.ESCALATED
        )

    def histories(
        self, unit: Unit, ids: Sequence[int], *, moderated: list[int] | None
    ) -> dict[int, History]:
        """Return what is known of people, as far as the viewer may know it; one round trip."""
        asked = {
            "ids": list(ids), "now_us": unit.clock_us, "everywhere": moderated is None,
            "communities": moderated or [],
        }
        remarks, removals, reports, people = unit.fetch_all(
            (queue_rows.REMARKS, asked), (queue_rows.REMOVALS, asked),
            (queue_rows.REPORTS_MADE, asked), self._accounts.actors_query(unit, ids),
        )
        kept = {(row.person_id, row.kind): int(row.count) for row in remarks}
        removed = {row.person_id: int(row.count) for row in removals}
        made = {row.creator_id: (int(row.made), int(row.upheld)) for row in reports}
        return {
            key: History(
                since_us=actor.published_us, strikes=kept.get((key, RemarkKind.STRIKE), 0),
                notes=kept.get((key, RemarkKind.NOTE), 0), removals=removed.get(key, 0),
                reports_made=made.get(key, (0, 0))[0], reports_upheld=made.get(key, (0, 0))[1],
            )
            for key, actor in self._accounts.actors_from(people).items()
        }

    def _applications(
        self, unit: Unit, viewer: Viewer, query: QueueQuery, after: tuple[int, int]
    ) -> list["_Found"]:
        """Return the applications that stand behind a place, as items that no row keeps."""
        if query.state is not ItemState.OPEN or query.community_id is not None:
            return []
        found = self._accounts.applications(unit, viewer, limit=APPLICATIONS_MAX)
        items = [
            _Found(QueueItem(
                kind=ItemKind.APPLICATION, subject_kind="person", subject_id=one.account.actor.id,
                community_id=None, person_id=one.account.actor.id,
                since_us=one.account.actor.published_us, evidence=one.answer,
            ), one.account.id, ItemState.OPEN.value, one)
            for one in found
        ]
        return [one for one in items if one.place() > after]

    def _waiting(
        self, unit: Unit, viewer: Viewer, page: Sequence["_Found"],
        moderated: list[int] | None,
    ) -> list[Waiting]:
        """Return items with their contents, contexts and histories."""
        items = [one.item for one in page]
        appealed, proposed = unit.fetch_all(
            (report_rows.APPEALS, {"ids": _ids(items, "appeal")}),
            (proposal_rows.OF_IDS, {"ids": _ids(items, "proposal")}),
        )
        appeals = {row.id: report_rows.appeal_from(row) for row in appealed}
        actions = {
            row.id: action_rows.action_from(row) for row in unit.fetch(
                action_rows.OF_IDS, ids=[one.action_id for one in appeals.values()]
            )
        }
        acted = list(actions.values())
        scene = self._forum.scene_of(
            unit, viewer,
            posts=[*_ids(items, "post"), *(one.post_id for one in acted if one.post_id)],
            comments=[*_ids(items, "comment"), *(one.comment_id for one in acted
                                                 if one.comment_id)],
            communities=sorted({one.community_id for one in items if one.community_id}),
        )
        parents = self._forum.scene_of(unit, viewer, comments=[
            view.comment.parent_id for view in scene.comments.values() if view.comment.parent_id
        ]).comments
        people_ids = sorted({one.person_id for one in items if one.person_id})
        around = _Around(
            scene, parents, self._accounts.actors(unit, people_ids),
            self.histories(unit, people_ids, moderated=moderated),
            self._reported(unit, _ids(items, "message")), appeals, actions,
            {row.id: proposal_rows.proposal_from(row) for row in proposed},
        )
        return [around.waiting(one) for one in page]

    def _waiting_row(self, unit: Unit, viewer: Viewer, item_id: int) -> Row:
        """Return an item's row, locked, that the viewer may decide about, or refuse."""
        moderated = self._judged(unit, viewer)
        rows = unit.fetch(queue_rows.FIND, id=item_id)
        is_ours = rows and (moderated is None or rows[0].community_id in moderated)
        if not is_ours:
            raise NotFound("couldnt_find_object", "Nothing of the kind waits on you.")
        return rows[0]


class _Found(NamedTuple):
    """An item with its number, which is the account's of an application, and its state."""

    item: QueueItem
    id: int
    state: str
    application: Application | None = None

    def place(self) -> tuple[int, int]:
        """Return where it stands in the queue."""
        return self.item.since_us, self.id


class _Around(NamedTuple):
    """What the items of a page are about, by id."""

    scene: Scene
    parents: dict[int, CommentView]
    people: dict[int, Actor]
    histories: dict[int, History]
    messages: dict[int, ReportedMessage]
    appeals: dict[int, Appeal]
    actions: dict[int, Action]
    proposals: dict[int, Proposal]

    def waiting(self, found: _Found) -> Waiting:
        """Return an item with what is known of it."""
        item = found.item
        appeal = self.appeals.get(item.subject_id) if item.kind is ItemKind.APPEAL else None
        action = self.actions.get(appeal.action_id) if appeal else None
        comment = self.scene.comments.get(_about(item, "comment") or (
            action.comment_id if action and action.comment_id else 0))
        post = self.scene.posts.get(_about(item, "post") or (
            action.post_id if action and action.post_id else 0))
        parent_id = comment.comment.parent_id if comment else None
        return Waiting(
            id=found.id, item=item, state=ItemState(found.state),
            person=self.people.get(item.person_id or 0),
            history=self.histories.get(item.person_id or 0),
            community=self.scene.communities.get(item.community_id or 0), post=post,
            comment=comment, parent=self.parents.get(parent_id or 0), appeal=appeal,
            action=action, application=found.application,
            message=self.messages.get(_about(item, "message")),
            proposal=self.proposals.get(_about(item, "proposal")),
        )


def _about(item: QueueItem, kind: str) -> int:
    return item.subject_id if item.subject_kind == kind else 0


def _ids(items: Sequence[QueueItem], kind: str) -> list[int]:
    return [one.subject_id for one in items if one.subject_kind == kind]


def _place(cursor: str | None) -> tuple[int, int]:
    """Return where a page begins: after this time and id."""
    if cursor is None:
        return -1, -1
    time, _, number = cursor.partition("-")
    digits = time + number
    if not (time and number and digits.isascii() and digits.isdecimal() and len(digits) <= 36):
        raise Refused("invalid_page", "That is no place in the queue; begin at its start.")
    return min(int(time), (1 << 62)), min(int(number), (1 << 62))
