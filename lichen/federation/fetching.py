"""Documents of other servers (skeleton)."""

from lichen.kit import Refused


class Gone(Refused):
    """The thing is no longer there (404, 410)."""

    status = 404


class Documents:
    """Fetches documents of ActivityPub."""

    async def fetch(self, url: str) -> dict[str, object]:
        """Return the document at an address; raises FetchRefused, Unavailable, Gone."""
        raise NotImplementedError
