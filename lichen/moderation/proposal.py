"""The nouns of proposals, and what may follow on what: it decides. Pure, as `model` is.

              ┌── pass up ──►┐                    answered by moderators or administrators:
    made ─► open            passed up ───────────► accepted · declined
              └◄── hand back ┘                    taken back by its author: withdrawn
                                                  taken away for its words: removed
"""

from collections.abc import Collection
from enum import StrEnum

import msgspec

from lichen.accounts import Actor
from lichen.forum import CommunityView
from lichen.kit import Conflict, Forbidden, Reason, Refused, Term
from lichen.moderation.limits import (
    PROPOSAL_STEPS_MAX,
    PROPOSAL_TEXT_LENGTH_MAX,
    PROPOSAL_TITLE_LENGTH_MAX,
    PROPOSAL_TITLE_LENGTH_MIN,
    REASON_LENGTH_MAX,
    SUPPORTS_TO_QUEUE,
)


class ProposalState(StrEnum):
    """How a proposal stands; the first two are open, the others final."""

    OPEN = "open"
    PASSED_UP = "passedUp"
    ACCEPTED = "accepted"
    DECLINED = "declined"
    WITHDRAWN = "withdrawn"
    REMOVED = "removed"


class StepRole(StrEnum):
    """As what somebody took a step."""

    AUTHOR = "author"
    MODERATOR = "moderator"
    ADMINISTRATOR = "administrator"


class ProposalListing(StrEnum):
    """Which proposals a list holds."""

    OPEN = "open"
    ANSWERED = "answered"
    ENDED = "ended"


class ProposalOrder(StrEnum):
    """What comes first in a list."""

    SUPPORTS = "supports"
    NEW = "new"


_S = ProposalState
OPEN_STATES = frozenset({_S.OPEN, _S.PASSED_UP})
DECISIONS = frozenset({_S.ACCEPTED, _S.DECLINED})
LISTINGS: dict[ProposalListing, tuple[ProposalState, ...]] = {
    ProposalListing.OPEN: (_S.OPEN, _S.PASSED_UP),
    ProposalListing.ANSWERED: (_S.ACCEPTED, _S.DECLINED),
    ProposalListing.ENDED: (_S.WITHDRAWN, _S.REMOVED),
}
# From which states a proposal comes to each; words can be taken away at any time.
_FROM: dict[ProposalState, Collection[ProposalState]] = {
    _S.OPEN: {_S.PASSED_UP}, _S.PASSED_UP: {_S.OPEN}, _S.ACCEPTED: OPEN_STATES,
    _S.DECLINED: OPEN_STATES, _S.WITHDRAWN: OPEN_STATES, _S.REMOVED: set(_S) - {_S.REMOVED},
}
# What a person is told of, by what the proposal came to.
NOTICES: dict[ProposalState, str] = {
    _S.OPEN: "handBackProposal", _S.PASSED_UP: "passUpProposal", _S.ACCEPTED: "acceptProposal",
    _S.DECLINED: "declineProposal", _S.REMOVED: "removeProposal",
}


class ProposalDraft(msgspec.Struct, frozen=True):
    """What a member proposes; the text is Markdown."""

    title: str
    text: str


class Proposal(msgspec.Struct, frozen=True):
    """What a member proposes to a community; `supports` counts the others who stand behind it.

    `queued_us` is since when it waits on the moderators. One that was erased has no words.
    """

    id: int
    tid: str
    creator_id: int
    community_id: int
    title: str
    text: str
    state: ProposalState
    supports: int
    queued_us: int | None
    published_us: int
    updated_us: int | None

    @property
    def is_open(self) -> bool:
        """Whether members may still support it and somebody has to answer."""
        return self.state in OPEN_STATES


class Step(msgspec.Struct, frozen=True):
    """What a proposal came to, by whom and why; `supports` is how many it had then."""

    id: int
    proposal_id: int
    state: ProposalState
    role: StepRole
    person_id: int
    reason: str | None
    supports: int
    published_us: int


class Support(msgspec.Struct, frozen=True):
    """A person stands behind a proposal, or with `on` false no longer."""

    person_id: int
    proposal_id: int
    on: bool = True


class StepView(msgspec.Struct, frozen=True):
    """A step with who took it; None where the viewer may not know."""

    step: Step
    person: Actor | None


class Rights(msgspec.Struct, frozen=True):
    """What a viewer may do with a proposal now."""

    support: bool = False
    withdraw: bool = False
    answer: bool = False
    pass_up: bool = False
    hand_back: bool = False
    remove: bool = False


class ProposalView(msgspec.Struct, frozen=True):
    """A proposal as a viewer sees it; `steps` and `rights` where one is asked for."""

    proposal: Proposal
    creator: Actor
    community: CommunityView
    supported: bool = False
    steps: tuple[StepView, ...] = ()
    rights: Rights = Rights()


class ProposalQuery(msgspec.Struct, frozen=True):
    """Which proposals of a community a list holds, and in which order."""

    community_id: int
    listing: ProposalListing = ProposalListing.OPEN
    order: ProposalOrder = ProposalOrder.SUPPORTS
    page: int = 1
    limit: int = 20


def check_draft(draft: ProposalDraft) -> ProposalDraft:
    """Return a draft without the space around it, or refuse a length."""
    title, text = " ".join(draft.title.split()), draft.text.strip()
    if not PROPOSAL_TITLE_LENGTH_MIN <= len(title) <= PROPOSAL_TITLE_LENGTH_MAX:
        raise Refused(
            "invalid_proposal_title",
            f"A title has {PROPOSAL_TITLE_LENGTH_MIN} to {PROPOSAL_TITLE_LENGTH_MAX} characters; "
            f"this one has {len(title)}.",
        )
    if not 1 <= len(text) <= PROPOSAL_TEXT_LENGTH_MAX:
        raise Refused(
            "invalid_proposal_text",
            f"Say what should change and why, in 1 to {PROPOSAL_TEXT_LENGTH_MAX} characters; "
            f"this text has {len(text)}.",
        )
    return ProposalDraft(title, text)


def check_step_reason(reason: str) -> str:
    """Return why a step is taken, or refuse none and too much."""
    cut = reason.strip()
    if not cut:
        raise Refused("proposal_reason_required", "Say why: its author and its supporters ask.")
    if len(cut) > REASON_LENGTH_MAX:
        raise Refused(
            "invalid_body_field",
            f"A reason has at most {REASON_LENGTH_MAX} characters; this one has {len(cut)}.",
        )
    return cut


def can_come_to(proposal: Proposal, state: ProposalState) -> bool:
    """Say whether a state may follow on the one that a proposal is in."""
    return proposal.state in _FROM[state]


def check_move(proposal: Proposal, state: ProposalState, *, steps: int) -> None:
    """Refuse a step that does not follow on where the proposal stands: somebody was faster."""
    if not can_come_to(proposal, state):
        if proposal.is_open:
            raise Conflict(
                "couldnt_move_proposal",
                "It waits on the administrators already." if proposal.state is _S.PASSED_UP
                else "It does not wait on the administrators.",
            )
        raise Conflict("already_decided", f"It is {proposal.state.value} already.")
    if state in OPEN_STATES and steps >= PROPOSAL_STEPS_MAX:
        raise Conflict(
            "too_many_steps", f"It went up and back {PROPOSAL_STEPS_MAX} times: answer it."
        )


def check_open(proposal: Proposal) -> None:
    """Refuse to support what has been answered, withdrawn or removed."""
    if not proposal.is_open:
        raise Conflict("already_decided", f"It is {proposal.state.value} already.")


def may_judge(judge_id: int, proposal: Proposal, *, others: Collection[int]) -> bool:
    """Say whether somebody may answer: one's own proposal only where nobody else can."""
    return judge_id != proposal.creator_id or not set(others) - {judge_id}


def check_judge_of(judge_id: int, proposal: Proposal, *, others: Collection[int]) -> None:
    """Refuse whoever would answer their own proposal where somebody else can."""
    if not may_judge(judge_id, proposal, others=others):
        raise Forbidden("proposal_by_judge", "Somebody else answers what you proposed.")


def reason_of(proposal: Proposal, steps: tuple[StepView, ...], *, address: str) -> Reason:
    """Return why a proposal stands as it stands: the last step, and what counted."""
    last = steps[-1].step if steps else None
    supports = last.supports if last else proposal.supports
    terms = [
        Term("support", supports, "members behind it" + (" then" if last else "")),
        Term("support asked for", SUPPORTS_TO_QUEUE, "puts it before the moderators"),
    ]
    if last is not None and last.reason:
        terms.insert(0, Term("said", STATE_WORDS[last.state], last.reason))
    if proposal.is_open:
        change = ("An administrator answers it or hands it back." if proposal.state is _S.PASSED_UP
                  else "A moderator of the community answers it or passes it up.")
    else:
        change = "This is final; something else can be proposed."
    return Reason(
        rule=f"proposal: {STATE_WORDS[proposal.state]}", terms=tuple(terms), evidence=(address,),
        decided_by=ROLE_WORDS[last.role] if last else "", change=change,
    )


STATE_WORDS: dict[ProposalState, str] = {
    _S.OPEN: "open", _S.PASSED_UP: "passed up", _S.ACCEPTED: "accepted",
    _S.DECLINED: "declined", _S.WITHDRAWN: "withdrawn", _S.REMOVED: "removed",
}
ROLE_WORDS: dict[StepRole, str] = {
    StepRole.AUTHOR: "its author", StepRole.MODERATOR: "a moderator",
    StepRole.ADMINISTRATOR: "an administrator",
}
