"""Decodes everything that a house keeps, so that a search finds what it still holds.

SQLite: every byte of every file, every row of every table, every word of the index. The log: every
record as it is read, and every byte. The stream: every event in each of its forms, and every zstd
frame that its files hold, journals too. PostgreSQL: every row of every table as text.
"""

import gzip
import re
import shutil
import sqlite3
import zlib
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from tempfile import TemporaryDirectory

import psycopg
import zstandard

from lichen.log import SegmentLog
from lichen.stream import Dictionaries, Store
from lichen.stream.room import DICTIONARIES_FOLDER
from tests.stream.kept import forms

_FRAME = b"\x28\xb5\x2f\xfd"  # RFC 8878 §3.1.1: a zstd frame's magic number


def traces(marker: str, folder: Path, url: str = "") -> list[str]:
    """Return every place below a folder, or in its database, that holds a text."""
    wanted = marker.lower().encode()
    return [where for where, content in _everything(folder, url) if wanted in content.lower()]


def _everything(folder: Path, url: str) -> Iterator[tuple[str, bytes]]:
    for path in sorted(folder.rglob("*")):
        if path.is_file():
            raw = path.read_bytes()
            yield f"{path.name} as it is", raw
            for name, content in _unpacked(raw):
                yield f"{path.name} as {name}", content
    if (folder / "log").is_dir():
        yield from _of_log(folder / "log")
    if (folder / "stream").is_dir():
        yield from _of_stream(folder / "stream")
    if (folder / "lichen.sqlite").exists():
        yield from _of_sqlite(folder / "lichen.sqlite")
    if url:
        yield from _of_postgresql(url)


def _unpacked(raw: bytes) -> Iterator[tuple[str, bytes]]:
    for name, unpack in (("gzip", gzip.decompress), ("zlib", zlib.decompress)):
        try:
            yield name, unpack(raw)
        except (OSError, EOFError, zlib.error):
            continue


def _of_log(folder: Path) -> Iterator[tuple[str, bytes]]:
    log = SegmentLog.open_reader(folder)
    seq = max(1, log.first_seq)
    while seq <= log.last_seq:
        batch = log.read(seq)
        for entry in batch.entries():
            yield f"log record {entry.seq}", entry.payload
        seq = batch.next_seq


def _of_stream(folder: Path) -> Iterator[tuple[str, bytes]]:
    dictionaries = Dictionaries(folder / DICTIONARIES_FOLDER)
    unpack = dictionaries.decompressor(dictionaries.stored).decompress
    for path in sorted(path for path in folder.rglob("*") if path.is_file()):
        raw = path.read_bytes()
        # Wherever a frame begins, even in bytes that nothing refers to any more.
        for start in (found.start() for found in re.finditer(re.escape(_FRAME), raw)):
            with suppress(zstandard.ZstdError):
                yield f"{path.name} at {start}", unpack(raw[start:])
    # A house that runs holds its folder, so a copy is opened.
    with TemporaryDirectory() as beside:
        copy = Path(shutil.copytree(folder, Path(beside) / "stream"))
        store = Store.open(copy, clock=lambda: 0, dictionaries=dictionaries)
        for name, content in forms(store).items():
            yield f"the stream, {name}", content


def _of_sqlite(path: Path) -> Iterator[tuple[str, bytes]]:
    connection = sqlite3.connect(path)
    connection.text_factory = bytes
    names = [name.decode() for (name,) in connection.execute(
        "SELECT name FROM sqlite_master WHERE type = 'table'")]
    for name in names:
        for row in connection.execute(f'SELECT * FROM "{name}"'):
            yield f"a row of {name}", b" ".join(
                cell if isinstance(cell, bytes) else str(cell).encode() for cell in row)
    # sqlite.org/fts5.html §8: words are stored as differences, so only this shows them.
    connection.execute("CREATE VIRTUAL TABLE temp.terms USING fts5vocab(main, search_text, row)")
    for (term,) in connection.execute("SELECT term FROM temp.terms"):
        yield "a word of the index", term
    connection.close()


def _of_postgresql(url: str) -> Iterator[tuple[str, bytes]]:
    with psycopg.connect(url) as connection:
        names = connection.execute(
            "SELECT table_name FROM information_schema.tables WHERE table_schema = 'public'"
        ).fetchall()
        for (name,) in names:
            for (row,) in connection.execute(f'SELECT t::text FROM "{name}" t').fetchall():
                yield f"a row of {name}", row.encode()
