"""What outsiders hear of the forum: which of its public events may leave the house. Pure.

    words    a post, comment, tally as it is now      shown where everybody can read the thing
    traces   a deletion, a ban, a moderator's deed    shown where outsiders can have seen the thing
    place    a community                              shown, or ended when it is not public any more

A community that is hidden, or for the people of this server alone, is not for outsiders at all, nor
is anything in it. What was held from the start and never let out leaves no trace either: not even
its record key. That a community, or a post, is gone stands for everything in it, or below it.
"""

from typing import Protocol

from lichen.events import Outside
from lichen.forum.model import Comment, Community, Post
from lichen.forum.permissions import is_gone


class Thing(Protocol):
    """A post or comment, or its row."""

    @property
    def unseen(self) -> bool:
        """Whether it was never public."""


def words_outside(community: Community, *things: Post | Comment) -> Outside:
    """Say what outsiders hear of words as they are now: the thing, and what it stands under."""
    is_open = _is_open(community) and not any(map(is_gone, things))
    return "shown" if is_open else "withheld"


def traces_outside(community: Community, *things: Thing) -> Outside:
    """Say what outsiders hear of what was done to things: nothing of what they never saw."""
    is_known = not (_is_secluded(community) or any(one.unseen for one in things))
    return "shown" if is_known else "withheld"


def place_outside(before: Community | None, after: Community) -> Outside:
    """Say what outsiders hear of a community that changed; None before one that is new."""
    if _is_open(after):
        return "shown"
    return "ended" if before is not None and _is_open(before) else "withheld"


def _is_secluded(community: Community) -> bool:
    return community.hidden or community.local_only


def _is_open(community: Community) -> bool:
    return not (_is_secluded(community) or community.removed or community.deleted)
