"""What happens to moderation rules: the records of the room `automod`; all private.

A rule speaks with the DID of its community, or of the site. `row` is the rule's number; of a hit it
is the post or comment that was hit.
"""

from lichen.events.envelope import Record
from lichen.kit import Reason


class Rule(Record, frozen=True, tag="lichen.automod.rule"):
    """A rule as it is now; deleted, it is a deletion."""

    name: str
    program: str
    action: str
    mode: str
    severity: int
    version: int
    created_at: str
    updated_at: str
    ban_days: int | None = None
    note: str | None = None


class Hit(Record, frozen=True, tag="lichen.automod.hit"):
    """A rule was true of something, and what was done; `subject` is an at:// address."""

    rule: int
    version: int
    subject: str
    mode: str
    waiting: bool
    reason: Reason
    created_at: str
    done: str | None = None
