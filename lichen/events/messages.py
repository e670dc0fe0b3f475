"""What happens to private messages: the records of the room `messages`; all private.

A message is its sender's record, with the TID of its creation as key; `row` is its number. One that
its sender took away is a deletion, and what comes back is an update that carries everything again.
"""

from lichen.events.envelope import Record


class Message(Record, frozen=True, tag="lichen.message.message"):
    """A message to one person, by DID; its text is private and leaves by erasure alone."""

    recipient: str
    content: str
    created_at: str
    updated_at: str | None = None


class Read(Record, frozen=True, tag="lichen.message.read"):
    """A person marked messages as read or unread.

    One by its number; with number 0 all of theirs, or all of one sender's where `sender` is a DID.
    """

    message: int
    read: bool
    created_at: str
    sender: str | None = None
