"""Finding one activity in the logs: a look of bounded length, beside the loop.

    inbox      back from a place, a block after the other ─► lines that quote the id ─► the one
    outgoing   on from a place ─► the record that passes an activity on

No row and no index says where an activity stands in the log `inbox`: that would cost every activity
something, and few are ever looked for. Bytes are searched before anything is taken apart.
"""

from collections.abc import Callable, Iterable, Iterator
from itertools import islice
from typing import NamedTuple

import msgspec

from lichen.federation.activities import Item, Writing, items_of
from lichen.federation.bodies import decoded
from lichen.federation.ingest import Line
from lichen.federation.limits import FOLLOWED_BEFORE_MAX, PASSED_ON_RECORDS_MAX
from lichen.federation.outgoing import Entry as OutgoingEntry
from lichen.federation.outgoing import Outgoing
from lichen.federation.values import id_of
from lichen.kit import Refused
from lichen.log import Batch, Entry, Log, LogTrimmed

_BLOCK = 1_024  # records read at once, on the way back
_LINE = msgspec.json.Decoder(Line)
_RECORD = msgspec.json.Decoder(Outgoing)


class Came(NamedTuple):
    """A line of the log `inbox` and those of its activities that were asked for."""

    entry: Entry
    line: Line
    outer_id: str
    items: list[Item]
    is_whole: bool  # the line itself was asked for, not one of several in it


def find_came(
    inbox: Log, id: str, *, until_seq: int, records_max: int, is_thing: bool
) -> Came | None:
    """Return the newest line that holds an activity, looking back from a sequence.

    With `is_thing` the id is that of something written that is here, and the line the one that
    brought it; else that of an activity, or of something that is not here yet.
    """
    quoting = _quoting(inbox, id, until_seq=until_seq, records_max=records_max)
    for entry in islice(quoting, FOLLOWED_BEFORE_MAX):
        found = _came(entry, id, is_thing=is_thing)
        if found is not None:
            return found
    return None


def find_passed_on(
    outgoing: Log, id: str, *, from_us: int, but: str
) -> tuple[OutgoingEntry, int] | None:
    """Return the record that passes on an activity of a peer, and when it was composed."""
    seq = max(outgoing.seq_at(from_us), outgoing.first_seq, 1)
    end = min(outgoing.last_seq, seq + PASSED_ON_RECORDS_MAX)
    needles = _needles(id)
    quoting = (
        entry for batch in _batches(outgoing, seq, end) if _holds(batch.body, needles)
        for entry in batch.entries() if _holds(entry.payload, needles)
    )
    for entry in quoting:
        record = _RECORD.decode(entry.payload)
        if record.but == but and record.community:
            return OutgoingEntry(entry.seq, record), entry.time_us
    return None


def _came(entry: Entry, id: str, *, is_thing: bool) -> Came | None:
    try:
        line = _LINE.decode(entry.payload)
        document = decoded(bytes(line.activity))
    except (msgspec.DecodeError, Refused):
        return None
    outer, items = id_of(document.get("id")), list(items_of(document))
    wanted: Callable[[Item], bool] = _brings(id) if is_thing else _is_called(id)
    if not is_thing and outer == id:
        return Came(entry, line, outer, items, is_whole=True)
    found = [one for one in items if wanted(one)]
    return Came(entry, line, outer, found, is_whole=len(items) == 1) if found else None


def _brings(id: str) -> Callable[[Item], bool]:
    def brings(item: Item) -> bool:
        act = item.activity
        return isinstance(act, Writing) and act.thing.ap_id == id and not act.is_update

    return brings


def _is_called(id: str) -> Callable[[Item], bool]:
    """Return whether an item has an id, or brings what has it and is not here yet."""
    brings = _brings(id)
    return lambda item: item.activity is not None and (item.activity.id == id or brings(item))


def _quoting(
    log: Log, id: str, *, until_seq: int, records_max: int
) -> Iterator[Entry]:
    """Yield the records that quote an id, the newest first."""
    needles = _needles(id)
    floor = max(1, log.first_seq, until_seq - records_max + 1)
    end = min(until_seq, log.last_seq)
    while end >= floor:
        start = max(floor, end - _BLOCK + 1)
        found = [
            entry for batch in _batches(log, start, end) if _holds(batch.body, needles)
            for entry in batch.entries() if entry.seq <= end and _holds(entry.payload, needles)
        ]
        yield from reversed(found)
        end = start - 1


def _batches(log: Log, seq: int, end: int) -> Iterator[Batch]:
    """Yield the records from one sequence to another; what retention takes meanwhile is passed."""
    while seq <= end:
        try:
            batch = log.read(seq, limit=end - seq + 1)
        except LogTrimmed as trimmed:
            seq = trimmed.floor_seq
            continue
        yield batch
        if batch.next_seq <= seq:
            return
        seq = batch.next_seq


def _holds(body: bytes, needles: Iterable[bytes]) -> bool:
    return any(needle in body for needle in needles)


def _needles(id: str) -> tuple[bytes, ...]:
    """Return an id as JSON may spell it: PHP escapes its slashes."""
    plain = msgspec.json.encode(id)[1:-1]
    return plain, plain.replace(b"/", rb"\/")
