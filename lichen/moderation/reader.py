"""The reader of proposals: whoever supported one hears what it came to.

    a proposal was accepted or declined ──► its supporters, a batch a unit, each marked as told

A rows reader. What it has done is marked in the rows with the notices, so that everybody is told
exactly once however often an event comes; its checkpoint only says where to go on. Many supporters
cost many units, never a long one, and the moderator who decided waits for none of them.
"""

from collections.abc import Callable, Iterable

import msgspec

from lichen.events import Event, decode_events
from lichen.events import moderation as records
from lichen.log import Batch
from lichen.moderation.limits import UNMARKED_EVENTS_MAX
from lichen.moderation.proposal import DECISIONS
from lichen.moderation.proposals import PROPOSAL
from lichen.moderation.supports import Supports
from lichen.store import Store, Unit, advance_checkpoint

NAME = "proposals"


class ProposalsReader:
    """Follows the log and tells supporters."""

    name = NAME
    serves_pages = False

    def __init__(self, store: Store, supports: Supports, *, position: int) -> None:
        self._store = store
        self._supports = supports
        self._position = position
        self._marked = position

    def position(self) -> int:
        """Return the last sequence applied."""
        return self._position

    async def apply(self, batch: Batch) -> None:
        """Tell everybody who supported what the batch says was decided."""
        decided = _decided(decode_events(batch.lines()))
        for proposal_id in decided:
            while await self._store.write(self._telling(proposal_id), apart=True):
                pass
        last = batch.next_seq - 1
        if decided or last - self._marked > UNMARKED_EVENTS_MAX:
            await self._store.write(
                lambda unit: advance_checkpoint(unit, NAME, last), apart=True
            )
            self._marked = last
        self._position = last

    def _telling(self, proposal_id: int) -> Callable[[Unit], bool]:
        def command(unit: Unit) -> bool:
            return self._supports.tell_supporters(unit, proposal_id)

        return command


def _decided(events: Iterable[Event]) -> list[int]:
    """Return the proposals that were accepted or declined, by number."""
    told = {
        event.row: msgspec.json.decode(event.record, type=records.Proposal).state
        for event in events if event.collection == PROPOSAL and event.operation != "delete"
    }
    return [number for number, state in told.items() if state in DECISIONS]
