"""Signatures against libraries that others wrote, both ways."""

import base64
import json
import subprocess
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.serialization import load_pem_private_key, load_pem_public_key
from http_message_signatures import (
    HTTPMessageSigner,
    HTTPMessageVerifier,
    HTTPSignatureKeyResolver,
    algorithms,
)

from lichen.federation import claimed, sign, verify
from tests.federation.signing import BODY, KEY_ID, URL, keys, lower, signing_key


class Keys(HTTPSignatureKeyResolver):
    """The keys of one actor, as the library asks for them."""

    def resolve_private_key(self, key_id: str) -> object:
        assert key_id == KEY_ID
        return load_pem_private_key((keys().private or "").encode(), password=None)

    def resolve_public_key(self, key_id: str) -> object:
        assert key_id == KEY_ID
        return load_pem_public_key(keys().public.encode())


@dataclass
class Message:
    """A request as the library reads and changes it."""

    headers: dict[str, str] = field(default_factory=dict)
    method: str = "POST"
    url: str = URL
    body: bytes = BODY


RSA = {"signature_algorithm": algorithms.RSA_V1_5_SHA256, "key_resolver": Keys()}


def test_what_we_sign_by_rfc_9421_another_library_takes() -> None:
    # It looks at the clock itself, so that is when we sign.
    now_us = int(datetime.now(UTC).timestamp() * 1e6)
    message = Message(sign(signing_key(), method="POST", url=URL, body=BODY, now_us=now_us,
                           style="rfc9421"))

    (result,) = HTTPMessageVerifier(**RSA).verify(message, body=BODY)

    assert [name.strip('"') for name in result.covered_components] == [
        "@method", "@target-uri", "content-digest", "@signature-params"]


@pytest.mark.parametrize("components", [
    ("@method", "@target-uri", "content-digest"),
    ("content-digest", "@path", "@authority", "@method", "@query"),
    ("@request-target", "@method", "@authority", "content-digest", "@scheme"),
])
def test_what_another_library_signs_by_rfc_9421_we_take(components: tuple[str, ...]) -> None:
    now = datetime.now(UTC)
    message = Message({"Content-Type": "application/activity+json"}, url=URL + "?a=1&b=%C3%A4")
    HTTPMessageSigner(**RSA).sign(
        message, key_id=KEY_ID, created=now, covered_component_ids=components, body=BODY)

    claim = claimed("POST", "/inbox?a=1&b=%C3%A4", lower(message.headers))

    assert claim.key_id == KEY_ID
    verify(claim, public_pem=keys().public, body=BODY, now_us=int(now.timestamp() * 1e6))
    assert base64.b64encode(claim.signature).decode() in message.headers["Signature"]


SCRIPT = Path(__file__).parents[1] / "clients" / "signatures.mjs"


def test_npms_libraries_take_what_we_sign_and_sign_what_we_take() -> None:
    """By the draft in two versions of it, and by RFC 9421."""
    now_us = int(datetime.now(UTC).timestamp() * 1e6)
    url = URL + "?page=1"
    ours = {
        style: lower(sign(signing_key(), method="POST", url=url, body=BODY, now_us=now_us,
                          style=style))
        for style in ("cavage", "rfc9421")
    }
    given = {"keyId": KEY_ID, "public": keys().public, "private": keys().private, "url": url,
             "body": BODY.decode(), "ours": ours}

    done = subprocess.run(["node", str(SCRIPT)], input=json.dumps(given).encode(), timeout=30,
                          capture_output=True, check=False)

    assert done.returncode == 0, done.stderr.decode()
    theirs = json.loads(done.stdout)
    for headers in theirs:
        claim = claimed("POST", "/inbox?page=1", lower(headers))
        assert claim.key_id == KEY_ID
        verify(claim, public_pem=keys().public, body=BODY, now_us=now_us)
    assert len(theirs) == 3
