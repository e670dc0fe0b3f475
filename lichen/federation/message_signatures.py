"""RFC 9421, HTTP Message Signatures, in the profile that Mastodon and its peers speak.

    Content-Digest: sha-256=:X48E9qOokqqrvdts8nOJRJN3OWDUoyWxBf7kbu9DBPE=:
    Signature-Input: sig1=("@method" "@target-uri" "content-digest");created=1700000000;
      keyid="https://peer.example/u/anna#main-key";alg="rsa-v1_5-sha256"
    Signature: sig1=:…:

What is signed is a line for each component, and the line of parameters (§2.5):

    "@method": POST
    "@target-uri": https://lichen.example/inbox
    "content-digest": sha-256=:…:
    "@signature-params": ("@method" "@target-uri" "content-digest");created=…;keyid="…";alg="…"

Pure. Covered must be the method, the whole target, the time, and the digest of a body. Parameters
of components (`;sf`, `;key`, `;req` …) are for intermediaries; no peer sends them, none is taken.
"""

from collections.abc import Sequence
from typing import Any

import http_sf
import yarl

from lichen.federation.digests import content_digest_header, digests_in
from lichen.federation.limits import (
    COMPONENTS_MAX,
    KEY_ID_LENGTH_MAX,
    SIGNATURE_BYTES_MAX,
    SIGNATURES_MAX,
)
from lichen.federation.model import Claim, Request, authority_of, unsigned

ALGORITHM = "rsa-v1_5-sha256"  # §3.3.2; the only one that Mastodon takes
_LABEL = "sig1"
_MICROSECONDS = 1_000_000
# §2.2: each of these sets says which resource was asked for.
_TARGETS = ({"@target-uri"}, {"@authority", "@request-target"}, {"@authority", "@path"})


def claim_of(request: Request) -> Claim:
    """Return what a request claims: its first signature that covers enough; raises Refused."""
    inputs = _dictionary(request, "signature-input")
    signatures = _dictionary(request, "signature")
    for label, covered in inputs.items():
        if isinstance(covered[0], list) and label in signatures:
            names = _names(covered[0])
            if _covers_enough(names):
                return _claim(request, covered, names, signatures[label][0])
    raise unsigned("signature_incomplete",
                   'Sign "@method", "@target-uri", and "content-digest" where there is a body.')


def headers_to_sign(
    method: str, url: str, body: bytes, *, key_id: str, now_us: int
) -> tuple[dict[str, str], str, bytes]:
    """Return the headers to add, the parameters of the signature, and what to sign."""
    names = ["@method", "@target-uri"]
    headers = {}
    if body:
        headers["Content-Digest"] = content_digest_header(body)
        names.append("content-digest")
    assert key_id.isascii() and '"' not in key_id, key_id
    parameters = (
        "(" + " ".join(f'"{name}"' for name in names) + ")"
        f';created={now_us // _MICROSECONDS};keyid="{key_id}";alg="{ALGORITHM}"'
    )
    asked = yarl.URL(url)
    request = Request(
        method, asked.raw_path_qs,
        {name.lower(): value for name, value in headers.items()} | {"host": authority_of(url)},
        scheme=asked.scheme,
    )
    return headers, parameters, _base(request, names, parameters)


def signature_headers(parameters: str, signature: bytes) -> dict[str, str]:
    """Return the two headers that carry a signature."""
    return {
        "Signature-Input": f"{_LABEL}={parameters}",
        "Signature": http_sf.ser({_LABEL: (signature, {})}),
    }


def _dictionary(request: Request, name: str) -> dict[str, Any]:
    """Return a header as label -> (value, parameters)."""
    value = request.headers.get(name, "")
    if len(value) > SIGNATURE_BYTES_MAX:
        raise unsigned("signature_malformed",
                       f"A signature has at most {SIGNATURE_BYTES_MAX} bytes.")
    try:
        found = http_sf.parse(value.encode("ascii"), tltype="dictionary")
    except ValueError:  # also of Unicode
        raise unsigned("signature_malformed", f"{name} is no dictionary of RFC 9651.") from None
    assert isinstance(found, dict)
    if not 1 <= len(found) <= SIGNATURES_MAX:
        raise unsigned("signature_malformed",
                       f"A request has 1 to {SIGNATURES_MAX} signatures; this one {len(found)}.")
    return found


def _names(covered: Sequence[Any]) -> list[str]:
    if any(type(name) is not str or parameters for name, parameters in covered):
        raise unsigned("signature_malformed", "Components are plain names, without parameters.")
    names = [name for name, _ in covered]
    if len(names) > COMPONENTS_MAX or len(set(names)) < len(names):
        raise unsigned("signature_malformed",
                       f"A signature covers at most {COMPONENTS_MAX} components, each once.")
    return names


def _covers_enough(names: list[str]) -> bool:
    return "@method" in names and any(target <= set(names) for target in _TARGETS)


def _claim(
    request: Request, covered: Any, names: list[str], signature: object
) -> Claim:
    said = covered[1]
    key_id, created, expires = said.get("keyid"), said.get("created"), said.get("expires")
    algorithm = said.get("alg", "")
    if not isinstance(key_id, str) or not 0 < len(key_id) <= KEY_ID_LENGTH_MAX:
        raise unsigned("signature_malformed", "A signature names its keyid.")
    if type(created) is not int or type(expires) not in (int, type(None)):
        raise unsigned("signature_incomplete", "A signature says when it was created, in seconds.")
    if not isinstance(signature, bytes) or not isinstance(algorithm, str):
        raise unsigned("signature_malformed", "A signature is a byte sequence, alg a string.")
    return Claim(
        key_id=key_id, style="rfc9421", algorithm=algorithm.lower(),
        # §2.3: the parameters as RFC 9651 writes them, in the order in which they came.
        base=_base(request, names, http_sf.ser({_LABEL: covered}).removeprefix(f"{_LABEL}=")),
        signature=signature,
        created_us=created * _MICROSECONDS,
        expires_us=None if expires is None else expires * _MICROSECONDS,
        digests=digests_in(request.headers.get("content-digest", ""), style="rfc9421")
        if "content-digest" in names else {},
    )


def _base(request: Request, names: list[str], parameters: str) -> bytes:
    """Return the signature base (§2.5)."""
    lines = [f'"{name}": {_value(request, name)}' for name in names]
    lines.append(f'"@signature-params": {parameters}')
    return "\n".join(lines).encode("latin-1", "replace")


def _value(request: Request, name: str) -> str:
    """Return the value of a component (§2.1 for fields, §2.2 for what is derived)."""
    path, _, query = request.target.partition("?")
    match name:
        case "@method":
            return request.method
        case "@target-uri":
            return f"{request.scheme}://{request.authority}{request.target}"
        case "@authority":
            return request.authority
        case "@scheme":
            return request.scheme
        case "@request-target":
            return request.target
        case "@path":
            return path or "/"
        case "@query":
            return f"?{query}"
    if name.startswith("@") or name not in request.headers:
        raise unsigned("signature_malformed",
                       f"The signature covers {name[:60]!r}, which did not come.")
    return request.headers[name].strip()
