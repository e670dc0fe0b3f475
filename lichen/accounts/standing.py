"""Standing: what a role permits, and how far somebody new is trusted. Pure.

Trust grows with age, faster for whoever was invited, and stops for whoever was ever banned:

    NEW ──known_s, or invited──► KNOWN ──trusted_s, never banned──► TRUSTED
    so many a day                five times as many                 no daily limit
"""

from enum import IntEnum, StrEnum
from typing import Protocol

from lichen.accounts.limits import KNOWN_FACTOR


class Permission(StrEnum):
    """What a role lets a person do beside moderating; administrators may do it all."""

    APPROVE_APPLICATIONS = "approve_applications"
    HANDLE_REPORTS = "handle_reports"
    BAN = "ban"
    REMOVE = "remove"
    PURGE_PICTURES = "purge_pictures"
    EDIT_SITE = "edit_site"


class Act(StrEnum):
    """What is counted by the day while an account is new; the values are names of settings."""

    POST = "posts"
    COMMENT = "comments"
    LINK = "links"
    PICTURE = "pictures"
    MESSAGE = "messages"


class Trust(IntEnum):
    """How far an account is trusted by the site."""

    NEW = 0
    KNOWN = 1
    TRUSTED = 2


class Ages(Protocol):
    """When an account is known and trusted, in seconds; see the settings `newcomers`."""

    @property
    def known_s(self) -> float:
        """The age from which an account is known."""

    @property
    def trusted_s(self) -> float:
        """The age from which it is trusted."""


def trust_of(age_us: int, ages: Ages, *, is_vouched: bool, is_once_banned: bool) -> Trust:
    """Return how far an account is trusted."""
    age_s = age_us / 1_000_000
    if age_s >= ages.trusted_s and not is_once_banned:
        return Trust.TRUSTED
    if age_s >= ages.known_s or is_vouched:
        return Trust.KNOWN
    return Trust.NEW


def allowance(trust: Trust, count_max: int) -> int | None:
    """Return how many of an act fit into a day, None for any number.

    `count_max` is what a new account may do.
    """
    if trust is Trust.TRUSTED:
        return None
    return count_max * KNOWN_FACTOR if trust is Trust.KNOWN else count_max
