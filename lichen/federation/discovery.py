"""How others find us: WebFinger (RFC 7033) and host-meta (RFC 6415); NodeInfo is a face's.

Answers are for everybody, pages of other sites too, and may be kept for an hour.
"""

import msgspec
from litestar import Router, get
from litestar.params import FromQuery
from litestar.response.base import ASGIResponse

from lichen.accounts import Accounts
from lichen.federation.webfinger import answer_to
from lichen.kit import Refused
from lichen.store import Store
from lichen.web import Addresses

_KEPT_S = 3_600  # s; names do not move
_ENCODER = msgspec.json.Encoder()


def router(*, store: Store, accounts: Accounts, addresses: Addresses) -> Router:
    """Return the routes by which others find us."""

    @get("/.well-known/webfinger", summary="Who is called so", tags=["Federation"])
    async def webfinger(resource: FromQuery[str] = "") -> ASGIResponse:
        try:
            answer = await store.read(lambda unit: answer_to(
                unit, resource, accounts=accounts, addresses=addresses
            ))
        except Refused as refused:
            # RFC 7033 §4.2: 404 for what is not known, 400 for what is no resource.
            return _sent({"error": refused.code, "message": refused.text}, "application/json",
                         status=refused.status)
        return _sent(answer, "application/jrd+json")

    @get("/.well-known/host-meta", summary="Where WebFinger is", tags=["Federation"])
    async def host_meta() -> ASGIResponse:
        template = addresses.absolute("/.well-known/webfinger?resource={uri}")
        # RFC 6415 §2: XRD, which some peers still read first.
        return ASGIResponse(
            body=('<?xml version="1.0" encoding="UTF-8"?>\n'
                  '<XRD xmlns="http://docs.oasis-open.org/ns/xri/xrd-1.0">\n'
                  f'  <Link rel="lrdd" type="application/xrd+xml" template="{template}"/>\n'
                  "</XRD>\n").encode(),
            media_type="application/xrd+xml", headers=_headers(),
        )

    return Router("/", route_handlers=[webfinger, host_meta])


def _sent(answer: object, media_type: str, *, status: int = 200) -> ASGIResponse:
    return ASGIResponse(
        body=_ENCODER.encode(answer), media_type=media_type, status_code=status,
        headers=_headers() if status == 200 else {"access-control-allow-origin": "*"},
    )


def _headers() -> dict[str, str]:
    return {"access-control-allow-origin": "*", "cache-control": f"max-age={_KEPT_S}"}
