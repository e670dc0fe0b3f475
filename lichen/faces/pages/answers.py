"""Answers: pages, fragments and ways on, each with the headers that keep people safe.

A page is whole. A fragment is a piece of one that htmx puts where `HX-Retarget` says, so that the
markup carries one attribute (`hx-boost`) and the server decides what moves. Without a script the
same forms and links lead to whole pages and to `303 See Other`.
"""

import asyncio
import gzip

from litestar import Response
from litestar.datastructures import Cookie

from lichen.faces.pages.parts import Frame, Parts
from lichen.faces.pages.visit import Visit, safe_path

PACKED_BYTES_MIN = 1_400  # below, an answer fits into one packet anyway
LOOP_BYTES_MAX = 64_000  # above, compressing would hold the event loop for milliseconds
HTML = "text/html"  # Litestar adds the charset to every text
_GZIP_LEVEL = 3  # of a thread of 500 comments: 3 ms and 49 kB; level 6 takes 8 ms for 40 kB

# CSP Level 3: nothing runs but our own files; pictures come from anywhere, as in any forum.
_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: https:{http}; "
    "media-src data:; "
    "connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)


async def page(
    parts: Parts, visit: Visit, frame: Frame, template: str, *,
    status: int = 200, values: dict[str, object],
) -> Response[bytes]:
    """Answer with a whole page."""
    body = parts.drawing.draw(template, visit=visit, frame=frame, **values).encode()
    headers = page_headers(parts)
    if visit.takes_gzip and len(body) >= PACKED_BYTES_MIN:
        headers["content-encoding"] = "gzip"
        body = await _packed(body)
    return Response(body, media_type=HTML, status_code=status, headers=headers)


def fragment(
    parts: Parts, html: str, *, target: str | None, swap: str = "outerHTML", status: int = 200
) -> Response[bytes]:
    """Answer htmx with a piece of a page and where it belongs.

    `target` is a selector, or "find …", "next …", "closest …" from the form or link that asked;
    None where the markup says it.
    """
    headers = _headers(parts) | {
        "cache-control": "no-store", "hx-reswap": swap, "hx-push-url": "false",
    }
    if target is not None:
        headers["hx-retarget"] = target
    return Response(html.encode(), media_type=HTML, status_code=status, headers=headers)


def see_other(
    visit: Visit, path: str, *, cookies: list[Cookie] | None = None
) -> Response[bytes]:
    """Send the browser on to a path of ours."""
    path = safe_path(path)
    # RFC 9110 §15.4.4: 303 asks for the next page by GET. htmx would follow it unseen, so it is
    # told in a header of its own.
    status, header = (200, "hx-redirect") if visit.is_fragment else (303, "location")
    return Response(
        b"", status_code=status, headers={header: path, "cache-control": "no-store"},
        cookies=cookies or [], media_type=HTML,
    )


def page_headers(parts: Parts) -> dict[str, str]:
    """Return the headers of a whole page."""
    return _headers(parts) | {
        # A page is its reader's own: no shared cache keeps it, the browser asks again.
        "cache-control": "private, no-cache",
        "vary": "Cookie, HX-Request, Accept-Encoding",
    }


async def _packed(body: bytes) -> bytes:
    if len(body) <= LOOP_BYTES_MAX:
        return gzip.compress(body, _GZIP_LEVEL, mtime=0)
    return await asyncio.to_thread(gzip.compress, body, _GZIP_LEVEL, mtime=0)


def _headers(parts: Parts) -> dict[str, str]:
    http = "" if parts.addresses.is_secure else " http:"
    return {
        "content-security-policy": _POLICY.format(http=http),
        "referrer-policy": "same-origin",
        "cross-origin-opener-policy": "same-origin",
    }
