"""What actors of other servers say of themselves, in whatever shape, read into our words. Pure.

Person, Group, Service, Organization and Application from Lemmy, PieFed, Mbin, Mastodon, PeerTube,
Pleroma, Friendica, WordPress, NodeBB and others. The vocabulary lets a value be one thing, a list
of them, an address or an object with one (ActivityStreams 2.0 §4); each is borne where it stands.
What is decoration and cannot be used is dropped; what an actor cannot be without is refused.

Every address of an actor is on its own server: nobody names the inbox or the key of others.
"""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from lichen.accounts import ActorDraft, ActorKind
from lichen.federation.limits import (
    ACTOR_NAME_LENGTH_MAX,
    ACTOR_TEXT_LENGTH_MAX,
    KEY_ID_LENGTH_MAX,
    PEER_TEXT_LENGTH_MAX,
    PEM_LENGTH_MAX,
)
from lichen.federation.markup import markdown_of, plain_of
from lichen.federation.model import ActorDocument, PeerKey, authority_of
from lichen.federation.values import address_in, said_in, text_of
from lichen.forum import CommunityDraft
from lichen.kit import Refused, from_isoformat

KINDS = {
    "Person": ActorKind.PERSON, "Service": ActorKind.PERSON, "Organization": ActorKind.PERSON,
    "Group": ActorKind.COMMUNITY, "Application": ActorKind.SITE,
}
_PROGRAMS = ("Service", "Application")
_SHOWN_LENGTH_MAX = 100  # characters of a display name; longer ones break every list
_LISTED_MAX = 32  # entries of a list that are looked at
# RFC 7565 §4 lets a name hold nearly anything; what separates it from its host it cannot hold.
_NAME = re.compile(r"[^@/\s\x00-\x1f\x7f?#:!]+")
_LANGUAGE = re.compile(r"[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8})*")


def actor_in(document: Mapping[str, Any]) -> ActorDocument:
    """Return what an actor's document says, or refuse it."""
    ap_id = text_of(document.get("id"))
    authority = authority_of(ap_id)
    type_name = next((name for name in _texts(document.get("type")) if name in KINDS), "")
    if not authority or not type_name:
        raise Refused("no_actor", "An actor has an id, and a type: Person, Group, Service, "
                                  "Organization or Application.")
    inbox = _own(document.get("inbox"), authority)
    if not inbox:
        raise Refused("no_actor", "An actor has an inbox on its own server.")
    endpoints = document.get("endpoints")
    key_id, key = key_in(document)
    published_us = time_of(document.get("published"))
    return ActorDocument(
        draft=ActorDraft(
            kind=KINDS[type_name], name=_name(document, authority, type_name), domain=authority,
            ap_id=ap_id, inbox=inbox, display_name=_display_name(document),
            summary=_summary(document), avatar=_picture(document.get("icon")),
            banner=_picture(document.get("image")),
            matrix_user_id=text_of(document.get("matrixUserId"))[:PEER_TEXT_LENGTH_MAX] or None,
            bot=type_name in _PROGRAMS, published_us=published_us,
        ),
        key_id=key_id, key=key,
        # Discourse says it beside the endpoints.
        shared_inbox=_own(endpoints.get("sharedInbox"), authority)
        if isinstance(endpoints, dict) else _own(document.get("sharedInbox"), authority),
        outbox=_own(document.get("outbox"), authority),
        followers=_own(document.get("followers"), authority),
        featured=_own(document.get("featured"), authority),
        moderators=_moderators(document, authority),
        nsfw=document.get("sensitive") is True,
        posting_restricted_to_mods=document.get("postingRestrictedToMods") is True,
        languages=_languages(document.get("language")),
        updated_us=time_of(document.get("updated")),
        moved_to=address_of(document.get("movedTo")),
        also_known_as=tuple(addresses_of(document.get("alsoKnownAs"))),
        derived_from=address_of(document.get("wasDerivedFrom")),
    )


def community_draft(said: ActorDocument) -> CommunityDraft:
    """Return what a Group says of itself as a community's description."""
    draft = said.draft
    return CommunityDraft(
        title=draft.display_name or draft.name, description=draft.summary or "",
        icon=draft.avatar or "", banner=draft.banner or "", nsfw=said.nsfw,
        posting_restricted_to_mods=said.posting_restricted_to_mods,
    )


def key_in(document: Mapping[str, Any], key_id: str = "") -> tuple[str, PeerKey | None]:
    """Return the id and the public key that an actor's document holds: the one asked for, or its
    first; ("", None) where there is none.

    A key belongs to the actor in whose document it stands, whatever it says itself.
    """
    owner = text_of(document.get("id"))
    for entry in _entries(document.get("publicKey")):
        if not isinstance(entry, dict):
            continue
        named, pem = text_of(entry.get("id")), text_of(entry.get("publicKeyPem"))
        said = address_of(entry.get("owner")) or owner
        fits = named == key_id if key_id else True
        if (fits and named and pem and said == owner and len(pem) <= PEM_LENGTH_MAX
                and authority_of(named) == authority_of(owner)):
            return named, PeerKey(owner, pem, authority_of(owner))
    return "", None


def key_owner_of(document: Mapping[str, Any]) -> str:
    """Return the owner that a document which is a key itself names, "" for any other document."""
    if not text_of(document.get("publicKeyPem")):
        return ""
    return address_of(document.get("owner")) or address_of(document.get("controller"))


def address_of(value: object) -> str:
    """Return the address that a value is or names, the first of several, "" for none."""
    return next(addresses_of(value), "")


def addresses_of(value: object) -> Iterator[str]:
    """Yield the addresses that a value is or names: a text, an object, or several."""
    for entry in _entries(value):
        if isinstance(entry, dict):
            entry = entry.get("id") or entry.get("href") or entry.get("url")
        if isinstance(entry, str) and len(entry) <= KEY_ID_LENGTH_MAX and authority_of(entry):
            yield entry


def time_of(value: object) -> int | None:
    """Return the µs of a time as ActivityStreams writes it, None for what is none."""
    try:
        return max(0, from_isoformat(text_of(value)[:PEER_TEXT_LENGTH_MAX]))
    except (ValueError, OverflowError):
        return None


def _entries(value: object) -> list[Any]:
    return value[:_LISTED_MAX] if isinstance(value, list) else [value]


def _texts(value: object) -> Iterator[str]:
    return (entry for entry in _entries(value) if isinstance(entry, str))


def _own(value: object, authority: str) -> str:
    """Return an address on the actor's own server, "" for any other."""
    named = address_of(value)
    return named if authority_of(named) == authority else ""


def _name(document: Mapping[str, Any], authority: str, type_name: str) -> str:
    """Return the name in the actor's handle."""
    name = text_of(document.get("preferredUsername"))
    if not name and type_name == "Application":
        return authority  # Lemmy's site has none
    if not _NAME.fullmatch(name) or len(name) > ACTOR_NAME_LENGTH_MAX:
        raise Refused("no_actor", "An actor's preferredUsername has 1 to "
                                  f"{ACTOR_NAME_LENGTH_MAX} characters that fit into a handle.")
    return name


def _display_name(document: Mapping[str, Any]) -> str | None:
    # PieFed and WordPress send HTML here; line ends and controls have no place in one line.
    shown = " ".join(plain_of(said_in(document, "name")).split())
    return "".join(filter(str.isprintable, shown))[:_SHOWN_LENGTH_MAX].strip() or None


def _summary(document: Mapping[str, Any]) -> str | None:
    """Return the summary as Markdown: the source where it is that, else the HTML turned back."""
    source = document.get("source")
    if isinstance(source, dict) and source.get("mediaType") == "text/markdown":
        return text_of(source.get("content"))[:ACTOR_TEXT_LENGTH_MAX] or None
    written = said_in(document, "summary") or said_in(document, "content")
    return markdown_of(written)[:ACTOR_TEXT_LENGTH_MAX] or None


def _picture(value: object) -> str | None:
    """Return a picture's address, of several the widest: an Image, its Link, or a bare one."""
    shown = sorted(_entries(value), key=_width, reverse=True)  # PeerTube's first one is 48 wide
    found = (address_in(entry) for entry in shown)
    return next((one for one in found if authority_of(one)), None)


def _width(value: object) -> float:
    width = value.get("width") if isinstance(value, dict) else None
    return width if isinstance(width, int | float) else 0.0


def _moderators(document: Mapping[str, Any], authority: str) -> str:
    # Lemmy and Mbin name the collection in `attributedTo`, PieFed also in `moderators`; PeerTube's
    # `attributedTo` are people, whose list is not on offer.
    named = _own(document.get("moderators"), authority)
    lists = (entry for entry in _entries(document.get("attributedTo"))
             if not isinstance(entry, dict) or not set(_texts(entry.get("type"))) & KINDS.keys())
    return named or next((found for one in lists if (found := _own(one, authority))), "")


def _languages(value: object) -> tuple[str, ...]:
    """Return codes of languages: Lemmy's list of {identifier, name}, or texts."""
    said = (entry.get("identifier") if isinstance(entry, dict) else entry
            for entry in _entries(value))
    return tuple(code.lower() for code in said
                 if isinstance(code, str) and _LANGUAGE.fullmatch(code))
