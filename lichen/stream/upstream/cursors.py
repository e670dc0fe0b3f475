"""Cursors: which relay's numbering a position of the store is in.

Each relay numbers its frames itself, so a cursor means something to the relay alone that gave it.
The store keeps one position with its data; ours says both:

    position    number of the numbering << 53 │ the relay's sequence
    number      its line in `upstreams.json`, from 0: with one relay, the position is its cursor

The table is written before a number is first used, and a number is never used again; so position
and table cannot disagree, whenever the power fails. A relay that began its numbering anew gets a
new line. Beside each stands the relay's time of the last event taken: where another relay is to
begin. That may be some seconds old after a crash; then a little more is read twice, and dropped.
"""

import asyncio
import os
import threading
from pathlib import Path
from typing import Final

import msgspec

from lichen.kit.clock import Clock
from lichen.kit.errors import Unavailable
from lichen.stream.upstream.limits import NUMBERINGS_MAX, SAVE_S

FILE: Final = "upstreams.json"
VERSION: Final = 1
SEQ_BITS: Final = 53


class Numbering(msgspec.Struct):
    """One relay's numbering: where it is, and its time of the last event taken."""

    address: str
    time_us: int = 0


class Table(msgspec.Struct):
    """What the file holds."""

    version: int
    upstreams: list[Numbering]


def position_of(number: int, seq: int) -> int:
    """Return the position that a sequence of a numbering is."""
    assert 0 <= number < NUMBERINGS_MAX and 0 <= seq < 1 << SEQ_BITS
    return number << SEQ_BITS | seq


def parts_of(position: int) -> tuple[int, int]:
    """Return the numbering and the sequence of a position."""
    return position >> SEQ_BITS, position & ((1 << SEQ_BITS) - 1)


class Cursors:
    """The table of upstreams of one store; one process has it, as it has the store."""

    def __init__(self, folder: Path, *, clock: Clock) -> None:
        self._path = folder / FILE
        self._clock = clock
        self._upstreams = _read(self._path)
        self._saved_us = clock()
        self._turn = threading.Lock()

    def address_of(self, number: int) -> str:
        """Return the address of a numbering, nothing where the table was lost."""
        return self._upstreams[number].address if number < len(self._upstreams) else ""

    def time_us_of(self, number: int) -> int:
        """Return the relay's time of the last event taken in a numbering, 0 where not known."""
        return self._upstreams[number].time_us if number < len(self._upstreams) else 0

    def number_of(self, address: str) -> int | None:
        """Return the newest numbering of a relay, if it has one."""
        numbers = range(len(self._upstreams) - 1, -1, -1)
        return next((one for one in numbers if self._upstreams[one].address == address), None)

    async def begin_anew(self, address: str, *, at_least: int = 0) -> int:
        """Return a new numbering for a relay, durable when this returns.

        at_least: the lowest number that may be given; those below it were, by a table now lost.
        """
        while len(self._upstreams) < at_least:
            self._upstreams.append(Numbering(""))
        number = len(self._upstreams)
        if number >= NUMBERINGS_MAX:
            raise Unavailable(
                f"{self._path} names {number} upstreams, as many as fit. Begin a new folder."
            )
        self._upstreams.append(Numbering(address))
        await self.save()
        return number

    async def note(self, number: int, time_us: int) -> None:
        """Keep a relay's time of the last event taken; the file follows every SAVE_S."""
        numbering = self._upstreams[number]
        is_first = not numbering.time_us
        # A relay whose clock is ahead would have the next one begun too late.
        numbering.time_us = min(time_us, self._clock())
        if is_first or self._clock() - self._saved_us >= SAVE_S * 1_000_000:
            await self.save()

    async def save(self) -> None:
        """Write the table; durable when this returns. Raises Unavailable."""
        self._saved_us = self._clock()
        try:
            await asyncio.to_thread(self._write)
        except OSError as error:
            raise Unavailable(
                f"{self._path} cannot be written ({error.strerror}); is the disk full?"
            ) from error

    def _write(self) -> None:
        # A save that was cancelled is still under way in its thread.
        with self._turn:
            _swap(self._path, msgspec.json.encode(Table(VERSION, self._upstreams)))


def _read(path: Path) -> list[Numbering]:
    try:
        table = msgspec.json.decode(path.read_bytes(), type=Table)
    except FileNotFoundError:
        return []
    except (OSError, msgspec.MsgspecError) as error:
        raise Unavailable(
            f"{path} cannot be read ({error}). Remove it: then the upstreams are begun by the time "
            "of the last event."
        ) from error
    if table.version != VERSION:
        raise Unavailable(f"{path} is of version {table.version}, written by a newer Lichen.")
    return table.upstreams


def _swap(path: Path, table: bytes) -> None:
    """Swap the file for a new one, atomically and durably."""
    unfinished = path.with_suffix(".unfinished")
    with unfinished.open("wb") as file:
        file.write(table)
        file.flush()
        os.fsync(file.fileno())
    unfinished.rename(path)
    folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
