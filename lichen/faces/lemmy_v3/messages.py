"""The calls about private messages."""

from lichen.faces.hooked import ask_before_message
from lichen.faces.lemmy_v3 import views, wire
from lichen.faces.lemmy_v3.asking import Caller, Parts


async def list_private_messages(
    parts: Parts, caller: Caller, asked: wire.GetPrivateMessages
) -> wire.PrivateMessagesResponse:
    """Return a page of what the caller was sent and has sent, the newest first."""
    viewer = caller.person()
    found = await parts.store.read(lambda unit: parts.messages.message_list(
        unit, viewer, unread_only=asked.unread_only, creator_id=asked.creator_id,
        page=asked.page, limit=asked.limit,
    ))
    return wire.PrivateMessagesResponse(
        private_messages=[views.private_message_view(view) for view in found]
    )


async def create_private_message(
    parts: Parts, caller: Caller, asked: wire.CreatePrivateMessage
) -> wire.PrivateMessageResponse:
    """Write to a person."""
    viewer = caller.person()
    content = await ask_before_message(parts, viewer, asked.recipient_id, asked.content)
    view = await parts.store.write(lambda unit: parts.messages.create_message(
        unit, viewer, asked.recipient_id, content=content
    ))
    return wire.PrivateMessageResponse(private_message_view=views.private_message_view(view))


async def edit_private_message(
    parts: Parts, caller: Caller, asked: wire.EditPrivateMessage
) -> wire.PrivateMessageResponse:
    """Change one of the caller's messages."""
    viewer = caller.person()
    view = await parts.store.write(lambda unit: parts.messages.edit_message(
        unit, viewer, asked.private_message_id, content=asked.content
    ))
    return wire.PrivateMessageResponse(private_message_view=views.private_message_view(view))


async def delete_private_message(
    parts: Parts, caller: Caller, asked: wire.DeletePrivateMessage
) -> wire.PrivateMessageResponse:
    """Take one of the caller's messages away, or bring it back."""
    viewer = caller.person()
    view = await parts.store.write(lambda unit: parts.messages.delete_message(
        unit, viewer, asked.private_message_id, deleted=asked.deleted
    ))
    return wire.PrivateMessageResponse(private_message_view=views.private_message_view(view))


async def mark_private_message_as_read(
    parts: Parts, caller: Caller, asked: wire.MarkPrivateMessageAsRead
) -> wire.PrivateMessageResponse:
    """Mark a message that the caller was sent as read, or as unread."""
    viewer = caller.person()
    view = await parts.store.write(lambda unit: parts.messages.mark_read(
        unit, viewer, asked.private_message_id, read=asked.read
    ))
    return wire.PrivateMessageResponse(private_message_view=views.private_message_view(view))
