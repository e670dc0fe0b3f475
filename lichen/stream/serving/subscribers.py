"""The pull loop: everybody who is writable gets what comes next, from one sequence.

    bell ─▶ round: what is new is looked at once, for all who are live; `position` moves on
    line ─▶ turn: whoever is behind pulls a chunk by its own cursor, one after the other
            a cursor that has arrived at `position` is live; one that cannot be written to is behind

Replay and live are the same walk over the same sequence, so that there is no seam between them. A
subscriber is a cursor: nothing is queued for anybody. Equal filters in equal forms share bytes:
live ones in a round, others within one turn.

Rounds are paced by what they cost: while few are subscribed there is one for each append, and with
thousands the pause grows, so that sockets, replays and the store have most of the core.
"""

import asyncio
from collections.abc import Callable
from typing import Final

from lichen.kit import Clock, Unavailable
from lichen.stream import limits
from lichen.stream.engine import Store
from lichen.stream.model import Filter, Form
from lichen.stream.pulling import Pulled, pull
from lichen.stream.serving.audience import Audience, Group
from lichen.stream.serving.counts import Counts
from lichen.stream.serving.fresh import Fresh, look_at, wanted_rows
from lichen.stream.serving.subscriber import Pace, Subscriber

BEAT_S: Final = 1.0  # between looks at pings, heartbeats and laggards


class Subscribers:
    """Everybody who reads one store."""

    def __init__(self, store: Store, *, clock: Clock, counts: Counts,
                 beat_s: float = BEAT_S) -> None:
        self.store = store
        self.counts = counts
        self.clock = clock
        self.position = store.next_seq  # up to where live subscribers were served
        self.everybody: set[Subscriber] = set()
        self._loop = asyncio.get_running_loop()
        self._groups: dict[tuple[Filter, Form], Group] = {}
        self._audience = Audience()
        self._line: list[Subscriber] = []  # those behind that can be written to
        self._arrived: list[Subscriber] = []  # beyond `position`: they wait for a round
        self._shared: dict[tuple[Group, int], Pulled] = {}
        self._is_turn_due = False
        self._round_due: asyncio.Handle | None = None
        self._round_not_before_us = 0
        self._unsubscribe: Callable[[], None] = store.subscribe_bell(self._ring)
        self._beat_s = beat_s
        self._beating = self._loop.call_later(beat_s, self._beat)

    # Coming and going.

    def enter(self, subscriber: Subscriber) -> None:
        """Count a subscriber; it gets nothing before `begin`."""
        self.everybody.add(subscriber)
        self._join_group(subscriber)

    def begin(self, subscriber: Subscriber) -> None:
        """Let a subscriber have its events, from its cursor on."""
        assert subscriber.pace is Pace.WAITING
        subscriber.pace = Pace.BEHIND
        self._line_up(subscriber)

    def change(self, subscriber: Subscriber, wanted: Filter) -> None:
        """Replace a subscriber's filter: it holds from the sequence that was reached."""
        self._fall_behind(subscriber)
        self._leave_group(subscriber)
        subscriber.wanted = wanted
        self._join_group(subscriber)
        if subscriber.pace is Pace.BEHIND:
            self._line_up(subscriber)

    def leave(self, subscriber: Subscriber) -> None:
        """Forget a subscriber; nothing is sent to it any more."""
        if subscriber not in self.everybody:
            return
        self._fall_behind(subscriber)
        subscriber.pace = Pace.GONE
        self._leave_group(subscriber)
        self.everybody.discard(subscriber)

    def pause(self, subscriber: Subscriber) -> None:
        """Leave a subscriber out that cannot be written to: it is behind from now on."""
        self._fall_behind(subscriber)

    def resume(self, subscriber: Subscriber) -> None:
        """Let a subscriber pull that can be written to again."""
        if subscriber.pace is Pace.BEHIND:
            self._line_up(subscriber)

    def marker(self) -> tuple[int, int]:
        """Return the last sequence that live subscribers have passed, and the newest time."""
        return self.position - 1, self.store.newest_us

    def close(self) -> None:
        """End the loop; the subscribers themselves are closed by their server."""
        self._unsubscribe()
        self._beating.cancel()
        if self._round_due is not None:
            self._round_due.cancel()

    def _join_group(self, subscriber: Subscriber) -> None:
        key = (subscriber.wanted, subscriber.form)
        group = self._groups.get(key)
        if group is None:
            group = self._groups[key] = Group(*key)
        group.members += 1
        subscriber.group = group

    def _leave_group(self, subscriber: Subscriber) -> None:
        group = subscriber.group
        group.members -= 1
        if group.members == 0:
            del self._groups[(group.wanted, group.form)]

    def _go_live(self, subscriber: Subscriber) -> None:
        subscriber.pace = Pace.LIVE
        self._audience.join(subscriber)

    def _fall_behind(self, subscriber: Subscriber) -> None:
        if subscriber.pace is not Pace.LIVE:
            return
        subscriber.pace = Pace.BEHIND
        subscriber.cursor = self.position
        self._audience.quit(subscriber)

    # Turns: those behind.

    def _line_up(self, subscriber: Subscriber) -> None:
        if not subscriber.is_writable or subscriber.is_due:
            return
        subscriber.is_due = True
        self._line.append(subscriber)
        self._turn_soon()

    def _turn_soon(self) -> None:
        if not self._is_turn_due:
            self._is_turn_due = True
            self._loop.call_soon(self._turn)

    def _turn(self) -> None:
        """Let those in the line pull a chunk each, as long as the time of a turn lasts."""
        self._is_turn_due = False
        # By the clock and not by the loop's time, which uvloop reads once an iteration.
        end_us = self.clock() + limits.TURN_US_MAX
        line, self._line = self._line, []
        served = 0
        while served < len(line) and self.clock() <= end_us:
            subscriber = line[served]
            served += 1
            subscriber.is_due = False
            self._advance(subscriber)
        # Who was not served comes first next time, who was served stands at the end.
        self._line = line[served:] + self._line
        self._shared.clear()
        if self._line:
            self._turn_soon()

    def _advance(self, subscriber: Subscriber) -> None:
        if subscriber.pace is not Pace.BEHIND or not subscriber.is_writable:
            return
        # Asked before the pull, since the store grows on a thread of its own meanwhile.
        tip = self.store.next_seq
        try:
            pulled = self._pull(subscriber.group, subscriber.cursor)
        except Unavailable:
            self._read_failed(subscriber)
            return
        is_at_tip = not pulled.scanned and pulled.next_seq <= subscriber.cursor
        # Nothing from the cursor on: what is left below the tip are holes.
        subscriber.cursor = max(subscriber.cursor, tip) if is_at_tip else pulled.next_seq
        self.counts.cold_reads += 1
        self.counts.events_filtered += pulled.scanned - pulled.events
        self._deliver(subscriber, pulled.data, pulled.events)
        self._go_on(subscriber)

    def _go_on(self, subscriber: Subscriber) -> None:
        """Let one that pulled pull again, or be live where it has arrived."""
        if subscriber.cursor < self.store.next_seq or not subscriber.is_writable:
            self._line_up(subscriber)
        elif subscriber.pace is not Pace.BEHIND:
            return
        elif subscriber.cursor == self.position:
            self._go_live(subscriber)
        else:
            self._arrived.append(subscriber)
            self._round_soon()

    def _read_failed(self, subscriber: Subscriber) -> None:
        """Leave a subscriber where it is for a second: the disk may be well again then."""
        self.counts.read_errors += 1
        self._loop.call_later(BEAT_S, self.resume, subscriber)

    def _pull(self, group: Group, from_seq: int) -> Pulled:
        if group.members == 1:
            return pull(self.store, from_seq, group.wanted, group.form)
        pulled = self._shared.get((group, from_seq))
        if pulled is None:
            pulled = pull(self.store, from_seq, group.wanted, group.form)
            if pulled.scanned:
                # "Nothing is there" is true for a moment only, and never shared.
                self._shared[(group, from_seq)] = pulled
        return pulled

    def _deliver(self, subscriber: Subscriber, messages: bytes | memoryview, events: int) -> None:
        if not messages:
            return
        self.counts.events_sent += events
        self.counts.bytes_sent += len(messages)
        subscriber.send(messages, events)

    # Rounds: those that are live.

    def _ring(self) -> None:
        if self.store.next_seq > self.position:
            self._round_soon()

    def _round_soon(self) -> None:
        if self._round_due is not None:
            return
        # Bounded, since a clock may be set back.
        wait_us = min(self._round_not_before_us - self.clock(), limits.ROUND_PAUSE_US_MAX)
        self._round_due = (self._loop.call_later(wait_us / 1e6, self._round) if wait_us > 0
                           else self._loop.call_soon(self._round))

    def _round(self) -> None:
        """Bring what is new to everybody who is live."""
        self._round_due = None
        began_us = self.clock()
        self._serve_round()
        arrived, self._arrived = self._arrived, []
        for subscriber in arrived:
            self._line_up(subscriber)
        took_us = max(0, self.clock() - began_us)
        self.counts.rounds += 1
        self.counts.round_s += took_us / 1e6
        pause_us = max(limits.ROUND_PAUSE_US_MIN, int(took_us * limits.ROUND_PAUSE_SHARE))
        pause_us = min(limits.ROUND_PAUSE_US_MAX, pause_us)
        self._round_not_before_us = began_us + took_us + pause_us
        if self.store.next_seq > self.position:
            self._round_soon()

    def _serve_round(self) -> None:
        tip = self.store.next_seq
        if not self._audience.is_empty:
            try:
                fresh = look_at(self.store, self.position)
            except Unavailable:
                self.counts.read_errors += 1
                return
            if fresh is not None:
                self._serve(fresh)
                return
        # Nobody is live, or nothing is left but holes.
        self.position = max(self.position, tip)

    def _serve(self, fresh: Fresh) -> None:
        before, self.position = self.position, fresh.next_seq
        for group in wanted_rows(fresh, self._audience):
            rows, group.rows = group.rows, []
            messages = fresh.messages(rows, group.form)
            if messages is None:
                continue
            if len(messages) > limits.CHUNK_BYTES_MAX and len(rows) > 1:
                self._send_back(group, before)
            else:
                self._spread(group, messages, len(rows))
        self.counts.events_filtered += fresh.events * self._audience.live
        for group in list(self._audience.asked_alone):
            self._serve_alone(group, before)

    def _spread(self, group: Group, messages: bytes, events: int) -> None:
        for subscriber in tuple(group.live):
            self.counts.hot_reads += 1
            self.counts.events_filtered -= events
            self._deliver(subscriber, messages, events)

    def _send_back(self, group: Group, before: int) -> None:
        """Let a group pull for itself what is more than a chunk."""
        for subscriber in tuple(group.live):
            self._fall_behind(subscriber)
            subscriber.cursor = before
            self._line_up(subscriber)

    def _serve_alone(self, group: Group, before: int) -> None:
        try:
            pulled = pull(self.store, before, group.wanted, group.form)
        except Unavailable:
            self._send_back(group, before)
            return
        for subscriber in tuple(group.live):
            if pulled.next_seq != self.position:
                self._fall_behind(subscriber)
                subscriber.cursor = pulled.next_seq
                self._line_up(subscriber)
            self.counts.hot_reads += 1
            self.counts.events_filtered -= pulled.events
            self._deliver(subscriber, pulled.data, pulled.events)

    # Time.

    def _beat(self) -> None:
        now_us = self.clock()
        for subscriber in tuple(self.everybody):
            subscriber.beat(now_us)
            if subscriber.pace is Pace.BEHIND:
                self._look_at_pace(subscriber, now_us)
            else:
                subscriber.window_at_us = now_us
                subscriber.window_seq = subscriber.seq_reached
        self._beating = self._loop.call_later(self._beat_s, self._beat)

    def _look_at_pace(self, subscriber: Subscriber, now_us: int) -> None:
        lag = self.store.next_seq - subscriber.cursor
        if now_us - subscriber.window_at_us < limits.SCAN_WINDOW_S * 1_000_000:
            return
        progress = subscriber.cursor - subscriber.window_seq
        subscriber.window_at_us, subscriber.window_seq = now_us, subscriber.cursor
        too_little = limits.SCAN_EVENTS_PER_S_MIN * limits.SCAN_WINDOW_S
        if lag > limits.LAG_EVENTS_MAX and progress < too_little:
            self.counts.adversarial_drops += 1
            subscriber.drop_slow(lag)
