"""Telling a peer again what it missed, when the log no longer holds it: from the rows.

    a line falls off the log's end ─► posts ─► comments ─► rulings, by number, a page at a time
                                         │ events as if it happened now ─► scenes ─► telling
                                         └─► records for this one peer, in no log

The ids are those of the first time wherever these are known, so what the peer has already is
harmless. Told again is what was written, edited, deleted or decided since it last had everything,
in communities of ours that its people follow and, by people of ours, in its own. Not told again:
votes, profiles, private messages, and edits by people of third servers, whose new words are named,
so that the peer fetches them.
"""

from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

import msgspec

from lichen.events import Event
from lichen.federation.composing import Followers
from lichen.federation.limits import (
    CATCH_UP_COMMUNITIES_MAX,
    NEAR_US_MAX,
    RETOLD_MAX,
    RETOLD_PAGE,
)
from lichen.federation.outgoing import Outgoing, is_for
from lichen.federation.scenes import ACTION, COMMENT, POST, Rooms, Scene, gather
from lichen.federation.telling import Telling
from lichen.forum import Changed, CommentView, PostView
from lichen.kit.ids import Tid, time_us_of_tid
from lichen.store import Store, Unit
from lichen.web import Addresses

_EDITED = msgspec.Raw(b'{"edited":true}')  # what `telling` reads of an edit's record


class _Place(NamedTuple):
    """How far it is: which kind of thing, after which number."""

    kind: int
    after: int


class Retelling:
    """Tells peers again; what one is told is a `Retold`."""

    def __init__(
        self, store: Store, rooms: Rooms, *, followers: Followers, addresses: Addresses
    ) -> None:
        self.store = store
        self.rooms = rooms
        self.followers = followers
        self.addresses = addresses

    def of(self, authority: str, since_us: int) -> "Retold":
        """Return what a peer is to be told of everything since a time; nothing is read yet."""
        return Retold(self, authority, max(0, since_us - NEAR_US_MAX))


class Retold:
    """What one peer is told again: pages of records, from the oldest on."""

    def __init__(self, retelling: Retelling, authority: str, since_us: int) -> None:
        self._base = retelling
        self._authority = authority
        self._since_us = since_us
        self._at = self._next = _Place(0, 0)
        self._told = 0
        self.is_cut = False  # whether there was more than is told again
        self._kinds: Sequence[Callable[[Unit, list[int], int], list[Event]]] = (
            self._posts, self._comments, self._rulings,
        )

    async def page(self) -> list[Outgoing]:
        """Return what comes next, [] at the end; some twelve round trips."""
        self._at = self._next
        records: list[Outgoing] = []
        while not records and self._next.kind < len(self._kinds) and not self.is_cut:
            records = await self._base.store.read(self._read, apart=True)
            self._told += len(records)
            self.is_cut = self._told >= RETOLD_MAX
        return records

    def rewind(self) -> None:
        """Let the next page be the last one again: it was not taken."""
        self._next = self._at

    def _read(self, unit: Unit) -> list[Outgoing]:
        """Return the records of one page of rows, and note where to go on."""
        base, place = self._base, self._next
        ours = base.followers.followed_from(self._authority)
        theirs = base.rooms.forum.followed_communities_of(
            unit, self._authority, limit=CATCH_UP_COMMUNITIES_MAX
        )
        communities = [*ours, *(one.id for one in theirs)]
        events = self._kinds[place.kind](unit, communities, place.after) if communities else []
        if not events:
            self._next = _Place(place.kind + 1, 0)
            return []
        self._next = _Place(place.kind, max(event.row for event in events))
        scene = gather(unit, base.rooms, events)
        telling = Telling(scene, base.addresses)
        return [
            one for event in events for one in self._told_of(event, scene, telling)
            if is_for(one, self._authority, base.followers.of)
        ]

    def _told_of(self, event: Event, scene: Scene, telling: Telling) -> list[Outgoing]:
        if event.operation == "delete":
            # The activity has the id that it had: it stands, so that its Undo can name it.
            stood = scene.standing.get(event.rkey)
            if stood is None or time_us_of_tid(stood.event_id) < self._since_us:
                return []
            return telling.tell(msgspec.structs.replace(event, id=Tid(stood.event_id)))
        seen: PostView | CommentView | None = None
        if event.collection != ACTION:
            seen = (scene.posts if event.collection == POST else scene.comments).get(event.row)
        if seen is not None and not seen.creator.local and seen.community.actor.local:
            return self._named(event, seen, telling)
        return telling.tell(event)

    def _named(
        self, event: Event, seen: PostView | CommentView, telling: Telling
    ) -> list[Outgoing]:
        """Return what names the words of somebody elsewhere: its own server serves them."""
        thing = seen.post if isinstance(seen, PostView) else seen.comment
        if event.operation != "create" or thing.removed or thing.held or seen.community.local_only:
            return []
        return [telling.shown(
            f"{event.id}-again", seen.community, thing.ap_id, but=seen.creator.domain
        )]

    def _posts(self, unit: Unit, communities: list[int], after: int) -> list[Event]:
        changed = self._base.rooms.forum.changed_posts(
            unit, communities, since_us=self._since_us, after=after, limit=RETOLD_PAGE
        )
        return [event for one in changed for event in _events(one, POST, self._since_us)]

    def _comments(self, unit: Unit, communities: list[int], after: int) -> list[Event]:
        changed = self._base.rooms.forum.changed_comments(
            unit, communities, since_us=self._since_us, after=after, limit=RETOLD_PAGE
        )
        return [event for one in changed for event in _events(one, COMMENT, self._since_us)]

    def _rulings(self, unit: Unit, communities: list[int], after: int) -> list[Event]:
        found = self._base.rooms.moderation.actions_since(
            unit, communities, since_us=self._since_us, after_id=after, limit=RETOLD_PAGE
        )
        return [_event(Tid(tid), id_, ACTION) for id_, tid in found]


def _events(one: Changed, collection: str, since_us: int) -> Iterator[Event]:
    """Yield what happened to a thing since a time, as far as its row says it."""
    event = _event(Tid(one.tid), one.id, collection)
    if one.deleted:
        yield msgspec.structs.replace(event, operation="delete")
        return
    if one.published_us >= since_us:
        yield event
    if one.updated_us is not None and one.updated_us >= since_us:
        # One id for one state: told twice it is the same activity.
        yield msgspec.structs.replace(
            event, id=Tid(f"{one.tid}-{one.updated_us}"), operation="update", record=_EDITED
        )


def _event(id_: Tid, row: int, collection: str) -> Event:
    return Event(id=id_, did="", collection=collection, operation="create", rkey=id_, row=row)
