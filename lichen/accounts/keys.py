"""Actors' RSA keys, with which activities are signed."""

from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)

from lichen.accounts.model import Keys

KEY_BITS = 2_048  # what Mastodon, Lemmy and PieFed make and verify
EXPONENT = 65_537  # FIPS 186-5 §5.1: the usual one


def generate_keys() -> Keys:
    """Return a fresh key pair; takes about 100 ms of CPU, so call it in a thread."""
    key = rsa.generate_private_key(public_exponent=EXPONENT, key_size=KEY_BITS)
    private = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    public = key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    return Keys(public=public.decode(), private=private.decode())
