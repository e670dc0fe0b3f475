"""Serves grown lichens: made on the first look, kept for ever by whoever looked."""

from litestar import Response, get
from litestar.params import FromPath
from litestar.types import ControllerRouterHandler

from lichen.kit import NotFound
from lichen.media.growth import Grown

SEED_LENGTH_MAX = 400  # characters: longer than any DID we make
# RFC 8246: what never changes under its address need not be asked for again.
_HEADERS = {
    "cache-control": "public, max-age=31536000, immutable",
    "x-content-type-options": "nosniff",
    # A picture opened by itself runs nothing.
    "content-security-policy": "default-src 'none'",
}


def routes(grown: Grown) -> list[ControllerRouterHandler]:
    """Return the handlers of `/grown/…`."""

    @get("/grown/{file:str}", sync_to_thread=False, include_in_schema=False)
    def colony(file: FromPath[str]) -> Response[bytes]:
        """Serve the lichen grown from a seed."""
        if not file.endswith(".svg"):
            raise NotFound("couldnt_find_picture", "Grown pictures end in .svg.")
        return _picture(grown.colony(_seed(file.removesuffix(".svg"))))

    @get("/grown/{seed:str}/{kind:str}", sync_to_thread=False, include_in_schema=False)
    def variant(seed: FromPath[str], kind: FromPath[str]) -> Response[bytes]:
        """Serve a seed's banner, or its lichen when it has just settled."""
        if kind == "banner.svg":
            return _picture(grown.banner(_seed(seed)))
        if kind == "young.svg":
            return _picture(grown.young(_seed(seed)))
        raise NotFound("couldnt_find_picture", "A seed has banner.svg and young.svg.")

    return [colony, variant]


def _seed(text: str) -> str:
    if not 0 < len(text) <= SEED_LENGTH_MAX:
        raise NotFound("couldnt_find_picture", f"A seed has 1 to {SEED_LENGTH_MAX} characters.")
    return text


def _picture(body: bytes) -> Response[bytes]:
    return Response(body, media_type="image/svg+xml", headers=_HEADERS)
