"""A private site: strangers see its door, and nothing that is behind it.

    request ─► guard of the application ─► a site for everybody, or a person, or the door?  ─► face
                                              └─ no ─► SiteIsPrivate: 400 for calls, 401, or the
                                                       login page

The one place that keeps `private_instance`: a guard before every route, so that a new route is
closed until it is named in `DOORS`. What stands there is what somebody needs to come in, and what
Lemmy 0.19 tells of a private site: `GET /site` and NodeInfo.
"""

from collections.abc import Awaitable, Callable
from typing import Any

from litestar.connection import ASGIConnection
from litestar.handlers import BaseRouteHandler
from litestar.types import BeforeMessageSendHookHandler, Message, Scope

from lichen.accounts import Accounts, SiteSettings, Viewer
from lichen.kit import Unauthenticated
from lichen.web import SESSION_COOKIE

# Addresses as the routes are written, for every method.
DOORS = frozenset((
    "/login", "/logout", "/signup", "/forgotten", "/password_change/{token}",
    "/verify_email/{token}", "/setup/{token}", "/legal",
    # What those pages are drawn with; a grown picture says nothing but the address it is asked by.
    "/static/{name}", "/grown/{file}", "/grown/{seed}/{kind}",
    "/health", "/ready", "/pictrs/healthz",
    # Lemmy 0.19: site/read.rs and nodeinfo.rs ask nobody who they are.
    "/api/v3/site", "/.well-known/nodeinfo", "/nodeinfo/2.0.json", "/nodeinfo/2.1.json",
    "/api/v3/user/register", "/api/v3/user/login", "/api/v3/user/logout",
    "/api/v3/user/validate_auth", "/api/v3/user/get_captcha", "/api/v3/user/verify_email",
    "/api/v3/user/password_reset", "/api/v3/user/password_change",
))
# Where no page is shown: programs read what comes from there.
_FOR_PROGRAMS = ("/api/", "/pictrs/", "/feeds/", "/schema")
_ENDINGS_FOR_PROGRAMS = (".json", ".xml", "/live")
_CALLS = "/api/"
_PICTURES = "/pictrs/image/"
_APPS_COOKIE = "jwt"  # Lemmy's clients in browsers send their token so, to be shown pictures

Guard = Callable[[ASGIConnection[Any, Any, Any, Any], BaseRouteHandler], Awaitable[None]]


class SiteIsPrivate(Unauthenticated):
    """Only members may see this."""

    def __init__(self, path: str) -> None:
        super().__init__(
            "instance_is_private", "Only members see what is here: log in, or ask to join."
        )
        # Lemmy 0.19: calls are refused with 400, pictures with 401.
        self.status = 400 if path.startswith(_CALLS) else 401
        self.is_for_programs = (
            path.startswith(_FOR_PROGRAMS) or path.endswith(_ENDINGS_FOR_PROGRAMS)
        )


def guard_of(accounts: Accounts) -> Guard:
    """Return what lets only members past the door of a site that is private."""

    async def guard(connection: ASGIConnection[Any, Any, Any, Any], _: BaseRouteHandler) -> None:
        site = accounts.current_site.settings
        if not site.private_instance:
            return
        scope = connection.scope
        # Fetch Standard, "CORS-preflight fetch": a preflight never says who asks.
        if scope["path_template"] in DOORS or scope.get("method") == "OPTIONS":
            return
        if _is_sign(site, scope["path"]) or await _person(accounts, connection) is not None:
            return
        raise SiteIsPrivate(scope["path"])

    return guard


def unshared_by(accounts: Accounts) -> BeforeMessageSendHookHandler:
    """Return what keeps answers of a private site out of caches that several people share."""

    async def unshare(message: Message, _: Scope) -> None:
        if message["type"] != "http.response.start":
            return
        if accounts.current_site.settings.private_instance:
            # RFC 9111 §5.2.2.7
            message["headers"] = [
                (name, value.replace(b"public", b"private") if name == b"cache-control" else value)
                for name, value in message["headers"]
            ]

    return unshare


def is_closed_to(accounts: Accounts, viewer: Viewer | None) -> bool:
    """Say whether what stands around a page must tell nothing of the site's life."""
    return viewer is None and accounts.current_site.settings.private_instance


def _is_sign(site: SiteSettings, path: str) -> bool:
    """Say whether a path is that of the site's own icon or banner, which hang at its door."""
    signs = (site.icon or "", site.banner or "")
    return path.startswith(_PICTURES) and any(one.endswith(path) for one in signs)


async def _person(
    accounts: Accounts, connection: ASGIConnection[Any, Any, Any, Any]
) -> Viewer | None:
    """Return who asks, by token or cookie; whether that one may do it the face decides."""
    # RFC 6750 §2.1
    scheme, _, token = connection.headers.get("authorization", "").partition(" ")
    bearer = token.strip() if scheme.lower() == "bearer" else ""
    cookies = connection.cookies
    return await accounts.viewer(bearer or cookies.get(SESSION_COOKIE) or cookies.get(_APPS_COOKIE))
