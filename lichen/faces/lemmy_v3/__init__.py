"""The Lemmy 0.19 HTTP API, as translation only: what apps for Lemmy ask, asked of our rooms.

    request ─► adapter ─► asking (caller, message) ─► one call of the table ─► rooms
                  ◄─ bytes ◄─ views (our nouns to theirs) ◄──────────────────────┘

`wire` holds the messages, `calls` the table, `views` the translation of nouns, and one module per
noun the calls themselves. No rule of the domain is decided here.
"""

from litestar import Router

from lichen.faces.given import Given
from lichen.faces.lemmy_v3.adapter import routes_of
from lichen.faces.lemmy_v3.asking import Parts
from lichen.faces.lemmy_v3.cache import AnswerCache
from lichen.faces.lemmy_v3.showing import Showing

__all__ = ["Parts", "parts_of", "router"]


def parts_of(given: Given) -> Parts:
    """Return what the calls are answered from."""
    keep_us = int(given.config.forum.list_cache_s * 1_000_000)
    proxy = given.pictures.proxy
    return Parts(
        **given.all, answers=AnswerCache(given.store.clock, keep_us=keep_us),
        showing=Showing(proxy.shown) if proxy.shows_all else None,
    )


def router(parts: Parts) -> Router:
    """Return the routes under `/api/v3`."""
    return routes_of(parts)
