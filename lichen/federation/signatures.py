"""Signatures of requests (skeleton)."""

from collections.abc import Mapping

import msgspec

from lichen.federation.model import Style


class SigningKey(msgspec.Struct, frozen=True):
    """A local actor's private key, and the address under which peers find the public one."""

    key_id: str
    private_pem: str


class Claim(msgspec.Struct, frozen=True):
    """What a request says of its signature, before anybody believed it."""

    key_id: str
    style: Style


def sign(
    key: SigningKey, *, method: str, url: str, body: bytes, now_us: int, style: Style = "cavage"
) -> dict[str, str]:
    """Return the headers that sign a request."""
    raise NotImplementedError


def claimed(
    method: str, target: str, headers: Mapping[str, str], *, public_url: str = ""
) -> Claim:
    """Return what a request claims; raises Refused (401)."""
    raise NotImplementedError


def verify(claim: Claim, *, public_pem: str, body: bytes, now_us: int) -> None:
    """Refuse (401) a claim that the key and the body do not bear out."""
    raise NotImplementedError
