"""The bytes of format version 1, for ever: a journal, a segment, a record."""

import struct
from pathlib import Path

import pytest
from xxhash import xxh3_64_intdigest

from lichen.stream import (
    EVERYTHING,
    Arrival,
    ArrivalRefused,
    Form,
    Kind,
    Operation,
    Store,
    StreamTooNew,
)
from tests.conftest import FakeClock
from tests.stream.histories import TwoDictionaries, other, post
from tests.stream.reading import read_all

pytestmark = pytest.mark.anyio

GOLDEN = Path(__file__).parent / "golden"
JOURNAL, SEGMENT = f"journal-{8:020d}-0000.stream", f"{1:020d}.stream"
MESSAGES = [
    b'{"did":"did:plc:ann","time_us":1700000000000000,"cursor":1,"kind":"commit","commit":'
    b'{"rev":"3k","operation":"create","collection":"app.bsky.feed.post","rkey":"3l","record":'
    b'{"text":"first","langs":["en"],"facets":["did:plc:bob"]},"cid":"bafy"}}',
    b'{"did":"did:plc:cat","time_us":1700000000000002,"cursor":7,"kind":"identity","identity":'
    b'{"active":true,"seq":7,"did":"did:plc:cat"}}',
    '{"did":"did:plc:ann","time_us":1700000001000000,"cursor":8,"kind":"commit","commit":'
    '{"rev":"3k","operation":"update","collection":"lichen.forum.post","rkey":"3l","record":'
    '{"text":"żółw 🐢","langs":[],"facets":[]},"cid":"bafy"}}'.encode(),
]


class Uncompressed:
    """Makes zstd frames of one raw block, which no version of the library makes otherwise."""

    def compress(self, message: bytes) -> bytes:
        # RFC 8878 §3.1.1: magic, a single segment whose size has 4 bytes; a raw block, the last.
        block = (len(message) << 3 | 1).to_bytes(3, "little")
        return b"\x28\xb5\x2f\xfd\xa0" + struct.pack("<I", len(message)) + block + message


class RawDictionaries(TwoDictionaries):
    """Dictionaries whose stored form is not compressed."""

    def compressor(self, number: int) -> Uncompressed:
        return Uncompressed()


def arrivals() -> list[Arrival]:
    return [
        post("first", langs=["en"], mentions=["did:plc:bob"]),
        post("erased", langs=["de", "pl"], is_root=False),
        other(Kind.IDENTITY, "did:plc:cat")._replace(seq=7),
    ]


def opened(folder: Path, clock: FakeClock) -> Store:
    return Store.open(folder, clock=clock, dictionaries=RawDictionaries())


async def write(folder: Path, clock: FakeClock) -> Store:
    """Write a segment whose second event is erased, and a journal with one behind it."""
    store = opened(folder, clock)
    await store.append(arrivals(), position=17)
    await store.erase([2])
    clock.advance(seconds=1)
    await store.append([post("żółw 🐢", collection="lichen.forum.post",
                             operation=Operation.UPDATE)], position=18)
    return store


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir() if path.name != "lock"}


def read(store: Store) -> list[bytes]:
    assert read_all(store, 0, EVERYTHING, Form(dictionary=41)).messages == MESSAGES
    return read_all(store, 0, EVERYTHING, Form()).messages


async def test_version_1_is_written_byte_by_byte_as_ever(tmp_path: Path, clock: FakeClock) -> None:
    store = await write(tmp_path, clock)
    record = store.record_from(7)
    await store.close()

    assert (tmp_path / SEGMENT).read_bytes() == (GOLDEN / "version_1_segment").read_bytes()
    assert (tmp_path / JOURNAL).read_bytes() == (GOLDEN / "version_1_journal").read_bytes()
    assert record == (GOLDEN / "version_1_record").read_bytes()


async def test_version_1_is_read_as_ever(tmp_path: Path, clock: FakeClock) -> None:
    (tmp_path / SEGMENT).write_bytes((GOLDEN / "version_1_segment").read_bytes())
    (tmp_path / JOURNAL).write_bytes((GOLDEN / "version_1_journal").read_bytes())

    store = opened(tmp_path, clock)

    assert read(store) == MESSAGES
    assert (store.first_seq, store.next_seq, store.position) == (1, 9, 18)
    assert store.damaged_blocks == 0
    await store.close()


async def test_a_record_of_version_1_is_taken_by_a_standby(
    tmp_path: Path, clock: FakeClock
) -> None:
    store = opened(tmp_path, clock)

    await store.append_record((GOLDEN / "version_1_record").read_bytes())

    assert read_all(store, 0, EVERYTHING, Form()).messages == MESSAGES[1:2]
    assert (store.next_seq, store.position) == (8, 17)
    await store.close()


async def test_a_record_with_a_flipped_bit_is_refused(tmp_path: Path, clock: FakeClock) -> None:
    store = opened(tmp_path, clock)
    record = bytearray((GOLDEN / "version_1_record").read_bytes())
    whole = len(record) - -len(record) % 8

    for at in range(0, whole - 8, 3):
        record[at] ^= 1
        with pytest.raises(ArrivalRefused):
            await store.append_record(bytes(record))
        record[at] ^= 1

    assert store.next_seq == 1
    await store.close()


@pytest.mark.parametrize(("name", "golden"), [
    (SEGMENT, "version_1_segment"), (JOURNAL, "version_1_journal")])
async def test_a_folder_of_a_newer_format_is_left_alone(
    tmp_path: Path, clock: FakeClock, name: str, golden: str
) -> None:
    content = bytearray((GOLDEN / golden).read_bytes())
    content[16:20] = struct.pack("<HH", 2, 2)
    content[8:16] = xxh3_64_intdigest(bytes(content[16:64])).to_bytes(8, "little")
    (tmp_path / name).write_bytes(content)
    (tmp_path / "0.stream.begun.new").write_bytes(b"of the newer one")
    before = contents(tmp_path)

    with pytest.raises(StreamTooNew):
        opened(tmp_path, clock)

    assert contents(tmp_path) == before
