"""The peers (skeleton)."""

from lichen.federation.model import Peer


class Peers:
    """Every other server we know."""

    async def peer(self, authority: str) -> Peer:
        """Return a peer, made at its first mention."""
        raise NotImplementedError

    def is_allowed(self, authority: str) -> bool:
        """Say whether we federate with a server; from memory."""
        raise NotImplementedError

    def note_success(self, authority: str, *, cursor: int) -> None:
        """Note that a peer took what was sent; written with the next flush."""
        raise NotImplementedError

    def note_failure(self, authority: str, error: str, *, retry_at_us: int) -> None:
        """Note that a peer did not; written with the next flush."""
        raise NotImplementedError
