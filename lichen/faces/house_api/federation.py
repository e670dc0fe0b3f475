"""The calls about the other servers: where they stand both ways, and what is done about it.

What the pages under `/federation` show, for programs. Who is no administrator is not told a peer's
own words.
"""

from typing import Annotated, Any

import msgspec
from msgspec import Meta

from lichen.faces.lemmy_v3.asking import Caller, Parts
from lichen.faces.lemmy_v3.calls import Call
from lichen.faces.lemmy_v3.wire import Answer, Ask, SuccessResponse
from lichen.faces.lemmy_v3.wire.base import PageLength, PageNumber, Time, Word, time_of
from lichen.federation import (
    Accepts,
    CatchUp,
    CatchUpState,
    Condition,
    Delivery,
    DeliveryState,
    Hour,
    Passage,
    Standing,
    StepKind,
)

SERVERS_DEFAULT = 20  # on a page of the list

Microseconds = Annotated[int, Meta(ge=0, le=1 << 62)]


class GetServers(Ask, frozen=True, kw_only=True):
    """Ask for a page of the other servers, those that are behind first."""

    page: PageNumber = 1
    limit: PageLength = SERVERS_DEFAULT


class OfServer(Ask, frozen=True, kw_only=True):
    """Name a server by its host, and port where its ids have one."""

    server: Word


class GetServer(Ask, frozen=True, kw_only=True):
    """Name a server; `page` is of what its activities wait for."""

    server: Word
    page: PageNumber = 1
    limit: PageLength = SERVERS_DEFAULT


class Resend(Ask, frozen=True, kw_only=True):
    """Send a server again what was composed since a time, in µs since 1970."""

    server: Word
    since_us: Microseconds


class SetAccepts(Ask, frozen=True, kw_only=True):
    """Decide what is taken from a server."""

    server: Word
    dislikes: bool = True
    pictures: bool = True
    messages: bool = True


class GetActivity(Ask, frozen=True, kw_only=True):
    """Name an activity by its id, or a post or comment by its address."""

    id: Annotated[str, Meta(min_length=1, max_length=2_000)]


class CourseMinute(Answer, frozen=True, kw_only=True):
    """How it went in about a minute before `at_us`; lags are of the oldest activity, in µs."""

    at_us: int
    sent_per_s: float
    missing: int
    missing_us: int
    came_per_s: float
    waiting: int
    waiting_us: int


class Course(Answer, frozen=True, kw_only=True):
    """Rates over the last `over_us`, what is missing there and waits here, and how it went.

    `minutes` are those of the last hour, the oldest first, and none from before `since_us`.
    """

    sent_per_s: float
    came_per_s: float
    over_us: int
    missing: int
    missing_us: int
    waiting: int
    waiting_us: int
    since_us: int
    minutes: list[CourseMinute]


class ServerStanding(Answer, frozen=True, kw_only=True):
    """Where a server stands; counts are of activities, `more_missing` says that more may be."""

    server: str
    software: str
    version: str
    condition: Condition
    missing: int
    more_missing: bool
    under_way: int
    window: int
    taken: int
    refused: int
    coalesced: int
    failures: int
    waiting_here: int
    parked: int
    takes_batches: bool
    told_again: bool
    accepts: Accepts
    missing_since: Time | None = None
    retry_at: Time | None = None
    last_success: Time | None = None
    last_received: Time | None = None
    last_error: str | None = None


class Servers(Answer, frozen=True, kw_only=True):
    """A page of servers, how many there are, and how far behind this house itself is."""

    servers: list[ServerStanding]
    count: int
    behind: int
    inbox_waiting: int
    course: Course
    inbox_since: Time | None = None


class Wanted(Answer, frozen=True, kw_only=True):
    """What some activities wait for."""

    needs: str
    count: int
    tries: int


class CatchUpAnswer(Answer, frozen=True, kw_only=True):
    """How catching up with a server goes, or went; `words` say why it was cut or failed."""

    state: CatchUpState
    asked_at: Time
    ended_at: Time | None
    communities: int
    communities_done: int
    posts: int
    comments: int
    changed: int
    deleted: int
    words: str


class ServerAnswer(Answer, frozen=True, kw_only=True):
    """One server, what its activities wait for, and how catching up with it goes, where that was
    asked and an administrator wants to know.
    """

    server: ServerStanding
    wanted: list[Wanted]
    course: Course
    catch_up: CatchUpAnswer | None = None


class ActivityStep(Answer, frozen=True, kw_only=True):
    """One step; `round_trips` were shared by so many activities. Times in µs; 0 is unknown."""

    kind: StepKind
    words: str
    at_us: int
    round_trips: int
    shared_by: int
    after_us: int | None = None


class ActivityDelivery(Answer, frozen=True, kw_only=True):
    """How an activity fares with a server; `took_us` until its answer to the last try."""

    server: str
    state: DeliveryState
    words: str
    tries: int
    at_us: int
    took_us: int
    together: int
    retry_at_us: int
    error: str | None = None


class ActivityPassage(Answer, frozen=True, kw_only=True):
    """One activity that went out; `counts` are of all servers, `more` of them are not listed."""

    id: str
    kind: str
    seq: int
    at_us: int
    counts: dict[str, int]
    deliveries: list[ActivityDelivery]
    more: int


class ActivityTrail(Answer, frozen=True, kw_only=True):
    """What is known of one activity; `server` sent it, "" where it is ours."""

    id: str
    kind: str
    server: str
    steps: list[ActivityStep]
    passages: list[ActivityPassage]
    notes: list[str]
    remembered_since_us: int


class Resent(Answer, frozen=True, kw_only=True):
    """How many activities are sent again at most: those of others are among them."""

    count: int


async def list_servers(parts: Parts, caller: Caller, asked: GetServers) -> Servers:
    """Return where the other servers stand."""
    overview = parts.standings.overview()
    standings, count = await parts.standings.page(asked.page, limit=asked.limit)
    return Servers(
        servers=[_shown(one, caller) for one in standings], count=count, behind=overview.behind,
        inbox_waiting=overview.inbox_waiting, course=_course(parts.standings.hour()),
        inbox_since=_time(overview.inbox_since_us),
    )


async def get_server(parts: Parts, caller: Caller, asked: GetServer) -> ServerAnswer:
    """Return where one server stands, and what its activities wait for."""
    standing = await parts.standings.of(asked.server)
    wanted = await parts.store.read(lambda unit: parts.standings.parked_of(
        unit, asked.server, page=asked.page, limit=asked.limit))
    return ServerAnswer(
        server=_shown(standing, caller), course=_course(parts.standings.hour_of(asked.server)),
        wanted=[Wanted(needs=one.needs, count=one.activities, tries=one.tries) for one in wanted],
        catch_up=_caught(
            parts.federation.catching_up.state(asked.server) if _is_admin(caller) else None
        ),
    )


async def follow_activity(parts: Parts, caller: Caller, asked: GetActivity) -> ActivityTrail:
    """Follow one activity through every step, with the time and round trips of each."""
    trail = await parts.trails.of(caller.viewer, asked.id)
    return ActivityTrail(
        id=trail.id, kind=trail.kind, server=trail.server, notes=trail.notes,
        remembered_since_us=trail.remembered_since_us,
        steps=[ActivityStep(**msgspec.structs.asdict(one)) for one in trail.steps],
        passages=[_passage(one) for one in trail.passages],
    )


async def try_server(parts: Parts, caller: Caller, asked: OfServer) -> SuccessResponse:
    """End a server's pause."""
    parts.standings.try_now(caller.person(), asked.server)
    return SuccessResponse(success=True)


async def resend(parts: Parts, caller: Caller, asked: Resend) -> Resent:
    """Send a server again what was composed since a time."""
    return Resent(count=parts.standings.resend_since(
        caller.person(), asked.server, asked.since_us))


async def catch_up(parts: Parts, caller: Caller, asked: OfServer) -> CatchUpAnswer:
    """Begin to ask a server for what was missed of it; `GET /federation/server` says how it goes.
    """
    answer = _caught(parts.federation.catching_up.ask(caller.person(), asked.server))
    assert answer is not None, "what was just begun has a state"
    return answer


async def set_accepts(parts: Parts, caller: Caller, asked: SetAccepts) -> SuccessResponse:
    """Decide what is taken from a server."""
    await parts.standings.set_accepts(
        caller.person(), asked.server,
        Accepts(dislikes=asked.dislikes, pictures=asked.pictures, messages=asked.messages),
    )
    return SuccessResponse(success=True)


def _course(hour: Hour) -> Course:
    now = hour.now
    return Course(
        sent_per_s=hour.sent_per_s, came_per_s=hour.came_per_s, over_us=hour.over_us,
        missing=now.missing, missing_us=now.missing_us, waiting=now.waiting,
        waiting_us=now.waiting_us, since_us=hour.since_us,
        minutes=[CourseMinute(**msgspec.structs.asdict(one)) for one in hour.minutes],
    )


def _passage(one: Passage) -> ActivityPassage:
    fields = msgspec.structs.asdict(one)
    fields["deliveries"] = [_delivery(each) for each in one.deliveries]
    return ActivityPassage(**fields)


def _delivery(one: Delivery) -> ActivityDelivery:
    fields = msgspec.structs.asdict(one)
    return ActivityDelivery(**{**fields, "error": one.error or None})


def _shown(one: Standing, caller: Caller) -> ServerStanding:
    peer, line, is_admin = one.peer, one.line, _is_admin(caller)
    return ServerStanding(
        server=peer.authority, software=peer.software, version=peer.version,
        condition=one.condition, missing=one.missing, more_missing=one.more_missing,
        under_way=line.under_way, window=line.window, taken=line.taken, refused=line.refused,
        coalesced=line.coalesced, failures=line.failures or peer.fail_count,
        waiting_here=one.waiting, parked=one.parked, takes_batches=peer.takes_batches,
        told_again=line.is_told_again, accepts=peer.accepts,
        missing_since=_time(one.missing_since_us),
        retry_at=_time(line.retry_at_us or peer.retry_at_us),
        last_success=_time(peer.last_success_us), last_received=_time(peer.last_received_us),
        last_error=(line.error or peer.last_error) if is_admin else None,
    )


def _is_admin(caller: Caller) -> bool:
    return caller.viewer is not None and caller.viewer.admin


def _caught(one: CatchUp | None) -> CatchUpAnswer | None:
    return None if one is None else CatchUpAnswer(
        state=one.state, asked_at=time_of(one.asked_us), ended_at=_time(one.ended_us),
        communities=one.communities, communities_done=one.communities_done, posts=one.posts,
        comments=one.comments, changed=one.changed, deleted=one.deleted, words=one.words,
    )


def _time(time_us: int) -> Time | None:
    return time_of(time_us) if time_us else None


CALLS: tuple[Call[Any, Any], ...] = (
    Call("GET", "/federation/servers", GetServers, Servers, list_servers),
    Call("GET", "/federation/server", GetServer, ServerAnswer, get_server),
    Call("GET", "/federation/activity", GetActivity, ActivityTrail, follow_activity,
         rate="search"),
    Call("POST", "/federation/try", OfServer, SuccessResponse, try_server),
    Call("POST", "/federation/resend", Resend, Resent, resend),
    Call("POST", "/federation/catch-up", OfServer, CatchUpAnswer, catch_up),
    Call("POST", "/federation/accepts", SetAccepts, SuccessResponse, set_accepts),
)
