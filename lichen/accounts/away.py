"""Being away: a note with a date on one's profile; what asks for a person waits until then."""

from collections.abc import Iterable

import msgspec

from lichen.accounts import site_rows
from lichen.accounts.limits import AWAY_NOTE_LENGTH_MAX, AWAY_US_MAX
from lichen.accounts.model import Viewer
from lichen.accounts.site_keeping import SiteKeeping
from lichen.events import accounts as records
from lichen.events import collection_of, deletion_of, event_of
from lichen.events.accounts import SELF
from lichen.kit import Refused, isoformat
from lichen.store import Query, Row, Unit

_AWAY = collection_of(records.Away)


class Away(msgspec.Struct, frozen=True):
    """That a person is away: what its profile says, since when, and until when."""

    person_id: int
    note: str
    since_us: int
    until_us: int


class Absences(SiteKeeping):
    """Commands and queries about being away."""

    def go_away(self, unit: Unit, viewer: Viewer, note: str, *, until_us: int) -> Away:
        """Say that the viewer is away until a time; replaces what was said before."""
        note = note.strip()
        if len(note) > AWAY_NOTE_LENGTH_MAX or "\n" in note:
            raise Refused("invalid_body_field", "The note is one line of at most "
                                                f"{AWAY_NOTE_LENGTH_MAX} characters.")
        self.screen.check_words(note)
        if not unit.clock_us < until_us <= unit.clock_us + AWAY_US_MAX:
            raise Refused("invalid_field", "You come back at a date in the future, at most a year "
                                           "from now.")
        rows = unit.fetch(site_rows.AWAY, ids=[viewer.id])
        known = away_from(rows, unit.clock_us).get(viewer.id)
        away = Away(viewer.id, note, known.since_us if known else unit.clock_us, until_us)
        unit.stage(site_rows.WRITE_AWAY, msgspec.structs.asdict(away))
        record = records.Away(
            note=note, created_at=isoformat(away.since_us), until=isoformat(until_us)
        )
        unit.emit(event_of(
            record, id=self._ground.tids.next(), did=viewer.actor.did,
            operation="update" if rows else "create", rkey=SELF, row=viewer.id,
        ))
        return away

    def come_back(self, unit: Unit, viewer: Viewer) -> None:
        """Say that the viewer is here again; twice is once."""
        if not unit.fetch(site_rows.AWAY, ids=[viewer.id]):
            return
        unit.stage(site_rows.DROP_AWAY, {"away_id": viewer.id})
        unit.emit(deletion_of(
            _AWAY, id=self._ground.tids.next(), did=viewer.actor.did, rkey=SELF, row=viewer.id
        ))

    def away_among(self, unit: Unit, ids: Iterable[int]) -> dict[int, Away]:
        """Return who of the persons is away now; one round trip."""
        return away_from(unit.fetch(site_rows.AWAY, ids=list(ids)), unit.clock_us)

    def away_query(self, ids: Iterable[int]) -> Query:
        """Return the query for who is away, to ride along; see `away_from`."""
        return site_rows.AWAY, {"ids": list(ids)}


def away_from(rows: Iterable[Row], now_us: int) -> dict[int, Away]:
    """Return who is away now, by person, in the rows of `away_query`."""
    return {
        row.person_id: Away(row.person_id, row.note, row.since_us, row.until_us)
        for row in rows if row.until_us > now_us
    }
