"""Assembles the room."""

from collections.abc import Callable

from lichen.accounts import Accounts
from lichen.forum import Forum
from lichen.kit.ground import Ground
from lichen.moderation.part import Pictures, ReportedMessages
from lichen.moderation.service import Moderation
from lichen.store import Unit
from lichen.web import Addresses


def build(
    ground: Ground, *, forum: Forum, accounts: Accounts, addresses: Addresses,
    messages: ReportedMessages | None = None, pictures: Pictures | None = None,
    erase: Callable[[Unit, int], object] | None = None,
) -> Moderation:
    """Return the service; without the ports no message is reported and no picture purged.

    `erase` is told of each person who is purged, and leaves nothing of them.
    """
    return Moderation(
        forum=forum, accounts=accounts, addresses=addresses, tids=ground.tids, messages=messages,
        pictures=pictures, erase=erase,
    )
