"""Newcomers: how much an account that is still new may do in a day.

Other rooms ask inside their own command, `check(unit, viewer, Act.POST)`, which counts the act as
well. Whoever is trusted costs nothing; a newcomer costs one round trip, because a count that is to
be kept must be read. Days are UTC's.
"""

import sys

from lichen.accounts import standing_rows
from lichen.accounts.model import Actor, Viewer
from lichen.accounts.standing import Act, Trust, allowance, trust_of
from lichen.kit import TooMany
from lichen.kit.config import Config
from lichen.store import Unit

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

    def check(self, unit: Unit, viewer: Viewer, act: Act) -> None:
        """Count an act, or refuse it by `rate_limit_error` until the next day begins."""
        if not self._is_on:
            return
        count_max = allowance(
            self.trust(viewer, unit.clock_us), getattr(self._settings, act.value)
        )
        if count_max is None:
            return
        day, since_us = divmod(unit.clock_us, DAY_US)
        key = {"person_id": viewer.id, "kind": act.value, "day": day}
        rows = unit.fetch(standing_rows.NEWCOMER_DAY, **key)
        count = rows[0].count if rows else 0
        if count >= count_max:
            raise TooMany(
                text=f"New accounts may write at most {count_max} {act.value} a day; this grows "
                "with the account's age.",
                retry_after_s=(DAY_US - since_us) / 1e6,
            )
        unit.stage(standing_rows.KEEP_NEWCOMER_DAY, key | {"count": count + 1})
