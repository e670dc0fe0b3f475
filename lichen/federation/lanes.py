"""The lane of one peer: what waits for it, in an order that keeps what depends on what; pure.

    offered:   post P   comment C on P   vote on P   vote on P   edit of P
    may go:    1        2 after 1        2 after 1   2 after 1   3 after all votes

Every activity names the keys that it writes and those that it reads. It waits for what stands
before it and shares a key that one of the two writes; everything else passes it. Votes that
somebody takes back before they left are dropped together with what takes them back. Bounded by
count and bytes: the lane says when it is full.
"""

from collections import deque
from collections.abc import Iterator
from typing import Literal

from lichen.federation.limits import BATCH_ACTIVITIES_MAX, LANE_ACTIVITIES_MAX, LANE_BYTES_MAX
from lichen.federation.outgoing import Entry, Outgoing

LaneState = Literal["done", "overtaken", "under_way", "waits", "later"]


class Item:
    """An activity that waits, is under way, or is done."""

    __slots__ = ("after", "before", "entry", "is_fresh", "is_ready", "is_taken", "is_void")

    def __init__(self, entry: Entry) -> None:
        self.entry = entry
        self.before: set[Item] = set()  # what it waits for
        self.after: list[Item] = []  # what waits for it
        self.is_ready = False
        self.is_taken = False
        self.is_void = False  # overtaken by a later one
        self.is_fresh = entry.record.fresh  # the peer has heard of no vote that this one changes

    @property
    def record(self) -> Outgoing:
        """What is sent."""
        return self.entry.record


class _Key:
    """Who wrote a key last, and who reads what was written."""

    __slots__ = ("readers", "writer")

    def __init__(self) -> None:
        self.writer: Item | None = None
        self.readers: set[Item] = set()


class Lane:
    """What waits for one peer."""

    def __init__(self, position: int) -> None:
        self._position = position  # all up to it is done
        self._open: deque[Item] = deque()  # in order of sequence, the done ones not yet dropped
        self._done: set[Item] = set()
        self._ready: deque[Item] = deque()
        self._keys: dict[str, _Key] = {}
        self._votes: dict[str, Item] = {}
        self._batches: set[str] = set()  # groups whose batch is under way
        self._bytes = 0
        self._scanned = position
        self.coalesced = 0

    @property
    def position(self) -> int:
        """The sequence up to which nothing waits any more."""
        return self._open[0].entry.seq - 1 if self._open else self._scanned

    @property
    def scanned(self) -> int:
        """The sequence up to which everything was offered or passed over."""
        return self._scanned

    @property
    def is_full(self) -> bool:
        """Whether nothing more should be offered now."""
        return len(self._open) >= LANE_ACTIVITIES_MAX or self._bytes >= LANE_BYTES_MAX

    @property
    def is_empty(self) -> bool:
        """Whether nothing waits or is under way."""
        return not self._open

    def __len__(self) -> int:
        return len(self._open)

    def state_of(self, seq: int) -> LaneState:
        """Say where an activity of this peer's stands; looks through what is open."""
        if seq > self._scanned:
            return "later"
        item = next((one for one in self._open if one.entry.seq == seq), None)
        if item is None:
            return "done"
        if item.is_void:
            return "overtaken"
        if item in self._done:
            return "done"
        return "under_way" if item.is_taken else "waits"

    def passed(self, seq: int) -> None:
        """Note that everything up to a sequence was offered, or is for others."""
        self._scanned = max(self._scanned, seq)

    def offer(self, entry: Entry) -> None:
        """Let an activity wait behind what it depends on."""
        assert entry.seq > self._scanned, "activities are offered once, in their order"
        self._scanned = entry.seq
        item = Item(entry)
        if entry.record.vote and self._is_settled(item):
            return
        self._open.append(item)
        self._bytes += len(entry.record.activity)
        self._depend(item)
        if entry.record.vote:
            self._votes[entry.record.vote] = item
        if not item.before:
            item.is_ready = True
            self._ready.append(item)

    def take(self, *, in_batches: bool) -> list[Item]:
        """Return what may be sent now as one request, [] for nothing; several are one batch."""
        put_off: list[Item] = []
        taken: list[Item] = []
        while self._ready and not taken:
            item = self._ready.popleft()
            if item.is_void:
                self.finish(item)
            elif not in_batches or not item.record.batch:
                taken = [item]
            elif item.record.batch in self._batches:
                put_off.append(item)  # one batch of a group at a time, so that the next is larger
            else:
                taken = [item, *self._fellows(item.record.batch)]
                self._batches.add(item.record.batch)
        self._ready.extendleft(reversed(put_off))
        for item in taken:
            item.is_taken = True
        return taken

    def finish(self, item: Item) -> None:
        """Note that an activity is done: sent, refused for good, or overtaken."""
        self._done.add(item)
        self._bytes -= len(item.record.activity)
        for later in item.after:
            later.before.discard(item)
            if not later.before and not later.is_ready:
                later.is_ready = True
                self._ready.append(later)
        item.after.clear()
        self._release(item)
        while self._open and self._open[0] in self._done:
            self._done.discard(self._open.popleft())

    def put_back(self, items: list[Item]) -> None:
        """Let activities that could not be sent wait again, before all others."""
        for item in reversed(items):
            item.is_taken = False
            self._ready.appendleft(item)

    def end_batch(self, items: list[Item]) -> None:
        """Let the next batch of the same group go."""
        self._batches.discard(items[0].record.batch)

    def _fellows(self, group: str) -> list[Item]:
        """Take what else is ready of a group's votes, in order, as many as one batch holds."""
        found: list[Item] = []
        rest: deque[Item] = deque()
        while self._ready:
            item = self._ready.popleft()
            is_one = item.record.batch == group and not item.is_void
            if is_one and len(found) + 1 < BATCH_ACTIVITIES_MAX:
                found.append(item)
            else:
                rest.append(item)
        self._ready = rest
        return found

    def _is_settled(self, item: Item) -> bool:
        """Drop the vote that this one overtakes; say whether both are then needless."""
        earlier = self._votes.get(item.record.vote)
        if earlier is None or earlier.is_taken or earlier.is_void:
            return False
        earlier.is_void = True
        self.coalesced += 1
        if earlier.is_ready:
            self._ready.remove(earlier)
            self.finish(earlier)
        item.is_fresh = earlier.is_fresh
        if not (item.record.undo and earlier.is_fresh):
            return False
        self._votes.pop(item.record.vote, None)
        self.coalesced += 1
        return True

    def _depend(self, item: Item) -> None:
        for name in item.record.writes:
            key = self._keys.setdefault(name, _Key())
            self._wait(item, key.writer)
            for reader in key.readers:
                self._wait(item, reader)
            key.writer, key.readers = item, set()
        for name in item.record.reads:
            key = self._keys.setdefault(name, _Key())
            self._wait(item, key.writer)
            key.readers.add(item)

    @staticmethod
    def _wait(item: Item, earlier: Item | None) -> None:
        if earlier is not None and earlier is not item:
            item.before.add(earlier)
            earlier.after.append(item)

    def _release(self, item: Item) -> None:
        """Forget the keys that nobody else holds."""
        for name in self._names(item):
            key = self._keys.get(name)
            if key is None:
                continue
            key.readers.discard(item)
            if key.writer is item:
                key.writer = None
            if key.writer is None and not key.readers:
                del self._keys[name]
        if self._votes.get(item.record.vote) is item:
            del self._votes[item.record.vote]

    @staticmethod
    def _names(item: Item) -> Iterator[str]:
        yield from item.record.writes
        yield from item.record.reads
