"""Proposals: made by members, answered by moderators, passed up to administrators and back.

The proposal is locked before anything is decided: of two who decide at once the second is refused.
Every step is kept with its reason and with how many stood behind the proposal then.
"""

from collections.abc import Sequence
from typing import NamedTuple

import msgspec

from lichen.accounts import Act, Actor, Viewer
from lichen.events import Operation, collection_of, deletion_of, event_of
from lichen.events import moderation as records
from lichen.forum import (
    CommunityView,
    check_admin_of_site,
    check_member,
    check_moderator,
    is_moderator,
    traces_outside,
    words_outside,
)
from lichen.forum.markdown import links
from lichen.kit import Forbidden, NotFound, Reason, Refused, isoformat
from lichen.moderation import proposal_rows as rows
from lichen.moderation.cases import ItemKind, ItemState, QueueItem
from lichen.moderation.limits import PAGE_MAX, PAGE_NUMBER_MAX, PROPOSALS_OPEN_MAX
from lichen.moderation.part import Part
from lichen.moderation.proposal import (
    DECISIONS,
    LISTINGS,
    NOTICES,
    OPEN_STATES,
    Proposal,
    ProposalDraft,
    ProposalOrder,
    ProposalQuery,
    ProposalState,
    ProposalView,
    Rights,
    Step,
    StepRole,
    StepView,
    can_come_to,
    check_draft,
    check_judge_of,
    check_move,
    check_step_reason,
    may_judge,
    reason_of,
)
from lichen.store import Row, Unit

PROPOSAL = collection_of(records.Proposal)
_QUEUE_STATES = {
    ProposalState.OPEN: ItemState.OPEN, ProposalState.PASSED_UP: ItemState.ESCALATED,
}


class Proposals(Part):
    """Commands and queries about proposals."""

    def propose(
        self, unit: Unit, viewer: Viewer, community_id: int, draft: ProposalDraft
    ) -> Proposal:
        """Propose something to a community, as who may write there; three round trips."""
        draft = check_draft(draft)
        screen = self._accounts.screen
        screen.check_words(draft.title, draft.text)
        if screen.may_link_to_blocked(draft.text):
            screen.check_addresses(*links(draft.text))
        community = self._forum.community(unit, viewer, id=community_id)
        check_member(viewer, community)
        counting = self._accounts.newcomers.begin(unit, viewer, Act.POST)
        opened, *answers = unit.fetch_all(
            (rows.COUNT_OPEN, {"person_id": viewer.id, "community_id": community_id}),
            *counting.queries,
        )
        if opened[0].count >= PROPOSALS_OPEN_MAX:
            raise Refused(
                "too_many_proposals",
                f"You have {PROPOSALS_OPEN_MAX} open proposals here: wait for an answer, or "
                "withdraw one.",
            )
        counting.end(unit, answers)
        (number,) = unit.take_numbers("proposal")
        made = Proposal(
            id=number, tid=self._tids.next(), creator_id=viewer.id, community_id=community_id,
            title=draft.title, text=draft.text, state=ProposalState.OPEN, supports=0,
            queued_us=None, published_us=unit.clock_us, updated_us=None,
        )
        unit.stage(rows.INSERT, rows.row_of_proposal(made))
        self._publish(unit, made, viewer.actor, community, operation="create")
        return made

    def withdraw_proposal(self, unit: Unit, viewer: Viewer, proposal_id: int) -> Proposal:
        """Take one's own proposal back while it is open; also where the community is gone."""
        proposal, community, steps = self._locked_proposal(unit, viewer, proposal_id)
        if proposal.creator_id != viewer.id:
            raise Forbidden("not_your_proposal", "Only who made it withdraws it.")
        check_move(proposal, ProposalState.WITHDRAWN, steps=steps)
        return self._move(unit, viewer, _Move(
            proposal, community, ProposalState.WITHDRAWN, StepRole.AUTHOR
        ))

    def answer_proposal(
        self, unit: Unit, viewer: Viewer, proposal_id: int, state: ProposalState, *, reason: str
    ) -> Proposal:
        """Accept, decline or remove a proposal, for good and with a reason; six round trips.

        What was passed up is answered by administrators; one's own only where nobody else can.
        """
        if state not in (*DECISIONS, ProposalState.REMOVED):
            raise Refused("invalid_answer", "An answer is accepted, declined or removed.")
        return self._judge(unit, viewer, proposal_id, state, reason=reason)

    def pass_up_proposal(
        self, unit: Unit, viewer: Viewer, proposal_id: int, *, reason: str
    ) -> Proposal:
        """Hand a proposal to the administrators, with a reason."""
        return self._judge(unit, viewer, proposal_id, ProposalState.PASSED_UP, reason=reason)

    def hand_back_proposal(
        self, unit: Unit, viewer: Viewer, proposal_id: int, *, reason: str
    ) -> Proposal:
        """Hand what was passed up back to the moderators as an administrator, with a reason."""
        return self._judge(unit, viewer, proposal_id, ProposalState.OPEN, reason=reason)

    def proposal(self, unit: Unit, viewer: Viewer | None, proposal_id: int) -> ProposalView:
        """Return a proposal with its history and what the viewer may do; six round trips at most.

        Words that were removed are for its author and who moderates there.
        """
        viewer_id = viewer.id if viewer else 0
        found, steps = unit.fetch_all(
            (rows.SEEN, {"ids": [proposal_id], "viewer_id": viewer_id}),
            (rows.STEPS, {"ids": [proposal_id]}),
        )
        if not found:
            raise no_such_proposal()
        views = self._proposal_views(unit, viewer, found)
        if not views or not _is_seen(views[0], viewer):
            raise no_such_proposal()
        view = views[0]
        taken = tuple(rows.step_from(row) for row in steps)
        return msgspec.structs.replace(
            view, steps=self._step_views(unit, viewer, view, taken),
            rights=self._rights(unit, viewer, view),
        )

    def proposals(
        self, unit: Unit, viewer: Viewer | None, query: ProposalQuery
    ) -> list[ProposalView]:
        """Return a page of a community's proposals; four round trips, whatever its length."""
        offset = _offset(query.page, query.limit)
        self._forum.community(unit, viewer, id=query.community_id)
        found = unit.fetch(
            rows.NEWEST if query.order is ProposalOrder.NEW else rows.MOST_SUPPORTED,
            community_id=query.community_id, viewer_id=viewer.id if viewer else 0,
            states=[state.value for state in LISTINGS[query.listing]], limit=query.limit,
            offset=offset,
        )
        return self._proposal_views(unit, viewer, found)

    def passed_up_proposals(
        self, unit: Unit, viewer: Viewer, *, page: int = 1, limit: int = 20
    ) -> list[ProposalView]:
        """Return what waits on the administrators, the oldest first; three round trips."""
        check_admin_of_site(viewer)
        found = unit.fetch(
            rows.PASSED_UP, viewer_id=viewer.id, limit=limit, offset=_offset(page, limit)
        )
        return self._proposal_views(unit, viewer, found)

    def proposals_of(
        self, unit: Unit, viewer: Viewer, *, after_id: int, limit: int
    ) -> list[ProposalView]:
        """Return a batch of the viewer's own proposals with their steps, the oldest first."""
        found = unit.fetch(
            rows.OF_PERSON, person_id=viewer.id, viewer_id=viewer.id, after_id=after_id,
            limit=limit,
        )
        views = self._proposal_views(unit, viewer, found)
        taken: dict[int, list[Step]] = {}
        for row in unit.fetch(rows.STEPS, ids=[view.proposal.id for view in views]):
            taken.setdefault(row.proposal_id, []).append(rows.step_from(row))
        return [
            msgspec.structs.replace(view, steps=tuple(
                StepView(step, None) for step in taken.get(view.proposal.id, ())
            ))
            for view in views
        ]

    def proposals_by_id(
        self, unit: Unit, viewer: Viewer | None, ids: Sequence[int]
    ) -> dict[int, ProposalView]:
        """Return proposals by id, without history; those that are gone are missing."""
        found = unit.fetch(rows.SEEN, ids=list(ids), viewer_id=viewer.id if viewer else 0)
        return {view.proposal.id: view for view in self._proposal_views(unit, viewer, found)}

    def why_proposal(self, view: ProposalView) -> Reason:
        """Return why a proposal stands as it stands."""
        address = self._addresses.absolute(self._addresses.proposal(view.proposal.id))
        return reason_of(view.proposal, view.steps, address=address)

    def _judge(
        self, unit: Unit, viewer: Viewer, proposal_id: int, state: ProposalState, *, reason: str
    ) -> Proposal:
        """Take a step as a moderator or an administrator."""
        proposal, community, steps = self._locked_proposal(unit, viewer, proposal_id)
        check_moderator(viewer, community)
        is_up = state is ProposalState.OPEN or (
            proposal.state is ProposalState.PASSED_UP and state in DECISIONS)
        if is_up:
            check_admin_of_site(viewer)
        reason = check_step_reason(reason)
        if viewer.id == proposal.creator_id and state is not ProposalState.PASSED_UP:
            others = self._judges_of(unit, proposal, only_admins=is_up)
            check_judge_of(viewer.id, proposal, others=others)
        check_move(proposal, state, steps=steps)
        role = (StepRole.ADMINISTRATOR if is_up or not community.moderates
                else StepRole.MODERATOR)
        return self._move(unit, viewer, _Move(proposal, community, state, role, reason))

    def _move(self, unit: Unit, viewer: Viewer, move: "_Move") -> Proposal:
        """Keep a step, put the proposal where it belongs in the queue, and tell of it."""
        proposal, state = move.proposal, move.state
        (number,) = unit.take_numbers("moderation_action")
        step = Step(
            id=number, proposal_id=proposal.id, state=state, role=move.role,
            person_id=viewer.id, reason=move.reason, supports=proposal.supports,
            published_us=unit.clock_us,
        )
        waits = state in OPEN_STATES
        moved = msgspec.structs.replace(
            proposal, state=state, updated_us=unit.clock_us,
            queued_us=proposal.queued_us or (unit.clock_us if waits else None),
        )
        unit.stage(rows.MOVE, {
            "row_id": proposal.id, "new_state": state.value, "new_queued_us": moved.queued_us,
            "now_us": unit.clock_us,
        })
        unit.stage(rows.INSERT_STEP, rows.row_of_step(step))
        if waits and proposal.queued_us is None:
            self._queue_proposal(unit, moved)
        self.settle(unit, ItemKind.PROPOSAL, "proposal", proposal.id,
                    state=_QUEUE_STATES.get(state, ItemState.CLOSED))
        author = self._accounts.actors(unit, [proposal.creator_id])[proposal.creator_id]
        self._publish(unit, moved, author, move.community, reason=move.reason)
        if author.id != viewer.id:
            self._tell_step(unit, author, step)
        return moved

    def _queue_proposal(self, unit: Unit, proposal: Proposal) -> None:
        """Put a proposal before the moderators."""
        self.wait(unit, QueueItem(
            kind=ItemKind.PROPOSAL, subject_kind="proposal", subject_id=proposal.id,
            community_id=proposal.community_id, person_id=proposal.creator_id,
            since_us=unit.clock_us, evidence=proposal.title,
        ))

    def _publish(
        self, unit: Unit, proposal: Proposal, author: Actor, community: CommunityView, *,
        operation: Operation = "update", reason: str | None = None,
    ) -> None:
        """Emit the proposal as it is now; one without words, or removed, is gone for outsiders."""
        around = community.community
        if proposal.state is ProposalState.REMOVED or not proposal.title:
            unit.emit(deletion_of(
                PROPOSAL, id=self._tids.next(), did=author.did, rkey=proposal.tid, row=proposal.id,
                outside=traces_outside(around),
            ))
            return
        record = records.Proposal(
            title=proposal.title, text=proposal.text, community=around.actor.did,
            state=proposal.state.value, created_at=isoformat(proposal.published_us),
            supports=proposal.supports, answer=reason,
        )
        unit.emit(event_of(
            record, id=self._tids.next(), did=author.did,
            operation=operation, rkey=proposal.tid, row=proposal.id,
            outside=words_outside(around),
        ))

    def _tell_step(self, unit: Unit, person: Actor, step: Step) -> None:
        """Tell a local person who is still here what a proposal came to."""
        if not person.local or person.deleted:
            return
        notice = records.Notice(
            action=step.id, kind=NOTICES[step.state], done=True, reason=step.reason,
            created_at=isoformat(step.published_us), proposal=step.proposal_id,
        )
        unit.emit(event_of(
            notice, id=self._tids.next(), did=person.did, operation="create",
            rkey=self._tids.next(), row=person.id,
        ))

    def _locked_proposal(
        self, unit: Unit, viewer: Viewer, proposal_id: int
    ) -> tuple[Proposal, CommunityView, int]:
        """Return a proposal that nobody else can move, its community and number of steps."""
        found, steps = unit.fetch_all(
            (rows.LOCKED, {"ids": [proposal_id]}), (rows.STEPS, {"ids": [proposal_id]})
        )
        places = self._forum.community_views(
            unit, viewer, [row.community_id for row in found]
        )
        if not places:
            raise no_such_proposal()
        return rows.proposal_from(found[0]), places[0], len(steps)

    def _judges_of(
        self, unit: Unit, proposal: Proposal, *, only_admins: bool
    ) -> set[int]:
        """Return who may answer a proposal and is there to do it; two round trips at most."""
        people = self._accounts.admins(unit)
        if not only_admins:
            people = people + self._forum.moderators(unit, proposal.community_id)
        return {one.id for one in people if not one.banned and not one.deleted}

    def _proposal_views(
        self, unit: Unit, viewer: Viewer | None, found: Sequence[Row]
    ) -> list[ProposalView]:
        """Return proposals with their authors and communities; two round trips."""
        made = [rows.proposal_from(row) for row in found]
        people = self._accounts.actors(unit, sorted({one.creator_id for one in made}))
        places = {
            view.community.id: view for view in self._forum.community_views(
                unit, viewer, sorted({one.community_id for one in made})
            )
        }
        return [
            ProposalView(
                proposal=_worded(one, viewer, places[one.community_id]),
                creator=people[one.creator_id], community=places[one.community_id],
                supported=row.is_mine,
            )
            for one, row in zip(made, found, strict=True) if one.community_id in places
        ]

    def _step_views(
        self, unit: Unit, viewer: Viewer | None, view: ProposalView, steps: tuple[Step, ...]
    ) -> tuple[StepView, ...]:
        """Return steps with who took them, where the log would show it, too; one round trip."""
        is_named = (is_moderator(viewer, view.community)
                    or not self._accounts.current_site.settings.hide_modlog_mod_names)
        people = self._accounts.actors(unit, sorted({step.person_id for step in steps}))
        return tuple(
            StepView(step, people.get(step.person_id)
                     if is_named or step.role is StepRole.AUTHOR else None)
            for step in steps
        )

    def _rights(self, unit: Unit, viewer: Viewer | None, view: ProposalView) -> Rights:
        """Return what a viewer may do; up to two round trips for its author, else none."""
        proposal, community = view.proposal, view.community
        if viewer is None or viewer.actor.banned:
            return Rights()
        is_own = viewer.id == proposal.creator_id
        is_up = proposal.state is ProposalState.PASSED_UP
        judges = viewer.admin if is_up else is_moderator(viewer, community)
        may = judges
        if judges and is_own:
            others = self._judges_of(unit, proposal, only_admins=is_up)
            may = may_judge(viewer.id, proposal, others=others)
        is_closed = community.community.removed or community.community.deleted
        return Rights(
            support=proposal.is_open and not (is_own or community.banned or is_closed),
            withdraw=is_own and proposal.is_open,
            answer=may and proposal.is_open,
            pass_up=judges and can_come_to(proposal, ProposalState.PASSED_UP),
            hand_back=may and can_come_to(proposal, ProposalState.OPEN),
            remove=(is_moderator(viewer, community) and not is_own
                    and can_come_to(proposal, ProposalState.REMOVED)),
        )


class _Move(NamedTuple):
    """What a proposal comes to, where, and as what somebody brings it there."""

    proposal: Proposal
    community: CommunityView
    state: ProposalState
    role: StepRole
    reason: str | None = None


def no_such_proposal() -> NotFound:
    """Return the refusal of a proposal that is not there."""
    return NotFound("couldnt_find_proposal", "There is no such proposal.")


def _offset(page: int, limit: int) -> int:
    if not 1 <= limit <= PAGE_MAX or not 1 <= page <= PAGE_NUMBER_MAX:
        raise Refused("invalid_page", f"A page has 1 to {PAGE_MAX} entries; count from 1.")
    return (page - 1) * limit


def _worded(proposal: Proposal, viewer: Viewer | None, community: CommunityView) -> Proposal:
    """Return a proposal as the viewer may read it: one that was removed has lost its words."""
    is_own = viewer is not None and viewer.id == proposal.creator_id
    if proposal.state is not ProposalState.REMOVED or is_own or is_moderator(viewer, community):
        return proposal
    return msgspec.structs.replace(proposal, title="", text="")


def _is_seen(view: ProposalView, viewer: Viewer | None) -> bool:
    """Say whether a proposal is there for a viewer: not where its community was removed."""
    is_own = viewer is not None and viewer.id == view.creator.id
    return is_own or not view.community.community.removed or is_moderator(viewer, view.community)
