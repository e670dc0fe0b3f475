"""Where the other servers stand: a list for everybody, a page for each, deeds for administrators.

What a peer's own words are (its last error) is shown to administrators alone.
"""

from datetime import UTC, datetime

from litestar import Response, get, post
from litestar.params import FromPath, FromQuery

from lichen.faces.pages.answers import page, see_other
from lichen.faces.pages.parts import GivenParts
from lichen.faces.pages.plots import Curve, curve, drawn
from lichen.faces.pages.visit import GivenVisit, PageRequest, typed, whole_number
from lichen.faces.pages.wording import (
    STATE_WORDS,
    catch_up_words,
    lasted,
    per_second,
    standing_words,
)
from lichen.federation import Accepts, Hour
from lichen.kit import Refused

SERVERS_PER_PAGE = 50
WANTED_PER_PAGE = 20
ASKED_LENGTH_MAX = 2_000  # characters of an id; no address is longer
PAGES_MAX = 10_000  # a page further is a mistake
_ACCEPTED = (("dislikes", "Downvotes"), ("pictures", "Pictures"), ("messages", "Private messages"))


@get("/federation")
async def federation(
    parts: GivenParts, visit: GivenVisit, page_number: FromQuery[str] = "1"
) -> Response[bytes]:
    """Show where every other server stands, those that are behind first."""
    number = _page_of(page_number)
    standings, count = await parts.standings.page(number, limit=SERVERS_PER_PAGE)
    _, frame = await parts.framed(visit, lambda _unit: None)
    return await page(parts, visit, frame, "federation.html", values={
        "standings": standings, "overview": parts.standings.overview(), "number": number,
        "has_more": number * SERVERS_PER_PAGE < count, "now_us": parts.now_us(),
        "words": standing_words, **_hour_of(parts.standings.hour()),
    })


@get("/federation/activity")
async def activity(
    parts: GivenParts, visit: GivenVisit, id: FromQuery[str] = ""
) -> Response[bytes]:
    """Follow one activity through every step, by its id or the address of a post or comment."""
    trail, refused = None, None
    if id:
        try:
            trail = await parts.trails.of(visit.viewer, id[:ASKED_LENGTH_MAX])
        except Refused as refusal:
            refused = refusal
    frame = await parts.frame(visit)
    return await page(parts, visit, frame, "federation_activity.html", values={
        "trail": trail, "followed": id[:ASKED_LENGTH_MAX], "now_us": parts.now_us(),
        "error": refused.text if refused else "", "lasted": lasted, "state_words": STATE_WORDS,
    }, status=refused.status if refused else 200)


@get("/federation/{authority:str}")
async def server(
    parts: GivenParts, visit: GivenVisit, authority: FromPath[str],
    page_number: FromQuery[str] = "1", *, done: FromQuery[str] = "",
) -> Response[bytes]:
    """Show where one server stands, and what its activities wait for."""
    number = _page_of(page_number)
    standing = await parts.standings.of(authority)
    wanted, frame = await parts.framed(visit, lambda unit: parts.standings.parked_of(
        unit, authority, page=number, limit=WANTED_PER_PAGE))
    said = {"tried": "It is tried now.", "saved": "That is how it is from now on.",
            "asked": "It is asked for what was missed."}.get(done, "")
    if done.isdigit():
        said = f"Up to {done[:9]} activities are sent again."
    return await page(parts, visit, frame, "federation_server.html", values={
        "standing": standing, "wanted": wanted, "number": number, "now_us": parts.now_us(),
        "has_more": len(wanted) == WANTED_PER_PAGE, "words": standing_words, "done": said,
        "caught": parts.federation.catching_up.state(authority), "caught_words": catch_up_words,
        "accepted": _ACCEPTED, **_hour_of(parts.standings.hour_of(authority)),
        "is_admin": visit.viewer is not None and visit.viewer.admin,
    })


@post("/federation/{authority:str}/try", status_code=200)
async def try_now(
    parts: GivenParts, visit: GivenVisit, authority: FromPath[str]
) -> Response[bytes]:
    """End a server's pause."""
    parts.standings.try_now(visit.required(), authority)
    return see_other(visit, f"{parts.addresses.peer(authority)}?done=tried")


@post("/federation/{authority:str}/resend", status_code=200)
async def resend(
    request: PageRequest, parts: GivenParts, visit: GivenVisit, authority: FromPath[str]
) -> Response[bytes]:
    """Send a server again what was composed since a time."""
    since_us = _time_of((await typed(request)).text("since"))
    count = parts.standings.resend_since(visit.required(), authority, since_us)
    return see_other(visit, f"{parts.addresses.peer(authority)}?done={count}")


@post("/federation/{authority:str}/catch-up", status_code=200)
async def catch_up(
    parts: GivenParts, visit: GivenVisit, authority: FromPath[str]
) -> Response[bytes]:
    """Ask a server for what was missed of it."""
    parts.federation.catching_up.ask(visit.required(), authority)
    return see_other(visit, f"{parts.addresses.peer(authority)}?done=asked")


@post("/federation/{authority:str}/accepts", status_code=200)
async def accepts(
    request: PageRequest, parts: GivenParts, visit: GivenVisit, authority: FromPath[str]
) -> Response[bytes]:
    """Decide what is taken from a server."""
    fields = await typed(request)
    await parts.standings.set_accepts(
        visit.required(), authority,
        Accepts(**{name: fields.flag(name) for name, _words in _ACCEPTED}),
    )
    return see_other(visit, f"{parts.addresses.peer(authority)}?done=saved")


def _hour_of(hour: Hour) -> dict[str, object]:
    """Return what templates need to show an hour."""
    return {"hour": hour, "curves_out": _curves_out(hour), "curves_in": _curves_in(hour),
            "drawn": drawn, "per_second": per_second, "lasted": lasted}


def _curves_out(hour: Hour) -> list[Curve]:
    """Return the plots of what a peer, or all of them, gets from here."""
    return [
        curve(hour, "Sent", value=lambda one: one.sent_per_s, now=hour.sent_per_s,
              said=per_second),
        curve(hour, "Missing there", value=lambda one: one.missing, now=hour.now.missing,
              said=_number),
        curve(hour, "Oldest missing", value=lambda one: one.missing_us,
              now=hour.now.missing_us, said=_old),
    ]


def _curves_in(hour: Hour) -> list[Curve]:
    """Return the plots of what comes from a peer, or from all of them."""
    return [
        curve(hour, "Came in", value=lambda one: one.came_per_s, now=hour.came_per_s,
              said=per_second),
        curve(hour, "Waiting here", value=lambda one: one.waiting, now=hour.now.waiting,
              said=_number),
        curve(hour, "Oldest waiting", value=lambda one: one.waiting_us,
              now=hour.now.waiting_us, said=_old),
    ]


def _number(number: float) -> str:
    return f"{round(number):,}"


def _old(time_us: float) -> str:
    return lasted(round(time_us)) if time_us else "none"


def _page_of(text: str) -> int:
    return max(1, min(whole_number(text, "page_number"), PAGES_MAX))


def _time_of(text: str) -> int:
    """Return a time in µs of what a field of dates holds, which is UTC here."""
    try:
        # HTML Living Standard, "valid local date and time string".
        return int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp() * 1_000_000)
    except ValueError:
        raise Refused(
            "invalid_time", f"A time looks like 2026-11-25T08:30; got {text[:40]!r}."
        ) from None


HANDLERS = [federation, activity, server, try_now, resend, catch_up, accepts]
