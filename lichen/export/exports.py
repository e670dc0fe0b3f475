"""Exports: asked for from the settings, written by a job, kept for a day for their owner alone.

    ask ──► waiting ──► the job writes <token>.zip, row by row says how far ──► done
                                                                             │ a day later
                                                   row and file are gone ◄───┘

The address of a finished archive cannot be guessed, and only its owner's session may fetch it.
"""

import asyncio
import hmac
from base64 import urlsafe_b64encode
from collections.abc import Sequence
from enum import StrEnum
from pathlib import Path
from random import Random

import msgspec
import structlog

from lichen.accounts import Viewer
from lichen.export import tables
from lichen.export.collection import Collection, Rooms
from lichen.export.limits import BATCH_MAX, KEPT_US, LOOK_S, RETRY_S, TOKEN_BYTES
from lichen.export.writing import PARTS, Progress, write_export
from lichen.kit import NotFound, Unavailable
from lichen.store import Row, Unit

_log = structlog.get_logger("lichen.export")


class State(StrEnum):
    """What has become of an export; one that failed is asked for anew."""

    WAITING = "waiting"
    DONE = "done"
    FAILED = "failed"


class Export(msgspec.Struct, frozen=True):
    """One export that was asked for; `part` is being written, of `PARTS`."""

    id: int
    person_id: int
    token: str
    state: State
    part: str
    things: int
    bytes: int
    asked_us: int
    done_us: int | None

    @property
    def parts_done(self) -> int:
        """How many parts are behind it."""
        return PARTS.index(self.part) if self.part in PARTS else 0

    @property
    def file_name(self) -> str:
        """The name of its file in the folder of exports."""
        return f"{self.token}.zip"


class Exports:
    """Takes requests, writes archives one at a time, and removes them when their day is over."""

    def __init__(self, rooms: Rooms, folder: Path, *, randomness: Random) -> None:
        self.rooms = rooms
        self._folder = folder
        self._randomness = randomness
        self._one_at_a_time = asyncio.Lock()

    def ask(self, unit: Unit, viewer: Viewer) -> Export:
        """Ask for an export; while one waits or is kept, that one is returned instead."""
        found = self.of_viewer(unit, viewer)
        if found is not None and found.state is not State.FAILED:
            return found
        (number,) = unit.take_numbers("export")
        token = urlsafe_b64encode(self._randomness.randbytes(TOKEN_BYTES)).decode().rstrip("=")
        asked = Export(
            id=number, person_id=viewer.id, token=token, state=State.WAITING, part=PARTS[0],
            things=0, bytes=0, asked_us=unit.clock_us, done_us=None,
        )
        unit.stage(tables.INSERT, msgspec.structs.asdict(asked) | {"state": asked.state.value})
        return asked

    def of_viewer(self, unit: Unit, viewer: Viewer) -> Export | None:
        """Return the viewer's newest export of the last day; one round trip."""
        rows = unit.fetch(tables.OF_PERSON, person_id=viewer.id, limit=1)
        found = _export(rows[0]) if rows else None
        if found is None or unit.clock_us - found.asked_us > KEPT_US:
            return None
        return found

    def file_of(self, unit: Unit, viewer: Viewer, token: str) -> Path:
        """Return the file of a finished export, or refuse whoever is not its owner."""
        found = self.of_viewer(unit, viewer)
        if (found is None or found.state is not State.DONE
                or not hmac.compare_digest(found.token, token)):
            raise NotFound("couldnt_find_export", "There is no such archive, or its day is over.")
        return self._folder / found.file_name

    async def run(self) -> None:
        """Look for requests until cancelled; what the world refuses is tried again."""
        pause_s = LOOK_S
        while True:
            await asyncio.sleep(pause_s)
            try:
                await self.work()
                pause_s = LOOK_S
            except (Unavailable, OSError) as trouble:
                _log.warning("export_waits", reason=type(trouble).__name__)
                pause_s = RETRY_S

    async def work(self) -> int:
        """Write everything that is asked for now, remove what is too old; return how many."""
        store = self.rooms.store
        async with self._one_at_a_time:
            await self._remove_old()
            waiting = await store.read(
                lambda unit: unit.fetch(tables.WAITING, limit=BATCH_MAX), apart=True
            )
            for row in waiting:
                await self._write(_export(row))
            return len(waiting)

    async def erase_person(self, person_id: int) -> None:
        """Remove every archive of a person; see `lichen.erasing.Keeper`."""
        async with self._one_at_a_time:
            rows = await self.rooms.store.read(
                lambda unit: unit.fetch(tables.OF_PERSON, person_id=person_id, limit=BATCH_MAX),
                apart=True,
            )
            await self._remove([_export(row) for row in rows])

    async def _write(self, export: Export) -> None:
        path = self._folder / export.file_name
        store = self.rooms.store

        async def tell(progress: Progress) -> None:
            await store.write(lambda unit: _move(
                unit, export, State.WAITING, part=progress.part, things=progress.things
            ), apart=True)

        try:
            owner = await store.read(
                lambda unit: self.rooms.accounts.owner_of(unit, export.person_id), apart=True
            )
        except NotFound:  # the account has gone meanwhile
            await self._remove([export])
            return
        self._folder.mkdir(mode=0o700, exist_ok=True)
        path.unlink(missing_ok=True)  # what a crash left of it
        path.touch(mode=0o600)
        count = await write_export(
            path, Collection(self.rooms, owner), addresses=self.rooms.addresses,
            made_us=store.clock(), tell=tell,
        )
        await store.write(lambda unit: _move(
            unit, export, State.DONE, part=PARTS[-1], things=count, size=path.stat().st_size
        ), apart=True)

    async def _remove_old(self) -> None:
        store = self.rooms.store
        before_us = store.clock() - KEPT_US
        rows = await store.read(
            lambda unit: unit.fetch(tables.OLD, before_us=before_us, limit=BATCH_MAX), apart=True
        )
        if rows:
            await self._remove([_export(row) for row in rows])

    async def _remove(self, exports: Sequence[Export]) -> None:
        for one in exports:
            (self._folder / one.file_name).unlink(missing_ok=True)
        ids = [one.id for one in exports]
        await self.rooms.store.write(
            lambda unit: unit.stage(tables.DROP, {"ids": ids}), apart=True
        )


def _move(
    unit: Unit, export: Export, state: State, *, part: str, things: int, size: int = 0
) -> None:
    unit.stage(tables.MOVE, {
        "row_id": export.id, "new_state": state.value, "new_part": part, "new_things": things,
        "new_bytes": size, "new_done_us": unit.clock_us if state is State.DONE else None,
    })


def _export(row: Row) -> Export:
    return Export(
        id=row.id, person_id=row.person_id, token=row.token, state=State(row.state),
        part=row.part, things=row.things, bytes=row.bytes, asked_us=row.asked_us,
        done_us=row.done_us,
    )
