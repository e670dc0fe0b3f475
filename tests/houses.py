"""Whole houses opened in this process, as cheaply as one can."""

from lichen.accounts.passwords import Passwords
from lichen.house import House
from lichen.kit.config import Config
from tests.databases import furnish
from tests.federation.signing import keys


async def opened_house(config: Config) -> House:
    """Open a house with tables that are there, one pair of keys for all, and passwords of 64 KiB.

    Where signatures matter, a house has to make keys of its own.
    """
    if not config.database.url.reveal():
        furnish(config.server.data)
    return await House.open(config, passwords=Passwords(memory_kib=64), make_keys=keys)
