"""What moderators decide, and what people tell them: the records of the room `moderation`.

An action is a line of the moderation log, spoken by the site; who decided is kept in rows. Reports,
appeals, remarks and notices are private: they belong to the person who writes, decides or is told.
A proposal is its author's public word, as a post is; who supports it is as private as a vote. `row`
is the number of the action, report, appeal, remark or proposal; of a notice it is the person.
"""

from lichen.events.envelope import Record


class Action(Record, frozen=True, rename="camel", tag="lichen.moderation.action"):
    """A line of the moderation log; `done` is false for the opposite (restored, let in again).

    `subject` is an at:// address or a DID, `community` a DID; `undoes` is the key of the action
    that this one undoes.
    """

    kind: str
    done: bool
    created_at: str
    subject: str | None = None
    community: str | None = None
    reason: str | None = None
    expires_at: str | None = None
    undoes: str | None = None


class Report(Record, frozen=True, rename="camel", tag="lichen.moderation.report"):
    """A person reports a post, a comment or a message, by its number; resolved by a moderator."""

    kind: str
    subject: int
    reason: str
    created_at: str
    resolved: bool = False


class Notice(Record, frozen=True, rename="camel", tag="lichen.moderation.notice"):
    """A person is told what was decided about it or its words; `action` is the number to appeal.

    With `proposal`, what became of a proposal that it made or supports; `action` numbers the step.
    """

    action: int
    kind: str
    done: bool
    created_at: str
    reason: str | None = None
    expires_at: str | None = None
    proposal: int | None = None


class Appeal(Record, frozen=True, rename="camel", tag="lichen.moderation.appeal"):
    """A person appeals against an action, by its number; `state` is open, upheld or denied."""

    action: int
    text: str
    state: str
    created_at: str
    answer: str | None = None


class Remark(Record, frozen=True, rename="camel", tag="lichen.moderation.remark"):
    """A moderator's note or strike about a person, by DID; a strike may expire."""

    kind: str
    subject: str
    text: str
    created_at: str
    expires_at: str | None = None


class Proposal(Record, frozen=True, rename="camel", tag="lichen.moderation.proposal"):
    """A person proposes something to a community, by DID; one that was removed is a deletion.

    `state` is open, passedUp, accepted, declined or withdrawn, `supports` how many others stood
    behind it when it came to that, `answer` why, as whoever brought it there said.
    """

    title: str
    text: str
    community: str
    state: str
    created_at: str
    supports: int = 0
    answer: str | None = None


class Support(Record, frozen=True, rename="camel", tag="lichen.moderation.support"):
    """A person stands behind a proposal, by its number; taking it back is a deletion."""

    proposal: int
    created_at: str
