"""One community elsewhere, compared with what its server has of it now.

    outbox, page by page ─► new: stored   changed: written again   ─► its context ─► comments alike
    ours that it names no longer ─► asked for one by one ─► gone for good (410): deleted here

Whatever a collection says is only a name: a thing is believed from its own server alone, stored by
the resolver, and changed or deleted by the rules for what peers send. Votes are in no collection.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial
from typing import Any, NamedTuple, Protocol

import msgspec

from lichen.accounts import Actor
from lichen.federation.activities import kind_of
from lichen.federation.actors import actor_in, address_of
from lichen.federation.documents import PUBLIC
from lichen.federation.fetching import Document, Documents, Gone
from lichen.federation.limits import (
    CATCH_UP_AGAIN_MAX,
    CATCH_UP_AT_ONCE_MAX,
    CATCH_UP_AWAY_MAX,
    CATCH_UP_COMMENTS_MAX,
    CATCH_UP_ITEMS_MAX,
    CATCH_UP_OLDER_MAX,
    CATCH_UP_PAGES_MAX,
    CATCH_UP_REQUESTS_MAX,
    COLLECTION_ITEMS_MAX,
)
from lichen.federation.model import authority_of
from lichen.federation.objects import THING_TYPES, Thing, thing_of
from lichen.federation.paging import pages_of
from lichen.forum import Comment, CommentView, Forum, Listing, Post, PostQuery, PostView, Sort
from lichen.kit import Refused, Unavailable
from lichen.store import Store, Unit

Take = Callable[[str, bytes], Awaitable[None]]  # a peer, and an activity in its name
_WRAPPERS = ("Announce", "Create", "Update", "Add")
_STEP = 10  # posts between two words of how far it is
_WRAPPED_MAX = 3  # levels of activities around a post: Announce{Create{Page}}


class Cut(Exception):
    """A limit was reached; `text` says which."""

    def __init__(self, text: str) -> None:
        super().__init__(text)
        self.text = text


class Finder(Protocol):
    """Who stores what was fetched; the resolver."""

    async def store_thing(self, thing: Thing) -> Post | Comment | Actor | None:
        """Store a thing that its own server served; raises Refused, Unavailable."""


class Errand:
    """One run: what it has brought so far, and what it may still ask for."""

    def __init__(self, documents: Documents) -> None:
        self.posts = 0
        self.comments = 0
        self.changed = 0
        self.deleted = 0
        self._documents = documents
        self._left = CATCH_UP_REQUESTS_MAX
        self._again_left = CATCH_UP_AGAIN_MAX
        self._away = 0

    async def fetch(self, url: str) -> Document:
        """Return a document; raises as `Documents.fetch`, and Cut where that was enough."""
        if self._left == 0:
            raise Cut(f"At most {CATCH_UP_REQUESTS_MAX} documents are asked for at once.")
        self._left -= 1
        return await self._documents.fetch(url)

    def may_ask_again(self) -> bool:
        """Say whether one more thing that is here already may be asked for; count it."""
        self._again_left -= 1
        return self._again_left >= 0

    @contextmanager
    def bearing(self) -> Iterator[None]:
        """Go on where one thing is refused; raises Unavailable after several in a row."""
        try:
            yield
            self._away = 0
        except Refused:
            pass
        except Unavailable:
            self._away += 1
            if self._away >= CATCH_UP_AWAY_MAX:
                raise


class Listed(NamedTuple):
    """A thing that a collection names, with what it says of it there, None for nothing."""

    ap_id: str
    document: Document | None


class Comparing:
    """Brings communities up to date."""

    def __init__(self, store: Store, forum: Forum, finder: Finder) -> None:
        self._store = store
        self._forum = forum
        self._finder = finder
        self.take: Take = _dropped  # how an activity is applied as if its peer had sent it

    async def compare(
        self, community: Actor, errand: Errand, *, moved: Callable[[], object]
    ) -> None:
        """Bring what is new or changed in a community, and take away what is gone.

        `moved` is called now and then, for whoever shows how far it is.
        Raises Unavailable where its server cannot be asked now, Refused where it has no such
        community, and Cut.
        """
        outbox = actor_in(await errand.fetch(community.ap_id)).outbox
        if not outbox:
            return
        seen: dict[str, int] = {}  # when each was published, 0 where nobody says
        async for page in pages_of(errand, outbox, pages_max=CATCH_UP_PAGES_MAX):
            items = (listed_in(item) for item in page[:CATCH_UP_ITEMS_MAX])
            listed = {one.ap_id: one for one in items if one is not None}
            fresh = [one for ap_id, one in listed.items() if ap_id not in seen]
            for at in range(0, len(fresh), _STEP):
                await self._compare_posts(community, fresh[at : at + _STEP], seen, errand)
                moved()
        times = [one for one in seen.values() if one]
        if times:
            await self._ask_for_unnamed(community, seen, min(times), errand)

    async def _compare_posts(
        self, community: Actor, listed: Sequence[Listed], seen: dict[str, int], errand: Errand
    ) -> None:
        known = await self._posts([one.ap_id for one in listed])
        for one in listed:
            view = known.get(one.ap_id)
            seen[one.ap_id] = view.post.published_us if view else 0
            if view is not None and (view.community.id != community.id or _is_gone(view)):
                continue
            with errand.bearing():
                document = await self._document(one, view, community, errand)
                thing = thing_of(document)
                if thing.ap_id != one.ap_id or thing.replies_to:
                    continue
                post = await self._keep_post(thing, document, view, community, errand=errand)
                if post is not None:
                    seen[one.ap_id] = post.published_us
                    # Its community's server knows best what was said below it.
                    address = _context_in(one.document or {}) or _context_in(document)
                    await self._compare_comments(post, address, community, errand)

    async def _document(
        self, one: Listed, view: PostView | None, community: Actor, errand: Errand
    ) -> Document:
        """Return what a listed post is: as it is listed where that is its own server's word."""
        inside = one.document
        if inside is not None:
            thing = thing_of(inside)
            homes = {authority_of(one.ap_id), *map(authority_of, thing.authors)}
            if homes == {community.domain} or (view is not None and _is_as_late(thing, view.post)):
                return inside
        return await errand.fetch(one.ap_id)

    async def _keep_post(
        self, thing: Thing, document: Document, view: PostView | None, community: Actor,
        *, errand: Errand,
    ) -> Post | None:
        """Store or change a post; return it where comments on it may be asked for."""
        if view is not None:
            await self._change(thing, document, view.post, view.creator, errand=errand)
            return view.post
        if community.ap_id not in thing.addressees:
            return None
        # Whom else it names is not asked for.
        stored = await self._finder.store_thing(
            msgspec.structs.replace(thing, addressees=(community.ap_id,))
        )
        if not isinstance(stored, Post):
            return None
        errand.posts += 1
        return stored

    async def _compare_comments(
        self, post: Post, address: str, community: Actor, errand: Errand
    ) -> None:
        """Bring the comments below a post that a collection names."""
        homes = {community.domain} if post.local else {community.domain, authority_of(post.ap_id)}
        if authority_of(address) not in homes:
            return
        named: dict[str, Listed] = {}
        async for page in pages_of(errand, address, pages_max=CATCH_UP_PAGES_MAX):
            found = (listed_in(item) for item in page[: CATCH_UP_COMMENTS_MAX - len(named)])
            named |= {one.ap_id: one for one in found if one is not None}
            if len(named) >= CATCH_UP_COMMENTS_MAX:
                break
        named.pop(post.ap_id, None)
        here = await self._below(post)
        things = await self._things([one for one in named if one not in here], errand)
        for thing in in_order(things, [post.ap_id, *here]):
            with errand.bearing():
                if await self._finder.store_thing(thing) is not None:
                    errand.comments += 1
        # What is named no longer first: of that we know that something became of it.
        for view in sorted(here.values(), key=lambda one: one.comment.ap_id in named):
            if not (view.comment.local or _is_gone(view)) and errand.may_ask_again():
                with errand.bearing():
                    await self._ask_again(view.comment, view.creator, errand)

    async def _things(self, ap_ids: Sequence[str], errand: Errand) -> list[Thing]:
        """Return comments that are not here, each from its own server, a few at once."""
        found: list[Thing] = []
        for start in range(0, len(ap_ids), CATCH_UP_AT_ONCE_MAX):
            few = ap_ids[start : start + CATCH_UP_AT_ONCE_MAX]
            answers = await asyncio.gather(*map(errand.fetch, few), return_exceptions=True)
            for ap_id, answer in zip(few, answers, strict=True):
                with errand.bearing():
                    found += _thing_in(answer, ap_id)
        return found

    async def _ask_for_unnamed(
        self, community: Actor, named: Mapping[str, int], oldest_us: int, errand: Errand
    ) -> None:
        """Ask for the posts of ours that an outbox leaves out, though it names older ones."""
        query = PostQuery(
            listing=Listing.ALL, sort=Sort.NEW, community_id=community.id, show_nsfw=True,
            limit=COLLECTION_ITEMS_MAX, show_bots=True, show_read=True, languages=(),
        )
        for _ in range(CATCH_UP_OLDER_MAX // COLLECTION_ITEMS_MAX):
            views, bounds = await self._store.read(
                partial(self._forum.post_list, viewer=None, query=query), apart=True
            )
            unnamed = [
                view for view in views
                if view.post.ap_id not in named and view.post.published_us >= oldest_us
                and not view.post.local and errand.may_ask_again()
            ]
            for view in unnamed:
                with errand.bearing():
                    await self._ask_again(view.post, view.creator, errand)
            # What is pinned comes first, however old it is.
            if bounds.next is None or all(one.post.published_us < oldest_us for one in views):
                return
            query = msgspec.structs.replace(query, cursor=bounds.next)

    async def _ask_again(self, known: Post | Comment, author: Actor, errand: Errand) -> None:
        """Ask a thing's own server how it is now: changed, or gone for good."""
        home = authority_of(known.ap_id)
        try:
            document = await errand.fetch(known.ap_id)
        except Gone as gone:
            if gone.by == home:
                await self._delete(known, author, errand)
            return
        if document.get("type") == "Tombstone" and document.get("id") == known.ap_id:
            await self._delete(known, author, errand)
            return
        await self._change(thing_of(document), document, known, author, errand=errand)

    async def _change(
        self, thing: Thing, document: Document, known: Post | Comment, author: Actor,
        *, errand: Errand,
    ) -> None:
        """Write a thing again where its own server has it changed later than ours."""
        if (known.local or _is_as_late(thing, known) or thing.ap_id != known.ap_id
                or author.ap_id not in thing.authors):
            return
        await self._tell(author, "Update", f"{thing.ap_id}#at-{thing.updated_us}", document)
        errand.changed += 1

    async def _delete(self, known: Post | Comment, author: Actor, errand: Errand) -> None:
        id_ = f"{known.ap_id}#gone-{self._store.clock()}"
        await self._tell(author, "Delete", id_, known.ap_id)
        errand.deleted += 1

    async def _tell(self, author: Actor, kind: str, id_: str, object_: object) -> None:
        await self.take(authority_of(author.ap_id), msgspec.json.encode({
            "type": kind, "id": id_, "actor": author.ap_id, "to": [PUBLIC], "object": object_,
        }))

    async def _posts(self, ap_ids: Sequence[str]) -> dict[str, PostView]:
        """Return which of the posts are here, gone or not; two round trips."""
        def read(unit: Unit) -> Iterable[PostView]:
            queries = self._forum.places_queries(unit, ap_ids, [])
            places, _ = self._forum.places_from(unit.fetch_all(*queries))
            ids = [place.id for place in places.posts.values()]
            return self._forum.scene_of(unit, None, posts=ids).posts.values() if ids else ()

        return {one.post.ap_id: one for one in await self._store.read(read, apart=True)}

    async def _below(self, post: Post) -> dict[str, CommentView]:
        """Return what is here below a post, gone or not; two round trips."""
        def read(unit: Unit) -> Iterable[CommentView]:
            ids = self._forum.comment_ids_below(
                unit, post.id, after_id=0, limit=CATCH_UP_COMMENTS_MAX
            )
            return self._forum.scene_of(unit, None, comments=ids).comments.values() if ids else ()

        return {one.comment.ap_id: one for one in await self._store.read(read, apart=True)}


async def _dropped(_peer: str, _activity: bytes) -> None:
    """Apply nothing."""


def listed_in(item: Any) -> Listed | None:
    """Return the thing that an item of a collection names, whatever is wrapped around it; pure."""
    for _ in range(_WRAPPED_MAX):
        if isinstance(item, dict) and kind_of(item) in _WRAPPERS:
            item = item.get("object")
    is_whole = isinstance(item, dict) and kind_of(item) in THING_TYPES - {"Tombstone"}
    ap_id = address_of(item)
    return Listed(ap_id, item if is_whole else None) if ap_id else None


def _thing_in(answer: Document | BaseException, ap_id: str) -> Iterator[Thing]:
    """Yield the thing that was asked for; raises what was answered instead."""
    if isinstance(answer, BaseException):
        raise answer
    thing = thing_of(answer)
    if thing.ap_id == ap_id:
        yield thing


def in_order(things: Iterable[Thing], known: Iterable[str]) -> list[Thing]:
    """Return comments, what is answered before its answers; what hangs from nothing known is left
    out. Pure.
    """
    answers: dict[str, list[Thing]] = {}
    for thing in things:
        answers.setdefault(thing.replies_to, []).append(thing)
    ordered = [thing for above in dict.fromkeys(known) for thing in answers.pop(above, ())]
    for thing in ordered:  # it grows: each is followed by what answers it
        ordered += answers.pop(thing.ap_id, ())
    return ordered


def _context_in(document: Document) -> str:
    """Return the collection of what was said below a post: FEP-7888, else ActivityStreams'."""
    return address_of(document.get("context")) or address_of(document.get("replies"))


def _is_gone(view: PostView | CommentView) -> bool:
    thing = view.post if isinstance(view, PostView) else view.comment
    return thing.deleted or thing.removed or thing.held


def _is_as_late(thing: Thing, known: Post | Comment) -> bool:
    """Say whether what is here is no older than what its server has."""
    return (thing.updated_us or 0) <= (known.updated_us or 0)
