"""HTTP as the stream's server speaks it: what is asked, what is answered, and by whom.

    Request ─▶ Route ─▶ Response                 whole, or in parts from an iterator
                     ╰▶ Takeover                 the connection changes hands: WebSocket, SSE

Routes are entered by method and path ("GET /subscribe"); HEAD is answered by GET's. The bytes are
read and written by `connection.py`.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from http import HTTPStatus
from typing import Final, Protocol
from urllib.parse import unquote_plus

import msgspec

from lichen.kit import LichenError, Refused, TooMany, Unavailable

XRPC: Final = "/xrpc/"
VERSION: Final = "HTTP/1.1"

# Everything here is public, and browsers of any page may read it.
OPEN_TO_ALL: Final = (("access-control-allow-origin", "*"),)


@dataclass(frozen=True, slots=True)
class Request:
    """One request: names of headers in lower case, the query in its order, the body whole."""

    method: str
    path: str
    query: tuple[tuple[str, str], ...] = ()
    headers: tuple[tuple[str, str], ...] = ()
    body: bytes = b""
    peer: str = ""  # the address at the other end of the connection
    caller: str = ""  # who asks, as a trusted proxy says it
    is_upgrade: bool = False
    keeps_alive: bool = True

    def header(self, name: str) -> str:
        """Return a header's values, joined by commas (RFC 9110 §5.3), or nothing."""
        return ", ".join([value for key, value in self.headers if key == name])

    def tokens(self, name: str) -> list[str]:
        """Return the comma-separated parts of a header, as they were written."""
        return [part for part in (one.strip() for one in self.header(name).split(",")) if part]

    def all_of(self, name: str) -> list[str]:
        """Return every value of a parameter of the query."""
        return [value for key, value in self.query if key == name]

    def first_of(self, name: str) -> str:
        """Return the first value of a parameter of the query, or nothing."""
        return next((value for key, value in self.query if key == name), "")

    def has(self, name: str) -> bool:
        """Say whether the query names a parameter at all."""
        return any(key == name for key, _ in self.query)


@dataclass(frozen=True, slots=True)
class Response:
    """One answer. A body in parts has a `length` where it is known; else it is sent chunked."""

    status: int = 200
    headers: Sequence[tuple[str, str]] = ()
    body: bytes | AsyncIterator[bytes] = b""
    length: int | None = None

    @classmethod
    def text(cls, status: int, text: str, *, headers: Sequence[tuple[str, str]] = ()) -> "Response":
        """Return an answer in plain text."""
        typed = (("content-type", "text/plain; charset=utf-8"), *headers)
        return cls(status, typed, f"{text}\n".encode())

    @classmethod
    def json(
        cls, status: int, value: object, *, headers: Sequence[tuple[str, str]] = ()
    ) -> "Response":
        """Return an answer in JSON."""
        typed = (("content-type", "application/json"), *headers)
        return cls(status, typed, msgspec.json.encode(value))


class Line(Protocol):
    """A connection that may change hands."""

    transport: asyncio.Transport

    def ended(self) -> None:
        """Be told by the new owner that the connection is lost."""


@dataclass(frozen=True, slots=True)
class Takeover:
    """An answer after which somebody else owns the connection.

    `begin` is called once the head was written, with reading paused and with the bytes that came
    behind the request already; it sets the transport's protocol. `forget` is called instead where
    the peer has gone meanwhile.
    """

    head: bytes
    begin: Callable[[Line, bytes], None]
    forget: Callable[[], None]


Answer = Response | Takeover
Route = Callable[[Request], Awaitable[Answer]]
Routes = Mapping[str, Route]


def parse_target(target: bytes) -> tuple[str, tuple[tuple[str, str], ...]]:
    """Return path and query of a request's target; raises Refused where it is not ASCII."""
    try:
        text = target.decode("ascii")
    except UnicodeDecodeError:
        raise Refused("InvalidRequest", "The target holds bytes that are not ASCII; "
                      "percent-encode them.") from None
    if not text.startswith("/"):
        # RFC 9112 §3.2.2: the absolute form must be accepted.
        _, _, text = text.partition("://")
        text = "/" + text.partition("/")[2]
    path, _, query = text.partition("#")[0].partition("?")
    return path, parse_query(query)


def parse_query(query: str) -> tuple[tuple[str, str], ...]:
    """Return the pairs of a query in their order; 10,000 encoded DIDs take about 10 ms."""
    pairs = (part.partition("=") for part in query.split("&") if part)
    return tuple([(_unquoted(name), _unquoted(value)) for name, _, value in pairs])


def _unquoted(text: str) -> str:
    return unquote_plus(text) if "%" in text or "+" in text else text


def head_of(response: Response, *, keeps_alive: bool) -> bytes:
    """Return the head of an answer, its length or its coding included."""
    headers = [*response.headers, *OPEN_TO_ALL]
    if isinstance(response.body, bytes):
        headers.append(("content-length", str(response.length or len(response.body))))
    elif response.length is not None:
        headers.append(("content-length", str(response.length)))
    else:
        headers.append(("transfer-encoding", "chunked"))
    # RFC 9112 §9.6: who will close after the answer says so.
    headers.append(("connection", "keep-alive" if keeps_alive else "close"))
    return render_head(response.status, headers)


def render_head(status: int, headers: Sequence[tuple[str, str]]) -> bytes:
    """Return a status line and headers."""
    lines = [f"{VERSION} {status} {HTTPStatus(status).phrase}"]
    for name, value in headers:
        assert "\n" not in value and "\r" not in value, name
        lines.append(f"{name}: {value}")
    return "\r\n".join([*lines, "\r\n"]).encode("latin-1")


def refusal_of(error: LichenError, path: str) -> Response:
    """Return what a caller is told: plain text, or XRPC's envelope below `/xrpc/`."""
    status, name, text, retry_after_s = _told(error)
    headers = [("retry-after", str(max(1, round(retry_after_s))))] if retry_after_s else []
    if status == HTTPStatus.UPGRADE_REQUIRED:
        # RFC 9110 §15.5.22 and RFC 6455 §4.4: say what to upgrade to.
        headers += [("upgrade", "websocket"), ("sec-websocket-version", "13")]
    if path.startswith(XRPC):
        # XRPC, error responses: a name that clients compare and a message for people.
        return Response.json(status, {"error": name, "message": text}, headers=headers)
    return Response.text(status, text, headers=headers)


def _told(error: LichenError) -> tuple[int, str, str, float]:
    match error:
        case TooMany():
            return error.status, "RateLimitExceeded", error.text, error.retry_after_s
        case Refused():
            name = error.code if error.code[0].isupper() else error.code.title().replace("_", "")
            return error.status, name, error.text, 0.0
        case Unavailable():
            return 503, "ServiceUnavailable", error.text, error.retry_after_s
    return 500, "InternalServerError", "Something broke here; it was noted.", 0.0
