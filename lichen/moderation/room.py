"""Assembles the room."""

from collections.abc import Callable

from lichen.accounts import Accounts
from lichen.forum import Forum
from lichen.kit.ground import Ground
from lichen.moderation.part import Pictures, ReportedMessages
from lichen.moderation.reader import NAME, ProposalsReader
from lichen.moderation.service import Moderation
from lichen.store import Store, Unit, checkpoint_of
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


async def build_reader(
    store: Store, moderation: Moderation, *, log_first_seq: int = 0
) -> ProposalsReader:
    """Return the reader that tells supporters, where it was, or where the log begins."""
    checkpoint = await store.read(lambda unit: checkpoint_of(unit, NAME))
    return ProposalsReader(store, moderation, position=max(checkpoint, log_first_seq - 1))
