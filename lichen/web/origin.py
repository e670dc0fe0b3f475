"""Cross-site request forgery: who may send an unsafe request with a cookie.

A browser tells where a request comes from. Unsafe methods that rely on our cookie are refused
unless the browser says that they come from our own pages. Requests without `Origin` and
`Sec-Fetch-Site` come from programs, which hold no cookie by accident.
"""

from collections.abc import Mapping

from lichen.kit import Forbidden

SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})  # RFC 9110 §9.2.1


def check_origin(method: str, headers: Mapping[str, str], authorities: frozenset[str]) -> None:
    """Refuse an unsafe request that another site made a browser send.

    `authorities` are the hosts we are called by: the public one and the request's own `Host`.
    """
    if method in SAFE_METHODS:
        return
    site = headers.get("sec-fetch-site")
    # Fetch Metadata §2.4: "none" is the person's own doing, such as an address typed in.
    if site is not None and site not in ("same-origin", "none"):
        raise Forbidden("cross_site_request", "This form was sent from another site; open it here.")
    origin = headers.get("origin")
    if origin is not None and origin.split("://", 1)[-1] not in authorities:
        raise Forbidden("cross_site_request", "This form was sent from another site; open it here.")
