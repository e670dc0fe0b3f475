"""What moderators decide, and what people tell them: the records of the room `moderation`.

An action is a line of the moderation log, spoken by the site; who decided is kept in rows. Reports,
appeals, remarks and notices are private: they belong to the person who writes, decides or is told.
`row` is the number of the action, report, appeal, remark or proposal; of a notice it is the person.
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
    """A person is told what was decided about it or its words; `action` is the number to appeal."""

    action: int
    kind: str
    done: bool
    created_at: str
    reason: str | None = None
    expires_at: str | None = None


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
