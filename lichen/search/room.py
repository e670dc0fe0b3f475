"""Assembles the room."""

from lichen.accounts import Accounts
from lichen.forum import Forum
from lichen.kit.ground import Ground
from lichen.search.reader import NAME, SearchReader
from lichen.search.service import Search
from lichen.store import Store, checkpoint_of


async def build(
    ground: Ground, store: Store, *, forum: Forum, accounts: Accounts, log_first_seq: int = 0,
    log_last_seq: int = 0,
) -> Search:
    """Return the service, its reader standing where its rows stand.

    Where the log no longer reaches back to that place, everything is indexed again first.
    """
    position = await store.read(lambda unit: checkpoint_of(unit, NAME))
    reader = SearchReader(store, forum=forum, accounts=accounts, position=position)
    if position < log_first_seq - 1:
        await reader.rebuild(log_last_seq)
    return Search(store, reader=reader, flags=ground.flags)
