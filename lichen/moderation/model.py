"""The nouns of moderation, and what follows from what: it decides.

Pure: nothing here reads a clock, a file or a row.
"""

from collections.abc import Collection
from enum import StrEnum

import msgspec

from lichen.accounts import Actor
from lichen.events import Outside
from lichen.forum import BanTerms, CommentView, CommunityView, PostView, Words
from lichen.kit import Conflict, Forbidden, Refused
from lichen.moderation.limits import REASON_LENGTH_MAX, REPORT_LENGTH_MAX


class Kind(StrEnum):
    """What a moderator does; each has its opposite, but for purges."""

    REMOVE_POST = "removePost"
    LOCK_POST = "lockPost"
    FEATURE_POST = "featurePost"
    FEATURE_POST_LOCAL = "featurePostLocal"
    REMOVE_COMMENT = "removeComment"
    DISTINGUISH_COMMENT = "distinguishComment"
    REMOVE_COMMUNITY = "removeCommunity"
    HIDE_COMMUNITY = "hideCommunity"
    BAN_FROM_COMMUNITY = "banFromCommunity"
    BAN = "ban"
    ADD_MODERATOR = "addModerator"
    TRANSFER_COMMUNITY = "transferCommunity"
    ADD_ADMIN = "addAdmin"
    STRIKE = "strike"
    PURGE_PERSON = "purgePerson"
    PURGE_COMMUNITY = "purgeCommunity"
    PURGE_POST = "purgePost"
    PURGE_COMMENT = "purgeComment"


PURGES = frozenset({
    Kind.PURGE_PERSON, Kind.PURGE_COMMUNITY, Kind.PURGE_POST, Kind.PURGE_COMMENT
})
# What everybody reads in the log; a strike is between a person and who moderates there.
LOGGED = tuple(kind for kind in Kind if kind is not Kind.STRIKE)
# What a person is told of, and may appeal against.
TOLD = frozenset({
    Kind.REMOVE_POST, Kind.LOCK_POST, Kind.REMOVE_COMMENT, Kind.BAN_FROM_COMMUNITY, Kind.BAN,
    Kind.ADD_MODERATOR, Kind.ADD_ADMIN, Kind.TRANSFER_COMMUNITY, Kind.STRIKE,
})
APPEALABLE = frozenset({
    Kind.REMOVE_POST, Kind.LOCK_POST, Kind.REMOVE_COMMENT, Kind.BAN_FROM_COMMUNITY, Kind.BAN,
    Kind.STRIKE,
})
_ENDING = frozenset({Kind.BAN, Kind.BAN_FROM_COMMUNITY, Kind.STRIKE})
REMARK = "remark "  # before the number of a strike in an action's subject


class Before(msgspec.Struct, frozen=True, omit_defaults=True):
    """What an undo needs to know of the state before: a ban's terms, a moderator's place."""

    ban: BanTerms | None = None
    since_us: int | None = None


class Act(msgspec.Struct, frozen=True):
    """Something a moderator has just done, to be written into the log.

    `person` is whom it concerns: the author, the banned, the appointed. `outside` is what outsiders
    hear of it.
    """

    kind: Kind
    done: bool
    person: Actor | None = None
    community: Actor | None = None
    post_id: int | None = None
    comment_id: int | None = None
    remark_id: int | None = None
    subject: str | None = None
    reason: str | None = None
    expires_us: int | None = None
    before: Before = Before()
    outside: Outside = "shown"

    @property
    def key(self) -> str:
        """What it is about; two acts of one kind with one key follow on each other."""
        if self.remark_id is not None:
            return f"{REMARK}{self.remark_id}"
        if self.comment_id is not None:
            return f"comment {self.comment_id}"
        if self.post_id is not None:
            return f"post {self.post_id}"
        community = self.community.id if self.community else 0
        return f"{community} {self.person.id if self.person else 0}"


class Action(msgspec.Struct, frozen=True):
    """A line of the moderation log; ids are None where it is not about such a thing."""

    id: int
    tid: str
    kind: Kind
    done: bool
    moderator_id: int
    person_id: int | None
    community_id: int | None
    post_id: int | None
    comment_id: int | None
    subject: str
    reason: str | None
    expires_us: int | None
    before: Before
    undone_by: int | None
    published_us: int


class Why(msgspec.Struct, frozen=True):
    """Why somebody acts: the reason, and the action that it undoes, where it does."""

    reason: str | None = None
    undoes: Action | None = None


class Sweep(msgspec.Struct, frozen=True):
    """Whether a ban takes words too or brings some back: `among`, else all, else what it took."""

    removed: bool
    among: Words | None = None


class BanOrder(msgspec.Struct, frozen=True):
    """Who is banned or let in, until when, and where: everywhere without a community."""

    person_id: int
    banned: bool
    community_id: int | None = None
    expires_us: int | None = None
    sweep: Sweep | None = None


class Seat(msgspec.Struct, frozen=True):
    """A place among the moderators of a community; `since_us` is where it was in their order."""

    community_id: int
    person_id: int
    since_us: int | None = None


class ActionQuery(msgspec.Struct, frozen=True):
    """What the log is asked for; None leaves a filter out. `kinds` and `done` choose lines."""

    kinds: tuple[Kind, ...] = LOGGED
    moderator_id: int | None = None
    community_id: int | None = None
    person_id: int | None = None
    post_id: int | None = None
    comment_id: int | None = None
    page: int = 1
    limit: int = 10


class Entry(msgspec.Struct, frozen=True):
    """A line of the log with what it is about, as far as it is still there.

    `moderator` is None where the viewer may not know who decided.
    """

    action: Action
    moderator: Actor | None
    person: Actor | None
    community: CommunityView | None
    post: PostView | None
    comment: CommentView | None
    can_undo: bool = False


class ReportKind(StrEnum):
    """What is reported."""

    POST = "post"
    COMMENT = "comment"
    MESSAGE = "message"


class Report(msgspec.Struct, frozen=True):
    """A report, with the text as it was then; `community_id` is None for messages."""

    id: int
    tid: str
    kind: ReportKind
    creator_id: int
    subject_id: int
    community_id: int | None
    original_name: str | None
    original_url: str | None
    original_text: str | None
    reason: str
    resolved: bool
    resolver_id: int | None
    published_us: int
    updated_us: int | None


class ReportedMessage(msgspec.Struct, frozen=True):
    """A private message as its recipient may report it."""

    id: int
    ap_id: str
    creator: Actor
    recipient: Actor
    content: str
    published_us: int
    updated_us: int | None = None
    deleted: bool = False
    read: bool = False
    local: bool = True


class ReportView(msgspec.Struct, frozen=True):
    """A report with who made it, who resolved it and what it is about."""

    report: Report
    creator: Actor
    resolver: Actor | None
    post: PostView | None = None
    comment: CommentView | None = None
    message: ReportedMessage | None = None


class ReportQuery(msgspec.Struct, frozen=True):
    """Which reports a list holds."""

    kind: ReportKind
    unresolved_only: bool = False
    community_id: int | None = None
    subject_id: int | None = None
    page: int = 1
    limit: int = 10


class ReportCounts(msgspec.Struct, frozen=True):
    """How many reports wait; of messages None for who may not see them."""

    posts: int
    comments: int
    messages: int | None


def check_reason(reason: str | None) -> str | None:
    """Return an act's reason without the space around it, None for none, or refuse its length."""
    cut = (reason or "").strip()
    if len(cut) > REASON_LENGTH_MAX:
        raise Refused(
            "invalid_body_field",
            f"A reason has at most {REASON_LENGTH_MAX} characters; this one has {len(cut)}.",
        )
    return cut or None


def check_report(reason: str) -> str:
    """Return a report's reason, or refuse none and too much."""
    cut = reason.strip()
    if not cut:
        raise Refused("report_reason_required", "Say what is wrong with it.")
    if len(cut) > REPORT_LENGTH_MAX:
        raise Refused(
            "report_too_long",
            f"A report has at most {REPORT_LENGTH_MAX} characters; this one has {len(cut)}.",
        )
    return cut


def can_undo(action: Action, *, is_latest: bool, now_us: int) -> bool:
    """Say whether the opposite act would bring back what was before this one."""
    if action.kind in PURGES or action.undone_by is not None or not is_latest:
        return False
    if action.kind is Kind.STRIKE and not action.done:
        return False  # its words went with it
    return not (action.kind in _ENDING and action.done and has_ended(action.expires_us, now_us))


def check_undo(action: Action, *, is_latest: bool, now_us: int) -> None:
    """Refuse to undo what is undone, ended, overtaken or cannot be undone."""
    if not can_undo(action, is_latest=is_latest, now_us=now_us):
        raise Conflict(
            "couldnt_undo", "That can no longer be undone: it was undone or overtaken, has ended, "
                            "or was a purge.",
        )


def has_ended(expires_us: int | None, now_us: int) -> bool:
    """Say whether what ends at a time has ended; None is no end."""
    return expires_us is not None and expires_us <= now_us


def check_judge(
    judge_id: int, action: Action, *, appellant_id: int, others: Collection[int]
) -> None:
    """Refuse who acted to judge the appeal where anybody else can; nobody judges their own."""
    if judge_id == appellant_id:
        raise Forbidden("appeal_by_appellant", "Somebody else decides about your appeal.")
    free = set(others) - {action.moderator_id, appellant_id}
    if judge_id == action.moderator_id and free:
        raise Forbidden(
            "appeal_by_same_moderator",
            "You acted, so another moderator or an administrator decides about the appeal.",
        )
