"""Signatures: what we sign holds, whatever is changed does not, and every known trick fails."""

import base64
import hashlib
import hmac
from email.utils import formatdate

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lichen.federation import Style, claimed, sign, verify
from lichen.federation.limits import SKEW_US_MAX
from lichen.kit import Refused
from tests.federation.signing import BODY, KEY_ID, NOW_US, URL, keys, lower, signing_key

STYLES: tuple[Style, ...] = ("cavage", "rfc9421")
HERE = "https://lichen.example"


def signed(style: Style, body: bytes = BODY, *, name: str = "anna", url: str = URL,
           now_us: int = NOW_US, method: str = "POST") -> dict[str, str]:
    key = signing_key(name)
    return lower(sign(key, method=method, url=url, body=body, now_us=now_us, style=style))


def check(headers: dict[str, str], body: bytes = BODY, *, method: str = "POST",
          target: str = "/inbox", now_us: int = NOW_US, name: str = "anna") -> None:
    claim = claimed(method, target, headers, public_url=HERE)
    verify(claim, public_pem=keys(name).public, body=body, now_us=now_us)


def code_of(headers: dict[str, str], body: bytes = BODY, **rest: object) -> str:
    with pytest.raises(Refused) as refused:
        check(headers, body, **rest)  # type: ignore[arg-type]
    assert refused.value.status == 401
    return refused.value.code


@pytest.mark.parametrize("style", STYLES)
@pytest.mark.parametrize(("method", "body"), [("POST", BODY), ("GET", b"")])
def test_what_we_sign_holds(style: Style, method: str, body: bytes) -> None:
    headers = signed(style, body, method=method)

    check(headers, body, method=method)
    assert claimed(method, "/inbox", headers).key_id == KEY_ID


@pytest.mark.parametrize("style", STYLES)
def test_the_target_is_signed_as_the_client_sends_it(style: Style) -> None:
    headers = signed(style, url="https://lichen.example/u/%7Eanna?page=1&q=ä#top")

    check(headers, target="/u/~anna?page=1&q=%C3%A4")


@pytest.mark.parametrize("style", STYLES)
@given(data=st.data())
def test_any_change_of_what_is_signed_fails(style: Style, data: st.DataObject) -> None:
    """One character, anywhere it matters: method, target, host, date, digest, body, signature."""
    headers = signed(style)
    request = {"method": "POST", "target": "/inbox", "body": BODY.decode(), **headers}
    name = data.draw(st.sampled_from(sorted(request)))
    value = request[name]
    at = data.draw(st.integers(0, len(value) - 1))
    other = data.draw(st.sampled_from("abcXYZ019+/=-: \"'").filter(lambda one: one != value[at]))
    request[name] = value[:at] + other + value[at + 1:]

    method, target, body = (request.pop(part) for part in ("method", "target", "body"))
    try:
        claim = claimed(method, target, request, public_url=HERE)
        verify(claim, public_pem=keys().public, body=body.encode(), now_us=NOW_US)
    except Refused as refused:
        assert refused.status == 401
    else:
        # What may differ without harm: names and spaces of the envelope, and whose key it is
        # said to be, which decides what key is looked up.
        same = claimed("POST", "/inbox", headers)
        assert (claim.base.lower(), claim.signature) == (same.base.lower(), same.signature)
        assert (method.lower(), target, body) == ("post", "/inbox", BODY.decode())


@pytest.mark.parametrize("style", STYLES)
def test_another_key_does_not_do(style: Style) -> None:
    assert code_of(signed(style, name="mallory")) == "invalid_signature"


@pytest.mark.parametrize("style", STYLES)
def test_another_body_does_not_do(style: Style) -> None:
    assert code_of(signed(style), b'{"type":"Dislike"}') == "digest_mismatch"


@pytest.mark.parametrize("style", STYLES)
def test_a_body_that_nothing_covers_does_not_do(style: Style) -> None:
    """Signed without a body, sent with one; the digest beside it is not covered."""
    headers = signed(style, b"")
    digest = base64.b64encode(hashlib.sha256(BODY).digest()).decode()
    headers |= {"digest": f"SHA-256={digest}", "content-digest": f"sha-256=:{digest}:"}

    assert code_of(headers) == "digest_missing"


@pytest.mark.parametrize("style", STYLES)
def test_a_weak_digest_alone_does_not_do(style: Style) -> None:
    name = "digest" if style == "cavage" else "content-digest"
    headers = signed(style) | {name: "MD5=abcd" if style == "cavage" else "md5=:abcd:"}

    assert code_of(headers) == "digest_missing"


@pytest.mark.parametrize("style", STYLES)
@pytest.mark.parametrize(("seconds", "holds"), [(-3_600, True), (3_600, True), (-3_602, False),
                                                (3_602, False), (86_400, False)])
def test_what_was_signed_long_ago_or_in_the_future_is_not_taken(
    style: Style, seconds: int, holds: bool
) -> None:
    headers, now_us = signed(style), NOW_US + seconds * 1_000_000

    if holds:
        check(headers, now_us=now_us)
    else:
        assert code_of(headers, now_us=now_us) == "signature_expired"


@pytest.mark.parametrize("style", STYLES)
def test_what_was_signed_for_another_server_is_not_taken(style: Style) -> None:
    """Another server may hold what a peer sent it, and send it on to us."""
    headers = signed(style, url="https://other.example/inbox")
    theirs, ours = {"host": "other.example"}, {"host": "lichen.example"}

    assert code_of(headers | theirs) == "wrong_host"
    assert code_of(headers | ours) == "invalid_signature"


@pytest.mark.parametrize("algorithm", ["hmac-sha256", "rsa-sha1", "none", "ed25519", "RSA-SHA512"])
def test_an_algorithm_that_is_not_the_keys_is_refused(algorithm: str) -> None:
    """Algorithm confusion: with the public key as the secret of an HMAC anybody could sign."""
    headers = signed("cavage")
    claim = claimed("POST", "/inbox", headers)
    forged = base64.b64encode(
        hmac.digest(keys().public.encode(), claim.base, "sha256")).decode()
    said = headers["signature"].replace("rsa-sha256", algorithm)
    headers["signature"] = said[:said.index("signature=")] + f'signature="{forged}"'

    assert code_of(headers) == "unsupported_algorithm"


def test_an_algorithm_of_rfc_9421_must_fit_the_key_too() -> None:
    headers = signed("rfc9421")
    headers["signature-input"] = headers["signature-input"].replace(
        "rsa-v1_5-sha256", "hmac-sha256")

    assert code_of(headers) == "unsupported_algorithm"


def test_parameters_may_come_in_any_order() -> None:
    """PieFed puts the algorithm last; spaces after commas are others' habit."""
    headers = signed("cavage")
    parts = headers["signature"].split('",')
    assert len(parts) == 4
    whole = [part if part.endswith('"') else part + '"' for part in parts]

    check(headers | {"signature": ", ".join(reversed(whole))})


def test_the_order_of_covered_headers_is_part_of_what_is_signed() -> None:
    headers = signed("cavage")
    headers["signature"] = headers["signature"].replace("host date", "date host")

    assert code_of(headers) == "invalid_signature"


@pytest.mark.parametrize("left_out", ["(request-target)", "host", "date"])
def test_a_signature_that_covers_too_little_is_refused(left_out: str) -> None:
    headers = signed("cavage")
    headers["signature"] = headers["signature"].replace(f"{left_out} ", "")

    assert code_of(headers) == "signature_incomplete"


@pytest.mark.parametrize("left_out", ['"@method" ', '"@target-uri" ', ";created=1700000000"])
def test_a_message_signature_that_covers_too_little_is_refused(left_out: str) -> None:
    headers = signed("rfc9421")
    headers["signature-input"] = headers["signature-input"].replace(left_out, "")

    assert code_of(headers) == "signature_incomplete"


@pytest.mark.parametrize("value", [
    "", "nonsense", 'keyId="a"', 'keyId="a",keyId="b",signature="YQ=="',
    'keyId="",signature="YQ=="', 'keyId="a",headers="(request-target) host date",signature="?"',
    'keyId="a",headers="(request-target) host date host",signature="YQ=="',
    'keyId="a",headers="(request-target) host date x-not-there",signature="YQ=="',
    'keyId="a",algorithm="rsa-sha256",created=1700000000,'
    'headers="(request-target) host (created)",signature="YQ=="',
    'keyId="' + "a" * 5_000 + '",signature="YQ=="', 'keyId="a' + '",a="' * 2_000,
])
def test_what_is_malformed_is_refused_by_its_form(value: str) -> None:
    headers = {"host": "lichen.example", "date": formatdate(NOW_US / 1e6, usegmt=True),
               "signature": value}

    assert code_of(headers) in {"signature_missing", "signature_malformed"}


@pytest.mark.parametrize("value", [
    "", "nonsense", "sig1=1", 'sig1=("@method";req "@target-uri");created=1;keyid="a"',
    'sig1=("@method" "@method" "@target-uri");created=1;keyid="a"',
    'sig1=("@method" "@target-uri" "x-not-there");created=1;keyid="a"',
    'sig1=("@method" "@target-uri");created="now";keyid="a"',
    'sig1=("@method" "@target-uri");created=1', 'sig2=("@method" "@target-uri");created=1',
    "sig1=" + "(" * 3_000, ",".join(f'sig{at}=("@method")' for at in range(9)), 'sig1=("\xff")',
])
def test_a_malformed_message_signature_is_refused_by_its_form(value: str) -> None:
    headers = signed("rfc9421") | {"signature-input": value}

    assert code_of(headers) in {"signature_malformed", "signature_incomplete"}


def test_a_date_that_is_none_is_refused() -> None:
    assert code_of(signed("cavage") | {"date": "yesterday"}) == "signature_malformed"


def test_created_counts_beside_the_date() -> None:
    """What `hs2019` peers send: the time as a parameter, and no Date at all."""
    assert SKEW_US_MAX == 3_600_000_000
    headers = {
        "host": "lichen.example",
        "signature": f'keyId="{KEY_ID}",algorithm="hs2019",created=1700000000,'
                     'headers="(request-target) host (created)",signature="YQ=="',
    }

    claim = claimed("GET", "/inbox", headers)

    assert claim.created_us == NOW_US
    assert claim.base.endswith(b"(created): 1700000000")


@pytest.mark.parametrize("pem", ["", "x", "-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----",
                                 "-" * 10_000, "ключ"])
def test_a_key_that_is_none_is_refused(pem: str) -> None:
    claim = claimed("POST", "/inbox", signed("cavage"))

    with pytest.raises(Refused, match="key_refused"):
        verify(claim, public_pem=pem, body=BODY, now_us=NOW_US)
