"""Assembles the room."""

from lichen.accounts import Accounts
from lichen.forum import Forum
from lichen.kit.ground import Ground
from lichen.moderation.part import Pictures, ReportedMessages
from lichen.moderation.service import Moderation
from lichen.web import Addresses


def build(
    ground: Ground, *, forum: Forum, accounts: Accounts, addresses: Addresses,
    messages: ReportedMessages | None = None, pictures: Pictures | None = None,
) -> Moderation:
    """Return the service; without the ports no message is reported and no picture purged."""
    return Moderation(
        forum=forum, accounts=accounts, addresses=addresses, tids=ground.tids, messages=messages,
        pictures=pictures,
    )
