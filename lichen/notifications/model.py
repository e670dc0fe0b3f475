"""The nouns of notifications, and who is told of a comment.

Pure: nothing here reads a clock, a file or a row.
"""

from collections.abc import Iterable, Mapping
from enum import IntEnum, StrEnum

import msgspec

from lichen.accounts import Actor
from lichen.forum import Comment, CommentId, CommentView
from lichen.notifications.limits import RECIPIENTS_MAX


class Kind(StrEnum):
    """Why somebody is told."""

    REPLY = "reply"
    MENTION = "mention"


class Asks(IntEnum):
    """What is asked of somebody; the smaller, the sooner they want to know when they come back."""

    QUESTION = 0
    REPLY = 1
    MENTION = 2


class Notification(msgspec.Struct, frozen=True):
    """One thing somebody was told of, with the comment as the reader sees it."""

    id: int
    kind: Kind
    recipient: Actor
    read: bool
    published_us: int
    comment: CommentView


class Notice(msgspec.Struct, frozen=True):
    """What a moderator decided about the reader; `action_id` is what may be appealed against.

    With `proposal_id`, what became of a proposal that the reader made or supports.
    """

    action_id: int
    kind: str
    done: bool
    reason: str | None
    expires_at: str | None
    read: bool
    created_at: str
    proposal_id: int | None = None


class Counts(msgspec.Struct, frozen=True):
    """How many unread things of each kind somebody has."""

    replies: int = 0
    mentions: int = 0
    notices: int = 0


class Told(msgspec.Struct, frozen=True):
    """Who is told of which comment, and why."""

    recipient_id: int
    kind: Kind
    comment_id: int
    creator_id: int
    published_us: int
    asks: Asks


def told_of(
    view: CommentView, parents: Mapping[CommentId, Comment], named: Iterable[Actor]
) -> list[Told]:
    """Return who is told of a new comment: who was answered, then who was mentioned.

    Nobody is told of their own words, and nobody twice of the same comment.
    """
    comment = view.comment
    answered = view.post.creator_id
    if comment.parent_id is not None:
        parent = parents.get(comment.parent_id)
        answered = parent.creator_id if parent is not None else 0
    kinds: dict[int, Kind] = {}
    if answered:
        kinds[answered] = Kind.REPLY
    for person in named:
        kinds.setdefault(person.id, Kind.MENTION)
    kinds.pop(comment.creator_id, None)
    return [
        Told(
            recipient_id=recipient, kind=kind, comment_id=comment.id,
            creator_id=comment.creator_id, published_us=comment.published_us,
            asks=asks_of(kind, comment.content),
        )
        for recipient, kind in list(kinds.items())[:RECIPIENTS_MAX]
    ]


def asks_of(kind: Kind, content: str) -> Asks:
    """Return what a comment asks of whom it is addressed to; quoted lines are others' words."""
    own = (line for line in content.split("\n") if not line.lstrip().startswith(">"))
    if any("?" in line for line in own):
        return Asks.QUESTION
    return Asks.REPLY if kind is Kind.REPLY else Asks.MENTION
