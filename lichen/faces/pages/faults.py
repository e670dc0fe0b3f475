"""Faults: what went wrong, said inside the frame, with the search box at hand.

    Unauthenticated        the way to the login page, and back
    Refused                its own text and status
    an unknown address     404
    a malformed request    400
    Unavailable            503 and when to come back
    anything else          500, logged; it is ours
"""

from urllib.parse import quote

import msgspec
import structlog
from litestar import Request, Response
from litestar.datastructures import State
from litestar.exceptions import HTTPException

from lichen.accounts import Viewer
from lichen.faces.pages.answers import HTML, fragment, page_headers, see_other
from lichen.faces.pages.parts import Parts, bare_frame
from lichen.faces.pages.visit import Visit, visit_of
from lichen.faces.private_site import SiteIsPrivate
from lichen.kit import Refused, TooMany, Unauthenticated, Unavailable
from lichen.web import SESSION_COOKIE

_log = structlog.get_logger("lichen.pages")

PROGRAM_PATHS = ("/api/", "/pictrs/", "/nodeinfo/", "/.well-known/")  # nobody reads HTML there

AnyRequest = Request[object, object, State]

_HEADINGS = {
    400: "That cannot be read",
    403: "This door is closed",
    404: "Nothing grows here",
    413: "Too much at once",
    429: "Slower, please",
    500: "Something broke",
    503: "Back in a moment",
}
_OURS = "Something of ours broke, and it is written down. Go back: what you typed is still there."
_NO_PAGE = "There is no such page, or it has been taken away. Search for it above, or go home."


class Faults:
    """Answers every error of a page, and what nobody answers: unknown addresses."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts

    def answer(self, request: AnyRequest, error: Exception) -> Response[bytes]:
        """Return the page, the fragment or the way on that an error deserves."""
        fault = _fault(request, error)
        is_closed = isinstance(error, SiteIsPrivate) and error.is_for_programs
        if is_closed or request.url.path.startswith(PROGRAM_PATHS):
            return _for_programs(fault)
        visit = visit_of(request, self._viewer(request))
        if isinstance(error, Unauthenticated):
            back = visit.here if request.method == "GET" and not visit.is_fragment else (
                visit.came_from or "/"
            )
            return see_other(visit, f"{self._parts.addresses.login}?next={quote(back, safe='')}")
        if visit.is_fragment:
            said = self._parts.drawing.macro("said")(fault.text)
            answer = fragment(self._parts, said, target="#notice", swap="innerHTML",
                              status=fault.status)
        else:
            answer = self._page(visit, fault)
        if isinstance(error, TooMany | Unavailable):
            # RFC 9110 §10.2.3: whole seconds.
            answer.headers["retry-after"] = str(max(1, round(error.retry_after_s)))
        return answer

    def _page(self, visit: Visit, fault: Refused) -> Response[bytes]:
        # The store may be what is broken.
        frame = bare_frame(self._parts.accounts.current_site.settings)
        html = self._parts.drawing.draw(
            "error.html", visit=visit, frame=frame, status=fault.status, code=fault.code,
            text=fault.text, heading=_HEADINGS.get(fault.status, "That did not work"),
        )
        return Response(html.encode(), media_type=HTML, status_code=fault.status,
                        headers=page_headers(self._parts))

    def _viewer(self, request: AnyRequest) -> Viewer | None:
        """Return who asks, if they are remembered; an error waits for no store."""
        token = request.cookies.get(SESSION_COOKIE)
        if token is None:
            return None
        return self._parts.accounts.reader.sessions.find(token, self._parts.now_us())


def _for_programs(fault: Refused) -> Response[bytes]:
    said = {"error": fault.code, "message": fault.text}
    return Response(
        msgspec.json.encode(said), status_code=fault.status, media_type="application/json",
        # Fetch Standard, "CORS protocol": apps that run in browsers read why.
        headers={"access-control-allow-origin": "*"},
    )


def _fault(request: AnyRequest, error: Exception) -> Refused:
    """Return what an error says to people."""
    match error:
        case Refused():
            return error
        case Unavailable():
            return Refused("unavailable", error.text, status=503)
        case HTTPException(status_code=404 | 405):
            return Refused("couldnt_find_page", _NO_PAGE, status=404)
        case HTTPException() if error.status_code < 500:
            return Refused("invalid_request", f"This address or form cannot be read: "
                                              f"{error.detail}", status=error.status_code)
    _log.error("page_broke", path=request.url.path, exc_info=error)
    return Refused("broken", _OURS, status=500)
