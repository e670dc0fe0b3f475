"""What the room asks of rooms above it, handed in by constructor."""

from typing import Protocol

from lichen.accounts import Viewer
from lichen.messages.limits import MESSAGES_PER_DAY_MAX


class Allowance(Protocol):
    """How many messages the house lets somebody send; new accounts may be allowed fewer."""

    def messages_per_day(self, viewer: Viewer, *, now_us: int) -> int:
        """Return how many messages the viewer may send within a day; decided without I/O."""


class Everybody:
    """The allowance where nobody is limited further: the room's own limit."""

    def messages_per_day(self, viewer: Viewer, *, now_us: int) -> int:
        """Return the room's limit."""
        return MESSAGES_PER_DAY_MAX
