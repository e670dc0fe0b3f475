"""The application: every face behind one entrance, and one shape for errors that no face caught."""

from collections.abc import Awaitable, Callable

from litestar import Litestar
from litestar.openapi import OpenAPIConfig
from litestar.openapi.plugins import JsonRenderPlugin
from litestar.types import ASGIApp

from lichen import __version__, media
from lichen.faces import house_api, lemmy_v3, nodeinfo, pages, status
from lichen.faces.given import Given
from lichen.federation import discovery


def application_of(
    given: Given, readiness: Callable[[], Awaitable[status.Readiness]]
) -> ASGIApp:
    """Return the ASGI application of a house."""
    async def callers(token: str) -> media.Uploader | None:
        viewer = await given.accounts.viewer(token)
        return None if viewer is None else media.Uploader(viewer.id, viewer.actor.did, viewer.admin)

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
            discovery.router(
                store=given.store, accounts=given.accounts, addresses=given.addresses,
            ),
            people.router(),
        ],
        exception_handlers={Exception: people.fault},
        logging_config=None,  # structlog is set up once, for the whole process
        openapi_config=OpenAPIConfig(
            title="Lichen", version=__version__, render_plugins=[JsonRenderPlugin()],
            description="The Lemmy 0.19 API and what Lichen adds to it.",
        ),
        request_max_body_size=given.config.limits.body_bytes_max,
    )
