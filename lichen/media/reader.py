"""The reader of pictures' uses: an avatar, banner or icon that is replaced is gone from disk.

    profile, community or site says which pictures it shows ──► one use for each place
         another picture in the place, or none ──► the one before, used nowhere else, is deleted

A rows reader: uses and checkpoint share a transaction. Only pictures of ours count, known by their
address; only such places are followed, for what stands in texts nobody can take away by writing
something else. The blobs go in the sweep after it; whoever dies between leaves loose marks.
"""

from collections.abc import Iterable
from urllib.parse import urlsplit

import msgspec

from lichen.events import Event, collection_of, decode_events
from lichen.events.accounts import Profile, SiteSettings
from lichen.events.forum import Community
from lichen.log import Batch
from lichen.media import tables
from lichen.media.service import Media
from lichen.store import Store, Unit, advance_checkpoint, checkpoint_of
from lichen.web import Addresses

NAME = "media"
UNMARKED_EVENTS_MAX = 50_000  # that concern no picture; then the checkpoint moves for its own sake

PREFIX = "/pictrs/image/"
_PLACES = ("avatar", "banner", "icon")
_KINDS: dict[str, type[Profile] | type[Community] | type[SiteSettings]] = {
    collection_of(kind): kind for kind in (Profile, Community, SiteSettings)
}
_Uses = dict[tuple[str, str], str | None]


class UsesReader:
    """Follows the log and keeps the table of uses."""

    name = NAME
    serves_pages = False

    def __init__(
        self, store: Store, media: Media, *, addresses: Addresses, position: int
    ) -> None:
        self._store = store
        self._media = media
        self._addresses = addresses
        self._position = position
        self._marked = position

    def position(self) -> int:
        """Return the last sequence applied."""
        return self._position

    async def apply(self, batch: Batch) -> None:
        """Note which pictures are shown where, and delete those that no place shows any more."""
        events = list(zip(batch.seqs.tolist(), decode_events(batch.lines()), strict=True))
        last = batch.next_seq - 1
        if self._uses(events) or last - self._marked > UNMARKED_EVENTS_MAX:
            await self._store.write(
                lambda unit: self._follow(unit, events, last=last), apart=True
            )
            await self._media.shelf.sweep()
            self._marked = last
        self._position = last

    def alias_in(self, url: str | None) -> str | None:
        """Return the file name in an address of a picture of ours, None in any other."""
        try:
            parts = urlsplit(url or "")
        except ValueError:
            return None
        if parts.netloc not in ("", self._addresses.authority):
            return None
        alias = parts.path.removeprefix(PREFIX)
        return alias if alias and alias != parts.path and "/" not in alias else None

    def _follow(self, unit: Unit, events: list[tuple[int, Event]], *, last: int) -> None:
        """Write the uses of a batch and the checkpoint; five round trips, whatever its length."""
        done = checkpoint_of(unit, NAME)
        uses = self._uses((seq, event) for seq, event in events if seq > done)
        if uses:
            self._note(unit, uses)
        if last > done:
            advance_checkpoint(unit, NAME, last)

    def _note(self, unit: Unit, uses: _Uses) -> None:
        before = {
            (row.did, row.place): row.alias
            for row in unit.fetch(tables.USES_OF, dids=sorted({did for did, _ in uses}))
        }
        replaced = set()
        for (did, place), alias in uses.items():
            old = before.get((did, place))
            if old == alias:
                continue
            if old is not None:
                replaced.add(old)
            if alias is not None:
                unit.stage(tables.KEEP_USE, {"did": did, "place": place, "alias": alias})
            else:
                unit.stage(tables.DELETE_USE, {"gone_did": did, "gone_place": place})
        if replaced:
            rows = unit.fetch(tables.USES_OF_ALIASES, aliases=sorted(replaced))
            self._media.forget(unit, replaced - {row.alias for row in rows})

    def _uses(self, events: Iterable[tuple[int, Event]]) -> _Uses:
        uses: _Uses = {}
        for _, event in events:
            kind = _KINDS.get(event.collection)
            # What was deleted or removed may come back, and shows its pictures again.
            if kind is None or event.operation == "delete":
                continue
            shown = msgspec.json.decode(event.record, type=kind)
            for place in _PLACES:
                uses[event.did, place] = self.alias_in(getattr(shown, place, None))
        return uses
