"""What we are and what we wrote, as documents of ActivityPub; pure.

The shapes are those of Lemmy 0.19, which PieFed, Mbin and Mastodon read too: a community is a
Group, a person a Person (a bot a Service), the site an Application, a post a Page, a comment a
Note, a private message a ChatMessage. Texts go out twice: as HTML in `content`, and as the Markdown
they were typed as in `source`. `deeds` wraps these documents in what is done with them.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Literal

from lichen.accounts import Actor, Known, Site
from lichen.federation.succession import Lineage
from lichen.forum import LANGUAGES, Comment, Community, Post
from lichen.forum.markdown import render
from lichen.kit import isoformat
from lichen.messages import MessageView
from lichen.web import Addresses

Document = dict[str, object]

# Lemmy's context says what `commentsEnabled`, `removeData` and the like mean.
CONTEXT: Sequence[str] = (
    "https://join-lemmy.org/context.json", "https://www.w3.org/ns/activitystreams",
)
# PROV-O §3.1 wasDerivedFrom: "the construction of a new entity based on a pre-existing entity"; of
# all words for it the one that claims neither to be the old community nor to replace it.
_DERIVED = {"wasDerivedFrom": {
    "@id": "http://www.w3.org/ns/prov#wasDerivedFrom", "@type": "@id",
}}
PUBLIC = "https://www.w3.org/ns/activitystreams#Public"  # ActivityPub §5.6
CONTENT_TYPE = "application/activity+json"

_UNKNOWN = Known()
_OF_NOBODY = Lineage()
_OUR_LINK = re.compile(r'\b(href|src)="/(?!/)')
_PICTURES = (".png", ".jpg", ".jpeg", ".gif", ".webp", ".avif", ".svg")
_LANGUAGES = {language.id: language for language in LANGUAGES}


def with_context(document: Mapping[str, object]) -> Document:
    """Return the document as it stands alone: what is inside another one has its context."""
    terms = [_DERIVED] if "wasDerivedFrom" in document else []
    return {"@context": [*CONTEXT, *terms], **document}


class OurDocuments:
    """Makes the documents of one house; `public_key` is each actor's as PEM."""

    def __init__(self, addresses: Addresses) -> None:
        self._addresses = addresses

    def person(self, person: Actor, public_key: str, known: Known = _UNKNOWN) -> Document:
        """Return a local person, with what it is known as elsewhere."""
        return _spoken({
            **self._actor(person, public_key),
            "type": "Service" if person.bot else "Person",  # Lemmy 0.19: bots are services
            "outbox": f"{person.ap_id}/outbox",
            "matrixUserId": person.matrix_user_id,
            # ActivityPub has no word for it; both are Mastodon's, in ActivityStreams' namespace.
            "alsoKnownAs": list(known.also_known_as) or None,
            "movedTo": known.moved_to or None,
            **self._described("summary", person.summary),
        })

    def group(
        self, community: Community, public_key: str, lineage: Lineage = _OF_NOBODY
    ) -> Document:
        """Return a local community, with what it continues and where it went."""
        actor = community.actor
        return _spoken({
            **self._actor(actor, public_key),
            "type": "Group",
            "name": actor.shown_name,
            "sensitive": community.nsfw,
            # FEP-1b12: `attributedTo` of a group is the collection of its moderators.
            "attributedTo": f"{actor.ap_id}/moderators",
            "postingRestrictedToMods": community.posting_restricted_to_mods,
            "outbox": f"{actor.ap_id}/outbox",
            "followers": f"{actor.ap_id}/followers",
            "featured": f"{actor.ap_id}/featured",
            "wasDerivedFrom": lineage.derived_from or None,
            # As for a person.
            "alsoKnownAs": list(lineage.also_known_as) or None,
            "movedTo": lineage.moved_to or None,
            "language": [_language(one) for one in community.languages if one in _LANGUAGES],
            **self._described("summary", actor.summary),
        })

    def application(self, site: Site, public_key: str) -> Document:
        """Return the site's own actor."""
        settings = site.settings
        return _spoken({
            **self._actor(site.actor, public_key),
            "type": "Application",
            "preferredUsername": self._addresses.authority,
            "name": settings.name,
            "summary": settings.description,
            "icon": _picture(settings.icon),
            "image": _picture(settings.banner),
            "inbox": self._addresses.absolute("/inbox"),
            "outbox": self._addresses.absolute("/site_outbox"),
            "language": [_language(one) for one in settings.languages if one in _LANGUAGES],
            "published": isoformat(site.published_us),
            "updated": _time(site.updated_us),
            **self._described("content", settings.sidebar),
        })

    def page(self, post: Post, *, author: Actor, community: Community) -> Document:
        """Return a post; its community may be of another server."""
        group = community.actor.ap_id
        return _spoken({
            "type": "Page",
            "id": post.ap_id,
            "attributedTo": author.ap_id,
            "to": [group, PUBLIC],
            "cc": [],
            "audience": group,
            "name": post.name,
            **self._described("content", post.body),
            "attachment": _attachment(post),
            "image": _picture(post.link.thumbnail if post.link else None),
            "commentsEnabled": not post.locked,
            "sensitive": post.nsfw,
            "stickied": post.featured_community,
            "language": _language(post.language_id),
            "published": isoformat(post.published_us),
            "updated": _time(post.updated_us),
            # FEP-7888: everything that was said below a post.
            "context": f"{post.ap_id}/context" if post.local else None,
            "tag": [{"type": "Hashtag", "href": post.ap_id, "name": f"#{community.actor.name}"}],
        })

    def note(
        self, comment: Comment, *, author: Actor, community: Actor, post: Post,
        parent: Comment | None, answered: Actor | None, mentioned: Iterable[Actor] = (),
    ) -> Document:
        """Return a comment; `answered` is who wrote what it answers."""
        named = {one.id: one for one in mentioned}
        if answered is not None and answered.id != author.id:
            named.setdefault(answered.id, answered)
        return _spoken({
            "type": "Note",
            "id": comment.ap_id,
            "attributedTo": author.ap_id,
            "to": [PUBLIC],
            "cc": [community.ap_id, *(one.ap_id for one in named.values())],
            "audience": community.ap_id,
            **self._described("content", comment.content),
            "inReplyTo": post.ap_id if parent is None else parent.ap_id,
            "distinguished": comment.distinguished,
            "language": _language(comment.language_id),
            "published": isoformat(comment.published_us),
            "updated": _time(comment.updated_us),
            "context": f"{post.ap_id}/context" if post.local else None,
            "tag": [_mention(one) for one in named.values()],
            "attachment": [],
        })

    def message(
        self, view: MessageView, kind: Literal["ChatMessage", "Note"] = "ChatMessage"
    ) -> Document:
        """Return a private message; microblogs know it as a Note that mentions its recipient."""
        message = view.message
        return _spoken({
            "type": kind,
            "id": message.ap_id,
            "attributedTo": view.creator.ap_id,
            "to": [view.recipient.ap_id],
            **self._described("content", message.content),
            "published": isoformat(message.published_us),
            "updated": _time(message.updated_us),
            "tag": [_mention(view.recipient)] if kind == "Note" else None,
        })

    def _actor(self, actor: Actor, public_key: str) -> Document:
        return {
            "id": actor.ap_id,
            "preferredUsername": actor.name,
            "name": actor.display_name,
            "icon": _picture(actor.avatar),
            "image": _picture(actor.banner),
            "inbox": actor.inbox,
            "endpoints": {"sharedInbox": self._addresses.absolute("/inbox")},
            "publicKey": {
                "id": f"{actor.ap_id}#main-key", "owner": actor.ap_id, "publicKeyPem": public_key,
            },
            "published": isoformat(actor.published_us),
            "updated": _time(actor.updated_us),
        }

    def _described(self, field: str, text: str | None) -> Document:
        """Return a text as HTML in `field`, and as it was typed."""
        if not text:
            return {}
        return {
            field: self._html(text), "mediaType": "text/html",
            "source": {"content": text, "mediaType": "text/markdown"},
        }

    def _html(self, text: str) -> str:
        """Return a text as safe HTML whose links lead here from anywhere."""
        # The cleaner writes attributes in double quotes, and our own links begin with one slash.
        return _OUR_LINK.sub(rf'\1="{self._addresses.public_url}/', render(text, self._addresses))


def tombstone(id_: str) -> Document:
    """Return what stands where something was; ActivityPub §6.4: served with 410."""
    return {"type": "Tombstone", "id": id_}


def collection(id_: str, items: Sequence[object]) -> Document:
    """Return an ordered collection that is whole."""
    return {"type": "OrderedCollection", "id": id_, "totalItems": len(items),
            "orderedItems": list(items)}


def paged(
    id_: str, items: Sequence[object], *, count: int | None, first: str, page: str, following: str
) -> Document:
    """Return an ordered collection of several pages, or one of its pages.

    `page` is the page's name, "" for the collection, which names its `first` page and holds what
    stands on it: Lemmy 0.19 reads what stands in an outbox itself. `following` is the name of the
    next page, "" at the end; `count` is of all items, None where nobody counted.
    """
    # ActivityStreams 2.0 §5.2: a page says what it is of and where it goes on.
    document: Document = {"type": "OrderedCollection", "id": id_, "totalItems": count,
                          "first": f"{id_}?page={first}", "orderedItems": list(items)}
    if page:
        document = {
            "type": "OrderedCollectionPage", "id": f"{id_}?page={page}", "partOf": id_,
            "totalItems": count, "orderedItems": list(items),
            "next": f"{id_}?page={following}" if following else None,
        }
    return _spoken(document)


def counted(id_: str, count: int) -> Document:
    """Return a collection of which only the size is told."""
    return {"type": "Collection", "id": id_, "totalItems": count, "items": []}


def did_document(actor: Actor, also_known_as: str) -> Document:
    """Return what a DID of ours resolves to; no key of it signs anything yet."""
    return {
        "@context": ["https://www.w3.org/ns/did/v1"], "id": actor.did,
        "alsoKnownAs": [also_known_as],
        # did:web specification, "Read": the service says where the actor is spoken to.
        "service": [{"id": "#activitypub", "type": "ActivityPubActor",
                     "serviceEndpoint": actor.ap_id}],
    }


def is_microblog(software: str) -> bool:
    """Say whether a server knows private messages as Notes alone."""
    return software not in ("", "lemmy", "lichen", "piefed", "mbin", "kbin")


def _attachment(post: Post) -> list[Document]:
    if not post.url:
        return []
    if post.url.lower().partition("?")[0].endswith(_PICTURES):
        return [_spoken({"type": "Image", "url": post.url, "name": post.alt_text})]
    return [{"type": "Link", "href": post.url}]


def _mention(person: Actor) -> Document:
    return {"type": "Mention", "href": person.ap_id, "name": f"@{person.name}@{person.domain}"}


def _language(language_id: int) -> Document | None:
    language = _LANGUAGES.get(language_id)
    if language is None or language_id == 0:
        return None
    return {"identifier": language.code, "name": language.name}


def _picture(url: str | None) -> Document | None:
    return {"type": "Image", "url": url} if url else None


def _time(time_us: int | None) -> str | None:
    return None if time_us is None else isoformat(time_us)


def _spoken(document: Mapping[str, object]) -> Document:
    """Return the document without what has nothing to say."""
    return {name: value for name, value in document.items() if value is not None}
