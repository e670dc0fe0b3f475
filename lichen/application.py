"""The application: every face behind one entrance, and one shape for errors that no face caught."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from litestar import Litestar
from litestar.openapi import OpenAPIConfig
from litestar.openapi.plugins import JsonRenderPlugin
from litestar.types import ASGIApp

from lichen import __version__, media
from lichen.accounts import Accounts
from lichen.faces import lemmy_v3, nodeinfo, pages, status
from lichen.forum import Forum
from lichen.kit.config import Config
from lichen.moderation import Moderation
from lichen.notifications import Notifications
from lichen.search import Search
from lichen.store import Store
from lichen.web import Addresses


@dataclass(frozen=True, slots=True)
class Faces:
    """What the faces are given."""

    store: Store
    accounts: Accounts
    forum: Forum
    search: Search
    notifications: Notifications
    moderation: Moderation
    addresses: Addresses
    config: Config


def application_of(
    parts: Faces, readiness: Callable[[], Awaitable[status.Readiness]]
) -> ASGIApp:
    """Return the ASGI application of a house."""
    people = pages.Pages(
        store=parts.store, accounts=parts.accounts, forum=parts.forum, search=parts.search,
        notifications=parts.notifications, moderation=parts.moderation,
        addresses=parts.addresses, config=parts.config,
    )
    return Litestar(
        route_handlers=[
            *status.routes(readiness),
            *media.routes(media.Grown()),
            lemmy_v3.router(
                store=parts.store, accounts=parts.accounts, forum=parts.forum,
                search=parts.search, notifications=parts.notifications,
                moderation=parts.moderation, addresses=parts.addresses, config=parts.config,
            ),
            nodeinfo.router(
                store=parts.store, accounts=parts.accounts, forum=parts.forum,
                addresses=parts.addresses, config=parts.config,
            ),
            people.router(),
        ],
        exception_handlers={Exception: people.fault},
        logging_config=None,  # structlog is set up once, for the whole process
        openapi_config=OpenAPIConfig(
            title="Lichen", version=__version__, render_plugins=[JsonRenderPlugin()],
            description="The Lemmy 0.19 API and what Lichen adds to it.",
        ),
        request_max_body_size=parts.config.limits.body_bytes_max,
    )
