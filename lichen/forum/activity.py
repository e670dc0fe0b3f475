"""Who was active lately: people who wrote or voted, by community and on the whole site.

The table `presence` holds one row for each (community, person) with the time of the last act there,
written with the act itself. Whoever was active in the last week has a time within the last week; so
a count needs no history, and is right from rows whenever it is asked. Asking costs a scan (0.1 µs
a row), so one answer for all communities serves for a minute. The question rides along in the flush
of the page that finds it too old; pages that come meanwhile use the old answer.
"""

import threading
from collections.abc import Sequence
from typing import NamedTuple

from lichen.forum import community_rows as rows
from lichen.forum.limits import ACTIVITY_AGE_US_MAX
from lichen.forum.model import SiteCounts
from lichen.store import Query, Row

_DAY_US = 24 * 3_600 * 1_000_000
# Lemmy 0.19: intervals "1 day", "1 week", "1 month", "6 months".
_WINDOWS_US = {"day_us": _DAY_US, "week_us": 7 * _DAY_US, "month_us": 30 * _DAY_US,
               "half_year_us": 182 * _DAY_US}


class Active(NamedTuple):
    """How many people wrote or voted within a day, a week, a month, half a year."""

    day: int = 0
    week: int = 0
    month: int = 0
    half_year: int = 0


class Activity:
    """The counts of active people, at most `age_us_max` older than the page that shows them."""

    def __init__(self, *, age_us_max: int = ACTIVITY_AGE_US_MAX) -> None:
        self._age_us_max = age_us_max
        self._lock = threading.Lock()
        self._asked_us: int | None = None
        self._by_community: dict[int, Active] = {}
        self._site = SiteCounts(0, 0, 0, 0, 0, 0, 0)

    def queries(self, now_us: int) -> tuple[Query, ...]:
        """Return what must be asked now, to ride along in a flush; nothing while it is fresh."""
        with self._lock:
            if self._asked_us is not None and now_us - self._asked_us <= self._age_us_max:
                return ()
            self._asked_us = now_us
        since = {name: now_us - window_us for name, window_us in _WINDOWS_US.items()}
        return ((rows.ACTIVITY, since), (rows.SITE_ACTIVITY, since), (rows.SITE_TALLIES, {}))

    def keep(self, answers: Sequence[list[Row]]) -> None:
        """Keep the answers to `queries`."""
        communities, (people,), (tallies,) = answers
        by_community = {row.community_id: Active(*row[1:]) for row in communities}
        site = SiteCounts(*map(int, tallies), *people)
        with self._lock:
            self._by_community, self._site = by_community, site

    def of(self, community_id: int) -> Active:
        """Return how many people were active in a community."""
        return self._by_community.get(community_id, _NOBODY)

    def by_community(self) -> dict[int, Active]:
        """Return the counts of every community where somebody was; not to be changed."""
        return self._by_community

    @property
    def site(self) -> SiteCounts:
        """The counts of the whole site."""
        return self._site


_NOBODY = Active()
