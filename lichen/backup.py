"""Backups: a folder that holds everything of one moment, made while the house serves.

    backup/
    ├── manifest.json   what it is, and the size and SHA-256 of every other file
    ├── rows/           rows.sqlite, or one .copy per table of PostgreSQL
    ├── log/            the segments up to that moment
    ├── inbox/          what peers sent, applied or not
    ├── outgoing/       what peers are sent, taken or not
    ├── pictures/       what was uploaded, where the house keeps it itself
    └── lichen.toml     the configuration file, where there is one

The rows of the moment are never ahead of the logs: what the rows have applied of `inbox` and told
to `outgoing` is in them. What is beyond is applied and told after a restore, once, by its keys.

Column files, caches and the public stream are not kept: readers build them anew. A backup holds
keys, password hashes and the secret of the sessions: it is readable by its owner alone. A backup
also holds what is erased later: keep it no longer than you must, and after restoring an old one ask
again for what `lichen erase list` names.

`restore` is the way back; see `restore.py`.
"""

import hashlib
import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import msgspec

from lichen import __version__
from lichen.federation.incoming import INBOX_FOLDER
from lichen.federation.outgoing_room import OUTGOING_FOLDER
from lichen.kit import Clock, Refused, Unavailable, isoformat
from lichen.kit.config import FILE_NAME, Config
from lichen.kit.crash_points import crash_point
from lichen.log.copying import copy_log, end_of
from lichen.media.copying import FOLDER as PICTURES_FOLDER
from lichen.media.copying import copy_pictures
from lichen.store.copying import copy_out
from lichen.store.migrating import version_of

FORMAT = 1  # of the folder; a newer one is refused by an older Lichen
MANIFEST = "manifest.json"
ROWS_FOLDER = "rows"
LOG_FOLDER = "log"
# In the order in which their ends are noted, after the rows: `outgoing` tells of the log alone.
LOG_FOLDERS = (OUTGOING_FOLDER, LOG_FOLDER, INBOX_FOLDER)
ATTEMPTS_MAX = 3  # an erasure may rewrite the log under the copy; the next attempt fits
HASH_BYTES = 1 << 20  # read at once


class Seal(msgspec.Struct, frozen=True):
    """What a file must be to be the file that was written."""

    bytes: int
    sha256: str


class Manifest(msgspec.Struct, frozen=True):
    """What a backup says of itself."""

    format: int
    lichen: str
    made_at: str
    engine: str
    tables_version: str
    public_url: str
    log_last_seq: int
    files: dict[str, Seal]


def back_up(config: Config, target: Path, *, clock: Clock) -> Manifest:
    """Write a backup to a folder that does not exist yet; it appears whole or not at all.

    Raises Refused where the target exists or there is nothing to back up, Unavailable where the
    database or the disk does not do its part.
    """
    if config.log.engine != "segments":
        raise Refused("log_elsewhere", "A backup of a house whose log is on NATS is not offered "
                      "yet; stop the house, copy its rows and its folder, and back the stream up "
                      "with `nats stream backup`.")
    if target.exists():
        raise Refused("target_exists", f"{target} exists already; name a new folder.")
    unfinished = target.with_name(target.name + ".unfinished")
    try:
        for attempt in range(1, ATTEMPTS_MAX + 1):
            shutil.rmtree(unfinished, ignore_errors=True)
            try:
                manifest = _write(config, unfinished, clock=clock)
                break
            except Unavailable:
                if attempt == ATTEMPTS_MAX:
                    raise
        crash_point("backup.before_rename")
        unfinished.rename(target)
        _sync(target.parent)
    except OSError as error:
        raise Unavailable(f"The backup cannot be written: {error}.") from None
    finally:
        shutil.rmtree(unfinished, ignore_errors=True)
    return manifest


def seal_of(path: Path) -> Seal:
    """Return the size and the checksum of a file."""
    with path.open("rb") as file:
        checksum = hashlib.file_digest(file, "sha256").hexdigest()
        return Seal(file.tell(), checksum)


def files_of(folder: Path) -> Iterator[Path]:
    """Yield every file of a backup but its manifest."""
    for path in sorted(folder.rglob("*")):
        if path.is_file() and path != folder / MANIFEST:
            yield path


def _write(config: Config, folder: Path, *, clock: Clock) -> Manifest:
    url, data = config.database.url.reveal(), config.server.data
    for part in (folder, folder / ROWS_FOLDER):
        part.mkdir(mode=0o700, parents=True)
    made_at = isoformat(clock())
    # A house that never met another has one log.
    logs = [name for name in LOG_FOLDERS if name == LOG_FOLDER or (data / name).is_dir()]
    ends = copy_out(
        url, folder=data, to=folder / ROWS_FOLDER,
        at_the_moment=lambda: {name: end_of(data / name) for name in logs})
    for name, end in ends.items():
        (folder / name).mkdir(mode=0o700)
        copy_log(data / name, end, to=folder / name)
    copy_pictures(data, folder / PICTURES_FOLDER)
    if (data / FILE_NAME).exists():
        shutil.copyfile(data / FILE_NAME, folder / FILE_NAME)
    manifest = Manifest(
        format=FORMAT, lichen=__version__, made_at=made_at, engine=config.database.engine,
        tables_version=version_of(url, folder=data), public_url=config.public_url,
        log_last_seq=ends[LOG_FOLDER].last_seq,
        files={str(path.relative_to(folder)): _sealed(path) for path in files_of(folder)})
    encoded = msgspec.json.format(msgspec.json.encode(manifest), indent=2)
    (folder / MANIFEST).write_bytes(encoded)
    _sealed(folder / MANIFEST)
    for part in (*(path for path in folder.rglob("*") if path.is_dir()), folder):
        _sync(part)
    return manifest


def _sealed(path: Path) -> Seal:
    """Make a file durable and private; return its seal."""
    path.chmod(0o600)
    _sync(path)
    return seal_of(path)


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
