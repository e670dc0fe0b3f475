"""Things as peers describe them, read into what the rooms below take. Pure.

Page, Note, Article, Question, Event, Video and ChatMessage, from Lemmy, PieFed, Mbin, Mastodon,
Pleroma, Friendica, PeerTube, WordPress, NodeBB and Discourse, become one `Thing`. Texts become
Markdown: the source where a peer sends it, else their HTML turned back (markup.py). Everything is
cut or dropped to fit the forum's limits, so that a batch is never refused for one bad field.
"""

import re
from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from lichen.federation.limits import ADDRESSEES_MAX, PICTURES_MAX, URL_LENGTH_MAX
from lichen.federation.markup import markdown_of, plain_of
from lichen.federation.model import authority_of
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
_PICTURE = re.compile(r"\.(jpe?g|png|gif|webp|avif)$", re.IGNORECASE)
UNTITLED = "(no title)"


class Thing(msgspec.Struct, frozen=True, kw_only=True):
    """Something written: a post, a comment where it answers something, or a private message.

    `authors` are all it is attributed to. `addressees` may name the community. `replies_to` is ""
    for what begins a thread. `language_id` is 0 where it is not known.
    """

    ap_id: str
    kind: str
    authors: tuple[str, ...]
    addressees: tuple[str, ...] = ()
    replies_to: str = ""
    name: str = ""
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
    pictures: tuple[str, ...] = ()

    @property
    def is_message(self) -> bool:
        """Whether it is a private message."""
        return self.kind == "ChatMessage" or not self.is_public

    def draft(self) -> PostDraft:
        """Return it as a post within the forum's limits."""
        first_line = plain_of(self.content).partition("\n")[0]
        title = fitting_title(self.name, first_line, self.url or "", UNTITLED)
        return PostDraft(
            name=title, url=self.url, body=self.content, alt_text=self.alt_text, nsfw=self.nsfw,
            language_id=self.language_id,
        )

    def comment(self) -> str:
        """Return it as a comment within the forum's limits, its pictures below the text."""
        shown = "".join(f"\n\n![]({url})" for url in self.pictures)
        return fitting_comment(self.content + shown)


def without_pictures(thing: Thing) -> Thing:
    """Return a thing with links where its pictures would be shown; pure."""
    content = _SHOWN.sub(r"\1", thing.content)
    links = list(thing.pictures)
    url = thing.url
    if url and (thing.alt_text is not None or _PICTURE.search(url)):
        links, url = [url, *(one for one in links if one != url)], None
    listed = "".join(f"\n\n[picture]({one})" for one in links)
    return msgspec.structs.replace(
        thing, content=(content + listed).strip(), url=url, alt_text=None, pictures=()
    )


def thing_of(document: Mapping[str, Any], *, heard: Sequence[str] = ()) -> Thing:
    """Return what a document describes, or refuse it.

    `heard` are the addressees of the activity around it, which some peers name there alone.
    """
    kind, ap_id = _text(_first(document.get("type"))), _id(document.get("id"))
    if kind not in THING_TYPES or kind == "Tombstone":
        raise Refused("unknown_object", "Things of this type are not read here.")
    if not authority_of(ap_id):
        raise Refused("no_object_id", "A thing has an id that is an address of the web.")
    if kind == "Note" and _is_poll_vote(document):
        # What Mastodon sends for a vote. Who asks counts, and what is counted comes with the
        # Question; of an answer without a word nothing is left to show.
        raise Refused("poll_vote", "Votes in polls are counted where they were asked.")
    authors = _ids(document.get("attributedTo"))
    named = (*_ids(document.get("audience")), *_ids(document.get("to")), *_ids(document.get("cc")))
    addressees = tuple(dict.fromkeys((*named, *authors, *heard)))
    url, alt_text = _link(document, kind)
    published_us = time_us(document.get("published"))
    return Thing(
        ap_id=ap_id, kind=kind, authors=authors,
        addressees=tuple(one for one in addressees if one not in _PUBLIC)[:ADDRESSEES_MAX],
        replies_to=_id(document.get("inReplyTo")), name=_title(document),
        content=_content(document), url=url, alt_text=alt_text,
        nsfw=document.get("sensitive") is True or document.get("nsfw") is True,
        language_id=_language(document), published_us=published_us,
        updated_us=_later(time_us(document.get("updated")), published_us),
        locked=document.get("commentsEnabled") is False,
        distinguished=document.get("distinguished") is True,
        # A private message names people alone (Mastodon's "direct", Lemmy 1.0's Note).
        is_public=kind != "ChatMessage" and (
            any(one in _PUBLIC for one in (*named, *heard)) or kind != "Note"
        ),
        pictures=_pictures(document),
    )


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
    return bool(document.get("name") and _id(document.get("inReplyTo"))
                and not any(document.get(field) for field in said))


def _title(document: Mapping[str, Any]) -> str:
    for name in ("name", "summary"):
        said = _text(document.get(name)) or _of_map(document.get(f"{name}Map"))
        if said.strip():
            return plain_of(said[:2_000]).strip()
    return ""


def _content(document: Mapping[str, Any]) -> str:
    """Return the text as Markdown: the source where it is Markdown, else the HTML turned back."""
    source = document.get("source")
    if isinstance(source, dict) and source.get("mediaType") in _MARKDOWN:
        return _text(source.get("content"))
    content = _text(document.get("content")) or _of_map(document.get("contentMap"))
    media_type = document.get("mediaType")
    text = content if media_type in _MARKDOWN else markdown_of(content)
    return text + _choices(document)


def _choices(document: Mapping[str, Any]) -> str:
    """Return the choices of a poll as a list; votes in it are its own server's."""
    choices = document.get("oneOf") or document.get("anyOf")
    if not isinstance(choices, list):
        return ""
    names = (_text(one.get("name")) for one in choices[:20] if isinstance(one, dict))
    return "".join(f"\n- {plain_of(name)}" for name in names if name)


def _link(document: Mapping[str, Any], kind: str) -> tuple[str | None, str | None]:
    """Return what a post points to, and the description of a picture."""
    for one in _attachments(document):
        url = fitting_url(_address(one.get("href")) or _address(one.get("url")))
        if url:
            is_picture = one.get("type") in ("Image", "Document")
            return url, (_text(one.get("name")) or None) if is_picture else None
    if kind in ("Video", "Audio", "Event", "Article"):
        # The page where a PeerTube film, an event or a blog's article is shown.
        return fitting_url(_page(document.get("url"))), None
    return None, None


def _pictures(document: Mapping[str, Any]) -> tuple[str, ...]:
    found = []
    for one in _attachments(document):
        url = fitting_url(_address(one.get("url")) or _address(one.get("href")))
        shows = _text(one.get("mediaType")).startswith("image/") or one.get("type") == "Image"
        if url and (shows or _PICTURE.search(url)) and ")" not in url:
            found.append(url)
    return tuple(found[:PICTURES_MAX])


def _attachments(document: Mapping[str, Any]) -> list[dict[str, Any]]:
    value = document.get("attachment")
    values = value if isinstance(value, list) else [value]
    return [one for one in values[:ADDRESSEES_MAX] if isinstance(one, dict)]


def _page(value: Any) -> str:
    """Return the address of the page among the addresses of a thing."""
    values = value if isinstance(value, list) else [value]
    for one in values[:ADDRESSEES_MAX]:
        if not isinstance(one, dict) or one.get("mediaType", "text/html") == "text/html":
            return _address(one)
    return ""


def _language(document: Mapping[str, Any]) -> int:
    said = document.get("language")
    code = _text(said.get("identifier")) if isinstance(said, dict) else _text(said)
    if not code:
        names = document.get("contentMap")
        code = next(iter(names), "") if isinstance(names, dict) and len(names) == 1 else ""
    return _LANGUAGE_IDS.get(code) or _LANGUAGE_IDS.get(code.partition("-")[0], 0)


def _later(updated_us: int | None, published_us: int | None) -> int | None:
    return None if updated_us is None or updated_us == published_us else updated_us


def _of_map(value: Any) -> str:
    return _text(next(iter(value.values()), "")) if isinstance(value, dict) else ""


def _text(value: Any) -> str:
    return value if isinstance(value, str) else ""


def _first(value: Any) -> Any:
    return (value[0] if value else None) if isinstance(value, list) else value


def _id(value: Any) -> str:
    value = _first(value)
    found = value.get("id") if isinstance(value, dict) else value
    return found if isinstance(found, str) and len(found) <= URL_LENGTH_MAX else ""


def _ids(value: Any) -> tuple[str, ...]:
    values = value if isinstance(value, list) else [value]
    return tuple(found for one in values[:ADDRESSEES_MAX] if (found := _id(one)))


def _address(value: Any) -> str:
    value = _first(value)
    found = value.get("href") or value.get("url") if isinstance(value, dict) else value
    return found if isinstance(found, str) and len(found) <= URL_LENGTH_MAX else ""
