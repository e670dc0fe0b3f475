"""Forged signatures: each row is a request that somebody would like to be believed.

A row takes the siege and returns headers and body; what it must be refused with stands beside it.
"""

import base64
import hashlib
import hmac
import json
from collections.abc import Callable
from typing import Any

from tests.faults.siege import EVE, FORGED, THIEF, Siege, pair_of, signed
from tests.federation.incoming import ANN, act

Headers = dict[str, str] | list[tuple[str, str]]
Forgery = Callable[[Siege], tuple[Headers, bytes]]


def _body(siege: Siege, actor: str = EVE) -> bytes:
    return json.dumps(act("Dislike", actor, siege.here)).encode()


def _with(**told: Any) -> Forgery:
    """Return a request that is signed otherwise than it should be."""
    def made(siege: Siege) -> tuple[Headers, bytes]:
        body = _body(siege, told.get("actor", EVE))
        return signed(body, **{name: value for name, value in told.items() if name != "actor"}), body
    return made


def _changed(change: Callable[[dict[str, str], bytes], Headers]) -> Forgery:
    """Return a request whose headers were changed after it was signed."""
    def made(siege: Siege) -> tuple[Headers, bytes]:
        body = _body(siege)
        return change(signed(body), body), body
    return made


def _signature(**changes: str) -> Forgery:
    """Return a request whose signature says something else."""
    def change(headers: dict[str, str], _body: bytes) -> Headers:
        text = headers["Signature"]
        for name, value in changes.items():
            head, _, rest = text.partition(f'{name}="')
            text = f'{head}{name}="{value}"{rest.partition(chr(34))[2]}'
        return headers | {"Signature": text}
    return _changed(change)


def _hmac_with_public_key(algorithm: str) -> Forgery:
    """CVE-2015-9235 in another place: who verifies takes the public key for a shared secret."""
    def change(headers: dict[str, str], _body: bytes) -> Headers:
        base = "\n".join([
            "(request-target): post /inbox", "host: lichen.example", f"date: {headers['Date']}",
            f"digest: {headers['Digest']}",
        ])
        mac = hmac.digest(pair_of(EVE).public.encode(), base.encode(), hashlib.sha256)
        return headers | {"Signature": (
            f'keyId="{EVE}#main-key",algorithm="{algorithm}",'
            f'headers="(request-target) host date digest",'
            f'signature="{base64.b64encode(mac).decode()}"')}
    return _changed(change)


def _hmac_of_messages(siege: Siege) -> tuple[Headers, bytes]:
    body = _body(siege)
    headers = signed(body, style="rfc9421")
    said = headers["Signature-Input"].replace("rsa-v1_5-sha256", "hmac-sha256")
    return headers | {"Signature-Input": said}, body


def _other_body(siege: Siege) -> tuple[Headers, bytes]:
    return signed(_body(siege)), _body(siege)


def _wrong_key(siege: Siege) -> tuple[Headers, bytes]:
    body = _body(siege)
    return signed(body, key_of=ANN, key_id=f"{EVE}#main-key"), body


def _weak_digest(headers: dict[str, str], body: bytes) -> Headers:
    md5 = base64.b64encode(hashlib.md5(body).digest()).decode()
    return headers | {"Digest": f"MD5={md5}"}


def _twice(name: str) -> Forgery:
    return _changed(lambda headers, _: [*headers.items(), (name, headers.get(name, "x"))])


def _for_host(host: str) -> Forgery:
    def made(siege: Siege) -> tuple[Headers, bytes]:
        body = _body(siege)
        return {**signed(body, url="https://other.example/inbox"), "Host": host}, body
    return made


def _replayed(siege: Siege) -> tuple[Headers, bytes]:
    return dict(siege.heard[0]), siege.heard[1]


COVERED = "(request-target) host date digest"
HOUR_S = 3_600
# Each row: the request, the statuses that refuse it, and what it is counted as.
FORGERIES: dict[str, tuple[Forgery, tuple[int, ...], str]] = {
    "no signature": (_changed(lambda headers, _: {
        name: value for name, value in headers.items() if name != "Signature"}),
        (401,), "signature_missing"),
    "wrong key": (_wrong_key, (401,), "invalid_signature"),
    "wrong digest": (_other_body, (401,), "digest_mismatch"),
    "no digest": (_signature(headers="(request-target) host date"), (401,), "digest_missing"),
    "weak digest": (_changed(_weak_digest), (401,), "digest_missing"),
    "replay of an old request": (_with(later_s=-HOUR_S - 60), (401,), "signature_expired"),
    "request from a time to come": (_with(later_s=HOUR_S + 60), (401,), "signature_expired"),
    "replay of a young request": (_replayed, (202,), "duplicate"),
    "replay of one signed for another server": (
        _for_host("other.example"), (401,), "wrong_host"),
    "the same, under our name": (_for_host("lichen.example"), (401,), "invalid_signature"),
    "algorithm none": (_signature(algorithm="none"), (401,), "unsupported_algorithm"),
    "no algorithm and no signature": (
        _signature(algorithm="", signature="AA=="), (401,), "invalid_signature"),
    "HMAC with the public key": (
        _hmac_with_public_key("hmac-sha256"), (401,), "unsupported_algorithm"),
    "HMAC with the public key as hs2019": (
        _hmac_with_public_key("hs2019"), (401,), "invalid_signature"),
    "HMAC by RFC 9421": (_hmac_of_messages, (401,), "unsupported_algorithm"),
    "Ed25519 said of an RSA key": (
        _signature(algorithm="ed25519"), (401,), "unsupported_algorithm"),
    "headers in another order": (
        _signature(headers="host (request-target) date digest"), (401,), "invalid_signature"),
    "a header covered twice": (
        _signature(headers=f"{COVERED} host"), (401,), "signature_malformed"),
    "two signatures": (_twice("Signature"), (401,), "signature_malformed"),
    "two digests": (_twice("Digest"), (401,), "digest_malformed"),
    "two dates": (_twice("Date"), (401,), "invalid_signature"),
    "the host not covered": (
        _signature(headers="(request-target) date digest"), (401,), "signature_incomplete"),
    "the target not covered": (
        _signature(headers="host date digest"), (401,), "signature_incomplete"),
    "the time not covered": (
        _signature(headers="(request-target) host digest"), (401,), "signature_incomplete"),
    "signed for another inbox": (
        _with(url="https://lichen.example/u/mira/inbox"), (401,), "invalid_signature"),
    "signed as a question": (_with(method="GET"), (401,), "invalid_signature"),
    "key of another host": (_with(actor=ANN), (403,), "foreign_key"),
    "key in a document that names another owner": (
        _with(key_id=f"{THIEF}#main-key"), (401,), "key_refused"),
    "key that its owner does not name": (_with(key_id=FORGED), (401,), "key_refused"),
    "key id without end": (
        _with(key_id=f"{EVE}#{'k' * 5_000}"), (401,), "signature_malformed"),
}
