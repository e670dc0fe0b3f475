"""What a viewer has: the sets that lists are filtered by.

A list of posts must leave out what its viewer hid, blocked or has read, and a subscribed list draws
from a set of communities. Reading these sets from rows for each page would cost more than the page,
so those of the viewers seen last are kept in memory, as Roaring bitmaps (Chambi, Lemire, Kaser,
Godin 2016: a few bytes a member, set operations by the word).

`Standings` is a memory reader. Marks, which are frequent, are applied from their events; anything
else that touches a viewer drops the viewer's sets, and the next page loads them again, together
with whatever else it reads. A load that began before an event and ended after it is not kept.
"""

import threading
from collections import OrderedDict
from collections.abc import Sequence

import msgspec
from pyroaring import BitMap

from lichen.accounts import Accounts, Blocks, Viewer
from lichen.events import Event, accounts, collection_of, decode_events, forum
from lichen.forum import viewer_rows as rows
from lichen.forum.limits import READ_MARKS_MAX, VIEWERS_MAX
from lichen.log import Batch
from lichen.store import Query, Row, Unit

_HIDE = collection_of(forum.Hide)
_READ = collection_of(forum.Read)
_MODERATOR = collection_of(forum.Moderator)
_OTHERS = frozenset(
    collection_of(record) for record in (forum.Subscription, forum.Save, accounts.Block)
)


class Standing(msgspec.Struct, eq=False):
    """The sets of one viewer, by row numbers; `read` is None until a list asks for it."""

    person_id: int
    subscribed: BitMap
    moderates: BitMap
    blocked_people: BitMap
    blocked_communities: BitMap
    blocked_instances: BitMap
    hidden: BitMap
    saved_posts: BitMap
    saved_comments: BitMap
    read: BitMap | None = None


def nobody() -> Standing:
    """Return the standing of somebody who is not logged in: every set is empty."""
    return Standing(
        person_id=0, subscribed=BitMap(), moderates=BitMap(), blocked_people=BitMap(),
        blocked_communities=BitMap(), blocked_instances=BitMap(), hidden=BitMap(),
        saved_posts=BitMap(), saved_comments=BitMap(), read=BitMap(),
    )


class Standings:
    """The standings of the viewers seen last; a memory reader that serves pages."""

    name = "standing"
    serves_pages = True

    def __init__(self, accounts: Accounts, *, position: int) -> None:
        self._accounts = accounts
        self._nobody = nobody()
        self._lock = threading.Lock()
        self._by_did: OrderedDict[str, Standing] = OrderedDict()
        self._changes = 0  # events that touched any viewer; a load compares before and after
        self._position = position

    def of(self, unit: Unit, viewer: Viewer | None, *, with_read: bool = False) -> Standing:
        """Return a viewer's standing; one round trip where it is not in memory."""
        loading = self.begin(viewer, with_read=with_read)
        return loading.end(unit.fetch_all(*loading.queries) if loading.queries else [])

    def begin(self, viewer: Viewer | None, *, with_read: bool = False) -> "Loading":
        """Return what must be asked to know a viewer's standing, to ride along in a flush."""
        if viewer is None:
            return Loading(self, "", self._nobody, ())
        did = viewer.actor.did
        with self._lock:
            found = self._by_did.get(did)
            if found is not None and (found.read is not None or not with_read):
                self._by_did.move_to_end(did)
                return Loading(self, did, found, ())
            queries = [
                (rows.STANDING, {"viewer_id": viewer.id}),
                *self._accounts.blocks_queries(viewer),
            ]
            if with_read:
                queries.append(
                    (rows.READ_IDS, {"viewer_id": viewer.id, "limit": READ_MARKS_MAX})
                )
            return Loading(self, did, None, tuple(queries), person_id=viewer.id,
                           with_read=with_read, changes=self._changes)

    def keep(self, did: str, loaded: Standing, *, changes: int) -> None:
        """Keep what was loaded since `changes`, unless some viewer has changed meanwhile."""
        with self._lock:
            if changes != self._changes:
                return
            self._by_did[did] = loaded
            self._by_did.move_to_end(did)
            if len(self._by_did) > VIEWERS_MAX:
                self._by_did.popitem(last=False)

    def blocks_from(self, actors: list[Row], instances: list[Row]) -> Blocks:
        """Return what the rows of accounts' queries say that a viewer blocks."""
        return self._accounts.blocks_from(actors, instances)

    def position(self) -> int:
        """Return the sequence of the last event applied; nothing is kept over a restart."""
        return self._position

    async def apply(self, batch: Batch) -> None:
        """Apply a batch of the log; twice changes nothing."""
        self.follow(decode_events(batch.lines()))
        self._position = batch.next_seq - 1

    def follow(self, events: Sequence[Event]) -> None:
        """Apply marks, and drop the viewers whose other sets changed."""
        with self._lock:
            for event in events:
                if event.collection == _HIDE:
                    self._mark(event, "hidden")
                elif event.collection == _READ:
                    self._mark(event, "read")
                elif event.collection == _MODERATOR:
                    self._drop_person(event.row)
                elif event.collection in _OTHERS:
                    self._changes += 1
                    self._by_did.pop(event.did, None)

    def _mark(self, event: Event, name: str) -> None:
        self._changes += 1
        standing = self._by_did.get(event.did)
        members = getattr(standing, name, None)
        if members is None:
            return
        # One call into the bitmap under the interpreter's lock: a page sees it before or after.
        if event.operation == "delete":
            members.discard(event.row)
        else:
            members.add(event.row)

    def _drop_person(self, person_id: int) -> None:
        self._changes += 1
        gone = [did for did, kept in self._by_did.items() if kept.person_id == person_id]
        for did in gone:
            del self._by_did[did]


class Loading:
    """A standing on its way: `queries` ride along in somebody's flush, `end` takes their rows."""

    def __init__(
        self, standings: Standings, did: str, found: Standing | None, queries: tuple[Query, ...],
        *, person_id: int = 0, with_read: bool = False, changes: int = 0,
    ) -> None:
        self.queries = queries
        self._standings = standings
        self._did = did
        self._found = found
        self._person_id = person_id
        self._with_read = with_read
        self._changes = changes

    def end(self, answers: Sequence[list[Row]]) -> Standing:
        """Return the standing; `answers` are the rows of the queries, in their order."""
        if self._found is not None:
            return self._found
        standing, *others = answers
        read = BitMap([row.id for row in others.pop()]) if self._with_read else None
        blocks = self._standings.blocks_from(*others)
        sets: dict[int, list[int]] = {has: [] for has in rows.Has}
        for row in standing:
            sets[row.has].append(row.id)
        loaded = Standing(
            person_id=self._person_id, read=read,
            subscribed=BitMap(sets[rows.Has.SUBSCRIPTION]),
            moderates=BitMap(sets[rows.Has.MODERATES]),
            blocked_people=BitMap(blocks.persons),
            blocked_communities=BitMap(blocks.communities),
            blocked_instances=BitMap(blocks.instances),
            hidden=BitMap(sets[rows.Has.HIDDEN]),
            saved_posts=BitMap(sets[rows.Has.SAVED_POST]),
            saved_comments=BitMap(sets[rows.Has.SAVED_COMMENT]),
        )
        self._standings.keep(self._did, loaded, changes=self._changes)
        return loaded
