"""Bombs: what is small to send and would be large to read, and what has no end."""

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any

from tests.faults.reachings import Reaching, Row, asked_for
from tests.faults.siege import EVE, Siege, gathered, signed
from tests.federation.incoming import act

MEGABYTE = 1 << 20


def body_of(made: Any) -> Reaching:
    """Send bytes, well signed by eve."""
    async def send(siege: Siege) -> int:
        return (await siege.speak(made(siege) if callable(made) else made)).status
    return send


def _lock(siege: Siege, **fields: Any) -> bytes:
    """Return what eve may not do, so that nothing changes however it is read."""
    return json.dumps(act("Lock", EVE, siege.here, **fields)).encode()


def _with(text: str, **fields: Any) -> Any:
    """Return a maker of activities in which one value is replaced by text that is written raw."""
    def made(siege: Siege) -> bytes:
        return _lock(siege, bomb="BOMB", **fields).replace(b'"BOMB"', text.encode())
    return made


async def ten_megabytes(siege: Siege) -> int:
    body = b'{"actor":"' + EVE.encode() + b'","x":"' + b"x" * 10 * MEGABYTE + b'"}'
    return (await siege.post(signed(body), body)).status


async def without_end(siege: Siege) -> int:
    async def chunks() -> AsyncIterator[bytes]:
        while True:
            yield b" " * 65_536

    async with asyncio.timeout(8):
        return (await siege.post(signed(b"{}"), chunks())).status


async def floods_of_reports(siege: Siege) -> int:
    """Report one post fifty times over, each time in an activity of its own."""
    answers = await gathered(*(
        siege.speak(act("Flag", EVE, siege.here, summary=f"Look {number}")) for number in range(50)
    ))
    return max(answer.status for answer in answers)


def by_key_of(path: str) -> Reaching:
    """Sign with a key whose document does not fit."""
    async def send(siege: Siege) -> int:
        actor = siege.hostile.at(path)
        answer = await siege.speak(act("Like", actor, siege.here), key_id=f"{actor}#main-key")
        return answer.status
    return send


DEEP = 100_000
MALFORMED = (400,)
COMPLEX = "inbox_activity_too_complex_total"
BOMBS: dict[str, Row] = {
    "arrays without end": Row(
        body_of(b"[" * DEEP), (413,), COMPLEX),
    "objects without end": Row(
        body_of(b'{"a":' * DEEP + b"1" + b"}" * DEEP), (413,), COMPLEX),
    "deep arrays in the context": Row(
        body_of(_with("[" * 500 + "]" * 500)), MALFORMED, "inbox_activity_too_deep_total"),
    "a hundred thousand arrays": Row(
        body_of(_with("[" + "[]," * DEEP + "[]]")), (413,), COMPLEX),
    "a number without end": Row(body_of(_with("9" * 500_000)), MALFORMED,
                                "inbox_invalid_json_total"),
    "a number beyond every number": Row(body_of(_with("1e999999")), MALFORMED,
                                        "inbox_invalid_json_total"),
    "many keys": Row(
        body_of(_with("{" + ",".join(f'"k{n}":{n}' for n in range(60_000)) + "}")), (202,),
        "ingest_not_a_moderator_total"),
    "a key twice": Row(
        body_of(lambda siege: _lock(siege).replace(
            b'"actor"', b'"actor": "https://peer.example/u/ann", "actor"', 1)),
        (202,), "ingest_duplicate_keys_total"),
    "half a letter": Row(body_of(_with(r'"\ud800"')), MALFORMED, "inbox_invalid_json_total"),
    "bytes that are no text": Row(body_of(b'{"a":"\xff\xfe"}'), MALFORMED,
                                  "inbox_invalid_json_total"),
    "ten megabytes": Row(ten_megabytes, (413, 0), "inbox_activity_too_large_total"),
    "a body without end": Row(without_end, (413, 0), "inbox_activity_too_large_total"),
    "a flood of reports": Row(
        floods_of_reports, (202,), "ingest_couldnt_create_report_total"),
    "a key in a gzip bomb": Row(by_key_of("/u/bomb"), (400,), "inbox_body_too_large_total"),
    "a key without end": Row(by_key_of("/u/endless"), (400,), "inbox_body_too_large_total"),
    "a document that is too deep": Row(asked_for("/deep/1"), (400, 404), "found_invalid_json_total"),
    "a cycle of answers": Row(asked_for("/cycle/a"), (400, 404), "found_too_deep_total"),
    "a chain of answers": Row(asked_for("/chain/1"), (400, 404), "found_too_deep_total"),
    "a collection without end": Row(
        asked_for("/c/endless"), (200,), "brought_collection_cut_total", writes=True),
}
