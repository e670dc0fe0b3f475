"""The house's own HTTP API: what Lichen has and no protocol of others can say.

Requests, refusals and descriptions are those of the Lemmy face, made by the same adapter: a table
of calls, a message in, a message out, `{"error": code, "message": text}` where it is refused.
"""

from litestar import Router

from lichen.faces.house_api.calls import CALLS
from lichen.faces.lemmy_v3.adapter import routes_of
from lichen.faces.lemmy_v3.asking import Parts

__all__ = ["router"]

PREFIX = "/api/lichen"


def router(parts: Parts) -> Router:
    """Return the routes under `/api/lichen`; `parts` are those of the Lemmy face."""
    return routes_of(parts, CALLS, prefix=PREFIX, face="lichen")
