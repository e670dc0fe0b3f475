"""Who wants an event: subscribers that want the same share a group, and an index finds the groups.

    event ─▶ (kind, collection, DID) ─┬─ everything            every event
                                      ├─ kind                  groups that name kinds alone
                                      ├─ collection, prefix    commits; other kinds pass to all
                                      └─ DID                   groups that name few DIDs

An event that nobody wants costs a few look-ups, however many filters there are: 2,000 subscribers
with filters of their own are looked at once for each event they get, not once for each event.
Filters that the index cannot answer (roots, mentions, languages, sizes) are pulled one by one.
"""

from collections.abc import Iterator
from typing import Final

from lichen.stream.limits import DIDS_INDEXED_MAX
from lichen.stream.model import Filter, Form, Kind, Wire
from lichen.stream.serving.subscriber import Subscriber

PREFIXES_KNOWN_MAX: Final = 4_096  # collections whose prefix groups are remembered


class Group:
    """Subscribers that want the same in the same form: at the tip they share their bytes."""

    __slots__ = ("form", "is_indexed", "live", "members", "rows", "wanted")

    def __init__(self, wanted: Filter, form: Form) -> None:
        self.wanted = wanted
        self.form = form
        self.members = 0
        self.live: set[Subscriber] = set()
        self.rows: list[int] = []  # of the block that a round looks at
        self.is_indexed = not (wanted.roots_only or wanted.mentions or wanted.langs
                               or wanted.message_bytes_max)

    def wants_kind(self, kind: Kind) -> bool:
        """Say whether events of a kind can be wanted; the first wire never has #sync."""
        if kind == Kind.SYNC and self.form.wire == Wire.V1:
            return False
        return not self.wanted.kinds or kind in self.wanted.kinds

    def wants(self, kind: Kind, collection: str) -> bool:
        """Say whether an event is wanted whose DID is."""
        if not self.wants_kind(kind):
            return False
        return kind != Kind.COMMIT or self.wanted.wants_collection(collection)


class Audience:
    """The groups that have live subscribers, by what they want."""

    def __init__(self) -> None:
        self.live = 0  # subscribers
        self.everything: dict[Group, None] = {}
        self.asked_alone: dict[Group, None] = {}  # the index cannot answer for them
        self._by_kind: dict[Kind, dict[Group, None]] = {kind: {} for kind in Kind}
        self._by_collection: dict[str, dict[Group, None]] = {}
        self._by_prefix: dict[Group, None] = {}
        self._by_did: dict[str, dict[Group, None]] = {}
        self._by_many_dids: dict[Group, None] = {}
        self._prefixed: dict[str, dict[Group, None]] = {}

    @property
    def is_empty(self) -> bool:
        """Say whether nobody is live."""
        return not self.live

    def join(self, subscriber: Subscriber) -> None:
        """Enter a subscriber that is live from now on."""
        group = subscriber.group
        if not group.live:
            self._add(group)
        group.live.add(subscriber)
        self.live += 1

    def quit(self, subscriber: Subscriber) -> None:
        """Take out a subscriber that is live no more."""
        group = subscriber.group
        group.live.remove(subscriber)
        self.live -= 1
        if not group.live:
            self._remove(group)

    @property
    def asks_for_dids(self) -> bool:
        """Say whether anybody names a DID."""
        return bool(self._by_did or self._by_many_dids)

    def of(self, kind: Kind, collection: str) -> list[Group]:
        """Return the groups that want such an event of anybody, but those of everything."""
        found = dict(self._by_kind[kind])
        if kind == Kind.COMMIT:
            found |= self._by_collection.get(collection, {})
            if self._by_prefix:
                found |= self._with_prefix(collection)
        return list(found)

    def of_did(self, did: str, kind: Kind, collection: str) -> list[Group]:
        """Return the groups that want such an event of this DID."""
        named = [group for group in self._by_did.get(did, ()) if group.wants(kind, collection)]
        for group in self._by_many_dids:
            if did in group.wanted.dids and group.wants(kind, collection):
                named.append(group)
        return named

    def _add(self, group: Group) -> None:
        """Enter a group that has its first live subscriber."""
        for shelf in self._shelves(group):
            shelf[group] = None
        self._prefixed.clear()

    def _remove(self, group: Group) -> None:
        """Take out a group that lost its last one."""
        for shelf in self._shelves(group):
            del shelf[group]
        for index, names in ((self._by_did, group.wanted.dids),
                             (self._by_collection, group.wanted.collections)):
            for name in names:
                if not index.get(name, True):
                    del index[name]
        self._prefixed.clear()

    def _shelves(self, group: Group) -> Iterator[dict[Group, None]]:
        wanted = group.wanted
        if not group.is_indexed:
            yield self.asked_alone
        elif wanted.is_everything:
            yield self.everything
        elif len(wanted.dids) > DIDS_INDEXED_MAX:
            yield self._by_many_dids
        elif wanted.dids:
            for did in wanted.dids:
                yield self._by_did.setdefault(did, {})
        else:
            yield from self._shelves_without_dids(group)

    def _shelves_without_dids(self, group: Group) -> Iterator[dict[Group, None]]:
        wanted = group.wanted
        names_collections = bool(wanted.collections or wanted.prefixes)
        for kind in Kind:
            # Collections bind commits alone; whatever has none passes.
            if group.wants_kind(kind) and not (kind == Kind.COMMIT and names_collections):
                yield self._by_kind[kind]
        if group.wants_kind(Kind.COMMIT) and names_collections:
            for collection in wanted.collections:
                yield self._by_collection.setdefault(collection, {})
            if wanted.prefixes:
                yield self._by_prefix

    def _with_prefix(self, collection: str) -> dict[Group, None]:
        known = self._prefixed.get(collection)
        if known is None:
            if len(self._prefixed) >= PREFIXES_KNOWN_MAX:
                self._prefixed.clear()
            known = self._prefixed[collection] = {
                one: None for one in self._by_prefix
                if collection.startswith(one.wanted.prefixes)}
        return known
