"""What is answered to whoever asks for one of our ids.

Only what everybody may see: what is held or of a community that stays local is not there (404);
what was taken away is a Tombstone (410). Of other servers' things they themselves answer.
"""

import asyncio
import threading
from collections.abc import Callable, Iterator, Sequence
from typing import Any, NamedTuple, TypeVar

import msgspec

from lichen.accounts import Accounts, Actor, ActorKind, site_did
from lichen.federation.deeds import Deeds, encoded
from lichen.federation.documents import (
    Document,
    OurDocuments,
    collection,
    counted,
    did_document,
    paged,
    tombstone,
    with_context,
)
from lichen.federation.limits import COLLECTION_ITEMS_MAX, CONTEXT_ITEMS_MAX, OUTBOX_BYTES_MAX
from lichen.federation.outgoing import Outgoing, Shelf
from lichen.federation.scenes import mentioned_in
from lichen.federation.successors import lineages_of
from lichen.forum import (
    CommentId,
    CommentQuery,
    CommentSort,
    CommentView,
    Community,
    Forum,
    Listing,
    PostQuery,
    PostView,
    Sort,
)
from lichen.kit import NotFound
from lichen.log import Log
from lichen.store import Store, Unit
from lichen.web import Addresses

T = TypeVar("T")

_FIRST = "first"  # the name of an outbox's first page; the others are named by cursors of lists
_NUMBER_LENGTH_MAX = 18  # digits that any row's number can have


class Shown(NamedTuple):
    """A document and the status that it is answered with."""

    document: Document
    status: int = 200


class Desk:
    """Answers by id; one to four round trips each, keys come from memory of the rows."""

    def __init__(
        self, store: Store, outgoing: Log, *, accounts: Accounts, forum: Forum,
        addresses: Addresses,
    ) -> None:
        self._store = store
        self._accounts = accounts
        self._forum = forum
        self._addresses = addresses
        self._documents = OurDocuments(addresses)
        self._deeds = Deeds(addresses)
        self._shelf = Shelf(outgoing)  # of its own: looked through beside the loop
        self._one_at_a_time = threading.Lock()

    async def site(self) -> Shown:
        """Return the site's own actor."""
        site = self._accounts.current_site
        key = await self._accounts.keys(site.actor.id)
        return self._alone(self._documents.application(site, key.public))

    async def person(self, name: str) -> Shown:
        """Return a person of ours."""
        person = await self._actor(ActorKind.PERSON, name)
        if person.deleted:
            return _gone(person.ap_id)
        key = await self._accounts.keys(person.id)
        known = await self._read(lambda unit: self._accounts.known_as(unit, [person.id]))
        return self._alone(self._documents.person(person, key.public, known[person.id]))

    async def community(self, name: str) -> Shown:
        """Return a community of ours."""
        community = await self._community(name)
        if community.deleted or community.removed:
            return _gone(community.actor.ap_id)
        key = await self._accounts.keys(community.id)
        named = await self._read(lambda unit: lineages_of(unit, self._accounts, [community.id]))
        return self._alone(self._documents.group(community, key.public, named[community.id]))

    async def post(self, post_id: int) -> Shown:
        """Return a post of ours."""
        view = await self._post(post_id)
        if view.post.deleted or view.post.removed:
            return _gone(view.post.ap_id)
        return self._alone(self._page(view))

    async def comment(self, comment_id: int) -> Shown:
        """Return a comment of ours."""
        found = await self._read(lambda unit: self._notes(unit, [comment_id]))
        if not found:
            raise _nothing()
        view, note = found[0]
        comment = view.comment
        if comment.deleted or comment.removed:
            return _gone(comment.ap_id)
        return self._alone(note)

    async def outbox(self, name: str, page: str = "") -> Shown:
        """Return what was posted last in a community, as it was announced, or a page of it."""
        community = await self._community(name)
        posts, following = await self._posts(PostQuery(community_id=community.id), page)
        group = community.actor.ap_id
        items = [
            self._deeds.announce(view.post.tid, group=group, object_=created)
            for view, created in self._all_created(posts)
        ]
        return self._alone(paged(
            f"{group}/outbox", items, count=community.posts, first=_FIRST, page=page,
            following=following,
        ))

    async def persons_outbox(self, name: str, page: str = "") -> Shown:
        """Return what a person posted last, or a page of it; the first has as many comments.

        Whoever moves takes both along from here.
        """
        person = await self._actor(ActorKind.PERSON, name)
        asked = PostQuery(creator_id=person.id)
        posts, following = ([], "") if person.deleted else await self._posts(asked, page)
        said = [(view.post.published_us, created) for view, created in self._all_created(posts)]
        if page in ("", _FIRST) and not person.deleted:
            said += await self._comments(person)
        said.sort(key=lambda one: -one[0])
        is_whole = not (page or following)
        return self._alone(paged(
            f"{person.ap_id}/outbox", [created for _, created in said],
            count=len(said) if is_whole else None, first=_FIRST, page=page, following=following,
        ))

    async def followers(self, name: str) -> Shown:
        """Return how many follow a community; who they are is nobody's business."""
        community = await self._community(name)
        return self._alone(counted(f"{community.actor.ap_id}/followers", community.subscribers))

    async def featured(self, name: str) -> Shown:
        """Return what is pinned in a community."""
        community = await self._community(name)
        posts, _ = await self._posts(PostQuery(community_id=community.id))
        return self._alone(collection(f"{community.actor.ap_id}/featured", [
            self._page(view) for view in posts if view.post.featured_community
        ]))

    async def moderators(self, name: str) -> Shown:
        """Return who moderates a community."""
        community = await self._community(name)
        people = await self._read(lambda unit: self._forum.moderators(unit, community.id))
        return self._alone(collection(
            f"{community.actor.ap_id}/moderators", [person.ap_id for person in people]
        ))

    async def context(self, post_id: int, page: str = "") -> Shown:
        """Return the ids of a post and of what was said below it (FEP-7888), or a page of them.

        A page is named by the comment that it begins after.
        """
        after_id = _number_in(page)
        view = await self._post(post_id, in_ours=True)
        id_ = self._context(view)
        if view.post.deleted or view.post.removed:
            return _gone(id_)

        def read(unit: Unit) -> tuple[list[CommentId], list[CommentView]]:
            ids = self._forum.comment_ids_below(
                unit, post_id, after_id=after_id, limit=CONTEXT_ITEMS_MAX
            )
            return ids, self._forum.comment_views(unit, None, ids) if ids else []

        ids, views = await self._read(read)
        said = [
            one.comment.ap_id for one in views
            if not (one.comment.deleted or one.comment.removed or one.comment.held)
        ]
        document = paged(
            id_, [view.post.ap_id, *said] if after_id == 0 else said,
            count=view.post.comments + 1, first="0", page=page,
            following=str(ids[-1]) if len(ids) == CONTEXT_ITEMS_MAX else "",
        )
        return self._alone({**document, "attributedTo": view.community.actor.ap_id})

    async def site_outbox(self) -> Shown:
        """Return what the site itself has said: nothing."""
        return self._alone(collection(self._addresses.absolute("/site_outbox"), []))

    async def activity(self, kind: str, key: str) -> Shown:
        """Return an activity of ours by its id, for as long as it is kept; never a private one."""
        self._check_on()
        wanted = self._deeds.id_of(kind, key)
        for record in await asyncio.to_thread(self._find, key.partition("-")[0]):
            if not record.public:
                continue
            whole = msgspec.json.decode(record.activity, type=dict[str, Any])
            inner = whole.get("object")
            for found in (whole, inner):
                if isinstance(found, dict) and found.get("id") == wanted:
                    found.pop("@context", None)
                    return self._alone(found)
        raise _nothing()

    async def did(self, did: str) -> Shown:
        """Return what a DID of ours stands for."""
        actor = await self._read(lambda unit: self._accounts.actor_by_did(unit, did))
        if actor is None:
            raise _nothing()
        if actor.deleted:
            return _gone(actor.ap_id)
        return Shown(did_document(actor, actor.ap_id))

    def did_of(self, *words: str) -> str:
        """Return the DID whose document stands at a path of these words."""
        return ":".join((site_did(self._addresses.authority), *words))

    def _find(self, key: str) -> list[Outgoing]:
        with self._one_at_a_time:
            return self._shelf.find(key)

    def _page(self, view: PostView) -> Document:
        return self._documents.page(view.post, author=view.creator, community=view.community)

    def _all_created(self, posts: Sequence[PostView]) -> Iterator[tuple[PostView, Document]]:
        """Yield posts with the activity that made each; beyond what a page may weigh, posts are
        named and have to be asked for.
        """
        left = OUTBOX_BYTES_MAX
        for view in posts:
            page = self._page(view)
            if not view.post.local:
                # Where the community's server names what was said below it.
                page["context"] = self._context(view)
            left -= len(encoded(page))
            yield view, self._deeds.in_community(
                "Create", view.post.tid, actor=view.creator.ap_id,
                community=view.community.actor.ap_id,
                object_=page if left >= 0 else view.post.ap_id,
            )

    async def _comments(self, person: Actor) -> list[tuple[int, Document]]:
        """Return when a person wrote its newest comments, and their Creates."""
        query = CommentQuery(
            creator_id=person.id, sort=CommentSort.NEW, limit=COLLECTION_ITEMS_MAX
        )

        def read(unit: Unit) -> list[tuple[CommentView, Document]]:
            newest = self._forum.comment_list(unit, None, query)
            return self._notes(unit, [view.comment.id for view in newest]) if newest else []

        return [
            (view.comment.published_us, self._deeds.in_community(
                "Create", view.comment.tid, actor=view.creator.ap_id,
                community=view.community.actor.ap_id, object_=note,
            ))
            for view, note in await self._read(read)
            if not (view.comment.deleted or view.comment.removed)
        ]

    def _notes(self, unit: Unit, ids: Sequence[int]) -> list[tuple[CommentView, Document]]:
        """Return comments of ours that everybody may see, with their documents, gone or not; three
        round trips.
        """
        found = self._forum.scene_of(unit, None, comments=ids).comments
        views = [
            view for one in ids if (view := found.get(one)) is not None and view.comment.local
            and not (view.comment.held or view.post.held or view.community.local_only)
        ]
        above = {view.comment.parent_id for view in views if view.comment.parent_id is not None}
        around = self._forum.scene_of(
            unit, None, posts=sorted({view.post.id for view in views}), comments=sorted(above)
        )
        said = {view.comment.id: mentioned_in(view.comment.content) for view in views}
        names = {(one.name.lower(), one.domain) for named in said.values() for one in named}
        people = self._accounts.persons_named(unit, names) if names else {}
        notes = []
        for view in views:
            parent = around.comments.get(view.comment.parent_id or 0)
            post = around.posts[view.post.id]
            notes.append((view, self._documents.note(
                view.comment, author=view.creator, community=view.community.actor,
                post=view.post, parent=parent.comment if parent else None,
                answered=parent.creator if parent else post.creator,
                mentioned=[people[pair] for one in said[view.comment.id]
                           if (pair := (one.name.lower(), one.domain)) in people],
            )))
        return notes

    async def _actor(self, kind: ActorKind, name: str) -> Actor:
        actor = await self._read(lambda unit: self._accounts.actor_by_name(unit, kind, name))
        if actor is None or not actor.local:
            raise _nothing()
        return actor

    async def _community(self, name: str) -> Community:
        actor = await self._actor(ActorKind.COMMUNITY, name)
        found = await self._read(
            lambda unit: self._forum.community_views(unit, None, [actor.id])
        )
        if not found or found[0].community.local_only:
            raise _nothing()
        return found[0].community

    def _context(self, view: PostView) -> str:
        """Return where everything said below a post in a community of ours is named."""
        post = view.post
        id_ = post.ap_id if post.local else self._addresses.absolute(self._addresses.post(post.id))
        return f"{id_}/context"

    async def _post(self, post_id: int, *, in_ours: bool = False) -> PostView:
        """Return a post of ours, or one in a community of ours."""
        scene = await self._read(lambda unit: self._forum.scene_of(unit, None, posts=[post_id]))
        view = scene.posts.get(post_id)
        if view is None or view.post.held or view.community.local_only:
            raise _nothing()
        if not (view.post.local or (in_ours and view.community.actor.local)):
            raise _nothing()
        return view

    async def _posts(self, asked: PostQuery, page: str = "") -> tuple[list[PostView], str]:
        """Return a page of the newest posts that everybody may see, and the next page's name."""
        query = msgspec.structs.replace(
            asked, listing=Listing.ALL, sort=Sort.NEW, limit=COLLECTION_ITEMS_MAX, show_nsfw=True,
            show_bots=True, show_read=True, languages=(),
            cursor=None if page in ("", _FIRST) else page,
        )
        views, bounds = await self._read(lambda unit: self._forum.post_list(unit, None, query))
        seen = [view for view in views if not (view.post.held or view.community.local_only)]
        return seen, bounds.next or ""

    async def _read(self, query: Callable[[Unit], T]) -> T:
        self._check_on()
        return await self._store.read(query)

    def _check_on(self) -> None:
        if not self._accounts.current_site.settings.federation_enabled:
            raise _nothing()

    def _alone(self, document: Document) -> Shown:
        return Shown(with_context(document))


def _number_in(page: str) -> int:
    """Return the number in a page's name, 0 for none."""
    if page and not (page.isascii() and page.isdigit() and len(page) <= _NUMBER_LENGTH_MAX):
        raise _nothing()
    return int(page or 0)


def _gone(id_: str) -> Shown:
    return Shown(with_context(tombstone(id_)), 410)


def _nothing() -> NotFound:
    return NotFound("couldnt_find_object", "There is no such thing here.")
