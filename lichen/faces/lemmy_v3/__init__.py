"""The Lemmy 0.19 HTTP API, as translation only: what apps for Lemmy ask, asked of our rooms.

    request ─► adapter ─► asking (caller, message) ─► one call of the table ─► rooms
                  ◄─ bytes ◄─ views (our nouns to theirs) ◄──────────────────────┘

`wire` holds the messages, `calls` the table, `views` the translation of nouns, and one module per
noun the calls themselves. No rule of the domain is decided here.
"""

from litestar import Router

from lichen.accounts import Accounts
from lichen.faces.lemmy_v3.adapter import routes_of
from lichen.faces.lemmy_v3.asking import Parts
from lichen.faces.lemmy_v3.cache import AnswerCache
from lichen.forum import Forum
from lichen.kit.config import Config
from lichen.moderation import Moderation
from lichen.notifications import Notifications
from lichen.search import Search
from lichen.store import Store
from lichen.web import Addresses

__all__ = ["router"]


def router(
    *, store: Store, accounts: Accounts, forum: Forum, search: Search,
    notifications: Notifications, moderation: Moderation, addresses: Addresses, config: Config,
) -> Router:
    """Return the routes under `/api/v3`."""
    return routes_of(Parts(
        store=store, accounts=accounts, forum=forum, search=search, notifications=notifications,
        moderation=moderation,
        addresses=addresses, version=config.identity.software_version,
        body_bytes_max=config.limits.body_bytes_max,
        answers=AnswerCache(store.clock, keep_us=int(config.forum.list_cache_s * 1_000_000)),
    ))
