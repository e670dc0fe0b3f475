"""How a message is written: as a row, from a row, and as the record of an event."""

import msgspec

from lichen.events import collection_of
from lichen.events import messages as records
from lichen.kit import isoformat
from lichen.messages.model import Message, MessageId, MessageView
from lichen.store import Row

MESSAGE = collection_of(records.Message)


def message_from(row: Row) -> Message:
    """Return the message in a row that has its columns."""
    return Message(
        id=MessageId(row.id), tid=row.tid, ap_id=row.ap_id, local=row.local,
        creator_id=row.creator_id, recipient_id=row.recipient_id, content=row.content,
        deleted=row.deleted, read=row.read, published_us=row.published_us,
        updated_us=row.updated_us,
    )


def row_of(message: Message) -> dict[str, object]:
    """Return what an insert binds, and more than a change asks for."""
    row = msgspec.structs.asdict(message)
    people = sorted((message.creator_id, message.recipient_id))
    return row | {
        "low_id": people[0], "high_id": people[1], "row_id": message.id,
        "new_content": message.content, "new_deleted": message.deleted,
        "new_read": message.read, "new_updated_us": message.updated_us,
    }


def record_of(view: MessageView) -> records.Message:
    """Return the record of a message as it is now."""
    message = view.message
    return records.Message(
        recipient=view.recipient.did, content=message.content,
        created_at=isoformat(message.published_us),
        updated_at=None if message.updated_us is None else isoformat(message.updated_us),
    )
