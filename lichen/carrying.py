"""What `lichen export` and `lichen import` do: somebody's words out, their choices in.

Both read and write the rows alone, so they also work beside a running house, which hears of an
import by the events it leaves.
"""

import asyncio
import tempfile
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TypeVar

from lichen.accounts import Accounts, ActorKind, Viewer
from lichen.administration import with_accounts
from lichen.export import (
    Collection,
    Imported,
    Progress,
    Rooms,
    read_export,
    take_over,
    write_export,
)
from lichen.forum.room import build as build_forum
from lichen.kit import NotFound, Refused, Unavailable
from lichen.kit.config import Config
from lichen.kit.ground import ground_of
from lichen.messages.room import build as build_messages
from lichen.moderation.room import build as build_moderation
from lichen.store import Store, Unit
from lichen.web import Addresses

T = TypeVar("T")


def export_person(
    config: Config, name: str, out: Path, tell: Callable[[Progress], None]
) -> int:
    """Write everything of a local person into a new file; return how many things it holds.

    Raises Refused where the file exists, Unavailable where the disk does not take it.
    """
    if out.exists():
        raise Refused("target_exists", f"{out} exists already; name a new file.")

    async def told(progress: Progress) -> None:
        tell(progress)

    async def act(rooms: Rooms, owner: Viewer) -> int:
        return await write_export(
            out, Collection(rooms, owner), addresses=rooms.addresses, made_us=rooms.store.clock(),
            tell=told,
        )

    try:
        out.touch(mode=0o600)
        return _run(config, name, act)
    except OSError as error:
        out.unlink(missing_ok=True)
        raise Unavailable(f"The archive cannot be written: {error}.") from None
    except BaseException:
        out.unlink(missing_ok=True)
        raise


def import_person(config: Config, name: str, source: Path) -> Imported:
    """Take over for a local person what a file of Lemmy's settings export says."""
    found = read_export(source.read_bytes())

    async def act(rooms: Rooms, owner: Viewer) -> Imported:
        return await take_over(rooms, owner, found)

    return _run(config, name, act)


def _run(config: Config, name: str, act: Callable[[Rooms, Viewer], Awaitable[T]]) -> T:
    async def with_rooms(accounts: Accounts, store: Store) -> T:
        ground, addresses = ground_of(config), Addresses(config.public_url)
        # Ranks of its own, made from the rows: those of the data folder belong to the house.
        with tempfile.TemporaryDirectory(prefix="lichen-") as folder:
            talk = await build_forum(
                ground, store, accounts=accounts, addresses=addresses, folder=Path(folder),
                log_first_seq=0, log_last_seq=0,
            )
            messages = build_messages(ground, accounts=accounts, addresses=addresses)
            moderation = build_moderation(
                ground, forum=talk.forum, accounts=accounts, addresses=addresses
            )
            rooms = Rooms(store, accounts, talk.forum, messages, moderation, addresses)
            try:
                owner = await store.read(lambda unit: _owner(accounts, unit, name))
                return await act(rooms, owner)
            finally:
                await talk.rank_reader.close()

    return asyncio.run(with_accounts(config, with_rooms))


def _owner(accounts: Accounts, unit: Unit, name: str) -> Viewer:
    person = accounts.actor_by_name(unit, ActorKind.PERSON, name.removeprefix("@"))
    if person is None:
        raise NotFound("couldnt_find_person", f"Nobody here is called {name}.")
    return accounts.owner_of(unit, person.id)
