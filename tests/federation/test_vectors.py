"""Signatures against the examples of the standards themselves."""

import msgspec
import pytest

from lichen.federation import Claim, claimed, signatures, verify

BODY = b'{"hello": "world"}'
EXPECTED_AT = {"cavage": 1_388_957_500_000_000, "rfc9421": 1_618_884_475_000_000}

# draft-cavage-http-signatures-12, appendix C.
CAVAGE_KEY = """-----BEGIN PUBLIC KEY-----
MIGfMA0GCSqGSIb3DQEBAQUAA4GNADCBiQKBgQDCFENGw33yGihy92pDjZQhl0C3
6rPJj+CvfSC8+q28hxA161QFNUd13wuCTUcq0Qd2qsBe/2hFyc2DCJJg0h1L78+6
Z4UMR7EOcpfdUE9Hf3m/hs+FUR45uBJeDK1HSFHD8bHKD6kv8FPGfJTotc+2xjJw
oYi+1hqp1fIekaxsyQIDAQAB
-----END PUBLIC KEY-----
"""
CAVAGE_HEADERS = {
    "host": "example.com", "date": "Sun, 05 Jan 2014 21:31:40 GMT",
    "content-type": "application/json", "content-length": "18",
    "digest": "SHA-256=X48E9qOokqqrvdts8nOJRJN3OWDUoyWxBf7kbu9DBPE=",
}
C_2 = (
    'Signature keyId="Test",algorithm="rsa-sha256",headers="(request-target) host date", '
    'signature="qdx+H7PHHDZgy4y/Ahn9Tny9V3GP6YgBPyUXMmoxWtLbHpUnXS2mg2+SbrQDMCJypxBLSPQR2aAjn7nd'
    'mw2iicw3HMbe8VfEdKFYRqzic+efkb3nndiv/x1xSHDJWeSWkx3ButlYSuBskLu6kd9Fswtemr3lgdDEmn04swr2Os0="'
)
C_3 = (
    'Signature keyId="Test",algorithm="rsa-sha256",headers="(request-target) host date '
    'content-type digest content-length", signature="vSdrb+dS3EceC9bcwHSo4MlyKS59iFIrhgYkz8+oVLE'
    'EzmYZZvRs8rgOp+63LEM3v+MFHB32NfpB2bEKBIvB1q52LaEUHFv120V01IL+TAD48XaERZFukWgHoBTLMhYS2Gb51g'
    'WxpeIq8knRmPnYePbF5MOkR0Zkly4zKH7s1dE="'
)

# RFC 9421, appendix B.
ED25519_KEY = """-----BEGIN PUBLIC KEY-----
MCowBQYDK2VwAyEAJrQLj5P/89iXES9+vFgrIy29clF9CC/oPPsw3c5D0bs=
-----END PUBLIC KEY-----
"""
PSS_KEY = """-----BEGIN PUBLIC KEY-----
MIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8AMIIBCgKCAQEAr4tmm3r20Wd/PbqvP1s2
+QEtvpuRaV8Yq40gjUR8y2Rjxa6dpG2GXHbPfvMs8ct+Lh1GH45x28Rw3Ry53mm+
oAXjyQ86OnDkZ5N8lYbggD4O3w6M6pAvLkhk95AndTrifbIFPNU8PPMO7OyrFAHq
gDsznjPFmTOtCEcN2Z1FpWgchwuYLPL+Wokqltd11nqqzi+bJ9cvSKADYdUAAN5W
Utzdpiy6LbTgSxP7ociU4Tn0g5I6aDZJ7A8Lzo0KSyZYoA485mqcO0GVAdVw9lq4
aOT9v6d+nb4bnNkQVklLQ3fVAvJm+xdDOp9LCNCN48V2pnDOkFV6+U9nV5oyc6XI
2wIDAQAB
-----END PUBLIC KEY-----
"""
RFC_HEADERS = {
    "host": "example.com", "date": "Tue, 20 Apr 2021 02:07:55 GMT",
    "content-type": "application/json", "content-length": "18",
    "content-digest": "sha-512=:WZDPaVn/7XgHaAy8pmojAkGWoRx2UFChF41A2svX+TaPm+AbwAgBWnrIiYllu7BNN"
                      "yealdVLvRwEmTHWXvJwew==:",
}
B_2_3 = {
    "signature-input":
        'sig-b23=("date" "@method" "@path" "@query" "@authority" "content-type" "content-digest" '
        '"content-length");created=1618884473;keyid="test-key-rsa-pss"',
    "signature":
        "sig-b23=:bbN8oArOxYoyylQQUU6QYwrTuaxLwjAC9fbY2F6SVWvh0yBiMIRGOnMYwZ/5MR6fb0Kh1rIRASVxFkeG"
        "t683+qRpRRU5p2voTp768ZrCUb38K0fUxN0O0iC59DzYx8DFll5GmydPxSmme9v6ULbMFkl+V5B1TP/yPViV7KsLNm"
        "vKiLJH1pFkh/aYA2HXXZzNBXmIkoQoLd7YfW91kE9o/CCoC1xMy7JA1ipwvKvfrs65ldmlu9bpG6A9BmzhuzF8Eim5"
        "f8ui9eH8LZH896+QIF61ka39VBrohr9iyMUJpvRX2Zbhl5ZJzSRxpJyoEZAFL2FUo5fTIztsDZKEgM4cUA==:",
}
B_2_6 = {
    "signature-input":
        'sig-b26=("date" "@method" "@path" "@authority" "content-type" "content-length");'
        'created=1618884473;keyid="test-key-ed25519"',
    "signature":
        "sig-b26=:wqcAqbmYJ2ji2glfAMaRy4gruYYnx2nEFN2HN6jrnDnQCK1u02Gb04v9EDgwUPiu4A0w6vuQv5lIp5WP"
        "pBKRCw==:",
}


def cavage(authorization: str) -> Claim:
    return claimed("POST", "/foo?param=value&pet=dog",
                   CAVAGE_HEADERS | {"authorization": authorization})


def rfc9421(headers: dict[str, str]) -> Claim:
    return claimed("POST", "/foo?param=Value&Pet=dog", RFC_HEADERS | headers)


def test_the_signing_string_of_the_draft_is_ours() -> None:
    assert cavage(C_2).base == (
        b"(request-target): post /foo?param=value&pet=dog\n"
        b"host: example.com\n"
        b"date: Sun, 05 Jan 2014 21:31:40 GMT"
    )


@pytest.mark.parametrize("authorization", [C_2, C_3], ids=["C.2", "C.3"])
def test_the_signatures_of_the_draft_hold(authorization: str, monkeypatch) -> None:
    """Its key has 1,024 bits, which we take from nobody: here alone."""
    monkeypatch.setattr(signatures, "RSA_BITS_MIN", 1_024)
    signatures._public.cache_clear()
    body = BODY if authorization is C_3 else b""

    verify(cavage(authorization), public_pem=CAVAGE_KEY, body=body, now_us=EXPECTED_AT["cavage"])

    signatures._public.cache_clear()


def test_a_key_as_short_as_the_drafts_counts_for_nothing() -> None:
    with pytest.raises(Exception, match="key_refused"):
        verify(cavage(C_2), public_pem=CAVAGE_KEY, body=b"", now_us=EXPECTED_AT["cavage"])


def test_the_signature_base_of_rfc_9421_is_ours() -> None:
    assert rfc9421(B_2_6).base == (
        b'"date": Tue, 20 Apr 2021 02:07:55 GMT\n'
        b'"@method": POST\n'
        b'"@path": /foo\n'
        b'"@authority": example.com\n'
        b'"content-type": application/json\n'
        b'"content-length": 18\n'
        b'"@signature-params": ("date" "@method" "@path" "@authority" "content-type" '
        b'"content-length");created=1618884473;keyid="test-key-ed25519"'
    )


def test_the_ed25519_signature_of_rfc_9421_holds() -> None:
    """B.2.6 covers no digest, so what it says of a body counts for nothing: none is given."""
    verify(rfc9421(B_2_6), public_pem=ED25519_KEY, body=b"", now_us=EXPECTED_AT["rfc9421"])


def test_the_full_signature_of_rfc_9421_holds() -> None:
    """B.2.3 leaves its algorithm to the key, which there is one for PSS."""
    claim = msgspec.structs.replace(rfc9421(B_2_3), algorithm="rsa-pss-sha512")

    verify(claim, public_pem=PSS_KEY, body=BODY, now_us=EXPECTED_AT["rfc9421"])
