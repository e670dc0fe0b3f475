"""The reader of the house's log: copies what is public into the stream's own store.

    log ──► batch ──► copying: what outsiders see ──► Store.append(…, position)   one fdatasync
                                                        │
    erasures ──► the same sequences ────────────────────┘

Of the kind *files*: how far it read is stored with what it copied, in one append, so a crash
neither loses nor doubles anything, and a store that is removed is built from the log again. A batch
in which nothing is public is not noted: after a crash it is read again, and nothing is public
still. What is older than the stream serves is not copied at all.

A site that lets members alone read takes back what it has let out: the store is emptied.
"""

import asyncio
from collections.abc import Sequence

import structlog

from lichen.kit import Clock
from lichen.log import Batch, Log
from lichen.stream.copying import House, copied_of
from lichen.stream.encoding import portions
from lichen.stream.engine import Store
from lichen.stream.limits import ERASED_AT_ONCE_MAX

_log = structlog.get_logger("lichen.stream")


class StreamReader:
    """Copies what is public; nobody's page waits for it.

    `since_seq` is the last sequence of what an older Lichen wrote, which did not say of single
    events whether they are public: nothing up to there is copied.
    """

    name = "stream"
    serves_pages = False

    def __init__(
        self, store: Store, log: Log, house: House, *, clock: Clock, age_us_max: int
    ) -> None:
        self.since_seq = 0
        self.copied = 0
        self.reached = 0  # the last sequence that was read, public or not
        self._store = store
        self._log = log
        self._house = house
        self._clock = clock
        self._age_us_max = age_us_max
        self._is_closed = False
        self._erased: set[int] = set()  # beyond what was copied: never to be
        self._one_at_a_time = asyncio.Lock()

    def position(self) -> int:
        """Return the last sequence that is copied, or need not be: trimmed, or too old to serve."""
        oldest_us = self._clock() - self._age_us_max
        self.reached = max(
            self._store.position, self.since_seq, self._log.first_seq - 1,
            self._log.seq_at(oldest_us) - 1,
        )
        return self.reached

    async def apply(self, batch: Batch) -> None:
        """Copy what is public of a batch; what is copied already is passed over."""
        async with self._one_at_a_time:
            copied = await asyncio.to_thread(
                copied_of, batch, self._house, is_closed=self._is_closed,
                after_seq=max(self._store.position, self.since_seq),
            )
            if copied.was_shut:
                await self._take_back()
            end = int(batch.seqs[-1])
            wanted = [one for one in copied.arrivals if one.seq not in self._erased]
            several = list(portions(wanted))
            for number, portion in enumerate(several, 1):
                reached = end if number == len(several) else portion[-1].seq
                await self._store.append(portion, position=reached)
            self._is_closed = copied.is_closed
            self._erased = {seq for seq in self._erased if seq > end}
            self.copied += len(wanted)
            self.reached = end

    async def erase(self, seqs: Sequence[int]) -> None:
        """Remove these records for good; those that are yet to be copied never will be.

        Asked before the log forgets them, so that a crash between leaves them to be found again.
        """
        async with self._one_at_a_time:
            self._erased.update(seq for seq in seqs if seq > self._store.position)
            await self._erase(seqs)

    async def shut(self) -> None:
        """Take back everything: only members may read, as a start finds it."""
        async with self._one_at_a_time:
            self._is_closed = True
            await self._take_back()

    async def _take_back(self) -> None:
        events = self._store.sizes().events
        if events:
            await self._erase(range(self._store.first_seq, self._store.next_seq))
            _log.warning("stream_taken_back", events=events)

    async def _erase(self, seqs: Sequence[int]) -> None:
        for start in range(0, len(seqs), ERASED_AT_ONCE_MAX):
            await self._store.erase(seqs[start:start + ERASED_AT_ONCE_MAX])
