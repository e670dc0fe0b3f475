"""WebFinger: from a handle to an id, asked of peers; and what we answer when they ask.

    @anna@peer.example ─▶ GET https://peer.example/.well-known/webfinger?resource=acct:anna@peer.example
                          ◀─ links: rel "self", type application/activity+json, href = the id

A person and a community may share a name; Lemmy then names both, each with its type as a property
of the link. RFC 7033; how the fediverse uses it: FEP-2c59 and the Mastodon documentation.
"""

import re
from typing import Any, NamedTuple
from urllib.parse import quote, unquote

from lichen.accounts import Accounts, Actor, ActorKind
from lichen.federation.fetching import Documents
from lichen.federation.limits import ACTOR_NAME_LENGTH_MAX, KEY_ID_LENGTH_MAX
from lichen.federation.model import authority_of
from lichen.federation.values import text_of
from lichen.kit import NotFound, Refused
from lichen.store import Unit
from lichen.web import Addresses

_TYPE = "https://www.w3.org/ns/activitystreams#type"  # a property of a link, as Lemmy writes it
_PAGE = "http://webfinger.net/rel/profile-page"
_DOCUMENT_TYPES = ("application/activity+json", "application/ld+json")
_LINKS_MAX = 32  # of one answer that are looked at
_HANDLE = re.compile(
    r"(?P<mark>[@!])(?P<name>[^@!/\s?#:]+)@(?P<authority>[A-Za-z0-9.-]+(:[0-9]{1,5})?"
    r"|\[[0-9A-Fa-f:.]+\](:[0-9]{1,5})?)"
)
_RESOURCE = re.compile(r"acct:[@!~]?(?P<name>[^@/\s]+)@(?P<authority>[^@/\s]+)")
_KINDS = {"@": ActorKind.PERSON, "!": ActorKind.COMMUNITY}


class Handle(NamedTuple):
    """`@name@authority` of a person, or `!name@authority` of a community."""

    kind: ActorKind
    name: str
    authority: str


def handle_in(text: str) -> Handle | None:
    """Return the handle that a text is, None for any other text."""
    matched = _HANDLE.fullmatch(text)
    if matched is None or len(matched["name"]) > ACTOR_NAME_LENGTH_MAX:
        return None
    return Handle(_KINDS[matched["mark"]], matched["name"], matched["authority"].lower())


async def fetch_ids(documents: Documents, scheme: str, handle: Handle) -> list[str]:
    """Return the ids that a handle may mean, the likeliest first; raises as fetching does."""
    resource = quote(f"acct:{handle.name}@{handle.authority}", safe=":@")
    answer = await documents.fetch_json(
        f"{scheme}://{handle.authority}/.well-known/webfinger?resource={resource}",
        accept="application/jrd+json, application/json",
    )
    links = answer.get("links")
    found = [link for link in (links[:_LINKS_MAX] if isinstance(links, list) else ())
             if isinstance(link, dict) and _is_document(link)]
    said = [link for link in found if _type_of(link)]
    # Where the links say what they are, the others are left out; else each is tried.
    right = [link for link in said if _type_of(link) == handle.kind.value]
    return [text_of(link.get("href")) for link in right or
            [link for link in found if link not in said]]


def answer_to(
    unit: Unit, resource: str, *, accounts: Accounts, addresses: Addresses
) -> dict[str, Any]:
    """Return what we answer about a resource of ours; up to three round trips, for three kinds.

    Raises Refused for what is no resource, NotFound for what is not ours or not there.
    """
    actors = _actors_at(unit, resource, accounts=accounts, addresses=addresses)
    shown = [actor for actor in actors if not actor.deleted]
    if not shown:
        raise NotFound("not_there", "Nobody here is called so.")
    name = addresses.authority if shown[0].kind is ActorKind.SITE else shown[0].name
    return {
        "subject": f"acct:{name}@{addresses.authority}",
        "aliases": [actor.ap_id for actor in shown],
        "links": [link for actor in shown for link in _links(actor)],
    }


def _actors_at(
    unit: Unit, resource: str, *, accounts: Accounts, addresses: Addresses
) -> list[Actor]:
    if len(resource) > KEY_ID_LENGTH_MAX:
        raise Refused("invalid_query", f"A resource has at most {KEY_ID_LENGTH_MAX} characters.")
    if authority_of(resource):
        found = accounts.actors_by_ap_id(unit, [resource])
        return [actor for actor in found.values() if actor.local]
    matched = _RESOURCE.fullmatch(unquote(resource))
    if matched is None:
        raise Refused("invalid_query", "Ask for acct:name@host, or for an address.")
    if matched["authority"].lower() != addresses.authority.lower():
        return []
    if matched["name"].lower() == addresses.authority.lower():
        # The site itself, as Mastodon and its peers look it up.
        return [accounts.current_site.actor]
    kinds = (ActorKind.PERSON, ActorKind.COMMUNITY)
    named = (accounts.actor_by_name(unit, kind, matched["name"]) for kind in kinds)
    return [actor for actor in named if actor is not None]


def _links(actor: Actor) -> list[dict[str, Any]]:
    return [
        {"rel": _PAGE, "type": "text/html", "href": actor.ap_id},
        {"rel": "self", "type": _DOCUMENT_TYPES[0], "href": actor.ap_id,
         "properties": {_TYPE: actor.kind.value}},
    ]


def _is_document(link: dict[str, Any]) -> bool:
    kind = text_of(link.get("type")).partition(";")[0].strip().lower()
    href = text_of(link.get("href"))
    return (link.get("rel") == "self" and kind in _DOCUMENT_TYPES
            and bool(authority_of(href)) and len(href) <= KEY_ID_LENGTH_MAX)


def _type_of(link: dict[str, Any]) -> str:
    properties = link.get("properties")
    return text_of(properties.get(_TYPE)) if isinstance(properties, dict) else ""
