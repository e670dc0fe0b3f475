"""draft-cavage-http-signatures-12, as the fediverse practises it: one header, any order.

    POST /inbox HTTP/1.1
    Host: lichen.example
    Date: Tue, 14 Nov 2023 22:13:20 GMT
    Digest: SHA-256=X48E9qOokqqrvdts8nOJRJN3OWDUoyWxBf7kbu9DBPE=
    Signature: keyId="https://peer.example/u/anna#main-key",
      headers="(request-target) host date digest",signature="…",algorithm="rsa-sha256"

What is signed is a line for each name in `headers`:

    (request-target): post /inbox
    host: lichen.example
    …

Pure. The draft lets a signature cover nothing; we want it to cover what makes it worth something:
what was asked, of whom, when, and the body.
"""

import base64
import binascii
import re
from email.utils import formatdate, parsedate_to_datetime
from functools import lru_cache

import yarl

from lichen.federation.digests import digest_header, digests_in
from lichen.federation.limits import (
    COMPONENTS_MAX,
    DATES_KEPT_MAX,
    KEY_ID_LENGTH_MAX,
    SIGNATURE_BYTES_MAX,
)
from lichen.federation.model import Claim, Request, authority_of, unsigned

# §2.1: parameters are separated by commas; times may be bare numbers.
_PARAMETER = re.compile(r'\s*([A-Za-z]+)\s*=\s*(?:"([^"]*)"|([0-9]{1,16}))\s*(?:,|$)')
_SCHEME = "Signature "
_MICROSECONDS = 1_000_000


def claim_of(request: Request) -> Claim:
    """Return what a request claims; raises Refused (401)."""
    said = _parameters(request)
    covered = said.get("headers", "(created)").lower().split()  # §2.1.6: the default
    _check_covered(covered)
    created_us = _seconds(said, "created") if "(created)" in covered else None
    expires_us = _seconds(said, "expires") if "(expires)" in covered else None
    if "(created)" in covered and said.get("algorithm", "").startswith(("rsa", "hmac", "ecdsa")):
        # §2.3: such an algorithm and `(created)` must not come together.
        raise unsigned("signature_malformed", "(created) needs the algorithm hs2019.")
    if "date" in covered:
        dated_us = _time_of(request.headers.get("date", ""))
        created_us = dated_us if created_us is None else min(created_us, dated_us)
    return Claim(
        key_id=said["keyId"], style="cavage", algorithm=said.get("algorithm", "").lower(),
        base=_base(request, covered, said), signature=_decoded(said["signature"]),
        created_us=created_us, expires_us=expires_us,
        digests=digests_in(request.headers.get("digest", ""), style="cavage")
        if "digest" in covered else {},
    )


def headers_to_sign(method: str, url: str, body: bytes, *, now_us: int) -> tuple[
    dict[str, str], str, bytes
]:
    """Return the headers to add, the names that the signature covers, and what to sign."""
    target = yarl.URL(url).raw_path_qs  # as the client sends it, whatever was escaped
    headers = {"Date": formatdate(now_us / _MICROSECONDS, usegmt=True)}
    covered = ["(request-target)", "host", "date"]
    if body:
        headers["Digest"] = digest_header(body)
        covered.append("digest")
    request = Request(
        method, target, {name.lower(): value for name, value in headers.items()}
        | {"host": authority_of(url)},
    )
    return headers, " ".join(covered), _base(request, covered, {})


def signature_header(key_id: str, covered: str, signature: bytes) -> str:
    """Return the value of the header Signature."""
    encoded = base64.b64encode(signature).decode()
    # "rsa-sha256" rather than the draft's hs2019: every peer takes it, some take nothing else.
    return f'keyId="{key_id}",algorithm="rsa-sha256",headers="{covered}",signature="{encoded}"'


def _parameters(request: Request) -> dict[str, str]:
    """Return the parameters of the signature, in whatever order they came."""
    text = request.headers.get("signature", "")
    authorization = request.headers.get("authorization", "")
    if not text and authorization.startswith(_SCHEME):
        text = authorization.removeprefix(_SCHEME)  # §3.1
    if not text:
        raise unsigned("signature_missing", "Sign the request: HTTP Signatures, or RFC 9421.")
    if len(text) > SIGNATURE_BYTES_MAX:
        raise unsigned("signature_malformed",
                       f"A signature has at most {SIGNATURE_BYTES_MAX} bytes.")
    said: dict[str, str] = {}
    at = 0
    while at < len(text):
        matched = _PARAMETER.match(text, at)
        if matched is None or matched[1] in said:
            raise unsigned("signature_malformed",
                           'A signature is name="value", separated by commas, each name once; it '
                           f"breaks off at character {at}.")
        said[matched[1]] = matched[2] if matched[2] is not None else matched[3]
        at = matched.end()
    if not said.get("keyId") or not said.get("signature"):
        raise unsigned("signature_malformed", "A signature names keyId and signature.")
    if len(said["keyId"]) > KEY_ID_LENGTH_MAX:
        raise unsigned("signature_malformed",
                       f"A keyId has at most {KEY_ID_LENGTH_MAX} characters.")
    return said


def _check_covered(covered: list[str]) -> None:
    if len(covered) > COMPONENTS_MAX or len(set(covered)) < len(covered):
        raise unsigned("signature_malformed",
                       f"A signature covers at most {COMPONENTS_MAX} fields, each once.")
    if "(request-target)" not in covered or "host" not in covered or not (
        "date" in covered or "(created)" in covered
    ):
        raise unsigned("signature_incomplete",
                       "Sign (request-target), host and date (or (created)) at least; this one "
                       f"covers {' '.join(covered)[:200]!r}.")


def _base(request: Request, covered: list[str], said: dict[str, str]) -> bytes:
    """Return the signing string (§2.3)."""
    lines = []
    for name in covered:
        if name == "(request-target)":
            value = f"{request.method.lower()} {request.target}"
        elif name in ("(created)", "(expires)"):
            value = said.get(name.strip("()"), "")
        elif name in request.headers:
            value = request.headers[name].strip()
        else:
            raise unsigned("signature_malformed",
                           f"The signature covers {name[:60]!r}, which did not come.")
        lines.append(f"{name}: {value}")
    return "\n".join(lines).encode("latin-1", "replace")


def _seconds(said: dict[str, str], name: str) -> int:
    text = said.get(name, "")
    if not text.isascii() or not text.isdigit() or len(text) > 16:
        raise unsigned("signature_malformed", f"{name} is a time in whole seconds.")
    return int(text) * _MICROSECONDS


@lru_cache(maxsize=DATES_KEPT_MAX)
def _time_of(text: str) -> int:
    try:
        # RFC 9110 §5.6.7: HTTP-date.
        return int(parsedate_to_datetime(text).timestamp()) * _MICROSECONDS
    except (ValueError, OverflowError, OSError):
        raise unsigned(
            "signature_malformed", f"Date is a date of HTTP; got {text[:60]!r}."
        ) from None


def _decoded(text: str) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        raise unsigned("signature_malformed", "A signature is Base64.") from None
