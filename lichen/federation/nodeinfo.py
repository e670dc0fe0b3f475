"""NodeInfo of peers: what software a server runs, and what it says it can do.

Two documents: the list at `/.well-known/nodeinfo`, and the one it names. What is missing or strange
leaves its field empty: a peer is not worse for being shy.
"""

from collections.abc import Mapping
from typing import Any, NamedTuple

from lichen.federation.fetching import Documents
from lichen.federation.limits import CAPABILITIES_MAX, PEER_TEXT_LENGTH_MAX
from lichen.federation.model import authority_of
from lichen.federation.values import text_of

_SCHEMA = "http://nodeinfo.diaspora.software/ns/schema/"
_VERSIONS = ("2.1", "2.0", "1.1", "1.0")
_ACCEPT = "application/json"


class Described(NamedTuple):
    """What a server says of itself."""

    software: str = ""
    version: str = ""
    capabilities: tuple[str, ...] = ()


async def fetch_nodeinfo(documents: Documents, scheme: str, authority: str) -> Described:
    """Return what a server says of itself; raises FetchRefused, Gone, Unavailable."""
    listed = await documents.fetch_json(
        f"{scheme}://{authority}/.well-known/nodeinfo", accept=_ACCEPT
    )
    address = _newest(listed, authority)
    if not address:
        return Described()
    return described_in(await documents.fetch_json(address, accept=_ACCEPT))


def described_in(document: Mapping[str, Any]) -> Described:
    """Return what a NodeInfo document says, of any version."""
    software, metadata = document.get("software"), document.get("metadata")
    said = software if isinstance(software, dict) else {}
    capabilities = metadata.get("capabilities") if isinstance(metadata, dict) else None
    return Described(
        software=_line(said.get("name")).lower(), version=_line(said.get("version")),
        # PieFed lists FEPs here; others keep objects, which say nothing that we would use.
        capabilities=tuple(
            line for one in capabilities[:CAPABILITIES_MAX] if (line := _line(one))
        ) if isinstance(capabilities, list) else (),
    )


def _newest(listed: Mapping[str, Any], authority: str) -> str:
    """Return the address of the newest document on the server itself, "" for none."""
    links = listed.get("links")
    found = {
        text_of(link.get("rel")): text_of(link.get("href"))
        for link in (links[:CAPABILITIES_MAX] if isinstance(links, list) else ())
        if isinstance(link, dict)
    }
    addresses = (found.get(_SCHEMA + version, "") for version in _VERSIONS)
    return next((one for one in addresses if authority_of(one) == authority), "")


def _line(value: object) -> str:
    return " ".join(text_of(value)[:PEER_TEXT_LENGTH_MAX].split())
