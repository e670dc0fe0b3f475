"""Feeds: RSS 2.0 and Atom of every public list, for readers that ask often and cheaply.

    /feeds/local.xml        /feeds/c/<name>.xml        /feeds/post/<id>.xml
    /feeds/all.atom         /feeds/u/<name>.atom

A feed's body depends on nothing but its entries, so its hash is its ETag, and a reader that has it
already is told so in a hundred bytes. The addresses of the RSS feeds are those of Lemmy.
"""

import hashlib
import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from email.utils import format_datetime, parsedate_to_datetime
from html import escape
from typing import NamedTuple
from xml.etree import ElementTree as Xml

from litestar import Request, Response, get
from litestar.datastructures import State
from litestar.params import FromPath, FromQuery

from lichen.faces.pages.parts import GivenParts, Parts
from lichen.faces.pages.wording import called
from lichen.forum import (
    CommentQuery,
    CommentSort,
    CommentView,
    Listing,
    PostQuery,
    PostView,
    Sort,
)
from lichen.kit import NotFound, isoformat
from lichen.store import Unit

ENTRIES = 20  # Lemmy 0.19: a feed holds 20 entries
_ATOM = "http://www.w3.org/2005/Atom"
_FRESH = "public, max-age=60"  # readers that ask every minute are answered by themselves
# XML 1.0 §2.2: these characters cannot stand in a document, not even escaped.
_UNWRITABLE = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")

FeedRequest = Request[object, object, State]


class Entry(NamedTuple):
    """One item of a feed."""

    id: str
    href: str
    title: str
    author: str
    html: str
    published_us: int
    updated_us: int


class Feed(NamedTuple):
    """A list as a feed: where its page is and what stands in it, in its order."""

    title: str
    href: str
    self_href: str
    entries: Sequence[Entry]

    @property
    def updated_us(self) -> int:
        """The time of the newest change in it; 0 for an empty feed."""
        return max((entry.updated_us for entry in self.entries), default=0)


@get("/feeds/{file:str}", include_in_schema=False)
async def front_feed(
    request: FeedRequest, parts: GivenParts, file: FromPath[str],
    sort: FromQuery[Sort] = Sort.ACTIVE,
) -> Response[bytes]:
    """Serve the feed of a front page."""
    name, ending = _parted(file)
    listing = {"all": Listing.ALL, "local": Listing.LOCAL}.get(name)
    if listing is None:
        raise NotFound("couldnt_find_feed", "There are feeds named all and local.")
    query = PostQuery(listing=listing, sort=sort, limit=ENTRIES)
    posts, _ = await parts.store.read(lambda unit: parts.forum.post_list(unit, None, query))
    site = parts.accounts.current_site.settings.name
    href = f"{parts.addresses.front}?listing={listing.value}&sort={sort.value}"
    feed = _feed_of_posts(parts, request, f"{site}: {name}", href, posts)
    return _answer(request, feed, ending)


@get("/feeds/c/{file:str}", include_in_schema=False)
async def community_feed(
    request: FeedRequest, parts: GivenParts, file: FromPath[str],
    sort: FromQuery[Sort] = Sort.ACTIVE,
) -> Response[bytes]:
    """Serve the feed of a community."""
    name, ending = _parted(file)

    def find(unit: Unit) -> tuple[str, list[PostView]]:
        view = parts.forum.community(unit, None, name=name)
        posts, _ = parts.forum.post_list(unit, None, PostQuery(
            listing=Listing.ALL, sort=sort, community_id=view.community.id, limit=ENTRIES
        ))
        return view.community.actor.shown_name, posts

    title, posts = await parts.store.read(find)
    feed = _feed_of_posts(parts, request, title, parts.addresses.community(name), posts)
    return _answer(request, feed, ending)


@get("/feeds/u/{file:str}", include_in_schema=False)
async def person_feed(
    request: FeedRequest, parts: GivenParts, file: FromPath[str], sort: FromQuery[Sort] = Sort.NEW
) -> Response[bytes]:
    """Serve the feed of a person."""
    name, ending = _parted(file)

    def find(unit: Unit) -> tuple[str, list[PostView]]:
        view = parts.forum.person(unit, None, name=name)
        posts, _ = parts.forum.post_list(unit, None, PostQuery(
            listing=Listing.ALL, sort=sort, creator_id=view.person.id, limit=ENTRIES
        ))
        return view.person.shown_name, posts

    title, posts = await parts.store.read(find)
    feed = _feed_of_posts(parts, request, title, parts.addresses.person(name), posts)
    return _answer(request, feed, ending)


@get("/feeds/post/{file:str}", include_in_schema=False)
async def post_feed(
    request: FeedRequest, parts: GivenParts, file: FromPath[str]
) -> Response[bytes]:
    """Serve the feed of a post's newest comments."""
    name, ending = _parted(file)
    if not name.isdecimal() or len(name) > 18:
        raise NotFound("couldnt_find_post", "A post has a number.")

    def find(unit: Unit) -> tuple[PostView, list[CommentView]]:
        return parts.forum.post_view(unit, None, int(name)), parts.forum.comment_list(
            unit, None, CommentQuery(post_id=int(name), sort=CommentSort.NEW, limit=ENTRIES)
        )

    view, comments = await parts.store.read(find)
    addresses = parts.addresses
    entries = [
        Entry(
            id=found.comment.ap_id,
            href=addresses.absolute(addresses.comment(found.comment.id)),
            title=f"{found.creator.shown_name} on {found.post.name}",
            author=called(found.creator, addresses),
            html=parts.drawing.markdown(found.comment.content),
            published_us=found.comment.published_us,
            updated_us=found.comment.updated_us or found.comment.published_us,
        )
        for found in comments if not (found.comment.deleted or found.comment.removed)
    ]
    href = addresses.absolute(addresses.post(view.post.id))
    feed = Feed(view.post.name, href, _self(parts, request), entries)
    return _answer(request, feed, ending)


def rss(feed: Feed) -> bytes:
    """Return a feed as RSS 2.0."""
    root = Xml.Element("rss", version="2.0")
    channel = Xml.SubElement(root, "channel")
    _text(channel, "title", feed.title)
    _text(channel, "link", feed.href)
    # RSS 2.0: a description is HTML to those who read it, a title text.
    _text(channel, "description", escape(feed.title))
    for entry in feed.entries:
        item = Xml.SubElement(channel, "item")
        _text(item, "title", entry.title)
        _text(item, "link", entry.href)
        # RSS 2.0, guid: ours is the object's own id, which is an address but not this page's.
        _text(item, "guid", entry.id, isPermaLink="false")
        _text(item, "pubDate", _http_time(entry.published_us))
        # RSS 2.0, author wants an e-mail address; Dublin Core's creator wants a name.
        _text(item, "{http://purl.org/dc/elements/1.1/}creator", entry.author)
        _text(item, "description", entry.html)
    return _written(root)


def atom(feed: Feed) -> bytes:
    """Return a feed as Atom."""
    # RFC 4287 §4.1.1: id, title and updated are required.
    root = Xml.Element(_atom("feed"))
    _text(root, _atom("id"), feed.self_href)
    _text(root, _atom("title"), feed.title)
    _text(root, _atom("updated"), isoformat(feed.updated_us))
    Xml.SubElement(root, _atom("link"), href=feed.href, rel="alternate", type="text/html")
    Xml.SubElement(root, _atom("link"), href=feed.self_href, rel="self")
    for entry in feed.entries:
        item = Xml.SubElement(root, _atom("entry"))
        _text(item, _atom("id"), entry.id)
        _text(item, _atom("title"), entry.title)
        _text(item, _atom("published"), isoformat(entry.published_us))
        _text(item, _atom("updated"), isoformat(entry.updated_us))
        Xml.SubElement(item, _atom("link"), href=entry.href, rel="alternate", type="text/html")
        _text(Xml.SubElement(item, _atom("author")), _atom("name"), entry.author)
        _text(item, _atom("content"), entry.html, type="html")
    return _written(root)


def is_known(headers: Mapping[str, str], etag: str, updated_us: int) -> bool:
    """Say whether a reader has this state of a feed already."""
    # RFC 9110 §13.2.2: If-None-Match decides where it is given, else If-Modified-Since.
    tags = headers.get("if-none-match")
    if tags is not None:
        known = {tag.strip().removeprefix("W/") for tag in tags.split(",")}
        return "*" in known or etag in known
    since = headers.get("if-modified-since")
    if since is None or not updated_us:
        return False
    try:
        moment = parsedate_to_datetime(since)
    except ValueError:
        return False  # RFC 9110 §13.1.3: a date that is none is ignored
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return updated_us // 1_000_000 <= moment.timestamp()


def _answer(request: FeedRequest, feed: Feed, ending: str) -> Response[bytes]:
    body, media_type = (
        (atom(feed), "application/atom+xml") if ending == "atom"
        else (rss(feed), "application/rss+xml")
    )
    etag = f'"{hashlib.sha256(body).hexdigest()[:32]}"'
    headers = {"etag": etag, "cache-control": _FRESH}
    if feed.updated_us:
        headers["last-modified"] = _http_time(feed.updated_us)
    if is_known(request.headers, etag, feed.updated_us):
        return Response(b"", status_code=304, headers=headers, media_type=media_type)
    return Response(body, headers=headers, media_type=f"{media_type}; charset=utf-8")


def _feed_of_posts(
    parts: Parts, request: FeedRequest, title: str, path: str, posts: Sequence[PostView]
) -> Feed:
    addresses = parts.addresses
    entries = [
        Entry(
            id=view.post.ap_id,
            href=addresses.absolute(addresses.post(view.post.id)),
            title=view.post.name,
            author=called(view.creator, addresses),
            html=_post_html(parts, view),
            published_us=view.post.published_us,
            updated_us=view.post.updated_us or view.post.published_us,
        )
        for view in posts
    ]
    return Feed(title, addresses.absolute(path), _self(parts, request), entries)


def _post_html(parts: Parts, view: PostView) -> str:
    link = parts.drawing.macro("feed_link")(view.post).strip() if view.post.url else ""
    return link + parts.drawing.markdown(view.post.body or "")


def _self(parts: Parts, request: FeedRequest) -> str:
    query = request.url.query
    return parts.addresses.absolute(request.url.path) + (f"?{query}" if query else "")


def _parted(file: str) -> tuple[str, str]:
    """Return a feed's name and its ending, `xml` for RSS or `atom`."""
    name, _, ending = file.rpartition(".")
    if not name or ending not in ("xml", "atom"):
        raise NotFound("couldnt_find_feed", "Feeds end in .xml for RSS and in .atom for Atom.")
    return name, ending


def _atom(name: str) -> str:
    return f"{{{_ATOM}}}{name}"


def _text(parent: Xml.Element, name: str, text: str, **attributes: str) -> None:
    Xml.SubElement(parent, name, attributes).text = _UNWRITABLE.sub("\ufffd", text)


def _written(root: Xml.Element) -> bytes:
    Xml.indent(root, " ")
    return bytes(Xml.tostring(root, encoding="utf-8", xml_declaration=True))


def _http_time(time_us: int) -> str:
    return format_datetime(datetime.fromtimestamp(time_us // 1_000_000, UTC), usegmt=True)


HANDLERS = [front_feed, community_feed, person_feed, post_feed]
