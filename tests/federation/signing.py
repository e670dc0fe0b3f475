"""Keys and requests that the tests of signatures share."""

from functools import cache

from lichen.accounts.keys import generate_keys
from lichen.accounts.model import Keys
from lichen.federation import SigningKey

NOW_US = 1_700_000_000_000_000  # 2023-11-14T22:13:20Z
URL = "https://lichen.example/inbox"
BODY = b'{"type":"Like"}'
KEY_ID = "https://peer.example/u/anna#main-key"


def keys(name: str = "anna") -> Keys:
    """Return the keys of somebody, made once a run."""
    return _kept_keys(name)


@cache
def _kept_keys(name: str) -> Keys:
    return generate_keys()


def signing_key(name: str = "anna", key_id: str = KEY_ID) -> SigningKey:
    private = keys(name).private
    assert private is not None
    return SigningKey(key_id, private)


def lower(headers: dict[str, str], **more: str) -> dict[str, str]:
    """Return headers as the door sees them: with the host, names in lower case."""
    return {"host": "lichen.example"} | {
        name.lower(): value for name, value in {**headers, **more}.items()}
