"""Forgetting: nothing of what was erased, or of a person who was, stays with moderators.

Reports and the queue quote what they are about, appeals and reports are their writers' words, and
remarks are about a person. What moderators did, and why, stays in their log: those are their words.
"""

from collections.abc import Iterable

from lichen.moderation import queue_rows, report_rows
from lichen.moderation.model import ReportKind
from lichen.moderation.part import Part
from lichen.store import Unit


class Forgetting(Part):
    """Commands of erasing; nothing is checked here, and asked twice nothing is left to do."""

    def forget_words(self, unit: Unit, kind: ReportKind, ids: Iterable[int]) -> None:
        """Drop what was reported or held of these things, with the texts that reports keep."""
        wanted = {"of_kind": kind.value, "ids": list(ids)}
        unit.stage(report_rows.DROP_OF, wanted)
        unit.stage(queue_rows.DROP_OF, wanted)

    def forget_person(self, unit: Unit, person_id: int) -> None:
        """Empty what a person told moderators, and drop what they keep about them."""
        unit.stage(queue_rows.FORGET, {"of_person_id": person_id})
        unit.stage(report_rows.FORGET_REPORTS, {"of_person_id": person_id})
        unit.stage(report_rows.FORGET_APPEALS, {"of_person_id": person_id})
        unit.stage(report_rows.FORGET_REMARKS, {"of_person_id": person_id})

    def remarks_among(self, unit: Unit, ids: Iterable[int]) -> set[int]:
        """Return which of these remarks there are; one round trip."""
        return {row.id for row in unit.fetch(report_rows.REMARKS_AMONG, ids=list(ids))}
