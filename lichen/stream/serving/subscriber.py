"""A subscriber: a cursor, a filter and a transport; no queue.

`Subscribers` moves it: a subscriber is behind (it has a cursor of its own and pulls) or live (its
cursor is the round's). What the kernel does not take of a chunk waits in the transport, and while
it waits nothing is pulled: a reader that stops reading costs one chunk.
"""

import asyncio
from collections.abc import Callable
from enum import Enum
from typing import TYPE_CHECKING

from lichen.stream.model import Filter, Form
from lichen.stream.serving.wanting import Terms

if TYPE_CHECKING:
    from lichen.stream.serving.audience import Group
    from lichen.stream.serving.subscribers import Subscribers


class Pace(Enum):
    """How a subscriber gets its events at the moment."""

    WAITING = "waiting"  # for its hello: nothing is sent
    BEHIND = "behind"
    LIVE = "live"
    GONE = "gone"


class Subscriber(asyncio.Protocol):
    """What a socket and a source of events have in common; a protocol of the transport."""

    group: "Group"
    transport: asyncio.Transport
    kind = ""  # shown by metrics and page

    def __init__(self, hub: "Subscribers", terms: Terms, *, transport: asyncio.Transport,
                 now_us: int) -> None:
        self.hub = hub
        self.form: Form = terms.form
        self.wanted: Filter = terms.wanted
        self.heartbeat_s = terms.heartbeat_s
        self.transport = transport
        self.pace = Pace.WAITING
        self.cursor = terms.cursor.seq
        self.is_due = False  # stands in the line of those that pull
        # Whoever takes over a connection whose last answer is not out yet has to wait for it.
        self.is_writable = transport.get_write_buffer_size() == 0
        self.events_sent = 0
        self.bytes_sent = 0
        self.sent_at_us = now_us
        self.window_at_us = now_us
        self.window_seq = self.cursor
        self.when_lost: Callable[[], None] = _nothing

    @property
    def seq_reached(self) -> int:
        """Return the sequence up to which everything was sent or passed over."""
        return self.hub.position if self.pace is Pace.LIVE else self.cursor

    def send(self, messages: bytes | memoryview, events: int) -> None:
        """Write whole messages; what the kernel does not take waits in the transport."""
        self.events_sent += events
        self.bytes_sent += len(messages)
        if not self.transport.is_closing():
            self.transport.write(messages)

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget the subscriber."""
        if exc is None:
            self.hub.counts.clean_disconnects += 1
        self.hub.leave(self)
        self.when_lost()

    def pause_writing(self) -> None:
        """Be pulled for no more until what was written is out."""
        self.is_writable = False
        self.hub.pause(self)

    def resume_writing(self) -> None:
        """Be pulled for again."""
        self.is_writable = True
        self.hub.resume(self)

    # What each kind of subscriber does its own way.

    def beat(self, now_us: int) -> None:
        """Do what is due by time alone: pings, heartbeats; called about once a second."""
        raise NotImplementedError

    def drop_slow(self, lag: int) -> None:
        """End a subscriber that is far behind and hardly moves."""
        raise NotImplementedError

    def shut_down(self) -> None:
        """Say that the server ends, and close."""
        raise NotImplementedError


def _nothing() -> None:
    """Do nothing."""
