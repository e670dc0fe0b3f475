"""What moderation rules ask of others, handed in by constructor.

`Enforcement` carries out what a rule says, in the name of whoever switched it on. `Trust` and
`PictureHashes` know two of the facts. The house fills them; without one the facts are 0.
"""

from collections.abc import Collection, Mapping
from typing import Protocol

import msgspec

from lichen.automod.model import Rule
from lichen.forum import Written
from lichen.kit import Reason
from lichen.store import Unit


class Deed(msgspec.Struct, frozen=True):
    """What a rule wants done: the rule, what it hit, and why.

    For a removal or a ban the thing is held, so it was never public.
    """

    rule: Rule
    written: Written
    reason: Reason


class Enforcement(Protocol):
    """Carries out deeds inside the command that writes the thing; a constant number of round trips.

    Each raises Refused where whoever switched the rule on may not do it (any more).
    """

    def report(self, unit: Unit, deed: Deed) -> None:
        """Bring the thing before its moderators."""

    def remove(self, unit: Unit, deed: Deed) -> None:
        """Take the thing away."""

    def ban(self, unit: Unit, deed: Deed, *, expires_us: int) -> None:
        """Ban its author, from the community or, by a rule of the site, from the site."""


class Trust(Protocol):
    """Knows how far people are trusted."""

    def levels(self, unit: Unit, person_ids: Collection[int]) -> Mapping[int, int]:
        """Return trust levels by person; who is missing has 0. One round trip."""


class PictureHashes(Protocol):
    """Knows pictures that nobody wants to see."""

    def hits(self, unit: Unit, urls: Collection[str]) -> Mapping[str, int]:
        """Return how often each address is known as bad; what is missing is not. One round trip."""
