"""Assembles the room."""

from lichen.accounts import Accounts
from lichen.forum import Forum
from lichen.kit.ground import Ground
from lichen.notifications.reader import NAME, NotificationsReader
from lichen.notifications.service import Notifications
from lichen.store import Store, checkpoint_of
from lichen.web import Addresses


async def build(
    ground: Ground, store: Store, *, forum: Forum, accounts: Accounts, addresses: Addresses,
    log_first_seq: int = 0,
) -> Notifications:
    """Return the service, its reader standing where its rows stand, or where the log begins."""
    checkpoint = await store.read(lambda unit: checkpoint_of(unit, NAME))
    position = max(checkpoint, log_first_seq - 1)
    reader = NotificationsReader(
        store, forum=forum, accounts=accounts, addresses=addresses, position=position
    )
    return Notifications(reader=reader, forum=forum, tids=ground.tids)
