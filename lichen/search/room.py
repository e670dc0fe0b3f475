"""Assembles the room."""

from lichen.accounts import Accounts
from lichen.forum import Forum
from lichen.kit.ground import Ground
from lichen.search.reader import NAME, SearchReader
from lichen.search.service import Search
from lichen.store import Store, checkpoint_of


async def build(ground: Ground, store: Store, *, forum: Forum, accounts: Accounts) -> Search:
    """Return the service, its reader standing where its rows stand."""
    position = await store.read(lambda unit: checkpoint_of(unit, NAME))
    reader = SearchReader(store, forum=forum, accounts=accounts, position=position)
    return Search(store, reader=reader, flags=ground.flags)
