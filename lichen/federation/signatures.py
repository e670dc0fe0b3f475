"""Signatures of requests: who sent this, and is it what they sent?

Two forms are spoken and one answer is given:

    headers ─▶ claimed ─▶ Claim{key_id, base, signature, digests, created}     401 where malformed
                            │ whose key? ─▶ keys.KeyRing
                            ▼
               verify(claim, public_pem, body, now)    time ─▶ digest ─▶ algorithm and key ─▶ RSA

`cavage` is draft-cavage-http-signatures-12, which everybody verifies; `message_signatures` is
RFC 9421. The key decides which algorithm may be (RFC 9421 §3.2.6), what the request says must fit
it: so a public key can never be mistaken for a shared secret.

Pure, but for keys that stay parsed. A signature says nothing of whether its owner may do what the
body asks; that is for the inbox.
"""

from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Literal
from urllib.parse import urlsplit

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.padding import MGF1, PSS, PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, RSAPublicKey
from cryptography.hazmat.primitives.hashes import SHA256, SHA512
from cryptography.hazmat.primitives.serialization import (
    load_pem_private_key,
    load_pem_public_key,
)

from lichen.federation import cavage, message_signatures
from lichen.federation.digests import check_digests
from lichen.federation.limits import (
    LOADED_KEYS_MAX,
    PEM_LENGTH_MAX,
    RSA_BITS_MAX,
    RSA_BITS_MIN,
    SIGNING_KEYS_MAX,
    SKEW_US_MAX,
)
from lichen.federation.model import Claim, Request, SigningKey, Style, authority_of, unsigned

PublicKey = RSAPublicKey | Ed25519PublicKey
Scheme = Literal["rsa-v1_5-sha256", "rsa-pss-sha512", "ed25519"]

# What a request may say, and what that means for each kind of key.
_RSA: dict[tuple[Style, str], Scheme] = {
    ("cavage", ""): "rsa-v1_5-sha256",
    ("cavage", "hs2019"): "rsa-v1_5-sha256",  # by the draft PSS with SHA-512, which nobody sends
    ("cavage", "rsa-sha256"): "rsa-v1_5-sha256",
    ("rfc9421", ""): "rsa-v1_5-sha256",
    ("rfc9421", "rsa-v1_5-sha256"): "rsa-v1_5-sha256",
    ("rfc9421", "rsa-pss-sha512"): "rsa-pss-sha512",
}
_ED25519: dict[tuple[Style, str], Scheme] = {
    ("cavage", ""): "ed25519", ("cavage", "hs2019"): "ed25519", ("cavage", "ed25519"): "ed25519",
    ("rfc9421", ""): "ed25519", ("rfc9421", "ed25519"): "ed25519",
}
_SALT_BYTES = 64  # RFC 9421 §3.3.1


def sign(
    key: SigningKey, *, method: str, url: str, body: bytes, now_us: int, style: Style = "cavage"
) -> dict[str, str]:
    """Return the headers that sign a request; the client sets Host. About 1 ms."""
    private = _private(key.private_pem)

    def signature(base: bytes) -> bytes:
        return private.sign(base, PKCS1v15(), SHA256())

    if style == "cavage":
        headers, covered, base = cavage.headers_to_sign(method, url, body, now_us=now_us)
        return headers | {
            "Signature": cavage.signature_header(key.key_id, covered, signature(base))
        }
    headers, parameters, base = message_signatures.headers_to_sign(
        method, url, body, key_id=key.key_id, now_us=now_us
    )
    return headers | message_signatures.signature_headers(parameters, signature(base))


def claimed(
    method: str, target: str, headers: Mapping[str, str], *, public_url: str = ""
) -> Claim:
    """Return what a request claims of its signature; raises Refused (401).

    `target` is path and query as they came, header names are in lower case. With `public_url`, what
    was signed must have been sent to us: what a peer signed for another server is refused here.
    """
    request = Request(method, target, headers, urlsplit(public_url).scheme or "https")
    if public_url and request.authority != authority_of(public_url):
        raise unsigned("wrong_host", f"Send this to {authority_of(public_url)}; it was sent to "
                                     f"{request.authority[:100] or 'no host'}.")
    if "signature-input" in headers:
        return message_signatures.claim_of(request)
    return cavage.claim_of(request)


def verify(claim: Claim, *, public_pem: str, body: bytes, now_us: int) -> None:
    """Refuse (401) a claim that time, body and key do not bear out. About 50 µs with RSA-2048."""
    _check_time(claim, now_us)
    if body or claim.digests:
        check_digests(claim.digests, body)
    key = _public(public_pem)
    known = _RSA if isinstance(key, RSAPublicKey) else _ED25519
    scheme = known.get((claim.style, claim.algorithm))
    if scheme is None:
        raise unsigned("unsupported_algorithm",
                       f"This key signs with {', '.join(dict.fromkeys(known.values()))}; the "
                       f"request says {claim.algorithm[:60]!r}.")
    try:
        _CHECKS[scheme](key, claim)
    except InvalidSignature:
        raise unsigned("invalid_signature",
                       "The signature is not of this key over this request.") from None


def check_public_key(pem: str) -> None:
    """Refuse what cannot serve as a peer's public key."""
    _public(pem)


def _check_time(claim: Claim, now_us: int) -> None:
    if claim.created_us is None or abs(now_us - claim.created_us) > SKEW_US_MAX:
        raise unsigned("signature_expired",
                       "The request was signed more than an hour from now; check the clock, and "
                       "sign anew at each try.")
    if claim.expires_us is not None and claim.expires_us + SKEW_US_MAX < now_us:
        raise unsigned("signature_expired", "The signature has expired; sign anew.")


def _check_v1_5(key: PublicKey, claim: Claim) -> None:
    assert isinstance(key, RSAPublicKey)
    key.verify(claim.signature, claim.base, PKCS1v15(), SHA256())


def _check_pss(key: PublicKey, claim: Claim) -> None:
    assert isinstance(key, RSAPublicKey)
    padding = PSS(mgf=MGF1(SHA512()), salt_length=_SALT_BYTES)
    key.verify(claim.signature, claim.base, padding, SHA512())


def _check_ed25519(key: PublicKey, claim: Claim) -> None:
    assert isinstance(key, Ed25519PublicKey)
    key.verify(claim.signature, claim.base)


_CHECKS: dict[Scheme, Callable[[PublicKey, Claim], None]] = {
    "rsa-v1_5-sha256": _check_v1_5, "rsa-pss-sha512": _check_pss, "ed25519": _check_ed25519,
}


@lru_cache(maxsize=LOADED_KEYS_MAX)
def _public(pem: str) -> PublicKey:
    if len(pem) > PEM_LENGTH_MAX:
        raise unsigned("key_refused", f"A key has at most {PEM_LENGTH_MAX} characters of PEM.")
    try:
        key = load_pem_public_key(pem.encode("ascii"))
    except (ValueError, UnsupportedAlgorithm):  # also of Unicode
        raise unsigned("key_refused", "The public key is no PEM that can be read.") from None
    if isinstance(key, Ed25519PublicKey):
        return key
    if isinstance(key, RSAPublicKey) and RSA_BITS_MIN <= key.key_size <= RSA_BITS_MAX:
        return key
    raise unsigned("key_refused", f"Keys are Ed25519, or RSA of {RSA_BITS_MIN} to {RSA_BITS_MAX} "
                                  "bits.")


@lru_cache(maxsize=SIGNING_KEYS_MAX)
def _private(pem: str) -> RSAPrivateKey:
    # Our own keys need no proof of being sound at each start: it takes longer than signing.
    key = load_pem_private_key(pem.encode(), password=None, unsafe_skip_rsa_key_validation=True)
    assert isinstance(key, RSAPrivateKey), "local actors have RSA keys"
    return key
