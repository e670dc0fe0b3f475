"""Documents over HTTP: by their own addresses, and by those that they share with pages.

    GET /post/1   Accept: text/html                   the page
                  Accept: application/activity+json   the document    (Vary: Accept on both)

A request is asked for its signature (authorised fetch) where the administrators want that; the
site's own actor is always answered, because its key is what such a request is verified by.
"""

import re
from collections.abc import Awaitable, Callable, Mapping

import msgspec
from litestar import Request, Router, get
from litestar.datastructures import Headers, State
from litestar.enums import ScopeType
from litestar.handlers import HTTPRouteHandler
from litestar.params import FromPath, FromQuery
from litestar.response.base import ASGIResponse
from litestar.types import ASGIApp, HTTPScope, Message, Receive, Scope, Send

from lichen.federation.desk import Desk, Shown
from lichen.federation.documents import CONTENT_TYPE
from lichen.kit import NotFound, Refused

AnyRequest = Request[object, object, State]
Authorise = Callable[[str, str, Mapping[str, str]], Awaitable[None]]  # method, target, headers
Answering = Callable[[Desk, re.Match[str]], Awaitable[Shown]]

_ENCODER = msgspec.json.Encoder()
_NUMBER_MAX = (1 << 63) - 1  # of a row
# ActivityPub §3.2: a client asks for ld+json with the profile of ActivityStreams, or activity+json.
_DOCUMENT = ("application/activity+json", "application/ld+json")
_PAGE = ("text/html", "application/xhtml+xml")

# The addresses that documents share with pages.
_SHARED: tuple[tuple[re.Pattern[str], Answering], ...] = (
    (re.compile(r"/"), lambda desk, _: desk.site()),
    (re.compile(r"/u/([^/@]+)"), lambda desk, found: desk.person(_sound(found[1]))),
    (re.compile(r"/c/([^/@]+)"), lambda desk, found: desk.community(_sound(found[1]))),
    (re.compile(r"/post/(\d{1,18})"), lambda desk, found: desk.post(int(found[1]))),
    (re.compile(r"/comment/(\d{1,18})"), lambda desk, found: desk.comment(int(found[1]))),
)


async def everybody(_method: str, _target: str, _headers: Mapping[str, str]) -> None:
    """Let everybody fetch."""


def wants_document(accept: str) -> bool:
    """Say whether an Accept header asks for a document before a page."""
    document, page = 0.0, 0.0
    for part in accept.split(",")[:_RANGES_MAX]:
        kind, *parameters = (word.strip().lower() for word in part.split(";"))
        weight = _weight(parameters)
        if kind in _PAGE:
            page = max(page, weight)
        elif kind in _DOCUMENT:
            document = max(document, weight)
    return document > page or (document > 0 and document == page and _is_first(accept))


def negotiating(desk: Desk, authorise: Authorise = everybody) -> Callable[[ASGIApp], ASGIApp]:
    """Return the middleware that answers with a document where one is asked for."""

    def around(app: ASGIApp) -> ASGIApp:
        async def answer(scope: Scope, receive: Receive, send: Send) -> None:
            if scope["type"] != ScopeType.HTTP or scope["method"] not in ("GET", "HEAD"):
                await app(scope, receive, send)
                return
            shared = _shared(scope["path"])
            if shared is None:
                await app(scope, receive, send)
                return
            headers = Headers.from_scope(scope)
            if not wants_document(headers.get("accept", "")):
                await app(scope, receive, _varying(send))
                return
            path, (answering, found) = scope["path"], shared
            try:
                if path != "/":
                    await authorise(scope["method"], _target(scope), headers)
                shown = await answering(desk, found)
            except Refused as error:
                shown = Shown({"error": error.code, "message": error.text}, error.status)
            await _response(shown, is_head=scope["method"] == "HEAD")(scope, receive, send)

        return answer

    return around


def router(desk: Desk, authorise: Authorise = everybody) -> Router:
    """Return the routes that no page shares."""
    named: dict[str, Callable[[str], Awaitable[Shown]]] = {
        "/c/{name:str}/followers": desk.followers, "/c/{name:str}/featured": desk.featured,
        "/c/{name:str}/moderators": desk.moderators,
    }
    by_pages: dict[str, Callable[[str, str], Awaitable[Shown]]] = {
        "/c/{name:str}/outbox": desk.outbox, "/u/{name:str}/outbox": desk.persons_outbox,
    }
    answers = {path: _by_name(answering, authorise) for path, answering in named.items()} | {
        path: _by_page(answering, authorise) for path, answering in by_pages.items()
    }
    handlers = [
        get(path, summary=_SUMMARIES[path.rpartition("/")[2]], tags=["ActivityPub"])(answer)
        for path, answer in answers.items()
    ]

    @get("/post/{post_id:int}/context", summary="What was said below a post", tags=["ActivityPub"])
    async def context(
        request: AnyRequest, post_id: FromPath[int], page: FromQuery[str] = ""
    ) -> ASGIResponse:
        if post_id > _NUMBER_MAX:
            raise NotFound("couldnt_find_post", "There is no such post.")
        return await _answered(request, authorise, lambda: desk.context(post_id, page))

    @get("/activities/{kind:str}/{key:str}", summary="An activity", tags=["ActivityPub"])
    async def activity(
        request: AnyRequest, kind: FromPath[str], key: FromPath[str]
    ) -> ASGIResponse:
        return await _answered(request, authorise, lambda: desk.activity(kind, key))

    @get("/site_outbox", summary="What the site said", tags=["ActivityPub"])
    async def site_outbox(request: AnyRequest) -> ASGIResponse:
        return await _answered(request, authorise, desk.site_outbox)

    return Router("/", route_handlers=[*handlers, context, activity, site_outbox, *_dids(desk)])


def _dids(desk: Desk) -> list[HTTPRouteHandler]:
    """Return the routes by which did:web finds our DIDs."""

    @get("/.well-known/did.json", summary="The site's DID", tags=["DIDs"])
    async def of_site() -> ASGIResponse:
        return await _did(desk)

    @get("/u/{name:str}/did.json", summary="A person's DID", tags=["DIDs"])
    async def of_person(name: FromPath[str]) -> ASGIResponse:
        return await _did(desk, "u", name)

    @get("/c/{name:str}/did.json", summary="A community's DID", tags=["DIDs"])
    async def of_community(name: FromPath[str]) -> ASGIResponse:
        return await _did(desk, "c", name)

    @get("/r/{name:str}/did.json", summary="The DID we give a remote actor", tags=["DIDs"])
    async def of_remote(name: FromPath[str]) -> ASGIResponse:
        return await _did(desk, "r", name)

    return [of_site, of_person, of_community, of_remote]


_RANGES_MAX = 20  # media ranges of one Accept header that are looked at
_SUMMARIES = {
    "outbox": "What was posted last", "followers": "How many follow", "featured": "What is pinned",
    "moderators": "Who moderates",
}


def _by_name(
    answering: Callable[[str], Awaitable[Shown]], authorise: Authorise
) -> Callable[..., Awaitable[ASGIResponse]]:
    async def answer(request: AnyRequest, name: FromPath[str]) -> ASGIResponse:
        return await _answered(request, authorise, lambda: answering(_sound(name)))

    return answer


def _by_page(
    answering: Callable[[str, str], Awaitable[Shown]], authorise: Authorise
) -> Callable[..., Awaitable[ASGIResponse]]:
    async def answer(
        request: AnyRequest, name: FromPath[str], page: FromQuery[str] = ""
    ) -> ASGIResponse:
        return await _answered(request, authorise, lambda: answering(_sound(name), page))

    return answer


def _sound(name: str) -> str:
    """Return a name, or refuse one that no row can hold."""
    # RFC 3629: NUL is valid UTF-8, but PostgreSQL keeps no text with it.
    if "\x00" in name:
        raise NotFound("couldnt_find_object", "Nobody has such a name.")
    return name


async def _answered(
    request: AnyRequest, authorise: Authorise, answering: Callable[[], Awaitable[Shown]]
) -> ASGIResponse:
    await authorise(request.method, _target(request.scope), request.headers)
    return _response(await answering())


async def _did(desk: Desk, *words: str) -> ASGIResponse:
    shown = await desk.did(desk.did_of(*map(_sound, words)))
    return ASGIResponse(
        body=_ENCODER.encode(shown.document), status_code=shown.status,
        media_type="application/did+json", headers={"access-control-allow-origin": "*"},
    )


def _target(scope: HTTPScope) -> str:
    """Return path and query as they came, which is what was signed."""
    path = (scope["raw_path"] or scope["path"].encode()).decode("latin-1")
    query = scope["query_string"].decode("latin-1")
    return f"{path}?{query}" if query else path


def _shared(path: str) -> tuple[Answering, re.Match[str]] | None:
    """Return what answers at an address that a page has too."""
    for pattern, answering in _SHARED:
        found = pattern.fullmatch(path)
        if found:
            return answering, found
    return None


def _response(shown: Shown, *, is_head: bool = False) -> ASGIResponse:
    body = _ENCODER.encode(shown.document)
    kind = CONTENT_TYPE if "@context" in shown.document else "application/json"
    return ASGIResponse(
        body=body, status_code=shown.status, media_type=kind, headers={"vary": "Accept"},
        is_head_response=is_head,
    )


def _varying(send: Send) -> Send:
    """Return a send that says that the answer depends on what was accepted."""

    async def with_vary(message: Message) -> None:
        if message["type"] == "http.response.start":
            # RFC 9110 §12.5.5: a cache must not give the page to who asks for the document.
            message["headers"] = [*message["headers"], (b"vary", b"Accept")]
        await send(message)

    return with_vary


def _weight(parameters: list[str]) -> float:
    # RFC 9110 §12.4.2: the weight of a media range, 1 where none is said.
    for one in parameters:
        if one.startswith("q="):
            try:
                return float(one[2:])
            except ValueError:
                return 0.0
    return 1.0


def _is_first(accept: str) -> bool:
    """Say whether a document is named before a page."""
    lowered = accept.lower()
    pages = [at for kind in _PAGE if (at := lowered.find(kind)) >= 0]
    documents = [at for kind in _DOCUMENT if (at := lowered.find(kind)) >= 0]
    return bool(documents) and (not pages or min(documents) < min(pages))
