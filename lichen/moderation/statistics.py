"""Statistics: how a community is moderated, for everybody to see."""

import statistics

from lichen.moderation import action_rows, report_rows
from lichen.moderation.cases import AppealState, Statistics
from lichen.moderation.limits import ANSWERED_REPORTS_MAX
from lichen.moderation.part import Part
from lichen.store import Unit


class Figures(Part):
    """The query for a community's figures."""

    def statistics(self, unit: Unit, community_id: int) -> Statistics:
        """Return how often what was done, and how fast and how rightly; one round trip.

        Actions are counted by kind, their opposites as `undo` and the kind.
        """
        asked = {"community_id": community_id, "limit": ANSWERED_REPORTS_MAX}
        actions, answered, reports, appeals = unit.fetch_all(
            (action_rows.COUNTS, asked), (report_rows.ANSWERED, asked),
            (report_rows.COUNT_OF_COMMUNITY, asked), (report_rows.APPEALS_OF_COMMUNITY, asked),
        )
        times = [row.answer_us for row in answered if row.answer_us is not None]
        waiting = {row.resolved: int(row.count) for row in reports}
        states = {row.state: int(row.count) for row in appeals}
        return Statistics(
            actions={
                row.kind if row.done else f"undo {row.kind}": int(row.count)
                for row in sorted(actions, key=lambda row: (row.kind, not row.done))
            },
            reports=sum(waiting.values()), reports_waiting=waiting.get(False, 0),
            answer_us=int(statistics.median(times)) if times else None,
            appeals=sum(states.values()), appeals_upheld=states.get(AppealState.UPHELD, 0),
        )
