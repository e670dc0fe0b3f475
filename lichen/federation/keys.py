"""Keys of peers and our own (skeleton)."""

from lichen.federation.model import PeerKey, SigningKey


class KeyRing:
    """Keeps public keys of peers and private ones of our own actors."""

    async def public_key(self, key_id: str, *, refresh: bool = False) -> PeerKey:
        """Return a peer's key; raises Refused, Unavailable."""
        raise NotImplementedError

    async def signing_key(self, actor_id: int) -> SigningKey:
        """Return a local actor's key."""
        raise NotImplementedError
