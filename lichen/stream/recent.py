"""The newest events, for a page that shows them without being subscribed."""

from lichen.stream.engine import Store
from lichen.stream.frames import message_in
from lichen.stream.limits import BLOCKS_SEARCHED_MAX
from lichen.stream.matching import matcher_of
from lichen.stream.model import Filter, Wire


def newest(store: Store, wanted: Filter, *, limit: int) -> list[bytes]:
    """Return the JSON of the newest events of the first wire that are wanted, the newest first.

    Searches the newest blocks alone: some milliseconds. Raises StreamUnavailable.
    """
    matcher = matcher_of(wanted, Wire.V1)
    found: list[bytes] = []
    for place in reversed(store.blocks()[-BLOCKS_SEARCHED_MAX:]):
        here = store.find(place.first_seq)
        if here is None or not here.is_sendable(packed=False):
            continue
        block = here.block
        rows = matcher.rows(block, 0, block.events)
        chosen = range(block.events) if rows is None else rows.tolist()
        found += [bytes(message_in(block.plain_of(row)))
                  for row in reversed(chosen[len(found) - limit:])]
        if len(found) >= limit:
            break
    return found
