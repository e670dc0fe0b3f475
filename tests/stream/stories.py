"""Small stories of a store on a disk that fails: how they are told."""

import errno
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from lichen.stream import EVERYTHING, Arrival, Form, Store, StreamUnavailable
from lichen.stream.layout import RECORD_MAGIC
from tests.stream.disks import FailingDisk
from tests.stream.histories import TwoDictionaries, post
from tests.stream.reading import read_all

PACKED = Form(dictionary=TwoDictionaries.stored)
Reopen = Callable[[], Store]


class StuckDisk(FailingDisk):
    """One that will not remove a file."""

    is_stuck = False

    def remove(self, path: Path) -> None:
        if self.is_stuck:
            raise OSError(errno.EIO, os.strerror(errno.EIO))
        super().remove(path)


def events(*texts: str) -> list[Arrival]:
    return [post(f"<{text}>") for text in texts]


def texts(store: Store, form: Form = PACKED) -> str:
    """Return what a reader gets, as the letters of its texts."""
    found = read_all(store, 0, EVERYTHING, form).messages
    return "".join(one.split(b"<")[1][:1].decode() for one in found)


async def fill(store: Store, *parts: str) -> None:
    """Append each part and seal it into a block of its own."""
    for part in parts:
        await store.append(events(*part), position=store.next_seq)
        store._writer.seal()


def journals_of(folder: Path) -> list[Path]:
    return sorted(folder.glob("journal*"))


def rot(path: Path, at: int) -> None:
    """Flip a bit."""
    content = bytearray(path.read_bytes())
    content[at] ^= 4
    path.write_bytes(content)


def rot_record(path: Path, number: int, *, offset: int) -> None:
    """Flip a bit of a record of a file, so far behind its start."""
    at = -1
    for _ in range(number):
        at = path.read_bytes().index(RECORD_MAGIC, at + 1)
    rot(path, at + offset)


async def failed(store: Store, *parts: str) -> None:
    with pytest.raises(StreamUnavailable):
        await store.append(events(*parts), position=99)
