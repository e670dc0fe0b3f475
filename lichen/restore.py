"""Restoring a backup into an empty data folder and an empty database.

Every checksum is verified before anything is written. What happened after the backup is lost, but
others may have seen it: peers keep ids, readers of the public stream keep sequences. So every row
number and the log go on far ahead, nothing is ever given twice, and a new epoch says to whoever
followed that the past has changed. The logs of federation go on where they were: what was accepted
is applied, and peers that were behind get what they missed.
"""

import asyncio
import os
import shutil
from pathlib import Path

import msgspec
import sqlalchemy as sa

from lichen.backup import (
    FORMAT,
    LOG_FOLDER,
    LOG_FOLDERS,
    MANIFEST,
    ROWS_FOLDER,
    Manifest,
    files_of,
    seal_of,
)
from lichen.events import decode_events
from lichen.kit import Clock, Refused, Tid
from lichen.kit.config import FILE_NAME, Config
from lichen.kit.crash_points import crash_point
from lichen.log import SegmentLog, tail_of
from lichen.media.copying import FOLDER as PICTURES_FOLDER
from lichen.store import Unit, any_of, open_store, set_stamp
from lichen.store.copying import copy_in
from lichen.store.migrating import EMPTY, migrate, version_of
from lichen.store.relay import BATCH_MAX
from lichen.store.tables import outbox

SKIPPED = 1_000_000  # numbers and sequences; far above what is given between two backups
EPOCH = "epoch"  # the stamp that changes with every restore
UNFINISHED = "restore-unfinished"  # stands in the data folder while a restore runs


def restore(config: Config, source: Path, *, clock: Clock, epoch: Tid) -> Manifest:
    """Restore a backup; raises Refused where it is damaged or there is no empty place for it."""
    manifest = verified(source)
    url, data = config.database.url.reveal(), config.server.data
    _check_place(config, manifest)
    data.mkdir(mode=0o700, parents=True, exist_ok=True)
    (data / UNFINISHED).touch()
    if (source / FILE_NAME).exists() and not (data / FILE_NAME).exists():
        shutil.copyfile(source / FILE_NAME, data / FILE_NAME)
    for name in LOG_FOLDERS:
        if (source / name).exists():
            shutil.copytree(source / name, data / name)
    if (source / PICTURES_FOLDER).exists():
        shutil.copytree(source / PICTURES_FOLDER, data / PICTURES_FOLDER)
    crash_point("restore.before_rows")
    if url:
        migrate(url, folder=data, to=manifest.tables_version)
    copy_in(url, folder=data, source=source / ROWS_FOLDER, numbers_skipped=SKIPPED)
    asyncio.run(_go_on_ahead(config, clock=clock, epoch=epoch))
    os.sync()  # the copies are durable before the mark goes
    crash_point("restore.before_finish")
    (data / UNFINISHED).unlink()
    return manifest


def verified(source: Path) -> Manifest:
    """Return the manifest of a backup of which every file is as it was written, or refuse."""
    try:
        manifest = msgspec.json.decode((source / MANIFEST).read_bytes(), type=Manifest)
    except (OSError, msgspec.DecodeError) as error:
        raise Refused("no_backup", f"{source} is no backup of Lichen: {error}.") from None
    if manifest.format > FORMAT:
        raise Refused(
            "newer_backup", f"{source} was written by Lichen {manifest.lichen}; restore with that.")
    found = {str(path.relative_to(source)): path for path in files_of(source)}
    wrong = [f"{name} is missing" for name in manifest.files if name not in found]
    wrong += [f"{name} does not belong here" for name in found if name not in manifest.files]
    wrong += [f"{name} is not as it was written" for name, seal in manifest.files.items()
              if name in found and seal_of(found[name]) != seal]
    if wrong:
        raise Refused("damaged_backup", f"{source} is damaged: {'; '.join(wrong)}.")
    return manifest


def check_finished(data: Path) -> None:
    """Refuse a data folder in which a restore was cut short."""
    if (data / UNFINISHED).exists():
        raise Refused(
            "restore_unfinished",
            f"A restore into {data} did not finish. Empty the folder (and the database) and "
            "restore again.")


def _check_place(config: Config, manifest: Manifest) -> None:
    url, data = config.database.url.reveal(), config.server.data
    if manifest.engine != config.database.engine:
        raise Refused(
            "other_engine", f"The backup is of {manifest.engine}, the configuration names "
            f"{config.database.engine}. Set or unset LICHEN_DATABASE_URL.")
    strangers = [path.name for path in data.glob("*") if path.name != FILE_NAME]
    if strangers:
        raise Refused(
            "data_not_empty",
            f"{data} is not empty (it holds {sorted(strangers)[0]}); restore into an empty folder.")
    if url and version_of(url, folder=data) != EMPTY:
        raise Refused(
            "database_not_empty", "The database holds tables already. Restore into an empty one.")


async def _go_on_ahead(config: Config, *, clock: Clock, epoch: Tid) -> None:
    """Skip ahead in the log, drop from the outbox what the log has, and stamp the new epoch."""
    data = config.server.data
    log = SegmentLog.open(data / LOG_FOLDER, clock=clock)
    try:
        # After the skip the relay would look for its last batch in the hole, so it is done here.
        lines = tail_of(log, BATCH_MAX)
        known: list[str] = [event.id for event in decode_events(lines)] if lines else []
        store = open_store(config.database.url.reveal(), folder=data, clock=clock)
        try:
            await store.write(lambda unit: _mark(unit, known=known, epoch=epoch))
        finally:
            await store.close()
        await log.skip_to(log.last_seq + SKIPPED)
    finally:
        await log.close()


def _mark(unit: Unit, *, known: list[str], epoch: Tid) -> None:
    if known:
        unit.stage(sa.delete(outbox).where(any_of(outbox.c.event_id, "ids")), {"ids": known})
    set_stamp(unit, EPOCH, epoch)
