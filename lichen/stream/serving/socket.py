"""A subscriber by WebSocket: raw writes of stored frames out, and little in.

    pulled chunks ────────────────────────────▶ transport.write
    pings, pongs, Close ──▶ between chunks ───▶ transport.write
    what the peer says ───▶ websockets' Protocol (no I/O) ─▶ messages, Close

Chunks hold whole frames, and everything goes through the one transport in order, so that control
frames always stand between messages. What a peer says is listened to in slices of time: a flood of
pings or a message of 10 MB delays nobody else.
"""

import asyncio
from collections.abc import Callable
from typing import Final

from websockets.frames import Frame, Opcode
from websockets.protocol import OPEN, Protocol, Side

from lichen.stream import limits
from lichen.stream.frames import BINARY, TEXT, framed
from lichen.stream.model import Filter
from lichen.stream.serving.connection import Ears
from lichen.stream.serving.subscriber import Pace, Subscriber
from lichen.stream.serving.subscribers import Subscribers
from lichen.stream.serving.subscribing_v1 import POLICY_VIOLATION, Ended
from lichen.stream.serving.wanting import Terms

GOING_AWAY: Final = 1001  # RFC 6455 §7.4.1: a server going down
TRY_AGAIN_LATER: Final = 1013  # IANA registry of WebSocket close codes
MESSAGE_TOO_BIG: Final = 1009  # RFC 6455 §7.4.1
PONG: Final = 0x8A  # RFC 6455 §5.2: FIN and opcode 10
_DATA: Final = (Opcode.TEXT, Opcode.BINARY, Opcode.CONT)

Hear = Callable[[bytes], Filter | None]
CursorFrame = Callable[[int, int], bytes]
ErrorFrame = Callable[[str, str], bytes]


class Speech:
    """How a wire talks beyond events: what a subscriber may say, and frames of our own."""

    def __init__(self, *, hear: Hear | None, cursor_frame: CursorFrame,
                 error_frame: ErrorFrame | None) -> None:
        self.hear = hear  # none: a subscriber says nothing
        self.cursor_frame = cursor_frame
        self.error_frame = error_frame


class StreamSocket(Subscriber):
    """One open WebSocket."""

    def __init__(self, hub: Subscribers, terms: Terms, *, transport: asyncio.Transport,
                 now_us: int, speech: Speech, ears: Ears, ping_us: int) -> None:
        super().__init__(hub, terms, transport=transport, now_us=now_us)
        self._terms = terms
        self._speech = speech
        self._ears = ears
        self._ping_us = ping_us
        self._loop = asyncio.get_running_loop()
        self._talk = Protocol(Side.SERVER, state=OPEN, max_size=limits.INCOMING_BYTES_MAX)
        self._parts: list[bytes] = []  # of a message that is not whole
        self._is_text = False
        self._inbox = b""  # heard, not listened to yet
        self._held = 0
        self._deaf: asyncio.TimerHandle | None = None
        self._ending: asyncio.TimerHandle | None = None
        self._owed_pong = b""
        self._pinged_at_us = now_us
        self._heard_at_us = now_us
        self._bytes_at_beat = 0
        self.kind = f"v{int(self.form.wire)}{' zstd' if self.form.dictionary else ''}"

    def start(self, heard: bytes) -> None:
        """Begin: greet, send what is wanted, listen."""
        self.transport.set_protocol(self)
        self.hub.enter(self)
        if self._terms.greeting:
            self._say(self._terms.greeting)
        if not self._terms.requires_hello:
            self.hub.begin(self)
        self.transport.resume_reading()
        if heard:
            self.data_received(heard)

    # What asyncio calls.

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget the subscriber."""
        for timer in (self._deaf, self._ending):
            if timer is not None:
                timer.cancel()
        self._ears.release(self._held)
        self._held = 0
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Listen, but only for a while."""
        self._heard_at_us = self.hub.clock()
        if self._talk.eof_sent:
            # RFC 6455 §7.1.7: nothing that comes after the end is looked at.
            return
        self._inbox = self._inbox + data if self._inbox else data
        if self._deaf is None:
            self._listen()

    def resume_writing(self) -> None:
        """Pay the pong that is owed, then go on."""
        if self._owed_pong and not self.transport.is_closing():
            owed, self._owed_pong = self._owed_pong, b""
            self.is_writable = True
            self.transport.write(owed)
            if not self.is_writable:
                return
        super().resume_writing()

    # Listening.

    def _listen(self) -> None:
        began_us = self.hub.clock()
        inbox, self._inbox = memoryview(self._inbox), b""
        at, took_us = 0, 0
        while at < len(inbox) and took_us <= limits.HEARING_US_MAX:
            self._take(bytes(inbox[at:at + limits.HEARING_SLICE_BYTES]))
            at += limits.HEARING_SLICE_BYTES
            took_us = self.hub.clock() - began_us
        self._inbox = bytes(inbox[at:])
        self._account()
        if took_us > limits.HEARING_US_MAX and not self.transport.is_closing():
            if self.transport.is_reading():
                self.transport.pause_reading()
            deaf_s = took_us / 1e6 * limits.HEARING_SHARE
            self._deaf = self._loop.call_later(deaf_s, self._listen_again)

    def _listen_again(self) -> None:
        self._deaf = None
        if self._inbox:
            self._listen()
        if self._deaf is None and not self.transport.is_closing():
            self.transport.resume_reading()

    def _take(self, data: bytes) -> None:
        self._talk.receive_data(data)
        for frame in self._talk.events_received():
            if isinstance(frame, Frame):
                self._hear_frame(frame)
        self._write_talk()

    def _hear_frame(self, frame: Frame) -> None:
        if self._talk.state is not OPEN or frame.opcode not in _DATA:
            return
        if self._speech.hear is None:
            # Proposal 0015: server-push only; any data frame of the client is a violation.
            self.close(POLICY_VIOLATION, "this address is server-push only")
            return
        if frame.opcode != Opcode.CONT:
            self._is_text = frame.opcode == Opcode.TEXT
        self._parts.append(bytes(frame.data))
        if frame.fin:
            message = b"".join(self._parts)
            self._parts.clear()
            if self._is_text:
                self._hear_message(message)

    def _hear_message(self, message: bytes) -> None:
        assert self._speech.hear is not None
        try:
            wanted = self._speech.hear(message)
        except Ended as ended:
            self.hub.counts.option_errors[ended.why] += 1
            self.close(ended.code, ended.text)
            return
        if wanted is None:
            return
        self.hub.counts.options_updates += 1
        self.hub.change(self, wanted)
        if self.pace is Pace.WAITING:
            self.hub.begin(self)

    def _account(self) -> None:
        """Count what is kept of messages that are not whole."""
        held = len(self._talk.reader.buffer) + sum(map(len, self._parts)) + len(self._inbox)
        change, self._held = held - self._held, held
        if not self._ears.hold(change) and change > 0 and self._talk.state is OPEN:
            self.close(TRY_AGAIN_LATER, "too much is being said at once; try again later")

    # Talking.

    def _say(self, message: bytes) -> None:
        """Send a message of our own, in the form of this subscriber."""
        if self.form.dictionary:
            compressor = self.hub.store.dictionaries.compressor(self.form.dictionary)
            self.send(framed(BINARY, compressor.compress(message)), 0)
        else:
            self.send(framed(TEXT, message), 0)

    def _write_talk(self) -> None:
        for part in self._talk.data_to_send():
            if self.transport.is_closing():
                return
            if not part:
                # The peer's Close was answered, or it broke the protocol: nothing follows.
                self._end()
            elif part[0] == PONG and not self.is_writable:
                # RFC 6455 §5.5.3: of several pings only the last need be answered.
                self._owed_pong = part
            else:
                self.transport.write(part)

    def _end(self) -> None:
        sent = self._talk.close_sent
        if sent is not None and sent.code == MESSAGE_TOO_BIG:
            self.hub.counts.option_errors["oversize"] += 1
        self.hub.leave(self)
        self._owed_pong = b""
        if self._talk.close_rcvd is not None:
            # RFC 6455 §7.1.1: both have said Close; the server closes the connection first.
            self.transport.close()
        else:
            # Half a close lets the peer read our Close though it may still send.
            self.transport.write_eof()
        self._close_soon()

    def close(self, code: int, reason: str) -> None:
        """Begin the closing handshake; after some seconds the connection ends anyhow."""
        self.hub.leave(self)
        if self._talk.state is not OPEN:
            return
        self._talk.send_close(code, _cut(reason))
        self._write_talk()
        self._close_soon()

    def _close_soon(self) -> None:
        if self._ending is None:
            self._ending = self._loop.call_later(limits.CLOSE_S_MAX, self.transport.abort)

    # Time.

    def beat(self, now_us: int) -> None:
        """Ping, find out who is dead, and send the heartbeat that was asked for."""
        if self.bytes_sent != self._bytes_at_beat:
            self._bytes_at_beat, self.sent_at_us = self.bytes_sent, now_us
        is_pinged = self._pinged_at_us > self._heard_at_us
        if now_us - self._pinged_at_us >= self._ping_us and self.is_writable:
            if is_pinged:
                # A whole interval without a word, though the ping went out: nobody is there.
                self.transport.abort()
                return
            self._pinged_at_us = now_us
            if self._talk.state is OPEN:
                self._talk.send_ping(b"")
                self._write_talk()
        is_quiet = now_us - self.sent_at_us >= self.heartbeat_s * 1_000_000
        if self.heartbeat_s and is_quiet and self.pace is Pace.LIVE:
            self._say(self._speech.cursor_frame(*self.hub.marker()))
            self._bytes_at_beat, self.sent_at_us = self.bytes_sent, now_us

    def drop_slow(self, lag: int) -> None:
        """Say that the reader is too slow, where the wire has words for it, and close."""
        text = (f"reading below {limits.SCAN_EVENTS_PER_S_MIN} events a second, {lag} behind the "
                f"tip; reconnect with cursor={self.cursor}")
        if self._speech.error_frame is not None:
            self._say(self._speech.error_frame("ConsumerTooSlow", text))
        self.close(POLICY_VIOLATION, text)

    def shut_down(self) -> None:
        """Say that the server ends, and close."""
        self.close(GOING_AWAY, "server shutting down")


def _cut(reason: str) -> str:
    """Return a reason that fits into a Close frame, cut between characters."""
    encoded = reason.encode()
    if len(encoded) <= limits.CLOSE_REASON_BYTES_MAX:
        return reason
    return encoded[:limits.CLOSE_REASON_BYTES_MAX - 3].decode(errors="ignore") + "..."
