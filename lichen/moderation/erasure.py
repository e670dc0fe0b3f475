"""Erasure: proposals whose words go for good, and whom a person supported."""

from collections.abc import Sequence, Set

from lichen.events import collection_of, deletion_of
from lichen.events import moderation as records
from lichen.moderation import proposal_rows as rows
from lichen.moderation import queue_rows
from lichen.moderation.limits import DROPPED_BATCH_MAX
from lichen.moderation.part import Part
from lichen.store import Row, Unit

_PROPOSAL = collection_of(records.Proposal)


class Erasure(Part):
    """What moderation does when nothing of a person, or of a community, may be left."""

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

        Twice is once. Whoever supported one is forgotten. Two round trips.
        """
        asked = {"ids": list(ids)}
        found = [row for row in unit.fetch(rows.OF_IDS, **asked) if row.title]
        unit.stage(rows.EMPTY, asked)
        self._leave(unit, found)

    def proposals_speaking_among(self, unit: Unit, ids: Set[int]) -> set[int]:
        """Return which of the numbers are of proposals that still have words; one round trip."""
        return {row.id for row in unit.fetch(rows.OF_IDS, ids=sorted(ids)) if row.title}

    def forget_supports(self, unit: Unit, person_id: int) -> None:
        """Forget whom a person supported, and take that out of the counts of what is open."""
        unit.stage(rows.UNCOUNT_PERSON, {"person_id": person_id})
        unit.stage(rows.FORGET_PERSON, {"person_id": person_id})

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
        authors = self._accounts.actors(unit, sorted({row.creator_id for row in found}))
        unit.emit(*(
            deletion_of(
                _PROPOSAL, id=self._tids.next(), did=authors[row.creator_id].did, rkey=row.tid,
                row=row.id,
            )
            for row in found
        ))
