"""Pages: the forum as server-rendered HTML, for people; translation only.

`Pages(…).router()` holds every page, the static files and the feeds; `Pages(…).fault` is for the
application's own error handlers, so that an unknown address keeps the frame too.
"""

from urllib.parse import unquote

from litestar import Response, Router
from litestar.di import Provide

from lichen.faces import feeds
from lichen.faces.given import Given
from lichen.faces.pages import (
    carried,
    contributed,
    conversations,
    deeds,
    doors,
    federation,
    finding,
    founding,
    inbox,
    judged,
    judging,
    keeping,
    keys,
    knocking,
    lists,
    live,
    modlog,
    moving,
    own,
    proposing,
    reacting,
    reception,
    remarks,
    replies,
    rules,
    streaming,
    succession,
    threads,
    turned_away,
    weeding,
    writing,
)
from lichen.faces.pages import (
    pictures as own_pictures,
)
from lichen.faces.pages.drawing import Drawing
from lichen.faces.pages.faults import AnyRequest, Faults
from lichen.faces.pages.parts import Busiest, Parts
from lichen.faces.pages.rates import check_rate
from lichen.faces.pages.still import Still, static_file
from lichen.faces.pages.visit import Visit, visit_of
from lichen.web import SESSION_COOKIE, check_origin, check_text

__all__ = ["Pages"]


class Pages:
    """The pages of one house: a router, and the answer to every error.

    Templates and static files are read here, once.
    """

    def __init__(self, given: Given) -> None:
        age_us_max = int(given.config.forum.activity_age_s * 1_000_000)
        self._parts = Parts(
            **given.all,
            drawing=Drawing(given.addresses, Still(), given.pictures.proxy.shown),
            busiest=Busiest(given.forum, age_us_max=age_us_max),
        )
        faults = Faults(self._parts)

        # Plain functions, here and below: Litestar copies handlers deeply, and with a bound method
        # it would copy the house.
        def fault(request: AnyRequest, error: Exception) -> Response[bytes]:
            return faults.answer(request, error)

        self.fault = fault

    def __deepcopy__(self, memo: dict[int, object]) -> "Pages":
        """Return itself: Litestar copies routers deeply, and there is one set of pages."""
        return self

    def router(self) -> Router:
        """Return the pages, the feeds and the static files as one router."""
        parts = self._parts
        modules = (
            carried, contributed, conversations, deeds, doors, federation, finding, founding,
            inbox, judged, judging, keeping, keys, knocking, lists, live, modlog, moving, own,
            own_pictures,
            proposing, reacting, reception, remarks, replies, rules, streaming, succession, threads,
            turned_away, weeding, writing,
        )

        def provide_parts() -> Parts:
            return parts

        def provide_still() -> Still:
            return parts.drawing.still

        async def provide_visit(request: AnyRequest) -> Visit:
            token = request.cookies.get(SESSION_COOKIE)
            visit = visit_of(request, await parts.accounts.viewer(token))
            check_rate(parts, request, visit.viewer)
            return visit

        async def look_at_the_door(request: AnyRequest) -> None:
            check_text(unquote(f"{request.url.path}?{request.url.query}"), "The address")
            known = frozenset((parts.addresses.authority, request.url.netloc))
            check_origin(request.method, request.headers, known)

        return Router(
            path="/",
            route_handlers=[
                static_file, *feeds.HANDLERS,
                *(handler for module in modules for handler in module.HANDLERS),
            ],
            dependencies={
                "parts": Provide(provide_parts, sync_to_thread=False),
                "still": Provide(provide_still, sync_to_thread=False),
                "visit": Provide(provide_visit),
            },
            before_request=look_at_the_door,
            exception_handlers={Exception: self.fault},
            include_in_schema=False,
        )
