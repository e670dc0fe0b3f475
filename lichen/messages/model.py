"""The nouns of messages, and what may be written to whom.

Pure: nothing here reads a clock, a file or a row.
"""

from typing import NewType

import msgspec

from lichen.accounts import Actor, ActorKind
from lichen.kit import Forbidden, NotFound, Refused
from lichen.messages.limits import MESSAGE_LENGTH_MAX, PAGE_MAX, PAGE_NUMBER_MAX

MessageId = NewType("MessageId", int)


class Message(msgspec.Struct, frozen=True):
    """One message; `read` is the recipient's mark, `deleted` the sender's."""

    id: MessageId
    tid: str
    ap_id: str
    local: bool
    creator_id: int
    recipient_id: int
    content: str
    deleted: bool
    read: bool
    published_us: int
    updated_us: int | None


class NewMessage(msgspec.Struct, frozen=True):
    """A message that came from a peer, to be kept."""

    ap_id: str
    creator_id: int
    recipient_id: int
    content: str
    published_us: int | None = None


class MessageChange(msgspec.Struct, frozen=True):
    """What becomes of a message from a peer; None leaves it as it is."""

    id: int
    content: str | None = None
    deleted: bool | None = None
    updated_us: int | None = None


class MessageView(msgspec.Struct, frozen=True):
    """A message with both its people, as one of them sees it."""

    message: Message
    creator: Actor
    recipient: Actor


class Conversation(msgspec.Struct, frozen=True):
    """Somebody the viewer has written with, the last message, and how many wait unread.

    `last` is None where that message has been erased.
    """

    other: Actor
    last: Message | None
    published_us: int
    unread: int


def check_content(content: str) -> str:
    """Return a message's text, or refuse an empty or too long one."""
    if not content.strip():
        raise Refused("invalid_body_field", "A message holds at least one character.")
    if len(content) > MESSAGE_LENGTH_MAX:
        raise Refused(
            "invalid_body_field",
            f"A message has at most {MESSAGE_LENGTH_MAX} characters; this one has {len(content)}.",
        )
    return content


def fitting_content(content: str) -> str:
    """Return a message's text cut to what may be stored; an empty one says so."""
    return content[:MESSAGE_LENGTH_MAX] if content.strip() else "…"


def check_writer(writer: Actor | None, *, moved: bool = False) -> None:
    """Refuse a writer who has been banned or deleted since they logged in, or has moved."""
    if writer is None or writer.deleted:
        raise Forbidden("deleted", "This account has been deleted.")
    if writer.banned:
        raise Forbidden("site_ban", "You are banned from this site.")
    if moved:
        raise Forbidden("account_moved", "This account has moved: write where you are now.")


def check_recipient(
    recipient: Actor | None, *, blocks_writer: bool, federates: bool
) -> Actor:
    """Return whom a message is for, or refuse somebody who cannot be written to."""
    if recipient is None or recipient.kind is not ActorKind.PERSON or recipient.deleted:
        raise NotFound("couldnt_find_person", "There is nobody of that number.")
    if blocks_writer:
        raise Forbidden("person_is_blocked", "This person has blocked you.")
    if not recipient.local and not federates:
        raise Refused("federation_disabled", "Messages reach people of this server alone.")
    return recipient


def seen_by(message: Message, viewer_id: int) -> Message:
    """Return a message as one of its two people sees it.

    What its sender took away has no text for the recipient. The read mark is the recipient's and
    says nothing to the sender (Lemmy 0.19 shows it as read).
    """
    if message.creator_id == viewer_id:
        return msgspec.structs.replace(message, read=True)
    return msgspec.structs.replace(message, content="") if message.deleted else message


def check_page(page: int, limit: int) -> int:
    """Return the offset of a page, or refuse numbers outside their bounds."""
    if not 1 <= limit <= PAGE_MAX:
        raise Refused("invalid_limit", f"A page has 1 to {PAGE_MAX} messages, not {limit}.")
    if not 1 <= page <= PAGE_NUMBER_MAX:
        raise Refused("invalid_page", f"Pages count from 1 to {PAGE_NUMBER_MAX}, not {page}.")
    return (page - 1) * limit


def no_such_message() -> NotFound:
    """Return the refusal of a message that is not there, or is not the viewer's."""
    return NotFound("couldnt_find_private_message", "You have no such message.")
