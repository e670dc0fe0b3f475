"""From stored messages to rows of the archive: JSON becomes canonical DAG-CBOR.

Costs about 10 µs an event; runs on a thread of the archive, never on the loop.

A message that cannot be said in the archive's format (a record key that is too long, a number that
DAG-CBOR does not have) is left out and counted: it is on the live stream, and only there.
"""

from binascii import a2b_base64
from collections.abc import Iterator
from typing import Final

import libipld
import msgspec

from lichen.stream.archive.jss import ACCOUNT, CREATE, DELETE, IDENTITY, SYNC, UPDATE, Row, fits
from lichen.stream.columns import Column
from lichen.stream.frames import message_in

_OPERATIONS: Final = {"create": CREATE, "update": UPDATE, "delete": DELETE}
_MARKERS: Final = {"identity": IDENTITY, "account": ACCOUNT, "sync": SYNC}


class _Commit(msgspec.Struct):
    rev: str
    operation: str
    collection: str
    rkey: str
    record: msgspec.Raw = msgspec.Raw()


class _Message(msgspec.Struct):
    did: str
    time_us: int
    cursor: int
    kind: str
    commit: _Commit | None = None
    identity: msgspec.Raw = msgspec.Raw()
    account: msgspec.Raw = msgspec.Raw()
    sync: msgspec.Raw = msgspec.Raw()


_decode: Final = msgspec.json.Decoder(_Message).decode


def rows_in(plain: memoryview, ends: Column) -> Iterator[Row | None]:
    """Iterate over the stored messages as rows; None stands for one that does not fit.

    `plain`: WebSocket frames of the first wire, back to back; `ends`: where each of them ends.
    """
    start = 0
    for end in ends.tolist():
        yield row_of(message_in(plain[start:end]))
        start = end


def row_of(message: bytes) -> Row | None:
    """Return a message of the first wire as a row; None where the format cannot hold it."""
    try:
        one = _decode(message)
        if one.commit is not None:
            row = _commit_row(one, one.commit)
        else:
            body = bytes(getattr(one, one.kind))
            row = Row(one.cursor, one.time_us, _MARKERS[one.kind], one.did.encode(),
                      payload=dag_cbor(body))
    except (ValueError, LookupError, RecursionError):
        # What strangers wrote may hold anything; msgspec's errors are ValueErrors, and so are
        # libipld's and those of base64.
        return None
    return row if fits(row) else None


def _commit_row(one: _Message, commit: _Commit) -> Row:
    kind = _OPERATIONS[commit.operation]
    return Row(one.cursor, one.time_us, kind, one.did.encode(), commit.collection.encode(),
               commit.rkey.encode(), commit.rev.encode(),
               b"" if kind == DELETE else dag_cbor(bytes(commit.record)))


def dag_cbor(json: bytes) -> bytes:
    """Return JSON as canonical DAG-CBOR; raises ValueError, LookupError or RecursionError."""
    model = msgspec.json.decode(json)
    if b'"$link"' in json or b'"$bytes"' in json:
        model = _linked(model)
    encoded: bytes = libipld.encode_dag_cbor(model)
    return encoded


def _linked(model: object) -> object:
    """Return a decoded value with its links and bytes as such."""
    if isinstance(model, list):
        return [_linked(one) for one in model]
    if not isinstance(model, dict):
        return model
    if len(model) == 1:
        # AT Protocol, data model: {"$link": CID} and {"$bytes": base64 without padding}.
        match model:
            case {"$link": str(text)}:
                return _cid(text)
            case {"$bytes": str(text)}:
                return a2b_base64(text + "==")  # more padding than there must be is overlooked
    return {key: _linked(value) for key, value in model.items()}


def _cid(text: str) -> bytes:
    """Return a CID's bytes, which the encoder knows and writes as a link."""
    # CID specification: version 0 is base58btc without a prefix and begins with Qm.
    _, content = libipld.decode_multibase("z" + text if text.startswith("Qm") else text)
    return bytes(content)
