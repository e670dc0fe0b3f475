"""Content: what this room asks of rooms above it about what a person wrote."""

from typing import Literal, Protocol

from lichen.accounts.model import Actor
from lichen.store import Unit

ContentEnd = Literal["deleted", "removed", "restored"]


class PersonGone(Protocol):
    """What other rooms do about a person's content when it leaves or is banned with its data."""

    def __call__(self, unit: Unit, actor: Actor, *, content: ContentEnd) -> bool:
        """Take a bounded batch away (or back) inside the unit; say whether there is more."""


def nothing_to_take(unit: Unit, actor: Actor, *, content: ContentEnd) -> bool:
    """Say that there is nothing: for houses without a room that keeps content."""
    return False
