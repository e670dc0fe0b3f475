"""The blocklist: pictures that are not taken, by the file or by how it looks.

In the house it is a plugin of the register, `picture-blocklist`; a classifier would be another.
`judge` answers a Reason or nothing. A picture is compared with every line, the distance of two
looks being the bits in which their hashes differ.
"""

from lichen.events import collection_of, deletion_of, event_of
from lichen.events import media as records
from lichen.kit import Forbidden, NotFound, Refused, TidGenerator, isoformat
from lichen.kit.reasons import Reason
from lichen.media import tables
from lichen.media.limits import BLOCKED_MAX, NOTE_LENGTH_MAX, PAGE_MAX
from lichen.media.model import NO_LOOKS, Blocked, Seen, Uploader, check_alias, likest, named
from lichen.store import Row, Store, Unit

_BLOCKING = collection_of(records.Blocking)


class Blocklist:
    """Keeps the list and judges by it; `site_did` speaks in the events."""

    def __init__(
        self, store: Store, tids: TidGenerator, *, site_did: str, distance_max: int
    ) -> None:
        self._store = store
        self._tids = tids
        self._site_did = site_did
        self._distance_max = distance_max

    async def judge(self, seen: Seen, content: bytes) -> Reason | None:
        """Return why a picture is on the list, None where it is not; one round trip."""
        return await self._store.read(lambda unit: likest(
            seen, self._lines(unit, BLOCKED_MAX), distance_max=self._distance_max
        ))

    def blocked(
        self, unit: Unit, by: Uploader, *, page: int = 1, limit: int = PAGE_MAX
    ) -> tuple[list[Blocked], int]:
        """Return a page of lines, the newest first, and how many there are; one round trip."""
        check_keeper(by)
        limit = max(1, min(limit, PAGE_MAX))
        rows, count = unit.fetch_all(
            (tables.BLOCKED, {"limit": limit, "offset": (max(1, page) - 1) * limit}),
            (tables.COUNT_BLOCKED, {}),
        )
        return [_blocked(row) for row in rows], int(count[0].count)

    def block(
        self, unit: Unit, by: Uploader, *, sha256: str | None = None, likeness: int | None = None,
        note: str = "",
    ) -> Blocked:
        """Add a line: the hash of a file, a hash of looks, or both."""
        check_keeper(by)
        if likeness == NO_LOOKS:
            likeness = None
        if (sha256 is None and likeness is None) or len(note) > NOTE_LENGTH_MAX:
            raise Refused("invalid_body_field", "A line names a file or looks, and says why in "
                                                f"{NOTE_LENGTH_MAX} characters at most.")
        if unit.fetch(tables.COUNT_BLOCKED)[0].count >= BLOCKED_MAX:
            raise Refused("too_many_items", f"The list has {BLOCKED_MAX} lines at most.")
        (number,) = unit.take_numbers("blocked_picture", 1)
        line = Blocked(id=number, sha256=sha256, likeness=likeness, note=note, moderator_id=by.id,
                       published_us=unit.clock_us)
        unit.stage(tables.INSERT_BLOCKED, {
            "id": number, "sha256": sha256, "likeness": likeness, "note": note,
            "moderator_id": by.id, "published_us": unit.clock_us,
        })
        unit.emit(event_of(
            records.Blocking(
                created_at=isoformat(unit.clock_us), by_bytes=sha256 is not None,
                by_looks=likeness is not None, note=note or None,
            ),
            id=self._tids.next(), did=self._site_did, operation="create", rkey=str(number),
            row=number,
        ))
        return line

    def block_picture(self, unit: Unit, by: Uploader, alias: str, *, note: str = "") -> Blocked:
        """Block a stored picture by its looks and by its bytes as they are kept."""
        check_keeper(by)
        rows = unit.fetch(tables.PICTURES, aliases=[check_alias(alias)])
        if not rows:
            raise NotFound("couldnt_find_picture", "There is no picture of this name.")
        row = rows[0]
        return self.block(unit, by, sha256=row.sha256, likeness=row.likeness, note=note)

    def block_named(self, unit: Unit, by: Uploader, text: str, *, note: str = "") -> Blocked:
        """Block what a text names; see `model.named`."""
        what = named(text)
        if what.alias is not None:
            return self.block_picture(unit, by, what.alias, note=note)
        return self.block(unit, by, sha256=what.sha256, likeness=what.likeness, note=note)

    def unblock(self, unit: Unit, by: Uploader, number: int) -> None:
        """Take a line away; one that is gone is gone."""
        check_keeper(by)
        if unit.fetch(tables.FIND_BLOCKED, id=number):
            unit.stage(tables.DELETE_BLOCKED, {"gone_id": number})
            unit.emit(deletion_of(
                _BLOCKING, id=self._tids.next(), did=self._site_did, rkey=str(number), row=number
            ))

    def _lines(self, unit: Unit, limit: int) -> list[Blocked]:
        return [_blocked(row) for row in unit.fetch(tables.BLOCKED, limit=limit, offset=0)]


def check_keeper(by: Uploader) -> None:
    """Refuse whoever may not say which pictures are taken."""
    if not by.may_purge:
        raise Forbidden("not_an_admin", "Only administrators and people who may purge pictures do "
                                        "this.")


def _blocked(row: Row) -> Blocked:
    return Blocked(id=row.id, sha256=row.sha256, likeness=row.likeness, note=row.note,
                   moderator_id=row.moderator_id, published_us=row.published_us)
