"""Lists of posts: the front page, a community, a person, what was saved."""

from typing import NamedTuple

from litestar import Response, get
from litestar.params import FromPath, FromQuery

from lichen.accounts import Actor, Away
from lichen.faces.pages.answers import fragment, page
from lichen.faces.pages.moving import Ties, ties_of
from lichen.faces.pages.parts import GivenParts, Parts
from lichen.faces.pages.remarks import Kept, kept_about
from lichen.faces.pages.visit import GivenVisit, Visit
from lichen.faces.pages.wording import LISTING_WORDS, SORT_WORDS, choices, feed_of
from lichen.federation import Offer, Succession
from lichen.forum import (
    CommentQuery,
    CommentSort,
    CommentView,
    CommunityView,
    Listing,
    Page,
    PersonView,
    PostQuery,
    PostView,
    Sort,
)
from lichen.kit import Refused
from lichen.store import Unit

POSTS_PER_PAGE = 20
COMMENTS_PER_PAGE = 20

_TAGLINE_US = 60_000_000  # one line stays for a minute


class Empty(NamedTuple):
    """What a list says while nothing is in it, and the first step."""

    title: str
    text: str
    href: str | None = None
    step: str | None = None


@get("/")
async def front(
    parts: GivenParts, visit: GivenVisit, listing: FromQuery[Listing | None] = None,
    sort: FromQuery[Sort | None] = None, *, cursor: FromQuery[str | None] = None,
) -> Response[bytes]:
    """Show the posts of a listing in an order."""
    site = parts.accounts.current_site.settings
    settings = visit.viewer.settings if visit.viewer else None
    listing = listing or Listing(
        settings.default_listing_type if settings else site.default_post_listing_type
    )
    sort = sort or Sort(settings.default_sort_type if settings else site.default_sort_type)
    if listing not in LISTING_WORDS:
        raise Refused("invalid_listing", f"A front page is All, Local or Subscribed; "
                                         f"got {listing.value}.")
    if listing is Listing.SUBSCRIBED:
        visit.required()
    query = PostQuery(listing=listing, sort=sort, cursor=cursor, limit=POSTS_PER_PAGE)
    words = [
        (key.value, word) for key, word in LISTING_WORDS.items()
        if visit.viewer or key is not Listing.SUBSCRIBED
    ]
    path = parts.addresses.front
    values: dict[str, object] = {
        "heading": f"{LISTING_WORDS[listing]} posts",
        "feed": parts.addresses.feed_of_listing(listing),
        "tabs": choices(words, listing.value, path, listing="{}", sort=sort.value),
        "sorts": _sorts(sort, path, listing=listing.value),
        "empty": _front_empty(parts, listing),
        "tagline": _tagline(parts),
    }
    return await _posts_page(parts, visit, query, values, onward={"listing": listing.value})


@get("/c/{name:str}")
async def community_page(
    parts: GivenParts, visit: GivenVisit, name: FromPath[str],
    sort: FromQuery[Sort | None] = None, *, cursor: FromQuery[str | None] = None,
) -> Response[bytes]:
    """Show a community: its head, its posts, who keeps it."""
    viewer = visit.viewer

    def find(
        unit: Unit
    ) -> tuple[CommunityView, list[Actor], Succession, Offer | None]:
        community = parts.forum.community(unit, viewer, name=name)
        return (community, parts.forum.moderators(unit, community.community.id),
                parts.federation.successors.succession(unit, viewer, community),
                parts.federation.successors.origin(unit, community.community.id))

    community, moderators, succession, origin = await parts.store.read(find)
    actor = community.community.actor
    site = parts.accounts.current_site.settings
    sort = sort or Sort(viewer.settings.default_sort_type if viewer else site.default_sort_type)
    path = parts.drawing.path_of(actor)
    query = PostQuery(
        listing=Listing.ALL, sort=sort, cursor=cursor, community_id=community.community.id,
        limit=POSTS_PER_PAGE,
    )
    write_at = f"{parts.addresses.post_new}?community={path.removeprefix('/c/')}"
    values: dict[str, object] = {
        "heading": actor.shown_name,
        "community": community, "succession": succession, "origin": origin,
        "moderators": moderators,
        "feed": feed_of(actor, parts.addresses),
        "tabs": [],
        "tagline": "",
        "sorts": _sorts(sort, path),
        "write_at": write_at,
        "empty": Empty("No posts yet", f"What people write in {actor.shown_name} will be here.",
                       write_at, "Write the first"),
    }
    return await _posts_page(parts, visit, query, values, onward={})


@get("/u/{name:str}")
async def person_page(
    parts: GivenParts, visit: GivenVisit, name: FromPath[str], show: FromQuery[str | None] = None,
    *, page_number: FromQuery[int] = 1,
) -> Response[bytes]:
    """Show a person: who they are and what they wrote."""
    viewer = visit.viewer
    comments_shown = show == "comments"

    def find(
        unit: Unit
    ) -> tuple[
        PersonView, list[PostView], list[CommentView], bool, Away | None, Kept | None, Ties
    ]:
        view = parts.forum.person(unit, viewer, name=name)
        ties = ties_of(parts, unit, view.person.id)
        away = parts.accounts.away_among(unit, [view.person.id]).get(view.person.id)
        posts, comments = _by_person(
            parts, unit, visit, person_id=(ties.earlier(show) or view.person).id,
            shown=None if ties.earlier(show) else "comments" if comments_shown else "posts",
            page_number=page_number,
        )
        blocked = viewer is not None and (
            view.person.id in parts.accounts.blocks(unit, viewer).persons
        )
        kept = kept_about(parts, unit, viewer, view.person.id)
        return view, posts, comments, blocked, away, kept, ties

    (view, posts, comments, blocked, away, kept, ties), frame = await parts.framed(visit, find)
    path = parts.drawing.path_of(view.person)
    # Of what was written elsewhere both are shown, on pages of one length.
    count = max(len(comments), len(posts))
    values: dict[str, object] = {
        "view": view, "posts": posts, "comments": comments, "comments_shown": comments_shown,
        "mine": viewer is not None and viewer.id == view.person.id, "blocked": blocked,
        "away": away, "kept": kept, "ties": ties, "earlier": ties.earlier(show),
        "next": next_page(path, count, page_number, show=show),
        "sort": "", "community": None, "now_us": parts.now_us(), "downvotes": downvotes(parts),
    }
    if visit.is_fragment:
        return await _more(parts, visit, "comments" if comments_shown else "posts", values)
    return await page(parts, visit, frame, "person.html", values=values)


@get("/saved")
async def saved_page(
    parts: GivenParts, visit: GivenVisit, show: FromQuery[str | None] = None,
    page_number: FromQuery[int] = 1,
) -> Response[bytes]:
    """Show what the viewer keeps for later."""
    viewer = visit.required()
    comments_shown = show == "comments"

    def find(unit: Unit) -> tuple[list[PostView], list[CommentView]]:
        if comments_shown:
            return [], parts.forum.comment_list(unit, viewer, CommentQuery(
                sort=CommentSort.NEW, saved_only=True, page=page_number, limit=COMMENTS_PER_PAGE,
            ))
        posts, _ = parts.forum.post_list(unit, viewer, PostQuery(
            listing=Listing.ALL, sort=Sort.NEW, saved_only=True, show_read=True, page=page_number,
            limit=POSTS_PER_PAGE,
        ))
        return posts, []

    (posts, comments), frame = await parts.framed(visit, find)
    values: dict[str, object] = {
        "posts": posts, "comments": comments, "comments_shown": comments_shown,
        "next": next_page(parts.addresses.saved, len(posts or comments), page_number, show=show),
        "sort": "", "community": None, "now_us": parts.now_us(), "downvotes": downvotes(parts),
    }
    if visit.is_fragment:
        return await _more(parts, visit, "comments" if comments_shown else "posts", values)
    return await page(parts, visit, frame, "saved.html", values=values)


def next_page(path: str, count: int, page_number: int, *, show: str | None) -> str | None:
    """Return the address of the next page of a list, None when this one is the last."""
    if count < POSTS_PER_PAGE:
        return None
    shown = "show=comments&" if show == "comments" else ""
    return f"{path}?{shown}page_number={page_number + 1}"


def downvotes(parts: Parts) -> bool:
    """Say whether this site has downvotes."""
    return parts.accounts.current_site.settings.enable_downvotes


async def _posts_page(
    parts: Parts, visit: Visit, query: PostQuery, values: dict[str, object], *,
    onward: dict[str, str],
) -> Response[bytes]:
    """Answer with a list of posts, or with more of one."""

    def find(unit: Unit) -> tuple[list[PostView], Page]:
        return parts.forum.post_list(unit, visit.viewer, query)

    values = {"community": None, "sort": query.sort.value, "sort_word": SORT_WORDS[query.sort],
              "now_us": parts.now_us(), "downvotes": downvotes(parts), **values}
    if visit.is_fragment:
        posts, following = await parts.store.read(find)
    else:
        (posts, following), frame = await parts.framed(visit, find)
    values["posts"] = posts
    values["next"] = None
    if following.next:
        links = choices([(following.next, "")], "", visit.path, cursor="{}",
                        sort=query.sort.value, **onward)
        values["next"] = links[0].href
    if visit.is_fragment:
        return await _more(parts, visit, "posts", values)
    return await page(parts, visit, frame, "list.html", values=values)


async def _more(
    parts: Parts, visit: Visit, kind: str, values: dict[str, object]
) -> Response[bytes]:
    """Answer with the next items of a list, in place of the link that asked for them."""
    html = parts.drawing.draw(f"pieces/{kind}.html", visit=visit, **values)
    return fragment(parts, html, target=".more")


def _by_person(
    parts: Parts, unit: Unit, visit: Visit, *, person_id: int, shown: str | None,
    page_number: int,
) -> tuple[list[PostView], list[CommentView]]:
    """Return a page of a person's posts or comments; of both where `shown` names neither."""
    posts: list[PostView] = []
    comments: list[CommentView] = []
    if shown != "posts":
        comments = parts.forum.comment_list(unit, visit.viewer, CommentQuery(
            sort=CommentSort.NEW, creator_id=person_id, page=page_number, limit=COMMENTS_PER_PAGE,
        ))
    if shown != "comments":
        posts, _ = parts.forum.post_list(unit, visit.viewer, PostQuery(
            listing=Listing.ALL, sort=Sort.NEW, creator_id=person_id, show_read=True,
            page=page_number, limit=POSTS_PER_PAGE,
        ))
    return posts, comments


def _sorts(sort: Sort, path: str, *, listing: str = "") -> list[object]:
    words = [(key.value, word) for key, word in SORT_WORDS.items()]
    return list(choices(words, sort.value, path, listing=listing, sort="{}"))


def _tagline(parts: Parts) -> str:
    """Return the line of the minute, "" where there is none."""
    lines = parts.accounts.current_lists.taglines
    return lines[parts.now_us() // _TAGLINE_US % len(lines)] if lines else ""


def _front_empty(parts: Parts, listing: Listing) -> Empty:
    if listing is Listing.SUBSCRIBED:
        return Empty("Your front page is bare rock", "Join a few communities and it will grow.",
                     parts.addresses.communities, "Find communities")
    return Empty("Nothing grows here yet", "Whoever writes first sets the tone.",
                 parts.addresses.post_new, "Write the first post")


HANDLERS = [front, community_page, person_page, saved_page]
