"""The calls about proposals, with their messages: what the pages do, for programs."""

from collections.abc import Callable
from typing import Any

from lichen.faces.lemmy_v3.asking import Caller, Parts
from lichen.faces.lemmy_v3.calls import Call
from lichen.faces.lemmy_v3.wire import Answer, Ask
from lichen.faces.lemmy_v3.wire.base import (
    Id,
    PageLength,
    PageNumber,
    Prose,
    Time,
    maybe_time_of,
    time_of,
)
from lichen.kit import Reason
from lichen.moderation import (
    ProposalDraft,
    ProposalListing,
    ProposalOrder,
    ProposalQuery,
    ProposalState,
    ProposalView,
    StepRole,
    StepView,
)
from lichen.store import Unit

PROPOSALS_DEFAULT = 20  # on a page


class ListProposals(Ask, frozen=True, kw_only=True):
    """Ask for the proposals of a community."""

    community_id: Id
    show: ProposalListing = ProposalListing.OPEN
    sort: ProposalOrder = ProposalOrder.SUPPORTS
    page: PageNumber = 1
    limit: PageLength = PROPOSALS_DEFAULT


class ListPassedUp(Ask, frozen=True, kw_only=True):
    """Ask for what was passed up to the administrators."""

    page: PageNumber = 1
    limit: PageLength = PROPOSALS_DEFAULT


class OfProposal(Ask, frozen=True, kw_only=True):
    """Name a proposal."""

    proposal_id: Id


class Propose(Ask, frozen=True, kw_only=True):
    """Propose something to a community; the text is Markdown."""

    community_id: Id
    title: Prose
    text: Prose


class SupportProposal(Ask, frozen=True, kw_only=True):
    """Stand behind a proposal, or with `on` false no longer."""

    proposal_id: Id
    on: bool = True


class AnswerProposal(Ask, frozen=True, kw_only=True):
    """Answer a proposal: `state` is accepted, declined or removed."""

    proposal_id: Id
    state: ProposalState
    reason: Prose = ""


class MoveProposal(Ask, frozen=True, kw_only=True):
    """Pass a proposal up or hand it back, with a reason."""

    proposal_id: Id
    reason: Prose = ""


class ShownStep(Answer, frozen=True, kw_only=True):
    """What a proposal came to; `person_id` where the caller may know who brought it there."""

    state: ProposalState
    role: StepRole
    supports: int
    published: Time
    person_id: Id | None = None
    reason: str | None = None


class ShownProposal(Answer, frozen=True, kw_only=True):
    """A proposal; `queued` is since when it waits on the moderators."""

    id: Id
    community_id: Id
    creator_id: Id
    creator_name: str
    title: str
    text: str
    state: ProposalState
    supports: int
    published: Time
    supported: bool = False
    queued: Time | None = None
    updated: Time | None = None


class ProposalAnswer(Answer, frozen=True, kw_only=True):
    """One proposal with its history, and why it stands as it stands."""

    proposal: ShownProposal
    steps: list[ShownStep]
    reason: Reason


class Proposals(Answer, frozen=True, kw_only=True):
    """A page of proposals."""

    proposals: list[ShownProposal]


async def list_proposals(parts: Parts, caller: Caller, asked: ListProposals) -> Proposals:
    """Return a page of the proposals of a community."""
    query = ProposalQuery(
        asked.community_id, listing=asked.show, order=asked.sort, page=asked.page,
        limit=asked.limit,
    )
    found = await parts.store.read(
        lambda unit: parts.moderation.proposals(unit, caller.viewer, query))
    return Proposals(proposals=[_shown(view) for view in found])


async def list_passed_up(parts: Parts, caller: Caller, asked: ListPassedUp) -> Proposals:
    """Return a page of what was passed up to the administrators, the oldest first."""
    viewer = caller.person()
    found = await parts.store.read(lambda unit: parts.moderation.passed_up_proposals(
        unit, viewer, page=asked.page, limit=asked.limit))
    return Proposals(proposals=[_shown(view) for view in found])


async def get_proposal(parts: Parts, caller: Caller, asked: OfProposal) -> ProposalAnswer:
    """Return a proposal with its history."""
    view = await parts.store.read(
        lambda unit: parts.moderation.proposal(unit, caller.viewer, asked.proposal_id))
    return _answer(parts, view)


async def propose(parts: Parts, caller: Caller, asked: Propose) -> ProposalAnswer:
    """Propose something to a community."""
    viewer = caller.person()
    draft = ProposalDraft(asked.title, asked.text)
    return await _done(parts, caller, lambda unit: parts.moderation.propose(
        unit, viewer, asked.community_id, draft).id)


async def support_proposal(
    parts: Parts, caller: Caller, asked: SupportProposal
) -> ProposalAnswer:
    """Stand behind a proposal, or no longer."""
    viewer = caller.person()

    def command(unit: Unit) -> int:
        parts.moderation.support_proposal(unit, viewer, asked.proposal_id, on=asked.on)
        return asked.proposal_id

    return await _done(parts, caller, command)


async def withdraw_proposal(parts: Parts, caller: Caller, asked: OfProposal) -> ProposalAnswer:
    """Take one's own proposal back."""
    viewer = caller.person()
    return await _done(parts, caller, lambda unit: parts.moderation.withdraw_proposal(
        unit, viewer, asked.proposal_id).id)


async def answer_proposal(
    parts: Parts, caller: Caller, asked: AnswerProposal
) -> ProposalAnswer:
    """Accept, decline or remove a proposal, for good."""
    viewer = caller.person()
    return await _done(parts, caller, lambda unit: parts.moderation.answer_proposal(
        unit, viewer, asked.proposal_id, asked.state, reason=asked.reason).id)


async def pass_up_proposal(parts: Parts, caller: Caller, asked: MoveProposal) -> ProposalAnswer:
    """Pass a proposal up to the administrators."""
    viewer = caller.person()
    return await _done(parts, caller, lambda unit: parts.moderation.pass_up_proposal(
        unit, viewer, asked.proposal_id, reason=asked.reason).id)


async def hand_back_proposal(
    parts: Parts, caller: Caller, asked: MoveProposal
) -> ProposalAnswer:
    """Hand what was passed up back to the moderators."""
    viewer = caller.person()
    return await _done(parts, caller, lambda unit: parts.moderation.hand_back_proposal(
        unit, viewer, asked.proposal_id, reason=asked.reason).id)


async def _done(
    parts: Parts, caller: Caller, command: Callable[[Unit], int]
) -> ProposalAnswer:
    """Run a command and return the proposal whose number it gives, as the caller sees it then."""

    def act(unit: Unit) -> ProposalView:
        return parts.moderation.proposal(unit, caller.viewer, command(unit))

    return _answer(parts, await parts.store.write(act))


def _answer(parts: Parts, view: ProposalView) -> ProposalAnswer:
    return ProposalAnswer(
        proposal=_shown(view), steps=[_shown_step(each) for each in view.steps],
        reason=parts.moderation.why_proposal(view),
    )


def _shown(view: ProposalView) -> ShownProposal:
    one = view.proposal
    return ShownProposal(
        id=one.id, community_id=one.community_id, creator_id=one.creator_id,
        creator_name=view.creator.name, title=one.title, text=one.text, state=one.state,
        supports=one.supports, published=time_of(one.published_us), supported=view.supported,
        queued=maybe_time_of(one.queued_us), updated=maybe_time_of(one.updated_us),
    )


def _shown_step(each: StepView) -> ShownStep:
    step = each.step
    return ShownStep(
        state=step.state, role=step.role, supports=step.supports,
        published=time_of(step.published_us), reason=step.reason,
        person_id=each.person.id if each.person else None,
    )


CALLS: tuple[Call[Any, Any], ...] = (
    Call("GET", "/proposal/list", ListProposals, Proposals, list_proposals),
    Call("GET", "/proposal/passed_up", ListPassedUp, Proposals, list_passed_up),
    Call("GET", "/proposal", OfProposal, ProposalAnswer, get_proposal),
    Call("POST", "/proposal", Propose, ProposalAnswer, propose, rate="post"),
    Call("POST", "/proposal/support", SupportProposal, ProposalAnswer, support_proposal),
    Call("POST", "/proposal/withdraw", OfProposal, ProposalAnswer, withdraw_proposal),
    Call("POST", "/proposal/answer", AnswerProposal, ProposalAnswer, answer_proposal),
    Call("POST", "/proposal/pass_up", MoveProposal, ProposalAnswer, pass_up_proposal),
    Call("POST", "/proposal/hand_back", MoveProposal, ProposalAnswer, hand_back_proposal),
)
