"""The newest events, for a page that shows them without being subscribed."""

from lichen.stream.engine import Found, Store
from lichen.stream.frames import message_in
from lichen.stream.limits import BLOCKS_SEARCHED_MAX
from lichen.stream.matching import Matcher, matcher_of
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
        chosen = _wanted(matcher, here)
        found += [bytes(message_in(block.plain_of(row)))
                  for row in reversed(chosen[len(found) - limit:])]
        if len(found) >= limit:
            break
    return found


def _wanted(matcher: Matcher, here: Found) -> list[int]:
    """Return the wanted rows of a block, each verified; a look verifies some hundred at most."""
    rows: list[int] = []
    start, events = 0, here.block.events
    while start < events:
        looked = matcher.matched(here.block, start, is_readable=lambda: True)
        rows += range(start, events) if looked.rows is None else looked.rows.tolist()
        start = looked.stop
    return rows
