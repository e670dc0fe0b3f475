"""The entrance for other servers, in front of the pages: inboxes are answered below the framework.

What a POST to an inbox needs is one read of the body and one short answer. Measured beside the same
door as a handler of Litestar: 204 µs of processor time a request, there 362 (bench/inbox.py).
"""

import msgspec
from litestar.enums import ScopeType
from litestar.types import ASGIApp, HTTPScope, Receive, Scope, Send

from lichen.federation.inbox import Inbox
from lichen.federation.limits import ACTIVITY_BYTES_MAX
from lichen.kit import Refused, TooMany, Unavailable

_INBOX = "/inbox"
_FORMS = (b"application/x-www-form-urlencoded", b"multipart/form-data")
_OWNERS = ("/u/", "/c/")  # a person's and a community's own inbox; the site's has no owner


def is_inbox(path: str) -> bool:
    """Say whether a path is that of an inbox: the shared one, or an actor's."""
    if path == _INBOX:
        return True
    owner = path.removesuffix(_INBOX)
    return path.endswith(_INBOX) and owner.startswith(_OWNERS) and owner.count("/") == 2


class Entrance:
    """An ASGI application: inboxes here, everything else to the application behind it."""

    def __init__(self, application: ASGIApp, inbox: Inbox) -> None:
        self._application = application
        self._inbox = inbox

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection."""
        if scope["type"] == ScopeType.HTTP and _is_for_inbox(scope):
            await self._take(scope, receive, send)
        else:
            await self._application(scope, receive, send)

    async def _take(self, scope: HTTPScope, receive: Receive, send: Send) -> None:
        try:
            body = await self._body(receive)
            query = scope["query_string"]
            raw = scope["raw_path"] or scope["path"].encode()
            client = scope["client"]
            await self._inbox.receive(
                method="POST", target=(raw + b"?" + query if query else raw).decode("latin-1"),
                headers=_headers(scope), body=body, address=client[0] if client else "",
            )
        except Refused as refusal:
            retry_s = refusal.retry_after_s if isinstance(refusal, TooMany) else None
            await _answer(send, refusal.status, code=refusal.code, text=refusal.text,
                          retry_s=retry_s)
        except Unavailable as error:
            await _answer(send, 503, code="unavailable", text=error.text,
                          retry_s=error.retry_after_s)
        else:
            await _answer(send, 202)

    async def _body(self, receive: Receive) -> bytes:
        try:
            return await _read(receive)
        except Refused as refusal:
            self._inbox.outcomes[refusal.code] += 1
            raise


def _is_for_inbox(scope: HTTPScope) -> bool:
    """Say whether a request is an activity; a form of our own page `/inbox` is none."""
    if scope["method"] != "POST" or not is_inbox(scope["path"]):
        return False
    kinds = [value for name, value in scope["headers"] if name == b"content-type"]
    return not any(kind.startswith(_FORMS) for kind in kinds)


def _headers(scope: HTTPScope) -> dict[str, str]:
    """Return the headers by name; what comes several times is joined (RFC 9110 §5.3)."""
    found: dict[str, str] = {}
    for name, value in scope["headers"]:
        key, said = name.decode("latin-1").lower(), value.decode("latin-1")
        found[key] = f"{found[key]}, {said}" if key in found else said
    return found


async def _read(receive: Receive) -> bytes:
    """Return the body, or refuse it as soon as it is too long."""
    parts: list[bytes] = []
    size, more = 0, True
    while more:
        message = await receive()
        if message["type"] != "http.request":
            raise Refused("disconnected", "The request ended before its body did.")
        parts.append(message.get("body", b""))
        size += len(parts[-1])
        more = message.get("more_body", False)
        if size > ACTIVITY_BYTES_MAX:
            raise Refused(
                "activity_too_large",
                f"An activity has at most {ACTIVITY_BYTES_MAX} bytes; send fewer at once.",
                status=413,
            )
    return b"".join(parts)


async def _answer(
    send: Send, status: int, *, code: str = "", text: str = "", retry_s: float | None = None
) -> None:
    body = msgspec.json.encode({"error": code, "message": text}) if code else b""
    headers = [(b"content-type", b"application/json"), (b"content-length", b"%d" % len(body))]
    if retry_s is not None:
        headers.append((b"retry-after", b"%d" % max(1, round(retry_s))))
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body, "more_body": False})
