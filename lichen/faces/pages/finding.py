"""Finding: the one search box, the list of communities, every place by name."""

from functools import partial
from typing import Literal, NamedTuple

from litestar import MediaType, Response, get
from litestar.params import FromQuery
from markupsafe import escape

from lichen.accounts import Actor, ActorKind, Permission, is_permitted
from lichen.faces.pages.answers import fragment, page
from lichen.faces.pages.elsewhere import look_elsewhere
from lichen.faces.pages.lists import downvotes, next_page
from lichen.faces.pages.parts import GivenParts, Parts
from lichen.faces.pages.visit import GivenVisit, Visit
from lichen.faces.pages.wording import SHORTCUTS, choices
from lichen.forum import (
    Comment,
    CommentView,
    CommunityView,
    Listing,
    PersonView,
    Post,
    PostView,
    Sort,
)
from lichen.search import Kind
from lichen.store import Unit
from lichen.web import check_text

FOUND_PER_KIND = 5  # of each kind, where all kinds are asked for
FOUND_PER_PAGE = 20
COMMUNITIES_PER_PAGE = 20
QUERY_LENGTH_MAX = 200  # characters; longer questions find nothing more

Asked = Literal["all", "communities", "persons", "posts", "comments"]

_KINDS = (("all", "Everything"), ("communities", "Communities"), ("persons", "People"),
          ("posts", "Posts"), ("comments", "Comments"))
_COMMUNITY_SORTS = (("Active", "Active"), ("Hot", "Hot"), ("New", "New"), ("TopAll", "Largest"))


class Way(NamedTuple):
    """A place one can go to by its name."""

    word: str
    href: str
    icon: str


class Found(NamedTuple):
    """What a search found, as its reader sees it."""

    communities: list[CommunityView]
    persons: list[PersonView]
    posts: list[PostView]
    comments: list[CommentView]


def ways(parts: Parts, visit: Visit) -> list[Way]:
    """Return every place of the house that this visitor can go to."""
    addresses = parts.addresses
    open_to_all = [
        Way("Home", addresses.front, "house"),
        Way("Communities", addresses.communities, "users"),
        Way("Search", addresses.search, "search"),
        Way("Keyboard shortcuts", addresses.shortcuts, "keyboard"),
        Way("Public stream", addresses.stream, "list"),
        *(Way(title, addresses.contributed(path), "plus") for title, path in parts.plugins.links()),
    ]
    if visit.viewer is None:
        return [*open_to_all, Way("Log in", addresses.login, "log-in"),
                Way("Join", addresses.signup, "plus")]
    administering = [Way("Plugins", addresses.plugins, "list")] if visit.viewer.admin else []
    if is_permitted(visit.viewer, Permission.PURGE_PICTURES):
        administering += [Way("Everybody's pictures", addresses.all_pictures, "eye"),
                          Way("Pictures that are not taken", addresses.blocklist, "eye-off")]
    return [
        *open_to_all,
        *administering,
        Way("Write a post", addresses.post_new, "square-pen"),
        Way("New community", addresses.community_new, "plus"),
        Way("Inbox", addresses.inbox, "inbox"),
        Way("Messages", addresses.messages, "message-square"),
        Way("Saved", addresses.saved, "bookmark"),
        Way("My profile", parts.drawing.path_of(visit.viewer.actor), "circle-user-round"),
        Way("Settings: theme, sorts, languages, password, logins", addresses.settings, "settings"),
    ]


@get("/search")
async def search_page(
    parts: GivenParts, visit: GivenVisit, q: FromQuery[str] = "", kind: FromQuery[Asked] = "all",
    *, page_number: FromQuery[int] = 1,
) -> Response[bytes]:
    """Find communities, people, posts, comments and places."""
    asked = check_text(q, "q").strip()[:QUERY_LENGTH_MAX]
    path = parts.addresses.search
    limit = FOUND_PER_KIND if kind == "all" else FOUND_PER_PAGE

    def find(unit: Unit) -> Found:
        if not asked:
            return Found([], [], [], [])
        return _found(parts, unit, visit, asked, kind=kind, page_number=page_number, limit=limit)

    elsewhere = await look_elsewhere(parts, visit, asked)
    found, frame = await parts.framed(visit, find)
    if elsewhere.found is not None:
        found = await parts.store.read(partial(_named, parts, visit=visit, found=elsewhere.found))
    most = max(len(items) for items in found)
    following = choices(
        [(str(page_number + 1), "")], "", path, q=asked, kind=kind, page_number="{}"
    )
    places = [
        way for way in ways(parts, visit)
        if asked and asked.lower() in way.word.lower() and kind == "all"
    ]
    return await page(parts, visit, frame, "search.html", values={
        "asked": asked, "ways": places, **found._asdict(),
        "tabs": choices(_KINDS, kind, path, q=asked, kind="{}"), "sorts": [],
        "onward": following[0].href if kind != "all" and most == limit else None,
        "now_us": parts.now_us(), "downvotes": downvotes(parts), "unheard": elsewhere.unheard,
    })


@get("/communities")
async def communities_page(
    parts: GivenParts, visit: GivenVisit, listing: FromQuery[Listing] = Listing.LOCAL,
    sort: FromQuery[Sort] = Sort.ACTIVE, *, page_number: FromQuery[int] = 1,
) -> Response[bytes]:
    """List the communities."""
    path = parts.addresses.communities

    def find(unit: Unit) -> list[CommunityView]:
        return parts.forum.communities(
            unit, visit.viewer, listing=listing, sort=sort, page=page_number,
            limit=COMMUNITIES_PER_PAGE,
        )

    tabs = [("Local", "Local"), ("All", "All")]
    if visit.viewer:
        tabs.insert(0, ("Subscribed", "Mine"))
    values: dict[str, object] = {
        "tabs": choices(tabs, listing.value, path, listing="{}", sort=sort.value),
        "sorts": choices(_COMMUNITY_SORTS, sort.value, path, listing=listing.value, sort="{}"),
        "sort_word": dict(_COMMUNITY_SORTS).get(sort.value, sort.value),
    }
    if visit.is_fragment:
        found = await parts.store.read(find)
    else:
        found, frame = await parts.framed(visit, find)
    onward = next_page(path, len(found), page_number, show=None)
    values["communities"] = found
    values["next"] = onward and f"{onward}&listing={listing.value}&sort={sort.value}"
    if visit.is_fragment:
        html = parts.drawing.draw("pieces/places.html", **values)
        return fragment(parts, html, target=".more")
    return await page(parts, visit, frame, "communities.html", values=values)


@get("/places")
async def places_page(parts: GivenParts, visit: GivenVisit) -> Response[bytes]:
    """List every place by name; the palette of ctrl+k is this list."""
    frame = await parts.frame(visit)
    found = ways(parts, visit) + [
        Way(f"Community: {actor.shown_name}", parts.drawing.path_of(actor), "users")
        for actor in frame.communities
    ]
    if visit.is_fragment:
        html = parts.drawing.draw("pieces/ways.html", ways=found)
        return fragment(parts, html, target=None, swap="innerHTML")
    return await page(parts, visit, frame, "places.html", values={"ways": found})


@get("/shortcuts")
async def shortcuts_page(parts: GivenParts, visit: GivenVisit) -> Response[bytes]:
    """List the keyboard shortcuts."""
    if visit.is_fragment:
        html = parts.drawing.draw("pieces/shortcuts.html", shortcuts=SHORTCUTS)
        return fragment(parts, html, target=None, swap="innerHTML")
    frame = await parts.frame(visit)
    return await page(parts, visit, frame, "shortcuts.html", values={"shortcuts": SHORTCUTS})


@get("/opensearch.xml", media_type=MediaType.XML, sync_to_thread=False)
def open_search(parts: GivenParts) -> Response[bytes]:
    """Tell browsers how to search here."""
    # OpenSearch 1.1, draft 6: the least that browsers take.
    name = escape(parts.accounts.current_site.settings.name)
    address = parts.addresses.absolute(parts.addresses.search)
    text = (
        '<?xml version="1.0" encoding="UTF-8"?>'
        '<OpenSearchDescription xmlns="http://a9.com/-/spec/opensearch/1.1/">'
        f"<ShortName>{name[:16]}</ShortName><Description>Search {name}</Description>"
        f'<Url type="text/html" template="{escape(address)}?q={{searchTerms}}"/>'
        "</OpenSearchDescription>"
    )
    return Response(text.encode(), media_type="application/opensearchdescription+xml")


def _named(
    parts: Parts, unit: Unit, *, visit: Visit, found: Post | Comment | Actor
) -> Found:
    """Return the one thing that a name or an address means, as the viewer may see it."""
    viewer, forum = visit.viewer, parts.forum
    is_community = isinstance(found, Actor) and found.kind is ActorKind.COMMUNITY
    is_person = isinstance(found, Actor) and not is_community
    return Found(
        communities=forum.community_views(unit, viewer, [found.id]) if is_community else [],
        persons=forum.persons(unit, viewer, [found.id]) if is_person else [],
        posts=forum.post_views(unit, viewer, [found.id]) if isinstance(found, Post) else [],
        comments=forum.comment_views(unit, viewer, [found.id])
        if isinstance(found, Comment) else [],
    )


def _found(
    parts: Parts, unit: Unit, visit: Visit, asked: str, *, kind: Asked, page_number: int, limit: int
) -> Found:
    """Ask the index for ids, then the forum for what the viewer may see of them."""
    kinds = tuple(Kind) if kind == "all" else (Kind(kind),)
    ids = parts.search.find(
        unit, visit.viewer, asked, kinds=kinds, listing=Listing.ALL, sort=Sort.TOP_ALL,
        page=page_number, limit=limit,
    )
    viewer, forum = visit.viewer, parts.forum
    return Found(
        communities=forum.community_views(unit, viewer, ids.communities),
        persons=forum.persons(unit, viewer, ids.persons),
        posts=forum.post_views(unit, viewer, ids.posts),
        comments=forum.comment_views(unit, viewer, ids.comments),
    )


HANDLERS = [search_page, communities_page, places_page, shortcuts_page, open_search]
