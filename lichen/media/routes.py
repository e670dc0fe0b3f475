"""Speaks for pictures: uploads as Lemmy's clients send them, and pictures to be kept for ever.

A picture never changes under its name, so whoever looked keeps it. What is served runs nothing,
whatever it is: its type is ours, never sniffed, and its policy allows nothing.
"""

import math
from collections.abc import Mapping
from typing import Any

import msgspec
from litestar import Request, Response, get, post
from litestar.params import FromPath, FromQuery
from litestar.response.base import ASGIResponse
from litestar.types import ControllerRouterHandler

from lichen.kit import NotFound, Refused, TooMany, Unauthenticated, Unavailable
from lichen.media.growth import Grown
from lichen.media.model import Callers, Uploader, variant_asked
from lichen.media.room import Room
from lichen.media.uploads import read_form
from lichen.web import check_origin, whole_body

SEED_LENGTH_MAX = 400  # characters: longer than any DID we make
TOKEN_BYTES_MAX = 4_096  # of a login's token, before anybody looks at it
_FIELD = "images[]"
# RFC 8246: what never changes under its address need not be asked for again.
_FOREVER = "public, max-age=31536000, immutable"
_SAFE = {
    # A picture opened by itself runs nothing.
    "content-security-policy": "default-src 'none'; sandbox",
}
_HEADERS = {"cache-control": _FOREVER, **_SAFE}
# Fetch Standard, "CORS protocol": apps that run in browsers live on other sites.
_CROSS_SITE = {"access-control-allow-origin": "*", "cross-origin-resource-policy": "cross-origin"}
_PROXIED_AGE_S = 86_400  # what others show may change; a day in readers' browsers


def routes(room: Room, callers: Callers) -> list[ControllerRouterHandler]:
    """Return the handlers of `/pictrs/…`, the proxy and `/grown/…`."""
    return [*grown_routes(room.grown), *_uploads(room, callers), *_shown(room), _proxied(room)]


def _uploads(room: Room, callers: Callers) -> list[ControllerRouterHandler]:
    media = room.media

    @post("/pictrs/image", request_max_body_size=None, include_in_schema=False)
    async def upload(request: Request[Any, Any, Any]) -> ASGIResponse:
        """Take pictures; the answer is pict-rs's."""
        try:
            uploader = await _uploader(request, callers)
            with whole_body():
                form = await read_form(
                    request.stream(), request.headers.get("content-type", ""),
                    file_bytes_max=media.upload_bytes_max,
                )
            pictures = [file.content for file in form.files if file.field == _FIELD]
            if not pictures:
                raise Refused("invalid_image_upload", f"Send a picture in the field {_FIELD}.")
            client = request.client
            address = client.host if client else ""
            done = [await media.upload(uploader, one, address=address) for one in pictures]
        except (Refused, Unavailable) as trouble:
            return _problem(trouble)
        files = [{"file": one.picture.alias, "delete_token": one.token} for one in done]
        return _json({"msg": "ok", "files": files}, status=201)

    @get("/pictrs/image/delete/{token:str}/{file:str}", include_in_schema=False)
    async def delete(token: FromPath[str], file: FromPath[str]) -> ASGIResponse:
        """Delete a picture by its token."""
        try:
            await media.delete(file, token)
        except (Refused, Unavailable) as trouble:
            return _problem(trouble)
        return ASGIResponse(body=b"", status_code=204, headers=_CROSS_SITE)

    @get("/pictrs/healthz", sync_to_thread=False, include_in_schema=False)
    def healthz() -> Response[bytes]:
        """Say that pictures are served."""
        return Response(b"", status_code=200)

    return [upload, delete, healthz]


def _shown(room: Room) -> list[ControllerRouterHandler]:
    @get("/pictrs/image/{file:str}", include_in_schema=False)
    async def show(
        request: Request[Any, Any, Any], file: FromPath[str],
        thumbnail: FromQuery[int | None] = None, format: FromQuery[str | None] = None,
    ) -> ASGIResponse:
        """Serve a picture, or a size and form of it."""
        try:
            variant = variant_asked(thumbnail, format)
            picture = await room.media.picture(file)
            mark = f"{picture.sha256}-{variant.size}{variant.form}" if variant else picture.sha256
            headers = _HEADERS | _CROSS_SITE | {"etag": f'"{mark}"'}
            if headers["etag"] in request.headers.get("if-none-match", ""):
                return ASGIResponse(body=b"", status_code=304, headers=headers)  # RFC 9110 §13.1.2
            body, media_type = await room.media.content(picture.sha256, picture.kind, variant)
        except NotFound as missing:
            # A testbed's clients look whether a picture is gone by whether anything comes.
            return _gone() if room.any_bytes else _problem(missing)
        except (Refused, Unavailable) as trouble:
            return _problem(trouble)
        return _picture_answer(body, media_type, headers)

    return [show]


def _proxied(room: Room) -> ControllerRouterHandler:
    @get("/api/v3/image_proxy", include_in_schema=False)
    async def image_proxy(
        request: Request[Any, Any, Any], url: FromQuery[str] = "", sig: FromQuery[str] = "",
        thumbnail: FromQuery[int | None] = None, *, format: FromQuery[str | None] = None,
    ) -> ASGIResponse:
        """Serve an outside picture whose address we signed."""
        try:
            variant = variant_asked(thumbnail, format)
            body, media_type, _ = await room.proxy.content(url, sig, variant)
        except (Refused, Unavailable) as trouble:
            return _problem(trouble)
        headers = _SAFE | {"cache-control": f"public, max-age={_PROXIED_AGE_S}"} | _CROSS_SITE
        return _picture_answer(body, media_type, headers)

    return image_proxy


def grown_routes(grown: Grown) -> list[ControllerRouterHandler]:
    """Return the handlers of `/grown/…`."""

    @get("/grown/{file:str}", sync_to_thread=False, include_in_schema=False)
    def colony(file: FromPath[str]) -> Response[bytes]:
        """Serve the lichen grown from a seed."""
        if not file.endswith(".svg"):
            raise NotFound("couldnt_find_picture", "Grown pictures end in .svg.")
        return _svg(grown.colony(_seed(file.removesuffix(".svg"))))

    @get("/grown/{seed:str}/{kind:str}", sync_to_thread=False, include_in_schema=False)
    def variant(seed: FromPath[str], kind: FromPath[str]) -> Response[bytes]:
        """Serve a seed's banner, or its lichen when it has just settled."""
        if kind == "banner.svg":
            return _svg(grown.banner(_seed(seed)))
        if kind == "young.svg":
            return _svg(grown.young(_seed(seed)))
        raise NotFound("couldnt_find_picture", "A seed has banner.svg and young.svg.")

    return [colony, variant]


async def _uploader(request: Request[Any, Any, Any], callers: Callers) -> Uploader:
    """Return who uploads: by a bearer token, or by the cookie that Lemmy's clients send."""
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not token.strip():
        token = request.cookies.get("jwt", "")
        # A browser sends a cookie along with what other sites make it ask.
        check_origin(request.method, request.headers, frozenset((request.url.netloc,)))
    if not token.strip() or len(token) > TOKEN_BYTES_MAX:
        raise Unauthenticated()
    uploader = await callers(token.strip())
    if uploader is None:
        raise Unauthenticated()
    return uploader


def _seed(text: str) -> str:
    if not 0 < len(text) <= SEED_LENGTH_MAX:
        raise NotFound("couldnt_find_picture", f"A seed has 1 to {SEED_LENGTH_MAX} characters.")
    return text


def _svg(body: bytes) -> Response[bytes]:
    return Response(body, media_type="image/svg+xml", headers=_HEADERS)


def _picture_answer(body: bytes, media_type: str, headers: Mapping[str, str]) -> ASGIResponse:
    return ASGIResponse(body=body, media_type=media_type, headers=dict(headers))


def _gone() -> ASGIResponse:
    return ASGIResponse(body=b"", status_code=404, headers=_CROSS_SITE)


def _json(answer: object, *, status: int, headers: Mapping[str, str] | None = None) -> ASGIResponse:
    return ASGIResponse(
        body=msgspec.json.encode(answer), media_type="application/json", status_code=status,
        headers={**_CROSS_SITE, **(headers or {})},
    )


def _problem(trouble: Refused | Unavailable) -> ASGIResponse:
    """Return a refusal as Lemmy's clients read it."""
    if isinstance(trouble, Unavailable):
        later = {"retry-after": str(math.ceil(trouble.retry_after_s))}
        return _json({"error": "unavailable", "message": trouble.text}, status=503, headers=later)
    headers = {}
    if isinstance(trouble, TooMany):
        headers["retry-after"] = str(math.ceil(trouble.retry_after_s))  # RFC 9110 §10.2.3
    return _json(
        {"error": trouble.code, "message": trouble.text}, status=trouble.status, headers=headers
    )
