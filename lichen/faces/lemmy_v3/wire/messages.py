"""Private messages as the Lemmy API shows and takes them."""

from lichen.faces.lemmy_v3.wire.base import (
    PAGE_LENGTH_DEFAULT,
    Answer,
    Ask,
    Id,
    PageLength,
    PageNumber,
    Prose,
    Time,
)
from lichen.faces.lemmy_v3.wire.people import Person


class PrivateMessage(Answer, frozen=True, kw_only=True):
    """Words from one person to another."""

    id: int
    creator_id: int
    recipient_id: int
    content: str
    deleted: bool
    read: bool
    published: Time
    updated: Time | None = None
    ap_id: str
    local: bool


class PrivateMessageView(Answer, frozen=True, kw_only=True):
    """A message with both its people."""

    private_message: PrivateMessage
    creator: Person
    recipient: Person


class GetPrivateMessages(Ask, frozen=True, kw_only=True):
    """Ask for a page of private messages; `creator_id` names the other person."""

    unread_only: bool = False
    page: PageNumber = 1
    limit: PageLength = PAGE_LENGTH_DEFAULT
    creator_id: Id | None = None


class CreatePrivateMessage(Ask, frozen=True, kw_only=True):
    """Write to a person."""

    content: Prose
    recipient_id: Id


class EditPrivateMessage(Ask, frozen=True, kw_only=True):
    """Change one's own message."""

    private_message_id: Id
    content: Prose


class DeletePrivateMessage(Ask, frozen=True, kw_only=True):
    """Take one's own message away, or bring it back."""

    private_message_id: Id
    deleted: bool


class MarkPrivateMessageAsRead(Ask, frozen=True, kw_only=True):
    """Mark a message that one was sent."""

    private_message_id: Id
    read: bool


class PrivateMessageResponse(Answer, frozen=True, kw_only=True):
    """A message as it is now."""

    private_message_view: PrivateMessageView


class PrivateMessagesResponse(Answer, frozen=True, kw_only=True):
    """A page of private messages."""

    private_messages: list[PrivateMessageView]
