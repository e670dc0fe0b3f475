"""A subscriber that is not the bottleneck: raw sockets, a small handshake, large reused buffers.

    with Subscription.open(endpoint_of("localhost:6008"), "cursor=1", draw=draw) as subscription:
        while subscription.fill(wait_s=1.0):
            count += subscription.count()       # exact, without looking into events; or
            for message in subscription.messages(): …   # each message, valid until the next fill

One `fill` is one `recv_into`. `count` cuts at the borders of frames by numpy (`unframing`), in C:
millions of events a second on one core. `messages` walks the headers: about a million a second.
Both are exact, answer pings, note closes, and keep what is cut off at the end for the next time.

It never offers extensions, so nothing is compressed but by the stream itself, never follows
redirects, and holds at most one buffer: a message that does not fit ends the subscription.
"""

import base64
import hashlib
import socket
import ssl
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from types import TracebackType
from typing import NamedTuple, Self
from urllib.parse import urlsplit

from lichen.kit.errors import Refused, Unavailable
from lichen.stream.client.unframing import (
    CLOSE,
    CONTINUATION,
    PING,
    PONG,
    Frame,
    FrameError,
    frames,
    tally,
)
from lichen.stream.limits import (
    ANSWER_BYTES_MAX,
    CLOSE_WAIT_S_MAX,
    CONNECT_S_MAX,
    CONSUMER_BUFFER_BYTES,
    CONSUMER_RECEIVE_BYTES,
)

SUBSCRIBE_PATH = "/subscribe"
PORT = 6008  # what the stream listens on unless told otherwise
PORTS = {"ws": 80, "http": 80, "wss": 443, "https": 443}
ACCEPT_GUID = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"  # RFC 6455 §1.3

Draw = Callable[[int], bytes]  # that many bytes of chance


class Endpoint(NamedTuple):
    """Where a stream is: host, port, path, and what the address itself asked for."""

    host: str
    port: int
    path: str = SUBSCRIBE_PATH
    query: str = ""
    is_tls: bool = False

    @property
    def authority(self) -> str:
        """Return host and port as a Host header has them."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == PORTS["wss" if self.is_tls else "ws"] else f"{host}:{self.port}"

    def __str__(self) -> str:
        return f"{'wss' if self.is_tls else 'ws'}://{self.authority}{self.path}"


class StreamEnded(Unavailable):
    """The stream is over: a close frame with `code`, or a connection that broke (code 1006)."""

    def __init__(self, text: str, code: int) -> None:
        super().__init__(text)
        self.code = code


def endpoint_of(text: str) -> Endpoint:
    """Return the endpoint that an address names; raises Refused.

    `localhost`, `localhost:6008`, `ws://host:6008/subscribe?…`, `wss://host`, also http and https.
    """
    has_scheme = "://" in text
    try:
        parts = urlsplit(text if has_scheme else f"ws://{text}")
        port = parts.port or (PORTS[parts.scheme] if has_scheme else PORT)
    except (ValueError, KeyError):
        raise _wrong_address(text) from None
    if not parts.hostname:
        raise _wrong_address(text)
    path = SUBSCRIBE_PATH if parts.path in ("", "/") else parts.path
    return Endpoint(parts.hostname, port, path, parts.query, parts.scheme in ("wss", "https"))


def _wrong_address(text: str) -> Refused:
    return Refused("stream_address", f"{text!r} is no address of a stream; expected host, "
                   "host:port or ws://host:port/subscribe.")


class Subscription:
    """One WebSocket to a stream. Not thread-safe; one `fill`, then one `count` or `messages`."""

    def __init__(self, link: socket.socket, *, draw: Draw, name: str, rest: bytes = b"",
                 headers: Mapping[str, str] | None = None,
                 buffer: bytearray | None = None) -> None:
        self.link = link
        self.headers = headers or {}
        self.bytes_received = len(rest)
        self.last = b""  # the last message that `count` saw; it holds the cursor
        self._name = name
        self._draw = draw
        self._rest = rest
        self._buffer = bytearray(CONSUMER_BUFFER_BYTES) if buffer is None else buffer
        self._view = memoryview(self._buffer)
        self._used = 0
        self._is_new = True
        self._parts: list[bytes] = []  # of a message in several frames
        self._ping: bytes | None = None  # not answered yet
        self._ended: StreamEnded | None = None

    @classmethod
    def open(cls, endpoint: Endpoint, query: str = "", *, draw: Draw,
             headers: Mapping[str, str] | None = None,
             buffer: bytearray | None = None) -> Self:
        """Connect and ask for the stream; a `buffer` may be shared by subscriptions read in turn.

        Raises Refused with what the server said to a request that it does not serve, Unavailable
        where there is no stream (now).
        """
        link = _connected(endpoint)
        try:
            key = base64.b64encode(draw(16))  # RFC 6455 §4.1: a nonce of 16 bytes
            link.sendall(_request(endpoint, query, key, headers or {}))
            answered, rest = _upgraded(link, endpoint, key)
        except BaseException:
            link.close()
            raise
        return cls(link, draw=draw, name=str(endpoint), rest=rest, headers=answered, buffer=buffer)

    def fill(self, wait_s: float | None = None) -> int:
        """Wait for bytes and take what is there; return how many, 0 where none came in time.

        `wait_s` 0 never waits. Raises StreamEnded once what came before the end was looked at.
        """
        if self._ended is not None:
            # RFC 6455 §7.1.1: both have said Close; a server may wait for us to hang up.
            self.link.close()
            raise self._ended
        begun = len(self._rest)
        if self._is_new and begun:  # events came right behind the answer to the request
            self._is_new = False
            self._used = begun
            self._view[:begun] = self._rest
            return begun
        self._is_new = False
        if begun + 1 > len(self._buffer):
            raise self._broken(f"a message of more than {begun:,} bytes", 1009)
        self._view[:begun] = self._rest
        self.link.settimeout(wait_s)
        stop = min(begun + CONSUMER_RECEIVE_BYTES, len(self._buffer))
        try:
            received = self.link.recv_into(self._view[begun:stop])
        except (TimeoutError, BlockingIOError, ssl.SSLWantReadError):
            self._used = begun
            return 0
        except OSError as error:
            raise self._broken(error.strerror or str(error), 1006) from error
        if received == 0:
            # RFC 6455 §7.1.5: no close frame came: the code is 1006.
            raise self._broken("the connection ended without a close frame", 1006)
        self.bytes_received += received
        self._used = begun + received
        return received

    def count(self) -> int:
        """Return how many messages the last fill completed. Exact; looks at frames alone."""
        try:
            found = tally(self._buffer, self._used)
        except FrameError as error:
            raise self._broken(str(error), 1002) from error
        if found.last[1]:
            self.last = bytes(self._view[found.last[0]:found.last[1]])
        for frame in found.controls:
            self._obey(frame)
        self._keep(found.end)
        return found.messages

    def messages(self) -> Iterator[memoryview | bytes]:
        """Yield the messages that the last fill completed; they are valid until the next one."""
        end = 0
        try:
            for frame in frames(self._buffer, self._used):
                end = frame.stop
                if frame.opcode >= CLOSE:
                    self._obey(frame)
                elif frame.is_last and not self._parts and frame.opcode != CONTINUATION:
                    yield self._view[frame.start:frame.stop]
                else:
                    yield from self._joined(frame)
        except FrameError as error:
            raise self._broken(str(error), 1002) from error
        finally:
            self._keep(end)

    def close(self, code: int = 1000) -> None:
        """Say goodbye and hang up; what the server still sends is thrown away."""
        if self._ended is None and self.link.fileno() >= 0:
            with suppress(OSError):
                self._send(CLOSE, code.to_bytes(2, "big"))
        self.link.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None,
                 trace: TracebackType | None) -> None:
        self.close()

    def _keep(self, end: int) -> None:
        self._rest = bytes(self._view[end:self._used])
        self._used = 0
        if self._ping is not None:
            # RFC 6455 §5.5.3: the pong repeats the ping; of several, the last one is enough.
            with suppress(OSError):  # a connection that broke is seen by the next fill
                self._send(PONG, self._ping)
            self._ping = None

    def _joined(self, frame: Frame) -> Iterator[bytes]:
        """Yield a message whose last frame came; other servers may cut messages."""
        # RFC 6455 §5.4: the first frame has the opcode, the others 0.
        self._parts.append(bytes(self._view[frame.start:frame.stop]))
        if sum(map(len, self._parts)) > len(self._buffer):
            raise self._broken(f"a message of more than {len(self._buffer):,} bytes", 1009)
        if frame.is_last:
            whole, self._parts = b"".join(self._parts), []
            yield whole

    def _obey(self, frame: Frame) -> None:
        payload = bytes(self._view[frame.start:frame.stop])
        if frame.opcode == PING:
            self._ping = payload
        elif frame.opcode == CLOSE and self._ended is None:
            # RFC 6455 §5.5.1: two bytes of code, then a reason in UTF-8; both may be missing.
            code = int.from_bytes(payload[:2], "big") if len(payload) >= 2 else 1005
            reason = payload[2:].decode(errors="replace")
            with suppress(OSError):
                self._send(CLOSE, payload[:2])
            said = f" and said: {reason}" if reason else "."
            text = f"{self._name} closed the stream with code {code}{said}"
            self._ended = StreamEnded(text, code)

    def _send(self, opcode: int, payload: bytes) -> None:
        # RFC 6455 §5.3: what a client sends is masked with four bytes of chance.
        mask = self._draw(4)
        if len(payload) < 126:
            head = bytes((0x80 | opcode, 0x80 | len(payload)))
        else:
            head = bytes((0x80 | opcode, 0xFE)) + len(payload).to_bytes(2, "big")
        masked = bytes(byte ^ mask[index % 4] for index, byte in enumerate(payload))
        self.link.settimeout(CLOSE_WAIT_S_MAX)
        self.link.sendall(head + mask + masked)

    def _broken(self, why: str, code: int) -> StreamEnded:
        self._ended = StreamEnded(f"{self._name} is lost: {why}.", code)
        return self._ended


def _connected(endpoint: Endpoint) -> socket.socket:
    try:
        link = socket.create_connection((endpoint.host, endpoint.port), CONNECT_S_MAX)
        link.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if endpoint.is_tls:
            return ssl.create_default_context().wrap_socket(link, server_hostname=endpoint.host)
    except OSError as error:
        raise Unavailable(f"{endpoint} cannot be reached: {error.strerror or error}.") from error
    return link


def _request(endpoint: Endpoint, query: str, key: bytes, headers: Mapping[str, str]) -> bytes:
    asked = "&".join(part for part in (endpoint.query, query) if part)
    target = f"{endpoint.path}?{asked}" if asked else endpoint.path
    lines = [f"GET {target} HTTP/1.1", f"Host: {endpoint.authority}", "Upgrade: websocket",
             "Connection: Upgrade", "Sec-WebSocket-Version: 13",
             f"Sec-WebSocket-Key: {key.decode()}",
             *(f"{name}: {value}" for name, value in headers.items())]
    return "\r\n".join([*lines, "", ""]).encode()


def _upgraded(link: socket.socket, endpoint: Endpoint,
              key: bytes) -> tuple[dict[str, str], bytes]:
    """Read the answer to the request; return its headers and what came behind them."""
    answer = b""
    while b"\r\n\r\n" not in answer:
        more = _received(link, endpoint)
        answer += more
        if not more or len(answer) > ANSWER_BYTES_MAX:
            raise Unavailable(f"{endpoint} does not speak HTTP: it said {answer[:80]!r}.")
    head, _, rest = answer.partition(b"\r\n\r\n")
    status, *lines = head.decode("latin-1").split("\r\n")
    headers = {name.lower(): value.strip()
               for name, _, value in (line.partition(":") for line in lines)}
    code = status.split(" ")[1] if status.startswith("HTTP/1.") and " " in status else ""
    if code != "101":
        raise _refusal(endpoint, status, _body(link, endpoint, headers, rest))
    # RFC 6455 §4.2.2: this hash proves that it is a WebSocket server that answered.
    proof = base64.b64encode(hashlib.sha1(key + ACCEPT_GUID).digest()).decode()
    if headers.get("sec-websocket-accept") != proof:
        raise Unavailable(f"{endpoint} is no WebSocket server: its answer lacks the proof that "
                          "RFC 6455 asks for.")
    return headers, rest


def _received(link: socket.socket, endpoint: Endpoint) -> bytes:
    try:
        return link.recv(ANSWER_BYTES_MAX)
    except OSError as error:
        raise Unavailable(f"{endpoint} does not answer: {error.strerror or error}.") from error


def _body(link: socket.socket, endpoint: Endpoint, headers: Mapping[str, str],
          rest: bytes) -> bytes:
    size = headers.get("content-length", "")
    wanted = min(int(size) if size.isdecimal() else len(rest), ANSWER_BYTES_MAX)
    while len(rest) < wanted and (more := _received(link, endpoint)):
        rest += more
    return rest[:wanted]


def _refusal(endpoint: Endpoint, status: str, body: bytes) -> Refused | Unavailable:
    said = " ".join(body.decode(errors="replace").split()) or "(nothing more)"
    text = f"{endpoint} answered {status.partition(' ')[2] or status}: {said}"
    if " 5" in status[:10]:
        return Unavailable(text)
    return Refused("stream_refused", text)
