"""Rates of pages: forms and searches count in the same buckets as the API's calls."""

from lichen.accounts import Viewer
from lichen.faces.pages.parts import Parts
from lichen.faces.pages.visit import PageRequest
from lichen.web import Rate


def check_rate(parts: Parts, request: PageRequest, viewer: Viewer | None) -> None:
    """Count what a request does, or refuse it; looking at pages is free."""
    kind = _kind_of(parts, request)
    if kind is not None:
        account_id = None if viewer is None else viewer.account_id
        parts.gate.check(kind, address_of(parts, request), account_id)


def address_of(parts: Parts, request: PageRequest) -> str:
    """Return the network address of whoever looks."""
    client = request.client
    return parts.gate.address(client.host if client else "", request.headers)


def _kind_of(parts: Parts, request: PageRequest) -> Rate | None:
    path, addresses = request.url.path, parts.addresses
    if path in (addresses.search, addresses.followed_activity):
        return "search"
    if request.method != "POST":
        return None
    if path == f"{addresses.settings}/import":
        return "settings"
    if path.startswith(addresses.login_elsewhere):
        return "login" if path.endswith("/code") else "register"
    if path in (addresses.signup, addresses.forgotten, f"{addresses.login}/appeal"):
        return "register"
    if path in (addresses.post_new, addresses.community_new) or path.endswith("/proposals/new"):
        return "post"
    return "comment" if path.endswith(("/comment", "/reply")) else "message"
