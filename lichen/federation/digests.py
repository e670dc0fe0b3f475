"""Digests of bodies, in the two headers that carry them.

    Digest: SHA-256=X48E9qOokqqrvdts8nOJRJN3OWDUoyWxBf7kbu9DBPE=            RFC 3230, with cavage
    Content-Digest: sha-256=:X48E9qOokqqrvdts8nOJRJN3OWDUoyWxBf7kbu9DBPE=:  RFC 9530, with RFC 9421

Pure. SHA-256 and SHA-512 count; others are passed over.
"""

import base64
import binascii
import hashlib
import hmac
import re
from collections.abc import Callable, Mapping

from lichen.federation.model import unsigned

_HASHES: dict[str, Callable[[bytes], "hashlib._Hash"]] = {
    "sha-256": hashlib.sha256, "sha-512": hashlib.sha512,
}
# RFC 3230 §4.3.2: instance-digest = digest-algorithm "=" <encoded digest output>
_DIGEST = re.compile(r"\s*([A-Za-z0-9-]+)=([A-Za-z0-9+/=]*)\s*")
# RFC 9530 §2: a Dictionary of Byte Sequences.
_CONTENT_DIGEST = re.compile(r"\s*([a-z0-9*._-]+)=:([A-Za-z0-9+/=]*):\s*")


def digest_header(body: bytes) -> str:
    """Return the value of Digest for a body."""
    return f"SHA-256={_encoded(body)}"


def content_digest_header(body: bytes) -> str:
    """Return the value of Content-Digest for a body."""
    return f"sha-256=:{_encoded(body)}:"


def digests_in(value: str, *, style: str) -> dict[str, bytes]:
    """Return the digests that a header names, by algorithm; refuses one that cannot be read."""
    pattern = _DIGEST if style == "cavage" else _CONTENT_DIGEST
    found: dict[str, bytes] = {}
    for part in value.split(","):
        matched = pattern.fullmatch(part)
        algorithm = matched[1].lower() if matched else ""
        if matched is None or algorithm in found:
            raise unsigned("digest_malformed", f"A digest looks like {digest_header(b'')!r}, each "
                                               f"algorithm once; got {value[:100]!r}.")
        try:
            found[algorithm] = base64.b64decode(matched[2], validate=True)
        except binascii.Error:
            raise unsigned("digest_malformed", "A digest is Base64.") from None
    return {name: digest for name, digest in found.items() if name in _HASHES}


def check_digests(digests: Mapping[str, bytes], body: bytes) -> None:
    """Refuse a body that is not the one that was signed."""
    if not digests:
        raise unsigned("digest_missing", "Sign a SHA-256 digest of the body with the request.")
    for name, digest in digests.items():
        if not hmac.compare_digest(_HASHES[name](body).digest(), digest):
            raise unsigned("digest_mismatch", f"The {name} of the body is not the one signed.")


def _encoded(body: bytes) -> str:
    return base64.b64encode(hashlib.sha256(body).digest()).decode()
