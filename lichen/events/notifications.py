"""What happens to notifications: the records of the room `notifications`; all private."""

from lichen.events.envelope import Record


class Read(Record, frozen=True, rename="camel", tag="lichen.notification.read"):
    """A person marked one notification, or with number 0 all of theirs, as read or unread."""

    notification: int
    read: bool
    created_at: str
