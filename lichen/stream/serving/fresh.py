"""What is new in a live round: some rows of one block, looked at once for everybody.

Kind, collection and DID of each row are asked of the audience; a row's number is noted with each
group that wants it, and each group's messages are gathered at the end. A kind and a collection are
looked up once a round, a DID once a row and only while somebody names DIDs.
"""

from lichen.stream.columns import KIND_MASK
from lichen.stream.engine import Found, Store
from lichen.stream.limits import ROUND_BYTES_MAX
from lichen.stream.matching import actor_of
from lichen.stream.model import Form, Kind, Wire
from lichen.stream.pulling import derived_message, is_stored, stored_messages
from lichen.stream.serving.audience import Audience, Group


class Fresh:
    """Rows `start` to `stop` of a block, and the sequence after them."""

    def __init__(self, store: Store, found: Found, start: int, stop: int) -> None:
        block = found.block
        self.found = found
        self.start = start
        self.stop = stop
        self.next_seq = block.last_seq + 1 if stop >= block.events else block.seq_of(stop)
        self._store = store
        self._cut: dict[Form, list[bytes] | None] = {}

    @property
    def events(self) -> int:
        """Return how many rows there are."""
        return self.stop - self.start

    def messages(self, rows: list[int], form: Form) -> bytes | None:
        """Return some of the rows in a form; None where the block is damaged.

        Costs about 0.1 µs a row: a stored form is cut into its messages once for all groups, a
        derived one is remembered by the block.
        """
        if not is_stored(form, self.found.block):
            return b"".join([derived_message(self._store, self.found, row, form) for row in rows])
        if form not in self._cut:
            self._cut[form] = stored_messages(self.found, self.start, self.stop, form)
        cut, start = self._cut[form], self.start
        return None if cut is None else b"".join([cut[row - start] for row in rows])


def look_at(store: Store, from_seq: int) -> Fresh | None:
    """Return what is new from a sequence on, at most a round's worth; None at the tip."""
    found = store.find(max(from_seq, store.first_seq))
    if found is None:
        return None
    block = found.block
    start = block.row_at(from_seq)
    ends = block.columns.plain_end
    begin = int(ends[start - 1]) if start else 0
    stop = int(ends.searchsorted(begin + ROUND_BYTES_MAX, "right"))
    stop = min(block.events, max(start + 1, stop))
    return Fresh(store, found, start, stop)


def wanted_rows(fresh: Fresh, audience: Audience) -> list[Group]:
    """Note with each group the rows it wants; return the groups that want any.

    Costs about a microsecond a row and 0.1 µs for each row that a group wants.
    """
    block, rows = fresh.found.block, range(fresh.start, fresh.stop)
    kinds = (block.columns.marks[fresh.start:fresh.stop] & KIND_MASK).tolist()
    numbers = block.columns.collection[fresh.start:fresh.stop].tolist()
    names = ["", *block.names.collections]
    known: dict[tuple[int, int], list[Group]] = {}
    touched: dict[Group, None] = {}
    for row, key in zip(rows, zip(kinds, numbers, strict=True), strict=True):
        groups = known.get(key)
        if groups is None:
            groups = known[key] = audience.of(Kind(key[0]), names[key[1]])
            touched |= dict.fromkeys(groups)
        for group in groups:
            group.rows.append(row)
    if audience.asks_for_dids:
        for row, (kind, number) in zip(rows, zip(kinds, numbers, strict=True), strict=True):
            found = audience.of_did(actor_of(block, row), Kind(kind), names[number])
            touched |= dict.fromkeys(found)
            for group in found:
                group.rows.append(row)
    for group in audience.everything:
        group.rows = [row for row, kind in zip(rows, kinds, strict=True)
                      if kind != Kind.SYNC or group.form.wire == Wire.V2]
        touched[group] = None
    return [group for group in touched if group.rows]

