"""Collections of other servers, read page by page within limits."""

from collections.abc import AsyncIterator, Callable
from typing import Any, Protocol

from lichen.federation.actors import address_of
from lichen.federation.fetching import Document
from lichen.federation.model import authority_of


class Fetching(Protocol):
    """Who fetches documents; see fetching.py."""

    async def fetch(self, url: str) -> Document:
        """Return a document whose id can be believed; raises Refused, Unavailable."""


async def pages_of(
    documents: Fetching, address: str, *, pages_max: int, cut: Callable[[], None] = lambda: None
) -> AsyncIterator[list[Any]]:
    """Yield what stands on each page of a collection: its own items, then those of its pages.

    At most `pages_max`, each once, all of the collection's own server; `cut` is called where there
    were more. Raises as `fetch`.
    """
    page: Document = await documents.fetch(address)
    seen = {address}
    for turn in range(1, pages_max + 1):
        items: list[Any] = []
        for name in ("orderedItems", "items"):
            value = page.get(name)
            items += value if isinstance(value, list) else [value] if value else []
        if items:
            yield items
        following = page.get("next") or page.get("first")
        if isinstance(following, dict):
            page = following
            continue
        named = address_of(following)
        # A page that was read leads round in a circle.
        if authority_of(named) != authority_of(address) or named in seen:
            return
        if turn == pages_max:
            cut()
            return
        seen.add(named)
        page = await documents.fetch(named)
