"""Sending: a line for each peer that something waits for, and where each stands.

    outgoing ──► who is addressed? ──► their lines wake ──► each at its own pace
                                            │
                     every few seconds: where those stand that are behind, and the head

Only peers that are behind have a row; everybody else stands at the head. So a thousand quiet peers
cost nothing, and what a crash sends again is what was sent since the last note.
"""

import asyncio
from collections.abc import Awaitable, Callable, Collection, Iterable
from typing import NamedTuple

import structlog

from lichen.federation import outgoing_rows as rows
from lichen.federation.lanes import LaneState
from lichen.federation.limits import CURSOR_S, SENDERS_MAX
from lichen.federation.lines import Line, PeerBook, Retold, Street
from lichen.federation.outgoing import Entry, Outgoing, Shelf, is_for
from lichen.federation.posting import Posting
from lichen.federation.tracks import Tries
from lichen.kit import Unavailable
from lichen.kit.crash_points import crash_point
from lichen.kit.ground import Ground
from lichen.kit.ids import is_tid, time_us_of_tid
from lichen.log import Log
from lichen.store import Store, Unit
from lichen.web import Addresses

_log = structlog.get_logger("lichen.federation")


class LineState(NamedTuple):
    """How sending to a peer goes: for the page and the API."""

    authority: str
    behind: int
    waiting: int
    under_way: int
    window: int
    taken: int
    refused: int
    coalesced: int
    failures: int
    retry_at_us: int
    error: str
    is_told_again: bool = False


class Missing(NamedTuple):
    """How many activities a peer has not, the first of them (0: none), and whether more may be."""

    activities: int
    first_seq: int
    is_more: bool


class Sending:
    """Drives the lines of all peers."""

    def __init__(  # noqa: PLR0913 - what sending stands on
        self, ground: Ground, store: Store, log: Log, *, peers: PeerBook, posting: Posting,
        followers: Callable[[int], Collection[str]],
        everybody: Callable[[], Iterable[str]], addresses: Addresses,
        pause: Callable[[float], Awaitable[None]] = asyncio.sleep,
        retelling: Callable[[str, int], Retold] | None = None,
    ) -> None:
        """Take the log `outgoing`; `everybody` names the peers of what concerns every server."""
        self.shelf = Shelf(log)
        self._log = log
        self._store = store
        self._everybody = everybody
        self._pause = pause
        self._peers = peers
        self._street = Street(
            self.shelf, peers, posting, followers=followers, clock=ground.clock,
            chance=ground.randomness.random, gate=asyncio.Semaphore(SENDERS_MAX),
            scheme=addresses.scheme,
        )
        self._street.retelling = retelling
        self._lines: dict[str, Line] = {}
        self._tasks: asyncio.TaskGroup | None = None
        self._head = 0
        self._noted: dict[str, int] = {}
        self._noted_head = 0

    async def start(self) -> None:
        """Learn where the peers stand; where nothing was noted yet, at the log's beginning."""
        found = await self._store.read(lambda unit: unit.fetch(rows.LINES), apart=True)
        places = {row.authority: int(row.cursor) for row in found}
        since_us = {row.authority: int(row.since_us) for row in found}
        self._noted_head = places.pop(rows.HEAD, 0)
        # A head above the log's end is one of a log that was lost: begin with what comes.
        self._head = min(self._noted_head, self._log.last_seq)
        self._noted = places
        for authority, cursor in places.items():
            line = Line(authority, min(cursor, self._log.last_seq), self._street)
            line.since_us = since_us[authority] or self._since_us(line, line.position)
            self._lines[authority] = line

    async def run(self) -> None:
        """Send until cancelled, or until the log is closed."""
        async with asyncio.TaskGroup() as tasks:
            self._tasks = tasks
            noting = tasks.create_task(self._note_places(), name="places of peers")
            for line in self._lines.values():
                self._wake(line, tasks)
            async for batch in self._log.follow(self._head + 1):
                self._dispatch(batch.next_seq - 1, tasks)
            noting.cancel()

    async def close(self) -> None:
        """Note where the peers stand, at the end."""
        await self._note()

    def states(self) -> list[LineState]:
        """Return how it goes with every peer that was sent to since the start."""
        return [
            LineState(
                authority=line.authority, behind=self.shelf.last_seq - self._place(line),
                waiting=len(line.lane), under_way=line.under_way, window=line.window.size,
                taken=line.taken, refused=line.refused, coalesced=line.lane.coalesced,
                failures=line.failures, retry_at_us=line.retry_at_us, error=line.error,
                is_told_again=line.is_told_again,
            )
            for line in self._lines.values()
        ]

    def resume(self, authority: str) -> None:
        """End a peer's pause now."""
        line = self._lines.get(authority)
        if line is not None:
            line.resume()

    def rewind(self, authority: str, position: int) -> None:
        """Send a peer again everything that is for it after a position, or after where it stands.

        Whoever stands before the position stays there: what it never had is not passed over.
        """
        line = self._lines.get(authority)
        if line is None:
            line = self._lines[authority] = Line(authority, position, self._street)
        else:
            line.rewind(min(position, self._place(line)))
        if self._tasks is not None:
            self._wake(line, self._tasks)

    def missing(self, authority: str, *, limit: int) -> Missing:
        """Count what a peer has not yet, looking at no more than `limit` activities; no I/O but
        the log's.
        """
        line = self._lines.get(authority)
        seq = 0 if line is None else max(self._place(line) + 1, self.shelf.first_seq)
        last_seq = self.shelf.last_seq
        if line is None or seq > last_seq:
            return Missing(0, 0, is_more=False)
        end, count, first_seq = min(last_seq, seq + limit - 1), 0, 0
        while seq <= end:
            entries, seq = self.shelf.entries(seq)
            for entry in entries:
                if entry.seq <= end and is_for(entry.record, authority, self._street.followers):
                    count, first_seq = count + 1, first_seq or entry.seq
        return Missing(count, first_seq, is_more=end < last_seq)

    @property
    def tries(self) -> Tries:
        """The last requests to all peers."""
        return self._street.tries

    def audience_of(self, record: Outgoing) -> set[str]:
        """Return the servers that a record is for now: followers come and go."""
        return self._named(_Audience(record.community, record.peers, record.but, record.everybody))

    def state_of(self, authority: str, seq: int) -> LaneState:
        """Say where a record stands that is for a peer; "done" is taken, refused or needless."""
        line = self._lines.get(authority)
        if line is None or not line.is_behind:
            return "done" if seq <= self._head else "later"
        return line.lane.state_of(seq)

    def low_water(self) -> int:
        """Return the lowest position of all peers: what retention should keep after."""
        return min((self._place(line) for line in self._lines.values()), default=self._head)

    def _place(self, line: Line) -> int:
        """Return the sequence up to which a peer has everything that is for it."""
        return line.position if line.is_behind else max(line.position, self._head)

    def _dispatch(self, last_seq: int, tasks: asyncio.TaskGroup) -> None:
        """Wake the lines of everybody for whom something new is there."""
        entries: list[Entry] = []
        seq = self._head + 1
        while seq <= last_seq:
            found, seq = self.shelf.entries(seq)
            entries += found
        first: dict[str, int] = {}
        for audience, at in _audiences(entries).items():
            for authority in self._named(audience):
                first[authority] = min(at, first.get(authority, at))
        for authority, at in first.items():
            line = self._lines.get(authority)
            if line is None:
                line = self._lines[authority] = Line(authority, at - 1, self._street)
            elif not line.is_behind:
                line.lane.passed(at - 1)
            self._wake(line, tasks)
        self._head = last_seq

    def _named(self, audience: "_Audience") -> set[str]:
        """Return the servers that an audience names."""
        named = set(audience.peers)
        if audience.community:
            named |= set(self._street.followers(audience.community))
        if audience.everybody:
            named |= set(self._everybody())
        named.discard(audience.but)
        return named

    def _wake(self, line: Line, tasks: asyncio.TaskGroup) -> None:
        if line.is_running:
            line.wake()
            return
        line.is_running = line.is_behind = True
        tasks.create_task(self._drive(line), name=f"to {line.authority}")

    async def _drive(self, line: Line) -> None:
        try:
            await line.run()
        except* Unavailable:
            # The database or the log: what waits stays where it is until the next activity. It
            # comes alone, or out of the line's task group, which has cut off what was under way.
            line.give_back()
            _log.warning("line_waits", peer=line.authority)
        finally:
            line.is_running = False

    async def _note_places(self) -> None:
        while True:
            await self._pause(CURSOR_S)
            try:
                await self._note()
            except Unavailable as error:
                _log.warning("places_wait", reason=error.text)

    async def _note(self) -> None:
        """Write where those stand that are behind; one transaction, none where nothing moved."""
        head = self._head
        behind = {
            line.authority: place for line in self._lines.values()
            if (place := self._place(line)) < head
        }
        if behind == self._noted and head == self._noted_head:
            return
        moved = {name: place for name, place in behind.items() if self._noted.get(name) != place}
        for name, place in moved.items():
            self._lines[name].since_us = self._since_us(self._lines[name], place)
        gone = [name for name in self._noted if name not in behind]

        def note(unit: Unit) -> None:
            unit.stage(rows.DROP_LINES, {"authorities": gone})
            unit.stage(rows.KEEP_LINE, *(
                {"authority": name, "cursor": place, "since_us": self._lines[name].since_us}
                for name, place in sorted(moved.items())
            ), {"authority": rows.HEAD, "cursor": head, "since_us": 0})

        crash_point("sending.before_note")
        await self._store.write(note, apart=True)
        crash_point("sending.after_note")
        self._noted, self._noted_head = behind, head

    def _since_us(self, line: Line, place: int) -> int:
        """Return when the first thing was done that a peer may not have."""
        if not self.shelf.first_seq <= place + 1 <= self.shelf.last_seq:
            return line.since_us  # retention took it: what was noted before stands
        entries, _ = self.shelf.entries(place + 1)
        key = entries[0].record.key if entries else ""
        return time_us_of_tid(key) if is_tid(key) else line.since_us


class _Audience(NamedTuple):
    """Whom an activity is for."""

    community: int
    peers: tuple[str, ...]
    but: str
    everybody: bool


def _audiences(entries: list[Entry]) -> dict[_Audience, int]:
    """Return each audience with the first sequence that is for it."""
    first: dict[_Audience, int] = {}
    for seq, record in entries:
        audience = _Audience(record.community, record.peers, record.but, record.everybody)
        first.setdefault(audience, seq)
    return first
