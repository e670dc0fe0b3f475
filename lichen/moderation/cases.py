"""The nouns of what waits on moderators, and of what they keep: appeals, items, remarks, figures.

Pure, as `model` is.
"""

from enum import StrEnum

import msgspec

from lichen.accounts import Actor, Application
from lichen.forum import CommentView, CommunityView, PostView
from lichen.kit import Reason
from lichen.moderation.model import Action, ReportedMessage
from lichen.moderation.proposal import Proposal


class AppealState(StrEnum):
    """How an appeal stands; upheld, it undid what it was against."""

    OPEN = "open"
    UPHELD = "upheld"
    DENIED = "denied"


class Appeal(msgspec.Struct, frozen=True):
    """What a person says against an action that concerns it; one for each action."""

    id: int
    tid: str
    action_id: int
    person_id: int
    community_id: int | None
    text: str
    state: AppealState
    answer: str | None
    judge_id: int | None
    published_us: int
    updated_us: int | None


class ItemKind(StrEnum):
    """Why something waits on a moderator."""

    REPORT = "report"
    APPEAL = "appeal"
    APPLICATION = "application"
    HELD = "held"
    PROPOSAL = "proposal"


class ItemState(StrEnum):
    """Who has to look: moderators, administrators, nobody any more."""

    OPEN = "open"
    ESCALATED = "escalated"
    CLOSED = "closed"


class QueueItem(msgspec.Struct, frozen=True):
    """Something that waits, as any room may hand it in; `severity` counts who asked for a look.

    `person_id` is whose it is, `community_id` None for the site's, `evidence` a line of text.
    `reasons` say why it waits, as whose it is may read them.
    """

    kind: ItemKind
    subject_kind: str
    subject_id: int
    community_id: int | None
    person_id: int | None
    since_us: int
    severity: int = 1
    evidence: str = ""
    reasons: tuple[Reason, ...] = ()


class History(msgspec.Struct, frozen=True):
    """What is known here of a person: the lines that a moderator wants beside a case."""

    since_us: int
    strikes: int = 0
    notes: int = 0
    removals: int = 0
    reports_made: int = 0
    reports_upheld: int = 0


class Waiting(msgspec.Struct, frozen=True):
    """An item of the queue with all that is needed to decide about it."""

    id: int
    item: QueueItem
    state: ItemState
    person: Actor | None = None
    history: History | None = None
    community: CommunityView | None = None
    post: PostView | None = None
    comment: CommentView | None = None
    parent: CommentView | None = None
    appeal: Appeal | None = None
    action: Action | None = None
    application: Application | None = None
    message: ReportedMessage | None = None
    proposal: Proposal | None = None


class QueueQuery(msgspec.Struct, frozen=True):
    """What the queue is asked for; `after` is the cursor of the page before."""

    kind: ItemKind | None = None
    community_id: int | None = None
    state: ItemState = ItemState.OPEN
    after: str | None = None
    limit: int = 20


class QueuePage(msgspec.Struct, frozen=True):
    """A page of what waits, the longest-waiting first; `next` is None at the end."""

    items: tuple[Waiting, ...]
    next: str | None


class RemarkKind(StrEnum):
    """What moderators keep about people: a note, or a strike that counts until it expires."""

    NOTE = "note"
    STRIKE = "strike"


class RemarkDraft(msgspec.Struct, frozen=True):
    """A note or strike to be made; a strike ends after a year where nobody says when."""

    person_id: int
    text: str
    kind: RemarkKind
    community_id: int | None = None
    expires_us: int | None = None


class Remark(msgspec.Struct, frozen=True):
    """A note or a strike; `community_id` is None for the site's, which administrators read."""

    id: int
    tid: str
    kind: RemarkKind
    community_id: int | None
    person_id: int
    author_id: int
    text: str
    expires_us: int | None
    published_us: int


class RemarkView(msgspec.Struct, frozen=True):
    """A remark with who made it, and where; without a community it is the site's."""

    remark: Remark
    author: Actor | None
    community: CommunityView | None


class HeldView(msgspec.Struct, frozen=True):
    """A post or comment that waits for a moderator, as its author reads it.

    `escalated`: the administrators decide, not the moderators of the community.
    """

    subject_kind: str
    subject_id: int
    since_us: int
    reasons: tuple[Reason, ...]
    escalated: bool
    community: CommunityView | None
    post: PostView | None = None
    comment: CommentView | None = None


class SiteBan(msgspec.Struct, frozen=True):
    """What somebody who is banned from the site is told: the line of the log, and the appeal.

    `action` is None where no line of the log is there, as of a ban by the command line.
    """

    person: Actor
    expires_us: int | None
    action: Action | None
    appeal: Appeal | None

    @property
    def can_appeal(self) -> bool:
        """Whether the person may say something against it, once."""
        action = self.action
        return action is not None and self.appeal is None and action.moderator_id != self.person.id


class PlaceCount(msgspec.Struct, frozen=True):
    """How much waits in a community."""

    community: CommunityView
    count: int


class Statistics(msgspec.Struct, frozen=True):
    """How a community is moderated; of everything there is, `answer_us` a median of reports."""

    actions: dict[str, int]
    reports: int
    reports_waiting: int
    answer_us: int | None
    appeals: int
    appeals_upheld: int
