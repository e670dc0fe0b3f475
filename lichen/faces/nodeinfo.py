"""NodeInfo: who this server says it is to apps, peers and counters of servers.

Apps for Lemmy talk to no software of another name, so name and version are settings (`lemmy` and
`0.19.20-lichen.N` by default); what the server really is stands under `metadata`. Documents as in
NodeInfo 2.0 and 2.1, `/.well-known/nodeinfo` as in its protocol page. Some clients never look there
and ask for `/nodeinfo/2.0.json`.
"""

from typing import Any, NamedTuple

import msgspec
from litestar import Router, get
from litestar.response.base import ASGIResponse

from lichen import __version__
from lichen.accounts import Accounts
from lichen.federation import CAPABILITIES
from lichen.forum import Forum, SiteCounts
from lichen.kit.config import Config
from lichen.store import Store, Unit
from lichen.web import Addresses

_SCHEMA = "http://nodeinfo.diaspora.software/ns/schema/"
_ENCODER = msgspec.json.Encoder()


class _Known(NamedTuple):
    """What a document is made of."""

    people: int
    counts: SiteCounts
    is_open: bool


def router(
    *, store: Store, accounts: Accounts, forum: Forum, addresses: Addresses, config: Config
) -> Router:
    """Return the three routes of NodeInfo."""
    software = {
        "name": config.identity.software_name, "version": config.identity.software_version,
    }

    def known(unit: Unit) -> _Known:
        return _Known(
            people=accounts.accounts_count(unit), counts=forum.site_counts(unit),
            is_open=accounts.current_site.settings.registration_mode != "Closed",
        )

    @get("/.well-known/nodeinfo", summary="Where NodeInfo is", tags=["NodeInfo"])
    async def links() -> ASGIResponse:
        # NodeInfo protocol, "Discovery": one link per version, named by its schema.
        return _sent("application/json", {"links": [
            {"rel": _SCHEMA + "2.1", "href": addresses.absolute("/nodeinfo/2.1.json")},
            {"rel": _SCHEMA + "2.0", "href": addresses.absolute("/nodeinfo/2.0.json")},
        ]})

    @get("/nodeinfo/2.0.json", summary="NodeInfo 2.0", tags=["NodeInfo"])
    async def document_2_0() -> ASGIResponse:
        return _document("2.0", software, await store.read(known))

    @get("/nodeinfo/2.1.json", summary="NodeInfo 2.1", tags=["NodeInfo"])
    async def document_2_1() -> ASGIResponse:
        return _document("2.1", software, await store.read(known))

    return Router("/", route_handlers=[links, document_2_0, document_2_1])


def _document(schema: str, software: dict[str, str], known: _Known) -> ASGIResponse:
    counts = known.counts
    return _sent(f'application/json; profile="{_SCHEMA}{schema}#"', {
        "version": schema,
        "software": software,
        "protocols": ["activitypub"],
        "services": {"inbound": [], "outbound": []},
        "openRegistrations": known.is_open,
        "usage": {
            "users": {
                "total": known.people, "activeHalfyear": counts.users_active_half_year,
                "activeMonth": counts.users_active_month,
            },
            "localPosts": counts.posts,
            "localComments": counts.comments,
        },
        "metadata": {
            "implementation": f"lichen {__version__}", "capabilities": CAPABILITIES,
        },
    })


def _sent(media_type: str, document: dict[str, Any]) -> ASGIResponse:
    # NodeInfo protocol, "Retrieval": pages of other sites may read it.
    return ASGIResponse(
        body=_ENCODER.encode(document), media_type=media_type,
        headers={"access-control-allow-origin": "*"},
    )
