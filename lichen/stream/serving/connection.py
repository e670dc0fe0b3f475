"""One connection until somebody takes it over: requests in, answers out, in their order.

    bytes ─▶ httptools ─▶ Request ─▶ the server's `answer` ─▶ Response ─▶ bytes
                                                          ╰▶ Takeover ─▶ set_protocol

While a request is in work nothing is read, so that a flood waits in its own kernel buffer. A head
has a bound of bytes, of headers and of time; all heads together have one too (`Ears`).
"""

import asyncio
from collections.abc import AsyncIterator
from typing import Final, Protocol, cast

import httptools
import structlog

from lichen.kit import LichenError, Refused
from lichen.stream import limits
from lichen.stream.serving.http import (
    Answer,
    Request,
    Response,
    Takeover,
    head_of,
    parse_target,
    refusal_of,
)

_log = structlog.get_logger("lichen.stream")

BAD_REQUEST: Final = 400
TOO_LARGE: Final = 413
HEAD_TOO_LARGE: Final = 431
TIMED_OUT: Final = 408
BROKEN: Final = 500


class Ears:
    """How much of what is not whole yet is held for all connections together."""

    def __init__(self, *, bytes_max: int = limits.INCOMING_BYTES_TOTAL_MAX) -> None:
        self._bytes_max = bytes_max
        self.bytes_held = 0

    def hold(self, count: int) -> bool:
        """Count bytes that are kept; say whether there was room for them."""
        self.bytes_held += count
        return self.bytes_held <= self._bytes_max

    def release(self, count: int) -> None:
        """Count bytes that were used up."""
        self.bytes_held -= count
        assert self.bytes_held >= 0


class Host(Protocol):
    """What a connection needs of its server."""

    ears: Ears

    def opened(self, connection: "HttpConnection") -> None:
        """Count a connection."""

    def ended(self, connection: "HttpConnection") -> None:
        """Forget a connection."""

    async def answer(self, request: Request) -> Answer:
        """Answer a request; what it raises is our fault and answered by 500."""


class HttpConnection(asyncio.Protocol):
    """Reads requests and writes answers, until it is closed or taken over."""

    def __init__(self, host: Host) -> None:
        self._host = host
        self._loop = asyncio.get_running_loop()
        self._requests: list[Request] = []
        self._task: asyncio.Task[None] | None = None
        self._drained: asyncio.Future[None] | None = None
        self._deadline: asyncio.TimerHandle | None = None
        self._heard = b""
        self._held = 0
        self._refusal: Refused | None = None
        self._is_closing = False
        self.is_handed_over = False
        self._begin_head()

    def _begin_head(self) -> None:
        self._parser = httptools.HttpRequestParser(self)
        self._target = b""
        self._headers: list[tuple[str, str]] = []
        self._body: list[bytes] = []
        self._body_bytes = 0
        self._head_bytes = 0
        self._is_reading_head = False

    # What asyncio calls.

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin: a head has to come soon."""
        # uvloop's transports are no subclasses of asyncio's.
        self.transport = cast(asyncio.Transport, transport)
        # Beyond what the kernel takes, nothing is kept: writers wait for `resume_writing`.
        self.transport.set_write_buffer_limits(0)
        peer = transport.get_extra_info("peername")
        self.peer = str(peer[0]) if isinstance(peer, tuple) else ""
        self._host.opened(self)
        self._expect(limits.HEAD_S_MAX)

    def connection_lost(self, exc: Exception | None) -> None:
        """End: whoever writes is told."""
        self._expect(None)
        self._release()
        if self._drained is not None and not self._drained.done():
            self._drained.set_exception(ConnectionResetError("the peer has gone"))
        if self._task is not None:
            self._task.cancel()
        self.ended()

    def ended(self) -> None:
        """Tell the server that this connection is no more."""
        self._host.ended(self)

    def data_received(self, data: bytes) -> None:
        """Feed the parser; refuse what is no HTTP, too much, or behind a request in work."""
        if self._is_closing:
            return
        if self._task is not None:
            # What was in the loop's hands before reading stopped.
            self._heard += data
            return
        if self._requests == [] and not self._is_reading_head:
            self._is_reading_head = True
            self._expect(limits.HEAD_S_MAX)
        self._held += len(data)
        if not self._host.ears.hold(len(data)):
            self._refuse(503, "Too much is being read at once; try again in a minute.")
        self._feed(data)
        if self._refusal is not None:
            self._give_up(self._refusal)
        elif self._requests:
            self._work()

    def pause_writing(self) -> None:
        """Let writers wait."""
        self._drained = self._loop.create_future()

    def resume_writing(self) -> None:
        """Let writers go on."""
        if self._drained is not None and not self._drained.done():
            self._drained.set_result(None)
        self._drained = None

    # What httptools calls.

    def on_url(self, part: bytes) -> None:
        """Keep a part of the target."""
        self._target += part
        self._count_head(len(part))

    def on_header(self, name: bytes, value: bytes) -> None:
        """Keep a header."""
        self._count_head(len(name) + len(value))
        if len(self._headers) >= limits.HEADERS_MAX:
            self._refuse(HEAD_TOO_LARGE, f"More than {limits.HEADERS_MAX} headers came.")
            return
        self._headers.append((name.decode("latin-1").lower(), value.decode("latin-1").strip()))

    def on_body(self, part: bytes) -> None:
        """Keep a part of the body."""
        self._body_bytes += len(part)
        if self._body_bytes > limits.BODY_BYTES_MAX:
            self._refuse(TOO_LARGE, f"A body has at most {limits.BODY_BYTES_MAX} bytes.")
            return
        self._body.append(part)

    def on_message_complete(self) -> None:
        """Queue a request that is whole."""
        if self._refusal is not None:
            return
        if len(self._requests) >= limits.PIPELINED_MAX:
            self._refuse(429, f"At most {limits.PIPELINED_MAX} requests wait in one connection.")
            return
        try:
            path, query = parse_target(self._target)
        except Refused as refusal:
            self._refusal = refusal
            return
        self._requests.append(Request(
            method=self._parser.get_method().decode("ascii"), path=path, query=query,
            headers=tuple(self._headers), body=b"".join(self._body), peer=self.peer,
            is_upgrade=self._parser.should_upgrade(),
            keeps_alive=self._parser.should_keep_alive(),
        ))
        self._target, self._headers, self._body = b"", [], []
        self._head_bytes = self._body_bytes = 0

    def _feed(self, data: bytes) -> None:
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserUpgrade as upgrade:
            self._heard = data[upgrade.args[0]:]
        except httptools.HttpParserError:
            self._refuse(BAD_REQUEST, "This is no HTTP request.")

    def _count_head(self, count: int) -> None:
        self._head_bytes += count
        if self._head_bytes > limits.HEAD_BYTES_MAX:
            self._refuse(HEAD_TOO_LARGE,
                         f"Request line and headers have at most {limits.HEAD_BYTES_MAX} bytes.")

    def _refuse(self, status: int, text: str) -> None:
        if self._refusal is None:
            self._refusal = Refused("InvalidRequest", text, status=status)

    # Work.

    def _work(self) -> None:
        self._expect(None)
        self.transport.pause_reading()
        self._task = self._loop.create_task(self._answer_all())
        self._task.add_done_callback(self._broken)

    async def _answer_all(self) -> None:
        while self._requests:
            request = self._requests.pop(0)
            answer = await self._host.answer(request)
            if isinstance(answer, Takeover):
                self._hand_over(answer)
                return
            keeps_alive = request.keeps_alive and not request.is_upgrade
            try:
                await self._write(request, answer, keeps_alive=keeps_alive)
            except ConnectionResetError:
                return
            if not keeps_alive:
                self._close()
                return
        self._release()
        self._task = None
        self._is_reading_head = False
        self._expect(limits.IDLE_S_MAX)
        if self.transport.is_closing():
            return
        self.transport.resume_reading()
        if self._heard:
            heard, self._heard = self._heard, b""
            self.data_received(heard)

    async def _write(self, request: Request, answer: Response, *, keeps_alive: bool) -> None:
        head = head_of(answer, keeps_alive=keeps_alive)
        # RFC 9110 §9.3.2: HEAD is answered without a body, with GET's headers.
        if request.method == "HEAD":
            await self._send(head)
        elif isinstance(answer.body, bytes):
            await self._send(head + answer.body)
        else:
            await self._send(head)
            await self._send_parts(answer.body, is_chunked=answer.length is None)

    async def _send_parts(self, parts: AsyncIterator[bytes], *, is_chunked: bool) -> None:
        async for part in parts:
            if part:
                # RFC 9112 §7.1: the size in hexadecimal, the part, an empty size at the end.
                await self._send(b"%x\r\n%b\r\n" % (len(part), part) if is_chunked else part)
        if is_chunked:
            await self._send(b"0\r\n\r\n")

    async def _send(self, part: bytes) -> None:
        if self.transport.is_closing():
            raise ConnectionResetError("the peer has gone")
        self.transport.write(part)
        if self._drained is not None:
            await self._drained

    def _hand_over(self, takeover: Takeover) -> None:
        self._release()
        self._task = None
        if self.transport.is_closing():
            takeover.forget()
            return
        self.is_handed_over = True
        self.transport.write(takeover.head)
        heard, self._heard = self._heard, b""
        takeover.begin(self, heard)

    def _broken(self, task: asyncio.Task[None]) -> None:
        """Answer 500 where a route broke, and say so; the peer learns nothing of it."""
        if task.cancelled() or (error := task.exception()) is None:
            return
        _log.error("stream.route_broke", exc_info=error)
        self._task = None
        self._give_up(Refused("InternalServerError", "Something broke here; it was noted.",
                              status=BROKEN))

    # Ends.

    def _expect(self, within_s: float | None) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None
        if within_s is not None:
            self._deadline = self._loop.call_later(within_s, self._time_out)

    def _time_out(self) -> None:
        if self._is_reading_head and not self._is_closing:
            self._give_up(Refused("InvalidRequest", "The request did not become whole in time; "
                                  "send it again.", status=TIMED_OUT))
            return
        self.transport.abort()

    def _give_up(self, refusal: LichenError) -> None:
        """Answer once more and close, hearing what still comes so that the answer arrives."""
        self._requests.clear()
        if self.transport.is_closing():
            return
        self.transport.write(_last_words(refusal))
        self._close()

    def _close(self) -> None:
        # RFC 9112 §9.6: closing while the peer still sends would reset what we said; so our side
        # is closed first, and the peer has some seconds to read it and go.
        self._is_closing = True
        self._release()
        if self.transport.is_closing():
            return
        self.transport.write_eof()
        if not self.transport.is_reading():
            self.transport.resume_reading()
        self._expect(limits.CLOSE_S_MAX)

    def turn_away(self, refusal: LichenError) -> None:
        """Answer before anything was asked, and close."""
        self._give_up(refusal)

    def close(self) -> None:
        """Close at once; for the server's own end."""
        if self._task is not None:
            self._task.cancel()
        self.transport.abort()

    def _release(self) -> None:
        self._host.ears.release(self._held)
        self._held = 0


def _last_words(refusal: LichenError) -> bytes:
    response = refusal_of(refusal, "")
    assert isinstance(response.body, bytes)
    return head_of(response, keeps_alive=False) + response.body
