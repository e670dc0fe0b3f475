"""What is new under a post while its page is open: a stream of numbers, then the comments.

The stream is Server-Sent Events (HTML Living Standard, §9.2): each comment is an event whose id is
the comment's number, so that a browser that lost the line says where it was (`Last-Event-ID`) and
is told what it missed. The page only counts; it moves nothing until somebody presses.
"""

from collections.abc import AsyncIterator

from litestar import Response, get
from litestar.params import FromQuery
from litestar.response import Stream

from lichen.faces.pages.answers import fragment, see_other
from lichen.faces.pages.parts import GivenParts, Parts
from lichen.faces.pages.threads import scene_of
from lichen.faces.pages.tree import branches, drawn
from lichen.faces.pages.visit import GivenVisit, Number, PageRequest
from lichen.forum import CommentView, Listener
from lichen.kit.flags import Flag
from lichen.store import Unit

LIVE_BEAT_S = 15.0  # a comment line so often, so that proxies keep the connection
LIVE_S_MAX = 300.0  # seconds; the browser asks again, and a page left open costs little
LIVE_TOLD_MAX = 1_000  # comments told of on one line; then the browser asks again

_BEAT = b": still here\n\n"
_ID_DIGITS_MAX = 19  # of a number that fits into a row
_RETRY_MS = 5_000  # how long a browser waits before it asks again


@get("/post/{post_id:int}/live")
async def live(
    request: PageRequest, parts: GivenParts, visit: GivenVisit, post_id: Number,
    *, since: FromQuery[int] = 0,
) -> Response[bytes] | Stream:
    """Tell of new comments as they come, for some minutes; the browser asks again then.

    `since` is the time of the newest comment that the page has, in µs.
    """
    if not parts.flags.is_on(Flag.LIVE_THREADS):
        # HTML Living Standard, §9.2.2: 204 tells a browser not to ask again.
        return Response(b"", status_code=204, media_type="text/event-stream")
    last_id = _last_id(request)

    def find(unit: Unit) -> list[CommentView]:
        return parts.forum.comments_since(
            unit, visit.viewer, post_id, after_id=last_id, after_us=since
        )

    view = await parts.store.read(
        lambda unit: parts.forum.post_view(unit, visit.viewer, post_id)
    )
    address = request.client.host if request.client else ""
    # Listening first and looking then: what comes between the two is told twice, never missed.
    listener = parts.forum.live.listen(parts.forum.uri_of(view), address)
    try:
        missed = await parts.store.read(find)
    except BaseException:
        parts.forum.live.leave(listener)
        raise
    return Stream(
        _told(parts, listener, [one.comment.id for one in missed]), media_type="text/event-stream",
        headers={"cache-control": "no-store", "x-accel-buffering": "no"},
    )


@get("/post/{post_id:int}/new")
async def new_comments(
    parts: GivenParts, visit: GivenVisit, post_id: Number, since: FromQuery[int] = 0,
    *, after: FromQuery[int] = 0,
) -> Response[bytes]:
    """Show the comments of others that came after a time and after one, above the thread."""
    path = parts.addresses.post(post_id)
    if not visit.is_fragment:
        return see_other(visit, f"{path}?sort=New#comments")

    def find(unit: Unit) -> list[CommentView]:
        parts.forum.post_view(unit, visit.viewer, post_id)
        found = parts.forum.comments_since(
            unit, visit.viewer, post_id, after_id=after, after_us=since
        )
        # One's own stand where they were written already.
        mine = visit.viewer.id if visit.viewer else None
        return [view for view in found if view.creator.id != mine]

    found = await parts.store.read(find)
    html = drawn(branches(found), scene_of(parts, visit, found[0])) if found else ""
    return fragment(parts, html, target="#fresh", swap="beforeend")


def _last_id(request: PageRequest) -> int:
    """Return the last comment that the browser was told of before the line broke, 0 for none."""
    last = request.headers.get("last-event-id", "")
    return int(last) if last.isascii() and last.isdecimal() and len(last) < _ID_DIGITS_MAX else 0


async def _told(parts: Parts, listener: Listener, missed: list[int]) -> AsyncIterator[bytes]:
    ends_us = parts.now_us() + int(LIVE_S_MAX * 1_000_000)
    told: set[int] = set()
    try:
        yield f"retry: {_RETRY_MS}\n\n".encode() + _events(missed, told)
        while parts.now_us() < ends_us and len(told) < LIVE_TOLD_MAX:
            heard = await listener.next(LIVE_BEAT_S)
            yield _events(heard, told) or _BEAT
    finally:
        parts.forum.live.leave(listener)


def _events(numbers: list[int], told: set[int]) -> bytes:
    fresh = [number for number in numbers if number not in told]
    told.update(fresh)
    return b"".join(b"id: %d\nevent: comment\ndata: %d\n\n" % (one, one) for one in fresh)


HANDLERS = [live, new_comments]
