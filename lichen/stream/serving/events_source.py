"""A subscriber by Server-Sent Events: for browsers and `curl -N`, on the addresses of both wires.

    id: 4711
    data: {"did":…}                     the JSON of the wire, on one line

    : quiet                             a comment, with the sequence passed as the next `id`

Whoever comes back with `Last-Event-ID` goes on behind it: the id is the last event that arrived,
where `cursor` is inclusive (HTML Standard §9.2).
"""

import asyncio
import re
from typing import Final

from lichen.kit import Refused
from lichen.stream.serving.http import OPEN_TO_ALL, Request, render_head
from lichen.stream.serving.subscriber import Pace, Subscriber
from lichen.stream.serving.subscribers import Subscribers
from lichen.stream.serving.wanting import Kept, Terms, read_cursor, shown

EVENT_STREAM: Final = "text/event-stream"
HEARTBEAT_S: Final = 15  # HTML Standard §9.2.7: a comment every 15 seconds keeps proxies patient

HEAD: Final = render_head(200, [
    # HTML Standard §9.2.5: UTF-8, and no length: the connection's end is the answer's.
    ("content-type", EVENT_STREAM), ("cache-control", "no-store"), ("x-accel-buffering", "no"),
    ("connection", "close"), *OPEN_TO_ALL,
])


def asks_for_events(request: Request) -> bool:
    """Say whether a request wants Server-Sent Events instead of a WebSocket."""
    accepted = {one.partition(";")[0].strip().lower() for one in request.tokens("accept")}
    return EVENT_STREAM in accepted and not request.is_upgrade


def resumed(request: Request, terms: Terms, kept: Kept, *, now_us: int) -> Terms:
    """Return terms for events in lines: from behind the last that arrived, where one is named."""
    if terms.form.dictionary:
        raise Refused("InvalidRequest", "Server-Sent Events are text; ask without compression.")
    terms = terms._replace(form=terms.form._replace(is_framed=False), requires_hello=False)
    last = request.header("last-event-id")
    if not last:
        return terms
    if not re.fullmatch(r"[0-9]{1,18}", last, re.ASCII):
        raise Refused("InvalidRequest", f"Last-Event-ID is a sequence; {shown(last)} came.")
    return terms._replace(cursor=read_cursor(str(int(last) + 1), kept, now_us=now_us))


class EventsSource(Subscriber):
    """One open answer of events."""

    kind = "sse"

    def __init__(self, hub: Subscribers, terms: Terms, *, transport: asyncio.Transport,
                 now_us: int) -> None:
        super().__init__(hub, terms, transport=transport, now_us=now_us)
        self._bytes_at_beat = 0
        if not self.heartbeat_s:
            self.heartbeat_s = HEARTBEAT_S

    def start(self, heard: bytes) -> None:
        """Begin; whatever the client still says is not listened to."""
        self.transport.set_protocol(self)
        self.hub.enter(self)
        self.hub.begin(self)
        self.transport.resume_reading()

    def beat(self, now_us: int) -> None:
        """Send a comment when nothing was sent for a while, and move the client's id along."""
        if self.bytes_sent != self._bytes_at_beat:
            self._bytes_at_beat, self.sent_at_us = self.bytes_sent, now_us
        is_quiet = now_us - self.sent_at_us >= self.heartbeat_s * 1_000_000
        if is_quiet and self.pace is Pace.LIVE:
            # HTML Standard §9.2.6: an id without data moves the last event id and fires nothing.
            self.send(b": quiet\nid: %d\n\n" % self.hub.marker()[0], 0)
            self._bytes_at_beat, self.sent_at_us = self.bytes_sent, now_us

    def drop_slow(self, lag: int) -> None:
        """Close; the client comes back with the last id it has."""
        self._end()

    def shut_down(self) -> None:
        """Close; the client comes back with the last id it has."""
        self._end()

    def _end(self) -> None:
        self.hub.leave(self)
        if not self.transport.is_closing():
            # What the peer does not take is dropped with it; clients pass over half an event.
            end = self.transport.close if self.is_writable else self.transport.abort
            end()
