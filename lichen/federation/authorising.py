"""Who signed: the one place that believes a request, for the inbox and for authorised fetch."""

from collections.abc import Callable, Mapping
from typing import Protocol

from lichen.federation.model import Claim, PeerKey
from lichen.federation.signatures import claimed, verify
from lichen.kit import Clock, Forbidden, Refused


class Keys(Protocol):
    """Whose key an address names; see keys.py."""

    async def public_key(self, key_id: str, *, refresh: bool = False) -> PeerKey:
        """Return a peer's key; raises Refused, Unavailable."""


async def signer_of(claim: Claim, keys: Keys, *, body: bytes, clock: Clock) -> PeerKey:
    """Return the key that signed a request; raises Refused where none did, Unavailable."""
    try:
        key = await keys.public_key(claim.key_id)
        verify(claim, public_pem=key.public_pem, body=body, now_us=clock())
    except Refused:  # keys change: ask once whether this one did
        key = await keys.public_key(claim.key_id, refresh=True)
        verify(claim, public_pem=key.public_pem, body=body, now_us=clock())
    return key


class AuthorisedFetch:
    """Asks who fetches, where the administrators want to know."""

    def __init__(
        self, keys: Keys, *, is_wanted: Callable[[], bool], is_allowed: Callable[[str], bool],
        clock: Clock, public_url: str,
    ) -> None:
        self._keys = keys
        self._is_wanted = is_wanted
        self._is_allowed = is_allowed
        self._clock = clock
        self._public_url = public_url

    async def __call__(self, method: str, target: str, headers: Mapping[str, str]) -> None:
        """Refuse a fetch that nobody signed whom we federate with; raises Refused, Unavailable."""
        if not self._is_wanted():
            return
        claim = claimed(method, target, headers, public_url=self._public_url)
        key = await signer_of(claim, self._keys, body=b"", clock=self._clock)
        if not self._is_allowed(key.authority):
            raise Forbidden("domain_blocked", "This server does not federate with yours.")
