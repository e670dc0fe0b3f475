"""Things as peers describe them, read into what the rooms below take. Pure.

Page, Note, Article, Question, Event, Video and ChatMessage, from Lemmy, PieFed, Mbin, Mastodon,
Pleroma, Friendica, PeerTube, WordPress, NodeBB and Discourse, become one `Thing`. Texts become
Markdown: the source where a peer sends it, else their HTML turned back (markup.py), with what is
attached (attached.py) below it. Everything is cut or dropped to fit the forum's limits, so that a
batch is never refused for one bad field.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

import msgspec

from lichen.federation.attached import Attached, attached_to, link_among, shown_below
from lichen.federation.limits import ADDRESSEES_MAX, HEADLINE_LENGTH_MAX
from lichen.federation.markup import first_words, label_of, markdown_of, plain_of
from lichen.federation.model import authority_of
from lichen.federation.values import (
    entries_of,
    id_of,
    ids_of,
    kinds_of,
    objects_of,
    page_in,
    said_in,
    text_of,
)
from lichen.forum import LANGUAGES, PostDraft, fitting_comment, fitting_title, fitting_url
from lichen.kit import Refused, from_isoformat

THING_TYPES = frozenset({
    "Page", "Note", "Article", "Question", "Event", "Video", "ChatMessage", "Audio", "Image",
    "Document", "Tombstone",
})
ACTOR_TYPES = frozenset({
    "Person", "Group", "Service", "Application", "Organization", "Feed",
})
_PUBLIC = frozenset({
    # ActivityPub §5.6: implementations also say it shortly.
    "https://www.w3.org/ns/activitystreams#Public", "as:Public", "Public",
})
_LANGUAGE_IDS = {language.code: language.id for language in LANGUAGES}
_MARKDOWN = ("text/markdown", "text/x.misskeymarkdown")
_SHOWN = re.compile(r"!(\[[^\]\n]*\]\()")  # of a picture in Markdown; without its mark a link
# Whose page is the thing itself: a film, an event; of an article see `_link`.
_PAGES = ("Video", "Audio", "Event")
_ADDRESS_PARTS = ("streetAddress", "postalCode", "addressLocality", "addressCountry")
# Where the address of somebody mentioned shows that it is a community.
_COMMUNITIES = re.compile(r"https?://[^/]+/(?:c|m|category|video-channels)/")
UNTITLED = "(no title)"


class Thing(msgspec.Struct, frozen=True, kw_only=True):
    """Something written: a post, a comment where it answers something, or a private message.

    `authors` are all it is attributed to. `addressees` may name the community. `replies_to` is ""
    for what begins a thread. `subject` is what stands over a text without a title: a warning where
    it is `nsfw`. `language_id` is 0 where it is not known.
    """

    ap_id: str
    kind: str
    authors: tuple[str, ...]
    addressees: tuple[str, ...] = ()
    replies_to: str = ""
    name: str = ""
    subject: str = ""
    content: str = ""
    url: str | None = None
    alt_text: str | None = None
    nsfw: bool = False
    language_id: int = 0
    published_us: int | None = None
    updated_us: int | None = None
    locked: bool = False
    distinguished: bool = False
    is_public: bool = True
    attached: tuple[Attached, ...] = ()

    @property
    def is_message(self) -> bool:
        """Whether it is a private message."""
        return self.kind == "ChatMessage" or not self.is_public

    def draft(self) -> PostDraft:
        """Return it as a post within the forum's limits; what it does not point to is below."""
        title = fitting_title(self.name or self.subject, UNTITLED)
        if title == UNTITLED:
            words = first_words(self.content, HEADLINE_LENGTH_MAX)
            title = fitting_title(words, self.url or "", UNTITLED)
        below = shown_below(self.content, self.attached, besides=self.url)
        return PostDraft(
            name=title, url=self.url, body=(self.content + below).strip(), alt_text=self.alt_text,
            nsfw=self.nsfw, language_id=self.language_id,
        )

    def comment(self) -> str:
        """Return it as a comment within the forum's limits, what is attached below the text."""
        return fitting_comment(self.text())

    def text(self) -> str:
        """Return all of it as one text: its subject, its words, what is attached."""
        words = (self.content + shown_below(self.content, self.attached)).strip()
        if not self.subject:
            return words
        if self.nsfw:
            # Mastodon's content warning is what may be read before the rest is.
            fence = ":::"
            while fence in words:
                fence += ":"
            return f"{fence} spoiler {self.subject}\n{words}\n{fence}"
        return f"**{label_of(self.subject)}**\n\n{words}"


def is_public(id: str) -> bool:
    """Say whether an addressee is everybody."""
    return id in _PUBLIC


def without_pictures(thing: Thing) -> Thing:
    """Return a thing with links where its pictures would be shown; pure."""
    attached, url = list(thing.attached), thing.url
    pointed = Attached(url or "", alt_text=thing.alt_text or "")
    if url and (pointed.is_picture or any(one.is_picture and one.url == url for one in attached)):
        if pointed.url not in (one.url for one in attached):
            attached.insert(0, pointed)
        url = None
    return msgspec.structs.replace(
        thing, content=_SHOWN.sub(r"\1", thing.content), url=url, alt_text=None,
        attached=tuple(
            Attached(one.url, one.alt_text or "picture", is_picture=False) if one.is_picture
            else one for one in attached
        ),
    )


def thing_of(document: Mapping[str, Any], *, heard: Sequence[str] = ()) -> Thing:
    """Return what a document describes, or refuse it.

    `heard` are the addressees of the activity around it, which some peers name there alone.
    """
    kind, ap_id = thing_kind_of(document), id_of(document.get("id"))
    if kind in ("", "Tombstone"):
        raise Refused("unknown_object", "Things of this type are not read here.")
    if not authority_of(ap_id):
        raise Refused("no_object_id", "A thing has an id that is an address of the web.")
    if kind == "Note" and _is_poll_vote(document):
        # What Mastodon sends for a vote. Who asks counts, and what is counted comes with the
        # Question; of an answer without a word nothing is left to show.
        raise Refused("poll_vote", "Votes in polls are counted where they were asked.")
    # Mobilizon attributes an event to its group; who wrote it is its `actor`.
    authors = tuple(dict.fromkeys((*ids_of(document.get("attributedTo")),
                                   *ids_of(document.get("actor")))))
    audience = ids_of(document.get("audience"))
    named = (*ids_of(document.get("to")), *ids_of(document.get("cc")))
    addressees = dict.fromkeys((*audience, *named, *authors, *heard))
    attached, replies_to = attached_to(document), id_of(document.get("inReplyTo"))
    content = _content(document)
    url = _link(document, kind) or link_among(content, attached)
    published_us = time_us(document.get("published"))
    return Thing(
        ap_id=ap_id, kind=kind, authors=authors,
        addressees=tuple(one for one in addressees if one not in _PUBLIC)[:ADDRESSEES_MAX],
        replies_to=replies_to, name=_line(document, "name"),
        subject=_subject(document, kind), content=content, url=url,
        alt_text=next((one.alt_text for one in attached if one.url == url and one.is_picture),
                      "") or None,
        nsfw=document.get("sensitive") is True or document.get("nsfw") is True,
        language_id=_language(document), published_us=published_us,
        updated_us=_later(time_us(document.get("updated")), published_us),
        locked=document.get("commentsEnabled") is False,
        distinguished=document.get("distinguished") is True,
        # A private message names people alone (Mastodon's "direct", Lemmy 1.0's Note). Discourse
        # names nobody but the category, as `audience`.
        is_public=kind != "ChatMessage" and (
            kind != "Note" or any(one in _PUBLIC for one in (*audience, *named, *heard))
            or bool(audience and not named)
        ),
        attached=attached,
    )


def thing_kind_of(document: Mapping[str, Any]) -> str:
    """Return which kind of thing a document describes, "" for none that is read."""
    return next((kind for kind in kinds_of(document) if kind in THING_TYPES), "")


def time_us(value: Any) -> int | None:
    """Return the µs of a time as ActivityStreams writes it, None for what is none."""
    if not isinstance(value, str) or len(value) > 40:
        return None
    try:
        return max(0, from_isoformat(value))
    except (ValueError, OverflowError):
        return None


def _is_poll_vote(document: Mapping[str, Any]) -> bool:
    """Say whether a Note is the choice of a poll: it has a name, and nothing to say."""
    said = ("content", "contentMap", "source", "attachment")
    return bool(document.get("name") and id_of(document.get("inReplyTo"))
                and not any(document.get(field) for field in said))


def _line(document: Mapping[str, Any], name: str) -> str:
    return " ".join(plain_of(said_in(document, name)[:2_000]).split())


def _subject(document: Mapping[str, Any], kind: str) -> str:
    """Return what stands over a text without a title; an article's summary is an extract of it."""
    if kind == "Article" or _line(document, "name"):
        return ""
    return _line(document, "summary")


def _content(document: Mapping[str, Any]) -> str:
    """Return the text as Markdown: the source where it is Markdown, else the HTML turned back."""
    source = document.get("source")
    text = ""
    if isinstance(source, dict) and source.get("mediaType") in _MARKDOWN:
        text = text_of(source.get("content"))
    if not text:
        said = said_in(document, "content")
        is_markdown = document.get("mediaType") in _MARKDOWN
        text = said if is_markdown else markdown_of(said, _mentions(document))
    parts = (*_occasion(document), text + _choices(document))
    return "\n\n".join(one for one in parts if one).strip()


def _choices(document: Mapping[str, Any]) -> str:
    """Return the choices of a poll as a list; votes in it are its own server's."""
    choices = document.get("oneOf") or document.get("anyOf")
    names = (label_of(said_in(one, "name")) for one in objects_of(choices))
    return "".join(f"\n- {name}" for name in [name for name in names if name][:20])


def _occasion(document: Mapping[str, Any]) -> Iterator[str]:
    """Iterate over when and where an event is; its text seldom says it."""
    times = [said for name in ("startTime", "endTime") if (said := _moment(document.get(name)))]
    if times and thing_kind_of(document) == "Event":
        yield " – ".join(times)
        for place in entries_of(document.get("location")):
            address = place.get("address") if isinstance(place, dict) else None
            parts = [text_of(place) or (said_in(place, "name") if isinstance(place, dict) else "")]
            parts += [text_of(address.get(name)) for name in _ADDRESS_PARTS] if isinstance(
                address, dict) else [text_of(address)]
            yield ", ".join(label_of(one) for one in parts if one)


def _moment(value: Any) -> str:
    if time_us(value) is None:
        return ""
    return f"{datetime.fromisoformat(value):%Y-%m-%d %H:%M %Z}".strip()


def _mentions(document: Mapping[str, Any]) -> dict[str, str]:
    """Return how those whom a text mentions are written here, by their addresses."""
    found = {}
    for one in objects_of(document.get("tag")):
        href, name = id_of(one.get("href")), text_of(one.get("name")).lstrip("@!")
        if "Mention" not in kinds_of(one) or not authority_of(href) or not name:
            continue
        mark = "!" if _COMMUNITIES.match(href) else "@"
        handle = name if "@" in name else f"{name}@{authority_of(href)}"
        # Mastodon's text links to a person's page, and its tag names the person's id.
        found[href] = found[f"{authority_of(href)} {name.partition('@')[0]}"] = mark + handle
    return found


def _link(document: Mapping[str, Any], kind: str) -> str | None:
    """Return the page that a post points to, where it is itself a page elsewhere."""
    # A blog's article is at its page. A forum's is a topic, whose words are all here (FEP-7888).
    if kind in _PAGES or (kind == "Article" and not document.get("context")):
        return fitting_url(page_in(document.get("url")))
    return None


def _language(document: Mapping[str, Any]) -> int:
    said = document.get("language") or document.get("inLanguage")
    code = text_of(said.get("identifier")) if isinstance(said, dict) else text_of(said)
    if not code:
        names = document.get("contentMap")
        code = next(iter(names), "") if isinstance(names, dict) and len(names) == 1 else ""
    return _LANGUAGE_IDS.get(code) or _LANGUAGE_IDS.get(code.partition("-")[0], 0)


def _later(updated_us: int | None, published_us: int | None) -> int | None:
    return None if updated_us is None or updated_us == published_us else updated_us
