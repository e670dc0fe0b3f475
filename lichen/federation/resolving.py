"""From an id or a handle to a row of ours (skeleton)."""

from collections.abc import Iterable

from lichen.accounts import Actor
from lichen.forum import Comment, Post


class Resolver:
    """Finds what an id names, here or elsewhere."""

    async def actors(self, ap_ids: Iterable[str]) -> dict[str, Actor]:
        """Return actors by id, fetched and stored where they are not known; others are missing."""
        raise NotImplementedError

    async def thing(self, ap_id: str) -> Post | Comment | Actor | None:
        """Return what an id names, fetched and stored with what stands above it."""
        raise NotImplementedError
