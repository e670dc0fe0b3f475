"""The application: every face behind one entrance, and one shape for errors that no face caught."""

from collections.abc import Awaitable, Callable

from litestar import Litestar
from litestar.openapi import OpenAPIConfig
from litestar.openapi.plugins import JsonRenderPlugin
from litestar.types import ASGIApp, Message, Scope

from lichen import __version__, media
from lichen.faces import house_api, lemmy_v3, nodeinfo, pages, private_site, status
from lichen.faces.given import Given
from lichen.federation import Desk, discovery_routes, document_routes, negotiating


def application_of(
    given: Given, readiness: Callable[[], Awaitable[status.Readiness]], *, desk: Desk
) -> ASGIApp:
    """Return the ASGI application of a house; `desk` answers where a document is asked for."""
    async def callers(token: str) -> media.Uploader | None:
        viewer = await given.accounts.viewer(token)
        return None if viewer is None else given.uploader(viewer)

    people = pages.Pages(given)
    calls = lemmy_v3.parts_of(given)
    return Litestar(
        route_handlers=[
            *status.routes(readiness),
            *media.routes(given.pictures, callers),
            lemmy_v3.router(calls),
            house_api.router(calls),
            nodeinfo.router(
                store=given.store, accounts=given.accounts, forum=given.forum,
                addresses=given.addresses, config=given.config,
            ),
            discovery_routes(
                store=given.store, accounts=given.accounts, addresses=given.addresses,
            ),
            document_routes(desk, given.federation.authorised),
            people.router(),
        ],
        middleware=[negotiating(desk, given.federation.authorised)],
        guards=[private_site.guard_of(given.accounts)],
        before_send=[private_site.unshared_by(given.accounts), _never_guessed],
        exception_handlers={Exception: people.fault},
        logging_config=None,  # structlog is set up once, for the whole process
        openapi_config=OpenAPIConfig(
            title="Lichen", version=__version__, render_plugins=[JsonRenderPlugin()],
            description="The Lemmy 0.19 API and what Lichen adds to it.",
        ),
        request_max_body_size=given.config.limits.body_bytes_max,
    )


async def _never_guessed(message: Message, scope: Scope) -> None:
    """Tell browsers that every answer is what its type says, whatever stands in it."""
    # Fetch Standard, "X-Content-Type-Options header": JSON or a feed opened by itself is no page.
    if message["type"] == "http.response.start":
        message["headers"] = [*message["headers"], (b"x-content-type-options", b"nosniff")]
