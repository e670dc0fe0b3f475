"""Building what a reader derives anew, from the rows.

A reader of the *rows* kind does it itself, by `rebuild`. One of the *files* kind builds its files
whenever they are missing, so they are removed. One of the *memory* kind builds itself at every
start.
"""

import asyncio
import shutil
from typing import Protocol, runtime_checkable

import msgspec

from lichen.assembly import COLUMNS_FOLDER
from lichen.house import House
from lichen.kit import NotFound, Refused
from lichen.kit.config import Config
from lichen.upgrade import standing_alone

_FOLDERS = {"ranks": COLUMNS_FOLDER}  # of the readers that keep files


@runtime_checkable
class Rebuildable(Protocol):
    """A reader that can forget its rows and make them again."""

    async def rebuild(self, log_seq: int) -> None:
        """Build the state from the rows, as of the log's last sequence."""


def rebuild(config: Config, name: str) -> str:
    """Rebuild one reader and return what was done; raises LogLocked while the house serves."""
    quiet = msgspec.structs.replace(config.server, metrics_port=0, stream_port=0)
    return asyncio.run(_rebuild(msgspec.structs.replace(config, server=quiet), name))


async def _rebuild(config: Config, name: str) -> str:
    with standing_alone(config):
        if name in _FOLDERS:
            shutil.rmtree(config.server.data / _FOLDERS[name], ignore_errors=True)
    house = await House.open(config)
    try:
        readers = {reader.name: reader for reader in house.rooms.readers}
        reader = readers.get(name)
        if isinstance(reader, Rebuildable):
            await reader.rebuild(house.log.last_seq)
        elif reader is None:
            known = ", ".join(sorted(readers))
            raise NotFound("no_reader", f"No reader is called {name}; known: {known}.")
        elif name not in _FOLDERS:
            raise Refused("not_rebuilt", f"{name} builds itself at every start, or keeps what "
                          "people did themselves; there is nothing to rebuild.")
        return f"{name} is rebuilt, as of sequence {house.log.last_seq} of the log."
    finally:
        await house.close()
