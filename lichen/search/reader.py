"""The reader of search: keeps a document of everything that can be found.

    post, comment, community, profile: created, changed, gone ──► its rows, as they are now
                                                              ──► document + words + checkpoint

A rows reader. An event only says *which* thing changed; the document is made from the rows as they
are when the batch is applied. So what is applied twice, late or over newer rows ends the same.
"""

from collections.abc import Iterable, Sequence
from functools import partial

from lichen.accounts import Accounts, ActorKind
from lichen.events import Event, collection_of, decode_events
from lichen.events.accounts import Profile, SiteBan
from lichen.events.forum import Comment, Community, Post
from lichen.forum import Forum
from lichen.log import Batch
from lichen.search import tables
from lichen.search.model import Document, Kind, document_id
from lichen.store import Store, Unit, advance_checkpoint, checkpoint_of, next_number

NAME = "search"
REBUILD_CHUNK = 500  # things indexed in one transaction of a rebuild
UNMARKED_EVENTS_MAX = 50_000  # that touch nothing; then the checkpoint moves for its own sake

_KINDS = {
    collection_of(Post): Kind.POST,
    collection_of(Comment): Kind.COMMENT,
    collection_of(Community): Kind.COMMUNITY,
    collection_of(Profile): Kind.PERSON,
    collection_of(SiteBan): Kind.PERSON,
}
_NUMBERS = {
    Kind.POST: "post", Kind.COMMENT: "comment", Kind.COMMUNITY: "actor", Kind.PERSON: "actor",
}


class SearchReader:
    """Follows the log and keeps documents and words."""

    name = NAME
    serves_pages = True

    def __init__(self, store: Store, *, forum: Forum, accounts: Accounts, position: int) -> None:
        self._store = store
        self._forum = forum
        self._accounts = accounts
        self._position = position
        self._marked = position

    def position(self) -> int:
        """Return the last sequence applied."""
        return self._position

    async def apply(self, batch: Batch) -> None:
        """Index again whatever a batch touches; votes and tallies touch nothing."""
        changed = _changed(decode_events(batch.lines()))
        last = batch.next_seq - 1

        def command(unit: Unit) -> None:
            if checkpoint_of(unit, NAME) < last:
                self._index(unit, changed)
                advance_checkpoint(unit, NAME, last)

        if changed or last - self._marked > UNMARKED_EVENTS_MAX:
            await self._store.write(command, apart=True)
            self._marked = last
        self._position = last

    async def rebuild(self, log_seq: int) -> None:
        """Forget everything and index every row again; `log_seq` is where the log ends now.

        Cut off, it leaves a checkpoint of 0: the next start goes on from the log's beginning, or
        rebuilds where that is gone.
        """
        def empty(unit: Unit) -> None:
            unit.stage(tables.EMPTY_WORDS, {})
            unit.stage(tables.EMPTY, {})
            advance_checkpoint(unit, NAME, 0)

        await self._store.write(empty)
        for kind, name in _NUMBERS.items():
            end = await self._store.read(partial(next_number, name=name))
            for first in range(1, end, REBUILD_CHUNK):
                rows = set(range(first, min(end, first + REBUILD_CHUNK)))
                await self._store.write(partial(self._index, changed={kind: rows}))
        await self._store.write(lambda unit: advance_checkpoint(unit, NAME, log_seq))
        self._position = self._marked = log_seq

    def index(self, unit: Unit, documents: Iterable[Document]) -> None:
        """Write documents that are not there yet; for whoever fills many rows at once."""
        found = list(documents)
        if found:
            unit.stage(tables.KEEP, *(_row(one) for one in found))
            words = ({"id": one.id, "title": one.title, "body": one.body} for one in found)
            unit.stage(tables.KEEP_WORDS[self._store.engine], *words)

    def index_people(self, unit: Unit, ids: Sequence[int]) -> None:
        """Index people that are not there yet."""
        self.index(unit, _of_persons(self._accounts, unit, list(ids)))

    def index_communities(self, unit: Unit, ids: Sequence[int]) -> None:
        """Index communities that are not there yet."""
        self.index(unit, _of_communities(self._forum, unit, list(ids)))

    def _index(self, unit: Unit, changed: dict[Kind, set[int]]) -> None:
        """Replace the documents of the changed things; round trips by kind, not by thing."""
        documents = self._documents(unit, {kind: sorted(rows) for kind, rows in changed.items()})
        kept = {one.id for one in documents}
        touched = [document_id(kind, row) for kind, rows in changed.items() for row in rows]
        unit.stage(tables.DROP_WORDS, {"ids": touched})
        unit.stage(tables.DROP, {"ids": [id for id in touched if id not in kept]})
        self.index(unit, documents)

    def _documents(self, unit: Unit, changed: dict[Kind, list[int]]) -> list[Document]:
        """Return a document of everything that can be seen now."""
        found: list[Document] = []
        if rows := changed.get(Kind.POST):
            found += _of_posts(self._forum, unit, rows)
        if rows := changed.get(Kind.COMMENT):
            found += _of_comments(self._forum, unit, rows)
        if rows := changed.get(Kind.COMMUNITY):
            found += _of_communities(self._forum, unit, rows)
        if rows := changed.get(Kind.PERSON):
            found += _of_persons(self._accounts, unit, rows)
        return found


def _changed(events: list[Event]) -> dict[Kind, set[int]]:
    changed: dict[Kind, set[int]] = {}
    for event in events:
        kind = _KINDS.get(event.collection)
        if kind is not None:
            changed.setdefault(kind, set()).add(event.row)
    return changed


def _of_posts(forum: Forum, unit: Unit, rows: list[int]) -> list[Document]:
    return [
        Document(
            kind=Kind.POST, row=view.post.id, title=view.post.name, body=view.post.body or "",
            creator_id=view.post.creator_id, community_id=view.post.community_id,
            local=view.post.local, nsfw=view.post.nsfw or view.community.nsfw,
            published_us=view.post.published_us, url=view.post.url,
        )
        for view in forum.post_views(unit, None, rows)
        if not (view.post.deleted or view.post.removed)
    ]


def _of_comments(forum: Forum, unit: Unit, rows: list[int]) -> list[Document]:
    return [
        Document(
            kind=Kind.COMMENT, row=view.comment.id, title="", body=view.comment.content,
            creator_id=view.comment.creator_id, community_id=view.post.community_id,
            local=view.comment.local, nsfw=view.post.nsfw or view.community.nsfw,
            published_us=view.comment.published_us,
        )
        for view in forum.comment_views(unit, None, rows)
        if not (view.comment.deleted or view.comment.removed)
    ]


def _of_communities(forum: Forum, unit: Unit, rows: list[int]) -> list[Document]:
    return [
        Document(
            kind=Kind.COMMUNITY, row=view.community.id,
            title=f"{view.community.actor.name} {view.community.actor.shown_name}",
            body=view.community.actor.summary or "", creator_id=0, community_id=view.community.id,
            local=view.community.actor.local, nsfw=view.community.nsfw,
            published_us=view.community.actor.published_us,
        )
        for view in forum.community_views(unit, None, rows)
        if not (view.community.deleted or view.community.removed or view.community.hidden)
    ]


def _of_persons(accounts: Accounts, unit: Unit, rows: list[int]) -> list[Document]:
    return [
        Document(
            kind=Kind.PERSON, row=actor.id, title=f"{actor.name} {actor.shown_name}",
            body=actor.summary or "", creator_id=actor.id, community_id=0, local=actor.local,
            nsfw=False, published_us=actor.published_us,
        )
        for actor in accounts.actors(unit, rows).values()
        if actor.kind is ActorKind.PERSON and not (actor.deleted or actor.banned)
    ]


def _row(one: Document) -> dict[str, object]:
    return {
        "id": one.id, "kind": one.kind.value, "row": one.row, "creator_id": one.creator_id,
        "community_id": one.community_id, "local": one.local, "nsfw": one.nsfw,
        "published_us": one.published_us, "url": one.url,
    }
