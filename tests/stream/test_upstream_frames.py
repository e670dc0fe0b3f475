"""Frames of a relay: what is verified is told exactly, what is not is refused and harms nobody."""

import itertools
from base64 import b64decode
from collections.abc import Callable
from hashlib import sha256
from typing import Any

import libipld
import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.firehose import (
    Framed,
    Relay,
    Write,
    car_of,
    cid_of,
    error_frame,
    every_kind,
    frames,
    message,
)
from lichen.stream.model import Kind, Operation
from lichen.stream.upstream import Decoded, Verdict, decode
from lichen.stream.upstream.limits import FRAME_BYTES_MAX, RECORD_BYTES_MAX, RECORD_DEPTH_MAX

DID = "did:plc:moss"
POST = "app.bsky.feed.post"


def commit(*writes: Write) -> Framed:
    relay = Relay(1)
    return relay.commit(DID, relay.tid(), writes)


def post(**record: Any) -> Decoded:
    record = {"$type": POST, "text": "moss", "createdAt": "2026-08-14T12:00:00Z"} | record
    return decode(commit(Write(Operation.CREATE, POST, "3kabcabcabc22", record)).frame)


def altered(change: Callable[[dict[str, Any], dict[bytes, bytes]], None], *,
            framed: Framed | None = None) -> Decoded:
    """Decode a good commit after a change to its body or its blocks; all else is as it was."""
    framed = framed or commit(Write(Operation.CREATE, POST, "3kabcabcabc22", {"text": "moss"}))
    _, body = libipld.decode_dag_cbor_multi(framed.frame)
    header, decoded = libipld.decode_car(body["blocks"])
    blocks = {cid: libipld.encode_dag_cbor(block) for cid, block in decoded.items()}
    body["roots"] = header["roots"]
    change(body, blocks)
    root = body.pop("roots")[0]
    if isinstance(body["blocks"], bytes) and body["blocks"] != b"":
        body["blocks"] = car_of(root, blocks.items())
    return decode(message("#commit", body))


def body_of(decoded: Decoded, at: int = 0) -> dict[str, Any]:
    assert decoded.verdict is Verdict.TAKEN, decoded
    found: dict[str, Any] = msgspec.json.decode(decoded.arrivals[at].body)
    return found


def put_record(block: bytes) -> Decoded:
    """Decode a commit whose record is this block."""
    def change(body: dict[str, Any], blocks: dict[bytes, bytes]) -> None:
        blocks[cid_of(block)] = block
        body["ops"][0]["cid"] = cid_of(block)
    return altered(change)


def test_a_commit_is_told_with_its_keys_in_the_order_of_the_wire() -> None:
    record = {"$type": POST, "text": "moss & “rock”\n", "langs": ["en", "pt-BR"]}
    framed = commit(
        Write(Operation.CREATE, POST, "3kabcabcabc22", record),
        Write(Operation.UPDATE, "app.bsky.actor.profile", "self", {"displayName": "Moss"}),
        Write(Operation.DELETE, "app.bsky.feed.like", "3kabcabcabc33"))

    decoded = decode(framed.frame)

    assert (decoded.verdict, decoded.word, decoded.seq) == (Verdict.TAKEN, "commit", 1)
    assert decoded.time_us == 1_786_000_000_001_000
    first, second, third = decoded.arrivals
    assert list(body_of(decoded)) == ["rev", "operation", "collection", "rkey", "record", "cid"]
    assert body_of(decoded)["record"] == record
    assert body_of(decoded)["rev"] == framed.rev
    cid = libipld.encode_cid(cid_of(libipld.encode_dag_cbor(record)))
    assert body_of(decoded)["cid"] == cid
    assert (first.did, first.kind, first.collection) == (DID, Kind.COMMIT, POST)
    assert (first.operation, first.langs, first.is_root) == (Operation.CREATE, ("en", "pt-BR"), True)
    assert (second.operation, second.is_root) == (Operation.UPDATE, False)
    assert third.operation is Operation.DELETE
    assert list(body_of(decoded, 2)) == ["rev", "operation", "collection", "rkey"]
    assert b"\n" not in first.body + second.body + third.body


def test_an_answer_is_no_root_and_only_posts_are() -> None:
    of = {"uri": "at://x", "cid": "bafy"}

    assert post().arrivals[0].is_root
    assert not post(reply={"root": of, "parent": of}).arrivals[0].is_root
    like = commit(Write(Operation.CREATE, "app.bsky.feed.like", "3kabcabcabc22", {"subject": of}))
    assert not decode(like.frame).arrivals[0].is_root


def test_mentions_and_languages_are_found_and_nonsense_in_their_place_is_not() -> None:
    def facet(*features: Any) -> Any:
        return {"index": {"byteStart": 0, "byteEnd": 1}, "features": list(features)}
    mention = {"$type": "app.bsky.richtext.facet#mention", "did": "did:plc:rock"}
    link = {"$type": "app.bsky.richtext.facet#link", "uri": "https://example.org"}

    found = post(facets=[facet(link, mention), facet(mention | {"did": "did:web:a.example"}),
                         facet(mention)])

    assert found.arrivals[0].mentions == ("did:plc:rock", "did:web:a.example")
    for nonsense in (None, "x", 1, [1], [None], [{}], [{"features": 1}], [facet(1, None, {})],
                     [facet(mention | {"did": 5})], [facet(mention | {"did": "rock"})]):
        assert post(facets=nonsense).arrivals[0].mentions == ()
        assert post(langs=nonsense).arrivals[0].langs in ((), ("x",))
    assert post(langs=["en", "", 7, "x" * 99, "de"]).arrivals[0].langs == ("en", "de")
    assert len(post(langs=["en"] * 99).arrivals[0].langs) == 8
    many = [facet(mention | {"did": f"did:plc:{number}"}) for number in range(999)]
    assert len(post(facets=many).arrivals[0].mentions) == 64


def test_links_and_byte_strings_take_the_forms_of_the_data_model() -> None:
    """AT Protocol, data model: {"$link"} for CIDs, {"$bytes"} in base64 without padding."""
    cid, blob = cid_of(b"x"), cid_of(b"x", codec=0x55)

    record = body_of(post(embed={"to": cid, "ref": blob, "raw": b"moss", "none": b"", "list": [cid]}))

    assert record["record"]["embed"] == {
        "to": {"$link": libipld.encode_cid(cid)}, "ref": {"$link": libipld.encode_cid(blob)},
        "raw": {"$bytes": "bW9zcw"}, "none": {"$bytes": ""},
        "list": [{"$link": libipld.encode_cid(cid)}]}


def test_a_byte_string_that_looks_like_a_link_stays_one() -> None:
    """libipld gives both as bytes; only the block knows which had the tag of a link."""
    cid = cid_of(b"x")
    block = b"\xa1\x61x\x58\x24" + cid
    assert libipld.decode_dag_cbor(block) == {"x": cid}

    shown = body_of(put_record(block))["record"]["x"]["$bytes"]

    assert b64decode(shown + "==") == cid


def test_what_accounts_do_is_told_and_nothing_is_added() -> None:
    relay = Relay(1)

    identity = decode(relay.identity(DID, "moss.example").frame)
    account = decode(relay.account(DID, "deactivated").frame)
    sync = decode(relay.sync(DID, relay.tid()).frame)

    time = "2026-08-06T07:06:40.00"
    assert body_of(identity) == {"did": DID, "handle": "moss.example", "seq": 1, "time": time + "1Z"}
    assert body_of(account) == {"active": False, "did": DID, "seq": 2, "status": "deactivated",
                                "time": time + "2Z"}
    assert body_of(sync).keys() == {"did", "rev", "seq", "time", "blocks"}
    assert [one.arrivals[0].kind for one in (identity, account, sync)] == [
        Kind.IDENTITY, Kind.ACCOUNT, Kind.SYNC]
    assert sync.arrivals[0].collection == ""


def test_remarks_and_errors_of_a_relay_are_told_apart_and_made_safe() -> None:
    assert decode(message("#info", {"name": "OutdatedCursor"})) == Decoded(
        Verdict.INFO, "OutdatedCursor")
    assert decode(error_frame("FutureCursor")) == Decoded(Verdict.ERROR, "FutureCursor")
    assert decode(error_frame("<b>\n" * 99)).word == "b" * 64
    assert decode(message("#weather", {"seq": 9})) == Decoded(Verdict.UNKNOWN, "#weather", 9)
    assert decode(message("#weather", {})).verdict is Verdict.REFUSED


def test_a_commit_without_operations_moves_the_cursor_alone() -> None:
    assert decode(commit().frame)[:3] == (Verdict.TAKEN, "commit", 1)
    assert decode(commit().frame).arrivals == ()


def test_a_commit_that_was_too_big_for_its_relay_brings_nothing() -> None:
    decoded = altered(lambda body, _: body.update(tooBig=True, blocks=b"", ops=[]))

    assert (decoded.verdict, decoded.word, decoded.arrivals) == (
        Verdict.TAKEN, "commit_too_big", ())


def test_every_block_is_verified_not_only_the_records() -> None:
    """A changed byte in any block, of the tree too, has the whole frame refused."""
    framed = commit(*every_kind(Relay(1))[:3])
    _, body = libipld.decode_dag_cbor_multi(framed.frame)
    _, blocks = libipld.decode_car(body["blocks"])
    ends, at = [], 0
    for block in blocks.values():
        at = framed.frame.index(libipld.encode_dag_cbor(block), at)
        ends += [at, at + len(libipld.encode_dag_cbor(block)) - 1]

    for place in ends:
        spoiled = bytearray(framed.frame)
        spoiled[place] ^= 1
        assert decode(bytes(spoiled)) == Decoded(Verdict.REFUSED, "bad_cid")
    assert len(ends) >= 2 * 9


HOSTILE: dict[str, tuple[Callable[[dict[str, Any], dict[bytes, bytes]], Any], str]] = {
    "a record that is not among the blocks": (
        lambda body, blocks: blocks.pop(body["ops"][0]["cid"]), "missing_block"),
    "an operation without a record": (
        lambda body, _: body["ops"][0].update(cid=None), "missing_block"),
    "the CID of another record": (
        lambda body, _: body["ops"][0].update(cid=cid_of(b"else")), "missing_block"),
    "no commit block": (lambda body, blocks: blocks.pop(body["commit"]), "bad_commit"),
    "a root that is not the commit": (
        lambda body, blocks: body.update(roots=[list(blocks)[1]]), "bad_commit"),
    "a commit of somebody else": (lambda body, _: body.update(repo="did:plc:rock"), "bad_commit"),
    "a commit of another revision": (
        lambda body, _: body.update(rev="3kabcabcabc22"), "bad_commit"),
    "no roots": (lambda body, _: body.update(roots=[None]), "bad_commit"),
    "no DID": (lambda body, _: body.update(repo="moss"), "bad_name"),
    "a DID with a quote": (lambda body, _: body.update(repo='did:plc:a"b'), "bad_name"),
    "a DID of a megabyte": (lambda body, _: body.update(repo="did:plc:" + "a" * 2**20), "bad_name"),
    "no revision": (lambda body, _: body.update(rev='","x":"'), "bad_name"),
    "a DID that is a number": (lambda body, _: body.update(repo=5), "malformed_TypeError"),
    "201 operations": (lambda body, _: body.update(ops=body["ops"] * 201), "too_many_ops"),
    "operations that are none": (lambda body, _: body.update(ops=[1]), "malformed_TypeError"),
    "an action nobody knows": (
        lambda body, _: body["ops"][0].update(action="burn"), "malformed_KeyError"),
    "a path without a slash": (lambda body, _: body["ops"][0].update(path=POST), "bad_path"),
    "a path of dots": (lambda body, _: body["ops"][0].update(path=f"{POST}/.."), "bad_path"),
    "a path that leaves JSON": (
        lambda body, _: body["ops"][0].update(path=f'{POST}/a","b":"'), "bad_path"),
    "a collection of one word": (lambda body, _: body["ops"][0].update(path="post/a"), "bad_path"),
    "a collection too long": (
        lambda body, _: body["ops"][0].update(path=".".join(["a" * 60] * 8) + "/a"), "bad_path"),
    "a record key too long": (
        lambda body, _: body["ops"][0].update(path=f"{POST}/{'a' * 513}"), "bad_path"),
    "sequence zero": (lambda body, _: body.update(seq=0), "bad_seq"),
    "a negative sequence": (lambda body, _: body.update(seq=-1), "bad_seq"),
    "a sequence beyond exact numbers": (lambda body, _: body.update(seq=2**53), "bad_seq"),
    "a sequence in words": (lambda body, _: body.update(seq="1"), "bad_seq"),
    "a sequence that is a truth": (lambda body, _: body.update(seq=True), "bad_seq"),
    "a day that is not": (
        lambda body, _: body.update(time="2026-02-31T00:00:00Z"), "malformed_ValueError"),
    "a date without a time": (lambda body, _: body.update(time="2026-02-01"), "bad_time"),
    "a time that is a number": (lambda body, _: body.update(time=5), "malformed_TypeError"),
    "blocks that are no CAR": (lambda body, _: body.update(blocks="text"), "malformed_TypeError"),
    "no blocks": (lambda body, _: body.update(blocks=b""), "malformed_IndexError"),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_a_frame_that_does_not_verify_is_refused_as_a_whole(name: str) -> None:
    change, word = HOSTILE[name]

    assert altered(change) == Decoded(Verdict.REFUSED, word)


@pytest.mark.parametrize(("record", "word"), [
    (libipld.encode_dag_cbor([1, 2]), "no_record"),
    (libipld.encode_dag_cbor("text"), "no_record"),
    (b"", "malformed_ValueError"),
    (b"\xa1\x61x\xfb\x7f\xf8" + bytes(6), "malformed_ValueError"),  # NaN
    (b"\xa2\x61b\x01\x61a\x02", "malformed_ValueError"),  # keys out of order
    (b"\xa1\x61x" + b"\x81" * 100_000 + b"\x01", "malformed_RecursionError"),
    (b"\xa1\x61x" + b"\x81" * RECORD_DEPTH_MAX + b"\x80", "too_deep"),
    (b"\xa1\x61x\x9b" + b"\xff" * 8, "malformed_ValueError"),  # a list of 2**64 things
    (b"\xa1\x61x\xfb\x7f\xf0" + bytes(6), "malformed_ValueError"),  # infinity
    (b"\xa1\x61x\x62\xed\xa0", "malformed_ValueError"),  # half a surrogate
    (libipld.encode_dag_cbor({"x": "a" * RECORD_BYTES_MAX}), "too_big"),
])
def test_a_record_that_is_none_is_refused(record: bytes, word: str) -> None:
    assert put_record(record) == Decoded(Verdict.REFUSED, word)


def test_the_largest_numbers_of_cbor_are_told_exactly() -> None:
    block = libipld.encode_dag_cbor({"x": 2**64 - 1})

    assert body_of(put_record(block))["record"] == {"x": 2**64 - 1}
    assert b'"x":-18446744073709551616' in put_record(
        b"\xa1\x61x\x3b" + b"\xff" * 8).arrivals[0].body


def test_the_deepest_and_the_longest_record_allowed_are_taken() -> None:
    deep = b"\xa1\x61x" + b"\x81" * (RECORD_DEPTH_MAX - 2) + b"\x80"
    long = libipld.encode_dag_cbor({"x": "a" * (RECORD_BYTES_MAX - 9)})

    assert put_record(deep).verdict is Verdict.TAKEN
    assert put_record(long).verdict is Verdict.TAKEN
    assert len(long) <= RECORD_BYTES_MAX


def test_control_characters_cannot_make_an_event_larger_than_the_stream_takes() -> None:
    assert put_record(libipld.encode_dag_cbor({"x": "\x01" * 500_000})) == Decoded(
        Verdict.REFUSED, "too_big")


def test_many_operations_on_one_record_cannot_multiply_it() -> None:
    """200 operations may name one block: 8 MB of events from a frame of 45 kB."""
    large = Write(Operation.CREATE, POST, "3kabcabcabc22", {"text": "a" * 40_000})
    small = Write(Operation.CREATE, POST, "3kabcabcabc22", {"text": "a" * 400})

    def repeat(body: dict[str, Any], _: Any) -> None:
        body["ops"] *= 200

    assert altered(repeat, framed=commit(large)) == Decoded(Verdict.REFUSED, "too_big")
    assert len(altered(repeat, framed=commit(small)).arrivals) == 200


def _car(*parts: bytes) -> Decoded:
    """Decode a commit whose CAR is these bytes."""
    framed = commit()
    _, body = libipld.decode_dag_cbor_multi(framed.frame)
    body["blocks"] = b"".join(parts)
    return decode(message("#commit", body))


HEADER = libipld.encode_dag_cbor({"roots": [cid_of(b"x")], "version": 1})
HEADED = bytes((len(HEADER),)) + HEADER


@pytest.mark.parametrize(("parts", "word"), [
    ((b"\xff\xff\xff\xff\xff\x7f",), "bad_car"),
    ((b"\x01\xa0",), "malformed_KeyError"),
    ((HEADED.replace(b"version\x01", b"version\x02"),), "bad_car"),
    ((HEADED, b"\xff\xff\xff\xff\xff"), "bad_car"),
    ((HEADED, b"\x80"), "malformed_IndexError"),
    ((HEADED, b"\x05hello"), "bad_cid"),
    ((HEADED, b"\x00"), "bad_cid"),
    ((HEADED, b"\x26", cid_of(b"xy"), b"x"), "bad_cid"),
    # A block cut off whose hash is that of what is there.
    ((HEADED, b"\x2a", cid_of(b"x"), b"x"), "bad_car"),
    # A CID of version 0, and one of another hash.
    ((HEADED, b"\x23", b"\x12\x20", sha256(b"x").digest(), b"x"), "bad_cid"),
    ((HEADED, b"\x25", b"\x01\x71\x16\x20", sha256(b"x").digest(), b"x"), "bad_cid"),
])
def test_a_car_that_is_none_is_refused(parts: tuple[bytes, ...], word: str) -> None:
    assert _car(*parts) == Decoded(Verdict.REFUSED, word)


def test_blocks_without_end_are_refused() -> None:
    many = [b"".join((b"\x28", cid_of(block), block))
            for block in (number.to_bytes(4, "big") for number in range(20_001))]

    assert _car(HEADED, *many) == Decoded(Verdict.REFUSED, "bad_car")


@pytest.mark.parametrize("frame", [
    b"", b"\x00", b"text", b"\xff" * 100, b"\xa0", b"\xa0\xa0", b"\xa0\xa0\xa0",
    message("#commit", {}), message("#identity", {}), message("#account", {}),
    message("#sync", {}), message("#info", {}), error_frame("x")[:-3],
    libipld.encode_dag_cbor({"op": 1}) * 2, libipld.encode_dag_cbor({"op": "1", "t": 5}) * 2,
    libipld.encode_dag_cbor({"t": ["#commit"], "op": 1}) * 2, libipld.encode_dag_cbor([1]) * 2,
    libipld.encode_dag_cbor({"t": "#commit", "op": 1}) + libipld.encode_dag_cbor([]),
    message("#account", {"did": DID, "active": "yes", "seq": 1, "time": "2026-08-06T00:00:00Z"}),
    message("#identity", {"did": 5, "seq": 1, "time": "2026-08-06T00:00:00Z"}),
    b"\x81" * 200_000, bytes(FRAME_BYTES_MAX + 1),
])
def test_what_is_no_frame_is_refused_or_passed_over(frame: bytes) -> None:
    decoded = decode(frame)

    assert decoded.verdict in (Verdict.REFUSED, Verdict.UNKNOWN)
    assert decoded.arrivals == () and decoded.seq == 0


SOME = [one.frame for one in itertools.islice(frames(7), 60)]


@given(st.sampled_from(SOME), st.lists(st.tuples(
    st.floats(0, 1, exclude_max=True), st.integers(0, 255)), min_size=1, max_size=4),
    st.floats(0.0, 1.0))
def test_no_spoiled_frame_raises_or_passes_off_what_is_not_there(
        frame: bytes, changes: list[tuple[float, int]], kept: float) -> None:
    """Whatever bytes change, a record that is told has the CID of bytes that came."""
    spoiled = bytearray(frame)
    for share, byte in changes:
        spoiled[int(share * len(frame))] = byte
    if kept < 0.3:
        del spoiled[int(kept / 0.3 * len(frame)):]

    decoded = decode(bytes(spoiled))

    for arrival in decoded.arrivals:
        told = msgspec.json.decode(arrival.body)
        if "record" in told:
            cid = libipld.decode_multibase(told["cid"])[1]
            assert cid in bytes(spoiled)
            assert any(cid_of(block) == cid for block in _blocks(bytes(spoiled)))


def _blocks(frame: bytes) -> list[bytes]:
    _, body = libipld.decode_dag_cbor_multi(frame)
    return [libipld.encode_dag_cbor(block) for block in libipld.decode_car(body["blocks"])[1].values()]
