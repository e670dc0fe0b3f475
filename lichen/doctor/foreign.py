"""`lichen doctor foreign`: examines somebody else's Lemmy or PieFed, without installing anything.

    ADDRESS    ─► NodeInfo, and from a Lemmy how far behind each server is that it sends to
    --database ─► a session that can only read: round trip, queues, rate in, sizes
                        └─► the diagnosis in words: serial, RTT-bound: n round trips × RTT = x/s

The round trip is measured from here: run it where the forum runs. How many round trips each
software makes for one incoming activity was measured on it: see TRIPS.
"""

from collections.abc import AsyncIterator, Iterator, Sequence

from lichen.doctor.costs import serial_per_s, told_serial
from lichen.doctor.database import findings_of, postgresql, round_trip_ms
from lichen.doctor.findings import Finding, Health
from lichen.doctor.lemmy import FederationState, states_in
from lichen.doctor.lemmy_rows import LemmyRows, Queue
from lichen.doctor.piefed_rows import Logged, PiefedRows
from lichen.doctor.reading import Reading, reading
from lichen.doctor.stopwatch import now_s
from lichen.doctor.styles import Styles
from lichen.federation import Documents
from lichen.federation.fetching import decoded
from lichen.federation.model import Style
from lichen.federation.nodeinfo import fetch_nodeinfo
from lichen.kit import Clock, Refused, Unavailable
from lichen.kit.ground import Ground

TRIPS = {"lemmy": 40, "piefed": 45}  # statements for one incoming comment, measured; votes: fewer
WINDOW_S = 3_600  # s that rates are counted over
SHOWN_MAX = 10  # servers of each kind that are told
BEHIND_S_WORRY = 300.0  # Lemmy looks for work every 30 s, and for new servers every minute
BEHIND_S_ILL = 86_400.0  # then a week's retention is in sight
FAILS_DEAD = 20  # in a row, over two days by Lemmy's pauses: that server is down, not we
SHARE_FULL = 0.7  # of what a serial receiver can take: from here on it has no reserve
STATES_BYTES_MAX = 16 << 20  # of the list of servers; the largest Lemmys send some 4 MB


async def examine_foreign(ground: Ground, scheme: str, authority: str) -> AsyncIterator[Finding]:
    """Yield what a server says of itself over HTTP."""
    documents = Documents(ground.outbound, is_allowed=lambda _authority: True, signer=_unsigned,
                          preferences=Styles())
    started, software = now_s(), ""
    try:
        found = await fetch_nodeinfo(documents, scheme, authority)
        software = found.software
        yield Finding("NodeInfo", Health.WELL if software else Health.WORRY,
                      f"{software or 'It does not say what it runs.'} {found.version}".strip(),
                      took_ms=(now_s() - started) * 1_000)
    except (Refused, Unavailable) as error:
        yield Finding("NodeInfo", Health.ILL, error.text,
                      f"`lichen doctor federation {authority}` says which step fails.",
                      (now_s() - started) * 1_000)
        return
    if software == "lemmy":
        async for finding in _states(ground, f"{scheme}://{authority}"):
            yield finding


async def _states(ground: Ground, base: str) -> AsyncIterator[Finding]:
    started = now_s()
    try:
        answer = await ground.outbound.fetch(
            f"{base}/api/v3/federated_instances", accept="application/json",
            bytes_max=STATES_BYTES_MAX)
        states = list(states_in(decoded(answer.body))) if answer.status == 200 else []
    except (Refused, Unavailable) as error:
        yield Finding("federated servers", Health.WORRY, error.text)
        return
    took_ms = (now_s() - started) * 1_000
    newest = max(states, key=lambda one: one.last_id, default=None)
    if newest is None:
        yield Finding("federated servers", Health.WORRY, f"It tells nothing of them "
                      f"({answer.status}).", took_ms=took_ms)
        return
    queues = [_queue_of(one, newest, now_us=ground.clock()) for one in states if one.last_id]
    for finding in _told_queues(queues):
        yield finding._replace(took_ms=took_ms)


def _queue_of(one: FederationState, newest: FederationState, *, now_us: int) -> Queue:
    behind = newest.last_id - one.last_id
    lag_s = (newest.last_us - one.last_us) / 1e6 if behind and one.last_us else 0.0
    retried = (now_us - one.retry_at_us) / 1e6 if one.retry_at_us else None
    return Queue(one.domain, behind, max(0.0, lag_s), one.fail_count, retried)


def examine_database(url: str, *, clock: Clock, trips: int = 0) -> Iterator[Finding]:
    """Yield what a Lemmy's or a PieFed's database says; raises Unavailable, Refused.

    `trips` overrides how many round trips an incoming activity takes there.
    """
    with reading(url) as rows:
        lemmy = LemmyRows(rows)
        piefed = None if lemmy.is_there else PiefedRows(rows)
        if piefed is not None and not piefed.is_there:
            raise Refused("other_database", "This is the database of no Lemmy (0.19 or newer) and "
                          "of no PieFed: it has neither federation_queue_state nor send_queue.")
        # What Lichen's own pages would cost there says nothing of another software.
        told = ("round trip", "settings", "size", "fsync", "autovacuum", "synchronous_commit")
        measured = postgresql(rows, clock=clock)
        yield from (one for one in findings_of(measured) if one.about in told)
        if piefed is not None:
            yield from _piefed(rows, piefed, trips or TRIPS["piefed"])
        else:
            yield from _lemmy(rows, lemmy, trips or TRIPS["lemmy"])


def _lemmy(rows: Reading, lemmy: LemmyRows, trips: int) -> Iterator[Finding]:
    yield from _told_queues(list(lemmy.queues()))
    yield Finding("what it makes", Health.WELL,
                  f"{lemmy.sent_per_s(WINDOW_S):.2f} activities a second in the last hour.")
    received = lemmy.received_per_s(WINDOW_S)
    largest = ", ".join(f"{name} {per_s:.2f}" for name, per_s in list(received.items())[:3])
    yield _told_in(rows, sum(received.values()), trips, f" (the most: {largest})" if largest else
                   "")


def _piefed(rows: Reading, piefed: PiefedRows, trips: int) -> Iterator[Finding]:
    for one in piefed.delayed()[:SHOWN_MAX]:
        late = one.lag_s > BEHIND_S_WORRY
        yield Finding(f"to {one.domain}", Health.WORRY if late else Health.WELL,
                      f"{one.count} activities wait to be sent once more, the oldest "
                      f"{one.lag_s:.0f} s old, tried {one.retries} times.")
    unreached = piefed.unreached()
    given_up = sum(one.given_up for one in unreached)
    yield Finding("servers not reached", Health.WELL, f"{len(unreached)}, of which {given_up} are "
                  f"given up{_names([one.domain for one in unreached])}.")
    logged = piefed.logged(WINDOW_S)
    if not logged:
        yield Finding("rate", Health.WELL, "Its activity log is empty or switched off, so nothing "
                      "is known of what comes in. It would be "
                      f"{told_serial(round_trip_ms(rows)[0], trips=trips)}")
        return
    out, into = logged.get("out", Logged(0, 0)), logged.get("in", Logged(0, 0))
    yield Finding("what it makes", Health.WORRY if out.failed_share > 0.5 else Health.WELL,
                  f"{out.per_s:.2f} a second in the last hour, {out.failed_share:.0%} failed.")
    yield _told_in(rows, into.per_s, trips, f" ({into.failed_share:.0%} failed)")


def _told_in(rows: Reading, per_s: float, trips: int, more: str) -> Finding:
    """Return the diagnosis of what comes in."""
    middle, _ = round_trip_ms(rows)
    reached = serial_per_s(middle, trips=trips)
    told = f"It took in {per_s:.2f} activities a second in the last hour{more}. It is "
    if per_s >= SHARE_FULL * reached:
        return Finding(
            "what comes in", Health.ILL,
            f"{told}{told_serial(middle, trips=trips)} That is all it can: a peer that makes more "
            "falls behind, however idle every machine is.",
            "Move the database next to the forum; a faster machine changes nothing.")
    return Finding("what comes in", Health.WELL, f"{told}{told_serial(middle, trips=trips)} "
                   "That is enough.")


def _told_queues(queues: Sequence[Queue]) -> Iterator[Finding]:
    dead = [one for one in queues if one.fail_count >= FAILS_DEAD]
    behind = sorted((one for one in queues if one not in dead and one.behind),
                    key=lambda one: one.lag_s, reverse=True)
    for one in behind[:SHOWN_MAX]:
        health = Health.ILL if one.lag_s > BEHIND_S_ILL else (
            Health.WORRY if one.lag_s > BEHIND_S_WORRY or one.fail_count else Health.WELL)
        rate = f"; {one.fail_count} tries failed" if one.fail_count else ""
        yield Finding(f"to {one.domain}", health, f"{one.behind} activities behind, "
                      f"{one.lag_s:.0f} s{rate}.", _mending(one) if health is not Health.WELL
                      else "")
    yield Finding("servers it sends to", Health.WELL, f"{len(queues)}: {len(behind)} behind, "
                  f"{len(dead)} down{_names([one.domain for one in dead])}.")


def _mending(one: Queue) -> str:
    if one.fail_count:
        return f"It refuses or does not answer: `lichen doctor federation {one.domain}`."
    return ("It answers, but slowly: one request after another. Its inbox time says how many a "
            f"second (`lichen doctor federation {one.domain}`); until that is mended raise "
            "federation.concurrent_sends_per_instance here.")


def _names(domains: Sequence[str]) -> str:
    shown = ", ".join(domains[:5])
    return f" ({shown}{', …' if len(domains) > 5 else ''})" if shown else ""


async def _unsigned(_url: str, _style: Style) -> dict[str, str]:
    return {}
