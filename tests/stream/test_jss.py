"""The archive's format, read back by the reader of the `atproto` SDK."""

import libipld
import pytest
from atproto_jetstream.archive import decode_block, read_sealed_header
from atproto_jetstream.archive.downloader import iter_block_frames

from lichen.stream.archive import jss
from lichen.stream.archive.shelf import build
from lichen.stream.model import Kind
from tests.stream.archive_events import LIKE, SealedBlocks, commit, marker, mixed, record_cid


def segment_of(arrivals, first_seq=1):
    block = SealedBlocks(first_seq).add(arrivals)
    return build(block).content


def rows_of(segment):
    return [row for frame in iter_block_frames(segment) for row in decode_block(frame)]


def test_the_sdks_reader_finds_every_event_with_its_fields():
    arrivals = mixed(5_000)

    rows = rows_of(segment_of(arrivals, first_seq=70))

    assert [row.seq for row in rows] == list(range(70, 5_070))
    assert [row.did for row in rows] == [one.did for one in arrivals]
    assert [row.time_us for row in rows] == [1_700_000_000_000_000 + seq for seq in range(70, 5_070)]
    codes = {Kind.IDENTITY: 4, Kind.ACCOUNT: 5, Kind.SYNC: 6}
    assert [row.kind for row in rows] == [codes.get(one.kind, int(one.operation)) for one in arrivals]
    assert [row.collection for row in rows] == [one.collection for one in arrivals]
    assert rows[1].rkey == "3k00000000001" and rows[1].rev == "3l00000000001"


def test_a_payload_is_the_record_that_its_cid_names():
    arrivals = [commit(number) for number in range(30)]

    rows = rows_of(segment_of(arrivals))

    import msgspec
    cids = [msgspec.json.decode(one.body).get("cid") for one in arrivals]
    assert [row.payload and record_cid(row.payload) for row in rows] == cids
    assert libipld.decode_dag_cbor(rows[0].payload)["embed"]["raw"] == b"\x00\x01\x02\xff"


def test_a_marker_keeps_its_whole_body():
    row, = rows_of(segment_of([marker(Kind.SYNC, 7, did="did:plc:abc")]))

    assert libipld.decode_dag_cbor(row.payload) == {
        "did": "did:plc:abc", "seq": 7, "time": "2026-01-02T03:04:05.000Z",
        "rev": "3l22222222222", "blocks": b"\x00\x01\x02"}


def test_header_and_block_index_say_what_is_in_the_segment():
    segment = segment_of(mixed(5_000), first_seq=70)

    header, ours = read_sealed_header(segment), jss.decode_header(segment)

    assert (header.block_count, header.event_count) == (2, 5_000)
    assert ours is not None and jss.is_whole(segment, ours)
    assert (ours.first_seq, ours.last_seq) == (70, 5_069)
    frames = [segment[slice(*jss.block_range(segment, ours, number))] for number in range(2)]
    assert frames == list(iter_block_frames(segment))
    assert not jss.is_whole(segment[:-1] + bytes((segment[-1] ^ 1,)), ours)


def test_the_collections_name_each_block_in_which_they_are():
    block = SealedBlocks().add([commit(0, collection=LIKE)] * 4_096 + [marker(Kind.ACCOUNT, 1)])
    segment = build(block).content

    index = collections_of(segment)

    assert index == {"$account": (0, [1]), LIKE: (4_096, [0])}


def collections_of(segment):
    """Read the collection index by the layout of their documents, §3.1.4."""
    import struct

    import zstandard
    at, = struct.unpack_from("<Q", segment, 82)
    names, blocks, width, size = struct.unpack_from("<IIII", segment, at)
    body = zstandard.decompress(segment[at + 16:])
    assert len(body) == size
    table, at = [], 0
    for _ in range(names):
        length, count = struct.unpack_from("<BI", body, at)
        table.append((body[at + 5 : at + 5 + length].decode(), count))
        at += 5 + length
    masks = [int.from_bytes(body[at + width * one : at + width * (one + 1)], "little")
             for one in range(blocks)]
    return {name: (count, [one for one in range(blocks) if masks[one] >> number & 1])
            for number, (name, count) in enumerate(table)}


def test_the_same_events_give_the_same_bytes():
    assert segment_of(mixed(300)) == segment_of(mixed(300))


def test_what_the_format_cannot_hold_is_left_out_and_counted():
    number = b'{"rev":"r","operation":"create","collection":"a.b.c","rkey":"k","record":{"n":1e999}}'
    arrivals = [commit(0), commit(3, rkey="k" * 300), commit(6)._replace(body=number), commit(9)]

    built = build(SealedBlocks().add(arrivals))

    assert [row.seq for row in rows_of(built.content)] == [1, 4]
    assert built.left_out == 2


@pytest.mark.parametrize("name", [
    "seg_2a.jss", "seg_000000002A.jss", "seg_00000000002a.jss", "000000002a", "seg_000000002a.js",
    "../seg_000000002a.jss", "seg_00000000 2a.jss", ""])
def test_only_a_segments_own_name_names_it(name):
    assert jss.segment_index("seg_000000002a.jss") == 42
    assert jss.segment_index(jss.segment_name(1 << 45)) == 1 << 45
    assert jss.segment_index(name) is None
