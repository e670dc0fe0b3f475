"""One peer's line: its lane, its window, its pauses.

    shelf ──► lane (what depends on what) ──► window (how many at once) ──► POST
                ▲                                                             │
                └───────── put back: busy or failed, after a pause ◄──────────┤
                                                                done: taken or refused for good

A line runs while something waits for its peer and ends when nothing does; it owns its requests. A
peer that hangs holds its own window, never another's.
"""

import asyncio
from collections.abc import Callable, Collection
from contextlib import suppress
from typing import Protocol

from lichen.federation.lanes import Item, Lane
from lichen.federation.limits import LANE_KEPT_S, RETOLD_RETRY_S
from lichen.federation.model import Peer, Style
from lichen.federation.outgoing import Entry, Outgoing, Shelf, is_for
from lichen.federation.posting import Answer, Posting, Verdict
from lichen.federation.tracks import Tries, Try
from lichen.federation.windows import Window, pause_s
from lichen.kit import Clock, Unavailable
from lichen.kit.crash_points import crash_point
from lichen.log import LogTrimmed

MISSED = "It was away for longer than activities are kept, and missed some."


class PeerBook(Protocol):
    """What a line asks of the peers."""

    async def peer(self, authority: str) -> Peer:
        """Return a peer, made at its first mention."""

    def is_allowed(self, authority: str) -> bool:
        """Say whether we federate with a server; from memory."""

    def note_success(self, authority: str, *, cursor: int) -> None:
        """Note that a peer took what was sent; written with the next flush."""

    def note_failure(self, authority: str, error: str, *, retry_at_us: int) -> None:
        """Note that a peer did not; written with the next flush."""

    def prefer(self, authority: str, style: Style) -> None:
        """Remember how a peer wants requests signed; written with the next flush."""


class Retold(Protocol):
    """What one peer is told again, a page at a time; see retelling.py."""

    is_cut: bool

    async def page(self) -> list[Outgoing]:
        """Return what comes next, [] at the end."""

    def rewind(self) -> None:
        """Let the next page be the last one again."""


class Street:
    """What all lines share: where activities are read, signed, counted, and who follows what."""

    def __init__(
        self, shelf: Shelf, peers: PeerBook, posting: Posting, *,
        followers: Callable[[int], Collection[str]], clock: Clock, chance: Callable[[], float],
        gate: asyncio.Semaphore, scheme: str = "https",
    ) -> None:
        self.shelf = shelf
        self.peers = peers
        self.posting = posting
        self.followers = followers
        self.clock = clock
        self.chance = chance
        self.gate = gate
        self.scheme = scheme
        self.tries = Tries(since_us=clock())
        # Who tells a peer again, since a time, what the log no longer holds.
        self.retelling: Callable[[str, int], Retold] | None = None


class Line:
    """Sends to one peer what the log has for it, from a position on."""

    def __init__(self, authority: str, position: int, street: Street) -> None:
        self.authority = authority
        self.lane = Lane(position)
        self.window = Window()
        self.is_running = False
        self.is_behind = True  # until it has run out of what waits
        self.under_way = 0
        self.refused = 0
        self.taken = 0
        self.failures = 0
        self.retry_at_us = 0
        self.error = ""
        self.since_us = 0  # when what it has not was done, as it was noted last
        self._street = street
        self._rewind_to: int | None = None
        self._again: Retold | None = None  # what it is told before it goes on in the log
        self._stands = self._goes_on = 0  # meanwhile: its place, and the place after it
        self._moved = asyncio.Event()

    @property
    def is_told_again(self) -> bool:
        """Whether it is told from the rows what the log no longer holds."""
        return self._again is not None

    @property
    def position(self) -> int:
        """The sequence up to which nothing waits for it any more."""
        return self._stands if self._again is not None else self.lane.position

    def wake(self) -> None:
        """Look again: something may wait, or a pause was lifted."""
        self._moved.set()

    def resume(self) -> None:
        """End a pause now: somebody says that the peer is back."""
        self.retry_at_us = 0
        self.wake()

    def rewind(self, position: int) -> None:
        """Begin again after a position, once what is under way has ended."""
        self._rewind_to = position
        self.retry_at_us = 0
        self.wake()

    def give_back(self) -> None:
        """Forget what was read ahead, while nothing is under way; it is read again."""
        self.lane = Lane(0 if self._again else self.lane.position)
        if self._again is not None:
            self._again.rewind()

    async def run(self) -> None:
        """Send until nothing waits."""
        self.is_running = self.is_behind = True
        peer = await self._street.peers.peer(self.authority)
        if not self.failures:
            self.failures, self.retry_at_us = peer.fail_count, peer.retry_at_us
        if self.failures:
            self.window.close()
        async with asyncio.TaskGroup() as requests:
            while await self._is_waiting():
                self._moved.clear()
                left_s = (self.retry_at_us - self._street.clock()) / 1_000_000
                if left_s > 0:
                    await self._rest(left_s)
                    continue
                peer = await self._street.peers.peer(self.authority)
                if self._rewind_to is None:
                    self._start(requests, peer)
                if not self.under_way and not self.lane.is_empty:
                    continue  # what was ready had been overtaken
                if self.under_way:
                    await self._moved.wait()
            self.is_running = self.is_behind = False

    async def _is_waiting(self) -> bool:
        """Fill the lane from the log; say whether anything waits or is under way."""
        if self._rewind_to is not None:
            if self.under_way:
                return True
            self._again, self.lane, self._rewind_to = None, Lane(self._rewind_to), None
        street = self._street
        if not street.peers.is_allowed(self.authority):
            if not self.under_way:
                self._again, self.lane = None, Lane(street.shelf.last_seq)
            return self.under_way > 0
        if self._again is not None and await self._is_telling(self._again):
            return True
        lane = self.lane
        try:
            while not lane.is_full and lane.scanned < street.shelf.last_seq:
                self._fill(*street.shelf.entries(lane.scanned + 1))
        except LogTrimmed as error:
            self.error = MISSED
            if not self.under_way:
                await self._pass_over(error.floor_seq - 1)
                return await self._is_waiting()
        return not self.lane.is_empty

    async def _pass_over(self, position: int) -> None:
        """Go on at what is left of the log, but tell first from the rows what is missing."""
        retelling = self._street.retelling
        if retelling is None:
            self.lane = Lane(position)
            return
        # A line of before there were notes of times: it had everything when it last took something.
        known = await self._street.peers.peer(self.authority)
        self._again = retelling(self.authority, self.since_us or known.last_success_us)
        self._stands, self._goes_on = self.lane.position, position
        self.lane = Lane(0)

    async def _is_telling(self, again: Retold) -> bool:
        """Fill the lane from the rows; at the end, when all was taken, go back to the log."""
        if not self.lane.is_empty:
            return True
        try:
            records = await again.page()
        except Unavailable as error:
            # The database: what is told again is told again later, nothing is passed over.
            self.error = error.text
            self.retry_at_us = self._street.clock() + int(RETOLD_RETRY_S * 1_000_000)
            return True
        if not records:
            self._again, self.lane = None, Lane(self._goes_on)
            self.error = MISSED if again.is_cut else ""
            return False
        for seq, record in enumerate(records, self.lane.scanned + 1):
            self.lane.offer(Entry(seq, record))
        return True

    def _fill(self, entries: list[Entry], next_seq: int) -> None:
        """Offer what is for this peer, until the lane is full."""
        for entry in entries:
            if self.lane.is_full:
                return
            if is_for(entry.record, self.authority, self._street.followers):
                self.lane.offer(entry)
            self.lane.passed(entry.seq)
        self.lane.passed(next_seq - 1)

    async def _rest(self, left_s: float) -> None:
        """Pause; after a short while without anything under way the lane is given back."""
        if left_s > LANE_KEPT_S and not self.under_way:
            self.give_back()
        with suppress(TimeoutError):
            async with asyncio.timeout(left_s):
                await self._moved.wait()

    def _start(self, requests: asyncio.TaskGroup, peer: Peer) -> None:
        while self.under_way < self.window.size:
            items = self.lane.take(in_batches=peer.takes_batches)
            if not items:
                return
            self.under_way += 1
            requests.create_task(self._send(peer, items, is_batch=peer.takes_batches))

    async def _send(self, peer: Peer, items: list[Item], *, is_batch: bool) -> None:
        try:
            async with self._street.gate:
                answer = await self._deliver(peer, items)
            if answer.verdict in (Verdict.TAKEN, Verdict.REFUSED):
                for item in items:
                    self.lane.finish(item)
                self._note_done(answer, len(items))
            else:
                self.lane.put_back(items)
                self._note_failure(answer)
        finally:
            self.under_way -= 1
            if is_batch and items[0].record.batch:
                self.lane.end_batch(items)
            self.wake()

    async def _deliver(self, peer: Peer, items: list[Item]) -> Answer:
        """Send; a batch that is refused is halved until what is refused stands alone."""
        record = items[0].record
        inbox = (peer.shared_inbox or record.inbox
                 or f"{self._street.scheme}://{self.authority}/inbox")
        began_us = self._street.clock()
        answer = await self._street.posting.send(peer, inbox, [item.record for item in items])
        self._street.tries.note([item.entry.seq for item in items], Try(
            self.authority, began_us, self._street.clock(), answer.verdict.value, answer.error,
            len(items),
        ))
        if answer.verdict is not Verdict.REFUSED or len(items) == 1:
            self.refused += answer.verdict is Verdict.REFUSED
            return answer
        middle = len(items) // 2
        first = await self._deliver(peer, items[:middle])
        if first.verdict in (Verdict.BUSY, Verdict.FAILED):
            return first
        return await self._deliver(peer, items[middle:])

    def _note_done(self, answer: Answer, count: int) -> None:
        crash_point("sending.delivered")
        self.taken += count
        self.failures, self.retry_at_us = 0, 0
        self.error = answer.error or (self.error if self.error == MISSED else "")
        self.window.widen()
        self._street.peers.note_success(self.authority, cursor=self.position)

    def _note_failure(self, answer: Answer) -> None:
        """Pause. What failed together, or before the pause began, counts once."""
        self.error = answer.error
        now_us = self._street.clock()
        if now_us < self.retry_at_us:
            return
        if answer.verdict is Verdict.BUSY:
            self.window.halve()
        else:
            self.window.close()
        self.failures += 1
        wait_s = pause_s(self.failures, self._street.chance(), at_least_s=answer.retry_after_s)
        self.retry_at_us = now_us + int(wait_s * 1_000_000)
        self._street.peers.note_failure(
            self.authority, answer.error, retry_at_us=self.retry_at_us
        )
