"""Erasure: nothing of what was erased, or of a person who was, stays with moderators.

Reports and the queue quote what they are about, appeals, reports and proposals are their writers'
words, and remarks are about a person. What moderators did, and why, stays in their log: those are
their words.
"""

from collections.abc import Iterable, Sequence, Set

from lichen.events import collection_of, deletion_of
from lichen.events import moderation as records
from lichen.forum import traces_outside
from lichen.moderation import proposal_rows as rows
from lichen.moderation import queue_rows, report_rows
from lichen.moderation.limits import DROPPED_BATCH_MAX
from lichen.moderation.model import ReportKind
from lichen.moderation.part import Part
from lichen.store import Row, Unit

_PROPOSAL = collection_of(records.Proposal)


class Erasure(Part):
    """What moderation does when nothing of a person, or of a community, may be left.

    Nothing is checked here, and asked twice nothing is left to do.
    """

    def forget_words(self, unit: Unit, kind: ReportKind, ids: Iterable[int]) -> None:
        """Drop what was reported or held of these things, with the texts that reports keep."""
        wanted = {"of_kind": kind.value, "ids": list(ids)}
        unit.stage(report_rows.DROP_OF, wanted)
        unit.stage(queue_rows.DROP_OF, wanted)

    def forget_person(self, unit: Unit, person_id: int) -> None:
        """Empty what a person told moderators, and drop what they keep about them.

        Whom they supported is forgotten and taken out of the counts of what is open.
        """
        unit.stage(rows.UNCOUNT_PERSON, {"person_id": person_id})
        unit.stage(rows.FORGET_PERSON, {"person_id": person_id})
        unit.stage(queue_rows.FORGET, {"of_person_id": person_id})
        unit.stage(report_rows.FORGET_REPORTS, {"of_person_id": person_id})
        unit.stage(report_rows.FORGET_APPEALS, {"of_person_id": person_id})
        unit.stage(report_rows.FORGET_REMARKS, {"of_person_id": person_id})

    def remarks_among(self, unit: Unit, ids: Iterable[int]) -> set[int]:
        """Return which of these remarks there are; one round trip."""
        return {row.id for row in unit.fetch(report_rows.REMARKS_AMONG, ids=list(ids))}

    def proposal_ids_of(
        self, unit: Unit, person_id: int, *, after_id: int = 0, limit: int = DROPPED_BATCH_MAX
    ) -> list[int]:
        """Return a batch of the numbers of a person's proposals; one round trip."""
        found = unit.fetch(
            rows.OF_PERSON, person_id=person_id, viewer_id=0, after_id=after_id, limit=limit
        )
        return [row.id for row in found]

    def erase_proposals(self, unit: Unit, ids: Sequence[int]) -> None:
        """Empty proposals; rows, counts and what moderators said stay, what is open ends.

        Twice is once. Whoever supported one is forgotten. Three round trips.
        """
        asked = {"ids": list(ids)}
        found = [row for row in unit.fetch(rows.OF_IDS, **asked) if row.title]
        unit.stage(rows.EMPTY, asked)
        self._leave(unit, found)

    def proposals_speaking_among(self, unit: Unit, ids: Set[int]) -> set[int]:
        """Return which of the numbers are of proposals that still have words; one round trip."""
        return {row.id for row in unit.fetch(rows.OF_IDS, ids=sorted(ids)) if row.title}

    def _purge_proposals(self, unit: Unit, community_id: int) -> bool:
        """Drop a batch of a community's proposals; true where there are more."""
        found = unit.fetch(rows.OF_COMMUNITY, community_id=community_id, limit=DROPPED_BATCH_MAX)
        asked = {"ids": [row.id for row in found]}
        unit.stage(rows.DROP, asked)
        unit.stage(rows.DROP_STEPS, asked)
        self._leave(unit, [row for row in found if row.title])
        return len(found) == DROPPED_BATCH_MAX

    def _leave(self, unit: Unit, found: Sequence[Row]) -> None:
        """Take proposals out of the queue and of people's supports, and tell that they are gone."""
        asked = {"ids": [row.id for row in found]}
        unit.stage(rows.DROP_SUPPORTS, asked)
        unit.stage(queue_rows.DROP_OF, asked | {"of_kind": "proposal"})
        if not found:
            return
        authors = self._accounts.actors(unit, sorted({row.creator_id for row in found}))
        places = {view.community.id: view.community for view in self._forum.community_views(
            unit, None, sorted({row.community_id for row in found})
        )}
        unit.emit(*(
            deletion_of(
                _PROPOSAL, id=self._tids.next(), did=authors[row.creator_id].did, rkey=row.tid,
                row=row.id, outside=traces_outside(places[row.community_id]),
            )
            for row in found
        ))
