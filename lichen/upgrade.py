"""Moving a house to the tables of another release, with a way back made first.

    stand alone ─▶ restorable point ─▶ migrate ─▶ check ─▶ done
                        │                            │
                        └────── `lichen restore` ◀───┘ where it is not well

Nothing serves meanwhile: the log's lock is held.
"""

import contextlib
import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from lichen.backup import LOG_FOLDER, back_up
from lichen.kit import Clock, Refused, isoformat
from lichen.kit.config import Config
from lichen.log.opening import lock_folder
from lichen.store.copying import damages_of
from lichen.store.migrating import EMPTY, HEAD, migrate, version_of, versions

POINTS_FOLDER = "backups"  # an erasure empties it: `lichen/erasing`


class Move(NamedTuple):
    """What was done: from which version of the tables to which, and where the way back lies."""

    before: str
    after: str
    point: Path | None


def upgrade(config: Config, *, clock: Clock) -> Move:
    """Bring the tables to this release, after making a restorable point; nothing where they are."""
    with standing_alone(config):
        found = version_of(config.database.url.reveal(), folder=config.server.data)
        if found == HEAD:
            return Move(found, HEAD, None)
        return move_tables(config, found, HEAD, clock=clock)


def downgrade(config: Config, *, clock: Clock) -> Move:
    """Bring the tables one release back, after making a restorable point.

    Raises Refused where this is the first release: going back from it would drop everything.
    """
    with standing_alone(config):
        found = version_of(config.database.url.reveal(), folder=config.server.data)
        return move_tables(config, found, version_before(found, versions()), clock=clock)


def move_tables(config: Config, before: str, after: str, *, clock: Clock) -> Move:
    """Bring the tables from one version to another: restorable point, migration, check.

    The caller stands alone. Raises Refused, naming the point, where the check finds something.
    """
    url, data = config.database.url.reveal(), config.server.data
    point = None
    if before != EMPTY:
        when = isoformat(clock())[:19].replace(":", "")
        point = data / POINTS_FOLDER / f"{when}-before-{after}"
        point.parent.mkdir(mode=0o700, exist_ok=True)
        back_up(config, point, clock=clock)
    migrate(url, folder=data, to=after)
    wrong = damages_of(url, folder=data)
    if version_of(url, folder=data) != after:
        wrong.append(f"the tables are not of version {after}")
    if wrong:
        raise Refused(
            "move_failed", f"The check found: {'; '.join(wrong)}. Nothing is lost: restore "
            f"{point} into an empty folder.")
    return Move(before, after, point)


def version_before(found: str, known: Sequence[str]) -> str:
    """Return the version one release before, or refuse."""
    if found not in known:
        raise Refused(
            "unknown_version", f"The tables are of version {found}, unknown to this Lichen.")
    if known.index(found) == 0:
        raise Refused("first_release", "There is no release before this one to go back to.")
    return known[known.index(found) - 1]


@contextlib.contextmanager
def standing_alone(config: Config) -> Iterator[None]:
    """Keep every other process of this house from appending; raises LogLocked, which names it."""
    folder = config.server.data / LOG_FOLDER
    if not folder.is_dir():
        raise Refused("no_house", f"{config.server.data} holds no house; say --data.")
    lock = lock_folder(folder)
    try:
        yield
    finally:
        os.close(lock)
