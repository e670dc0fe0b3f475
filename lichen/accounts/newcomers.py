"""Newcomers: how much an account that is still new may do in a day.

Other rooms ask inside their own command: `begin(unit, viewer, Act.POST)` says what must be read,
which rides along with what the command reads anyway, and `end` counts. Days are UTC's.
"""

import sys
from collections.abc import Sequence

from lichen.accounts import standing_rows
from lichen.accounts.model import Actor, Viewer
from lichen.accounts.standing import Act, Trust, allowance, trust_of
from lichen.kit import TooMany
from lichen.kit.config import Config
from lichen.store import Query, Row, Unit

DAY_US = 86_400 * 1_000_000


class NewcomerLimits:
    """Counts what new accounts do, and refuses what is too much for a day."""

    def __init__(self, config: Config) -> None:
        self._settings = config.newcomers
        self._is_on = config.limits.newcomers

    def trust(self, viewer: Viewer, now_us: int) -> Trust:
        """Return how far a viewer is trusted now; who has a role or administers, fully."""
        if viewer.admin or viewer.permissions:
            return Trust.TRUSTED
        return trust_of(
            now_us - viewer.actor.published_us, self._settings,
            is_vouched=viewer.vouched, is_once_banned=viewer.once_banned,
        )

    def trust_by_age(self, actor: Actor, now_us: int) -> Trust:
        """Return how far a person is trusted, as far as its row tells."""
        if actor.admin:
            return Trust.TRUSTED
        return trust_of(
            now_us - actor.published_us, self._settings, is_vouched=False,
            is_once_banned=actor.banned,
        )

    def messages_per_day(self, viewer: Viewer, *, now_us: int) -> int:
        """Return how many private messages a viewer may send in a day; costs nothing."""
        allowed = allowance(self.trust(viewer, now_us), self._settings.messages)
        return sys.maxsize if allowed is None or not self._is_on else allowed

    def pictures_per_day(self, viewer: Viewer, *, now_us: int) -> int | None:
        """Return how many pictures a viewer may upload in a day, None for any number."""
        if not self._is_on:
            return None
        return allowance(self.trust(viewer, now_us), self._settings.pictures)

    def count_picture(self, unit: Unit, person_id: int, per_day: int, *, check_only: bool) -> None:
        """Count a picture of a newcomer, or refuse it; with `check_only` only the latter.

        One round trip.
        """
        counting = Counting(person_id, unit.clock_us, {Act.PICTURE: per_day})
        rows = unit.fetch_all(*counting.queries)
        (counting.check if check_only else counting.end)(unit, rows)

    def begin(self, unit: Unit, viewer: Viewer, *acts: Act) -> "Counting":
        """Return what must be asked to count acts, to ride along in a flush; see `Counting.end`."""
        limits: dict[Act, int] = {}
        if self._is_on:
            trust = self.trust(viewer, unit.clock_us)
            for act in acts:
                count_max = allowance(trust, getattr(self._settings, act.value))
                if count_max is not None:
                    limits[act] = count_max
        return Counting(viewer.id, unit.clock_us, limits)


class Counting:
    """Acts of a newcomer about to be counted; `queries` is empty for whoever is trusted."""

    def __init__(self, person_id: int, now_us: int, limits: dict[Act, int]) -> None:
        self._limits = limits
        self._day, self._since_us = divmod(now_us, DAY_US)
        self._key = {"person_id": person_id, "day": self._day}
        self.queries: tuple[Query, ...] = tuple(
            (standing_rows.NEWCOMER_DAY, self._key | {"kind": act.value}) for act in limits
        )

    def end(self, unit: Unit, answers: Sequence[list[Row]]) -> None:
        """Count the acts, or refuse by `rate_limit_error` until the next day begins."""
        for act, count in self.check(unit, answers).items():
            unit.stage(standing_rows.KEEP_NEWCOMER_DAY, {
                **self._key, "kind": act.value, "count": count + 1,
            })

    def check(self, _: Unit, answers: Sequence[list[Row]]) -> dict[Act, int]:
        """Return how many there were of each act today, or refuse; counts nothing."""
        counts: dict[Act, int] = {}
        for (act, count_max), rows in zip(self._limits.items(), answers, strict=True):
            counts[act] = rows[0].count if rows else 0
            if counts[act] >= count_max:
                left_us = DAY_US - self._since_us
                raise TooMany(
                    text=f"New accounts may share at most {count_max} {act.value} a day. The next "
                    f"day begins in {_hours(left_us)}; how many it may be grows with the "
                    "account's age.",
                    retry_after_s=left_us / 1e6,
                )
        return counts


def _hours(time_us: int) -> str:
    """Return a time of less than a day in words, rounded up."""
    minutes = -(-time_us // 60_000_000)
    if minutes <= 90:
        return f"{minutes} minutes" if minutes != 1 else "a minute"
    return f"{-(-minutes // 60)} hours"
