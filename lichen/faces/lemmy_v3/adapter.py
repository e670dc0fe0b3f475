"""HTTP to calls and back: one small adapter for the whole table.

A request becomes a caller and a typed message, the call answers, the answer becomes bytes. What the
rooms refuse becomes `{"error": code, "message": text}` with the refusal's status, which is how
Lemmy's clients read errors. Reading the form of requests is `asking`, the table is `calls`.
"""

import math
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

import msgspec
from litestar import HttpMethod, Request, Router
from litestar.handlers import HTTPRouteHandler
from litestar.openapi.datastructures import ResponseSpec
from litestar.response.base import ASGIResponse

from lichen.faces.lemmy_v3.asking import (
    AGENT_LENGTH_MAX,
    Caller,
    Parts,
    as_written,
    asked_in_body,
    asked_in_query,
    token_of,
)
from lichen.faces.lemmy_v3.calls import CALLS, Call
from lichen.faces.lemmy_v3.operations import operation_of
from lichen.kit import Refused, TooMany, Unavailable
from lichen.web import whole_body

PREFIX = "/api/v3"
_METHODS = frozenset({"GET", "POST", "PUT", "PATCH", "DELETE"})
_JSON = "application/json"
_TAGS = {"lemmy_v3": "Lemmy v3", "lichen": "Lichen"}
DRAINED_BYTES_MAX = 32 << 20  # of a body that is refused; above it, the connection is cut
_ENCODER = msgspec.json.Encoder()

# Fetch Standard, "CORS protocol": apps that run in browsers live on other sites. They identify
# themselves by a header, never by a cookie, so every site may ask.
_CROSS_SITE = {"access-control-allow-origin": "*"}
_PREFLIGHT = _CROSS_SITE | {
    "access-control-allow-methods": "GET, POST, PUT",
    "access-control-allow-headers": "authorization, content-type",
    "access-control-max-age": "86400",
}


class Problem(msgspec.Struct, frozen=True):
    """What an error looks like: a stable code, and a text for people."""

    error: str
    message: str


def routes_of(
    parts: Parts, calls: Sequence[Call[Any, Any]] = CALLS, *, prefix: str = PREFIX,
    face: str = "lemmy_v3",
) -> Router:
    """Return the routes of every call of a table, and an honest refusal for what is not one."""
    handlers: list[HTTPRouteHandler] = []
    for path in sorted({call.path for call in calls}):
        spoken = sorted(call.method for call in calls if call.path == path)
        handlers.extend(_unspoken(path, spoken=spoken))
    handlers.extend(_unspoken("/{rest:path}", spoken=[]))
    handlers.extend(_route(call, parts, face) for call in calls)
    # Bodies are bounded while they are read, by `_body`.
    return Router(prefix, route_handlers=handlers, request_max_body_size=None)


def _route(call: Call[Any, Any], parts: Parts, face: str) -> HTTPRouteHandler:
    answer = _answering(call, parts)

    async def handle(request: Request[Any, Any, Any]) -> ASGIResponse:
        try:
            return _sent(await answer(request))
        except Refused as refusal:
            return _refused(refusal)
        except Unavailable as trouble:
            return _unavailable(trouble)

    return HTTPRouteHandler(
        call.path,
        http_method=HttpMethod(call.method),
        status_code=200,
        name=f"{face} {call.method} {call.path}",
        operation_class=operation_of(call.request, is_query=call.method == "GET"),
        operation_id=f"{face}_{call.name}",
        summary=call.summary,
        tags=[_TAGS[face]],
        responses={
            200: ResponseSpec(call.response, description="The answer.", generate_examples=False),
            400: ResponseSpec(Problem, description="Refused.", generate_examples=False),
        },
    )(handle)


def _answering(
    call: Call[Any, Any], parts: Parts
) -> Callable[[Request[Any, Any, Any]], Awaitable[bytes]]:
    decoder = msgspec.json.Decoder(call.request)
    is_query = call.method == "GET"

    async def answer(request: Request[Any, Any, Any]) -> bytes:
        if is_query:
            asked = asked_in_query(request.scope["query_string"], call.request)
        else:
            body = await _body(request, parts.config.limits.body_bytes_max)
            asked = as_written(parts.pictures.proxy, body, asked_in_body(body, decoder))
        caller = await _caller(request, parts)
        account_id = None if caller.viewer is None else caller.viewer.account_id
        parts.gate.check(call.rate, caller.address, account_id)
        result = await call.answer(parts, caller, asked)
        return result if isinstance(result, bytes) else parts.encode(result)

    return answer


async def _body(request: Request[Any, Any, Any], bytes_max: int) -> bytes:
    """Return the body; one that is too large is read to its end, so that the refusal is heard.

    A client that is still sending does not read: it would see a broken connection instead.
    """
    chunks: list[bytes] = []
    size = 0
    with whole_body():
        async for chunk in request.stream():
            size += len(chunk)
            if size > DRAINED_BYTES_MAX:
                break
            if size <= bytes_max:
                chunks.append(chunk)
    if size > bytes_max:
        # RFC 9110 §15.5.14: 413 Content Too Large.
        raise Refused("body_too_large", f"A body has {bytes_max} bytes at most.", status=413)
    return b"".join(chunks)


async def _caller(request: Request[Any, Any, Any], parts: Parts) -> Caller:
    headers = request.headers
    token = token_of(request.method, headers, request.cookies)
    client = request.client
    return Caller(
        # Lemmy 0.19: an invalid token means nobody, not an error.
        viewer=await parts.accounts.viewer(token) if token else None,
        address=parts.gate.address(client.host if client else "", headers),
        agent=headers.get("user-agent", "")[:AGENT_LENGTH_MAX],
    )


def _unspoken(path: str, *, spoken: Sequence[str]) -> list[HTTPRouteHandler]:
    """Return a path's preflight, and the refusal of every method that it does not speak.

    The preflight comes first: Litestar makes one up for a path that begins without.
    """
    # RFC 9110 §15.5.6: 405 names the methods that are allowed.
    headers = _CROSS_SITE | ({"allow": ", ".join(spoken)} if spoken else {})
    body = _ENCODER.encode(Problem(
        "not_implemented", "This server does not speak that call; /schema lists those it does."
    ))

    async def refuse() -> ASGIResponse:
        return ASGIResponse(
            body=body, media_type=_JSON, status_code=405 if spoken else 404, headers=headers
        )

    async def preflight() -> ASGIResponse:
        return ASGIResponse(body=b"", status_code=204, headers=_PREFLIGHT)

    methods = [HttpMethod(method) for method in sorted(_METHODS.difference(spoken))]
    return [
        HTTPRouteHandler(
            path, http_method="OPTIONS", status_code=200, include_in_schema=False
        )(preflight),
        HTTPRouteHandler(
            path, http_method=methods, status_code=200, include_in_schema=False
        )(refuse),
    ]


def _sent(body: bytes) -> ASGIResponse:
    return ASGIResponse(body=body, media_type=_JSON, headers=_CROSS_SITE)


def _refused(refusal: Refused) -> ASGIResponse:
    later = refusal.retry_after_s if isinstance(refusal, TooMany) else None
    return _problem(Problem(refusal.code, refusal.text), refusal.status, retry_after_s=later)


def _unavailable(trouble: Unavailable) -> ASGIResponse:
    problem = Problem("unavailable", trouble.text)
    return _problem(problem, 503, retry_after_s=trouble.retry_after_s)


def _problem(problem: Problem, status: int, *, retry_after_s: float | None) -> ASGIResponse:
    headers = dict(_CROSS_SITE)
    if retry_after_s is not None:
        headers["retry-after"] = str(math.ceil(retry_after_s))  # RFC 9110 §10.2.3: whole seconds
    return ASGIResponse(
        body=_ENCODER.encode(problem), media_type=_JSON, status_code=status, headers=headers
    )
