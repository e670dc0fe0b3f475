"""Messages: private words between two people of this server.

The front door: `Messages` is the service, built by `lichen.messages.room.build`; `Allowance` is
the port through which a house limits how many messages somebody may send.
"""

from lichen.messages.model import (
    Conversation,
    Message,
    MessageChange,
    MessageId,
    MessageView,
    NewMessage,
)
from lichen.messages.ports import Allowance, Everybody
from lichen.messages.service import Messages

__all__ = [
    "Allowance", "Conversation", "Everybody", "Message", "MessageChange", "MessageId",
    "MessageView", "Messages", "NewMessage",
]
