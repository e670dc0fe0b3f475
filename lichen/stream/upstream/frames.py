"""Frames: a binary message of `com.atproto.sync.subscribeRepos`, decoded and verified.

    frame    header {"op": 1, "t": "#commit"} │ body      two DAG-CBOR values, one after the other
    body     repo, rev, seq, time, commit: CID, ops: [{action, path, cid}], blocks: a CAR

**Verified means:** the CID of *every* block in the CAR is recomputed from its bytes, the commit
block is the CAR's first root, is of the same account and revision as the frame says, and what an
operation writes is among the blocks. **Signatures are not checked**, nor is the tree walked from
the commit to the record: that the account's own key signed it is believed of the relay, as
Jetstream believes it. A frame that does not verify is refused as a whole.

Whatever comes, `decode` returns: a hostile frame is `Verdict.REFUSED` with a word to count it by.
What could harm a process beyond an exception happens in the child (`child.py`), which is replaced.
Source: AT Protocol, "Event Stream" and the lexicon com.atproto.sync.subscribeRepos.
"""

import re
from enum import IntEnum
from functools import lru_cache
from typing import Any, Final, NamedTuple

import libipld

from lichen.kit.clock import from_isoformat
from lichen.kit.errors import Refused
from lichen.stream.limits import APPEND_BYTES_MAX
from lichen.stream.model import Arrival, Kind, Operation
from lichen.stream.upstream.car import Blocks, verified_blocks
from lichen.stream.upstream.limits import (
    ARRIVAL_BYTES_MAX,
    FRAME_BYTES_MAX,
    GROWTH_BYTES_FREE,
    GROWTH_MAX,
    NSID_LENGTH_MAX,
    OPS_MAX,
    RECORD_BYTES_MAX,
    SEQ_MAX,
    TIME_LENGTH_MAX,
    WORD_LENGTH_MAX,
)
from lichen.stream.upstream.records import (
    is_did,
    json_of,
    langs_of,
    mentions_of,
)

POST: Final = "app.bsky.feed.post"
OPERATIONS: Final = {one.word: one for one in Operation if one is not Operation.NONE}
# What wrong shapes raise on the way; anything else is a fault of ours and ends the child.
MALFORMED: Final = (
    ValueError, TypeError, KeyError, IndexError, AttributeError, OverflowError, RecursionError,
)
# AT Protocol, NSID syntax: an authority of two segments at least, and a name.
_is_nsid = re.compile(
    r"[A-Za-z][A-Za-z0-9-]{0,62}(?:\.[A-Za-z0-9-]{1,63}){1,8}\.[A-Za-z][A-Za-z0-9]{0,62}").fullmatch
# AT Protocol, record key syntax: any but the two dots of file systems.
_is_rkey = re.compile(r"(?!\.\.?$)[A-Za-z0-9._:~-]{1,512}").fullmatch
# AT Protocol, TID syntax.
_is_rev = re.compile(r"[234567a-j][234567a-z]{12}").fullmatch


class Verdict(IntEnum):
    """What came of a frame."""

    TAKEN = 0  # its events are there; none, for an empty commit
    INFO = 1  # the relay remarks something
    ERROR = 2  # the relay will close
    UNKNOWN = 3  # a kind of message that came after this was written
    REFUSED = 4  # it does not verify, or is no frame
    DEADLY = 5  # it ended the child, twice


class Decoded(NamedTuple):
    """One frame: the relay's sequence and time, and its events.

    `word` says more: the kind of what was taken, the name of an info or an error, why a frame was
    refused. `seq` and `time_us` are 0 where the frame has none or was refused.
    """

    verdict: Verdict
    word: str
    seq: int = 0
    time_us: int = 0
    arrivals: tuple[Arrival, ...] = ()


def decode(frame: bytes) -> Decoded:
    """Decode and verify one frame; raises nothing for whatever is in it."""
    try:
        return _decode(frame)
    except Refused as refusal:
        return Decoded(Verdict.REFUSED, refusal.code)
    except MALFORMED as error:
        return Decoded(Verdict.REFUSED, f"malformed_{type(error).__name__}")


def _decode(frame: bytes) -> Decoded:
    if len(frame) > FRAME_BYTES_MAX:
        raise Refused("too_big", f"{len(frame)} bytes came, at most {FRAME_BYTES_MAX} are taken")
    parts = libipld.decode_dag_cbor_multi(frame)
    if len(parts) != 2:
        raise Refused("no_frame", f"a header and a body were expected, {len(parts)} values came")
    header, body = parts
    if header["op"] == 1:
        reader = READERS.get(header["t"])
        if reader is not None:
            return reader(body, len(frame))
        return Decoded(Verdict.UNKNOWN, _word(header["t"]), _seq(body))
    # AT Protocol, "Event Stream": op -1 is an error, the last frame; others are ignored.
    if header["op"] == -1:
        return Decoded(Verdict.ERROR, _word(body["error"]))
    return Decoded(Verdict.UNKNOWN, "op")


def _commit(body: dict[str, Any], frame_bytes: int) -> Decoded:
    did, rev = body["repo"], body["rev"]
    if not is_did(did) or not _is_rev(rev):
        raise Refused("bad_name", "a DID and a revision were expected")
    ops = body["ops"]
    if len(ops) > OPS_MAX:
        raise Refused("too_many_ops", f"{len(ops)} operations came, at most {OPS_MAX} are taken")
    # Lexicon: deprecated tooBig commits carry no blocks, and no operations to believe.
    if body.get("tooBig"):
        return Decoded(Verdict.TAKEN, "commit_too_big", _seq(body), _time_us(body))
    root, blocks = verified_blocks(body["blocks"])
    # Lexicon: the commit block's CID must be the first root, and its rev the frame's.
    if root != body["commit"]:
        raise Refused("bad_commit", "the first root of the CAR is not the commit")
    _check_commit(blocks, root, did=did, rev=rev)
    arrivals = tuple([_operation(did, rev, op, blocks) for op in ops])
    # What a commit holds is appended at once, so that no crash can leave half of it.
    bytes_max = min(GROWTH_BYTES_FREE + GROWTH_MAX * frame_bytes, APPEND_BYTES_MAX)
    if sum([len(one.body) for one in arrivals]) > bytes_max:
        raise Refused("too_big", "the operations of a commit repeat its records too often")
    return Decoded(Verdict.TAKEN, "commit", _seq(body), _time_us(body), arrivals)


def _check_commit(blocks: Blocks, root: bytes, *, did: str, rev: str) -> None:
    block = blocks.get(root)
    if block is None:
        raise Refused("bad_commit", "the commit is not among the blocks")
    commit = libipld.decode_dag_cbor(block)
    if commit["did"] != did or commit["rev"] != rev:
        raise Refused("bad_commit", "the commit is of another account or revision than the frame")


def _operation(did: str, rev: str, op: dict[str, Any], blocks: Blocks) -> Arrival:
    action = op["action"]
    operation = OPERATIONS[action]
    collection, _, rkey = op["path"].partition("/")
    if not _is_collection(collection) or not _is_rkey(rkey):
        raise Refused("bad_path", "a collection, a slash and a record key were expected")
    # None of the four holds a character that JSON would escape.
    head = (f'{{"rev":"{rev}","operation":"{action}","collection":"{collection}",'
            f'"rkey":"{rkey}"').encode()
    if operation is Operation.DELETE:
        return Arrival(did, head + b"}", Kind.COMMIT, operation, collection)
    cid = op["cid"]
    raw = blocks.get(cid)
    if raw is None:
        raise Refused("missing_block", "an operation writes what is not among the blocks")
    if len(raw) > RECORD_BYTES_MAX:
        raise Refused("too_big", f"a record of {len(raw)} bytes came")
    record = libipld.decode_dag_cbor(raw)
    if type(record) is not dict:
        raise Refused("no_record", f"a map was expected, {type(record).__name__} came")
    shown = json_of(record, raw)
    text = b'%b,"record":%b,"cid":"%b"}' % (head, shown, libipld.encode_cid(cid).encode())
    if len(text) > ARRIVAL_BYTES_MAX:
        raise Refused("too_big", f"an event of {len(text)} bytes came")
    return Arrival(did, text, Kind.COMMIT, operation, collection,
                   collection == POST and record.get("reply") is None,
                   mentions_of(record) if "facets" in record else (),
                   langs_of(record) if "langs" in record else ())


@lru_cache(maxsize=1_024)  # collections; most commits are to a dozen of them
def _is_collection(name: str) -> bool:
    # AT Protocol, NSID syntax: 317 characters at most.
    return len(name) <= NSID_LENGTH_MAX and _is_nsid(name) is not None


def _identity(body: dict[str, Any], frame_bytes: int) -> Decoded:
    return _about(body, Kind.IDENTITY, {"did": str, "handle": str, "seq": int, "time": str})


def _account(body: dict[str, Any], frame_bytes: int) -> Decoded:
    return _about(body, Kind.ACCOUNT,
                  {"active": bool, "did": str, "seq": int, "status": str, "time": str})


def _about(body: dict[str, Any], kind: Kind, shape: dict[str, type]) -> Decoded:
    """Return a message about an account; only the fields of its shape are shown."""
    shown = {name: body[name] for name in shape if body.get(name) is not None}
    if any(type(value) is not shape[name] for name, value in shown.items()):
        raise Refused("bad_shape", f"a message of kind {kind.word} has a field of another type")
    missing = shape.keys() - shown.keys() - {"handle", "status"}
    if missing:
        raise Refused("bad_shape", f"a message of kind {kind.word} lacks {', '.join(missing)}")
    return _taken(shown, kind)


def _sync(body: dict[str, Any], frame_bytes: int) -> Decoded:
    rev = body["rev"]
    if not _is_rev(rev):
        raise Refused("bad_name", "a revision was expected")
    root, blocks = verified_blocks(body["blocks"])
    _check_commit(blocks, root, did=body["did"], rev=rev)
    shown = {"did": body["did"], "rev": rev, "seq": body["seq"], "time": body["time"],
             "blocks": body["blocks"]}
    return _taken(shown, Kind.SYNC)


def _taken(shown: dict[str, Any], kind: Kind) -> Decoded:
    did = shown["did"]
    if not is_did(did):
        raise Refused("bad_name", "a DID was expected")
    time_us = _time_us(shown)
    text = json_of(shown, b"")
    if len(text) > ARRIVAL_BYTES_MAX:
        raise Refused("too_big", f"an event of {len(text)} bytes came")
    return Decoded(Verdict.TAKEN, kind.word, _seq(shown), time_us, (Arrival(did, text, kind),))


def _info(body: dict[str, Any], frame_bytes: int) -> Decoded:
    return Decoded(Verdict.INFO, _word(body["name"]))


def _seq(body: dict[str, Any]) -> int:
    seq = body["seq"]
    if type(seq) is not int or not 0 < seq <= SEQ_MAX:
        raise Refused("bad_seq", f"a sequence from 1 to {SEQ_MAX} was expected")
    return seq


def _time_us(body: dict[str, Any]) -> int:
    time = body["time"]
    if len(time) > TIME_LENGTH_MAX or "T" not in time:
        raise Refused("bad_time", "a time of RFC 3339 was expected")
    return from_isoformat(time)


@lru_cache(maxsize=256)
def _word(name: str) -> str:
    """Return what a relay called something, safe to show: letters, digits and # alone."""
    return re.sub(r"[^A-Za-z0-9#]", "", name)[:WORD_LENGTH_MAX]


READERS: Final = {
    "#commit": _commit, "#identity": _identity, "#account": _account, "#sync": _sync,
    "#info": _info,
}
