"""Assembles the room."""

from collections.abc import Mapping
from typing import NamedTuple

from lichen.kit.ground import Ground
from lichen.log import Reader
from lichen.plugins import tables
from lichen.plugins.installed import Installed, installed
from lichen.plugins.reader import SwitchReader, ToldReader, reader_name
from lichen.plugins.service import Plugins, Switched
from lichen.store import (
    Store,
    Unit,
    advance_checkpoint,
    checkpoint_of,
    set_stamp,
    stamp_of,
)

__all__ = ["Plugins", "Room", "build"]


class Room(NamedTuple):
    """The service, and a reader for each plugin beside the one that follows the switches."""

    plugins: Plugins
    readers: tuple[Reader, ...]


async def build(
    ground: Ground, store: Store, *, site_did: str, log_first_seq: int, log_last_seq: int,
    found: Mapping[str, Installed] | None = None, is_serving: bool = True,
) -> Room:
    """Return the service over what is installed (or `found`); `plugins.start` starts what is on.

    A plugin that comes new hears of what happens from now on. The house closes the service at its
    end.
    """
    found = installed() if found is None else found
    config = ground.config.plugins

    def begin(unit: Unit) -> tuple[dict[str, Switched], dict[str, int]]:
        switched = {
            row.name: Switched(row.is_on, row.why, row.may_network)
            for row in unit.fetch(tables.SWITCHED)
        }
        positions = {}
        for name in found:
            reader = reader_name(name)
            if not is_serving:  # the command line follows no log, and notes no place in one
                positions[name] = log_last_seq
            elif stamp_of(unit, reader) is None:
                set_stamp(unit, reader, "known")
                advance_checkpoint(unit, reader, log_last_seq)
                positions[name] = log_last_seq
            else:
                positions[name] = max(checkpoint_of(unit, reader), log_first_seq - 1)
        return switched, positions

    switched, positions = await store.write(begin)
    plugins = Plugins(
        store=store, clock=ground.clock, tids=ground.tids, did=site_did, found=found,
        switched=switched,
        on_by_default=_names(config.on), network_by_default=_names(config.network),
    )
    return Room(plugins, (
        SwitchReader(plugins, position=log_last_seq),
        *(ToldReader(plugins, store, name, position=positions[name]) for name in found),
    ))


def _names(listed: str) -> frozenset[str]:
    return frozenset(name.strip() for name in listed.split(",") if name.strip())
